"""Writes src/data/{tables.bin,layout.rs,aliases.txt} from what CPython 3.14 (Unicode 16.0) says of each code point.

    python3.14 tools/gen_tables.py

The facts come from `unicodedata`, the methods of `str`, and `_sre` (simple case mapping) alone. The output depends on nothing else.
"""
import _sre, ctypes, fractions, os, struct, unicodedata

N = 0x110000
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "data")
assert unicodedata.unidata_version == "16.0.0"
CHARS = [chr(c) for c in range(N)]

FLAGS = ["ALPHA", "DECIMAL", "DIGIT", "NUMERIC", "SPACE", "PRINTABLE", "UPPER", "LOWER", "TITLE", "CASED",
         "CASE_IGNORABLE", "XID_START", "XID_CONTINUE", "LINE_BREAK", "MIRRORED"]


def flags(s):
    final = ("A" + s + "\u03a3").lower().endswith("\u03c2")
    alone = (s + "\u03a3").lower().endswith("\u03c2")
    facts = [s.isalpha(), s.isdecimal(), s.isdigit(), s.isnumeric(), s.isspace(), s.isprintable(), s.isupper(),
             s.islower(), unicodedata.category(s) == "Lt", (s + "a").title().endswith("a"), final and not alone,
             s.isidentifier(), ("a" + s).isidentifier(), len((s + "a").splitlines()) == 2,
             bool(unicodedata.mirrored(s))]
    return sum(1 << i for i, fact in enumerate(facts) if fact)


blob = bytearray()
layout = []


def align(n):
    while len(blob) % n:
        blob.append(0)


def array(name, doc, kind, values):
    """One typed array in the blob; kind is a struct code."""
    rust = {"B": "u8", "H": "u16", "I": "u32", "i": "i32"}[kind]
    offset = len(blob)
    blob.extend(struct.pack("<%d%s" % (len(values), kind), *values))
    layout.append("/// %s\npub static %s: [%s; %d] = read_%s(%d);" % (doc, name, rust, len(values), rust, offset))


def two_level(name, doc, values):
    """The table value[code] as two levels of indices with the block size that makes them smallest."""
    top = max(values)
    best = None
    for shift in range(4, 10):
        size = 1 << shift
        blocks, first = {}, []
        for start in range(0, N, size):
            first.append(blocks.setdefault(tuple(values[start:start + size]), len(blocks)))
        total = len(first) * (1 if len(blocks) < 256 else 2) + len(blocks) * size * (1 if top < 256 else 2)
        if best is None or total < best[0]:
            best = total, shift, first, blocks
    _, shift, first, blocks = best
    second = [value for block in blocks for value in block]
    layout.append("/// %s: the lowest bits of a code point, which select within a block.\npub const %s_SHIFT: u32 = %d;"
                  % (doc, name, shift))
    array(name + "_BLOCKS", doc + ": the block of each code point.", "B" if len(blocks) < 256 else "H", first)
    array(name + "_RECORDS", doc + ": the record number of each code point.", "B" if top < 256 else "H", second)


def number(records, record):
    return records.setdefault(record, len(records))


# Properties, of 16.0 and of 3.2: category, bidirectional class, combining class, width, flags.
CATEGORIES = sorted({unicodedata.category(c) for c in CHARS})
BIDI = sorted({unicodedata.bidirectional(c) for c in CHARS} | {unicodedata.ucd_3_2_0.bidirectional(c) for c in CHARS})
WIDTHS = sorted({unicodedata.east_asian_width(c) for c in CHARS}
                | {unicodedata.ucd_3_2_0.east_asian_width(c) for c in CHARS})
for prefix, ucd, doc in [("PROPERTY", unicodedata, "Properties"), ("OLD", unicodedata.ucd_3_2_0, "Properties in Unicode 3.2")]:
    records, values = {}, []
    for c in CHARS:
        flag = flags(c) if ucd is unicodedata else bool(ucd.mirrored(c)) << FLAGS.index("MIRRORED")
        values.append(number(records, (CATEGORIES.index(ucd.category(c)), BIDI.index(ucd.bidirectional(c)),
                                       ucd.combining(c), WIDTHS.index(ucd.east_asian_width(c)), flag)))
    two_level(prefix, doc, values)
    array(prefix + "_CLASSES", doc + ": category, bidirectional class, combining class, width; four bytes a record.",
          "B", [x for record in records for x in record[:4]])
    array(prefix + "_FLAGS", doc + ": flags of each record.", "H", [record[4] for record in records])

# Case. A mapping is a difference to the code point, or an index into the pool of longer mappings.
SPECIAL = 1 << 24
records, values, pool = {}, [], {}
pool_words = []


def mapping(code, text):
    if len(text) == 1:
        return ord(text) - code
    if text not in pool:
        pool[text] = len(pool_words)
        pool_words.extend([len(text)] + [ord(c) for c in text])
    return SPECIAL + pool[text]


for code, c in enumerate(CHARS):
    lower, upper, title, fold = c.lower(), c.upper(), c.title(), c.casefold()
    simple_lower = _sre.unicode_tolower(code)
    # CPython's simple mapping is the first code point of the full one.
    simple_upper = upper[0]
    assert simple_lower == ord(lower[0])
    assert _sre.unicode_iscased(code) == (simple_lower != code or ord(simple_upper) != code), hex(code)
    swapped = c.swapcase()
    assert swapped == (lower if c.isupper() else upper if c.islower() else c), hex(code)
    values.append(number(records, (mapping(code, lower), mapping(code, upper), mapping(code, title), mapping(code, fold))))
