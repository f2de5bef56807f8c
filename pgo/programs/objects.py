"""Classes, instances, attributes and calls."""
import abc
import collections
import copy
import dataclasses
import enum
import functools
import typing
import weakref

from training import train


class Shape:
    kind = "shape"
    count = 0

    def __init__(self, name, *, scale=1):
        self.name = name
        self.scale = scale
        Shape.count += 1

    def area(self):
        return 0

    def describe(self, prefix="", suffix="."):
        return f"{prefix}{self.name}: {self.area()}{suffix}"

    def __eq__(self, other):
        return isinstance(other, Shape) and self.name == other.name

    def __hash__(self):
        return hash(self.name)

    def __lt__(self, other):
        return self.area() < other.area()

    @property
    def label(self):
        return self.name

    @label.setter
    def label(self, value):
        self.name = value

    @classmethod
    def unit(cls):
        return cls("unit")

    @staticmethod
    def twice(value):
        return value * 2


class Box(Shape):
    def __init__(self, name, width, height, **options):
        super().__init__(name, **options)
        self.width, self.height = width, height

    def area(self):
        return self.width * self.height * self.scale


class Circle(Shape):
    def __init__(self, name, radius):
        super().__init__(name)
        self.radius = radius

    def area(self):
        return 3.14159 * self.radius**2


class Point:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    def __neg__(self):
        return Point(-self.x, -self.y)

    def __mul__(self, factor):
        return Point(self.x * factor, self.y * factor)

    __rmul__ = __mul__

    def __bool__(self):
        return bool(self.x or self.y)

    def __repr__(self):
        return f"Point({self.x!r}, {self.y!r})"


class Bag:
    def __init__(self):
        self.things = {}

    def __getitem__(self, key):
        return self.things[key]

    def __setitem__(self, key, value):
        self.things[key] = value

    def __contains__(self, key):
        return key in self.things

    def __len__(self):
        return len(self.things)

    def __iter__(self):
        return iter(self.things)

    def __call__(self, key, default=None):
        return self.things.get(key, default)

    def __getattr__(self, name):
        if name.startswith("thing_"):
            return self.things[name]
        raise AttributeError(name)


class Typed:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.name, 0)

    def __set__(self, instance, value):
        setattr(instance, self.name, int(value))


class Record:
    size = Typed()
    weight = Typed()


@dataclasses.dataclass(order=True)
class Item:
    name: str
    price: float = 1.5
    tags: list = dataclasses.field(default_factory=list)


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Node:
    def __init__(self, value, left=None, right=None):
        self.value, self.left, self.right = value, left, right
        self.parent = None

    def insert(self, value):
        if value < self.value:
            if self.left is None:
                self.left = Node(value)
                self.left.parent = self
            else:
                self.left.insert(value)
        elif self.right is None:
            self.right = Node(value)
            self.right.parent = self
        else:
            self.right.insert(value)

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right


def shapes():
    found = [Box("a", 2, 3), Circle("b", 2), Box("c", 1, 1, scale=4), Shape.unit()]
    for _ in range(50):
        total = 0
        for shape in found:
            total += shape.area()
            shape.label = shape.label
            shape.describe(suffix="!")
            shape.describe("the ")
        total += Shape.twice(total)
        found.sort()
        found[0] == found[1], hash(found[2]), found[0].kind, Box.kind, isinstance(found[0], (int, Shape))


def points():
    at = Point(0, 0)
    for i in range(200):
        at = at + Point(i, i + 1)
        at = -at if at else at * 2
    return repr(2 * at)


def bags():
    bag = Bag()
    for i in range(100):
        bag[i] = i
        bag[f"thing_{i}"] = i
    found = 0
    for key in bag:
        if key in bag and len(bag) and bag(key, 0) is not None:
            found += bag[key]
    found += bag.thing_3 + getattr(bag, "other", 1)
    return hasattr(bag, "nothing"), hasattr(Bag, "nothing"), hasattr(bag, "things"), found


