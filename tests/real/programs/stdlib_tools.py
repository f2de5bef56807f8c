"""The library's command line tools: json.tool, timeit, dis, ast, pdb, cProfile, zipapp, unittest, doctest, http.server and others."""
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

pathlib.Path("mod.py").write_text('''
"""A module.

>>> add(1, 2)
3
>>> add(1, "x")
Traceback (most recent call last):
    ...
TypeError: unsupported operand type(s) for +: 'int' and 'str'
>>> add(2, 2)
5
"""

def add(a, b=1, /, *, c: int = 0) -> int:
    """Adds."""
    total = a + b
    for i in range(3):
        total += c * i
    return total

class Thing:
    """A thing."""
    limit = 3
    def __init__(self, name): self.name = name
    @property
    def loud(self): return self.name.upper()
    async def run(self, *args, **kw):
        return [x async for x in args[0] if x]

def main():
    print(add(1, 2, c=3), Thing("x").loud)

if __name__ == "__main__":
    main()
''')
pathlib.Path("test_mod.py").write_text('''
import unittest, mod
class Test(unittest.TestCase):
    def setUp(self): self.addCleanup(print, "cleaned")
    def test_add(self): self.assertEqual(mod.add(1), 2)
    def test_fail(self): self.assertEqual([1, {"a": 2}], [1, {"a": 3}], "message")
    def test_error(self): mod.add(1, None)
    @unittest.skip("why")
    def test_skip(self): pass
    def test_sub(self):
        for i in range(2):
            with self.subTest(i=i): self.assertTrue(i)
    def test_log(self):
        with self.assertLogs() as logs: pass
class Async(unittest.IsolatedAsyncioTestCase):
    async def test_async(self): self.assertMultiLineEqual("a\\nb\\n", "a\\nc\\n")
''')
pathlib.Path("data.json").write_text('{"b": [1, 2.50, null, {"c": "\\u00e9"}], "a": {}}')
pathlib.Path("bad.json").write_text('{"b": [1, 2,, 3]}')
pathlib.Path("bad.py").write_text("def f(:\n    pass\n")
pathlib.Path("app").mkdir()
pathlib.Path("app/__main__.py").write_text("import sys\nprint('app', sys.argv[1:], __package__, __spec__.name)\n")
pathlib.Path("app/cli.py").write_text("def main():\n    print('cli')\n    return 3\n")


LIBRARY = os.path.dirname(os.__file__)


def tool(*arguments, input="", hide=r"\d+\.\d+ (sec|msec|usec|nsec)|\d+\.\d+s\b"):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, input=input)
    clean = [re.sub(hide, "TIME", re.sub("0x[0-9a-f]{6,}", "ADDRESS", text)) for text in (done.stdout, done.stderr)]
    for name in (sys.executable, os.path.basename(sys.executable)):
        clean = [re.sub(rf"^(usage: )?{re.escape(name)}(?=:? )", r"\1PYTHON", text, flags=re.M) for text in clean]
    clean = [re.sub(re.escape(LIBRARY) + r'(/[\w/]+\.py)(", line |\()\d+', r"LIB\1\2N", text) for text in clean]
    print(">", *[part.replace(LIBRARY, "LIB") for part in arguments], "->", done.returncode, *clean, sep="\n" if len(done.stdout) > 60 else " ")


