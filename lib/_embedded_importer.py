"""The importer of the standard library inside the executable.

It serves one entry of `sys.path`, the file name that an embedded distribution
of Python gives its library (`.../lib/python314.zip`), and what lies below it.
Nothing is looked for on disk.
"""

import sys
import _embedded
import _imp
import _frozen_importlib as _bootstrap
import _frozen_importlib_external as _bootstrap_external

# The entry of sys.path; the start-up code puts it last.
_ROOT = sys.path[-1]


class EmbeddedLoader:
    """Finds and loads modules of one package of the library, or its top level."""

    def __init__(self, path):
        self.path = path
        self.archive = _ROOT
        folder = path[len(_ROOT) + 1:]
        self.prefix = folder.replace("/", ".") + "." if folder else ""

    def find_spec(self, fullname, target=None):
        name = self.prefix + fullname.rpartition(".")[2]
        is_package = _embedded.find(name)
        if is_package is None:
            return None
        filename = self.get_filename(name)
        spec = _bootstrap.ModuleSpec(fullname, self, origin=filename, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations.append(f"{_ROOT}/{name.replace('.', '/')}")
        return spec

    def iter_modules(self, prefix=""):
        """What `pkgutil.iter_modules` tells of this place: name with the prefix, and whether it is a package."""
        for name in sorted(_embedded.names()):
            head, _, tail = name.rpartition(".")
            if (head + "." if head else "") == self.prefix:
                yield prefix + tail, _embedded.find(name)

    def invalidate_caches(self):
        pass

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        code = self.get_code(module.__name__)
        _bootstrap._call_with_frames_removed(exec, code, module.__dict__)

    def is_package(self, fullname):
        is_package = _embedded.find(fullname)
        if is_package is None:
            raise ImportError(f"no embedded module named {fullname!r}", name=fullname)
        return is_package

    def get_code(self, fullname):
        code = _embedded.code(fullname)
        _imp._fix_co_filename(code, self.get_filename(fullname))
        return code

    def get_source(self, fullname):
        source = _embedded.source(fullname)
        if source is None:
            return None
        return _bootstrap_external.decode_source(source)

    def get_filename(self, fullname):
        folder = f"{_ROOT}/{fullname.replace('.', '/')}"
        return folder + "/__init__.py" if self.is_package(fullname) else folder + ".py"

    def get_data(self, path):
        name = path[len(_ROOT) + 1:] if path.startswith(_ROOT + "/") else path
        data = _embedded.data(name)
        if data is None and name.endswith(".py"):
            module = name[:-3].replace("/", ".").removesuffix(".__init__")
            data = _embedded.source(module)
        if data is None:
            raise OSError(2, "No such file in the embedded library", path)
        return data

    def get_resource_reader(self, fullname):
        from _embedded_resources import ResourceReader
        return ResourceReader(self, fullname)

    def __repr__(self):
        return f"<EmbeddedLoader {self.path!r}>"


def _hook(path):
    if path == _ROOT or path.startswith(_ROOT + "/"):
        return EmbeddedLoader(path)
    raise ImportError("not a path of the embedded library", path=path)


def _archive_hook(path):
    """Stands in for `zipimport.zipimporter` until an entry of the path is a file,
    or a folder within what is one."""
    place = path
    while True:
        try:
            _bootstrap_external._path_stat(place)
        except (OSError, ValueError):
            parent = _bootstrap_external._path_split(place)[0]
            if parent == place or not parent:
                raise ImportError("not an archive", path=path) from None
            place = parent
        else:
            break
    if not _bootstrap_external._path_isfile(place):
        raise ImportError("not an archive", path=path)
    from zipimport import zipimporter
    sys.path_hooks[sys.path_hooks.index(_archive_hook)] = zipimporter
    return zipimporter(path)


def _install():
    sys.path_hooks[:0] = [_hook, _archive_hook]
