# What a thread drops when it ends, what it tells of errors, and signals behind native calls.
import _thread
import contextvars
import gc
import io
import signal
import sys
import threading

variable = contextvars.ContextVar("variable")


class Noisy:
    def __del__(self):
        print("dropped in its own thread:", threading.get_ident() == ident)


def run():
    global ident
    ident = threading.get_ident()
    variable.set(Noisy())


_thread.start_joinable_thread(run).join()

sys.stderr = io.StringIO()
thread = threading.Thread(target=lambda: 1 / 0, name="worker")
thread.start()
thread.join()
text = sys.stderr.getvalue()
sys.stderr = sys.__stderr__
print(text.splitlines()[0], "|", text.splitlines()[-1])
try:
    _thread._excepthook(5)
except TypeError as error:
    print(error)
thread = threading.Thread(target=sys.exit)
thread.start()
thread.join()

# An interrupt is raised where the call that caused it stands.
for attempt in range(20):
    thread = threading.Thread(target=_thread.interrupt_main)
    try:
        thread.start()
        thread.join()
    except KeyboardInterrupt:
        pass
    thread.join()
try:
    signal.pidfd_send_signal
    import os
    fd = os.pidfd_open(os.getpid())
    try:
        signal.pidfd_send_signal(fd, signal.SIGINT)
    except KeyboardInterrupt:
        print("interrupted")
finally:
    os.close(fd)
try:
    threading.Condition().wait_for(lambda: False, -1)
except RuntimeError as error:
    print(error)


def generator():
    value = []
    referrers = gc.get_referrers(value)
    yield [type(found).__name__ for found in referrers]


print(next(generator()))
_thread.set_name("a name longer than fifteen")
print(_thread._get_name(), _thread._NAME_MAXLEN)
