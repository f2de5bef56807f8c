"""Compares Taipan's code objects with those of the Python that runs this script (CPython 3.14).

    python3.14 tests/frontend/code_diff.py [--verbose N] [-O LEVEL] CODEDIFF_BINARY PATH...

CODEDIFF_BINARY is `cargo build -p taipan-compiler --example codediff`. Folders are searched for .py files.
"""

import argparse
import collections
import dis
import io
import marshal
import pathlib
import struct
import subprocess
import sys
import types
import warnings

FIELDS = [
    "co_name", "co_qualname", "co_filename", "co_firstlineno", "co_argcount", "co_posonlyargcount",
    "co_kwonlyargcount", "co_flags", "co_names", "co_varnames", "co_cellvars", "co_freevars", "co_code",
    "co_stacksize", "co_exceptiontable", "co_linetable",
]


def same_const(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, types.CodeType):
        return True
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same_const, a, b))
    if isinstance(a, frozenset):
        return a == b
    return repr(a) == repr(b)


def differences(ours, theirs):
    """Yields pairs of code objects with the name of the first field in which they differ."""
    for field in FIELDS:
        if getattr(ours, field) != getattr(theirs, field):
            yield field, ours, theirs
            break
    else:
        if not same_const(ours.co_consts, theirs.co_consts):
            yield "co_consts", ours, theirs
    ours_inner = [c for c in ours.co_consts if isinstance(c, types.CodeType)]
    theirs_inner = [c for c in theirs.co_consts if isinstance(c, types.CodeType)]
    if [c.co_name for c in ours_inner] == [c.co_name for c in theirs_inner]:
        for a, b in zip(ours_inner, theirs_inner):
            yield from differences(a, b)


def listing(code):
    out = io.StringIO()
    dis.dis(code, file=out, depth=0, show_offsets=False)
    positions = [str(p)[9:] for p in code.co_positions()]
    return out.getvalue().splitlines(), positions


def show(field, ours, theirs):
    print(f"--- {theirs.co_filename}:{theirs.co_firstlineno} {theirs.co_qualname}: {field}")
    if field not in ("co_code", "co_linetable", "co_consts", "co_stacksize", "co_exceptiontable"):
        print("  ours  ", getattr(ours, field))
        print("  theirs", getattr(theirs, field))
        return
    if field == "co_consts":
        print("  ours  ", ours.co_consts)
        print("  theirs", theirs.co_consts)
        return
    import difflib
    a, pa = listing(ours)
    b, pb = listing(theirs)
    if a == b:
        a, b = pa, pb
    for line in list(difflib.unified_diff(a, b, "ours", "theirs", lineterm="", n=4))[:60]:
        print("  " + line)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--verbose", type=int, default=0, help="show this many differences")
    parser.add_argument("-O", dest="optimize", type=int, default=0)
    parser.add_argument("binary")
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    files = []
    for path in args.paths:
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    warnings.simplefilter("ignore")
    expected = {}
    for path in files:
        try:
            expected[path] = compile(path.read_bytes(), str(path), "exec", optimize=args.optimize, dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
    process = subprocess.Popen([args.binary, str(args.optimize)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    counts = collections.Counter()
    codes = collections.Counter()
    fields = collections.Counter()
    shown = 0
    for path, theirs in expected.items():
        process.stdin.write(f"{path}\n".encode())
        process.stdin.flush()
        head = process.stdout.read(5)
        if len(head) < 5:
            print(f"{path}: crash")
            counts["crash"] += 1
            process = subprocess.Popen([args.binary, str(args.optimize)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            continue
        payload = process.stdout.read(struct.unpack("<I", head[1:])[0])
        if head[:1] == b"E":
            counts["error"] += 1
            print(f"{path}: {payload.decode(errors='replace')}")
            continue
        try:
            ours = marshal.loads(payload)
        except Exception as error:
            counts["unreadable"] += 1
            print(f"{path}: {error!r}")
            continue
        found = list(differences(ours, theirs))
        counts["different" if found else "same"] += 1
        codes["different"] += len(found)
        for field, a, b in found:
            fields[field] += 1
            if shown < args.verbose:
                shown += 1
                show(field, a, b)
    print(dict(counts), "code objects that differ:", codes["different"], dict(fields))
    sys.exit(counts["same"] != len(expected))


main()
