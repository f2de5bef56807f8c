"""What compiled code, trees, symbol tables and errors have in common with CPython's in rarer places."""

import ast
import copy
import io
import marshal
import sys
import tokenize

import _symtable
import _tokenize


def constants(source):
    return compile(source, "f", "exec").co_consts


# Sets of constants come in the order of their hashes; names among them may lead to another order.
print([list(item) for item in constants("x in {5, 1, 9, 33, 1025, 17}; x in {'b', 'a', 'x y', 3.5}") if isinstance(item, frozenset)])
print([item for item in constants("x in {1, 2, 3} or x in {3, 2, 1}") if isinstance(item, frozenset)])
print(constants("x = (1 << 127) + 1, 10 ** 37 * 2, -(1 << 90) // 7, ~(1 << 100), (1 << 90) / 3"))
print(constants("x = 1 / (1 + 2j), (1 + 2j) ** 3, 2 / 1j, (-8) ** 0.5, 1j ** -1, 0.0 / 1j"))
print([sorted(map(repr, item)) for item in constants("x in {(1e999-1e999)*1j, (1e999-1e999)*2j, 1.5}") if isinstance(item, frozenset)])

# The end of an asynchronous loop counts five units behind its SEND, whatever stands between.
loops = "async def f():\n async for i in a: pass\n async for i, j in a: pass\n else: pass\n raise X\n"
code = next(item for item in constants(loops) if hasattr(item, "co_code"))
print(code.co_code.hex())
alternatives = "def f(x):\n match x:\n  case ((a, b, c, 9) |\n   (c, a, b, 10) |\n   (b, -5, a, c)): pass\n"
code = next(item for item in constants(alternatives) if hasattr(item, "co_code"))
print(code.co_linetable.hex())


def show(table, depth=0):
    print("  " * depth, table.name, sorted(table.symbols.items()))
    for child in table.children:
        show(child, depth + 1)


show(_symtable.symtable("class C:\n r = [(lambda: __class__, __class__) for i in [1]]\nif __debug__: pass\n", "f", "exec"))
show(_symtable.symtable("def f(n):\n i = 1\n [n for i in x]\nk = 3\n[k for z in x]\n", "f", "exec"))


def error(source, mode="exec"):
    try:
        compile(source, "f", mode)
    except (SyntaxError, ValueError) as raised:
        print(type(raised).__name__, raised.args, getattr(raised, "_metadata", None))


error("{1: 2, f(3 4): 5}")
error("{1: 2, [c d]}")
error("{1 2, 3: 4}")
error("try:\n pass\nexcept:\n pass\nexcept ValueError:\n pass\n")
error("match x:\n case F(a, __debug__=1): pass\n")
error("for a in b:\n pass\ndef f(): pass\nelso:\n pass\n")
error("if a: pass", "eval")
error("x\nfrom __future__ import division\n")
error("Tru\u1d49 = 1")

for data in (b"\xa8\x01\0\0\0[\x01\0\0\0r\0\0\0\0", b"\xa9\x01{Nr\0\0\0\x000", b"\xa8\x05\0\0\0N"):
    try:
        print(marshal.loads(data))
    except (EOFError, ValueError) as raised:
        print(type(raised).__name__, raised)

for pattern in (ast.MatchStar(), ast.MatchAs(name="_"), ast.MatchOr([]), ast.MatchValue(ast.Constant(...)), ast.MatchClass(ast.Constant(1), [], [], [])):
    match = ast.Match(ast.Name("x", ast.Load()), [ast.match_case(pattern, None, [ast.Pass()])])
    try:
        compile(ast.fix_missing_locations(ast.Module([match], [])), "f", "exec")
    except ValueError as raised:
        print(raised)
for node in (ast.Name("x"), ast.Name("x", lineno=3)):
    node.extra = 1
    print(ast.dump(copy.replace(node, id="y"), include_attributes=True), vars(copy.replace(node)).keys())
try:
    copy.replace(ast.BinOp(op=ast.Add(), left=ast.Name("x"), right=ast.Name("y")), op=None).__replace__(nothing=1)
except TypeError as raised:
    print(raised)
for wrong in (lambda: compile(ast.Constant(1), "f", "exec", ast.PyCF_ONLY_AST), lambda: compile(ast.Constant(1), "f", "exec")):
    try:
        wrong()
    except TypeError as raised:
        print(raised)
optimized = ast.parse("def f():\n  'long docstring'\n", optimize=2).body[0].body[0]
print(ast.dump(optimized, include_attributes=True))

print(list(_tokenize.TokenizerIter(io.BytesIO(b"").readline, encoding="utf-8", extra_tokens=False)))
print(list(_tokenize.TokenizerIter(io.BytesIO("a # \u2192!\n".encode()).readline, encoding="utf-8", extra_tokens=False)))
print(sum(1 for _ in tokenize.tokenize(io.BytesIO(b"f(x), " * 3000).readline)))
print(sys.implementation.cache_tag)
