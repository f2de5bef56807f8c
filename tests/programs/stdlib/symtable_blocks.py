# `_symtable`: blocks, flags and scopes.
import symtable

SOURCE = """
import os
x: int = 1
class A[T](object):
    y: str
    def method(self, *args, key=None, **kwargs):
        global x
        def inner():
            nonlocal key
            return [key + i for i in args], (j for j in self), lambda: os
        return __class__
    @classmethod
    def other(cls): ...
type Alias[K] = dict[K, A]
async def f(a, /, b, *, c): yield a
"""


def show(table, indent=0):
    print(" " * indent, table.get_type(), table.get_name(), table.get_lineno(), table.is_nested(), table.is_optimized())
    for symbol in sorted(table.get_symbols(), key=lambda symbol: symbol.get_name()):
        kinds = [name for name in dir(symbol) if name.startswith("is_") and name != "is_namespace" and getattr(symbol, name)()]
        print(" " * indent, "-", symbol.get_name(), *kinds)
    for child in table.get_children():
        show(child, indent + 2)


show(symtable.symtable(SOURCE, "<test>", "exec"))
for arguments in (("1 +", "f", "eval"), ("x", "f", "what"), ("nonlocal x", "f", "exec"), (b"\xff", "f", "exec"), ("def f(a, a): 0", "f", "exec")):
    try:
        symtable.symtable(*arguments)
    except Exception as error:
        print(type(error).__name__, error)
