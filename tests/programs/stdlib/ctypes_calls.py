# Functions and callbacks: arguments, results, errors, errno, threads, the C API, and audit events.
import ctypes
import ctypes.util
import errno
import gc
import os
import sys
import threading
import time
import weakref
from ctypes import *

sys.unraisablehook = lambda u: print("unraisable:", u.err_msg.split(" <")[0], type(u.exc_value).__name__, u.exc_value)
libc = CDLL(None, use_errno=True)
libm = CDLL("libm.so.6")


def show(text, names=globals()):
    try:
        print(text, "->", repr(eval(text, names)))
    except Exception as error:
        print(text, "!!", type(error).__name__, str(error).replace(sys.executable, "EXE").replace(os.path.realpath(sys.executable), "EXE"))


class Div(Structure):
    _fields_ = [("quot", c_int), ("rem", c_int)]


class LDiv(Structure):
    _fields_ = [("quot", c_long), ("rem", c_long)]


class Wide(Structure):
    _fields_ = [("a", c_double * 4)]


class Argument:
    def __init__(self, value):
        self._as_parameter_ = value


print("calls")
libm.pow.restype = c_double
libm.pow.argtypes = [c_double, c_double]
libm.cabs.restype, libm.cabs.argtypes = c_double, [c_double_complex]
libm.conjf.restype, libm.conjf.argtypes = c_float_complex, [c_float_complex]
libm.sqrtl.restype, libm.sqrtl.argtypes = c_longdouble, [c_longdouble]
libc.div.restype = Div
libc.ldiv.restype, libc.ldiv.argtypes = LDiv, [c_long, c_long]
libc.strchr.restype, libc.strchr.argtypes = c_char_p, [c_char_p, c_char]
libc.getenv.restype = c_void_p
libc.wcslen.argtypes = [c_wchar_p]
libc.toupper.restype = chr
buffer = create_string_buffer(64)
for text in ("libm.pow(2, 0.5)", "libm.cabs(3+4j)", "libm.conjf(1+2j)", "libm.sqrtl(2)", "libc.div(17, 5).quot, libc.div(17, 5).rem",
             "libc.ldiv(-17, 5).rem", "libc.strchr(b'abcdef', b'd')", "libc.strchr(b'abcdef', b'x')", "libc.strchr(b'a', 3.0)",
             "libc.strchr(b'abcdef')", "libc.strlen(b'abc')", "libc.wcslen('wide')", "libc.strlen(1.5)", "libc.strlen(2**70)",
             "libc.strlen(Argument(b'12345'))", "libc.strlen(Argument(Argument(1.5)))", "libc.toupper(97)", "libc.abs(-2**31 + 1)",
             "libc.sprintf(buffer, b'%s %d %.2f', b'text', 5, c_double(1.5)), buffer.value", "libc['strlen'] is libc['strlen']",
             "libc.strlen is libc.strlen", "libc.no_such_function", "libc[1]", "CDLL('no_such_library.so')",
             "c_int.in_dll(libc, 'no_such_symbol')", "c_int.in_dll(3, 'x')", "bool(c_void_p.in_dll(libc, 'environ'))",
             "libc.getenv(b'NO_SUCH_NAME_AT_ALL')", "libm.pow(1)", "libm.pow(1, 2, 3)", "libc.memcmp(b'a', byref(c_char(b'a')), 1)",
             "bool(CFUNCTYPE(c_int)())", "libm.pow.argtypes, libm.pow.restype, libm.pow.errcheck",
             "libc.abs.argtypes, libc.abs.restype", "setattr(libc.abs, 'argtypes', 3)", "setattr(libc.abs, 'argtypes', [3])",
             "setattr(libc.abs, 'restype', 3)", "setattr(libc.abs, 'errcheck', 3)", "ctypes.util.find_library('no_such_library')",
             "ctypes.util.find_library('c')", "ctypes.util.find_library('m')", "'libc.so.6' in str(ctypes.util.dllist())"):
    show(text)

print("errno")
set_errno(0)
print(get_errno(), libc.close(-1), errno.errorcode[get_errno()], set_errno(5) == errno.EBADF, get_errno())
for text in ("set_errno('x')", "set_errno()", "set_errno(2**40)"):
    show(text)


def check(result, function, arguments):
    if result < 0:
        raise OSError(get_errno(), os.strerror(get_errno()))
    return arguments if result == 3 else result * 2


libc.dup.errcheck = check
show("libc.dup(-1)")
libc.abs.errcheck = check
show("libc.abs(-2), libc.abs(-3)")
del libc.abs.errcheck

