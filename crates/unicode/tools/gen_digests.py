"""Writes tests/fixtures/digests.rs: for each function of the crate the CRC-32 of its results for all code points, as CPython gives them.

    python3.14 tools/gen_digests.py [DIRECTORY]

With a directory, the results themselves are written there too, to compare with what TAIPAN_DUMP makes the test write.
"""
import os, sys, unicodedata, zlib

N = 0x110000
CHARS = [chr(c) for c in range(N)]
old = unicodedata.ucd_3_2_0
FORMS = ["NFC", "NFD", "NFKC", "NFKD"]


def codes(s):
    return " ".join("%x" % ord(c) for c in s)


def opt(x):
    return "-" if x is None else repr(x)


def flag(x):
    return "1" if x else "0"


# Contexts that make a character compose, reorder, or stay.
def context(c):
    return "a\u0327" + c + "\u0301\u0323" + c


FUNCTIONS = {
    "is_alpha": lambda c: flag(c.isalpha()),
    "is_decimal": lambda c: flag(c.isdecimal()),
    "is_digit": lambda c: flag(c.isdigit()),
    "is_numeric": lambda c: flag(c.isnumeric()),
    "is_alnum": lambda c: flag(c.isalnum()),
    "is_space": lambda c: flag(c.isspace()),
    "is_printable": lambda c: flag(c.isprintable()),
    "is_upper": lambda c: flag(c.isupper()),
    "is_lower": lambda c: flag(c.islower()),
    "is_identifier_start": lambda c: flag(c.isidentifier()),
    "is_identifier_continue": lambda c: flag(("a" + c).isidentifier()),
    "is_line_break": lambda c: flag(len((c + "a").splitlines()) == 2),
    "to_lower": lambda c: codes(c.lower()),
    "to_upper": lambda c: codes(c.upper()),
    "to_title": lambda c: codes(c.title()),
    "to_casefold": lambda c: codes(c.casefold()),
    "swap_case": lambda c: codes(c.swapcase()),
    "final_sigma": lambda c: flag(("A" + c + "\u03a3").lower().endswith("\u03c2"))
                   + flag((c + "\u03a3").lower().endswith("\u03c2")) + flag("\u03c2" in ("A\u03a3" + c).lower()),
    "name": lambda c: unicodedata.name(c, "-"),
}
for prefix, u in [("", unicodedata), ("old_", old)]:
    FUNCTIONS.update({
        prefix + "category": u.category,
        prefix + "bidirectional": u.bidirectional,
        prefix + "east_asian_width": u.east_asian_width,
        prefix + "combining": lambda c, u=u: str(u.combining(c)),
        prefix + "mirrored": lambda c, u=u: str(u.mirrored(c)),
        prefix + "decimal": lambda c, u=u: opt(u.decimal(c, None)),
        prefix + "digit": lambda c, u=u: opt(u.digit(c, None)),
        prefix + "numeric": lambda c, u=u: opt(u.numeric(c, None)),
        prefix + "decomposition": u.decomposition,
    })
    for form in FORMS:
        FUNCTIONS[prefix + form] = lambda c, u=u, form=form: codes(u.normalize(form, c))
        FUNCTIONS[prefix + form + "_context"] = lambda c, u=u, form=form: codes(u.normalize(form, context(c)))
        FUNCTIONS[prefix + form + "_check"] = lambda c, u=u, form=form: (
            flag(u.is_normalized(form, c)) + flag(u.is_normalized(form, context(c))))

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fixtures", "digests.rs")
with open(here, "w") as out:
    out.write("// Written by tools/gen_digests.py; do not edit.\n\n&[\n")
    for name, function in FUNCTIONS.items():
        data = "".join([function(c) + "\n" for c in CHARS]).encode()
        out.write("    (\"%s\", 0x%08x),\n" % (name, zlib.crc32(data)))
        if len(sys.argv) > 1:
            with open(os.path.join(sys.argv[1], name), "wb") as f:
                f.write(data)
    out.write("]\n")
