def fail():
    raise ValueError("inner")


try:
    try:
        fail()
    except ValueError as error:
        raise KeyError("outer") from error
except KeyError as error:
    print(repr(error), repr(error.__cause__), error.__suppress_context__)
try:
    raise ExceptionGroup("g", [ValueError(1), TypeError(2), OSError(3)])
except* ValueError as group:
    print(group.exceptions)
except* (TypeError, OSError) as group:
    print(group.exceptions)
for text in ("1 +", "x = = 2", "def f(:\n pass", "f(a b)"):
    try:
        compile(text, "<test>", "exec")
    except SyntaxError as error:
        print(error.msg, error.lineno, error.offset)
try:
    [].pop()
except IndexError as error:
    error.add_note("a note")
    print(error, error.__notes__)


def deep(n):
    return deep(n + 1)


try:
    deep(0)
except RecursionError as error:
    print(error)
nested = []
for _ in range(100000):
    nested = [nested]
try:
    repr(nested)
except RecursionError:
    print("repr is bounded")
del nested
try:
    (lambda a, *, b: 0)(1, 2)
except TypeError as error:
    print(error)
