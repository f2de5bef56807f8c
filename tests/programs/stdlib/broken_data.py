"""What broken data raises: found by tests/hostile."""
import marshal
import pickle
import struct
from xml.parsers import expat


def show(function, *arguments):
    try:
        result = repr(function(*arguments))
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    print(arguments[0], "->", ascii(result))


# Numbers end at a NUL, and what is wrong with them is told as of C strings.
for data in [
    b"I12\0ab\n.", b"I1\xff\n.", b"L12\0L\n.", b"L1\xffL\n.", b"L1 2\n.", b"LL\n.", b"F1.5\0x\n.", b"F 1.5\n.", b"F1_0\n.", b"F1.5x\n.",
    b"F1e999\n.", b"Finf\n.", b"F\0\n.", b"Np1\0a\n.", b"Np\xff\n.", b"gx\n.", b"g99999999999999999999\n.", b"Np0x1\n.", b"I\0\n.", b"I\n.", b"px\n.",
]:
    show(pickle.loads, data)
# The module's name is decoded before the class's is read.
for data in [b"c\xff\nx\n.", b"c\xffos\nx", b"ca\n\xff\n.", b"(i\xff\nx", b"(ia\n\xff\n."]:
    show(pickle.loads, data)

for layout in [b"\xff", b">i\xff", b"i\0\xff", b"i\0", b"\xc3\xa9i", "\xe9", b"i"]:
    show(struct.calcsize, layout)
for layout in ["<F", ">F", "@F", "<f"]:
    size = struct.calcsize(layout)
    signalling = bytes.fromhex("000199ff00000000")[:size]
    data = signalling[::-1] if layout[0] == ">" else signalling
    print(layout, struct.pack(layout, *struct.unpack(layout, data)).hex())

for data in [b"l\2\0\0\0\xff\xff", b"l\5\0\0\0\1\0\0\x80", b"l\xff\xff\xff\x7f\1\0", b"l\2\0\0\0\1\0\0\0", b"l\xff\xff\xff\xff\5\0"]:
    show(marshal.loads, data)

function = marshal.dumps((lambda a: a).__code__.replace(co_filename="file", co_linetable=b"", co_name="name", co_qualname="name"))
# Argument counts, stack size and flags stand in front.
for place, number in [(1, 2), (1, -1), (5, 1), (9, 1), (13, -1), (17, 7), (17, -1)]:
    broken = function[:place] + number.to_bytes(4, "little", signed=True) + function[place + 4 :]
    try:
        print(place, number, marshal.loads(broken).co_name)
    except Exception as error:
        print(place, number, type(error).__name__, str(error).rpartition(": ")[2])


def parse(data, namespaces=None):
    events = []
    parser = expat.ParserCreate(namespace_separator=namespaces)
    parser.StartNamespaceDeclHandler = lambda *values: events.append(values)
    parser.EntityDeclHandler = lambda *values: events.append(values)
    parser.CharacterDataHandler = lambda *values: events.append(values)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        events.append(str(error))
    return events


for version in ["1.0", "1.1", "1.25", "2.0", "1.p", "1.", "1", "01.0", "1.0a", ""]:
    show(parse, f'<?xml version="{version}"?><a/>'.encode())
for text in ["<a/", "<a b", "<a>text", "<a/>", "<a>&am"]:
    # Half a unit at the end.
    show(parse, b"\xff\xfe" + text.encode("utf-16-le") + b">")
show(parse, b'<a xmlns:b="c" d="1" xmlns="e" d="2" xmlns:f="g"/>', " ")
show(parse, b'<!DOCTYPE a [<!ENTITY b "before"><!ENTITY c "some&b&b;">]><a/>')
