# The codecs of Chinese, Japanese and Korean: every code point, every two bytes, errors, states.
import codecs
import hashlib
import io

NAMES = """big5 big5hkscs cp932 cp949 cp950 euc_jis_2004 euc_jisx0213 euc_jp euc_kr gb18030 gb2312 gbk hz iso2022_jp
iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr johab shift_jis shift_jis_2004
shift_jisx0213""".split()
PREFIXES = {"euc_jp": [b"\x8f"], "euc_jis_2004": [b"\x8f"], "euc_jisx0213": [b"\x8f"], "hz": [b"~{"],
            "iso2022_kr": [b"\x1b$)C\x0e"]}
for name in NAMES:
    if name.startswith("iso2022_jp"):
        PREFIXES[name] = [b"\x1b" + tail for tail in (b"$B", b"$@", b"$(D", b"$(C", b"$A", b"(J", b"(I", b"$(O", b"$(P",
                                                      b"$(Q", b".A\x1bN", b".F\x1bN")]


def digest(data):
    return hashlib.md5(data).hexdigest()[:10]


# Something of one meaning between the characters, so that none joins another.
everything = "\n".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000), *range(0x20000, 0x2A700), 0x10FFFF]))
for name in NAMES:
    found = [digest(everything.encode(name, "ignore"))]
    for prefix in [b"", *PREFIXES.get(name, [])]:
        sequences = b"\n".join(prefix + bytes([a, b]) for a in range(0x20, 256) for b in range(0x20, 256))
        found.append(digest(sequences.decode(name, "replace").encode("utf-8", "surrogatepass")))
    print(name, *found)

for name in NAMES:
    print(name)
    for text in ("a\u4e2d\x80b", "\u3042\u309a\u3044", "\u00ca\u0304", "\U0001f600", "~\n", "\uac02"):
        for errors in "strict", "ignore", "replace", "xmlcharrefreplace", "backslashreplace":
            try:
                print("  ", ascii(text), errors, text.encode(name, errors))
            except UnicodeEncodeError as error:
                print("  ", error.start, error.end, error.reason)
    for data in (b"a\xff\x20b", b"\x81", b"\x8e", b"\x8f\xa1", b"\xa4\xd4\xa4", b"\x1b$", b"\x1b(Q", b"~", b"~x",
                 b"\x81\x30\x81", b"\x81\x30\x81\x30", b"\x1b$B$", b"\xfe\xfe"):
        for errors in "strict", "replace", "surrogateescape":
            try:
                print("  ", data, errors, ascii(data.decode(name, errors)))
            except UnicodeDecodeError as error:
                print("  ", error.start, error.end, error.reason)
    text = "ab\u3042\u4e00c\u3044\n"
    encoder = codecs.getincrementalencoder(name)("replace")
    states = [(encoder.encode(c), encoder.getstate()) for c in text + "\u00e6\u0300\u00e6"]
    print("  ", states, encoder.encode("", True), encoder.getstate())
    data = text.encode(name, "ignore")
    decoder = codecs.getincrementaldecoder(name)()
    print("  ", [(ascii(decoder.decode(data[i:i + 1])), decoder.getstate()) for i in range(len(data))])
    reader = codecs.getreader(name)(io.BytesIO(data))
    print("  ", ascii(reader.read(1)), ascii(reader.readline()), reader.readlines(), ascii(reader.read()))
    stream = io.BytesIO()
    writer = codecs.getwriter(name)(stream, "replace")
    writer.writelines(["\u3042", "\u00e6", "\u0300\u00e6"])
    writer.reset()
    print("  ", stream.getvalue())

for call in (lambda: codecs.getincrementalencoder("gbk")().setstate(9),
             lambda: codecs.getincrementaldecoder("gbk")().setstate((b"123456789", 0)),
             lambda: codecs.getincrementaldecoder("hz")().setstate((b"", -1)),
             lambda: codecs.getreader("gbk")(io.StringIO("x")).read()):
    try:
        print(call())
    except Exception as error:
        print(type(error).__name__, error)
decoder = codecs.getincrementaldecoder("iso2022_jp")()
decoder.setstate((b"", 0xFF))
try:
    decoder.decode(b"!", True)
except UnicodeDecodeError as error:
    print(error)
