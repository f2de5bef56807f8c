#!/usr/bin/env python3
"""What a program can see of the native modules: names, kinds, signatures, bases, flags, plain constants.

    PYTHON tests/surface/surface.py describe [MODULE ...]
    python3 tests/surface/surface.py compare --oracle python3.14 --python TAIPAN [MODULE ...]
    TAIPAN tests/surface/surface.py check

`describe` prints the running interpreter's surface; `compare` runs that under both and lists what is missing, what is too
much and what differs (ours | theirs). `expected.txt` beside this file is what the oracle's `describe` printed, and
`differs.txt` lists the differences that are accepted: `check`, which the cargo test `surface` runs, fails when there is
another one or when one of them is gone. Docstrings, values that a machine or a build
decides, and names that start with `__map_` (tables that CPython's codecs lend each other) are left out.

A description has a section for each module and type; a line in it is a name and its facts. Members of a kind that have
nothing special share a line.
"""

import argparse
import contextlib
import importlib
import inspect
import io
import pathlib
import subprocess
import sys
import types
import warnings

# CPython's built-in modules and those of its lib-dynload, but for its own tests and _tkinter.
MODULES = """
_abc _ast _asyncio _bisect _blake2 _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw
_collections _contextvars _csv _ctypes _curses _curses_panel _datetime _dbm _decimal _elementtree _functools _gdbm _hashlib
_heapq _hmac _imp _interpchannels _interpqueues _interpreters _io _json _locale _lsprof _lzma _md5 _multibytecodec
_multiprocessing _opcode _operator _pickle _posixshmem _posixsubprocess _queue _random _remote_debugging _sha1 _sha2 _sha3
_signal _socket _sqlite3 _sre _ssl _stat _statistics _string _struct _suggestions _symtable _sysconfig _thread _tokenize
_tracemalloc _types _typing _uuid _warnings _weakref _zoneinfo _zstd array atexit binascii builtins cmath errno faulthandler
fcntl gc grp itertools marshal math mmap posix pwd pyexpat readline resource select sys syslog termios time unicodedata zlib
""".split()

# Values that the machine, the build or the way to start decides.
VARY = {
    "_base_executable", "_git", "_stdlib_dir", "base_exec_prefix", "base_prefix", "exec_prefix", "executable", "prefix",
    "thread_info", "version", "ncurses_version", "_GDBM_VERSION", "implementation", "sqlite_version", "OPENSSL_VERSION",
    "OPENSSL_VERSION_INFO", "OPENSSL_VERSION_NUMBER", "_OPENSSL_API_VERSION", "_READLINE_LIBRARY_VERSION",
    "_READLINE_RUNTIME_VERSION", "_READLINE_VERSION", "ZLIB_VERSION", "ZLIB_RUNTIME_VERSION", "LZMA_VERSION", "zstd_version",
    "zstd_version_number", "EXPAT_VERSION", "version_info", "timezone", "altzone", "tzname", "daylight", "flags", "float_info",
    "_malloc_options", "argv", "orig_argv", "path", "abiflags", "environ", "_cast_addr", "_memmove_addr",
    "_memoryview_at_addr", "_memset_addr", "_string_at_addr", "_wstring_at_addr", "pycache_prefix", "_xoptions",
}  # fmt: skip
# Modules for libraries that not every system has.
OPTIONAL = {"_curses", "_curses_panel", "_dbm", "_gdbm", "readline"}
SKIPPED = {
    "__builtins__", "__file__", "__loader__", "__spec__", "__cached__", "__path__", "__doc__", "__module__", "__name__", "__debug__",
}  # fmt: skip

KINDS = {
    types.BuiltinFunctionType: "function",
    types.MethodDescriptorType: "method",
    types.WrapperDescriptorType: "slot",
    types.GetSetDescriptorType: "getset",
    types.MemberDescriptorType: "member",
    types.ClassMethodDescriptorType: "classmethod",
    types.FunctionType: "python-function",
    property: "property",
}
# Bits of `__flags__` that a type's maker chooses and a program may notice.
FLAGS = {5: "sequence", 6: "mapping", 7: "closed", 8: "immutable", 10: "basetype", 14: "gc", 20: "abstract"}
WIDTH = 120


