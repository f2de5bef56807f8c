#!/usr/bin/env python3
"""The ratchet: what passed may not fail.

    check.py TAIPAN SHARED [--record]

Runs the document cases listed in seed_cases.txt, one name a line, and compares
what each prints with its .out file. With --record, runs all cases of the chosen
topics and writes the list of those that pass.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIST = HERE / "seed_cases.txt"
TOPICS = ["language", "functions", "containers", "classes", "generators", "typing", "unicode",
          "future", "regex", "programs"]


def passes(taipan, case):
    """Whether the program prints what its .out file says, and ends well."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run([taipan, case.name], cwd=case.parent, env=environment, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60)
    except subprocess.TimeoutExpired:
        return False
    expected = case.with_suffix(".out")
    return done.returncode == 0 and done.stdout == expected.read_bytes()


def main():
    taipan, shared = sys.argv[1], Path(sys.argv[2])
    cases = shared / "seed-cases"
    if "--record" in sys.argv:
        names = [str(p.relative_to(cases)) for topic in TOPICS for p in sorted((cases / topic).glob("*.py"))
                 if p.with_suffix(".out").exists()]
    else:
        names = LIST.read_text().split()
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda name: passes(taipan, cases / name), names))
    good = [name for name, ok in zip(names, results) if ok]
    if "--record" in sys.argv:
        LIST.write_text("".join(name + "\n" for name in good))
        print(f"{len(good)} of {len(names)} cases pass and are recorded")
        return 0
    for name in sorted(set(names) - set(good)):
        print("lost:", name)
    print(f"{len(good)} passed, {len(names) - len(good)} failed")
    return 0 if names and len(good) == len(names) else 1


sys.exit(main())