print("prototypes")
prototype = CFUNCTYPE(c_char_p, c_char_p, c_char)
for text in ("prototype(('strchr', libc), ((1, 's'), (1, 'c', b'e')))(b'abcdef')",
             "prototype(('strchr', libc), ((1, 's'), (1, 'c', b'e')))(s=b'abcdef', c=b'c')",
             "prototype(('strchr', libc), ((1, 's'), (1, 'c')))(b'abc')", "prototype(('strchr', libc), ((1,), (1,)))(b'abc')",
             "prototype(('strchr', libc), ((1, 's'), (1, 'c')))(b'abc', b'c', b'd')", "prototype(('strchr', libc), 3)",
             "prototype(('strchr', libc), ())", "prototype(('strchr', libc), ((1, 2, 3), (1,)))",
             "prototype(('strchr', libc), ((1,), (2,)))", "prototype(('strchr', libc), ((7,), (1,)))", "prototype((1, libc))",
             "prototype(('strchr', 3))", "prototype(('strchr',))", "prototype(3.5)", "prototype(1, 2, 3)",
             "CFUNCTYPE(c_double, c_double, POINTER(c_int))(('frexp', libm), ((1, 'x'), (2, 'exponent')))(8.0)",
             "CFUNCTYPE(c_double, c_double, POINTER(c_double))(('modf', libm), ((1,), (2,)))(2.5)",
             "CFUNCTYPE(c_int, c_char_p, c_char_p, POINTER(c_int), POINTER(c_int))(('sscanf', libc), ((1,), (1,), (2,), (2,)))(b'7 8', b'%d %d')",
             "CFUNCTYPE(3)", "CFUNCTYPE(c_int, 3)", "CFUNCTYPE(int)(lambda: 1)", "CFUNCTYPE(Div)(lambda: 1)",
             "type('X', (type(libc.abs).__base__,), {})"):
    show(text)

print("callbacks")
compare_type = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))
numbers = (c_int * 6)(5, 1, 4, 2, 3, -7)
libc.qsort(numbers, len(numbers), sizeof(c_int), compare_type(lambda a, b: a[0] - b[0]))
print(list(numbers))
for cls, value in ((c_byte, -5), (c_ubyte, 250), (c_short, -300), (c_int, -70000), (c_uint, 2**32 - 1), (c_longlong, -2**40),
                   (c_ulonglong, 2**64 - 1), (c_float, 1.5), (c_double, -2.25), (c_longdouble, 0.5), (c_bool, True),
                   (c_char, b"x"), (c_wchar, "\u20ac"), (c_void_p, 99), (py_object, ["object"]), (c_double_complex, 1 + 2j)):
    print(cls.__name__, CFUNCTYPE(cls, cls)(lambda x: x)(value), end="; ")
print()
by_value = CFUNCTYPE(c_long, LDiv, Div, Wide, c_double)(lambda l, d, w, x: l.quot * 1000 + l.rem * 100 + d.rem * 10 + int(w.a[3]) + int(x))
print(by_value(LDiv(1, 2), Div(0, 3), Wide((1, 2, 3, 4)), 5.0))
many = CFUNCTYPE(c_double, *[c_int, c_double] * 8)(lambda *args: sum(args))
print(many(*range(16)))
text_back = CFUNCTYPE(c_int, c_char_p, c_wchar_p, POINTER(Div))(lambda s, w, p: print(s, w, p.contents.rem) or 1)
print(text_back(b"bytes", "wide", byref(Div(1, 2))))
raises = CFUNCTYPE(c_int)(lambda: 1 / 0)
raises()
wrong = CFUNCTYPE(c_int)(lambda: "text")
wrong()
recursive = CFUNCTYPE(c_int, c_int)(lambda n: n and n + recursive(n - 1))
print(recursive(50))
same = CFUNCTYPE(c_int, c_int)
print(same is CFUNCTYPE(c_int, c_int), same.__name__, sorted(type(v).__name__ for v in (same(abs)._objects or {}).values()))
address = cast(same(abs), c_void_p).value
print(isinstance(address, int))


class Callback:
    def __call__(self):
        return 1


callback = Callback()
alive = weakref.ref(callback)
function = CFUNCTYPE(c_int)(callback)
callback.function = function
del callback, function
gc.collect()
print(alive())

