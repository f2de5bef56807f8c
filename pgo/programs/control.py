"""Exceptions, generators, coroutines, tasks, threads, matching."""
import asyncio
import contextlib
import logging
import io
import queue
import threading
import traceback

from training import train


class Refused(ValueError):
    def __init__(self, code):
        super().__init__(f"refused: {code}")
        self.code = code


def check(n):
    if n % 3 == 0:
        raise Refused(n)
    if n % 7 == 0:
        return {}["missing"]
    return n


def raising():
    total = 0
    for n in range(200):
        try:
            total += check(n)
        except Refused as error:
            total -= error.code
        except (KeyError, IndexError):
            total += 1
        else:
            total += 2
        finally:
            total ^= 1
    return total


def deep(n):
    if n == 0:
        raise LookupError("bottom")
    try:
        return deep(n - 1)
    finally:
        n += 1


def chained():
    for _ in range(20):
        try:
            try:
                deep(15)
            except LookupError as error:
                raise RuntimeError("outer") from error
        except RuntimeError as error:
            error.__cause__.args
    try:
        raise ExceptionGroup("several", [ValueError(1), TypeError(2)])
    except* ValueError as group:
        str(group)
    except* TypeError:
        pass
    try:
        deep(3)
    except LookupError:
        return traceback.format_exc()


def quiet():
    total = 0
    for n in range(500):
        try:
            total += n
        except ValueError:
            total = 0
    return total


class Held:
    def __enter__(self):
        return self

    def __exit__(self, kind, value, where):
        return kind is KeyError


@contextlib.contextmanager
def managed(value):
    try:
        yield value
    finally:
        value.append(1)


def contexts():
    lock, found = threading.Lock(), []
    for _ in range(100):
        with Held() as held, lock:
            found.append(held)
        with Held():
            raise KeyError
        with managed(found), contextlib.suppress(ValueError):
            int("x")


def numbers(n):
    for i in range(n):
        got = yield i
        if got:
            yield got


def nested(n):
    yield from numbers(n)
    yield from (i * 2 for i in range(n))
    return n


def generators():
    total = 0
    for _ in range(20):
        total += sum(nested(20)) + sum(i for i in numbers(10))
    source = numbers(50)
    next(source)
    for i in range(10):
        total += source.send(i)
    source.close()
    return total


class Soon:
    def __await__(self):
        yield
        return 1


async def leaf(n):
    return n


async def inner(n):
    return await leaf(n) + await leaf(1)


def coroutines():
    total = 0
    for i in range(150):
        try:
            inner(i).send(None)
        except StopIteration as end:
            total += end.value
    return total


async def tree(level):
    if level == 0:
        await asyncio.sleep(0)
        return 1
    return sum(await asyncio.gather(*[tree(level - 1) for _ in range(3)]))


async def grouped(level):
    if level:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(grouped(level - 1))


async def counted(n):
    for i in range(n):
        yield i


async def worker(tasks, done):
    while (item := await tasks.get()) is not None:
        done.append(item)


async def everything():
    await tree(4)
    await grouped(4)
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    await tree(4)
    await grouped(3)
    asyncio.get_running_loop().set_task_factory(None)
    total = 0
    async for i in counted(50):
        total += i
    tasks, done, lock, event = asyncio.Queue(5), [], asyncio.Lock(), asyncio.Event()
    running = [asyncio.create_task(worker(tasks, done)) for _ in range(2)]
    for i in range(40):
        async with lock:
            await tasks.put(i)
    for _ in running:
        await tasks.put(None)
    await asyncio.wait(running)
    event.set()
    await asyncio.wait_for(event.wait(), 5)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.0001):
            await asyncio.sleep(1)


async def talking():
    async def answer(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for i in range(30):
        writer.write(b"line %d\n" % i)
        await reader.readline()
    writer.close()
    server.close()
    await server.wait_closed()


def threads():
    work, results = queue.Queue(), []

    def serve():
        while (n := work.get()) is not None:
            results.append(n * n)

    pool = [threading.Thread(target=serve) for _ in range(3)]
    for thread in pool:
        thread.start()
    for n in range(60):
        work.put(n)
    for _ in pool:
        work.put(None)
    for thread in pool:
        thread.join()
    return sum(results)


def evaluate(tree):
    match tree:
        case int() | float():
            return tree
        case ["add", left, right]:
            return evaluate(left) + evaluate(right)
        case ["mul", left, right]:
            return evaluate(left) * evaluate(right)
        case {"value": value, **rest} if not rest:
            return value
        case [first, *rest]:
            return first + len(rest)
        case str(text) if text.isdigit():
            return int(text)
        case "one":
            return 1
        case Refused(code=code):
            return code
        case _:
            return 0


def matching():
    trees = [3, ["add", 1, ["mul", 2, 3.5]], {"value": 4}, {"value": 4, "more": 5}, [1, 2, 3], "77", "one", None, Refused(3), "other"]
    for _ in range(20):
        for tree in trees:
            evaluate(tree)


def logged():
    log = logging.getLogger("training")
    log.propagate = False
    log.handlers = [logging.StreamHandler(io.StringIO())]
    log.handlers[0].setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for i in range(30):
        log.warning("value %d of %s", i, "x")
        log.debug("nothing")


class Machine:
    """A little virtual machine: dispatch by `if` and by table, as interpreters and parsers do."""

    def __init__(self):
        self.stack = []
        self.table = {"push": self.push, "add": self.add, "dup": self.dup}

    def push(self, value):
        self.stack.append(value)

    def add(self, _):
        self.stack.append(self.stack.pop() + self.stack.pop())

    def dup(self, _):
        self.stack.append(self.stack[-1])

    def run(self, program):
        for name, argument in program:
            if name == "jump" and argument:
                continue
            elif name == "drop":
                self.stack.pop()
            else:
                self.table[name](argument)


def machine():
    program = [("push", 3), ("dup", None), ("add", None), ("jump", 1), ("drop", None)] * 60
    Machine().run(program)


train(raising, chained, quiet, contexts, generators, coroutines, lambda: asyncio.run(everything()), lambda: asyncio.run(talking()),
      threads, matching, logged, machine,
      seconds=0.3)
