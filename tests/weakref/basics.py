"""weakref.ref and proxies: arguments, callbacks, equality, forwarding."""

import re
import weakref


def show(call):
    try:
        text = repr(call())
    except BaseException as error:
        text = f"{type(error).__name__} | {error}"
    print(re.sub("0x[0-9a-f]+", "0x", text))


class C:
    pass


class Ref(weakref.ref):
    pass


c = C()
for cls in [weakref.ref, Ref]:
    show(lambda: cls())
    show(lambda: cls(c, None, None))
    show(lambda: cls(c, callback=None))
    show(lambda: cls(1))
    show(lambda: cls(c)(1))
show(lambda: weakref.ref(c)(a=1))
show(lambda: weakref.ref(c))
show(lambda: weakref.ref(show))
show(lambda: weakref.ref(C))
show(lambda: weakref.proxy(c))
show(lambda: weakref.proxy(1))
show(lambda: weakref.proxy(c, 1, 2))
show(lambda: weakref.proxy())
show(lambda: weakref.ref(c) is weakref.ref(c))
show(lambda: weakref.proxy(c) is weakref.proxy(c))
show(lambda: Ref(c) is Ref(c))

order = []
refs = [weakref.ref(c, lambda ref, i=i: order.append((i, ref() is None))) for i in range(4)]
plain = weakref.ref(c)
proxy = weakref.proxy(c)
show(lambda: weakref.getweakrefcount(c))
show(lambda: weakref.getweakrefs(c)[0] is plain)
show(lambda: hash(proxy))
show(lambda: proxy())
show(lambda: len(proxy))
show(lambda: proxy < 1)
show(lambda: proxy == c)
show(lambda: bytes(proxy))
show(lambda: iter(proxy))
show(lambda: next(proxy))
show(lambda: proxy + 1)
show(lambda: proxy[1])
show(lambda: plain == refs[0])
show(lambda: hash(plain) == hash(refs[0]) == hash(c))
proxy.x = 5
show(lambda: c.x)
del proxy.x
show(lambda: hasattr(c, "x"))
del c
print(order)
show(lambda: plain)
show(lambda: isinstance(hash(plain), int))
show(lambda: proxy)
show(lambda: str(proxy))
show(lambda: proxy.x)
show(lambda: bool(proxy))
show(lambda: proxy == 1)
show(lambda: plain == refs[0])
show(lambda: plain < refs[0])
show(lambda: refs[0].__callback__)
unhashed = weakref.ref(C())
show(lambda: hash(unhashed))


class Number:
    """Answers every operator with its name."""


for name in "add sub mul pow floordiv truediv mod divmod lshift rshift and or xor matmul".split():
    for prefix in ["", "r", "i"]:
        special = f"__{prefix}{name}__"
        if special != "__idivmod__":
            setattr(Number, special, lambda self, other, *rest, special=special: (special, other, rest))
for name in ["neg", "pos", "abs", "invert"]:
    setattr(Number, f"__{name}__", lambda self, name=name: name)
Number.__int__ = Number.__index__ = lambda self: 7
Number.__float__ = lambda self: 7.5
Number.__bool__ = lambda self: False
n = Number()
p = weakref.proxy(n)
print(p + 1, 1 + p, p - 1, 2 * p, p**2, 2**p, p // 2, p / 2, p % 4, divmod(p, 2), divmod(2, p), p @ 1)
print(p << 1, p >> 1, p & 3, p | 8, p ^ 1, 1 | p, pow(p, 2, 3))
print(-p, +p, abs(p), ~p, bool(p), int(p), float(p), list(range(10))[p])
import operator

for name in "add sub mul pow floordiv truediv mod lshift rshift and or xor matmul".split():
    print(getattr(operator, "i" + name)(p, 3))


class Items(list):
    pass


items = Items([3, 1, 2])
p = weakref.proxy(items)
p[0] = 9
p += [4]
print(len(items), items, 9 in items)
d = weakref.WeakValueDictionary()
d["a"] = items
k = weakref.WeakKeyDictionary()
key = C()
k[key] = 1
s = weakref.WeakSet([key])
print(len(d), len(k), len(s))
del items, p, key
print(len(d), len(k), len(s))
