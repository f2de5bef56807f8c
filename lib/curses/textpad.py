"""A box in which text is edited with Emacs' keys, and rectangles."""

import curses
import curses.ascii


def rectangle(win, uly, ulx, lry, lrx):
    """Draw a rectangle by the places of its upper left and its lower right corner."""
    width, height = lrx - ulx - 1, lry - uly - 1
    win.vline(uly + 1, ulx, curses.ACS_VLINE, height)
    win.hline(uly, ulx + 1, curses.ACS_HLINE, width)
    win.hline(lry, ulx + 1, curses.ACS_HLINE, width)
    win.vline(uly + 1, lrx, curses.ACS_VLINE, height)
    win.addch(uly, ulx, curses.ACS_ULCORNER)
    win.addch(uly, lrx, curses.ACS_URCORNER)
    win.addch(lry, lrx, curses.ACS_LRCORNER)
    win.addch(lry, ulx, curses.ACS_LLCORNER)


class Textbox:
    """Edit the text in a window.

    Control with a letter, or the key that says the same:

    A         to the left edge of the window
    B, Left   one place left, to the line before where that is needed
    D         delete the character under the cursor
    E         to the end of the line
    F, Right  one place right, to the next line where that is needed
    G         end, and return what is in the window
    H, Backspace  delete the character to the left
    J         end if the window is one line, else begin a new line
    K         if the line is empty delete it, else clear it to its end
    L         draw the window again
    N, Down   one line down
    O         insert an empty line at the cursor
    P, Up     one line up

    A key that goes where there is nothing does nothing. With `insert_mode`, typing moves the rest of the line to the right.
    Blanks at the ends of lines don't count unless `stripspaces` is set to false.
    """

    def __init__(self, win, insert_mode=False):
        self.win = win
        self.insert_mode = insert_mode
        self._update_max_yx()
        self.stripspaces = 1
        self.lastcmd = None
        win.keypad(1)

    def _update_max_yx(self):
        height, width = self.win.getmaxyx()
        self.maxy, self.maxx = height - 1, width - 1

    def _text_of(self, byte):
        """What a byte means in the window's encoding."""
        return bytes([byte & curses.A_CHARTEXT]).decode(self.win.encoding, "replace")

    def _text_at(self, *place):
        """The character at a place, or at the cursor: as bytes it keeps what no byte of the window's cell can hold."""
        return self.win.instr(*place, 1).decode(self.win.encoding, "replace")

    def _end_of_line(self, y):
        """The column after the last character of a line that is no blank; the last column of a full line."""
        self._update_max_yx()
        for column in range(self.maxx, -1, -1):
            if self._text_at(y, column) != " ":
                return min(self.maxx, column + 1)
        return 0

    def _insert_printable_char(self, ch):
        """Write a character at the cursor; with insert_mode, what it displaces goes on to the next place."""
        self._update_max_yx()
        y, x = self.win.getyx()
        resume = None
        while True:
            displaced = None
            if self.insert_mode:
                displaced = self.win.instr(1)[0] | self.win.inch() & curses.A_ATTRIBUTES
            if y >= self.maxy and x >= self.maxx:
                # Writing in the last place of all would move the cursor out of the window; inserting doesn't.
                self.win.insch(self._text_of(ch), ch & curses.A_ATTRIBUTES)
                break
            self.win.addch(ch)
            if displaced is None or not self._text_of(displaced).isprintable():
                break
            ch = displaced
            y, x = self.win.getyx()
            if resume is None:
                resume = y, x
        if resume is not None:
            self.win.move(*resume)

    def do_command(self, ch):
        """Do what a key says. Whether editing goes on."""
        self._update_max_yx()
        y, x = self.win.getyx()
        self.lastcmd = ch
        if ch <= 0xFF and self._text_of(ch).isprintable():
            self._insert_printable_char(ch)
            return 1
        match ch:
            case curses.ascii.SOH:
                self.win.move(y, 0)
            case curses.ascii.STX | curses.KEY_LEFT | curses.ascii.BS | curses.KEY_BACKSPACE | curses.ascii.DEL:
                self._step_left(y, x)
                if ch in (curses.ascii.BS, curses.KEY_BACKSPACE, curses.ascii.DEL):
                    self.win.delch()
            case curses.ascii.EOT:
                self.win.delch()
            case curses.ascii.ENQ:
                self._to_line_end(y)
            case curses.ascii.ACK | curses.KEY_RIGHT:
                if x < self.maxx:
                    self.win.move(y, x + 1)
                elif y < self.maxy:
                    self.win.move(y + 1, 0)
            case curses.ascii.BEL:
                return 0
            case curses.ascii.NL:
                if self.maxy == 0:
                    return 0
                if y < self.maxy:
                    self.win.move(y + 1, 0)
            case curses.ascii.VT:
                if x == 0 and self._end_of_line(y) == 0:
                    self.win.deleteln()
                else:
                    # Clearing moves the cursor where the last place is.
                    self.win.move(y, x)
                    self.win.clrtoeol()
            case curses.ascii.FF:
                self.win.refresh()
            case curses.ascii.SO | curses.KEY_DOWN:
                if y < self.maxy:
                    self._to_line(y + 1, x)
            case curses.ascii.SI:
                self.win.insertln()
            case curses.ascii.DLE | curses.KEY_UP:
                if y > 0:
                    self._to_line(y - 1, x)
        return 1

    def _step_left(self, y, x):
        if x > 0:
            self.win.move(y, x - 1)
        elif y == 0:
            pass
        elif self.stripspaces:
            self.win.move(y - 1, self._end_of_line(y - 1))
        else:
            self.win.move(y - 1, self.maxx)

    def _to_line_end(self, y):
        self.win.move(y, self._end_of_line(y) if self.stripspaces else self.maxx)

    def _to_line(self, y, x):
        """To the same column of another line, or to its end where that is before."""
        self.win.move(y, x)
        end = self._end_of_line(y)
        if x > end:
            self.win.move(y, end)

    def gather(self):
        """All that is in the window, as a text."""
        lines = []
        self._update_max_yx()
        for y in range(self.maxy + 1):
            self.win.move(y, 0)
            end = self._end_of_line(y)
            if end == 0 and self.stripspaces:
                continue
            last = min(end, self.maxx) if self.stripspaces else self.maxx
            lines.append("".join(self._text_at(y, x) for x in range(last + 1)))
        end = "\n" if self.maxy > 0 else ""
        return "".join(line + end for line in lines)

    def edit(self, validate=None):
        """Let the user edit until a key ends it, and return the text. `validate` may change each key, or drop it."""
        while True:
            ch = self.win.getch()
            if validate:
                ch = validate(ch)
            if not ch:
                continue
            if not self.do_command(ch):
                break
            self.win.refresh()
        return self.gather()


if __name__ == "__main__":

    def _try_out(screen):
        columns, lines = 9, 4
        top, left = 15, 20
        screen.addstr(top - 2, left, "Use Ctrl-G to end editing.")
        window = curses.newwin(lines, columns, top, left)
        rectangle(screen, top - 1, left - 1, top + lines, left + columns)
        screen.refresh()
        return Textbox(window).edit()

    print("Contents of text box:", repr(curses.wrapper(_try_out)))
