# asyncio as of 3.14.10: who awaits whom, shields, accepted sockets, processes.
import asyncio
import sys


async def waits(future):
    await asyncio.wait([future], timeout=0.01)
    return future


async def main():
    loop = asyncio.get_running_loop()
    seen = []
    loop.set_exception_handler(lambda loop, context: seen.append(context["message"]))
    future = loop.create_future()
    await waits(future)
    print(asyncio.future_discard_from_awaited_by(future, None), future._asyncio_awaited_by)

    inner = loop.create_future()
    outer = asyncio.shield(inner)
    outer.cancel()
    await asyncio.sleep(0)
    inner.set_exception(ValueError("unseen"))
    await asyncio.sleep(0)
    inner.exception()
    print(seen, inner._callbacks)

    iterator = asyncio.as_completed([loop.create_future()])
    pending = next(iterator)
    task = asyncio.create_task(pending)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    print(iterator._todo_left)

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import sys; sys.exit(3)")
    print(await process.wait())


asyncio.run(main())
