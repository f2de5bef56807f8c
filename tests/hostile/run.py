#!/usr/bin/env python3
"""Feeds broken data to everything that decodes data, and compares how that ends under two interpreters.

    python3 tests/hostile/run.py --python TAIPAN [--oracle python3.14] [--count 10000] [--seed 1] [--jobs N] [FORMAT ...]

Valid data of each format is cut, flipped, spliced and mixed with random bytes, the same for the same seed. Each input has to
end in a value or an exception: no crash, no hang, no memory out of proportion. With an oracle, the type of the exception or
the value must be the oracle's, where that depends on the input alone. Exits 1 when an input fails.

The data are made by the interpreter that runs this file, once for both, since two compressors may differ in their output.
"""

import argparse
import base64
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
WORKER = HERE / "worker.py"


class Run:
    """The outcomes of one format's inputs under one interpreter."""

    def __init__(self, python, name, corpus, options):
        self.python, self.name, self.corpus, self.options = python, name, corpus, options
        self.outcomes = {}

    def all(self):
        start = 0
        while start < self.options.count:
            start = self.some(start)
        return self.outcomes

    def some(self, start):
        """Runs the inputs from `start` on until the end or until one ends the process. Gives where to go on."""
        with tempfile.NamedTemporaryFile() as progress, tempfile.TemporaryFile() as out:
            command = [self.python, WORKER, self.name, self.corpus, progress.name]
            numbers = [self.options.seed, start, self.options.count]
            environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
            child = subprocess.Popen(
                [*command, *map(str, numbers)], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, env=environment
            )
            ended = self.wait(child, progress.name)
            error = child.stderr.read().decode(errors="replace").strip()
            child.stderr.close()
            out.seek(0)
            for line in out.read().decode().splitlines():
                index, _, outcome = line.partition("\t")
                self.outcomes[int(index)] = outcome
            if ended == 0:
                return self.options.count
            at = read_number(progress.name)
            if at < start:
                raise SystemExit(f"{self.python} {self.name}: does not start: {error[-500:]}")
            self.outcomes[at] = f"!{ended} {error[-200:]}"
            return at + 1

    def wait(self, child, progress):
        """The exit status, or "hang" when an input takes too long."""
        seen, since = None, time.monotonic()
        while True:
            try:
                return child.wait(timeout=1)
            except subprocess.TimeoutExpired:
                now = read_number(progress)
                if now != seen:
                    seen, since = now, time.monotonic()
                elif time.monotonic() - since > self.options.patience:
                    child.kill()
                    child.wait()
                    return "hang"


def read_number(path):
    return int(pathlib.Path(path).read_text() or -1)


def compare(name, ours, theirs, limit):
    """Prints what failed, at most `limit` lines of it, and gives how many did."""
    failed = []
    for index, outcome in sorted(ours.items()):
        other = theirs.get(index) if theirs else None
        if outcome.startswith("!"):
            failed.append((index, outcome, other))
        elif other is not None and other != outcome and not free_to_differ(outcome, other):
            failed.append((index, outcome, other))
    for index, outcome, other in failed[:limit]:
        print(f"    {name} {index}: {outcome[:150]}" + (f"   oracle: {other[:150]}" if other else ""))
    return len(failed)


def free_to_differ(ours, theirs):
    """How much memory a broken length asks for and how deep the stack reaches is each interpreter's own affair; a crash of
    the oracle says nothing."""
    return theirs.startswith("!") or not {"MemoryError", "RecursionError", "depends"}.isdisjoint((ours, theirs))


def main():
    import worker

    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--python", required=True)
    parser.add_argument("--oracle")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--patience", type=float, default=60, help="seconds that one input may take")
    parser.add_argument("--lines", type=int, default=10, help="failures to show for each format")
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {', '.join(worker.FORMATS)}")
    options = parser.parse_args()
    names = options.formats or list(worker.FORMATS)
    pythons = [options.python] + ([options.oracle] if options.oracle else [])
    failed = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        os.environ["HOSTILE_FOLDER"] = folder
        started = {}
        for name in names:
            samples = worker.FORMATS[name](folder).samples()
            corpus = pathlib.Path(folder, f"{name}.json")
            corpus.write_text(json.dumps([base64.b64encode(sample).decode() for sample in samples]))
            started[name] = [pool.submit(Run(python, name, corpus, options).all) for python in pythons]
        for name, runs in started.items():
            ours, *theirs = [run.result() for run in runs]
            different = compare(name, ours, theirs[0] if theirs else None, options.lines)
            failed += different
            values = sum(outcome.startswith("=") for outcome in ours.values())
            kinds = len({outcome for outcome in ours.values() if outcome[:1] not in "=!"})
            print(f"{name:12} {len(ours)} inputs, {values} values, {kinds} kinds of exception, {different} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
