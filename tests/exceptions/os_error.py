"""OSError: the class by errno, the arguments, the text."""


def show(call):
    try:
        print(repr(call()))
    except BaseException as error:
        print(type(error).__name__, "|", error)


show(lambda: OSError(a=1))
show(lambda: OSError(2, "x", "f"))
show(lambda: str(OSError(2, "x", "f", None, "g")))
show(lambda: OSError(2, "x", "f", None, "g").__reduce__())
show(lambda: OSError(2, "x", "f").__reduce__())
show(lambda: OSError(1, 2, 3, 4, 5, 6))
show(lambda: OSError(2.0, "x"))
show(lambda: OSError(11, "x", "3"))
show(lambda: OSError(11, "x", 3))
show(lambda: OSError(11, "x", 3).characters_written)
show(lambda: OSError(11, "x").characters_written)
show(lambda: delattr(OSError(11, "x"), "characters_written"))
show(lambda: BlockingIOError(11, "x", 3).args)
show(lambda: BlockingIOError(11, "x", 2.5))
show(lambda: setattr(BlockingIOError(11, "x"), "characters_written", 2.5))
show(lambda: BlockingIOError(11, "x", 2**80))
show(lambda: str(OSError(2, "x", None, None, "g")))
show(lambda: str(OSError(2, None)))
show(lambda: str(OSError(None, None)))
show(lambda: str(OSError(2, None, "a")))
show(lambda: OSError(2, "x", None))
show(lambda: [(n, type(OSError(n, "")).__name__) for n in range(135) if type(OSError(n, "")) is not OSError])


class WithInit(OSError):
    def __init__(self, *args, extra=None):
        super().__init__(*args)
        self.extra = extra


show(lambda: (WithInit(2, "x", "f", extra=1).filename, WithInit(2, "x", extra=1).errno))


class WithNew(OSError):
    def __new__(cls, *args):
        return super().__new__(cls, *args)


show(lambda: WithNew(2, "x", "f").filename)
show(lambda: WithNew(2, "x", "f"))
try:
    open("/no/such/file")
except OSError as error:
    print(repr(error), error, error.errno, error.filename)
