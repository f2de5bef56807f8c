"""Compares what two Pythons make of the same sources, seen from inside: tokens, trees, symbol tables, code, marshal data.

    identity.py ORACLE TAIPAN [--what tokens,raw,tree,symbols,code,marshal] [--optimize N] [--show N] [--jobs N] PATH...

Both run this file as a worker with PYTHONHASHSEED=0 (the order of frozenset constants follows the hashes of strings).
Prints a line for each file that differs, with the first differences of the first `--show` of them, and a summary.
"""

import argparse
import collections
import concurrent.futures
import difflib
import hashlib
import json
import os
import subprocess
import sys
import threading

KINDS = ("tokens", "raw", "tree", "symbols", "code", "marshal")
CODE_FIELDS = (
    "co_name", "co_qualname", "co_filename", "co_firstlineno", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount",
    "co_flags", "co_stacksize", "co_nlocals", "co_names", "co_varnames", "co_cellvars", "co_freevars", "co_code",
    "co_exceptiontable", "co_linetable",
)


def tokens(source, path, optimize):
    """What `tokenize` yields."""
    import io
    import tokenize

    for token in tokenize.tokenize(io.BytesIO(source).readline):
        yield f"{token.type} {token.string!r} {token.start} {token.end} {token.line!r}"


def raw(source, path, optimize):
    """What the tokenizer yields to the parser."""
    import _tokenize
    import io
    import tokenize

    encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
    for token in _tokenize.TokenizerIter(io.BytesIO(source).readline, encoding=encoding, extra_tokens=False):
        yield repr(token)


def tree(source, path, optimize):
    """The nodes with all fields and positions, a line each."""
    import ast

    def walk(node, name, depth):
        attributes = " ".join(str(getattr(node, attribute)) for attribute in node._attributes)
        simple, inner = [], []
        for field in node._fields:
            value = getattr(node, field)
            if isinstance(value, (ast.AST, list)):
                inner.append((field, value))
            else:
                simple.append(f"{field}={ascii(value)}")
        yield f"{'  ' * depth}{name}: {type(node).__name__} {attributes} {' '.join(simple)}"
        for field, value in inner:
            if isinstance(value, list):
                yield f"{'  ' * depth}  {field}: {len(value)}"
                for item in value:
                    if isinstance(item, ast.AST):
                        yield from walk(item, "", depth + 1)
                    else:
                        yield f"{'  ' * depth}  {ascii(item)}"
            else:
                yield from walk(value, field, depth + 1)

    return walk(compile(source, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True), "", 0)


def symbols(source, path, optimize):
    """Every scope with its symbols' flags."""
    import _symtable

    def walk(table, depth):
        names = " ".join(f"{ascii(name)}={flags}" for name, flags in table.symbols.items())
        yield f"{'  ' * depth}{table.name} {table.type} {table.lineno} {table.nested} {table.varnames} {names}"
        for child in table.children:
            yield from walk(child, depth + 1)

    return walk(_symtable.symtable(source, path, "exec"), 0)


def constant(value):
    """A constant with the types of all its parts, frozensets in their order."""
    if isinstance(value, (tuple, frozenset)):
        return f"{type(value).__name__}({', '.join(map(constant, value))})"
    if isinstance(value, slice):
        return f"slice({constant(value.start)}, {constant(value.stop)}, {constant(value.step)})"
    if hasattr(value, "co_code"):
        return f"code {value.co_name}"
    if isinstance(value, int) and value.bit_length() > 4000:
        return f"int {value:x}"
    return f"{type(value).__name__} {ascii(value)}"


def code(source, path, optimize):
    """Every code object with all attributes."""

    def walk(value):
        for field in CODE_FIELDS:
            item = getattr(value, field)
            if field == "co_code":
                yield from (f"  {at}: {item[at]} {item[at + 1]}" for at in range(0, len(item), 2))
            else:
                yield f"{field}: {ascii(item)}"
        yield from (f"const {constant(item)}" for item in value.co_consts)
        for item in value.co_consts:
            if hasattr(item, "co_code"):
                yield from walk(item)

    return walk(compile(source, path, "exec", dont_inherit=True, optimize=optimize))