def descriptors():
    record = Record()
    for i in range(200):
        record.size = i
        record.weight += record.size


def data_classes():
    items = [Item(f"n{i % 7}", i / 3) for i in range(60)]
    items.sort()
    return items[0] == items[1], repr(items[2]), dataclasses.replace(items[3], name="x")


def enums():
    for _ in range(100):
        Colour.RED is Colour.GREEN, Colour(2), Colour["RED"].name, Colour.GREEN.value, Colour.RED in (Colour.GREEN,)


def trees():
    root = Node(50)
    for i in range(100):
        root.insert(i * 37 % 101)
    return sum(root)


def make_classes():
    def method(self):
        return self.x

    made = type("Made", (Box,), {"method": method, "x": 3})

    class Local(made, metaclass=abc.ABCMeta):
        y: int = 4

        @abc.abstractmethod
        def later(self): ...

        @functools.cached_property
        def cached(self):
            return self.y

    return Local, typing.NamedTuple("Pair", [("a", int), ("b", int)])(1, 2)


def keywords(a, b=2, *rest, c=3, d=4, **more):
    return a + b + c + d + len(rest) + len(more)


def call_forms():
    args, options = (1, 2), {"c": 5}
    for i in range(100):
        keywords(i)
        keywords(i, c=1)
        keywords(*args, d=i)
        keywords(*args, 3, 4, **options)
        keywords(1, **options, other=2)
        keywords(b=1, a=i)
    return keywords


def closures():
    def counter(start):
        value = start

        def step(by=1):
            nonlocal value
            value += by
            return value

        return step

    step = counter(3)
    for i in range(200):
        step()
        step(i)
    add = lambda x, y: x + y
    return functools.reduce(add, range(100)), list(map(lambda x: x * 2, range(50)))


@functools.lru_cache(maxsize=64)
def cached(n):
    return n * n


def functools_use():
    double = functools.partial(keywords, 2, d=1)
    for i in range(200):
        cached(i % 100)
        double()
        double(i)


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    return ackermann(m - 1, 1) if n == 0 else ackermann(m - 1, ackermann(m, n - 1))


def recursion():
    return fibonacci(12), ackermann(2, 5), depth(trees_of(6))


def trees_of(n):
    return None if n == 0 else (trees_of(n - 1), trees_of(n - 1))


def depth(tree):
    return 0 if tree is None else 1 + max(depth(tree[0]), depth(tree[1]))


Pair = collections.namedtuple("Pair", "first second")


def tuples_with_names():
    total = 0
    for i in range(100):
        pair = Pair(i, second=2)
        first, second = pair
        total += pair.first + second + pair._replace(first=1)[0] + first
    return total


def copies():
    value = {"a": [1, 2, (3, 4)], "b": {"c": Item("x")}, "d": Point(1, 2)}
    return copy.deepcopy(value), copy.copy(value)


def weak():
    kept = [Node(i) for i in range(50)]
    references = [weakref.ref(node) for node in kept]
    table = weakref.WeakValueDictionary((i, node) for i, node in enumerate(kept))
    group = weakref.WeakSet(kept)
    return sum(reference().value for reference in references), len(table), len(group)


def cycles():
    for _ in range(300):
        a, b = Node(1), Node(2)
        a.left, b.left = b, a


def dynamic():
    box = Box("x", 1, 2)
    for i in range(60):
        setattr(box, f"field{i % 5}", i)
        getattr(box, "width"), vars(box).get("name"), type(box).__name__, callable(box.area), issubclass(Box, Shape)
        delattr(box, f"field{i % 5}")


train(shapes, points, bags, descriptors, data_classes, enums, trees, make_classes, call_forms, closures, functools_use,
      recursion, tuples_with_names, copies, weak, cycles, dynamic,
      seconds=0.3)
