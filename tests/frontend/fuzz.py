"""Feeds damaged sources, syntax trees and marshal data to one Python and looks for crashes, hangs and growth.

    fuzz.py TAIPAN [--seconds N] [--seed N] [--jobs N] PATH...

What an input does depends on the seed, the file and its number alone: a report names all three, and
`fuzz.py --one KIND SEED PATH NUMBER`, run by the Python in question, repeats it.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time

from identity import python_files

BATCH = 20
SLOW = 60
GROWTH = 300 << 20
KINDS = ("bytes", "lines", "tokens", "deep", "tree", "marshal")
SPICE = (
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\x0c", b"\r", b"\r\n", b"\n", b"\t", b" ", b"\\", b"\\\n", b"'", b'"', b"'''", b'"""', b"f'", b"t'{", b"rb'",
    b"{", b"}", b"{{", b"!r", b":", b"(", b")", b"[", b"]", b"0x", b"1_", b"9" * 5000, b"1e999", b"1j", b"\xe2\x82\xac", b"\xc3\xa9", b"# coding: utf-16\n",
    b"# coding: latin-1\n", b"lambda ", b"await ", b"yield ", b"async ", b"match x:\n case ", b"type X[T] = ", b"*", b"**", b":=", b"->", b"@", b"...", b"\\N{DIGIT ONE}",
    b"\\ud800", b"global x\n", b"nonlocal x\n", b"del ", b"from __future__ import annotations\n", b"except* ", b"if 1:\n ", b" else ", b" for x in ",
)
OPENERS = (
    ("(", ")"), ("[", "]"), ("{", "}"), ("f'{", "}'"), ("lambda: ", ""), ("not ", ""), ("-", ""), ("x if ", " else y"), ("{1:", "}"), ("a[", "]"), ("f(", ")"),
    ("x.y", ""), ("*", ""), ("await ", ""), ("x := ", ""), ("1 + ", ""), ("1 ** ", ""), ("x < ", ""), ("yield ", ""), ("[x for x in ", "]"), ("'a' ", ""),
)


def damaged(source, rng):
    """Bytes with some of them changed, removed, repeated or moved."""
    data = bytearray(source)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            del data[at : at + rng.choice((1, 1, 3, 50))]
        elif kind == 1:
            data[at:at] = rng.choice(SPICE)
        elif kind == 2 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 3 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 4:
            start = rng.randrange(len(data) + 1)
            data[at:at] = data[start : start + rng.choice((1, 10, 100))]
        else:
            data[at : at + 4] = rng.randrange(1 << 32).to_bytes(4, "little")
    return bytes(data)


def shuffled_lines(source, rng):
    lines = source.splitlines(keepends=True)
    for _ in range(rng.choice((1, 2, 5))):
        if len(lines) > 1:
            at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
            kind = rng.randrange(4)
            if kind == 0:
                del lines[at]
            elif kind == 1:
                lines[at], lines[other] = lines[other], lines[at]
            elif kind == 2:
                lines[at] = rng.choice((b"", b" ", b"\t", b"    ")) + lines[at].lstrip()
            else:
                lines.insert(at, lines[other])
    return b"".join(lines)


def shuffled_tokens(source, rng):
    words = source.split(b" ")
    for _ in range(rng.choice((1, 2, 5))):
        at = rng.randrange(len(words))
        words[at] = rng.choice((words[rng.randrange(len(words))], b"", words[at] * 2, rng.choice(SPICE)))
    return b" ".join(words)


def deep(rng):
    depth = rng.choice((50, 90, 100, 150, 200, 1000, 3000, 30_000))
    parts = [rng.choice(OPENERS) for _ in range(rng.choice((1, 1, 2, 3)))]
    pairs = [parts[at % len(parts)] for at in range(depth)]
    body = "".join(pair[0] for pair in pairs) + "x" + "".join(pair[1] for pair in reversed(pairs))
    if rng.randrange(3) == 0:
        blocks = rng.choice(("if x:", "def f():", "class A:", "while x:", "for x in y:", "with x:", "try:", "match x:"))
        return "".join(" " * at + blocks + "\n" for at in range(min(depth, 300))).encode() + body.encode()
    return (rng.choice(("", "x = ", "del ", "for ", "case ", "def f(x=", "@", "assert ", "return ", "type X = ")) + body).encode()


