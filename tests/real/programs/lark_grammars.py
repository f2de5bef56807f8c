"""lark: a calculator, JSON, the bundled Python grammar on real files, Earley's ambiguity, a transformer, errors."""
import pathlib

import lark
from lark.indenter import PythonIndenter

CALCULATOR = r"""
    ?start: sum | NAME "=" sum -> assign
    ?sum: product | sum "+" product -> add | sum "-" product -> sub
    ?product: atom | product "*" atom -> mul | product "/" atom -> div
    ?atom: NUMBER -> number | "-" atom -> neg | NAME -> var | "(" sum ")"
    %import common.CNAME -> NAME
    %import common.NUMBER
    %import common.WS_INLINE
    %ignore WS_INLINE
"""


@lark.v_args(inline=True)
class Calculate(lark.Transformer):
    from operator import add, mul, neg, sub, truediv as div

    number = float

    def __init__(self):
        self.names = {}

    def assign(self, name, value):
        self.names[name] = value
        return value

    def var(self, name):
        try:
            return self.names[name]
        except KeyError:
            raise Exception("Variable not found: %s" % name) from None


calculate = lark.Lark(CALCULATOR, parser="lalr", transformer=Calculate())
for line in ["a = 1 + 2", "1 + a * -3", "(7 - 2) / 4", "b * 2"]:
    try:
        print(line, "->", calculate.parse(line))
    except Exception as error:
        print(line, "->", type(error).__name__, str(error).splitlines())

tree = lark.Lark(CALCULATOR, propagate_positions=True).parse("x * (2 + y) - -3")
print(tree.pretty())
for node in tree.iter_subtrees():
    print(node.data, node.meta.line, node.meta.column, node.meta.end_column)

ambiguous = lark.Lark(
    """start: noun verb noun | noun verb "like" noun
       noun: adj? NOUN
       verb: VERB
       adj: ADJ
       NOUN: "flies" | "bananas" | "fruit"
       VERB: "like" | "flies"
       ADJ: "fruit"
       %import common.WS
       %ignore WS""",
    ambiguity="explicit",
)
print(ambiguous.parse("fruit flies like bananas").pretty())

for text in ["1 +", "1 $ 2", "(1"]:
    try:
        calculate.parse(text)
    except lark.UnexpectedInput as error:
        print(type(error).__name__, error.get_context(text).splitlines(), sorted(getattr(error, "expected", ())))

python = lark.Lark.open_from_package(
    "lark", "python.lark", ["grammars"], parser="lalr", postlex=PythonIndenter(), start="file_input", maybe_placeholders=True
)
root = pathlib.Path(lark.__file__).parent
for path in sorted(root.glob("*.py")):
    tree = python.parse(path.read_text() + "\n")
    kinds = {}
    for node in tree.iter_subtrees_topdown():
        kinds[str(node.data)] = kinds.get(str(node.data), 0) + 1
    print(path.name, sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[:8])
