"""Streams: files, buffers, text layers, streams in memory."""
import io
import os

PATH = "/tmp/taipan-io-streams-%d" % os.getpid()


def attempt(function, *args, **kwargs):
    try:
        print("gives", repr(function(*args, **kwargs)))
    except Exception as error:
        print(type(error).__name__, str(error).replace(PATH, "PATH"))


try:
    with open(PATH, "w", encoding="utf-8") as f:
        print(f.write("a\nb\r\nc\n"), f.tell(), f.writable(), f.readable(), f.closed)
        f.write("\u00fc\u20ac\U0001f600\n")
    print(f.closed, f.mode)
    with open(PATH, "rb") as f:
        print(f.read(3), f.tell(), f.peek()[:4], f.readline(), f.read1(2), f.read())
        print(f.seek(-3, io.SEEK_END), f.read(), f.read())
    with open(PATH, encoding="utf-8") as f:
        print(f.readlines(), f.newlines)
        f.seek(0)
        print(repr(f.readline()), f.tell(), repr(f.read(2)))
        place = f.tell()
        rest = f.read()
        f.seek(place)
        print(rest == f.read(), repr(rest))
        f.seek(0)
        next(f)
        attempt(f.tell)
    for newline in ("", "\n", "\r", "\r\n"):
        with open(PATH, encoding="utf-8", newline=newline) as f:
            print(repr(newline), list(f), f.newlines)
    with open(PATH, "r+b") as f:
        print(f.read(2), f.write(b"XY"), f.tell(), f.seek(0), f.read())
        print(f.truncate(4), f.seek(0), f.read())
    with open(PATH, "ab") as f:
        print(f.tell(), f.write(b"tail"), f.tell())
    with open(PATH, "rb", buffering=0) as f:
        print(type(f).__name__, f.mode, f.read(2), f.readall(), f.readinto(bytearray(2)))
    with open(PATH, "wb", buffering=4) as f:
        f.write(b"abc")
        print(os.stat(PATH).st_size)
        f.write(b"defghi")
        f.flush()
        print(os.stat(PATH).st_size)
    for encoding in ("latin-1", "ascii", "utf-16", "utf-8-sig"):
        with open(PATH, "w", encoding=encoding, errors="replace") as f:
            f.write("x\u00e9\n\u20ac")
            f.write("end")
        with open(PATH, "rb") as f:
            data = f.read()
        with open(PATH, encoding=encoding) as f:
            print(encoding, data, repr(f.read()))
    attempt(open, PATH, "x")
    attempt(open, PATH, "rw")
    attempt(open, PATH, "rb", encoding="utf-8")
    attempt(open, PATH, "w", buffering=0)
    attempt(open, PATH + "-missing")
    closed = open(PATH, "rb")
    closed.close()
    for name in ("read", "readline", "tell", "fileno", "__enter__"):
        attempt(getattr(closed, name))
finally:
    os.unlink(PATH)

b = io.BytesIO(b"one\ntwo\nthree")
print(b.readlines(), b.seek(4), b.readline(), b.tell(), b.getvalue())
view = b.getbuffer()
view[0] = 79
attempt(b.write, b"longer than before")
attempt(b.close)
view.release()
print(b.getvalue(), b.truncate(3), b.getvalue(), b.seek(5), b.write(b"!"), b.getvalue())

s = io.StringIO("one\ntwo\r\nthree", newline=None)
print(list(s), s.newlines, repr(s.getvalue()))
s = io.StringIO()
print(s.write("ab\u20accd"), s.seek(1), s.write("\U0001f600"), repr(s.getvalue()), s.read(2), s.tell())
attempt(s.seek, -1)
attempt(s.write, b"bytes")

r, w = os.pipe()
pair = io.BufferedRWPair(io.FileIO(r, "r"), io.FileIO(w, "w"))
print(pair.write(b"through the pipe\n"), pair.flush(), pair.readline(), pair.readable(), pair.writable())
pair.close()

t = io.TextIOWrapper(io.BytesIO(b"\xff\xfea\xe9"), encoding="utf-8", errors="surrogateescape")
print(ascii(t.read()), t.encoding, t.errors)
t = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\r\n", write_through=True)
t.write("line\nline\n")
print(t.buffer.getvalue())
t.reconfigure(newline="\n", errors="ignore")
t.write("x\udc80y\n")
print(t.detach().getvalue())
attempt(t.read)

d = io.IncrementalNewlineDecoder(None, translate=True)
print(repr(d.decode("a\r")), d.getstate(), repr(d.decode("\nb\rc")), repr(d.decode("", final=True)), d.newlines)


class Slow(io.RawIOBase):
    """Gives a byte at a time, and takes two."""

    def __init__(self, data=b""):
        self.data = data
        self.written = []

    def readable(self):
        return True

    def writable(self):
        return True

    def readinto(self, target):
        part, self.data = self.data[:1], self.data[1:]
        target[:len(part)] = part
        return len(part)

    def write(self, data):
        self.written.append(bytes(data[:2]))
        return len(self.written[-1])


print(io.BufferedReader(Slow(b"abc\ndef")).readline(), io.BufferedReader(Slow(b"abc")).read(2), Slow(b"xyz").read())
slow = Slow()
writer = io.BufferedWriter(slow, 4)
print(writer.write(b"0123456789"), writer.flush(), slow.written)
print(isinstance(slow, io.IOBase), isinstance(b, io.BufferedIOBase), issubclass(io.StringIO, io.TextIOBase))
