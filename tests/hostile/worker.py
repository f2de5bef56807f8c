"""The formats, and the process that decodes broken data of one of them; `run.py` starts it.

    python worker.py FORMAT CORPUS PROGRESS SEED START COUNT

Writes a line for each input: its number and how it ended: `=digest` for a value, the name of an exception's type, or
`depends` when the outcome depends on more than the input. The number of the input in work stands in the file PROGRESS.
"""

import base64
import hashlib
import json
import os
import pathlib
import random
import re
import sys

# One input may not let the process grow beyond this many KiB.
MOST_MEMORY = 5 << 19

TEXTS = ["", "a", "naïve", "漢字かな", "\U0001f40d snake", "line\nline\t\"quoted\" \\ back", "x" * 300]


def plain_values():
    """Values that most formats can hold."""
    return [
        None,
        True,
        0,
        -1,
        2**31,
        -(2**63),
        10**40,
        1.5,
        -0.0,
        1e308,
        *TEXTS,
        [],
        {},
        list(range(50)),
        [[1, [2, [3, [4]]]], {"key": [None, False, {"deep": 1.25}]}],
        {text: [index, text] for index, text in enumerate(TEXTS)},
        [{"id": number, "name": f"name {number}", "tags": ["a", "b"]} for number in range(20)],
    ]


class Pickle:
    """`pickle`, restricted to callables that do nothing outside of the process."""

    ALLOWED = {
        "builtins": "set frozenset complex range slice object Exception ValueError OSError KeyError StopIteration getattr".split(),
        "collections": "OrderedDict deque defaultdict Counter".split(),
        "copyreg": ["_reconstructor", "__newobj__"],
        "datetime": "date time datetime timedelta timezone".split(),
        "decimal": ["Decimal"],
        "uuid": ["UUID", "SafeUUID"],
        "types": ["SimpleNamespace"],
        "array": ["_array_reconstructor", "array"],
        "itertools": ["count", "chain", "cycle"],
        "functools": ["partial"],
        "random": ["Random"],
    }

    def __init__(self, folder):
        import pickle

        class Reader(pickle.Unpickler):
            def find_class(self, module, name, allowed=self.ALLOWED):
                if name not in allowed.get(module, ()):
                    raise pickle.UnpicklingError("not allowed")
                return super().find_class(module, name)

            def persistent_load(self, identifier):
                return "persistent"

        self.pickle, self.reader = pickle, Reader

    def samples(self):
        import array
        import collections
        import datetime
        import decimal
        import functools
        import types
        import uuid

        shared = [1, 2]
        knot = []
        knot.append(knot)
        values = [
            *plain_values(),
            (1, (2, (3,)), ()),
            b"bytes" * 60,
            bytearray(b"array"),
            {1, 2, "three"},
            frozenset({1.5, None}),
            complex(1, 2),
            range(1, 10, 3),
            slice(1, None),
            [shared, shared, {"again": shared}],
            knot,
            collections.OrderedDict(a=1, b=[2]),
            collections.deque([1, 2, 3], 5),
            collections.defaultdict(set, a={1}),
            collections.Counter("hello"),
            datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc),
            [datetime.date(1, 1, 1), datetime.time(23, 59, 59, 999999), datetime.timedelta(-5, 3, 7)],
            decimal.Decimal("-1.50E+20"),
            uuid.UUID(int=5),
            types.SimpleNamespace(a=1, b=[2]),
            array.array("d", [1.5, 2.5]),
            array.array("w", "text"),
            functools.partial(range, 1),
            ValueError("text", 5),
            OSError(2, "text", "name"),
            random.Random(5),
        ]
        protocols = range(self.pickle.HIGHEST_PROTOCOL + 1)
        return [self.pickle.dumps(value, protocol) for value in values for protocol in protocols]

    def decode(self, data):
        import io

        return self.reader(io.BytesIO(data)).load()


class Json:
    def __init__(self, folder):
        pass

    def samples(self):
        deep = [b"[" * 100_000, b'{"a":' * 50_000, b"[" * 500 + b"]" * 500]
        odd = [b"NaN", b"-Infinity", b'"\\ud83d\\udc0d\\ud800"', b"1e999", b"-0", b"\xef\xbb\xbf[]", b"[1,]", "[1]".encode("utf-16")]
        indented = [json.dumps(value, indent=2, ensure_ascii=False).encode() for value in plain_values()]
        return [json.dumps(value).encode() for value in plain_values()] + indented + odd + deep

    def decode(self, data):
        return json.loads(data)


