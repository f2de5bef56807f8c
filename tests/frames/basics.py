# Frame objects and f_locals (PEP 667).
import sys


def f(a):
    b = 2
    fr = sys._getframe()
    print(fr.f_code.co_name, fr.f_lineno, sorted(fr.f_locals), fr.f_back.f_code.co_name)
    fr.f_locals["b"] = 5
    fr.f_locals["new"] = 6
    print(b, "new" in fr.f_locals, len(fr.f_locals), dict(locals())["a"])
    return fr


fr = f(1)
print(fr.f_locals["b"], fr.f_locals["a"], fr.f_back is sys._getframe())
fr.clear()
print(dict(fr.f_locals))
try:
    sys._getframe().clear()
except RuntimeError as e:
    print(e)


def closure():
    x = 1

    def inner():
        return sys._getframe().f_locals, x

    x = 2
    return inner()[0]["x"]


print(closure())


def gen():
    y = 1
    yield sys._getframe()
    yield y


g = gen()
fr = next(g)
print(fr.f_locals["y"], fr.f_generator is g)
fr.f_locals["y"] = 7
print(next(g))
try:
    del fr.f_locals["y"]
except ValueError as e:
    print(e)
print(sorted([x for x in locals() if x in ("fr", "g")]))
c = f.__code__
print(c.co_argcount, c.co_varnames, c.co_name, c.co_names[:2], c.co_flags, c.co_nlocals)
print(c == c.replace(), c == c.replace(co_name="z"), hash(c) == hash(c.replace()))
print(list(c.co_lines())[:3])
print(list(c.co_positions())[1])
