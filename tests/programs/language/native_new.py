"""`__new__` of native types that was inherited beside another native base, or put into a class by hand."""


def show(function):
    try:
        print(function())
    except Exception as error:
        print(type(error).__name__, error)


class Hand(dict):
    __new__ = list.__new__


class Assigned(dict):
    pass


Assigned.__new__ = object.__new__


class Defined:
    def __new__(cls, x):
        return object.__new__(cls)

    def __init__(self, x=0):
        pass


class Error(Exception):
    __new__ = Exception.__new__


class Derived(Error):
    __new__ = Error.__new__


class Both(Derived, SyntaxError):
    pass


class Function(dict):
    def __new__(cls, *args):
        return "function"


class Below(Function):
    pass


show(Hand)
show(Assigned)
show(Defined)
del Defined.__new__
show(lambda: type(Defined()))
show(lambda: Defined(1))
show(lambda: Both("x"))
show(Below)
Function.__new__ = object.__new__
show(Below)
