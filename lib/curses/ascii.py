"""Names of the ASCII characters, and questions about characters.

The functions take a number or a str of one character, and give back the same kind.
"""

_CONTROL_NAMES = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI "
    "DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
).split()

globals().update({name: number for number, name in enumerate(_CONTROL_NAMES)})
HT = 0x09
NL = 0x0A
SP = 0x20
DEL = 0x7F

controlnames = _CONTROL_NAMES.copy()
# The teletype's names of two of them.
controlnames[HT] = "HT"
controlnames.append("SP")
controlnames[0x0A] = "LF"


def _ctoi(c):
    return ord(c) if isinstance(c, str) else c


def _like(c, number):
    return chr(number) if isinstance(c, str) else number


def isalnum(c):
    return isalpha(c) or isdigit(c)


def isalpha(c):
    return isupper(c) or islower(c)


def isascii(c):
    return 0 <= _ctoi(c) <= 127


def isblank(c):
    return _ctoi(c) in (HT, SP)


def iscntrl(c):
    return 0 <= _ctoi(c) < SP or _ctoi(c) == DEL


def isdigit(c):
    return 48 <= _ctoi(c) <= 57


def isgraph(c):
    return 33 <= _ctoi(c) <= 126


def islower(c):
    return 97 <= _ctoi(c) <= 122


def isprint(c):
    return 32 <= _ctoi(c) <= 126


def ispunct(c):
    return isgraph(c) and not isalnum(c)


def isspace(c):
    return _ctoi(c) in (9, 10, 11, 12, 13, 32)


def isupper(c):
    return 65 <= _ctoi(c) <= 90


def isxdigit(c):
    return isdigit(c) or 65 <= _ctoi(c) <= 70 or 97 <= _ctoi(c) <= 102


def isctrl(c):
    return 0 <= _ctoi(c) < 32


def ismeta(c):
    return _ctoi(c) > 127


def ascii(c):
    """The character without its eighth bit and above."""
    return _like(c, _ctoi(c) & 0x7F)


def ctrl(c):
    """What the key gives together with Control."""
    return _like(c, _ctoi(c) & 0x1F)


def alt(c):
    """What the key gives together with Alt, on terminals with eight bits."""
    return _like(c, _ctoi(c) | 0x80)


def unctrl(c):
    """How the character is shown: itself, `^A` for a control character, `!` before what has the eighth bit."""
    number = _ctoi(c)
    low = number & 0x7F
    if number == DEL:
        shown = "^?"
    elif isprint(low):
        shown = chr(low)
    else:
        shown = "^" + chr((low | SP) + SP)
    return "!" + shown if number & 0x80 else shown
