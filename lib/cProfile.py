"""The profiler of the standard library: `profile`'s interface over the native `_lsprof`."""

__all__ = ["run", "runctx", "Profile"]

import _lsprof
import importlib.machinery
import importlib.util
import io
import profile as _profile


def run(statement, filename=None, sort=-1):
    return _profile._Utils(Profile).run(statement, filename, sort)


def runctx(statement, globals, locals, filename=None, sort=-1):
    return _profile._Utils(Profile).runctx(statement, globals, locals, filename, sort)


run.__doc__ = _profile.run.__doc__
runctx.__doc__ = _profile.runctx.__doc__


class Profile(_lsprof.Profiler):
    """Profile(timer=None, timeunit=None, subcalls=True, builtins=True)

    A profiler with the given timer; by default, the real time is measured.
    When the timer returns integers, timeunit tells how long one unit is,
    in seconds.
    """

    def print_stats(self, sort=-1):
        import pstats

        order = sort if isinstance(sort, tuple) else (sort,)
        pstats.Stats(self).strip_dirs().sort_stats(*order).print_stats()

    def dump_stats(self, file):
        import marshal

        with open(file, "wb") as output:
            self.create_stats()
            marshal.dump(self.stats, output)

    def create_stats(self):
        self.disable()
        self.snapshot_stats()

    def snapshot_stats(self):
        """Put what was measured so far into `stats`, in the form that `pstats` reads."""
        self.stats = {}
        callers_of = {}
        entries = self.getstats()
        for entry in entries:
            callers = callers_of[id(entry.code)] = {}
            primitive = entry.callcount - entry.reccallcount
            self.stats[label(entry.code)] = (
                primitive, entry.callcount, entry.inlinetime, entry.totaltime, callers)
        for entry in entries:
            caller = label(entry.code)
            for call in entry.calls or ():
                callers = callers_of.get(id(call.code))
                if callers is None:
                    continue
                times = (call.callcount, call.callcount - call.reccallcount,
                         call.inlinetime, call.totaltime)
                if caller in callers:
                    times = tuple(map(sum, zip(times, callers[caller])))
                callers[caller] = times

    def run(self, cmd):
        import __main__

        namespace = __main__.__dict__
        return self.runctx(cmd, namespace, namespace)

    def runctx(self, cmd, globals, locals):
        # No `with`: `__exit__` would show in the statistics.
        self.enable()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable()
        return self

    def runcall(self, func, /, *args, **kw):
        self.enable()
        try:
            return func(*args, **kw)
        finally:
            self.disable()

    def __enter__(self):
        self.enable()
        return self

    def __exit__(self, *exc_info):
        self.disable()


def label(code):
    """What a function is called in statistics: file, line and name."""
    if isinstance(code, str):
        # Native functions sort last.
        return ("~", 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_name)


def main():
    import os
    import pstats
    import runpy
    import sys
    from optparse import OptionParser

    parser = OptionParser(
        usage="cProfile.py [-o output_file_path] [-s sort] [-m module | scriptfile] [arg] ...")
    parser.allow_interspersed_args = False
    parser.add_option("-o", "--outfile", dest="outfile", default=None,
                      help="Save stats to <outfile>")
    parser.add_option("-s", "--sort", dest="sort", default=2,
                      choices=sorted(pstats.Stats.sort_arg_dict_default),
                      help="Sort order when printing to stdout, based on pstats.Stats class")
    parser.add_option("-m", dest="module", action="store_true", default=False,
                      help="Profile a library module")
    if not sys.argv[1:]:
        parser.print_usage()
        sys.exit(2)

    options, args = parser.parse_args()
    sys.argv[:] = args
    # The program may change the folder.
    if options.outfile is not None:
        options.outfile = os.path.abspath(options.outfile)
    if not args:
        parser.print_usage()
        return parser

    if options.module:
        code = "run_module(modname, run_name='__main__')"
        namespace = {"run_module": runpy.run_module, "modname": args[0]}
    else:
        program = args[0]
        sys.path.insert(0, os.path.dirname(program))
        with io.open_code(program) as source:
            code = compile(source.read(), program, "exec")
        spec = importlib.machinery.ModuleSpec(name="__main__", loader=None, origin=program)
        module = importlib.util.module_from_spec(spec)
        # The program finds itself under this name.
        sys.modules["__main__"] = module
        namespace = module.__dict__
        namespace.update(
            __spec__=None, __file__=spec.origin, __name__=spec.name,
            __package__=None, __cached__=None)
    try:
        runctx(code, namespace, None, options.outfile, options.sort)
    except BrokenPipeError as error:
        # Nothing is left to write to at exit.
        sys.stdout = None
        sys.exit(error.errno)
    return parser


if __name__ == "__main__":
    main()
