"""`readline`: history, completion, hooks."""

import os
import sys
import tempfile

try:
    import readline
except ImportError:
    # No library on this machine: what it would print.
    print(open(__file__.removesuffix("py") + "out").read(), end="")
    sys.exit()

print(readline.backend in ("readline", "editline"))
for line in ("first", "second", "t\xe9"):
    readline.add_history(line)
print([readline.get_history_item(n) for n in range(readline.get_current_history_length() + 2)])
readline.replace_history_item(1, "changed")
readline.remove_history_item(0)
print(readline.get_history_item(1))
for wrong in [
    lambda: readline.remove_history_item(-1),
    lambda: readline.remove_history_item(99),
    lambda: readline.replace_history_item(99, "x"),
    lambda: readline.add_history("a\0b"),
    lambda: readline.set_completer(3),
    lambda: readline.set_startup_hook(3),
    lambda: readline.set_pre_input_hook("x"),
    lambda: readline.set_completion_display_matches_hook([]),
    lambda: readline.append_history_file(-1, "x"),
    lambda: readline.read_history_file("/nonexistent/file"),
]:
    try:
        print(wrong())
    except Exception as error:
        print(type(error).__name__, error)
with tempfile.TemporaryDirectory() as folder:
    name = os.path.join(folder, "history")
    readline.write_history_file(name)
    readline.clear_history()
    print(readline.get_current_history_length())
    readline.read_history_file(name)
    print(readline.get_current_history_length(), readline.get_history_item(2))
    readline.set_history_length(1)
    print(readline.get_history_length())
    readline.write_history_file(name)
    print(len(open(name, encoding="utf-8").read().split()))
readline.set_completer_delims(" \t")
print(repr(readline.get_completer_delims()))
readline.set_completer(print)
print(readline.get_completer() is print)
