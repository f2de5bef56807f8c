def numbers(n):
    received = None
    for i in range(n):
        received = yield i if received is None else received
    return "done"


def outer():
    result = yield from numbers(3)
    yield result


print(list(outer()))
g = numbers(3)
print(next(g), g.send("hello"), next(g))
try:
    next(g)
except StopIteration as stop:
    print("returned", stop.value)


def cleanup():
    try:
        yield 1
    finally:
        print("closed")


g = cleanup()
next(g)
g.close()
print({k: v for k, v in zip("abc", range(3))}, {x % 3 for x in range(10)}, sum(x * x for x in range(10)))


async def answer():
    return 42


coroutine = answer()
try:
    coroutine.send(None)
except StopIteration as stop:
    print(stop.value)


def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


f = fib()
print([next(f) for _ in range(20)])
match [1, 2, {"k": (3, 4)}]:
    case [int(a), b, {"k": (c, d)}] if d > c:
        print("matched", a, b, c, d)
with __import__("contextlib").suppress(KeyError) if False else open(__file__) as file:
    print(file.readline().strip())
