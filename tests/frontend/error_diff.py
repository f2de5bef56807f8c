"""Compares syntax errors with CPython's: error_diff.py ORACLE DUMP [--mode MODE] [--mutate N] PATH...

Snippets are the string constants and doctest examples in the Python files named, and with --mutate N also N files'
worth of lines damaged at random. Message, positions and text must agree.
"""

import ast
import doctest
import io
import os
import random
import subprocess
import sys
import tokenize
import warnings

WORDS = "( ) [ ] { } , : = == := . * ** / -> @ ! if else for in not lambda def class except as with print x 1 'a' f'{' ; \\ yield await import from match case type 0x \t".split(" ")


def snippets(path):
    with open(path, "rb") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if ">>>" in node.value:
                try:
                    examples = doctest.DocTestParser().get_examples(node.value)
                except ValueError:
                    continue
                for example in examples:
                    yield example.source
            else:
                yield node.value


def mutations(path, rng, count):
    with open(path, "rb") as file:
        source = file.read()
    tree = ast.parse(source)
    text = source.decode("utf-8", "replace")
    pieces = [ast.get_source_segment(text, node, padded=True) for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    pieces = [piece for piece in pieces if piece and len(piece) < 400]
    for _ in range(count if pieces else 0):
        piece = rng.choice(pieces)
        try:
            tokens = [t for t in tokenize.generate_tokens(io.StringIO(piece).readline) if t.string.strip()]
        except (SyntaxError, tokenize.TokenError):
            continue
        if not tokens:
            continue
        token = rng.choice(tokens)
        lines = piece.split("\n")
        row, start, end = token.start[0] - 1, token.start[1], token.end[1]
        if token.start[0] != token.end[0]:
            continue
        line = lines[row]
        kind = rng.randrange(3)
        if kind == 0:
            line = line[:start] + line[end:]
        elif kind == 1:
            line = line[:start] + rng.choice(WORDS) + " " + line[start:]
        else:
            line = line[:start] + rng.choice(WORDS) + line[end:]
        lines[row] = line
        yield "\n".join(lines)


def answer(source, mode):
    warnings.simplefilter("ignore")
    try:
        compile(source, "<unknown>", mode, ast.PyCF_ONLY_AST)
    except SyntaxError as error:
        kind = {"SyntaxError": "Syntax", "IndentationError": "Indentation", "TabError": "Tab"}[type(error).__name__]
        line = f"!{kind}|{ascii_repr(error.msg)}"
        if error.lineno is None and error.text is None:
            return line
        parts = (error.lineno, error.offset, error.end_lineno, error.end_offset)
        line += "|" + "|".join(map(str, parts)) + "|" + ascii_repr(error.text or "")
        metadata = getattr(error, "_metadata", None)
        return line if metadata is None else line + "|" + "|".join((str(metadata[0]), str(metadata[1])))
    except MemoryError as error:
        return f"!Memory|{str(error)!r}"
    except (ValueError, RecursionError):
        return None
    return "ok"


def ascii_repr(text):
    return ascii(text)


def collect(paths, mutate, mode):
    found = {}
    rng = random.Random(mutate)
    for path in paths:
        for snippet in snippets(path):
            found[snippet] = None
        if mutate:
            for snippet in mutations(path, rng, mutate):
                found[snippet] = None
    with open(1, "w", encoding="utf-8", closefd=False) as out:
        for snippet in found:
            if "\0" in snippet or "\r" in snippet:
                continue
            try:
                snippet.encode()
            except UnicodeEncodeError:
                continue
            line = answer(snippet, mode)
            if line is not None and (mutate or line != "ok"):
                out.write(f"{line}\0{snippet}\0")


def main():
    if sys.argv[1] == "--collect":
        return collect(sys.argv[4:], int(sys.argv[2]), sys.argv[3])
    oracle, dump, *paths = sys.argv[1:]
    mutate, mode = "0", "exec"
    if paths[0] == "--mode":
        mode, paths = paths[1], paths[2:]
    if paths[0] == "--mutate":
        mutate, paths = paths[1], paths[2:]
    command = [oracle, os.path.abspath(__file__), "--collect", mutate, mode, *paths]
    collected = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, encoding="utf-8")
    if collected.returncode:
        sys.exit(collected.stderr[-2000:])
    parts = collected.stdout.split("\0")[:-1]
    expected, sources = parts[::2], parts[1::2]
    name = f"/tmp/error_diff.{os.getpid()}"
    with open(name, "w", encoding="utf-8") as file:
        file.write("\0".join(f"{mode}\n{source}" for source in sources))
    ours = subprocess.run([dump, "--errors", name], capture_output=True, text=True, encoding="utf-8")
    os.unlink(name)
    if ours.returncode:
        print("dump failed:", ours.returncode, ours.stderr[-500:])
    lines = ours.stdout.split("\n")
    wrong = messages = 0
    for source, one, other in zip(sources, expected, lines):
        accepted = other[:1] != "!"
        one_core, other_core = one.split("|")[:7], "ok" if accepted else other.split("|")[:7]
        if one_core == other_core or (one == "ok" and accepted):
            continue
        wrong += 1
        messages += accepted or one_core[:2] != other_core[:2]
        print(f"{source!r}\n  theirs: {one[:300]}\n  ours:   {'ok' if accepted else other[:300]}")
    print(f"{len(sources)} snippets, {wrong} different, {messages} of them in the message")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