seen = []
threads = [threading.Thread(target=lambda n: seen.append(same(lambda x: x * 2)(n)), args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(seen))
# A thread that Python didn't start.
start = CFUNCTYPE(c_void_p, c_void_p)(lambda argument: seen.append(("foreign", argument)) or None)
handle = c_ulong()
pthread_create = libc.pthread_create
pthread_create.argtypes = [POINTER(c_ulong), c_void_p, type(start), c_void_p]
print(pthread_create(byref(handle), None, start, 77), libc.pthread_join(handle, None), seen[-1])

print("C API")
pythonapi.PyLong_FromLong.restype = py_object
pythonapi.PyObject_Repr.restype, pythonapi.PyObject_Repr.argtypes = py_object, [py_object]
pythonapi.PyErr_SetString.argtypes = [py_object, c_char_p]
pythonapi.PyErr_SetString.restype = None
pythonapi.PyUnicode_FromFormat.restype = py_object
for text in ("pythonapi.PyLong_FromLong(42)", "pythonapi.PyObject_Repr([1])", "pythonapi.PyErr_SetString(KeyError, b'key')",
             "pythonapi.PyUnicode_FromFormat(b'%d %s', 5, b'text')", "PyDLL(None).PyGILState_Check()", "libc.PyGILState_Check()",
             "pythonapi.Py_IsInitialized()"):
    show(text)
references = sys.getrefcount(seen)
for _ in range(10):
    pythonapi.PyObject_Repr(seen)
print(sys.getrefcount(seen) - references)

free = CFUNCTYPE(None, c_void_p)(lambda pointer: print("freed", pointer))
request, set_extra, get_extra = (getattr(pythonapi, "PyUnstable_" + name) for name in
                                 ("Eval_RequestCodeExtraIndex", "Code_SetExtra", "Code_GetExtra"))
request.restype, request.argtypes = c_ssize_t, [type(free)]
set_extra.argtypes = [py_object, c_ssize_t, c_void_p]
get_extra.argtypes = [py_object, c_ssize_t, POINTER(c_void_p)]
index = request(free)
code = compile("1", "text", "eval")
extra = c_void_p()
print(set_extra(code, index, 5), get_extra(code, index, byref(extra)), extra.value, set_extra(code, index, 6))
print(get_extra(code, index + 100, byref(extra)), extra.value)
for arguments in ((code, index + 100, 1), (3, index, 1)):
    try:
        set_extra(*arguments)
    except SystemError:
        print("SystemError")
del arguments
del code


class Stop(Exception):
    pass


def wait_for_exception():
    try:
        ready.set()
        while True:
            time.sleep(0.001)
    except Stop:
        seen.append("stopped")


ready = threading.Event()
thread = threading.Thread(target=wait_for_exception)
thread.start()
ready.wait()
print(pythonapi.PyThreadState_SetAsyncExc(c_ulong(1), py_object(Stop)))
print(pythonapi.PyThreadState_SetAsyncExc(c_ulong(thread.ident), py_object(Stop)))
thread.join()
print(seen[-1])

print("parameters")
for text in ("c_char_p.from_param('a')", "c_void_p.from_param(1.5)", "c_wchar_p.from_param(1.5)", "c_char_p.from_param(3)",
             "c_int.from_param('x')", "c_int.from_param(3)", "c_char.from_param(b'a')", "c_char.from_param(b'\\1')",
             "c_double.from_param(3)", "c_ubyte.from_param(255)", "c_longlong.from_param(3)", "c_float.from_param(3)",
             "c_void_p.from_param(None)", "Div.from_param(3)", "c_int.from_param(Argument(3))",
             "c_int.from_param(Argument('x'))", "(c_int * 3).from_param(3)", "type(c_char_p.from_param(create_string_buffer(2))).__name__"):
    show(text)
loop = Argument(None)
loop._as_parameter_ = loop
for text in ("c_int.from_param(loop)", "c_void_p.from_param(loop)", "c_char_p.from_param(loop)", "Div.from_param(loop)", "libc.abs(loop)"):
    try:
        eval(text)
    except (RecursionError, ArgumentError) as error:
        print(text, type(error).__name__)

print("audit")
events = []
sys.addaudithook(lambda event, args: event.startswith("ctypes") and events.append((event, len(args))))
addressof(c_int()), c_int.from_address(addressof(seen_number := c_int())), c_int.from_buffer(bytearray(4)), string_at(b"a")
CDLL(None).strlen, get_errno(), set_errno(0), create_string_buffer(3), c_void_p.in_dll(libc, "environ"), wstring_at("a")
cast(c_int(1).__class__.__name__.encode(), c_char_p), memoryview_at(b"a", 1)
print(*events, sep="\n")
