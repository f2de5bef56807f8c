#!/usr/bin/env python3
"""The ratchet: what passed may not fail.

    check.py cases TAIPAN SHARED [--record]
    check.py conformance TAIPAN SHARED TESTS [--record MODULES]

`cases` runs the documents' cases listed in cases.txt with SHARED's runner; its
`--record` runs them all and adds those that pass to the list.

`conformance` runs the modules of CPython's test package (the folder TESTS) that
have a file in conformance/, which lists the ids that must pass. Its `--record`
takes module names with commas between, or `recorded` for those that have a file,
and adds the ids that pass in two runs. What a list has is only ever removed by hand.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases.txt"
CONFORMANCE = HERE / "conformance"


def runner_results(command):
    """What a runner of SHARED writes with --json."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.json"
        done = subprocess.run([sys.executable, *command, "--json", results], stdout=subprocess.PIPE, text=True)
        if not results.exists():
            sys.exit(f"the runner wrote no results:\n{done.stdout}")
        return json.loads(results.read_text())


def passing_cases(options, names=None):
    """The cases that pass, of those in `names` or of all."""
    command = [options.shared / "tools/run_seed_cases.py", "--python", options.taipan, "--jobs", "2"]
    results = runner_results(command)["cases"]
    passed = {entry["case"] for entry in results if entry["result"] == "passed"}
    return passed if names is None else passed & names


def passing_ids(options, modules):
    """The ids that pass in each module."""
    command = [options.shared / "tools/conformance.py", "--python", options.taipan,
               "--stdlib-tests", options.tests, "--jobs", "2", "--modules", ",".join(modules)]
    results = runner_results(command)["modules"]
    return {module: {f"{scope}.{name}" for scope, names in results.get(module, {}).get("tests", {}).items()
                     for name in names} for module in modules}


def read(path):
    return set(path.read_text().splitlines()) if path.exists() else set()


def write(path, names):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(name + "\n" for name in sorted(names)))


def compare(expected, passed):
    """Tells what was lost; true when there was something to lose and nothing was."""
    lost = sorted(expected - passed)
    for name in lost:
        print("lost:", name)
    print(f"{len(expected) - len(lost)} passed, {len(lost)} lost")
    return bool(expected) and not lost


def cases(options):
    expected = read(CASES)
    if options.record is not None:
        found = passing_cases(options) | expected
        write(CASES, found)
        print(f"{len(found)} cases recorded, {len(found - expected)} of them new")
        return True
    found = passing_cases(options, expected)
    if expected - found:
        # A loaded machine can make a case miss its time: what fails is run once more.
        found |= passing_cases(options, expected)
    return compare(expected, found)


def conformance(options):
    recorded = sorted(path.stem for path in CONFORMANCE.glob("*.txt"))
    if options.record is not None:
        modules = recorded if options.record == "recorded" else options.record.split(",")
        first, second = passing_ids(options, modules), passing_ids(options, modules)
        for module in modules:
            path = CONFORMANCE / f"{module}.txt"
            found = read(path) | (first[module] & second[module])
            if found:
                write(path, found)
            print(f"{module}: {len(found)} ids recorded")
        return True
    expected = {module: read(CONFORMANCE / f"{module}.txt") for module in recorded}
    found = passing_ids(options, recorded)
    again = [module for module in recorded if expected[module] - found[module]]
    if again:
        # A loaded machine can make a test miss its time: what fails is run once more.
        for module, names in passing_ids(options, again).items():
            found[module] |= names
    flat = [{f"{module}: {name}" for module in recorded for name in names[module]} for names in (expected, found)]
    return compare(*flat)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("cases", "conformance"))
    parser.add_argument("taipan", type=Path)
    parser.add_argument("shared", type=Path)
    parser.add_argument("tests", type=Path, nargs="?")
    parser.add_argument("--record", nargs="?", const="recorded")
    options = parser.parse_args()
    if options.kind == "conformance" and options.tests is None:
        parser.error("conformance needs the folder of CPython's test package")
    return 0 if {"cases": cases, "conformance": conformance}[options.kind](options) else 1


sys.exit(main())
