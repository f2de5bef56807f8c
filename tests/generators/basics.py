# Generators: sending, throwing, closing, delegation, finalisation.
def count(n):
    try:
        for i in range(n):
            got = yield i
            if got:
                print("got", got)
    except ValueError as e:
        print("caught", e)
        yield "after"
    finally:
        print("done")
    return "result"


g = count(3)
print(next(g), g.send("x"), g.throw(ValueError("v")))
try:
    next(g)
except StopIteration as e:
    print(e.value)
print(list(count(2)))


def delegate():
    r = yield from count(2)
    print("inner gave", r)
    r = yield from [1, 2]
    return r


print(list(delegate()))
g = delegate()
next(g)
print(g.throw(ValueError("w")))
g.close()
g = count(3)
next(g)
g.close()
g = count(3)
print(g.close())
try:
    g.send(1)
except StopIteration:
    print("finished")
try:
    count(1).send(5)
except TypeError as e:
    print(e)


def bad():
    yield 1
    raise StopIteration("x")


try:
    list(bad())
except RuntimeError as e:
    print(e, repr(e.__cause__))


def ignores():
    while True:
        try:
            yield
        except GeneratorExit:
            pass


g = ignores()
next(g)
try:
    g.close()
except RuntimeError as e:
    print(e)


def recursive():
    yield next(r)


r = recursive()
try:
    next(r)
except ValueError as e:
    print(e)
print(sum(x * x for x in range(10) if x % 2))
print([*(i for i in range(3))], {k: v for k, v in zip("ab", (1, 2))}, {x % 3 for x in range(10)})
g = (x for x in range(2))
print(g.gi_running, g.gi_suspended, g.gi_frame is not None, next(g), g.gi_suspended, list(g), g.gi_frame)


async def coro(n):
    return n * 2


class Aw:
    def __await__(self):
        got = yield "waiting"
        return got


async def main():
    a = await coro(4)
    b = await Aw()
    out = []
    async for i in agen():
        out.append(i)
    async with CM() as c:
        out.append(c)
    return a, b, out, [x async for x in agen() if x]


async def agen():
    for i in range(3):
        yield i


class CM:
    async def __aenter__(self):
        return "entered"

    async def __aexit__(self, *args):
        print("exit", args)


m = main()
print(m.send(None))
try:
    m.send("sent")
except StopIteration as e:
    print(e.value)
try:
    m.send(None)
except RuntimeError as e:
    print(e)


async def use_asend():
    a = two_way()
    print(await a.asend(None), await a.asend(10))
    try:
        await a.athrow(KeyError("k"))
    except KeyError as e:
        print("out", e)
    a = two_way()
    await a.__anext__()
    await a.aclose()
    try:
        await a.__anext__()
    except StopAsyncIteration:
        print("closed")


async def two_way():
    got = yield 1
    yield got
    yield 3


try:
    use_asend().send(None)
except StopIteration:
    pass
