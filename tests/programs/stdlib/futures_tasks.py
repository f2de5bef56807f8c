# Futures and tasks: results, cancellation, contexts, names, eager starts and what goes wrong.
import _asyncio
import asyncio
import contextvars
import gc

var = contextvars.ContextVar("var", default=0)


def show(thunk):
    try:
        print(thunk())
    except BaseException as error:
        print(type(error).__name__, error)


async def step(name, count):
    for i in range(count):
        await asyncio.sleep(0)
        print(name, i)
    return name


async def main():
    loop = asyncio.get_running_loop()
    first, second = asyncio.create_task(step("a", 2)), asyncio.create_task(step("b", 3), name="second")
    print(second.get_name(), first.done(), second in asyncio.all_tasks(), asyncio.current_task() in asyncio.all_tasks())
    print(await asyncio.gather(first, second), first.result(), first._state, first.exception())

    future = loop.create_future()
    order = []
    for i in range(3):
        future.add_done_callback(lambda f, i=i: order.append(i))
    future.add_done_callback(print)
    print(future.remove_done_callback(print), len(future._callbacks))
    future.set_result(42)
    show(lambda: future.set_result(1))
    print(await future, order, future.cancel())
    await asyncio.sleep(0)
    print(order)

    failed = loop.create_future()
    failed.set_exception(StopIteration(5))
    show(failed.result)
    show(lambda: loop.create_future().set_exception(3))
    show(lambda: loop.create_future().result())

    async def stubborn():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError as error:
            print("cancelled", error.args, asyncio.current_task().cancelling())
            asyncio.current_task().uncancel()
        return "still here"

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    print(task.cancel("why"), await task, task.cancelled(), task.cancelling())

    task = asyncio.create_task(asyncio.sleep(10))
    task.cancel("early")
    try:
        await task
    except asyncio.CancelledError as error:
        print(error.args, task.cancelled())

    async def context_user():
        var.set(var.get() + 1)
        await asyncio.sleep(0)
        return var.get()

    context = contextvars.copy_context()
    print(await asyncio.create_task(context_user(), context=context), await asyncio.create_task(context_user(), context=context), var.get())

    eager = asyncio.Task(step("eager", 0), loop=loop, eager_start=True)
    print(eager.done(), eager.result(), eager.get_coro())
    eager = asyncio.Task(step("later", 1), loop=loop, eager_start=True)
    print(eager.done(), await eager)

    class Bad:
        def __await__(self):
            yield 3

    class Own:
        def __await__(self):
            yield asyncio.current_task()

    async def awaits(thing):
        await thing

    for thing in (Bad(), Own()):
        try:
            await asyncio.create_task(awaits(thing), name="bad")
        except RuntimeError as error:
            print(str(error)[:40])

    # A callback whose comparison empties the list.
    class Evil:
        def __call__(self, future):
            pass

        def __eq__(self, other):
            victim.cancel()
            return False

    victim = loop.create_future()
    for _ in range(3):
        victim.add_done_callback(Evil())
    show(lambda: victim.remove_done_callback(print))

    loop.set_exception_handler(lambda loop, context: print(context["message"], repr(context.get("exception"))))
    lost = loop.create_future()
    lost.set_exception(ValueError("lost"))
    del lost
    gc.collect()


asyncio.run(main())
for cls in (_asyncio.Future, _asyncio.Task):
    blank = cls.__new__(cls)
    for name in ("result", "exception", "cancelled", "done", "get_loop", "__await__", "__repr__"):
        show(getattr(blank, name))
    for name in ("_state", "_loop", "_callbacks", "_result", "_asyncio_awaited_by"):
        show(lambda: getattr(blank, name))
show(lambda: _asyncio.Task(3, loop=asyncio.new_event_loop()))
show(lambda: _asyncio.current_task())
show(lambda: _asyncio._enter_task(1, 2))
show(lambda: _asyncio._swap_current_task(1, 2))
show(lambda: _asyncio._register_task(3))
