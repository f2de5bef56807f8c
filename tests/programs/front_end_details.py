"""Small things of the front end: what errors and warnings tell, what `tokenize` takes, how constants are ordered."""
import ast
import collections
import io
import itertools
import marshal
import symtable
import sys
import tokenize
import warnings


def told(source):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            compile(source, "<source>", "exec")
            result = "ok"
        except SyntaxError as error:
            result = f"{type(error).__name__}: {error.msg} {error.lineno} {error.offset} {error._metadata and error._metadata[:2]}"
    print(repr(source), result, [str(warning.message) for warning in caught])


# Keyword suggestions know the last compound statement only if a second pass of the parser was needed.
for source in (
    "if x:\n  a\nb = 1\n)\n", "if x:\n  a\nb = 1 2\n", "class A:\n  if 1: pass\n  x = 1\nif 2: pass\n)\n", "with x:\n  pass\nz = (3 +\n",
    "with x:\n  pass\nz = f'{a'\n", "if 1:\n   if 2:\n      x\n\tbreak\n", "x.y'\\s', 1)", "x.y'\\s' z", "f(x '\\w')", "f('\\w' x)",
    "__debug__[1]", "__debug__(1)", "__debug__['a']",
):
    told(source)

for token in tokenize.tokenize(io.BytesIO("\u20ac = 2\n".encode()).readline):
    print(token)

# The order of a frozenset constant follows from which of its strings were interned before.
for names in ("PYTHONPATH", "qzx", "name"):
    source = f"def f(x):\n  return x in {{'qzx', '{names}', 'bzz', 'dir/a', 'zz9', 'q_1', 'a-b', 'c-d'}}, 'zz9'\n"
    code = compile(source, "<source>", "exec").co_consts[0]
    print([list(item) for item in code.co_consts if isinstance(item, frozenset)])

itself = []
nested = (itself, 1, "text", "\u20ac", b"bytes", 2.5, 3j, 1 << 80, ..., None, True, frozenset({1}), slice(1, 2, None))
itself.append(nested)
read = marshal.loads(marshal.dumps(nested))
print(read[0][0] is read, read[1:])
for data in (b"(\x02\x00\x00\x000", b"{0", b"r\x00\x00\x00\x00", b"\xa9\x01r\x00\x00\x00\x00", b"s\xff\xff\xff\x7f", b"", b"[\x01\x00\x00\x00", b"l\x01\x00\x00\x00\x00\x00"):
    try:
        print(data, marshal.loads(data))
    except (ValueError, TypeError, EOFError) as error:
        print(data, type(error).__name__, error)


def odd():
    pass


odd.__code__ = odd.__code__.replace(co_code=b"\x7f" + odd.__code__.co_code[1:])
try:
    odd()
except SystemError as error:
    print(str(error).rpartition("/")[2])


def returns(call):
    call()
    if call:
        pass


def save():
    global frame
    frame = sys._getframe(1)


returns(save)
print(frame.f_lineno - frame.f_code.co_firstlineno)


def symbols(table):
    print(table.get_name(), list(table.get_identifiers()))
    for child in table.get_children():
        symbols(child)


# Names that only inner scopes use come in the order of a set of strings.
source = """
def f():
    threading = http = email = DocHandler = DocServer = alpha = beta = 1
    class A:
        def run(self): threading
        def more(self): DocServer, http, DocHandler, email
    class B:
        def more(self): return [DocServer for http in DocHandler if email]
        run = lambda self: (threading, alpha, __class__)
    def g():
        def h(): return [(alpha, beta, k) for k in (lambda: http)()]
        return lambda: (email, DocServer)
"""
symbols(symtable.symtable(source, "x", "exec"))

for name in ("/tmp/".join(["", "x-y.py"]), "\udc80.py"):
    code = compile("def f(): pass", name, "exec")
    print(ascii(code.co_filename), code.co_filename is name, code.co_consts[0].co_filename is name, sys._is_interned(name))

source = """
class A:
    class B: x = 1
    def f(self, a) -> int: return a
def g(a: int): return b''
"""
data = marshal.dumps(compile(source, "name.py", "exec"))
print(len(data), data)

for owner in (ast.AST, collections.deque, itertools.count):
    try:
        owner.missing
    except AttributeError as error:
        print(error)