class Zlib:
    def __init__(self, folder):
        import zlib

        self.zlib = zlib

    def contents(self):
        source = random.Random(2)
        return [b"", b"a", b"abc" * 2000, source.randbytes(500), "\n".join(TEXTS * 20).encode(), bytes(100_000)]

    def samples(self):
        made = []
        for content in self.contents():
            for bits in (-15, 15, 31):
                for level in (0, 1, 9):
                    compressor = self.zlib.compressobj(level, wbits=bits)
                    made.append(compressor.compress(content) + compressor.flush())
        return made

    def decode(self, data):
        results = []
        for bits in (15, 47, -15):
            try:
                results.append(self.zlib.decompress(data, bits))
            except self.zlib.error:
                results.append("error")
        reader = self.zlib.decompressobj(47)
        results.append([reader.decompress(data, 1000), reader.eof, len(reader.unconsumed_tail), reader.unused_data])
        return results


class Bz2(Zlib):
    def __init__(self, folder):
        import bz2

        self.bz2 = bz2

    def samples(self):
        return [self.bz2.compress(content, level) for content in self.contents() for level in (1, 9)]

    def decode(self, data):
        return [self.bz2.decompress(data), pieces(self.bz2.BZ2Decompressor(), data)]


class Lzma(Zlib):
    def __init__(self, folder):
        import lzma

        self.lzma = lzma

    def samples(self):
        made = []
        for content in self.contents():
            for check in (self.lzma.CHECK_NONE, self.lzma.CHECK_CRC32, self.lzma.CHECK_SHA256):
                made.append(self.lzma.compress(content, check=check, preset=0))
            made.append(self.lzma.compress(content, format=self.lzma.FORMAT_ALONE, preset=0))
        return made

    def decode(self, data):
        limit = 64 << 20
        reader = self.lzma.LZMADecompressor(memlimit=limit)
        return [self.lzma.decompress(data, memlimit=limit), pieces(reader, data)]


class Zstd(Zlib):
    def __init__(self, folder):
        from compression import zstd

        self.zstd = zstd

    def samples(self):
        checked = {self.zstd.CompressionParameter.checksum_flag: 1}
        made = [self.zstd.compress(content, level) for content in self.contents() for level in (1, 3)]
        made += [self.zstd.compress(content, options=checked) for content in self.contents()]
        return made + [made[2] + made[3]]

    def decode(self, data):
        return [self.zstd.decompress(data), pieces(self.zstd.ZstdDecompressor(), data)]


