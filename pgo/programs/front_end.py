"""Reading programs: tokens, trees, code objects, imports, tests."""
import argparse
import ast
import dis
import importlib
import importlib.util
import inspect
import io
import marshal
import pathlib
import sys
import tempfile
import tokenize
import unittest

from training import train

MODULES = ["argparse", "ast", "textwrap", "json.decoder", "asyncio.tasks", "collections", "dataclasses", "enum", "typing", "unittest.case",
           "pathlib", "inspect", "difflib", "logging", "string", "csv", "calendar"]
SOURCES = [importlib.util.find_spec(name).loader.get_source(name) for name in MODULES]
CODES = [marshal.dumps(compile(source, "source", "exec")) for source in SOURCES]


def compiling():
    for source in SOURCES:
        compile(source, "source", "exec", dont_inherit=True)


def unmarshalling():
    for code in CODES:
        marshal.loads(code)


def trees():
    tree = ast.parse(SOURCES[2])
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = node.id
    ast.unparse(tree)
    compile(tree, "tree", "exec")
    return list(tokenize.generate_tokens(io.StringIO(SOURCES[2]).readline))


def executing():
    names = {}
    exec(CODE, names)
    return eval("double(3) + sum(x for x in range(10))", names)


CODE = compile("def double(n):\n    return n * 2\nclass A:\n    x = double(4)\n", "code", "exec")


def looking():
    dis.dis(looking, file=io.StringIO())
    return inspect.signature(train), inspect.getdoc(train), inspect.signature(argparse.ArgumentParser.add_argument)


def arguments():
    parser = argparse.ArgumentParser(prog="x")
    parser.add_argument("--size", type=int, default=3)
    parser.add_argument("names", nargs="*")
    return parser.parse_args(["--size", "4", "a", "b"]), parser.format_help()


class Checks(unittest.TestCase):
    def test_equal(self):
        for i in range(20):
            with self.subTest(i=i):
                self.assertEqual(i + i, 2 * i)

    def test_raises(self):
        with self.assertRaises(ValueError):
            int("x")


def testing():
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Checks)
    return unittest.TextTestRunner(stream=io.StringIO()).run(suite)


def files():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for i in range(10):
            (root / f"f{i}.txt").write_text("line\n" * 50)
        for path in sorted(root.glob("*.txt")):
            with open(path) as file:
                for line in file:
                    line.strip()
            path.stat().st_size, path.suffix, path.with_name("x"), path.relative_to(root)


def importing():
    for name in ("csv", "difflib", "json.decoder", "textwrap"):
        sys.modules.pop(name, None)
        importlib.import_module(name)


train(compiling, unmarshalling, trees, executing, looking, arguments, testing, files, importing,
      seconds=0.1)
