# marshal: every type in every version, both ways; references; code objects; bad data.
import io
import marshal

shared = ("a", 1)
VALUES = [
    None, True, False, ..., StopIteration, 0, -1, 2**31, -2**31, 2**31 - 1, 2**100, -2**70, 1.5, -0.0, 1e300, 2 + 3j,
    "", "abc", "x" * 300, "é", "\udc80", "\U0001f600", b"", b"bytes", (), (1, 2), tuple(range(300)), [], [1, [2]],
    {}, {"a": 1, 2: "b"}, set(), {1, 2}, frozenset(), frozenset({"a", "b"}), [shared, shared],
]
for version in range(6):
    for value in VALUES:
        data = marshal.dumps(value, version)
        back = marshal.loads(data)
        if back != value or type(back) is not type(value):
            print("differs", version, value, back)
print(marshal.dumps([2**40, 1.5, 2j, b"x", (1.5,)], 2).hex())
print(marshal.loads(marshal.dumps(slice(1, "a", None), 5)))
print(marshal.loads(bytearray(b"\xdb\x01\x00\x00\x00r\x00\x00\x00\x00")))
both = marshal.loads(marshal.dumps([shared, shared]))
print(both[0] is both[1])


def outer(a, b=2, *c, d, **e):
    def inner():
        return a, [x for x in c]

    return inner


code = marshal.loads(marshal.dumps(outer.__code__))
print(code == outer.__code__, code.co_varnames, code.co_cellvars, code.co_consts[-1].co_freevars)
stream = io.BytesIO()
for value in (1, "two", [3]):
    marshal.dump(value, stream)
stream.seek(0)
print([marshal.load(stream) for _ in range(3)], stream.read())


def attempt(function, *args, **kwargs):
    try:
        print(function(*args, **kwargs))
    except Exception as error:
        print(type(error).__name__, error)


attempt(marshal.dumps, object())
attempt(marshal.dumps, slice(1), 4)
attempt(marshal.dumps, outer.__code__, allow_code=False)
attempt(marshal.loads, marshal.dumps(outer.__code__), allow_code=False)
attempt(marshal.loads, b"")
attempt(marshal.loads, b"\xff")
attempt(marshal.loads, b"(\x01\x00\x00\x000")
attempt(marshal.loads, b"l\x02\x00\x00\x00\x00\x00\x00\x00")
attempt(marshal.loads, b"r\x05\x00\x00\x00")
deep = []
for _ in range(5000):
    deep = [deep]
attempt(marshal.dumps, deep)
attempt(marshal.load, io.StringIO())
print(marshal.version)
