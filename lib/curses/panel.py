"""Windows with depth: what `_curses_panel` gives."""

from _curses_panel import *
