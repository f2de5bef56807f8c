"""Arguments and texts that the comparison of surfaces (tests/surface) turned up."""

import _csv
import array
import collections
import decimal
import errno
import fcntl
import inspect
import itertools
import mmap
import os
import signal
import threading
import time


def show(function, *args, **kwargs):
    try:
        print(function(*args, **kwargs))
    except Exception as error:
        print(type(error).__name__, error)


lock = threading.Lock()
lock.acquire()
print(lock.__exit__(), lock.locked())

memory = mmap.mmap(-1, 8192)
memory[:3] = b"abc"
print(memory.find(b"b", None, None), memory.find(b"b", 0, None), memory.rfind(b"c", None), memory.flush(0, None))
print(memory.madvise(mmap.MADV_NORMAL, 0, None))
show(memory.find)
show(memory.find, 5)

match array.array("i", [1, 2, 3]):
    case [first, *rest]:
        print(first, rest)
print(signal.ItimerError, type(iter(collections.deque())), errno.EFTYPE, fcntl.F_SETOWN_EX, fcntl.RWH_WRITE_LIFE_EXTREME)
for function in (itertools.repeat, itertools.islice, time.gmtime, os.posix_spawn, _csv.reader):
    try:
        print(inspect.signature(function))
    except ValueError:
        print("no signature")
for type_ in (_csv.Dialect, decimal.Decimal, decimal.Context):
    show(type_, nonsense=1)
show(decimal.Context().add, 1)
show(decimal.Decimal(1).quantize)
show(_csv.reader, [], nonsense=1)
show(open(os.devnull, "rb", buffering=0).read, 1, 2)

result = os.stat("/")
print(type(result).__mro__, len(result), result.n_fields, type(result).st_mode, type(result).st_atime_ns)
print(type(result).__dict__["__reduce__"], type(result).__dict__["__repr__"], "__replace__" in vars(type(result)))
print(time.gmtime(0), time.gmtime(0).tm_zone, time.struct_time(range(11)).tm_gmtoff, time.gmtime(0).__replace__(tm_year=1))
show(time.struct_time, range(3))
print(time.pthread_getcpuclockid(threading.get_ident()) != 0)

for encoding, data in [
    ("iso2022_jp", b"\x1b(J\x7f~"),
    ("iso2022_jp_2", b"\x1bN~~\x1b$(D"),
    ("iso2022_jp_2", b"@\x1bN@\x1b.A\x1bNi"),
]:
    print(ascii(data.decode(encoding, "replace")))
