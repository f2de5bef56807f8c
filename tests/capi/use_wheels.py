import contextvars
import gc
import pickle

import wheels


def show(function, *args):
    try:
        print(function(*args))
    except Exception as error:
        print(type(error).__name__, error)


one = wheels.interval()
print(one, len(one), one.months, one.days, one.hidden, tuple(one), one == (0, 10), wheels.hidden_of(one))
print(wheels.IntervalType, wheels.IntervalType.__mro__, wheels.IntervalType.n_fields, wheels.IntervalType.__match_args__)
print(wheels.IntervalType((1, 2)), wheels.IntervalType((1, 2, 3)).hidden, one.__replace__(days=3), one.__reduce__()[1])
print(wheels.IntervalType.months, wheels.IntervalType.months.__doc__, type(one).__doc__)
show(wheels.IntervalType, (1,))
show(lambda: setattr(one, "months", 5))
many = [wheels.interval() for _ in range(1000)]
cyclic = []
cyclic.append(wheels.IntervalType((cyclic, 1, cyclic)))
del cyclic, many
print(gc.collect() > 0)

variable = contextvars.ContextVar("variable", default="outside")
context = contextvars.copy_context()


def inside():
    variable.set("inside")
    return variable.get()


print(wheels.within(context, inside), variable.get(), context[variable])
print(wheels.within(context, lambda: variable.get()))
try:
    wheels.within(context, lambda: wheels.within(context, inside))
except RuntimeError as error:
    print(str(error).partition(":")[0])
for wrong in (context, 5):
    try:
        wheels.leave(wrong)
    except (RuntimeError, TypeError) as error:
        print(type(error).__name__, str(error).partition("<")[0])


def work():
    total = 0
    for number in (1, 2):
        total += number
    return len([total])


for profile in (False, True):
    events = []
    wheels.trace(events, work, profile)
    print(events)

show(wheels.buffer, b"abc")
show(wheels.buffer, bytearray(b"abcd"))
show(wheels.buffer, 5)
print(wheels.Early.early, wheels.Early().early, pickle.PickleBuffer(b"x").raw().tobytes())
