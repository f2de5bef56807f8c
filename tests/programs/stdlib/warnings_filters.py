"""Warnings go through the filters as the manual says."""
import sys
import warnings

for action in ("error", "ignore", "always", "all", "default", "module", "once"):
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter(action)
        for _ in range(2):
            try:
                warnings.warn("text", UserWarning)
            except UserWarning as warning:
                print(action, "raised", warning)
        print(action, [(str(entry.message), entry.category.__name__, entry.lineno) for entry in log])


def deprecated():
    warnings.warn("old", DeprecationWarning, stacklevel=2)


with warnings.catch_warnings(record=True) as log:
    warnings.resetwarnings()
    warnings.filterwarnings("ignore", "o.d", DeprecationWarning)
    deprecated()
    warnings.filterwarnings("always", "old", DeprecationWarning)
    deprecated()
    warnings.warn("far", stacklevel=100)
    warnings.warn_explicit("here", UserWarning, "file.py", 3)
    print([(str(entry.message), entry.filename == __file__, entry.lineno > 0) for entry in log])

registry = {}
with warnings.catch_warnings(record=True) as log:
    warnings.simplefilter("default")
    for _ in range(2):
        warnings.warn_explicit("again", UserWarning, "file.py", 3, "module", registry)
    print(len(log), sorted(map(str, registry)))

for call in (
    lambda: warnings.warn("x", int),
    lambda: warnings.warn("x", skip_file_prefixes=["a"]),
    lambda: warnings.warn("x", skip_file_prefixes=(1,)),
    lambda: warnings.warn_explicit("x", UserWarning, "f", 1, registry=3),
    lambda: warnings.warn_explicit("x", UserWarning, "f", 1, module_globals=3),
    lambda: warnings._release_lock(),
    lambda: warnings._filters_mutated_lock_held(),
):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, error)

warnings.filters = [("what", None, UserWarning, None, 0)]
try:
    warnings.warn("x")
except RuntimeError as error:
    print(str(error).splitlines()[0])
warnings.filters = [1]
try:
    warnings.warn("x")
except ValueError as error:
    print(error)
print(sys.flags.context_aware_warnings)
