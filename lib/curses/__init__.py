"""Terminal screens: what `_curses` gives, and the names that exist only once a screen does.

Start with `initscr()`, or run a whole program by `wrapper(function)`, which gives the terminal back whatever happens.
"""

import os as _os
import sys as _sys

from _curses import *

try:
    from _curses import has_key
except ImportError:
    from .has_key import has_key


def _publish(wanted):
    """Copies what `_curses` learnt of the terminal into this module, where programs look for it."""
    import _curses

    here = globals()
    for name, value in vars(_curses).items():
        if wanted(name):
            here[name] = value


def initscr():
    """Start the screen and return the window that covers it.

    The line-drawing characters (`ACS_...`) and the size (`LINES`, `COLS`) are known from then on.
    """
    import _curses

    # An unknown terminal raises here; the library's own start would end the process.
    setupterm(term=_os.environ.get("TERM", "unknown"), fd=_sys.__stdout__.fileno())
    screen = _curses.initscr()
    _publish(lambda name: name in ("LINES", "COLS") or name.startswith("ACS_"))
    return screen


def start_color():
    """Start colours: `COLORS` and `COLOR_PAIRS` are known from then on."""
    import _curses

    result = _curses.start_color()
    _publish(lambda name: name in ("COLORS", "COLOR_PAIRS"))
    return result


def wrapper(func, /, *args, **kwds):
    """Call `func(screen, *args, **kwds)` with a started screen and return what it returns.

    Keys come one by one and aren't shown, function keys come as one number, and colours are on where there are any.
    However the function ends, the terminal is as before.
    """
    screen = None
    try:
        screen = initscr()
        noecho()
        cbreak()
        screen.keypad(True)
        try:
            start_color()
        except Exception:
            # A terminal without colours is no reason to fail.
            pass
        return func(screen, *args, **kwds)
    finally:
        if screen is not None:
            screen.keypad(False)
            echo()
            nocbreak()
            endwin()
