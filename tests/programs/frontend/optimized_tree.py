# ast.PyCF_OPTIMIZED_AST: the tree as it is compiled.
import ast

for source in [
    "__debug__", "'%s and %r' % (a, b)", "'%s' % a", "match x:\n case -1: pass\n case 1+2j: pass\n case {-0.5: y}: pass",
    '"""doc"""', 'def f():\n  "doc"', 'class C:\n  "doc"\n  x = 1', "1 + 2",
]:
    for level in 0, 1, 2:
        print(level, ast.dump(ast.parse(source, optimize=level)))
    tree = compile(ast.parse(source), "f", "exec", flags=ast.PyCF_OPTIMIZED_AST, optimize=1)
    print(ast.dump(tree) == ast.dump(ast.parse(source, optimize=1)))
