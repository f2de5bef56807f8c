# A static or class method made by the interpreter itself takes nothing over from what it wraps; one made by Python code does.
class A:
    def __new__(cls):
        "doc"
        return object.__new__(cls)

    def __init_subclass__(cls):
        "doc"

    @staticmethod
    def s():
        "doc"


for method in (A.__dict__["__new__"], A.__dict__["__init_subclass__"], A.__dict__["s"], str.__dict__["maketrans"]):
    print(type(method).__name__, sorted(method.__dict__), method.__func__.__name__)

import contextvars

# Copies of a context share what neither has changed.
var = contextvars.ContextVar("var")
other = contextvars.ContextVar("other", default=0)
first = contextvars.Context()
first.run(var.set, 1)
second = first.copy()
keys = iter(second)
second.run(var.set, 2)
second.run(other.set, 3)
print(first[var], second[var], len(first), len(second), other in first, first == second, first.copy() == first)
print([key is var for key in keys], first.run(other.get), second.run(other.get), list(contextvars.Context().items()))
token = second.run(var.set, 4)
third = second.copy()
second.run(var.reset, token)
print(second[var], third[var])
