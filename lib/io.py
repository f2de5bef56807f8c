"""The io module: the library's Python streams under their public names.

This file stands in for the library's own until `_io` has the streams natively
(docs/status.md).
"""

import abc
from _collections_abc import _check_methods

__all__ = [
    "BlockingIOError", "open", "open_code", "IOBase", "RawIOBase",
    "FileIO", "BytesIO", "StringIO", "BufferedIOBase",
    "BufferedReader", "BufferedWriter", "BufferedRWPair",
    "BufferedRandom", "TextIOBase", "TextIOWrapper",
    "UnsupportedOperation", "SEEK_SET", "SEEK_CUR", "SEEK_END",
    "DEFAULT_BUFFER_SIZE", "IncrementalNewlineDecoder", "text_encoding",
    "Reader", "Writer",
]

SEEK_SET = 0
SEEK_CUR = 1
SEEK_END = 2


class Reader(metaclass=abc.ABCMeta):
    """Protocol for simple I/O reader instances.

    This protocol only supports blocking I/O.
    """

    __slots__ = ()

    @abc.abstractmethod
    def read(self, size=..., /):
        """Read data from the input stream and return it."""

    @classmethod
    def __subclasshook__(cls, candidate):
        return _check_methods(candidate, "read") if cls is Reader else NotImplemented

    __class_getitem__ = classmethod(type(list[int]))


class Writer(metaclass=abc.ABCMeta):
    """Protocol for simple I/O writer instances.

    This protocol only supports blocking I/O.
    """

    __slots__ = ()

    @abc.abstractmethod
    def write(self, data, /):
        """Write data to the output stream and return the number of items."""

    @classmethod
    def __subclasshook__(cls, candidate):
        return _check_methods(candidate, "write") if cls is Writer else NotImplemented

    __class_getitem__ = classmethod(type(list[int]))


# _pyio registers its classes with these while it is imported; its own take
# their places afterwards.
class IOBase(metaclass=abc.ABCMeta):
    pass


class RawIOBase(IOBase):
    pass


class BufferedIOBase(IOBase):
    pass


class TextIOBase(IOBase):
    pass


from _pyio import (  # noqa: E402
    DEFAULT_BUFFER_SIZE, BlockingIOError, BufferedIOBase, BufferedRandom,
    BufferedReader, BufferedRWPair, BufferedWriter, BytesIO, FileIO,
    IncrementalNewlineDecoder, IOBase, RawIOBase, StringIO, TextIOBase,
    TextIOWrapper, UnsupportedOperation, open, open_code, text_encoding,
)
