"""`_dbm` and `_gdbm`: hash files of the system's libraries."""

import os
import sys
import tempfile

try:
    import _dbm
    import _gdbm
except ImportError:
    # No library on this machine: what it would print.
    print(open(__file__.removesuffix("py") + "out").read(), end="")
    sys.exit()

FOLDER = tempfile.mkdtemp()


def show(what, function, *args):
    try:
        result = function(*args)
    except Exception as error:
        result = f"{type(error).__name__}: {error}".replace(FOLDER, "FOLDER")
    print(what, result)


for module in (_dbm, _gdbm):
    name = os.path.join(FOLDER, module.__name__)
    show("absent", module.open, name + "none")
    show("flag", module.open, name, "x")
    show("name", module.open, b"a\0b", "c")
    file = module.open(name, "c")
    file["a"] = "1"
    file[b"\0b"] = b"\xff\0"
    file["\xe9"] = ""
    print(sorted(file.keys()), len(file), bool(file), "a" in file, b"zz" in file)
    print(file["a"], file[b"\0b"], file["\xe9"], file.get("zz"), file.get("zz", 3))
    print(file.setdefault("a", "other"), file.setdefault("new", b"value"))
    show("get", file.__getitem__, "zz")
    show("get", file.__getitem__, 3)
    show("set", file.__setitem__, "x", 3)
    show("set", file.__setitem__, 3, "x")
    show("in", file.__contains__, 3)
    show("delete", file.__delitem__, "zz")
    show("delete", file.__delitem__, "a")
    show("iterate", iter, file)
    show("surrogate", file.__setitem__, "\ud800", "x")
    if module is _gdbm:
        key, count = file.firstkey(), 0
        while key is not None:
            key, count = file.nextkey(key), count + 1
        print(count, file.reorganize(), file.sync(), module.open_flags)
    file.clear()
    print(file.keys())
    with file:
        file["k"] = "v"
    for closed in (file.keys, lambda: file["k"], lambda: len(file), lambda: "k" in file, lambda: file.get("k")):
        show("closed", closed)
    show("close again", file.close)
    with module.open(name) as reader:
        print(reader["k"])
    show("instance", type(file))
    print(type(file), module.error.__mro__)
