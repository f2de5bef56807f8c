"""SyntaxError, ImportError, NameError, AttributeError: what they know about the place."""


def show(call):
    try:
        print(repr(call()))
    except BaseException as error:
        print(type(error).__name__, "|", error)


show(lambda: SyntaxError("m", 1))
show(lambda: SyntaxError("m", ()))
show(lambda: SyntaxError("m", (1, 2, 3)))
show(lambda: SyntaxError("m", (1, 2, 3, 4, 5)))
show(lambda: SyntaxError("m", (1, 2, 3, 4, 5, 6, 7, 8)))
show(lambda: str(SyntaxError("m", ("/a/b.py", 2, 3, 4, 5, 6))))
show(lambda: SyntaxError("m", ("/a/b.py", 2, 3, 4, 5, 6)).args)
show(lambda: str(SyntaxError("m", ("/a/b.py", None, 3, 4, 5, 6))))
show(lambda: str(SyntaxError("m", (1, 5, 3, 4, 5, 6))))
show(lambda: str(SyntaxError()))
show(lambda: str(SyntaxError("a", "b", "c")))
show(lambda: SyntaxError("m", ("/a/b.py", 2, 3, 4, 5, 6, "md"))._metadata)
show(lambda: SyntaxError(a=1))
show(lambda: str(SyntaxError("m", ("b", 10**30, 3, 4))))
show(lambda: SyntaxError("m", "abcd").text)
show(lambda: IndentationError(a=1))
show(lambda: str(SyntaxError("m", ("", 3, 3, 4))))
show(lambda: SyntaxError().print_file_and_line)
error = SyntaxError("m", ("f", 1, 2, "t"))
show(lambda: (error.end_lineno, error.end_offset))
show(lambda: ImportError(a=1))
show(lambda: ImportError("a", name="n", path="p").__reduce__())
show(lambda: ImportError("a").__reduce__())
show(lambda: ImportError("a", "b").msg)
show(lambda: str(ImportError(3)))
show(lambda: str(ImportError("a", "b")))
show(lambda: ModuleNotFoundError(a=1))
show(lambda: ImportError(name="x", nam=3))
show(lambda: ImportError("x", name_from=3).__reduce__())
show(lambda: ImportError(**{"name": 1, "path": 2, "name_from": 3, "x": 4}))
show(lambda: NameError(a=1))
show(lambda: NameError("x", name=3).name)
show(lambda: UnboundLocalError(a=1))
show(lambda: NameError("x").name)
show(lambda: NameError("x", name=3).__reduce__())
show(lambda: AttributeError("x", name=1, obj=2).__reduce__())
show(lambda: AttributeError("x").__reduce__())
show(lambda: AttributeError().__reduce__())
show(lambda: AttributeError(a=1))
show(lambda: AttributeError("x", name=1, obj=2).__getstate__())
show(lambda: AttributeError("x", obj=3, nme=1))
try:
    missing
except NameError as error:
    print(error, error.name)
try:
    (1).missing
except AttributeError as error:
    print(error, error.name, error.obj)
try:
    import no_such_module
except ImportError as error:
    print(repr(error), error.name, error.path)
try:
    from sys import no_such_name
except ImportError as error:
    print(error, error.name, error.name_from)
