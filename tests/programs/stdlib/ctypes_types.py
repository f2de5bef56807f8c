# C types: values, layouts, buffers, what is kept alive, and what is refused.
import array
import copy
import ctypes
import gc
import pickle
import sys
import weakref
from ctypes import *


def show(text, names=globals()):
    try:
        print(text, "->", repr(eval(text, names)))
    except Exception as error:
        print(text, "!!", type(error).__name__, error)


class Point(Structure):
    _fields_ = [("x", c_int), ("y", c_int)]


class Bits(Structure):
    _fields_ = [("a", c_int, 3), ("b", c_uint, 5), ("c", c_int, 24), ("d", c_longlong, 40), ("e", c_ubyte, 1)]


class Number(Union):
    _fields_ = [("i", c_int), ("d", c_double), ("b", c_ubyte * 8)]


class Text(Structure):
    _fields_ = [("c", c_char * 3), ("w", c_wchar * 3), ("p", POINTER(c_int)), ("s", c_char_p), ("q", Point)]


class Outer(Structure):
    _anonymous_ = ["u"]
    _fields_ = [("tag", c_byte), ("u", Number), ("tail", c_short)]


class Big(BigEndianStructure):
    _fields_ = [("h", c_ushort), ("i", c_int), ("d", c_double), ("f", c_int, 4), ("g", c_int, 28)]


class Packed(Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("a", c_byte), ("b", c_int), ("c", c_double)]


class Aligned(Structure):
    _align_ = 32
    _fields_ = [("a", c_byte)]


class Derived(Point):
    _fields_ = [("z", c_int)]


print("values")
for name in ("byte ubyte short ushort int uint long ulong longlong ulonglong float double longdouble bool "
             "size_t ssize_t int8 uint8 int16 uint16 int32 uint32 int64 uint64 float_complex double_complex").split():
    cls = getattr(ctypes, "c_" + name)
    print(name, sizeof(cls), alignment(cls), cls(-1).value, cls(3), bool(cls(1)), cls().value)
for text in ("c_int('x')", "c_int(1.5)", "c_int(2**70+5)", "c_byte(300)", "c_double('x')", "c_char(b'ab')", "c_char('a')",
             "c_char(300)", "c_char(-1)", "c_char(bytearray(b'ab'))", "c_char(bytearray(b'a'))", "c_wchar('ab')",
             "c_wchar(1)", "c_wchar('\\U0001f600').value", "c_char_p(1.5)", "c_char_p('a')", "c_wchar_p(b'a')",
             "c_wchar_p('wide \\u20ac').value", "c_char_p(b'bytes').value", "c_void_p('a')", "c_void_p(5).value",
             "c_void_p().value", "py_object()", "py_object().value", "py_object([1]).value", "c_longdouble('x')",
             "c_longdouble(5e-324).value", "c_longdouble(1.7e308).value", "c_longdouble(float('inf')).value",
             "c_longdouble(float('-nan')).value", "c_longdouble(-0.0).value", "c_longdouble(0.1).value",
             "c_double_complex(1+2j)", "c_double_complex('x')", "c_longdouble_complex(1-2j).value",
             "c_int.__ctype_be__(3)", "c_int.__ctype_be__(258).value", "bytes(c_int.__ctype_be__(258))",
             "c_int.__ctype_le__ is c_int", "bytes(c_double.__ctype_be__(1.5))", "c_int(1, 2)", "c_bool('x')"):
    show(text)

