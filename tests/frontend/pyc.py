"""Exchanges .pyc files between two Pythons in both directions.

    pyc.py ORACLE TAIPAN LIBRARY

LIBRARY is the folder of CPython's standard library. Each Python compiles it to files without sources, then the other
one loads every file, compares the code with what it compiles itself, and imports every module from these files that it
can import from the sources.
"""

import importlib.machinery
import importlib.util
import marshal
import os
import subprocess
import sys
import tempfile

SKIPPED = {"test", "idlelib", "turtledemo", "lib2to3", "site-packages", "__pycache__", "lib-dynload", "__phello__"}
# Importing these has visible effects.
NOT_IMPORTED = {"antigravity", "this", "__main__", "idlelib", "_ios_support", "_apple_support", "_android_support"}


def sources(library):
    """Path, path below the library, and module name of each source."""
    for folder, folders, files in os.walk(library):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                below = os.path.relpath(path, library)
                module = below[:-3].replace(os.sep, ".").removesuffix(".__init__")
                yield path, below, module


def write(library, target):
    import py_compile

    for path, below, _ in sources(library):
        file = os.path.join(target, below + "c")
        os.makedirs(os.path.dirname(file), exist_ok=True)
        py_compile.compile(path, cfile=file, dfile=path, doraise=True)


def described(value):
    """A constant or code object with everything in it, sets in no order."""
    if hasattr(value, "co_code"):
        names = [name for name in dir(value) if name.startswith("co_") and name not in ("co_lines", "co_positions", "co_branches")]
        return [(name, described(getattr(value, name))) for name in names if name != "co_lnotab"]
    if isinstance(value, tuple):
        return [type(value).__name__, *map(described, value)]
    if isinstance(value, frozenset):
        return ["frozenset", *sorted(map(str, map(described, value)))]
    return f"{type(value).__name__} {ascii(value)}"


def read(library, target):
    import warnings

    warnings.simplefilter("ignore")
    same = total = 0
    for path, below, _ in sources(library):
        total += 1
        with open(os.path.join(target, below + "c"), "rb") as file:
            data = file.read()
        with open(path, "rb") as file:
            source = file.read()
        if data[:4] != importlib.util.MAGIC_NUMBER:
            print("magic number:", below)
        elif described(marshal.loads(data[16:])) != described(compile(source, path, "exec", dont_inherit=True)):
            print("differs:", below)
        else:
            same += 1
    print(f"{same} of {total} files hold the reader's own code")


def import_all(library, folder):
    """Names of the modules that can be imported from a folder, each in a child of its own process."""
    sys.path[:] = [folder] + [entry for entry in sys.path if not entry.startswith(library)]
    sys.path.append(os.path.join(library, "lib-dynload"))
    # What is frozen or embedded would hide the files.
    sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "__name__", "") in ("BuiltinImporter", "PathFinder")]
    for _, _, name in sources(library):
        if name.split(".")[0] in NOT_IMPORTED or name.endswith("__main__"):
            continue
        child = os.fork()
        if child == 0:
            sys.stdout = sys.stderr = open(os.devnull, "w")
            top = name.split(".")[0]
            for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] == top]:
                del sys.modules[loaded]
            try:
                found = __import__(name, fromlist=["*"])
            except BaseException:
                os._exit(1)
            os._exit(0 if getattr(found, "__file__", "").startswith(folder) else 2)
        print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def run(python, *arguments):
    command = [python, "-S", "-X", "utf8", os.path.abspath(__file__), *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        print(f"{command} ended with {done.returncode}")
    return done.stdout


def main():
    oracle, taipan, library = sys.argv[1:]
    failed = False
    for writer, reader in ((oracle, taipan), (taipan, oracle)):
        with tempfile.TemporaryDirectory() as target:
            print(f"written by {writer}, read by {reader}")
            run(writer, "--write", library, target)
            report = run(reader, "--read", library, target)
            print(report, end="")
            failed |= "differs" in report or "magic" in report
            wanted = dict(line.split() for line in run(reader, "--import", library, library).splitlines())
            got = dict(line.split() for line in run(reader, "--import", library, target).splitlines())
            importable = [name for name, status in wanted.items() if status == "0"]
            lost = [name for name in importable if got.get(name) != "0"]
            print(f"{len(importable) - len(lost)} of {len(importable)} modules imported", *lost)
            failed |= bool(lost)
    return failed


if __name__ == "__main__":
    actions = {"--write": write, "--read": read, "--import": import_all}
    action = actions.get(sys.argv[1])
    sys.exit(action(*sys.argv[2:]) if action else main())
