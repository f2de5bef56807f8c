"""The cycle collector as a program sees it."""

import gc
import weakref

gc.collect()
gc.disable()


class Node:
    def __init__(self, name):
        self.name = name
        self.other = None

    def __repr__(self):
        return self.name


def pair():
    a, b = Node("a"), Node("b")
    a.other, b.other = b, a
    return a


print(gc.get_threshold(), gc.isenabled())
pair()
print(gc.collect())
one = []
one.append(one)
del one
print(gc.collect())
for call in [lambda: gc.collect(3), lambda: gc.collect(-1), lambda: gc.get_objects(3), lambda: gc.get_objects(-1)]:
    try:
        call()
    except ValueError as error:
        print(error)


class Finalised(Node):
    def __del__(self):
        print("del", self, gc.is_finalized(self))


def finalised():
    a, b = Finalised("x"), Finalised("y")
    a.other, b.other = b, a


finalised()
print(gc.collect() >= 2)

kept = []


class Phoenix(Node):
    def __del__(self):
        kept.append(self)


phoenix = Phoenix("phoenix")
phoenix.other = phoenix
ref = weakref.ref(phoenix)
del phoenix
gc.collect()
print(kept, gc.is_finalized(kept[0]), ref() is kept[0])
kept.clear()
gc.collect()
print(kept, ref())

a = pair()
ref = weakref.ref(a, lambda ref: print("callback", ref()))
del a
gc.collect()


def with_inner_ref():
    a = pair()
    a.ref = weakref.ref(a, lambda ref: print("never"))


with_inner_ref()
print(gc.collect() > 0)

print(gc.is_tracked([]), gc.is_tracked({}), gc.is_tracked(1), gc.is_tracked("a"), gc.is_tracked(Node("a")))
x = [1]
y = [x]
print(any(r is y for r in gc.get_referrers(x)), gc.get_referents(y))
events = []
gc.callbacks.append(lambda phase, info: events.append((phase, sorted(info.items()))))
gc.collect(1)
gc.callbacks.clear()
print(events)
gc.set_debug(gc.DEBUG_SAVEALL)
pair()
gc.collect()
gc.set_debug(0)
print([o for o in gc.garbage if isinstance(o, Node)])
gc.garbage.clear()
gc.collect()
gc.freeze()
print(gc.get_freeze_count() > 0)
gc.unfreeze()
print(gc.get_freeze_count())
gc.set_threshold(700, 5)
print(gc.get_threshold()[:2])
gc.enable()
ref = weakref.ref(pair())
junk = []
while ref() is not None and len(junk) < 100000:
    junk.append([])
print(ref())
