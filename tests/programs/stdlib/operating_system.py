# Signals, waiting, processes, sockets, databases: what one process can say about itself in the same words everywhere.
import fcntl, grp, os, pwd, resource, select, signal, socket, subprocess, sys, threading, time

seen = []
# A process that was started in the background may have inherited that interrupts are ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
old = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append((number, frame is not None)))
print(old, signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
os.kill(os.getpid(), signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
print(seen)
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
for wrong in (lambda: signal.signal(0, 0), lambda: signal.signal(signal.SIGUSR1, "x"), lambda: signal.getsignal(99)):
    try:
        wrong()
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
print(signal.strsignal(signal.SIGTERM), signal.Signals(2), sorted(signal.valid_signals())[:3])
signal.signal(signal.SIGALRM, lambda *_: seen.append("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.02)
time.sleep(0.1)
print(seen[-1], signal.getitimer(signal.ITIMER_REAL))
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
os.kill(os.getpid(), signal.SIGUSR2)
print(signal.sigpending(), signal.sigwait({signal.SIGUSR2}))
signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

reading, writing = os.pipe()
print(select.select([reading], [writing], [], 0) == ([], [writing], []))
os.write(writing, b"abc")
poll = select.poll()
poll.register(reading, select.POLLIN)
print(poll.poll(0) == [(reading, select.POLLIN)])
with select.epoll() as epoll:
    epoll.register(reading, select.EPOLLIN)
    print(epoll.poll(0) == [(reading, select.EPOLLIN)])
print(epoll.closed, os.read(reading, 10), fcntl.fcntl(reading, fcntl.F_GETFD))

child = os.fork()
if child == 0:
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout)
print(subprocess.run(["cat"], input=b"through", capture_output=True).stdout)
try:
    subprocess.run(["/nowhere/to/be/found"])
except FileNotFoundError as error:
    print(error)

left, right = socket.socketpair()
left.sendall(b"hello")
print(right.recv(10), left.family, left.type)
right.settimeout(0.01)
try:
    right.recv(1)
except TimeoutError as error:
    print(repr(error))
left.close(), right.close()
server = socket.create_server(("127.0.0.1", 0))


def serve():
    connection, _ = server.accept()
    with connection:
        connection.sendall(connection.recv(100).upper())


thread = threading.Thread(target=serve)
thread.start()
with socket.create_connection(server.getsockname()) as client:
    client.sendall(b"shout")
    print(client.recv(100))
thread.join()
server.close()
print(socket.inet_aton("1.2.3.4"), socket.inet_ntop(socket.AF_INET6, bytes(15) + b"\1"), socket.htons(1))
print(pwd.getpwuid(0).pw_name, grp.getgrgid(0).gr_name, resource.getrlimit(resource.RLIMIT_CORE)[0] >= -1)
try:
    pwd.getpwnam("nobody knows")
except KeyError as error:
    print(error)
