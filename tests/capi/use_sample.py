import gc
import sample


def show(function, *args, **kwargs):
    try:
        print(function(*args, **kwargs))
    except BaseException as error:
        print(type(error).__name__, error)


print(sample.__name__, sample.__doc__, sample.ANSWER, sample.Error.__mro__[1], sample.Error.__module__)
box = sample.Box(3, label="x")
print(box, box.width, box.ratio, box.label, box.area, box + 4)
print(sample.Box.__doc__, sample.Box.__text_signature__, sample.Box.grow.__doc__, sample.Box.__module__)
box.area = 9.7
print(box.grow(1, 2).width, bytes(box), memoryview(box)[1])
show(box.__add__, "x")
show(lambda: box + "x")
show(setattr, box, "ratio", 2)
show(setattr, box, "width", "x")
show(setattr, box, "other", 2)
show(delattr, box, "area")
show(delattr, box, "label")
show(lambda: box.label)
show(sample.Box)
show(sample.Box, 1, 2, 3)
show(sample.Box, 1, widht=2)
show(sample.Box, 1, width=2)
show(sample.Box, "x")


class Derived(sample.Box):
    def __repr__(self):
        return "derived " + super().__repr__()


derived = Derived(5, 2.0)
derived.anything = 1
print(derived, derived.__dict__, isinstance(derived, sample.Box))

print(list(sample.Countdown(lambda n: n * n, 4)), sample.Countdown.__module__, sample.Countdown.__doc__)
loop = sample.Countdown(print, 1)
holder = [loop]
loop.__init__(holder.append, 1)
del loop, holder
print(gc.collect() > 0)

show(sample.parse, "t", 1, b"abc", (4, 5), None)
show(sample.parse, "t\0", 1, b"abc", (4, 5), None)
show(sample.parse, "t", 2**40, b"abc", (4, 5), None)
show(sample.parse, "t", 1.5, b"abc", (4, 5), None)
show(sample.parse, "t", 1, "abc", (4, 5), None)
show(sample.parse, "t", 1, b"abc", (4, "x"), None)
show(sample.parse, "t", 1, b"abc", (4,), None)
show(sample.parse, "t", 1, b"abc", (4, 5), 3)
show(sample.parse, "t")
for kind in range(5):
    show(sample.fail, kind)
show(sample.fail)
print(sample.swallow(lambda: 1 / 0), sample.swallow(lambda: 5))
print(sample.unlocked(), sample.fill({"a": 1, 2: "b"}), sample.carry())

# Inline values belong to instances that C code allocates too.
tagged = [sample.Tagged() for _ in range(200)]
print(tagged[7].__dict__, vars(tagged[8]))
for number, one in enumerate(tagged):
    one.number, one.cycle = number, one
print(sum(one.number for one in tagged), len(tagged[-1].__dict__), gc.collect())
del tagged, one
print(gc.collect() >= 200)

print(sample.real_part(3 + 4j), sample.real_part(True))
show(sample.real_part, None)

# What extensions allocate is freed by its block, whatever the type says: nothing else gets memory that is in use.
for _ in range(50):
    made = [(sample.plain(), sample.gathered()) for _ in range(40)]
    texts = [f"{number:_>{width}}" for number in range(40) for width in (16, 40, 60)]
    del made
    more = [b"+" * width for width in range(20, 120)]
    assert all(len(text) in (16, 40, 60) and text.strip("_").isdigit() for text in texts)
    gc.collect()
print(type(sample.gathered()).__mro__)
