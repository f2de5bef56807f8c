"""Compares trees with CPython's: ast_diff.py ORACLE DUMP PATH...

ORACLE is a python3.14, DUMP the built example `dump` of crate `parser`, each PATH a file or folder. Prints the first
difference of each file that differs and a summary; the exit code tells whether all agree.
"""

import os
import subprocess
import sys


def sources(paths):
    for path in paths:
        if os.path.isdir(path):
            for folder, folders, files in os.walk(path):
                folders.sort()
                for name in sorted(files):
                    if name.endswith(".py"):
                        yield os.path.join(folder, name)
        else:
            yield path


def expected(path):
    """What the oracle says, in the form of the dump example. Runs inside the oracle."""
    import ast
    import warnings

    with open(path, "rb") as file:
        source = file.read()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            tree = ast.parse(source, "<unknown>")
        except SyntaxError as error:
            return f"!{type(error).__name__}: {error.msg}"
        except ValueError as error:
            return f"!{type(error).__name__}: {error}"
    text = ascii_dump(tree)
    return text + "".join(f"|{w.lineno}|{w.message}" for w in caught)


def ascii_dump(tree):
    """Like ast.dump(tree, include_attributes=True, show_empty=True), but only ASCII."""
    import ast

    def field(value):
        if isinstance(value, ast.AST):
            cls = type(value)
            parts = []
            for name in value._fields:
                item = getattr(value, name)
                if item is None and getattr(cls, name, ...) is None:
                    continue
                parts.append(f"{name}={field(item)}")
            for name in value._attributes:
                parts.append(f"{name}={getattr(value, name)}")
            return f"{cls.__name__}({', '.join(parts)})"
        if isinstance(value, list):
            return f"[{', '.join(map(field, value))}]"
        if isinstance(value, (str, bytes, int, float, complex)) or value is None or value is ...:
            return ascii(value)
        raise TypeError(value)

    return field(tree)


def main():
    oracle, dump, *paths = sys.argv[1:]
    files = list(sources(paths))
    checked = different = 0
    for start in range(0, len(files), 50):
        chunk = files[start : start + 50]
        code = "import sys; sys.path.insert(0, sys.argv[1]); sys.setrecursionlimit(10**6); import ast_diff\n"
        code += "for path in sys.argv[2:]: print(ast_diff.expected(path))"
        here = os.path.dirname(os.path.abspath(__file__))
        theirs = subprocess.run([oracle, "-c", code, here, *chunk], capture_output=True, text=True)
        ours = subprocess.run([dump, *chunk], capture_output=True, text=True)
        their_lines, our_lines = theirs.stdout.split("\n"), ours.stdout.split("\n")
        if theirs.returncode or ours.returncode:
            print(chunk[0], theirs.stderr[-500:], ours.stderr[-500:])
        for path, one, other in zip(chunk, their_lines, our_lines):
            checked += 1
            if one == other or (one[:1] == "!" == other[:1]):
                continue
            different += 1
            at = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
            print(f"{path}\n  theirs: {one[max(0, at - 150) : at + 150]}\n  ours:   {other[max(0, at - 150) : at + 150]}")
    print(f"{checked} files, {different} different")
    return different != 0


if __name__ == "__main__":
    sys.exit(main())
