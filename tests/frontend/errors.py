"""Compares what two Pythons say about broken sources: exception, message, position, text, and warnings.

    errors.py ORACLE TAIPAN [--mutants N] [--seed N] [--size BYTES] [--show N] [--jobs N] PATH...

Without --mutants the sources are the string constants and doctest examples in the files named. With it they are N
copies of the files named (up to --size) in which one token is deleted, doubled, swapped with the next or replaced.
Both run this file as a worker; the mutants depend on the seed alone.
"""

import argparse
import concurrent.futures
import json
import os
import sys
import threading

from identity import Worker, python_files

MODES = ("exec", "eval", "single")
REPLACEMENTS = (
    "( ) [ ] { } , : = == := . * ** / -> @ ! ~ % ; if else elif for in is not lambda def class except as with print x 1 0777 "
    "1_ 0x 1e 'a' b'b' f'{' f'{x!z}' t'' \" ''' yield await async import from match case type try finally raise return "
    "break continue global nonlocal del assert pass None True __debug__ \\ $ ? \u20ac \u00e9 \t"
).split(" ")


def snippets(path):
    """The strings and doctest examples in a file."""
    import ast
    import doctest

    with open(path, "rb") as file:
        tree = ast.parse(file.read())
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found[node.value] = None
            if ">>>" in node.value:
                try:
                    found.update((example.source, None) for example in doctest.DocTestParser().get_examples(node.value))
                except ValueError:
                    continue
    return list(found)


def mutants(path, seed, count):
    """Damaged copies of a file."""
    import io
    import random
    import tokenize

    with open(path, "rb") as file:
        source = file.read()
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
        text = source.decode(tokens[0].string)
    except (SyntaxError, UnicodeDecodeError):
        return
    starts = [0]
    for line in io.StringIO(text, newline=""):
        starts.append(starts[-1] + len(line))
    tokens = [token for token in tokens[1:] if token.string and token.type not in (tokenize.COMMENT, tokenize.NL)]
    rng = random.Random(f"{seed} {os.path.basename(path)}")
    for _ in range(count if len(tokens) > 1 else 0):
        which = rng.randrange(len(tokens) - 1)
        (start, end), (next_start, next_end) = (
            (starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1])
            for token in tokens[which : which + 2]
        )
        piece, after = text[start:end], text[next_start:next_end]
        kind = rng.randrange(4)
        if kind == 0:
            yield text[:start] + text[end:]
        elif kind == 1:
            yield text[:end] + " " + piece + text[end:]
        elif kind == 2:
            yield text[:start] + after + text[end:next_start] + piece + text[next_end:]
        else:
            yield text[:start] + rng.choice(REPLACEMENTS) + text[end:]


def answer(source, mode):
    """What compiling gives, as a line."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            compile(source, "<source>", mode, dont_inherit=True)
            result = "ok"
        except SyntaxError as error:
            metadata = getattr(error, "_metadata", None)
            metadata = metadata and (metadata[0], metadata[1], metadata[2] == source)
            places = [error.lineno, error.offset, error.end_lineno, error.end_offset, error.text, error.print_file_and_line]
            result = f"{type(error).__name__} {error.msg!a} {places!a} {len(error.args)} {metadata!a}"
        except (ValueError, MemoryError, RecursionError, OverflowError) as error:
            result = f"{type(error).__name__} {error!a}"
    return result + "".join(f" | {w.category.__name__} {w.lineno} {w.message!s:.200}" for w in caught)


def work():
    for line in sys.stdin:
        path, seed, count, wanted = json.loads(line)
        if wanted is not None:
            source = (mutants(path, seed, count) if count else snippets(path))
            print(json.dumps(list(source)[wanted]), flush=True)
        elif count:
            print(json.dumps([[answer(source, "exec")] for source in mutants(path, seed, count)]), flush=True)
        else:
            print(json.dumps([[answer(source, mode) for mode in MODES] for source in snippets(path)]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("oracle")
    parser.add_argument("taipan")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--mutants", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=60_000)
    parser.add_argument("--show", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    files = list(python_files(options.paths))
    counts = {path: 0 for path in files}
    if options.mutants:
        files = [path for path in files if os.path.getsize(path) <= options.size]
        share, rest = divmod(options.mutants, len(files))
        counts = {path: share + (at < rest) for at, path in enumerate(files)}
        files = [path for path in files if counts[path]]
    local = threading.local()

    def compare(path):
        if not hasattr(local, "workers"):
            local.workers = [Worker(python, __file__) for python in (options.oracle, options.taipan)]
        request = (path, options.seed, counts[path], None)
        theirs, ours = (worker.ask(request) for worker in local.workers)
        if not isinstance(theirs, list) or not isinstance(ours, list) or len(theirs) != len(ours):
            return len(theirs), [(path, -1, str(theirs)[:300], str(ours)[:300])]
        return len(theirs), [(path, at, a, b) for at, pair in enumerate(zip(theirs, ours)) for a, b in zip(*pair) if a != b]

    total, wrong = 0, []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for count, differing in pool.map(compare, files):
            total += count
            wrong += differing
    oracle = Worker(options.oracle, __file__)
    for path, at, theirs, ours in wrong[: options.show]:
        print(f"--- {path} {at}\n  theirs: {theirs}\n  ours:   {ours}")
        if at >= 0 and not counts[path]:
            print("  source:", repr(oracle.ask((path, options.seed, 0, at)))[:1000])
    broken = len({(path, at) for path, at, *_ in wrong})
    print(f"{total} sources, {broken} differ ({100 - 100 * broken / max(total, 1):.3f}% agree)")
    return bool(wrong)


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        work()
    else:
        sys.exit(main())
