"""1,000 loopback connections at once, first to an asyncio echo server, then to ThreadingHTTPServer: no byte may be lost."""
import asyncio
import hashlib
import http.client
import http.server
import random
import resource
import socket
import threading

CONNECTIONS = 1000
ROUNDS = 3
# Both ends of each connection are in this process.
NEEDED = 2 * CONNECTIONS + 200

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if hard != resource.RLIM_INFINITY and hard < NEEDED:
    raise SystemExit(f"needs {NEEDED} open files, the hard limit is {hard}")
if soft != resource.RLIM_INFINITY and soft < NEEDED:
    resource.setrlimit(resource.RLIMIT_NOFILE, (NEEDED, hard))


def message(connection, turn):
    source = random.Random(connection * ROUNDS + turn)
    return source.randbytes(source.randrange(1, 20_000))


class Count:
    """How many of something there are now, and the most there were."""

    def __init__(self):
        self.lock = threading.Lock()
        self.now = self.most = self.bytes = 0

    def change(self, by):
        with self.lock:
            self.now += by
            self.most = max(self.most, self.now)

    def add_bytes(self, number):
        with self.lock:
            self.bytes += number


async def echo_all():
    served = Count()

    async def echo(reader, writer):
        served.change(1)
        while block := await reader.read(8192):
            served.add_bytes(len(block))
            writer.write(block)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        served.change(-1)

    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=CONNECTIONS)
    port = server.sockets[0].getsockname()[1]
    everybody = asyncio.Barrier(CONNECTIONS)
    digests = {}

    async def client(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await everybody.wait()
        wrong, digest = 0, hashlib.sha256()
        for turn in range(ROUNDS):
            sent = message(number, turn)

            async def send():
                for start in range(0, len(sent), 3000):
                    writer.write(sent[start : start + 3000])
                    await writer.drain()

            sending = asyncio.create_task(send())
            received = await reader.readexactly(len(sent))
            await sending
            wrong += received != sent
            digest.update(received)
            # Nobody leaves before all have had their turn.
            await everybody.wait()
        writer.write_eof()
        wrong += await reader.read() != b""
        writer.close()
        await writer.wait_closed()
        digests[number] = digest.hexdigest()
        return wrong

    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(client(number)) for number in range(CONNECTIONS)]
    server.close()
    await server.wait_closed()
    total = hashlib.sha256("".join(digests[number] for number in range(CONNECTIONS)).encode())
    print("asyncio: at once", served.most, "left", served.now, "bytes", served.bytes)
    print("asyncio: wrong", sum(task.result() for task in clients), "digest", total.hexdigest())


asyncio.run(echo_all())

served = Count()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        served.change(1)

    def finish(self):
        served.change(-1)
        super().finish()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        served.add_bytes(len(body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        self.wfile.write(body[::-1])

    def log_message(self, format, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = CONNECTIONS


threading.stack_size(256 * 1024)
server = Server(("127.0.0.1", 0), Handler)
serving = threading.Thread(target=server.serve_forever)
serving.start()
connections = [http.client.HTTPConnection("127.0.0.1", server.server_port) for _ in range(CONNECTIONS)]
for connection in connections:
    connection.connect()
wrong, digest, statuses = 0, hashlib.sha256(), set()
for turn in range(ROUNDS):
    for number, connection in enumerate(connections):
        connection.request("POST", f"/{number}", body=message(number, turn))
    for number, connection in enumerate(connections):
        response = connection.getresponse()
        statuses.add(response.status)
        body = response.read()
        wrong += body != message(number, turn)[::-1]
        digest.update(body)
for connection in connections:
    connection.sock.shutdown(socket.SHUT_WR)
for connection in connections:
    wrong += connection.sock.recv(1) != b""
    connection.close()
server.shutdown()
server.server_close()
serving.join()
print("http: at once", served.most, "left", served.now, "bytes", served.bytes)
print("http: wrong", wrong, "statuses", statuses, "digest", digest.hexdigest())
