"""Stacks and asyncio tasks of this process and of a child, read from outside."""

import asyncio
import os
import subprocess
import sys
import textwrap

from _remote_debugging import RemoteUnwinder

CHILD = textwrap.dedent(
    """
    import asyncio, sys, time

    async def sleeper():
        await asyncio.Event().wait()

    async def waiter(task):
        await task

    async def numbers():
        yield tell()

    def tell():
        print("ready", flush=True); sys.stdin.readline()
        return 1

    async def runner():
        async for _ in numbers():
            pass

    async def main():
        task = asyncio.create_task(sleeper(), name="sleeper")
        asyncio.create_task(waiter(task), name="first")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.create_task(runner(), name="runner")

    asyncio.run(main())
    """
)


def names(stack):
    return [frame.funcname for frame in stack]


def lines(stack):
    return [(frame.filename, frame.lineno) for frame in stack]


def show(result):
    for thread in result:
        ids = {task.task_id: task.task_name for entry in result for task in entry.awaited_by}
        for task in thread.awaited_by:
            own = [names(coro.call_stack) for coro in task.coroutine_stack]
            waiting = sorted((ids[coro.task_name], names(coro.call_stack)) for coro in task.awaited_by)
            print(" ", task.task_name, own, waiting)


def attempt(what, *args, **kwargs):
    try:
        print(what(*args, **kwargs))
    except Exception as error:
        print(type(error).__name__, str(error)[:46])


def here():
    return RemoteUnwinder(os.getpid()).get_stack_trace()


def through_native():
    return list(map(lambda _: here(), [0]))[0]


own = here()
print(len(own), own[0].thread_id == os.getpid(), names(own[0].frame_info))
print(names(through_native()[0].frame_info))

with subprocess.Popen(
    [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
) as child:
    child.stdout.readline()
    unwinder = RemoteUnwinder(child.pid, all_threads=True)
    stacks = unwinder.get_stack_trace()
    print([(thread.thread_id == child.pid, names(thread.frame_info)) for thread in stacks])
    print(lines(stacks[0].frame_info))
    show(unwinder.get_async_stack_trace())
    print("all")
    show(unwinder.get_all_awaited_by())
    print(RemoteUnwinder(child.pid, only_active_thread=True).get_stack_trace())
    child.kill()
    child.wait()
    attempt(unwinder.get_stack_trace)
    attempt(RemoteUnwinder, child.pid)

attempt(RemoteUnwinder, os.getpid(), all_threads=True, only_active_thread=True)
attempt(RemoteUnwinder, -1)
attempt(RemoteUnwinder, 2**40)
attempt(RemoteUnwinder, "1")

deep = "def f(n):\n    return f(n - 1) if n else RemoteUnwinder(os.getpid()).get_stack_trace()\n"
sys.setrecursionlimit(5000)
exec(deep)
attempt(f, 2000)


async def item():
    yield 5


async def main():
    return await asyncio.create_task(anext(item()))


print(asyncio.run(main()))
