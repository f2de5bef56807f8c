"""Writes the tables of the CJK codecs (src/_multibytecodec/tables.bin).

Run with CPython 3.14, whose codecs are asked about every sequence of bytes and every code point:
    python3.14 gen_cjk.py OUTPUT

The file is a zlib stream of, one after the other, the grids of GRIDS and the exceptions of EXCEPTIONS, in the order of
`layout.rs`. All numbers are LEB128.
- A grid has a value for each pair of bytes of its geometry, row by row. Values: a code point, PAIR + index of a pair
  of code points, or absent. A grid may have a base of which it repeats most. First comes a byte for each cell: 0 as in
  the base, 1 absent, 2 given, 3 absent and both bytes are wrong. Then the given values, each as the difference from
  the one before (zigzag).
- Exceptions say what code points are encoded to where that is not the first cell that has them: a count, then pairs of
  code point (difference from the one before) and bytes as a big-endian number plus one, 0 for none.
- Then pairs: a count, and two code points each. Then the ranges of GB 18030's four bytes: a count, and first code
  point, last code point and linear number.
"""

import sys
import zlib

PAIR = 0x110000
ABSENT, ABSENT_BOTH = -1, -2

R94 = [(0x21, 0x7E)]
EUC = ((0xA1, 0xFE), [(0xA1, 0xFE)])
GBK = ((0x81, 0xFE), [(0x40, 0x7E), (0x80, 0xFE)])
BIG5 = ((0x81, 0xFE), [(0x40, 0x7E), (0xA1, 0xFE)])
SJIS = ((0x81, 0xFC), [(0x40, 0x7E), (0x80, 0xFC)])
UHC = ((0x81, 0xFE), [(0x41, 0x5A), (0x61, 0x7A), (0x81, 0xFE)])
JOHAB = ((0x84, 0xF9), [(0x31, 0x7E), (0x81, 0xFE)])
JIS = ((0x21, 0x7E), R94)

# name, geometry, codec, prefix, suffix, base
GRIDS = [
    ("gb2312", EUC, "gb2312", b"", None),
    ("jisx0208", JIS, "iso2022_jp", b"\x1b$B", None),
    ("jisx0212", JIS, "iso2022_jp_1", b"\x1b$(D", None),
    ("ksx1001", JIS, "iso2022_kr", b"\x1b$)C\x0e", None),
    ("jisx0213_2000_1", JIS, "iso2022_jp_3", b"\x1b$(O", "jisx0208"),
    ("jisx0213_2000_2", JIS, "iso2022_jp_3", b"\x1b$(P", None),
    ("jisx0213_2004_1", JIS, "iso2022_jp_2004", b"\x1b$(Q", "jisx0213_2000_1"),
    ("jisx0213_2004_2", JIS, "iso2022_jp_2004", b"\x1b$(P", "jisx0213_2000_2"),
    ("gb18030", GBK, "gb18030", b"", "gb2312"),
    ("gbk", GBK, "gbk", b"", "gb18030"),
    ("big5", BIG5, "big5", b"", None),
    ("cp950", BIG5, "cp950", b"", "big5"),
    ("big5hkscs", BIG5, "big5hkscs", b"", "big5"),
    ("euc_jp", EUC, "euc_jp", b"", "jisx0208"),
    ("euc_jp_3", EUC, "euc_jp", b"\x8f", "jisx0212"),
    ("euc_jis_2004", EUC, "euc_jis_2004", b"", "jisx0213_2004_1"),
    ("euc_jis_2004_3", EUC, "euc_jis_2004", b"\x8f", "jisx0213_2004_2"),
    ("euc_jisx0213", EUC, "euc_jisx0213", b"", "euc_jis_2004"),
    ("euc_jisx0213_3", EUC, "euc_jisx0213", b"\x8f", "euc_jis_2004_3"),
    ("shift_jis", SJIS, "shift_jis", b"", "jisx0208"),
    ("cp932", SJIS, "cp932", b"", "shift_jis"),
    ("shift_jis_2004", SJIS, "shift_jis_2004", b"", "jisx0213_2004_1"),
    ("shift_jisx0213", SJIS, "shift_jisx0213", b"", "shift_jis_2004"),
    ("euc_kr", EUC, "euc_kr", b"", "ksx1001"),
    ("cp949", UHC, "cp949", b"", "euc_kr"),
    ("johab", JOHAB, "johab", b"", None),
]

# codec: its two-byte grid, its grid behind 0x8F
EXCEPTIONS = [
    ("gb2312", "gb2312", None),
    ("gbk", "gbk", None),
    ("gb18030", "gb18030", None),
    ("big5", "big5", None),
    ("cp950", "cp950", None),
    ("big5hkscs", "big5hkscs", None),
    ("shift_jis", "shift_jis", None),
    ("cp932", "cp932", None),
    ("euc_jp", "euc_jp", "euc_jp_3"),
    ("euc_jis_2004", "euc_jis_2004", "euc_jis_2004_3"),
    ("euc_jisx0213", "euc_jisx0213", "euc_jisx0213_3"),
    ("shift_jis_2004", "shift_jis_2004", None),
    ("shift_jisx0213", "shift_jisx0213", None),
    ("euc_kr", "euc_kr", None),
    ("cp949", "cp949", None),
    ("johab", "johab", None),
]


