"""The prompt on a terminal: `_pyrepl`, the plain one, editing, what ends it. Run by hand, and compare with prompt.expected:
on a machine with much else to do, an interrupt may come before or after the text that is typed next."""

import os
import pty
import re
import select
import signal
import sys
import tempfile
import time

HOME = tempfile.mkdtemp()


def session(keys, args=(), **environment):
    """Starts the interpreter on a terminal and types; each key waits for a text of the output. Gives all of it."""
    variables = {"PATH": os.environ.get("PATH", ""), "HOME": HOME, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    variables |= environment
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, *args], variables)
    output, seen = b"", 0

    def read_until(wanted):
        nonlocal output, seen
        end = time.monotonic() + 60
        while wanted is None or wanted not in output[seen:]:
            if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
                os.kill(pid, signal.SIGKILL)
                output += b"<nothing more>"
                return
            try:
                block = os.read(terminal, 65536)
            except OSError:
                return
            if not block:
                return
            output += block
        seen = output.index(wanted, seen) + len(wanted)

    for wait, key in keys:
        read_until(wait)
        os.write(terminal, key)
    read_until(None)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return output, status


def results(output):
    """What statements printed between << and >>."""
    return re.findall(rb"<<(.*?)>>", re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", output))


# What the prompt writes once the terminal is its own.
READY = b"\x1b[?2004h"
show = b"print('<'+'<', *(%s,), '>'+'>', sep='')\r"

typed = [
    show % b"1+1",
    b"x = 5\r",
    b"y = 6\x1bOD7\r",
    show % b"x, y",
    b"def f():\rreturn 'from f'\r\r",
    show % b"f()",
    b"\x1bOA\r",
    b"1/0\r",
    b"\x03",
    show % b"y - 1",
    b"import sys; sys.exit(7)\r",
]
output, status = session([(READY, keys) for keys in typed])
print("line editing:", results(output), status)
print("colours:", b"\x1b[1;35mZeroDivisionError\x1b[0m" in output)
print("history:", open(os.path.join(HOME, ".python_history")).read().count("f()"))

for environment in [{"PYTHON_BASIC_REPL": "1"}, {"TERM": "dumb"}]:
    output, status = session(
        [(b">>> ", b"if 1:\r"), (b"... ", b" 'yes'\r"), (b"... ", b"\r"), (b"'yes'", b"\x04")],
        ["-q"], PYTHON_COLORS="0", **environment,
    )
    print(environment, output.replace(b"\x1b[?1034h", b""), status)

output, status = session(
    [(READY, show % b"x"), (READY, b"\x04")], ["-q", "-i", "-c", "x = 3"], PYTHONSTARTUP="/dev/null"
)
print("-i:", results(output), status)
output, status = session([(b"? ", b"bob\r")], ["-c", "print('<'+'<', input('name? '), '>'+'>')"])
print("input:", results(output), status)
output, status = session([(b"? ", b"\x04")], ["-c", "input('name? ')"])
print("end of input:", output.split()[-1], status)
try:
    sys._baserepl
    print("sys._baserepl is there")
except AttributeError:
    print("sys._baserepl is missing")
