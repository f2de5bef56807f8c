"""asyncio: a TLS echo server with a thousand clients at once, timeouts, cancellation, TaskGroup, subprocesses."""
import asyncio
import os
import ssl
import sys

CLIENTS = 1000


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def client(number, port, context, gate):
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    total = 0
    for turn in range(3):
        writer.write(b"client %d turn %d\n" % (number, turn))
        answer = await reader.readline()
        assert answer == b"CLIENT %d TURN %d\n" % (number, turn), answer
        total += len(answer)
    writer.close()
    await writer.wait_closed()
    return total


async def main():
    certificate = os.environ["TEST_CERTIFICATE"]
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    context = ssl.create_default_context(cafile=certificate)
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=serving, backlog=CLIENTS)
    port = server.sockets[0].getsockname()[1]
    gate = asyncio.Semaphore(100)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client(number, port, context, gate)) for number in range(CLIENTS)]
    print(len(tasks), sum(task.result() for task in tasks))
    try:
        async with asyncio.timeout(0.05):
            await asyncio.sleep(10)
    except TimeoutError as error:
        print("timeout", repr(error))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(10))
            group.create_task(asyncio.to_thread(int, "x"))
    except* ValueError as errors:
        print(errors.exceptions)
    try:
        await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context(), server_hostname="localhost")
    except ssl.SSLCertVerificationError as error:
        print(error.verify_message)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(input()[::-1])", stdin=-1, stdout=-1)
    print(await process.communicate(b"hello\n"), process.returncode)
    server.close()
    server.close_clients()
    await server.wait_closed()


asyncio.run(main())
