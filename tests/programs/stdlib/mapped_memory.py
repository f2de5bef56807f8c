# mmap: files and anonymous memory; what goes wrong; nothing may crash.
import mmap, os, tempfile, _posixshmem

def show(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

path = os.path.join(tempfile.mkdtemp(), "data")
with open(path, "w+b") as file:
    file.write(b"one\ntwo\nthree\n" * 300)
    file.flush()
    with mmap.mmap(file.fileno(), 0) as m:
        print(len(m), m.size(), m[0], m[-1], m[:3], m[0:8:2], m[7:3:-1])
        print(m.readline(), m.tell(), m.read(3), m.read_byte(), m.find(b"three"), m.rfind(b"three"))
        print(m.find(b"two", 5), m.find(b"two", -5), m.find(b""), m.rfind(b"zzz"))
        m[0] = ord("O")
        m[1:3] = b"NE"
        m[4:10:2] = b"abc"
        m.move(20, 0, 10)
        print(m[:32], m.seek(0), m.write(b"xyz"), m.write_byte(33), m[:5])
        print(m.flush(), show(lambda: m.flush(1, 10**9)), show(lambda: m.seek(10**9)))
        view = memoryview(m)
        print(view.readonly, view.nbytes, show(m.close), show(lambda: m.resize(10)))
        view.release()
        m.resize(8192)
        print(len(m), os.path.getsize(path), m[5000])
        m.madvise(mmap.MADV_DONTNEED, 0, 4096)

        class Closing:
            def __index__(self):
                m.close()
                return 1

        print(show(lambda: m[Closing()]), m.closed, show(lambda: m[0]), show(lambda: len(m)), m)

m = mmap.mmap(-1, 4096)
print(m, show(lambda: m.size()), show(lambda: m.resize(8192)), m[:4], list(m)[:2], b"a" in m)
print(show(lambda: m[5000]), show(lambda: m["a"]), show(lambda: m.find("a")), show(lambda: m.write(b"x" * 5000)))
m.resize(100)
print(len(m), show(lambda: m.resize(200)), show(lambda: m.read("a")))
m = mmap.mmap(-1, 4096, access=mmap.ACCESS_READ)
print(show(lambda: m.write(b"")), show(lambda: m.__setitem__(0, 1)), show(lambda: m.resize(10)))
m = mmap.mmap(-1, 4096, prot=0)
print(show(lambda: mmap.mmap(-1, -1)), show(lambda: mmap.mmap(-1, 1, access=9)))
print(show(lambda: mmap.mmap(-1, 1, offset=-1)), show(lambda: mmap.mmap(-2, 4096)))
print(show(lambda: mmap.mmap(-1, 4096, access=1, prot=3, flags=2)))

class Sub(mmap.mmap):
    pass

s = Sub(-1, 10)
s.extra = 1
print(type(s).__name__, len(s), s.extra, s)

name = "/taipan-test-%d" % os.getpid()
fd = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600)
os.ftruncate(fd, 64)
a, b = mmap.mmap(fd, 64), mmap.mmap(fd, 64)
a[:5] = b"hello"
print(b[:5])
_posixshmem.shm_unlink(name)
print(show(lambda: _posixshmem.shm_unlink("/taipan-none")))