print("structures")
for text in ("Point(1, 2).y", "Point(1, y=5).y", "Point(1, x=5)", "Point(1, 2, 3)", "Point('a')", "Point.x", "Bits.b",
             "Bits.b.size", "Bits.d.offset, Bits.d.bit_offset, Bits.d.bit_size, Bits.d.byte_size, Bits.d.is_bitfield",
             "sizeof(Bits)", "Bits(5, 33, 7, 1 << 38, 3).a", "Bits(5, 33, 7, 1 << 38, 3).b", "Bits(0, 0, 0, -1, 3).d",
             "bytes(Bits(3, 17, -1, 5, 1))", "sizeof(Number)", "bytes(Number(d=1.0))", "list(Number(d=1.0).b)",
             "Text(b'abcd')", "Text(b'ab', 'abcd')", "Text(b'a', 'b', 3)", "Text(b'a', 'b', c_int(3))",
             "Text(b'a', 'b', (c_int * 3)(1, 2, 3)).p[2]", "Text(b'a', 'b', (c_byte * 3)())",
             "Text(b'a', 'b', None, b'text', (1, 2)).q.y", "Text(b'a', 'b', None, None, (1, 2, 3))",
             "Text(b'abc', 'abc').c, Text(b'abc', 'abc').w, Text().c, Text().s", "Text.c, Text.w, Text.p",
             "Outer.i, Outer.i.byte_offset, Outer.u.is_anonymous, sizeof(Outer)", "Outer(1, (7,), 3).i",
             "bytes(Big(1, 2, 1.5, 3, 4))", "Big(1, 2, 1.5, 3, 4).g", "sizeof(Packed), Packed.c.offset",
             "sizeof(Aligned), alignment(Aligned)", "Derived(1, 2, 3).z, sizeof(Derived), Derived.z.offset",
             "Structure()", "Union()", "setattr(Point, '_fields_', [])", "delattr(Point(), 'x')", "Point.x.__get__(3)",
             "Point.x.__set__(3, 4)", "hash(Point())", "Point.from_param(3)", "Point() == Point()",
             "type('X', (Structure,), {'_fields_': 3})", "type('X', (Structure,), {'_fields_': [('a', 3)]})",
             "type('X', (Structure,), {'_fields_': [(1, c_int)]})",
             "type('X', (Structure,), {'_fields_': [('a', c_int, 40)]})",
             "type('X', (Structure,), {'_fields_': [('a', c_float, 4)]})",
             "type('X', (Structure,), {'_fields_': [('a', c_int, 0)]})",
             "type('X', (Structure,), {'_fields_': [(b'a', c_int)]})",
             "type('X', (Structure,), {'_layout_': 'x', '_fields_': []})",
             "type('X', (Structure,), {'_anonymous_': ['n'], '_fields_': [('a', c_int)]})",
             "type('X', (Structure,), {'_align_': -1, '_fields_': [('a', c_int)]})", "CField()",
             "CField(name='x', type=c_int, byte_size=5, byte_offset=0, index=0, _internal_use=True)"):
    show(text)


class Node(Structure):
    pass


Node._fields_ = [("value", c_int), ("next", POINTER(Node))]
last = Node(2, None)
first = Node(1, pointer(last))
print(first.next.contents.value, bool(first.next[0].next), first.next.contents.next.__class__.__name__)
try:
    class Loop(Structure):
        pass
    Loop._fields_ = [("x", c_int), ("self", Loop)]
except Exception as error:
    print(type(error).__name__, error)

print("arrays")
three = c_int_Array_3 = c_int * 3
for text in ("three is c_int * 3", "three.__name__, three._length_, three._type_", "list(three(1, 2))", "three(1, 2, 3, 4)",
             "three()[5]", "three()[-1]", "three()[-4]", "three()['x']", "three(1, 2, 3)[::-1]", "(c_char * 3)(*b'abc')[0:2]",
             "(c_wchar * 3)('a', 'b')[:]", "three().__setitem__(slice(0, 2), [1])", "three().__setitem__('a', 1)",
             "three().__delitem__(0)", "len(three())", "c_int * -1", "c_int * 2**62", "c_int * 2**70", "c_int * 'x'",
             "Array()", "type('X', (Array,), {})", "type('X', (Array,), {'_length_': 'a'})",
             "type('X', (Array,), {'_length_': -1, '_type_': c_int})", "type('X', (Array,), {'_length_': 2**70})",
             "type('X', (Array,), {'_length_': 2})", "type('X', (Array,), {'_length_': 2, '_type_': 3})",
             "create_string_buffer(b'abc').raw", "create_string_buffer(b'abc', 6).value", "create_string_buffer(3).raw",
             "setattr(create_string_buffer(2), 'value', b'abc')", "setattr(create_string_buffer(2), 'raw', b'abc')",
             "setattr(create_string_buffer(2), 'value', 3)", "create_unicode_buffer('\\u20acx').value",
             "setattr(create_unicode_buffer(2), 'value', 'abc')", "delattr(create_string_buffer(2), 'value')",
             "delattr(create_string_buffer(2), 'raw')", "(three * 2)()[1][2]", "sizeof(three * 2)", "Array[int]"):
    show(text)
grid = (three * 2)((1, 2, 3), (4, 5, 6))
grid[0][1] = 9
print([list(row) for row in grid], list(grid[0]))

print("pointers")
number = c_int(42)
p = pointer(number)
p.contents.value = 43
p[0] += 1
print(number, p.contents, p[0], bool(p), bool(POINTER(c_int)()), p.contents is not number)
q = cast(three(5, 6, 7), POINTER(c_int))
print(q[0:3], q[2:-1:-1], q[1], cast(q, c_void_p).value == addressof(q.contents))
for text in ("POINTER(c_int).__name__", "POINTER(c_int) is POINTER(c_int)", "POINTER(c_int)().contents", "POINTER(c_int)()[0]",
             "POINTER(c_int)(3)", "q['a']", "q[:]", "q[0:1:0]", "q[::-1]", "q.__delitem__(0)", "q.__setitem__('a', 3)",
             "POINTER(Structure)", "POINTER(int)", "pointer(3)", "POINTER(None)", "c_int.__pointer_type__",
             "Structure.__pointer_type__", "cast(3, c_int)", "cast(1.5, c_void_p)",
             "POINTER(c_int).from_param(c_byte())", "POINTER(c_int).from_param(byref(c_byte()))",
             "POINTER(c_int).from_param(None)", "type(POINTER(c_int).from_param(c_int())).__name__"):
    show(text)