def signature(value) -> str:
    """The signature as `inspect` reads it; the text when it can't; nothing when there is none."""
    try:
        return str(inspect.signature(value))
    except (ValueError, TypeError, AttributeError, NameError):
        text = getattr(value, "__text_signature__", None)
        return " no signature" if text is None else f" unreadable {' '.join(text.split())}"


def named(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}".removeprefix("builtins.")


def plain(value) -> str:
    """A constant's value where it is short."""
    if isinstance(value, (int, str, bytes, float, type(None))):
        return f" {value!r}" if len(repr(value)) < 80 else ""
    if type(value) in (tuple, frozenset) and all(isinstance(item, (int, str)) for item in value):
        items = sorted(value, key=repr) if isinstance(value, frozenset) else value
        text = " ".join(map(repr, items))
        return f" {text}" if len(text) < 200 else ""
    return ""


def own_name(value, module, qualname: str) -> str:
    """How the callable calls itself, where that is not where it was found."""
    expected = (module, qualname, qualname.rpartition(".")[2])
    found = tuple(getattr(value, name, None) for name in ("__module__", "__qualname__", "__name__"))
    return "" if found == expected else f" called {' '.join(map(str, found))}"


class Surface:
    def __init__(self, module: str):
        self.module = module
        self.seen = set()
        self.sections = []

    def type(self, cls: type):
        """A section for the type. Those of its nested types follow."""
        self.seen.add(cls)
        lines = []
        self.sections.append((named(cls), lines))
        lines.append(f"={signature(cls) if cls is not type else ''}")
        if cls.__bases__ != (object,):
            lines.append(f"=bases {' '.join(map(named, cls.__bases__))}")
        if type(cls) is not type:
            lines.append(f"=metatype {named(type(cls))}")
        lines.append(f"=flags {' '.join(name for bit, name in FLAGS.items() if cls.__flags__ >> bit & 1)}")
        self.attributes(lines, vars(cls), None, cls.__qualname__ + ".")

    def attributes(self, lines: list, members: dict, module, prefix: str):
        shared = {}
        later = []
        for name, value in sorted(members.items()):
            if name in SKIPPED or name.startswith("__map_"):
                continue
            kind = KINDS.get(type(value))
            if isinstance(value, type):
                lines.append(f"{name} type {named(value)}")
                later.append(value)
            elif kind in {"getset", "member", "property"}:
                shared.setdefault(kind, []).append(name)
            elif kind == "slot" and signature(value) == STANDARD.get(name) and not own_name(value, module, prefix + name):
                shared.setdefault(kind, []).append(name)
            elif type(value) is int and name not in VARY and module is not None:
                shared.setdefault("int", []).append(f"{name}={value}")
            elif name == "__package__" and value == "":
                continue
            elif isinstance(value, (staticmethod, classmethod)):
                lines.append(f"{name} {type(value).__name__}{signature(value.__func__)}")
            elif kind is not None:
                lines.append(f"{name} {kind}{signature(value)}{own_name(value, module, prefix + name)}")
            else:
                lines.append(f"{name} {named(type(value))}{'' if name in VARY else plain(value)}")
        for kind, names in sorted(shared.items()):
            line = f"{kind}:"
            for name in names:
                if len(line) + len(name) > WIDTH:
                    lines.append(line)
                    line = f"{kind}:"
                line += " " + name
            lines.append(line)
        for cls in later:
            home = cls.__module__.lstrip("_") in {self.module.lstrip("_"), "typing"} or self.module in {"_types", "builtins"}
            if (home or cls not in KNOWN) and cls not in self.seen:
                self.type(cls)

    def whole(self) -> list:
        module = importlib.import_module(self.module)
        listed = set(dir(module))
        lines = [f"={name} is not in dir()" for name in sorted(set(vars(module)) - listed)]
        self.sections.append((self.module, lines))
        self.attributes(lines, {name: getattr(module, name) for name in listed | set(vars(module))}, self.module, "")
        return self.sections