tool("-m", "json", "data.json")
tool("-m", "json.tool", "--sort-keys", "--indent", "2", "--no-ensure-ascii", "data.json")
tool("-m", "json.tool", "--json-lines", "--compact", input='{"a":1}\n[2]\n')
tool("-m", "json.tool", "bad.json")
tool("-m", "timeit", "-n", "5", "-r", "1", "-s", "x = 1", "x + 1", hide=r"best of.*")
tool("-m", "timeit", "-n", "1", "nothing")
tool("-m", "dis", "mod.py")
tool("-m", "dis", "-C", "-O", "mod.py")
tool("-m", "ast", "mod.py")
tool("-m", "ast", "-a", "--indent", "1", "-m", "eval", input="a + [1, *b][c:d]")
tool("-m", "ast", "bad.py")
tool("-m", "tokenize", "mod.py")
tool("-m", "symtable", "mod.py")
tool("-m", "pdb", "mod.py", input="b add\nc\nn\nn\np total, i\nw\nl\nargs\nwhatis total\npp locals()\nu\nd\n!a = 9\ndisplay a\nn\nr\nq\n")
tool("-m", "pdb", "-c", "b mod.py:17, i == 2", "-c", "c", "-c", "p i", "-c", "tbreak 19", "-c", "c", "-c", "cl 1", "-c", "c", "mod.py", input="q\n")
tool("-m", "cProfile", "-s", "name", "mod.py", hide=r"\d+\.\d{3}( seconds)?|.*\{(built-in|method).*\n|.*frozen.*\n|.*importlib.*\n|\s+\d+ function calls.*\n")
tool("-m", "profile", "mod.py", hide=r"\d+\.\d{3}( seconds)?|.*:0\(.*\n|\s+\d+ function calls.*\n")
tool("-m", "trace", "--count", "--summary", "-C", ".", "mod.py", hide=r"FOLDER|/[\w/.-]+/")
tool("-m", "trace", "--listfuncs", "--ignore-dir", LIBRARY, "mod.py", hide=r"filename: /.*?, |.*frozen.*\n")
tool("-m", "zipapp", "app", "-o", "app.pyz", "-p", "/usr/bin/env python3")
tool("app.pyz", "one", "two")
tool("-m", "zipapp", "app.pyz", "--info")
tool("-m", "zipapp", "app", "-m", "cli:main")
tool("-m", "unittest", "-v", "test_mod", hide=r"Executing .*\n|\d+\.\d+s\b")
tool("-m", "unittest", "test_mod.Test.test_add", "test_mod.Nothing")
tool("-m", "unittest", "discover", "-f", "-k", "add")
tool("-m", "doctest", "mod.py")
tool("-m", "doctest", "-v", "mod.py")
tool("-m", "py_compile", "bad.py")
tool("-m", "compileall", "-q", "-f", "mod.py")
tool("-m", "inspect", "mod:add")
tool("-m", "inspect", "--details", "mod:Thing", hide=r"/.*/mod")
tool("-m", "pydoc", "mod")
tool("-m", "pydoc", "if")
tool("-m", "calendar", "2024", "2")
tool("-m", "base64", "-e", input="hello")
tool("-m", "textwrap")
tool("-m", "this")
tool("-m", "tabnanny", "-v", "mod.py")
tool("-m", "zipfile", "-l", "app.pyz", hide=r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
tool("-m", "tarfile", "-c", "x.tar.gz", "mod.py", "app")
tool("-m", "tarfile", "-l", "x.tar.gz")
tool("-m", "gzip", "mod.py")
tool("-m", "mimetypes", "a.html", "b.tar.gz", "c.unknown")
tool("-m", "pickletools", "-a", "p.pickle")
tool("-m", "sqlite3", ":memory:", "select 1 + 1, 'x', null", hide=r"NOTHING")
tool("-m", "random", "--seed", "1", "a", "b", "c")
tool("-m", "uuid", "-u", "uuid5", "-n", "@dns", "-N", "python.org")
tool("-m", "quopri", input="é=x")
tool("-m", "encodings.rot_13", input="Hello")
tool("-m", "code", "-q", input="x = 1\nx + 1\nif x:\n  print('y')\n\n1/0\n")
tool("-i", "-c", "y = 2", input="y\ndef f():\n  return y\n\nf()\nimport nothing\n")
tool("-c", "import mod; help(mod.add)")
tool("-m", "mod.nothing")
tool("-m", "nothing")
tool("-W", "error", "-c", "import warnings; warnings.warn('x')")
tool("-bb", "-I", "-c", "b'' == ''")

pathlib.Path(".python_history").unlink(missing_ok=True)
server = subprocess.Popen([sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
line = server.stdout.readline()
port = re.search(r"port (\d+)", line)[1]
print(line.replace(port, "PORT"))
for path in ("/data.json", "/app/", "/", "/app"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        print(path, answer.status, answer.headers["Content-Type"], answer.read().decode())
server.terminate()
print(server.wait())
