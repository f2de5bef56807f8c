# try, except, finally, with, groups; contexts and tracebacks.
import sys


def f(n):
    try:
        if n == 0:
            return "return"
        if n == 1:
            raise ValueError("one")
        if n == 2:
            1 / 0
        return "end"
    except ValueError as e:
        return "value", str(e)
    finally:
        print("finally", n)


for i in range(4):
    try:
        print(f(i))
    except ZeroDivisionError as e:
        print("zero", e)


def chain():
    try:
        raise KeyError("a")
    except KeyError as e:
        raise TypeError("b") from e


try:
    chain()
except TypeError as e:
    print(repr(e), repr(e.__cause__), repr(e.__context__))
    tb = e.__traceback__
    while tb:
        print(tb.tb_frame.f_code.co_name, tb.tb_lineno)
        tb = tb.tb_next

try:
    try:
        raise OSError(2, "x")
    finally:
        print(sys.exception())
except OSError as e:
    print(sys.exception() is e)
print(sys.exception())


class CM:
    def __init__(self, swallow):
        self.swallow = swallow

    def __enter__(self):
        return self

    def __exit__(self, t, v, tb):
        print("exit", t and t.__name__, v)
        return self.swallow


with CM(True):
    raise ValueError("swallowed")
try:
    with CM(False) as a, CM(False) as b:
        raise ValueError("passed")
except ValueError as e:
    print(e, e.__traceback__.tb_lineno)
for i in range(3):
    with CM(False):
        if i == 1:
            continue
        if i == 2:
            break
try:
    raise ExceptionGroup("g", [ValueError(1), TypeError(2), OSError(3)])
except* ValueError as e:
    print("values", e.exceptions)
except* (TypeError, OSError) as e:
    print("others", e.exceptions)
try:
    try:
        raise ExceptionGroup("g", [ValueError(1), KeyError(2)])
    except* ValueError:
        raise RuntimeError("new")
except ExceptionGroup as e:
    print(repr(e))
for code in ("x_undefined", "with 3: pass", "raise 3", "raise ValueError from 3", "raise", "a, b = 1", "a, b = 1, 2, 3", "a, *b, c = 1,", "[].foo", "1 + 'a'", "import nonexistent_module", "def f():\n  y\n  y = 1\nf()", "del undefined_thing", "{}['k']", "try:\n  1/0\nexcept 3: pass"):
    try:
        exec(code)
    except BaseException as e:
        print(type(e).__name__, e)


def nested():
    for x in (1, 2):
        try:
            continue
        finally:
            print("f", x)
    while True:
        try:
            break
        finally:
            print("broke")
    try:
        return 1
    finally:
        print("r")


print(nested())
match {"a": [1, 2, {"b": 3}], "rest": 4}:
    case {"a": [x, *_, {"b": y}], **rest}:
        print(x, y, rest)


class P:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


def classify(v):
    match v:
        case P(0, y=0):
            return "origin"
        case P(x, y) if x == y:
            return "diagonal", x
        case P(x=x):
            return "p", x
        case int(n) | float(n):
            return "num", n
        case [] | ():
            return "empty"
        case [a, b, *rest]:
            return a, b, rest
        case "s" | b"s" | None:
            return "literal"
        case _:
            return "other"


for v in (P(0, 0), P(2, 2), P(1, 2), 3, 2.5, [], (1, 2, 3), "s", None, {}, {1}):
    print(classify(v))
