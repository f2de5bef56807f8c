"""BaseException: attributes, their setters' errors, repr and str, pickling support."""


def show(call):
    try:
        print(repr(call()))
    except BaseException as error:
        print(type(error).__name__, "|", error)


def fail():
    try:
        1 / 0
    except ZeroDivisionError as error:
        return error


error = fail()
for name in ["__traceback__", "__cause__", "__context__", "args", "__dict__", "__suppress_context__"]:
    show(lambda: setattr(error, name, 1))
    show(lambda: delattr(error, name))
show(lambda: error.__setstate__(1))
show(lambda: error.__setstate__(None))
show(lambda: error.__setstate__({"x": 1}))
show(lambda: error.x)
show(lambda: error.__reduce__())
show(lambda: error.add_note(1))
show(lambda: error.add_note("first"))
show(lambda: error.add_note("second"))
show(lambda: error.__notes__)
error.__notes__ = 1
show(lambda: error.add_note("x"))
show(lambda: error.with_traceback(1))
show(lambda: error.with_traceback(None) is error)
show(lambda: ValueError(a=1))
show(lambda: BaseException(a=1))
show(lambda: error.__setstate__({1: 2}))


class Own(ValueError):
    pass


show(lambda: Own(a=1))
show(lambda: Own.__new__(Own, a=1))
show(lambda: Own(1))
show(lambda: Own(1, 2))
show(lambda: str(Own(1, 2)))
show(lambda: str(Own()))
show(lambda: str(KeyError("a")))
show(lambda: str(KeyError("a", 1)))
show(lambda: str(KeyError()))
show(lambda: StopIteration(1, 2).value)
show(lambda: StopIteration().value)
show(lambda: StopIteration(a=1))
show(lambda: SystemExit(1, 2).code)
show(lambda: SystemExit().code)
show(lambda: SystemExit(a=1))

cause = ValueError("cause")
error.__cause__ = cause
show(lambda: (error.__cause__ is cause, error.__suppress_context__))
error.__suppress_context__ = False
show(lambda: error.__suppress_context__)

try:
    try:
        raise ValueError(1)
    except ValueError as first:
        kept = first
        raise TypeError(2)
except TypeError as second:
    show(lambda: (second.__context__ is kept, second.__cause__, second.__suppress_context__))
try:
    raise TypeError from ValueError
except TypeError as third:
    show(lambda: (third.__cause__, third.__context__, third.__suppress_context__))
for bad in [1, int, None, "text"]:
    try:
        raise bad
    except TypeError as fourth:
        print(fourth)
try:
    raise ValueError from 1
except TypeError as fifth:
    print(fifth)
try:
    try:
        raise ValueError
    except 1:
        pass
except TypeError as sixth:
    print(sixth)


class Odd(Exception):
    def __new__(cls):
        return 1


try:
    raise Odd
except TypeError as seventh:
    print(str(seventh).replace("__main__.", ""))