def leb(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return n * 2 if n >= 0 else -n * 2 - 1


def leads(geometry):
    (first, last), _ = geometry
    rows = list(range(first, last + 1))
    # Half-width letters stand between the two ranges of Shift JIS.
    return [row for row in rows if geometry is not SJIS or not 0xA0 <= row <= 0xDF]


def trails(geometry):
    return [b for first, last in geometry[1] for b in range(first, last + 1)]


def cells(geometry):
    return [(a, b) for a in leads(geometry) for b in trails(geometry)]


pairs = []


def read(codec, prefix, a, b):
    try:
        text = (prefix + bytes([a, b])).decode(codec)
    except UnicodeDecodeError as error:
        # Designations are no part of the sequence.
        both = "incomplete" not in error.reason and error.end - error.start == 2 and not prefix
        return ABSENT_BOTH if both else ABSENT
    codes = [ord(c) for c in text]
    if len(codes) == 1:
        return codes[0]
    assert len(codes) == 2, (codec, prefix, a, b, text)
    if tuple(codes) not in pairs:
        pairs.append(tuple(codes))
    return PAIR + pairs.index(tuple(codes))


def base_values(geometry, base):
    if base is None:
        return [ABSENT] * len(cells(geometry))
    base_geometry, values = grids[base]
    if len(trails(base_geometry)) == 94 and geometry in (GBK, UHC):
        inner = lambda a, b: (a - 0xA1) * 94 + b - 0xA1 if a >= 0xA1 and b >= 0xA1 else None
        places = [inner(a, b) for a, b in cells(geometry)]
        return [ABSENT if place is None else values[place] for place in places]
    count = len(cells(geometry))
    return (values + [ABSENT] * count)[:count]


grids = {}
out = bytearray()
for name, geometry, codec, prefix, base in GRIDS:
    # Lead bytes that are letters or start longer sequences are no part of the grid.
    skip = {0x8E, 0x8F} if geometry is EUC else set()
    values = [ABSENT if a in skip else read(codec, prefix, a, b) for a, b in cells(geometry)]
    kinds, given, last = bytearray(), bytearray(), 0
    for value, same in zip(values, base_values(geometry, base), strict=True):
        if value == same:
            kinds.append(0)
        elif value == ABSENT:
            kinds.append(1)
        elif value == ABSENT_BOTH:
            kinds.append(3)
        else:
            kinds.append(2)
            given += leb(zigzag(value - last))
            last = value
    grids[name] = geometry, values
    out += kinds + given
    print(name, len(values), sum(v >= 0 for v in values), len(given), file=sys.stderr)

total = 0
for codec, two, three in EXCEPTIONS:
    encoded = {}
    for code in range(256):
        try:
            text = bytes([code]).decode(codec)
        except UnicodeDecodeError:
            continue
        encoded.setdefault(ord(text), bytes([code]))
    for grid, prefix in (two, b""), (three, b"\x8f"):
        if grid:
            geometry, values = grids[grid]
            for (a, b), value in zip(cells(geometry), values, strict=True):
                if 0 <= value < PAIR:
                    encoded.setdefault(value, prefix + bytes([a, b]))
    found, last = [], 0
    for code in range(0x110000):
        try:
            wanted = chr(code).encode(codec)
        except UnicodeEncodeError:
            wanted = None
        # Four and eight bytes are computed.
        if wanted and len(wanted) > 3:
            assert code not in encoded
            wanted = None
        if wanted != encoded.get(code):
            found.append(leb(code - last) + leb(0 if wanted is None else int.from_bytes(wanted) + 1))
            last = code
    out += leb(len(found)) + b"".join(found)
    total += len(found)
    print("exceptions", codec, len(found), file=sys.stderr)

out += leb(len(pairs)) + b"".join(leb(a) + leb(b) for a, b in pairs)

ranges = []
for code in range(0x10000):
    if 0xD800 <= code < 0xE000:
        continue
    wanted = chr(code).encode("gb18030")
    if len(wanted) != 4:
        continue
    a, b, c, d = wanted
    linear = (((a - 0x81) * 10 + b - 0x30) * 126 + c - 0x81) * 10 + d - 0x30
    if ranges and ranges[-1][1] == code - 1 and ranges[-1][2] + code - ranges[-1][0] == linear:
        ranges[-1][1] = code
    else:
        ranges.append([code, code, linear])
out += leb(len(ranges)) + b"".join(leb(n) for r in ranges for n in r)
packed = zlib.compress(bytes(out), 9)
with open(sys.argv[1], "wb") as file:
    file.write(packed)
print(len(out), len(packed), len(pairs), len(ranges), total, file=sys.stderr)
