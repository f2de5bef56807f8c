"""`curses`: programs on a terminal, arguments of its functions, the pure-Python parts."""

import os
import pty
import re
import select
import sys

try:
    import curses
    import curses.panel
    import curses.textpad
except ImportError:
    # No library on this machine: what it would print.
    print(open(__file__.removesuffix("py") + "out").read(), end="")
    sys.exit()

import curses.ascii

print([curses.ascii.unctrl(c) for c in (0, 27, 65, 127, 128, 200, "\t")], curses.ascii.ctrl("c"), curses.ascii.alt(65))
print([f.__name__ for f in vars(curses.ascii).values() if callable(f) and f.__name__.startswith("is") and f(0x20)])
for wrong in (lambda: curses.newwin(1, 1), curses.beep, lambda: curses.tigetstr("cup"), lambda: curses.newwin(1)):
    try:
        wrong()
    except Exception as error:
        print(type(error), error)

PROGRAM = r"""
import curses, curses.panel, curses.textpad, gc, json, sys
seen = []
def check(function, *args):
    try:
        seen.append(repr(function(*args)))
    except Exception as error:
        seen.append(f"{type(error).__name__}: {error}")
def main(screen):
    curses.init_pair(1, curses.COLOR_RED, curses.COLOR_BLUE)
    screen.addstr(1, 2, "h\u00e9llo", curses.A_BOLD | curses.color_pair(1))
    check(screen.instr, 1, 2, 5); check(screen.inch, 1, 2); check(screen.getyx); check(curses.pair_content, 1)
    window = curses.newwin(5, 10, 2, 2)
    for args in [(), (1,), ("ab",), ("\u20ac",), (100, 100, "x"), (2**70,), (2**40,), (-1,), (None,), (True,), (b"xy",)]:
        check(window.addch, *args); check(window.insch, *args); check(window.bkgd, *args[:1])
    for text in ("a\0b", b"a\0b", 3, "x" * 200):
        check(window.addstr, text); check(window.addnstr, 0, 0, text, 3); check(window.insstr, text)
    check(window.getmaxyx); check(window.getparyx); check(window.derwin, 1, 1, 50, 50)
    inner = window.derwin(2, 2, 1, 1)
    check(inner.getparyx)
    del window; gc.collect()
    inner.addstr("ok"); del inner; gc.collect()
    pad = curses.newpad(20, 20)
    check(pad.refresh); check(pad.refresh, 0, 0, 0, 0, 5, 5); check(screen.refresh, 0, 0, 0, 0, 5, 5)
    panels = [curses.panel.new_panel(curses.newwin(3, 3, n, n)) for n in range(3)]
    curses.panel.update_panels()
    check(lambda: curses.panel.top_panel() is panels[2]); check(lambda: curses.panel.bottom_panel() is panels[0])
    panels[0].top(); check(lambda: panels[0].below() is panels[2]); check(panels[0].above); check(panels[1].userptr)
    panels[1].set_userptr(seen); check(lambda: panels[1].userptr() is seen); panels[1].hide(); check(panels[1].hidden)
    panels.pop(); gc.collect(); check(lambda: curses.panel.top_panel() is panels[0])
    check(curses.tparm, b"%p1%d,%p2%d", 3, 4); check(curses.tparm, b"%p1%s", 3); check(curses.tigetnum, "colors")
    check(curses.ungetch, 300); check(screen.getch); check(curses.unget_wch, "\u20ac"); check(screen.get_wch)
    check(curses.keyname, 258); check(curses.keyname, -1); check(curses.color_content, 2**40)
    check(type(screen)); check(screen.touchline, 1); check(lambda: screen.encoding.lower())
    box = curses.textpad.Textbox(curses.newwin(2, 8, 10, 10))
    curses.textpad.rectangle(screen, 9, 9, 12, 18)
    screen.refresh()
    check(box.edit)
    check(screen.getkey)
    screen.timeout(0); check(screen.getkey); check(screen.getch); check(screen.getstr)
curses.wrapper(main)
print("<<" + json.dumps(seen) + ">>")
"""
pid, terminal = pty.fork()
if pid == 0:
    os.environ |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", "LINES": "24", "COLUMNS": "80"}
    os.execv(sys.executable, [sys.executable, "-c", PROGRAM])
os.write(terminal, b"abc\x01X\x0edown\x07\x1bOA")
output = b""
while select.select([terminal], [], [], 60)[0]:
    try:
        block = os.read(terminal, 65536)
    except OSError:
        break
    if not block:
        break
    output += block
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
found = re.search(rb"<<(.*?)>>\r?\n", output, re.S)
import json

print(*(json.loads(found[1].replace(b"\r\n", b"")) if found else [output]), status, sep="\n")
