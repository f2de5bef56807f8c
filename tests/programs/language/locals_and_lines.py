import sys
from itertools import islice

# An islice whose stop lies before its start still consumes up to the start.
numbers = iter(range(10))
print(list(islice(numbers, 4, 1)), next(numbers), list(islice(numbers, 2, 0, 5)), next(numbers))


# Code that runs in another function's f_locals gets snapshots of them.
def outer():
    a = 1
    proxy = sys._getframe().f_locals
    print(type(eval("locals()", {}, proxy)), type(eval("vars()", {}, proxy)), eval("dir()", {}, proxy))
    exec("d = locals(); d['a'] = 5; print(type(d), a, sorted(d))", {}, proxy)
    print(a, type(eval("eval('locals()')", {}, proxy)))


outer()
print(sys.implementation.cache_tag)

# Coming back to a line after lines whose events were disabled.
monitoring = sys.monitoring
events = monitoring.events


def add(c):
    total = 0
    for i in range(4):
        total += c * i
        if i % 2:
            total -= 1
    return total


first = add.__code__.co_firstlineno
for keep in (2,):
    seen = []

    def line(code, number):
        seen.append(number - first)
        return None if number - first == keep else monitoring.DISABLE

    monitoring.use_tool_id(0, "lines")
    monitoring.register_callback(0, events.LINE, line)
    monitoring.register_callback(0, events.JUMP, lambda *arguments: monitoring.DISABLE)
    monitoring.set_local_events(0, add.__code__, events.LINE | events.JUMP)
    add(1)
    add(1)
    monitoring.restart_events()
    add(1)
    monitoring.set_local_events(0, add.__code__, 0)
    monitoring.free_tool_id(0)
    print(keep, seen)