two_level("CASE", "Case mappings", values)
align(4)
array("CASE_MAPPINGS", "Case mappings: lower, upper, title, casefold; four a record.", "i",
      [x for record in records for x in record])
array("CASE_POOL", "Case mappings of more than one code point: the count, then the code points.", "I", pool_words)

# Numeric values: decimal and digit (255: none), and the value as a fraction (denominator 0: none).
for prefix, ucd, doc in [("NUMBER", unicodedata, "Numeric values"),
                         ("OLD_NUMBER", unicodedata.ucd_3_2_0, "Numeric values in Unicode 3.2")]:
    records, values = {}, []
    for c in CHARS:
        numeric = ucd.numeric(c, None)
        fraction = (0, 0)
        if numeric is not None:
            f = fractions.Fraction(numeric).limit_denominator(1000)
            assert f.numerator / f.denominator == numeric, (c, numeric)
            scale = 0
            while abs(f.numerator) >> 31:
                f, scale = f / 10, scale + 1
            fraction = f.numerator, f.denominator if not scale else -scale
        values.append(number(records, (ucd.decimal(c, 255), ucd.digit(c, 255)) + fraction))
    two_level(prefix, doc, values)
    array(prefix + "_DIGITS", doc + ": decimal and digit value (255: none); two a record.", "B",
          [x for record in records for x in record[:2]])
    align(4)
    array(prefix + "_FRACTIONS", doc + ": numerator and denominator (0: none; negative: the numerator times a power of ten); two a record.",
          "i", [x for record in records for x in record[2:]])

# Decompositions as `unicodedata.decomposition` gives them, Hangul syllables aside.
tags, keys, offsets, data = [""], [], [], bytearray()
for code, c in enumerate(CHARS):
    text = unicodedata.decomposition(c)
    if not text or 0xAC00 <= code <= 0xD7A3:
        continue
    tag, _, rest = text.rpartition("> ") if "<" in text else ("", "", text)
    tag = tag + ">" if tag else ""
    if tag not in tags:
        tags.append(tag)
    keys.append(code)
    offsets.append(len(data))
    data.append(tags.index(tag))
    data.extend("".join(chr(int(x, 16)) for x in rest.split()).encode())
offsets.append(len(data))
align(4)
array("DECOMPOSED", "Decompositions: the code points that have one, ascending.", "I", keys)
array("DECOMPOSITION_STARTS", "Decompositions: where each begins.", "H", offsets)
array("DECOMPOSITIONS", "Decompositions: the tag's number, then the code points as UTF-8.", "B", data)

# What Unicode 3.2 decomposes differently, of what it had.
changed = []
for code, c in enumerate(CHARS):
    old = unicodedata.ucd_3_2_0
    if old.category(c) != "Cn" and old.normalize("NFD", c) != unicodedata.normalize("NFD", c):
        text = old.normalize("NFD", c)
        assert len(text) == 1 and old.normalize("NFKD", c) == text
        changed += [code, ord(text)]
align(4)
array("OLD_DECOMPOSED", "Code points that Unicode 3.2 decomposes differently, each with its decomposition.", "I", changed)


def names(name, doc, values):
    layout.append("/// %s\npub static %s: [&str; %d] = [%s];" % (
        doc, name, len(values), ", ".join('"%s"' % v for v in values)))


names("CATEGORIES", "General categories by number.", CATEGORIES)
names("BIDI_CLASSES", "Bidirectional classes by number.", BIDI)
names("WIDTHS", "East Asian widths by number.", WIDTHS)
names("DECOMPOSITION_TAGS", "Tags of decompositions by number.", tags)

with open(os.path.join(OUT, "tables.bin"), "wb") as f:
    f.write(blob)
with open(os.path.join(OUT, "layout.rs"), "w") as f:
    f.write("// Written by tools/gen_tables.py; do not edit.\n\n")
    for i, flag in enumerate(FLAGS):
        f.write("/// Flag of the property tables.\npub const %s: u16 = 1 << %d;\n" % (flag, i))
    f.write("/// Added to an index into the pool of long case mappings.\npub const SPECIAL: i32 = 1 << 24;\n")
    f.write("\n".join(layout) + "\n")

# Name aliases and named sequences, under the private numbers that unicodedata's internal table gives them.
ctypes.pythonapi.PyCapsule_GetPointer.restype = ctypes.c_void_p
ctypes.pythonapi.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
get_name = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_int, ctypes.c_int).from_address(
    ctypes.pythonapi.PyCapsule_GetPointer(unicodedata._ucnhash_CAPI, b"unicodedata._ucnhash_CAPI"))
buffer = ctypes.create_string_buffer(300)
lines = []
for code in range(0xF0000, 0xF1000):
    if get_name(code, buffer, len(buffer), 1):
        name = buffer.value.decode()
        lines.append(name + ";" + " ".join("%X" % ord(c) for c in unicodedata.lookup(name)))
with open(os.path.join(OUT, "aliases.txt"), "w") as f:
    f.write("\n".join(sorted(lines, key=lambda line: line.split(";")[0])) + "\n")