print("memory")
data = bytearray(b"abcdefgh")
view = c_int.from_buffer(data, 4)
view.value = 0x41424344
print(data, type(view._objects).__name__)
try:
    data.append(1)
except BufferError as error:
    print("BufferError", error)
for text in ("c_int.from_buffer(b'abcd')", "c_int.from_buffer(bytearray(b'abc'))", "c_int.from_buffer(bytearray(b'abcd'), -1)",
             "c_int.from_buffer(bytearray(b'abcd'), 1)", "c_int.from_buffer(memoryview(bytearray(8))[::2])",
             "c_int.from_buffer(3)", "c_int.from_buffer_copy(b'\\1\\0\\0\\0').value", "c_int.from_buffer_copy(b'abc')",
             "c_int.from_buffer_copy(b'abcd', -1)", "c_int.from_address('x')", "c_int.from_address(2**70)",
             "Structure.from_address(3)", "c_int.from_address(addressof(number)).value", "sizeof(3)", "alignment(3)",
             "byref(3)", "addressof(3)", "resize(3, 4)", "resize(c_int(), 2)", "resize(c_int(), -2)",
             "resize(c_int.from_address(8), 20)", "string_at(b'abc')", "string_at(b'abc', 2)", "string_at(b'abc', -5)",
             "wstring_at('wide')", "wstring_at('wide', 2)", "bytes(memoryview_at(b'abc', 2, True))",
             "memoryview_at(b'abc', -1)"):
    show(text)
grown = Point(1, 2)
part = (c_int * 2).from_buffer(grown)
resize(grown, 400)
print(sizeof(grown), grown.x, grown.y, len(bytes(grown)), part[0])
for cls in (c_int, c_double, c_char, c_bool, three, three * 2, Point, Bits, Number, Text, Outer, Big, Packed, POINTER(c_int),
            POINTER(three), c_void_p, c_char_p, py_object, CFUNCTYPE(c_int), c_int.__ctype_be__, c_longdouble):
    m = memoryview(cls())
    print(cls.__name__, m.format, m.itemsize, m.shape, m.ndim, m.nbytes, m.readonly)
print(memoryview(three(1, 2, 3)).cast("B").tolist())
array.array("i", [1, 2, 3])
print(list((c_int * 3).from_buffer(array.array("i", [4, 5, 6]))))

print("kept objects")
text = Text()
text.s = b"kept"
print(text._objects, c_char_p(b"x")._objects, c_int(3)._objects, text.q._objects is text._objects, text.q._b_base_ is text)
strings = (c_char_p * 2)(b"one", b"two")
print(strings._objects, strings._b_needsfree_, text.q._b_needsfree_)
deep = ((POINTER(c_int) * 2) * 2)()
deep[1][0] = pointer(number)
print({k: type(v).__name__ for k, v in deep._objects.items()})
holder = pointer(number)
print({k: type(v).__name__ for k, v in holder._objects.items()})
del number


class Owned:
    pass


owned = Owned()
alive = weakref.ref(owned)
box = py_object(owned)
del owned
gc.collect()
print(alive() is not None, box._objects is alive())
del box
gc.collect()
print(alive())
cycle = (py_object * 1)()
cycle[0] = [cycle]
alive = weakref.ref(cycle)
del cycle
gc.collect()
print(alive())

print("copies")
for value in (c_int(3), Point(1, 2), three(1, 2, 3), c_double(1.5)):
    for protocol in range(2, 6):
        again = pickle.loads(pickle.dumps(value, protocol))
    twin = copy.deepcopy(value)
    print(type(again).__name__, bytes(again) == bytes(value), bytes(twin) == bytes(value), addressof(twin) != addressof(value))
for text in ("c_char_p().__reduce__()", "pickle.dumps(Text())", "c_int().__setstate__(1, b'')", "c_int().__reduce__()[1][1]"):
    show(text)
subclass = type("Subclass", (c_int,), {})
print(subclass(3).value, repr(subclass(3)).split(" object")[0], (subclass * 2)(subclass(1), 2)[1].__class__.__name__)
print(sys.getsizeof(c_int()) > 0, Array.__doc__[:30], c_int.__mro__[1:])
