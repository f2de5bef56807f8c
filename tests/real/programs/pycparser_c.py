"""pycparser: parses C and regenerates it; shows the tree; errors."""
import sys

from pycparser import c_ast, c_generator, c_parser

SOURCE = r"""
typedef unsigned long size_t; typedef struct node { struct node *next; union { int i; float f[3]; } as; unsigned flags : 3; } node_t;
enum colour { RED, GREEN = 1 << 4, BLUE };
static const char *names[] = { [RED] = "red\n", "green", 'a' + 1 };
extern int printf(const char *format, ...);
int (*handlers[4])(int, char **), (*(*pick(int which))(void))[3];
inline static size_t count(const node_t *head) {
    size_t n = 0;
    for (const node_t *at = head; at != (void *)0; at = at->next, n++) { if (at->flags & 0x4u) continue; else if (!n) goto out; }
    do { n -= sizeof(node_t) * 2 - sizeof n; } while (n > 10 && n-- || ~n);
    switch (n) { case 0: case 1: return 0; default: n <<= 2; break; }
out:
    return n ? n : (size_t)((struct point){ .x = 1, .y = { 1, 2.5e-3f } }).x;
}
_Static_assert(sizeof(int) == 4, "int");
void f(int n, double a[static const 3][n], register volatile int *restrict p) { while (1) { if (*p++) break; } ; }
"""


class Calls(c_ast.NodeVisitor):
    def visit_FuncDef(self, node):
        print("function", node.decl.name, node.decl.coord, [type(item).__name__ for item in node.body.block_items or ()])
        self.generic_visit(node)

    def visit_ID(self, node):
        print("id", node.name, node.coord)


tree = c_parser.CParser().parse(SOURCE, "source.c")
text = c_generator.CGenerator().visit(tree)
print(text)
again = c_parser.CParser().parse(text, "again.c")
print(c_generator.CGenerator().visit(again) == text)
Calls().visit(tree)
tree.show(buf=sys.stdout, attrnames=True, nodenames=True)
for bad in ["int x", "int f( { }", "typedef int t; int t(t x) { t y = ; }", "@"]:
    try:
        c_parser.CParser().parse(bad, "bad.c")
    except Exception as error:
        print(type(error).__name__, error)