KNOWN = {value for value in vars(importlib.import_module("builtins")).values() if isinstance(value, type)}


def standard_slots() -> dict:
    """The signatures that slot wrappers have, taken from types that have them all."""
    found = {}
    for cls in (type(iter(())), type, object, dict, list, int, float, bytearray, types.CoroutineType, types.MethodType):
        for name, value in vars(cls).items():
            if isinstance(value, types.WrapperDescriptorType):
                found[name] = signature(value)
    return found


STANDARD = standard_slots()


def describe(names):
    warnings.simplefilter("ignore")
    for name in names:
        try:
            sections = Surface(name).whole()
        except ImportError:
            sections = [(name, ["cannot be imported"])]
        for at, (title, lines) in enumerate(sections):
            print(f"[{name}]" if at == 0 else f"[{name} {title}]")
            for line in lines:
                print(line.replace("\n", "\\n").encode("ascii", "backslashreplace").decode())


def facts(text: str) -> dict:
    """Facts by section and name; names that share a line are told apart."""
    found = {}
    section = None
    for line in text.splitlines():
        if line.startswith("["):
            section = line
            found[section, ""] = "there"
            continue
        name, _, rest = line.partition(" ")
        if line.startswith("="):
            name, rest = (line, "") if " is not in" in line else (line.partition("(")[0].partition(" ")[0], line)
        if name.endswith(":"):
            for shared in rest.split():
                shared, is_constant, value = shared.partition("=")
                found[section, shared] = f"{name[:-1]} {value}" if is_constant else name[:-1]
        else:
            found[section, name] = rest
    return found


def differences(expected: str, got: str) -> list:
    """A line for each fact that is not the same, sorted by section. Modules whose library is not there are passed over."""
    theirs, ours = facts(expected), facts(got)
    absent = [section for section, name in theirs.keys() | ours.keys() if name == "cannot" and section.strip("[]") in OPTIONAL]
    out = []
    for section, name in sorted(theirs.keys() | ours.keys()):
        a, b = theirs.get((section, name)), ours.get((section, name))
        whole = (section, "") in theirs and (section, "") in ours
        if a == b or not whole and name or any(section.startswith((one, one[:-1] + " ")) for one in absent):
            continue
        place = f"{section} {name}".rstrip()
        if b is None:
            out.append(f"{place}: missing")
        elif a is None:
            out.append(f"{place}: extra")
        else:
            out.append(f"{place}: {b} | {a}")
    return out


def check() -> bool:
    """Tells new differences and those that are gone. True when there are any."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        describe(MODULES)
    here = pathlib.Path(__file__).parent
    found = differences((here / "expected.txt").read_text(), out.getvalue())
    recorded = [line for line in (here / "differs.txt").read_text().splitlines() if line and not line.startswith("#")]
    new = [line for line in found if line not in recorded]
    gone = [line for line in recorded if line not in found and line.partition("]")[0].split()[0].strip("[") not in OPTIONAL]
    for line in new:
        print("new:", line)
    for line in gone:
        print("no longer differs, strike it from differs.txt:", line)
    return bool(new or gone)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["describe", "compare", "check"])
    parser.add_argument("--oracle", default="python3.14")
    parser.add_argument("--python")
    parser.add_argument("modules", nargs="*", default=MODULES)
    options = parser.parse_args()
    if options.command == "describe":
        describe(options.modules)
        return
    if options.command == "check":
        sys.exit(check())
    run = [__file__, "describe", *options.modules]
    expected, got = (
        subprocess.run([python, *run], capture_output=True, text=True, check=True).stdout
        for python in (options.oracle, options.python)
    )
    found = differences(expected, got)
    print(*found, sep="\n")
    count = sum(line.endswith(": missing") for line in found), sum(line.endswith(": extra") for line in found)
    print(f"{count[0]} missing, {count[1]} extra, {len(found) - sum(count)} differ")
    sys.exit(bool(found))


main()