def attempt(kind, source, rng):
    """One input. Whatever is raised is fine."""
    import marshal
    import warnings

    warnings.simplefilter("ignore")
    mode = rng.choice(("exec", "exec", "exec", "eval", "single", "func_type"))
    if kind == "marshal":
        value = compile(source, "f", "exec") if rng.randrange(4) else (1 << 99, 2.5, "a", "\u20ac", b"x", [1, {2}], {"k": frozenset((1, 2))}, slice(1, 2), None)
        return marshal.loads(damaged(marshal.dumps(value, rng.randrange(6)), rng))
    if kind == "tree":
        return compile(damaged_tree(source, rng), "f", "exec", optimize=rng.randrange(-1, 3))
    data = {"bytes": damaged, "lines": shuffled_lines, "tokens": shuffled_tokens}.get(kind, lambda _, rng: deep(rng))(source, rng)
    if rng.randrange(3) == 0:
        data = data.decode("latin-1" if rng.randrange(2) else "utf-8", "surrogateescape")
    flags = rng.choice((0, 0, 0x400, 0x1000, 0x2000, 0x4000, 0x8400, 0x200, 0x20000))
    if rng.randrange(8) == 0:
        import _symtable

        return _symtable.symtable(data, "f", mode)
    if rng.randrange(8) == 0 and isinstance(data, bytes):
        import io
        import tokenize

        return sum(1 for _ in tokenize.tokenize(io.BytesIO(data).readline))
    return compile(data, "f", mode, flags, True, rng.randrange(-1, 3))


def damaged_tree(source, rng):
    """A tree in which nodes stand where they shouldn't."""
    import ast

    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    for _ in range(rng.choice((1, 2, 5))):
        node = rng.choice(nodes)
        names = node._fields + node._attributes
        if names:
            name = rng.choice(names)
            odd = (None, 1, -1, "x", "", "None", [], [None], ..., 1 << 70, rng.choice(nodes), [rng.choice(nodes)], ast.Load(), object(), (1, (2,)), b"x", "\ud800")
            value = rng.choice(odd)
            old = getattr(node, name, None)
            if isinstance(old, list) and old and rng.randrange(2):
                old[rng.randrange(len(old))] = value
            else:
                setattr(node, name, value)
    return tree


def one(kind, seed, path, number):
    rng = random.Random(f"{kind} {seed} {os.path.basename(path)} {number}")
    with open(path, "rb") as file:
        source = file.read()
    try:
        attempt(kind, source, rng)
    except (Exception, SystemExit) as error:
        return type(error).__name__
    return "fine"


def work():
    import resource

    for line in sys.stdin:
        kind, seed, path, first = json.loads(line)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        counts = {}
        for number in range(first, first + BATCH):
            outcome = one(kind, seed, path, number)
            counts[outcome] = counts.get(outcome, 0) + 1
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        print(json.dumps((counts, grown)), flush=True)


class Victim:
    def __init__(self, python):
        self.python = python
        self.process = None

    def ask(self, request, seconds):
        """The answer, or how the process ended."""
        if self.process is None:
            command = [self.python, "-S", "-X", "utf8", os.path.abspath(__file__), "--worker"]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        timer = threading.Timer(seconds, self.process.kill)
        timer.start()
        started = time.monotonic()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        timer.cancel()
        if line:
            return json.loads(line)
        status = self.process.wait()
        self.process = None
        return f"hang, {seconds} s" if time.monotonic() - started >= seconds else f"died with {status}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("taipan")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    files = [path for path in python_files(options.paths) if os.path.getsize(path) < 30_000]
    rng = random.Random(options.seed)
    end = time.monotonic() + options.seconds
    totals, finds, lock = {}, [], threading.Lock()

    def hunt():
        victim = Victim(options.taipan)
        while time.monotonic() < end:
            with lock:
                request = (rng.choice(KINDS), options.seed, rng.choice(files), rng.randrange(1 << 30))
            answer = victim.ask(request, 2 * SLOW)
            with lock:
                if isinstance(answer, str) or answer[1] > GROWTH:
                    finds.append((request, answer if isinstance(answer, str) else f"grew by {answer[1]} bytes"))
                    print(*finds[-1], flush=True)
                else:
                    for outcome, count in answer[0].items():
                        totals[outcome] = totals.get(outcome, 0) + count

    threads = [threading.Thread(target=hunt) for _ in range(options.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for request, answer in finds:
        kind, seed, path, first = request
        for number in range(first, first + BATCH):
            command = [options.taipan, "-S", "-X", "utf8", os.path.abspath(__file__), "--one", kind, str(seed), path, str(number)]
            try:
                status = subprocess.run(command, capture_output=True, timeout=SLOW).returncode
            except subprocess.TimeoutExpired:
                status = "hang"
            if status != 0:
                print(f"find: --one {kind} {seed} {path} {number}: {status}")
    print(sum(totals.values()), "inputs,", len(finds), "finds;", dict(sorted(totals.items())))
    return bool(finds)


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        work()
    elif sys.argv[1] == "--one":
        print(one(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])))
    else:
        sys.exit(main())
