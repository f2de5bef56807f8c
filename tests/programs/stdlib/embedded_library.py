# The standard library's folder can be listed and its files read, wherever it is.
import ast
import os
import tokenize

folder = os.path.dirname(ast.__file__)
names = os.listdir(folder)
print("ast.py" in names, "json" in names, os.path.isdir(os.path.join(folder, "json")), os.path.isfile(ast.__file__))
print("__init__.py" in os.listdir(os.path.join(folder, "json")))
with open(ast.__file__, encoding="utf-8") as file:
    print("def parse(" in file.read())
with tokenize.open(os.path.join(folder, "json", "__init__.py")) as file:
    print("def loads(" in file.read())
for name in ("no_such_file.py", "json/nothing"):
    try:
        open(os.path.join(folder, name))
    except OSError as error:
        print(type(error).__name__)
print(any(entry.name == "json" and entry.is_dir() for entry in os.scandir(folder)))
for source in (b'# coding: iso8859-15\nprint("\xa4")\n', b'# coding: utf-7\nprint("a+AOk-")', b'# coding: ascii\nx = "\xe9"\n', b"# coding: no_such\n", b"# coding: hex_codec\n1"):
    try:
        exec(source)
    except SyntaxError as error:
        print(error.msg)
