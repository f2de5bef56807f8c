# compile(…, "single"): what ends a statement, and blocks whose last line lacks its end.
import warnings

warnings.simplefilter("ignore")
PARTIAL = 0x4000 | 0x200
for source in [
    "1 + 2", "\n1 + 2", "1 + 2\t\n\n   ", "1; 2", "def f():\n   pass", "if x:\n   f(x)\nelse:\n   g(x)",
    "if 1:\n if 2:\n  pass", "if 1:\n if 2:\n  pass\n # x", "class T:\n def f(self):\n  pass", "def f(): pass",
    "def f(): pass\n", "1\n2", "f()\n# blah\nblah()", "", "# x", "x = (1\n", "if 1:\n", "match x:\n case 1:\n  pass",
]:
    for flags in 0, 0x200, PARTIAL:
        try:
            compile(source, "f", "single", flags)
            print(repr(source), flags, "compiled")
        except SyntaxError as error:
            print(repr(source), flags, type(error).__name__, error.args)

# Deep nesting is no error until the stack ends; then it is one that can be caught.
for repeated in "()", ".b", "[0]", "*a":
    compile("a" + repeated * 1000, "f", "exec")
    try:
        compile("a" + repeated * 500_000, "f", "exec")
    except RecursionError as error:
        print("RecursionError")

# Equal constants and names of one compilation are one object.
code = compile("def f(): return 1.5, b'x', 'a b'\ndef g(): return (1.5, b'x', 'a b')", "some file", "exec")
f, g = (c for c in code.co_consts if hasattr(c, "co_code"))
print(f.co_filename is code.co_filename, f.co_consts is g.co_consts, f.co_linetable == g.co_linetable)

# A warning of a source that has an error too.
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        compile("'\\e' 1", "f", "exec")
    except SyntaxError:
        print([str(w.message)[:28] for w in caught])