def marshal(source, path, optimize):
    """What a .pyc file contains."""
    import marshal

    yield marshal.dumps(compile(source, path, "exec", dont_inherit=True, optimize=optimize)).hex(" ")


def lines(kind, path, optimize):
    """The description of one kind, ending with the error if there was one."""
    with open(path, "rb") as file:
        source = file.read()
    try:
        yield from globals()[kind](source, path, optimize)
    except (SyntaxError, ValueError, MemoryError, RecursionError, LookupError) as error:
        yield f"{type(error).__name__} {error.args!r}"


def work():
    """Answers requests on standard input: kinds, level, path, whether the text itself is wanted."""
    import warnings

    sys.setrecursionlimit(20_000)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        kinds, optimize, path, whole = json.loads(line)
        answers = {}
        for kind in kinds:
            digest, text = hashlib.sha256(), []
            for part in lines(kind, path, optimize):
                digest.update(part.encode("utf-8", "surrogatepass") + b"\n")
                if whole:
                    text.append(part)
            answers[kind] = text if whole else digest.hexdigest()
        print(json.dumps(answers), flush=True)


class Worker:
    """One interpreter that answers; started again when it dies."""

    def __init__(self, executable, script=__file__):
        self.executable = executable
        self.script = os.path.abspath(script)
        self.process = None

    def ask(self, request):
        if self.process is None:
            self.process = subprocess.Popen(
                [self.executable, "-S", "-X", "utf8", self.script, "--worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            status = self.process.wait()
            self.process = None
            return collections.defaultdict(lambda: [f"died with {status}"])
        return json.loads(answer)

    def close(self):
        if self.process is not None:
            self.process.communicate()


def python_files(paths):
    for path in paths:
        if os.path.isdir(path):
            for folder, folders, files in os.walk(path):
                folders[:] = sorted(name for name in folders if name != "__pycache__")
                yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(".py"))
        else:
            yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("oracle")
    parser.add_argument("taipan")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--what", default=",".join(KINDS[:-1]))
    parser.add_argument("--optimize", type=int, default=0)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    kinds = options.what.split(",")
    files = list(python_files(options.paths))
    local = threading.local()

    def compare(path):
        if not hasattr(local, "workers"):
            local.workers = Worker(options.oracle), Worker(options.taipan)
        wrong = kinds
        # What differs is looked at once more by fresh processes: the order of a frozenset constant depends on which names
        # were interned before.
        fresh = Worker(options.oracle), Worker(options.taipan)
        for workers in (local.workers, fresh):
            theirs, ours = (worker.ask((wrong, options.optimize, path, False)) for worker in workers)
            wrong = [kind for kind in wrong if theirs[kind] != ours[kind]]
            if not wrong:
                break
        for worker in fresh:
            worker.close()
        return path, wrong

    counts, differing = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, wrong in pool.map(compare, files):
            counts.update(wrong)
            if wrong:
                differing.append((path, wrong))
                print(f"{path}: {', '.join(wrong)}", flush=True)
    oracle, taipan = Worker(options.oracle), Worker(options.taipan)
    for path, wrong in differing[: options.show]:
        for kind in wrong:
            request = ((kind,), options.optimize, path, True)
            theirs, ours = oracle.ask(request)[kind], taipan.ask(request)[kind]
            print(f"--- {kind} of {path}")
            # A differ is slow on long texts: show it from shortly before the first difference.
            first = next((at for at, pair in enumerate(zip(theirs, ours)) if pair[0] != pair[1]), len(ours))
            window = slice(max(first - 4, 0), first + 25)
            for line in difflib.unified_diff(theirs[window], ours[window], "oracle", "taipan", n=4, lineterm=""):
                print("   ", line[:400])
    print(f"{len(files)} files:", ", ".join(f"{kind} {len(files) - counts[kind]} same" for kind in kinds))
    return bool(differing)


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        work()
    else:
        sys.exit(main())
