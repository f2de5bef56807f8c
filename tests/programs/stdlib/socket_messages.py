"""_socket: ancillary data, databases, conversions, addresses, and what they raise."""
import array
import gc
import os
import socket
import sys
import tempfile
import threading
import warnings
import _socket


def shown(work):
    try:
        return repr(work())
    except Exception as error:
        return f"{type(error).__module__} {type(error).__name__}: {error}"


a, b = socket.socketpair()
print(a.sendmsg([b"spam", bytearray(b" and "), memoryview(b"eggs")]), b.recvmsg(100))
read_end, write_end = os.pipe()
rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write_end]))]
print(a.sendmsg([b"descriptor"], rights))
data, items, flags, address = b.recvmsg(100, socket.CMSG_SPACE(4))
print(data, [(level, kind, len(content)) for level, kind, content in items], flags, address)
os.write(int.from_bytes(items[0][2], sys.byteorder), b"through the other one")
print(os.read(read_end, 100))
print(a.sendmsg([b"cut"], rights), [len(part) for part in b.recvmsg(100, socket.CMSG_LEN(0))[:2]])
buffers = [bytearray(3), bytearray(10)]
a.sendall(b"scattered")
print(b.recvmsg_into(buffers), buffers)

for work in (
    lambda: a.recvmsg(-1),
    lambda: a.recvmsg(1, -1),
    lambda: a.recvmsg(1, 1 << 40),
    lambda: a.recvmsg(),
    lambda: a.recvmsg_into(5),
    lambda: a.recvmsg_into([b"x"]),
    lambda: a.sendmsg(5),
    lambda: a.sendmsg(["x"]),
    lambda: a.sendmsg([b"x"], 5),
    lambda: a.sendmsg([b"x"], [5]),
    lambda: a.sendmsg([b"x"], [(1, 2)]),
    lambda: a.sendmsg([b"x"], [(1, 2, 3)]),
    lambda: a.sendmsg_afalg(op=1),
    lambda: (socket.CMSG_LEN(0), socket.CMSG_LEN(5), socket.CMSG_SPACE(5)),
    lambda: socket.CMSG_LEN(-1),
    lambda: socket.CMSG_SPACE((1 << 63) - 1),
    lambda: a.recv(-1),
    lambda: a.recvfrom(-1),
    lambda: a.recv_into(bytearray(3), 5),
    lambda: a.recv_into(b"abc"),
    lambda: a.setsockopt(1, 2),
    lambda: a.setsockopt(1, 2, None),
    lambda: a.setsockopt(1, 2, 1, 5),
    lambda: a.setsockopt(1, 2, 1 << 40),
    lambda: a.getsockopt(1, 3, 2000),
    lambda: a.sendto(b"x"),
    lambda: a.settimeout(-1),
    lambda: a.settimeout("x"),
    lambda: a.settimeout(1e20),
    lambda: socket.getservbyport(-1),
    lambda: socket.getservbyname("no such service"),
    lambda: socket.getprotobyname("no such protocol"),
    lambda: socket.if_nametoindex("no such one"),
    lambda: socket.if_indextoname(0),
    lambda: socket.if_indextoname(-1),
    lambda: (1, "lo") in socket.if_nameindex() and socket.if_indextoname(1) + str(socket.if_nametoindex("lo")),
    lambda: socket.ntohs(-1),
    lambda: socket.ntohs(65536),
    lambda: socket.ntohl(1 << 32),
    lambda: (socket.htons(1), socket.ntohl(1)),
    lambda: socket.inet_ntoa(b"abc"),
    lambda: socket.inet_ntop(socket.AF_INET6, b"\0" * 12 + b"abcd"),
    lambda: socket.inet_ntop(socket.AF_INET6, b"\0" * 10 + b"\xff\xffabcd"),
    lambda: socket.inet_pton(socket.AF_INET6, "::ffff:1.2.3.4"),
    lambda: socket.getnameinfo(5, 0),
    lambda: socket.getnameinfo(("127.0.0.1",), 0),
    lambda: socket.getnameinfo(("127.0.0.1", 80), 3),
    lambda: socket.getnameinfo(("127.0.0.1", 80, 0, 0), 3),
    lambda: socket.getnameinfo(("::1", 80, 1 << 21, 0), 3),
    lambda: socket.getaddrinfo(5, 5),
    lambda: socket.getaddrinfo("x", 5.0),
    lambda: socket.getaddrinfo("a" * 64 + ".example", 80),
    lambda: socket.gethostbyname(5),
    lambda: socket.gethostbyname(""),
    lambda: socket.gethostbyname("<broadcast>"),
    lambda: _socket.socket(99, 1),
    lambda: _socket.socket(fileno=-1),
    lambda: _socket.socket.__new__(_socket.socket),
    lambda: _socket.socket.__new__(_socket.socket).recv(1),
    lambda: _socket.socket.__new__(_socket.socket).bind(("", 0)),
):
    print(shown(work))

# A socket that is forgotten tells so, and is closed.
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    forgotten = socket.socket()
    number = forgotten.fileno()
    del forgotten
    gc.collect()
print([(w.category.__name__, str(w.message).startswith("unclosed <socket.socket fd=")) for w in caught])
print(shown(lambda: os.fstat(number)))

# Addresses of the UNIX family.
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    one, two = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.bind("one")
    two.bind(b"\0taipan abstract %d" % os.getpid())
    two.sendto(b"from nowhere", "one")
    data, sender = one.recvfrom(100)
    print(data, sender[:8], one.getsockname())
    one.sendto(b"back", sender)
    print(two.recv_into(bytearray(10)), shown(lambda: one.bind("x" * 200)))
    os.chdir("/")

# A reader waits while another thread sends.
done = []
thread = threading.Thread(target=lambda: done.append(b.recv(10)))
thread.start()
a.sendall(b"now")
thread.join()
print(done)
a.settimeout(0.01)
print(shown(lambda: a.recv(1)))
a.setblocking(False)
print(shown(lambda: a.recv(1)))
a.settimeout(0.5)
a.close()
print(shown(lambda: a.recv(1)))
