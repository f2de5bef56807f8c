"""Pickles are CPython's, byte for byte; broken ones end in exceptions."""
import collections
import copyreg
import enum
import functools
import hashlib
import io
import pickle
import pickletools


class Plain:
    def __init__(self):
        self.a = 1
        self.me = [self]


class Slots:
    __slots__ = ("x", "y")


class Colour(enum.Enum):
    RED = 1


class Items(list):
    pass


class Pairs(dict):
    pass


slots = Slots()
slots.x = 1
items = Items([1, 2])
items.note = 3
ring = []
ring.append(ring)
knot = ([],)
knot[0].append(knot)

VALUES = [
    None, True, False, 0, 1, 255, 256, 65535, 65536, -1, -2**31, 2**31, 2**63, -2**63, 2**100, -2**100, 10**400,
    -(2**2047), 0.0, -0.0, 1e300, float("inf"), "", "a", "\xe9", "\u20ac", "\U0001f600", "\udc80", "x" * 300,
    "a\\b\n\r\x1a\0", b"", b"a", b"\xff" * 300, bytearray(b"abc"), bytearray(), (), (1,), (1, 2), (1, 2, 3),
    (1, 2, 3, 4), [], [1], [1, 2], list(range(2500)), {}, {1: 2}, {i: i for i in range(2500)}, set(), {1},
    frozenset([1, 2]), Plain(), slots, Colour.RED, items, Pairs(a=1), ring, knot, len, Plain, int, type(None),
    type(...), NotImplemented, ..., collections.OrderedDict(a=1), collections.deque([1, 2]),
    functools.partial(int, base=2), range(3), slice(1, 2, 3), complex(1, 2), ValueError("x"), Plain.__init__,
    ["a" * 100000, b"b" * 100000, "c"], [b"x" * 70000] * 2, {"k": "v" * 65536},
]
for protocol in range(6):
    for value in VALUES:
        try:
            data = pickle.dumps(value, protocol)
        except Exception as error:
            print(protocol, type(error).__name__)
            continue
        print(protocol, len(data), hashlib.sha256(data).hexdigest()[:12])
        back = pickle.loads(data)
        assert type(back) is type(value)
        file = io.BytesIO()
        pickle.Pickler(file, protocol).dump(value)
        assert file.getvalue() == data
        file.seek(0)
        assert type(pickle.Unpickler(file).load()) is type(value)


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return "name" if value == "secret" else None

    def reducer_override(self, value):
        return (str, ("override",)) if isinstance(value, Plain) else NotImplemented


class Unpickler(pickle.Unpickler):
    def persistent_load(self, pid):
        return f"<{pid}>"

    def find_class(self, module, name):
        print("find", module, name)
        return super().find_class(module, name)


file = io.BytesIO()
Pickler(file).dump(["secret", Plain(), 1])
print(Unpickler(io.BytesIO(file.getvalue())).load())

buffers = []
data = pickle.dumps(pickle.PickleBuffer(bytearray(b"large")), 5, buffer_callback=buffers.append)
print(data, pickle.loads(data, buffers=[b"other"]))
print(bytes(buffers[0].raw()))
try:
    pickle.loads(data)
except pickle.UnpicklingError as error:
    print(error)


def failing():
    return (lambda: None)


for value in ([1, {"k": (failing(),)}], {failing()}):
    try:
        pickle.dumps(value)
    except Exception as error:
        print(type(error).__name__, error.__notes__)

pickler = pickle.Pickler(io.BytesIO())
pickler.fast = True
try:
    pickler.dump(ring)
except (ValueError, RecursionError) as error:
    print(type(error).__name__)

for broken in [b"", b".", b"I", b"Ix\n.", b"(", b"0.", b"a.", b"t.", b"]a.", b"\x80\x06.", b"h\x01.", b"cmath\n", b"N(.",
               b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fx", b"B\xff\xff\xff\xffx", b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
               b"r\xff\xff\xff\xff.", b"\x8b\xff\xff\xff\xff.", b"T\0\0\0\x80", b"S'x\n.",
               b"\x82\x00.", b"\x82\x07.", b"NNb.", b"N)R.", b"N)\x81.", b"(d0e.", b"Pid\n.", b"\x97.", b"\xff",
               b"\x80\x04\x95\x02\0\0\0\0\0\0\0NN0.", b"p-1\n", b"Np-1\n."]:
    for load in (pickle.loads, lambda data: pickle.load(io.BytesIO(data))):
        try:
            print("value", load(broken))
        except Exception as error:
            print(type(error).__name__, error)

copyreg.pickle(Slots, lambda value: (Slots, ()))
print(type(pickle.loads(pickle.dumps(slots))).__name__)
pickletools.dis(pickle.dumps({"a": [1, 2]}))
