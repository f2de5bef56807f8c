"""Texts and behaviours of the core that CPython's own tests look at."""

import _interpreters
import copy
import sys
import time
import types
import warnings
from types import GenericAlias

warnings.simplefilter("always")
warnings.showwarning = lambda message, category, *rest: print("warning:", category.__name__, message)


def attempt(what, *args, **kwargs):
    try:
        print(what(*args, **kwargs))
    except BaseException as error:
        print(type(error).__name__, error)


# A program may bind the names that annotations use.
for value in ("0", "{}", "frozenset()"):
    attempt(exec, f"__conditional_annotations__ = {value}\nif True:\n    x: int\n")

attempt(int().__pow__)
attempt((2).__rpow__, 1, 2, 3)
print(complex.real.__doc__)


class Odd(complex):
    pass


attempt(complex, 1, Odd(2))
attempt(lambda: "%c" % object())
attempt(lambda: "%*r" % (-sys.maxsize - 1, 1))


class Space(types.SimpleNamespace):
    pass


space = Space(a=1)
Space.__new__ = lambda *args, **kwargs: 42
attempt(copy.replace, space, a=2)


class OnlyExit:
    def __exit__(self, *args):
        pass


def enter(manager):
    with manager:
        pass


attempt(enter, OnlyExit())


def function():
    pass


function.__annotate__ = lambda form: 3
attempt(lambda: function.__annotations__)
attempt(time.struct_time)
attempt(time.struct_time, "123456789", dict=None)
attempt(property().__set_name__, 1)


class Slotted(property):
    __slots__ = ()


print(Slotted(doc="dropped").__doc__)


def documented():
    "kept, or refused"


attempt(Slotted, documented)

code = compile("x.__reduce__()", "test", "eval")
attempt(eval, code, {"__builtins__": types.MappingProxyType({}), "x": iter([1, 2])})
attempt(eval, code, {"__builtins__": {"iter": 7}, "x": iter((1, 2))})

unpacked = next(iter(GenericAlias(tuple, (int,))))
print(unpacked, copy.deepcopy(unpacked) == unpacked, iter(tuple[int]).__reduce__())


def generator():
    yield


def plain():
    pass


plain.__code__ = generator.__code__


def frame_of_ended():
    ended = generator()
    frame = ended.gi_frame
    for _ in ended:
        pass
    return frame.f_back


print(frame_of_ended())


class NotMade(Exception):
    def __new__(cls, *args):
        return cls


running = generator()
try:
    running.throw(NotMade)
except TypeError as error:
    print(str(error)[:80])
attempt(next, running)


class Evil(str):
    def __str__(self):
        del error.object
        return self


error = UnicodeEncodeError(Evil("utf-8"), "x", 0, 1, "reason")
attempt(str, error)


def proxy():
    x = 1
    return sys._getframe().f_locals


attempt(lambda: proxy()[[]])


def keywords(**given):
    pass


attempt(lambda: keywords(**{1: 3}, **{1: 5}))
try:
    sys.exit((17, 23))
except SystemExit as left:
    print(left.code, left.args)
attempt(sys.unraisablehook, None)
attempt(__import__, "", {"__package__": None, "__spec__": None, "__name__": "m"}, {}, ("x",), 1)
for bad in ({"allow_fork": 1}, {"gil": 1}, {"gil": "spam"}):
    attempt(_interpreters.new_config, **bad)


async def unawaited():
    pass


def hook(unraisable):
    print(unraisable.err_msg.split(" at ")[0], unraisable.exc_value, unraisable.object)


sys.unraisablehook = hook
warnings.simplefilter("error")
made = unawaited()
del made