def pieces(reader, data):
    """What a decompressor gives for data in two pieces, a part at a time."""
    out = [reader.decompress(data[: len(data) // 2], 100)]
    if not reader.eof:
        out.append(reader.decompress(data[len(data) // 2 :]))
    return [out, reader.eof, reader.unused_data if reader.eof else None]


class Xml:
    """`pyexpat` with all handlers, and `xml.etree.ElementTree` upon it."""

    HANDLERS = """StartElement EndElement ProcessingInstruction CharacterData UnparsedEntityDecl NotationDecl StartNamespaceDecl
        EndNamespaceDecl Comment StartCdataSection EndCdataSection Default XmlDecl StartDoctypeDecl EndDoctypeDecl
        ElementDecl AttlistDecl EntityDecl SkippedEntity""".split()

    def __init__(self, folder):
        import xml.etree.ElementTree
        from xml.parsers import expat

        self.tree, self.expat = xml.etree.ElementTree, expat

    def samples(self):
        documents = [
            "<a/>",
            '<?xml version="1.0" standalone="yes"?><a b="c &amp; d">text<!-- comment --><?pi data?><![CDATA[<raw>]]></a>',
            '<n:a xmlns:n="urn:one" xmlns="urn:two" n:x="1"><b n:y="2"/></n:a>',
            '<!DOCTYPE a [<!ELEMENT a (b|c)*><!ATTLIST a x CDATA "1" y (p|q) #REQUIRED><!ENTITY e "<b>in</b>">'
            '<!NOTATION n SYSTEM "s"><!ENTITY u SYSTEM "u" NDATA n>]><a y="p">&e;&e;</a>',
            '<!DOCTYPE a [<!ENTITY a0 "ha"><!ENTITY a1 "&a0;&a0;&a0;"><!ENTITY a2 "&a1;&a1;&a1;">]><a>&a2;</a>',
            "<list>" + "".join(f'<item n="{number}">text {number}</item>\n' for number in range(30)) + "</list>",
            "<d>" * 3000 + "</d>" * 3000,
            "<a>" + "&#x1F40D;漢字 é" * 20 + "</a>",
        ]
        made = [document.encode() for document in documents]
        made += [document.encode("utf-16") for document in documents[:3] + documents[-1:]]
        return made + [b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9\xff</a>', b'<?xml version="1.0" encoding="koi8-r"?><a>\xc1</a>']

    def decode(self, data):
        events = []
        parser = self.expat.ParserCreate(namespace_separator=" ")
        for name in self.HANDLERS:
            setattr(parser, f"{name}Handler", lambda *values, name=name: events.append((name, values)))
        parser.ElementDeclHandler = lambda name, model: events.append((name, model))
        try:
            parser.Parse(data[: len(data) // 3], False)
            parser.Parse(data[len(data) // 3 :], True)
        except self.expat.ExpatError as error:
            events.append((error.code, error.lineno, error.offset))
        digest = hashlib.sha256(repr(merged(events)).encode("utf-8", "backslashreplace")).hexdigest()
        try:
            root = self.tree.fromstring(data)
        except self.tree.ParseError as error:
            return [digest, error.code, error.position]
        shown = [(element.tag, element.attrib, element.text, element.tail) for element in root.iter()]
        return [digest, shown]


def merged(events):
    """Where expat cuts text into pieces is its own affair."""
    out = []
    for event in events:
        if event[0] == "CharacterData" and out and out[-1][0] == "CharacterData":
            out[-1] = ("CharacterData", (out[-1][1][0] + event[1][0],))
        else:
            out.append(event)
    return out


class Marshal:
    def __init__(self, folder):
        import marshal

        self.marshal = marshal

    def samples(self):
        deep = []
        for _ in range(1000):
            deep = [deep]
        source = "def f(a, *b, c=1, **d):\n    try:\n        return [x for x in a if x]\n    except E as e:\n        yield e\nclass C: pass\n"
        values = [*plain_values(), (1, (2,)), {1, 2}, frozenset({"a"}), b"bytes" * 50, 1 + 2j, ..., StopIteration, slice(1, 2), deep]
        values += [compile(source, "name", "exec"), compile("1 + x", "name", "eval")]
        return [self.marshal.dumps(value, version) for value in values for version in (2, 4, 5) if version == 5 or not isinstance(value, slice)]

    def decode(self, data):
        value = self.marshal.loads(data)
        # Code is compared by its outside; nobody should run this.
        return value if not contains_code(value) else type(value).__name__


def contains_code(value):
    text = repr(value)
    return "<code object" in text


class Struct:
    def __init__(self, folder):
        import struct

        self.struct = struct

    def samples(self):
        made = []
        for layout in ["<bBhHiIlLqQ", ">efd", "=10s5p?c", "@nNP3xi", "!2h3I4s", "0i", "", "<FD", "100x", "1p", "2147483647s"]:
            made += [layout.encode() + b"\n" + bytes(range(60))]
        return made

    def decode(self, data):
        layout, _, rest = data.partition(b"\n")
        out = [self.struct.calcsize(layout)]
        size = out[0]
        for call in (
            lambda: self.struct.unpack(layout, rest),
            lambda: self.struct.unpack_from(layout, rest, len(rest) // 4),
            lambda: self.struct.unpack_from(layout, rest, -min(size, 99)),
            lambda: [item for _, item in zip(range(3), self.struct.iter_unpack(layout, rest[: len(rest) // max(size, 1) * size]))],
            lambda: size < 10_000 and self.struct.pack(layout, *self.struct.unpack(layout, (rest * (size // max(len(rest), 1) + 1))[:size])),
        ):
            try:
                out.append(call())
            except Exception as error:
                out.append((type(error).__name__, str(error)))
        return out


class Ssl:
    """Records over memory BIOs: broken hellos for a fresh server, and broken records in the course of a connection."""

    def __init__(self, folder):
        import ssl
        import subprocess

        self.ssl = ssl
        path = pathlib.Path(folder, "certificate.pem")
        if not path.exists():
            key, certificate = pathlib.Path(folder, "key.pem"), pathlib.Path(folder, "cert.pem")
            command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost"
            subprocess.run(
                [*command.split(), "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True
            )
            path.write_bytes(key.read_bytes() + certificate.read_bytes())
        self.accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.accepting.load_cert_chain(path)
        self.trusting = ssl.create_default_context(cafile=path)

    def hello(self, version):
        context = self.ssl.SSLContext(self.ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = version
        incoming, outgoing = self.ssl.MemoryBIO(), self.ssl.MemoryBIO()
        end = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        try:
            end.do_handshake()
        except self.ssl.SSLWantReadError:
            return outgoing.read()

    def samples(self):
        versions = [self.ssl.TLSVersion.TLSv1_2, self.ssl.TLSVersion.TLSv1_3]
        return [self.hello(version) for version in versions for _ in range(5)] + [b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x40\x00"]

    def decode(self, data):
        incoming, outgoing = self.ssl.MemoryBIO(), self.ssl.MemoryBIO()
        end = self.accepting.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(data)
        if len(data) % 2:
            incoming.write_eof()
        try:
            end.do_handshake()
        except self.ssl.SSLWantReadError:
            return "wants more"
        return "done"

    def connection(self, source):
        """A connection in which one piece is broken; how it ends depends on its keys."""
        to_server, to_client = self.ssl.MemoryBIO(), self.ssl.MemoryBIO()
        client = self.trusting.wrap_bio(to_client, to_server, server_hostname="localhost")
        server = self.accepting.wrap_bio(to_server, to_client, server_side=True)
        broken = source.randrange(8)
        steps = [client.do_handshake, server.do_handshake] * 3
        steps += [lambda: client.write(b"question" * 50), lambda: server.read(1000), lambda: server.write(b"answer"), lambda: client.read(1000)]
        for number, step in enumerate(steps):
            try:
                step()
            except self.ssl.SSLWantReadError:
                pass
            way = (to_server, to_client)[number % 2]
            if number == broken and way.pending:
                way.write(mutate(source, way.read(), [b"\x17\x03\x03\x00\x10"]))


FORMATS = {
    "pickle": Pickle,
    "json": Json,
    "zlib": Zlib,
    "bz2": Bz2,
    "lzma": Lzma,
    "zstd": Zstd,
    "xml": Xml,
    "marshal": Marshal,
    "struct": Struct,
    "ssl": Ssl,
}


def mutate(source, data, samples):
    """Breaks valid data in one to four ways, or gives random bytes."""
    if source.random() < 0.1:
        return source.randbytes(source.randrange(1, 200))
    for _ in range(source.randrange(1, 5)):
        size = len(data)
        at = source.randrange(size + 1)
        way = source.randrange(8)
        if way == 0:
            data = data[:at]
        elif way == 1:
            other = source.choice(samples)
            data = data[:at] + other[source.randrange(len(other) + 1) :]
        elif way == 2:
            stop = min(size, at + source.randrange(1, 20))
            data = data[:at] + data[stop:]
        elif way == 3:
            data = data[:at] + source.randbytes(source.randrange(1, 9)) + data[at:]
        elif way == 4:
            stop = min(size, at + source.randrange(1, 40))
            data = data[:stop] + data[at:stop] * source.randrange(1, 5) + data[stop:]
        elif size:
            changed = bytearray(data)
            for _ in range(source.randrange(1, 5)):
                place = source.randrange(size)
                changed[place] = source.choice((changed[place] ^ 1 << source.randrange(8), 0, 255, 127, 128, source.randrange(256)))
            data = bytes(changed)
    return data


def outcome(decoder, name, source, data):
    if name == "ssl" and source.random() < 0.5:
        try:
            decoder.connection(source)
        except OSError:
            pass
        return "depends"
    try:
        value = decoder.decode(data)
    except Exception as error:
        return type(error).__name__
    try:
        shown = repr(value)
    except Exception as error:
        return f"=shown: {type(error).__name__}"
    shown = re.sub(r"0x[0-9a-f]{6,}", "0x", shown)
    return "=" + hashlib.sha256(shown.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def main():
    import resource

    name, corpus, progress, *numbers = sys.argv[1:]
    seed, start, count = map(int, numbers)
    samples = [base64.b64decode(sample) for sample in json.loads(pathlib.Path(corpus).read_text())]
    decoder = FORMATS[name](os.environ["HOSTILE_FOLDER"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    with open(progress, "wb", buffering=0) as file:
        for index in range(start, count):
            os.pwrite(file.fileno(), b"%10d" % index, 0)
            source = random.Random(f"{seed} {name} {index}")
            data = mutate(source, source.choice(samples), samples)
            ended = outcome(decoder, name, source, data)
            print(index, ended, sep="\t", flush=True)
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MOST_MEMORY:
                sys.exit("too much memory")


if __name__ == "__main__":
    main()
