# Binding arguments: every kind of parameter, defaults, and the texts of what goes wrong.
def show(f, *args, **kwargs):
    try:
        print(f(*args, **kwargs))
    except TypeError as e:
        print(type(e).__name__, e)


def plain(a, b):
    return a, b


def defaults(a, b=2, c=3):
    return a, b, c


def everything(a, b=2, /, c=3, *args, d, e=5, **kwargs):
    return a, b, c, args, d, e, sorted(kwargs.items())


def keyword_only(*, k, j):
    return k, j


def positional_only(a, b, /, c):
    return a, b, c


show(plain, 1, 2)
show(plain, b=1, a=2)
show(plain, 1)
show(plain)
show(plain, 1, 2, 3)
show(plain, 1, a=2)
show(plain, 1, c=2)
show(defaults, 1)
show(defaults, 1, c=7)
show(defaults)
show(defaults, 1, 2, 3, 4)
show(everything, 1, d=4)
show(everything, 1, 2, 3, 4, 5, d=6, x=7, y=8)
show(everything, 1)
show(keyword_only)
show(keyword_only, 1, k=2, j=3)
show(keyword_only, k=2)
show(positional_only, 1, 2, c=3)
show(positional_only, a=1, b=2, c=3)


def alpha(alpha):
    return alpha


show(alpha, alpah=1)
show(lambda *a: a, *[1, 2], *(3,), *range(2))
show(lambda **k: sorted(k), **{"a": 1}, **{"b": 2})
for bad in ("plain(*3)", "plain(**3)", "plain(a=1, **{'a': 3})", "plain(**{1: 2})"):
    try:
        eval(bad)
    except TypeError as e:
        print(e)


class A:
    def __init__(self, x):
        self.x = x

    def method(self, y=1):
        return self.x, y

    @classmethod
    def made(cls, x):
        return cls(x)

    @staticmethod
    def static(x):
        return x

    def __call__(self, *args):
        return args

    def __getitem__(self, key):
        return key * 2


for _ in range(3):
    a = A(3)
    bound = a.method
    print(a.method(), a.method(5), bound(y=6), A.method(a), A.made(4).x, A.static(9), a(1, 2), a[4])


class Bad:
    def __init__(self):
        return 1


try:
    Bad()
except TypeError as e:
    print(e)


def fact(n):
    return 1 if n < 2 else n * fact(n - 1)


print(fact(20))


def deep(n):
    return deep(n + 1)


try:
    deep(0)
except RecursionError as e:
    print(e)


def outer():
    x = 1

    def inner():
        nonlocal x
        x += 1
        return x

    inner()
    return inner(), x


print(outer())
f = lambda x, *, y=2: (x, y)
f.__defaults__ = (10,)
f.__kwdefaults__ = {"y": 20}
print(f(), f(1, y=2))
print([g(1) for g in [lambda x, i=i: x + i for i in range(3)]])
