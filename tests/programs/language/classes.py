class Base:
    registry = []

    def __init_subclass__(cls, /, tag=None, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.registry.append((cls.__name__, tag))


class Field:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, obj, cls=None):
        return self if obj is None else obj.__dict__.get(self.name, 0)

    def __set__(self, obj, value):
        obj.__dict__[self.name] = value * 2


class A(Base, tag="a"):
    x = Field()

    def who(self):
        return "A"


class B(Base, tag="b"):
    def who(self):
        return "B"


class C(A, B):
    __slots__ = ("extra",)

    def who(self):
        return "C" + super().who()


c = C()
c.x = 21
c.extra = 5
print(c.x, c.extra, c.who(), [k.__name__ for k in C.__mro__])
print(Base.registry)


class Meta(type):
    def __prepare__(name, bases):
        return {"made": name}

    def __call__(cls, *args):
        return super().__call__(*args), "called"


class D(metaclass=Meta):
    def __init__(self, n=1):
        self.n = n

    @property
    def double(self):
        return self.n * 2

    @classmethod
    def cm(cls):
        return cls.__name__

    @staticmethod
    def sm(x):
        return x + 1


d, mark = D(4)
print(d.n, d.double, mark, D.made, d.cm(), D.sm(1))
try:
    d.missing
except AttributeError as error:
    print(error)
try:
    class E(int, str):
        pass
except TypeError as error:
    print(error)
T = type("T", (list,), {"total": lambda self: sum(self)})
print(T([1, 2, 3]).total(), T.__bases__)
