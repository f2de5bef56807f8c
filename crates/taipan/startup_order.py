"""Writes startup_order.ld: the functions that a start runs, for the linker to place side by side.

    python3 crates/taipan/startup_order.py target/release/taipan target/quick/taipan > startup_order.ld
    mv startup_order.ld crates/taipan

Needs valgrind. Several builds may be given, since each inlines other functions. Functions that have since been renamed are
passed over by the linker; run this again when much has moved.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = "print('started')\n"


def functions(command):
    """The mangled names of the functions that a command runs, in the order of callgrind's file."""
    with tempfile.NamedTemporaryFile() as profile:
        valgrind = ["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={profile.name}"]
        subprocess.run([*valgrind, *command], check=True, capture_output=True)
        return re.findall(r"^c?fn=\(\d+\) ([^'\s]+)", Path(profile.name).read_text(), re.MULTILINE)


def pattern(name):
    """The sections that a function may be in, for any hash that the compiler appends. The release's profile has a say."""
    name = re.sub(r"17h[0-9a-f]{16}E", "17h*E", name)
    name = re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name)
    name = re.sub(r"\.llvm\.[0-9]+$", ".llvm.*", name)
    return f".text.{name} .text.hot.{name} .text.unlikely.{name}"


def symbols(executable):
    """The mangled names of all functions in an executable."""
    table = subprocess.run(["nm", "--defined-only", executable], check=True, capture_output=True, text=True).stdout
    return [line.split()[2] for line in table.splitlines() if line.split()[1] in "tT"]


def patterns(names):
    return {pattern(name) for name in names if re.fullmatch(r"[A-Za-z_][\w.$]*", name)}


def main():
    executables = sys.argv[1:]
    # What the shortest start of the first build runs comes first, by itself: a pattern that other functions fit too
    # would bring them along.
    start = set(functions([executables[0], "-c", "pass"]))
    first = patterns(start) - patterns(set(symbols(executables[0])) - start)
    rest = set()
    with tempfile.NamedTemporaryFile("w", suffix=".py") as program:
        program.write(PROGRAM)
        program.flush()
        for executable in executables:
            rest |= patterns(functions([executable, "-c", "pass"])) | patterns(functions([executable, program.name]))
    print("/* Made by startup_order.py: what a start runs lies on few pages. */")
    print("SECTIONS {\n    .text.start : {")
    for name in [*sorted(first), *sorted(rest - first)]:
        print(f"        *({name})")
    print("    }\n} INSERT BEFORE .text;")


if __name__ == "__main__":
    main()
