"""Exception groups and except*."""

import collections


def show(call):
    try:
        print(repr(call()))
    except BaseException as error:
        print(type(error).__name__, "|", error)


Base = BaseExceptionGroup
Group = ExceptionGroup
show(lambda: Base())
show(lambda: Base("a"))
show(lambda: Base(1, 2))
show(lambda: Base("a", 1))
show(lambda: Base("a", []))
show(lambda: Base("a", [1]))
show(lambda: Base("a", [ValueError(1), 2]))
show(lambda: Base("a", {ValueError(): 1}))
show(lambda: Base("a", {ValueError()}))
show(lambda: Base("a", [ValueError(1)]))
show(lambda: Base("a", (ValueError(1),)))
show(lambda: Base("a", [KeyboardInterrupt()]))
show(lambda: Group("a", [KeyboardInterrupt()]))


class Sub(Group):
    pass


class Mixed(Base, ValueError):
    pass


show(lambda: Sub("a", [KeyboardInterrupt()]))
show(lambda: Mixed("a", [KeyboardInterrupt()]))
show(lambda: Sub("a", [ValueError()]))
show(lambda: str(Group("a", [ValueError()])))
show(lambda: str(Group("a", [ValueError(), TypeError()])))
show(lambda: Base("a", [ValueError()], a=1))
show(lambda: Base("a", [ValueError()], 1))
show(lambda: Group(message="a", exceptions=[ValueError()]))
show(lambda: Group("a", collections.deque([ValueError(1)])))
items = [ValueError(1)]
group = Group("a", items)
items.append(3)
show(lambda: group)
show(lambda: group.args)
group.args = (1,)
show(lambda: group)
group = Group("a", [ValueError(1), TypeError(2), Group("b", [ValueError(3)])])
for matcher in [ValueError, OSError, 1, (ValueError, 1), int, lambda e: "x", (ValueError, TypeError), (), Group]:
    show(lambda: group.split(matcher))
    show(lambda: group.subgroup(matcher))
show(lambda: group.derive([ValueError()]))
show(lambda: group.derive([]))
show(lambda: group.subgroup(lambda e: 1 / 0))
show(lambda: (group.message, group.exceptions))
show(lambda: setattr(group, "message", 1))
show(lambda: Base[int])


class Derived(Group):
    def derive(self, excs):
        return 3


show(lambda: Derived("a", [ValueError(1), TypeError()]).split(ValueError))


def star(error):
    try:
        try:
            raise error
        except* ValueError as caught:
            print("ValueError", repr(caught))
        except* TypeError as caught:
            print("TypeError", repr(caught))
            raise
        except* KeyError as caught:
            raise RuntimeError("new")
    except BaseException as left:
        print("left", repr(left), repr(left.__context__))


star(ValueError(1))
star(OSError(1))
star(TypeError(1))
star(Group("g", [ValueError(1), TypeError(2), OSError(3)]))
star(Group("g", [ValueError(1), Group("h", [KeyError(2), TypeError(3)])]))
star(Base("g", [KeyboardInterrupt(), KeyError(1)]))
try:
    try:
        raise ValueError
    except* Group:
        pass
except TypeError as error:
    print(error)
