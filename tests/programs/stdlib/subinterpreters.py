"""Interpreters beside the main one: isolation, exchange, errors, threads that run at once, ends."""
import _interpchannels as channels
import _interpreters as interpreters
import threading
from concurrent import interpreters as high
from concurrent.futures import InterpreterPoolExecutor

one = interpreters.create()
print(interpreters.exec(one, "import sys; sys.shared = 1; names = sorted(globals()); print(len(sys.modules) > 10)"))
import sys
print(hasattr(sys, "shared"), interpreters.get_config(one))

# What goes over, and what doesn't.
interpreters.set___main___attrs(one, {"a": 1, "b": "é\ud800", "c": (1, (2, b"x"), None, 1.5, True)})
interpreters.exec(one, "print(a, ascii(b), c)")
memory = bytearray(b"abc")
interpreters.set___main___attrs(one, {"m": memoryview(memory)})
interpreters.exec(one, "m[0] = 65; print(type(m), m.format, m.nbytes)")
print(memory)
for value in (object(), [], 2**70, (1, [])):
    try:
        interpreters.set___main___attrs(one, {"v": value})
    except Exception as error:
        print(type(error).__name__, type(error.__cause__).__name__)


def returns(x):
    return x + 1


def closure():
    return one


def script():
    print("script", __name__)


print(interpreters.call(one, returns, (41,)), interpreters.call(one, len, ("four",)))
print(interpreters.exec(one, script), interpreters.run_string(one, "print(1)", {"x": 2}))
for bad in (returns, closure, len, 5, "x y"):
    try:
        interpreters.exec(one, bad)
    except Exception as error:
        print(type(error).__name__, str(error).split(" at ")[0])

# Errors come back as texts.
failed = interpreters.exec(one, "def f():\n    raise ValueError('no', 3)\nf()")
print(failed.type.__name__, failed.msg, failed.formatted)
print(failed.errdisplay)
for code in ("import os; os.fork()", "raise SystemExit(3)", "import signal; signal.signal(2, signal.SIG_IGN)"):
    print(interpreters.exec(one, code).formatted)
try:
    high.Interpreter(one).exec("1/0")
except high.ExecutionFailed as error:
    print(error.excinfo.type.__name__)

# One that ends while it is in use elsewhere.
thread = threading.Thread(target=interpreters.exec, args=(one, "import time; time.sleep(0.3)"))
thread.start()
import time
while not interpreters.is_running(one):
    time.sleep(0.01)
for work in (interpreters.destroy, lambda number: interpreters.exec(number, "1")):
    try:
        work(one)
    except interpreters.InterpreterError as error:
        print(error)
thread.join()
interpreters.destroy(one)
try:
    interpreters.destroy(one)
except interpreters.InterpreterNotFoundError as error:
    print(error)

# Queues and channels.
queue = high.create_queue()
other = high.create()
other.prepare_main(queue=queue)
other.exec("queue.put(('from', 'there')); queue.put({1: [2]}); print(queue.get() == ('from', 'there'))")
print(queue.get(), queue.empty())
channel = channels.create()
other.exec(f"import _interpchannels as c; c.send({int(channel)}, b'sent', blocking=False)")
print(channels.recv(channel), channel.send.end, channels.list_interpreters(channel, send=True))
other.close()
try:
    channels.send(channel, 1, blocking=False)
except channels.ChannelError as error:
    print(type(error).__name__)

# Weak references to types that all interpreters share, cycles, and many ends.
WORK = """
import enum, gc, re, weakref
class Node: pass
class Slotless: __slots__ = ()
seen = []
for number in range(200):
    node = Node(); node.self = node; seen.append(weakref.ref(int)); re.match('a*b', 'aab')
gc.collect()
assert weakref.getweakrefcount(int) >= 1 and all(ref() is int for ref in seen)
"""


def several():
    for _ in range(3):
        number = interpreters.create()
        assert interpreters.exec(number, WORK) is None
        interpreters.destroy(number)


threads = [threading.Thread(target=several) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with InterpreterPoolExecutor(2) as pool:
    print(list(pool.map(returns, range(5))))
print(interpreters.list_all())
