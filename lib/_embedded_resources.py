"""Data files of the standard library inside the executable, for `importlib.resources`."""

import io

import _embedded
from importlib.resources.abc import Traversable, TraversableResources


def _load_tree():
    """All files as nested dictionaries; a file is None."""
    paths = _embedded.data("FILES").decode().splitlines()
    for name in _embedded.names():
        suffix = "/__init__.py" if _embedded.find(name) else ".py"
        paths.append(name.replace(".", "/") + suffix)
    tree = {}
    for path in paths:
        *folders, name = path.split("/")
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
        node[name] = None
    return tree


_tree = None


class Entry(Traversable):
    """A file or folder, which need not exist, by its path below the library."""

    def __init__(self, loader, path):
        self._loader = loader
        self._path = path

    @property
    def name(self):
        return self._path.rpartition("/")[2]

    def _node(self):
        global _tree
        if _tree is None:
            _tree = _load_tree()
        node = _tree
        for part in filter(None, self._path.split("/")):
            if not isinstance(node, dict) or part not in node:
                return False
            node = node[part]
        return node

    def is_dir(self):
        return isinstance(self._node(), dict)

    def is_file(self):
        return self._node() is None

    def iterdir(self):
        node = self._node()
        if not isinstance(node, dict):
            raise NotADirectoryError(20, "Not a directory", str(self))
        return (self.joinpath(name) for name in node)

    def joinpath(self, *descendants):
        parts = self._path.split("/") if self._path else []
        for part in "/".join(map(str, descendants)).split("/"):
            if part == "..":
                del parts[-1:]
            elif part not in ("", "."):
                parts.append(part)
        return Entry(self._loader, "/".join(parts))

    def __truediv__(self, child):
        return self.joinpath(child)

    def open(self, mode="r", *args, **kwargs):
        if not self.is_file():
            raise FileNotFoundError(2, "No such file or directory", str(self))
        stream = io.BytesIO(self._loader.get_data(self._path))
        if "b" in mode:
            return stream
        return io.TextIOWrapper(stream, *args, **kwargs)

    def __str__(self):
        return f"{self._loader.archive}/{self._path}"

    def __repr__(self):
        return f"Entry({str(self)!r})"


class ResourceReader(TraversableResources):
    """The resources of one package."""

    def __init__(self, loader, fullname):
        self._loader = loader
        self._fullname = fullname

    def files(self):
        return Entry(self._loader, self._fullname.replace(".", "/"))
