"""Profiles, traces of memory and tracebacks of faults."""
import cProfile
import faulthandler
import io
import pstats
import tempfile
import tracemalloc


def leaf(n):
    return len([n] * n)


def branch(n):
    return leaf(n) + (branch(n - 1) if n else 0)


profile = cProfile.Profile(builtins=False)
profile.enable()
branch(5)
profile.disable()
entries = {getattr(entry.code, "co_name", entry.code): entry for entry in profile.getstats()}
print({name: (entry.callcount, entry.reccallcount) for name, entry in sorted(entries.items())})
profile.create_stats()
print(sorted((key[2], value[:2]) for key, value in profile.stats.items()))
print("leaf" in (pstats.Stats(profile, stream=(out := io.StringIO())).print_stats() and out.getvalue()))
try:
    profile.enable()
    cProfile.Profile().enable()
except ValueError as error:
    print(error)
finally:
    profile.disable()

tracemalloc.start(2)
data = bytes(10000)
size, peak = tracemalloc.get_traced_memory()
print(size >= 10000, peak >= size, tracemalloc.get_traceback_limit())
trace = tracemalloc.get_object_traceback(data)
print(trace[-1].lineno > 0, len(trace))
snapshot = tracemalloc.take_snapshot()
print(any(stat.size >= 10000 for stat in snapshot.statistics("lineno")))
del data
print(tracemalloc.get_traced_memory()[0] < size)
tracemalloc.stop()
print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory())
try:
    tracemalloc.start(0)
except ValueError as error:
    print(error)


def dump(file):
    faulthandler.dump_traceback(file, all_threads=False)


with tempfile.TemporaryFile() as file:
    dump(file)
    file.seek(0)
    lines = file.read().decode().splitlines()
    print(lines[0], len(lines), lines[1].split("in")[-1])
for bad in (-1, "x", None.__class__):
    try:
        faulthandler.dump_traceback(bad)
    except Exception as error:
        print(type(error).__name__, error)
for signal in (0, 11, 1000):
    try:
        faulthandler.register(signal)
    except Exception as error:
        print(type(error).__name__, error)
print(faulthandler.is_enabled(), faulthandler.disable(), faulthandler.unregister(10))
