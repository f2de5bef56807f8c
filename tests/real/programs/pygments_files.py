"""pygments: real files in several languages through several formatters."""
import hashlib
import pathlib

import docutils
import jinja2
import networkx
import pygments
from pygments import formatters, lexers, styles

roots = [pathlib.Path(module.__file__).parent for module in (jinja2, docutils, networkx, pygments)]
files = [path for root in roots for path in sorted(root.glob("*.py"))[:2]]
files += sorted(roots[1].glob("writers/**/*.css"))[:1] + sorted(roots[1].glob("**/*.tex"))[:1] + sorted(roots[1].glob("parsers/rst/include/*.txt"))[:1]
for path in files:
    text = path.read_text()
    lexer = lexers.get_lexer_for_filename(path.name)
    tokens = list(lexer.get_tokens(text))
    for name in ("html", "latex", "terminal256", "svg", "rtf", "bbcode"):
        out = pygments.highlight(text, lexer, formatters.get_formatter_by_name(name))
        print(path.name, lexer.name, len(tokens), name, len(out), hashlib.sha256(out.encode()).hexdigest()[:16])
print(formatters.HtmlFormatter(style="monokai").get_style_defs(".x")[:600])
for alias, text in {
    "c": "int main(void) { return 0x1f; /* done */ }",
    "rust": "fn main() -> Result<(), Box<dyn Error>> { println!(\"{x:?}\"); Ok(()) }",
    "json": '{"a": [1, 2.5e3, null, true], "b": "\\u00e9"}',
    "pycon": ">>> 1/0\nTraceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nZeroDivisionError: x\n",
    "html+jinja": "<a href='{{ x|e }}'>{% for a in b %}<script>var x = 1;</script>{% endfor %}</a>",
    "sql": "SELECT a, COUNT(*) FROM t WHERE b = 'x''y' -- c\nGROUP BY 1;",
    "bash": "for f in *.c; do echo \"$f ${x:-1}\" | sed 's/a/b/'; done",
    "diff": "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n",
    "haskell": "main = mapM_ print $ [x | Just x <- xs, x > 0] where xs = [Just 1, Nothing]",
    "markdown": "# T\n\n*a* `b`\n\n```python\ndef f(): pass\n```\n",
}.items():
    print(list(lexers.get_lexer_by_name(alias).get_tokens(text)))
print(type(lexers.guess_lexer("#!/usr/bin/env python3\nprint(1)")).__name__, sorted(styles.get_all_styles())[:5], len(list(lexers.get_all_lexers())))
