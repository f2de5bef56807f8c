"""Strings, bytes, patterns and the formats that programs read and write."""
import base64
import binascii
import bz2
import configparser
import csv
import datetime
import difflib
import hashlib
import html.parser
import io
import json
import lzma
import pickle
import re
import sqlite3
import string
import struct
import textwrap
import unicodedata
import urllib.parse
import xml.etree.ElementTree as ElementTree
import zlib

from training import train

TEXT = """It was the best of times, it was the worst of times; 42 of 100 people (say 3.14 in 10) wrote to a.user@example.org
or to someone-else@test.example.com on 2024-05-17 at 12:30:05, and the rest = "nothing at all" -- so #they# said.
""" * 6
OTHER = "Größe, naïve café — Ωμέγα жизнь 漢字 🐍 " * 10
DATA = {"name": "box", "sizes": [1, 2.5, -3e10, None, True], "inner": {str(i): i for i in range(20)}, "text": TEXT[:200],
        "other": OTHER[:60], "rows": [{"id": i, "value": i / 7} for i in range(20)]}
PAGE = "<page><head title='x &amp; y'>Hello</head>" + "".join(
    f"<row id='{i}'><cell>{i * i}</cell><cell kind=\"b\">t&lt;{i}</cell></row>" for i in range(30)) + "</page>"


def methods():
    total = 0
    for line in TEXT.splitlines():
        words = line.split()
        total += len(" ".join(words).strip().upper()) + line.find("worst") + line.count("t") + line.startswith("It")
        line.replace("times", "days").title(), line.partition("="), line.rsplit(",", 1), line.lower().capitalize(), line.endswith("\n")
        total += sum(word.isalpha() or word.isdigit() for word in words) + ("rest" in line)
        line.encode().decode(), line.ljust(150).rstrip(), line.zfill(10), line.swapcase(), line.casefold(), line.strip('" ')
    return total, TEXT.translate(str.maketrans("abc", "xyz", "d")), sorted(set(TEXT)), TEXT[::-1], TEXT[3:90:2]


def building():
    out = []
    for i in range(150):
        out.append(f"{i:>5} {i / 3:.2f} {i!r} {'x' * (i % 5)}")
        out.append("%s-%d-%05.1f" % ("a", i, i / 7))
        out.append("{0} {name:<8}|{0:,}".format(i * 1000, name="n"))
    text = ""
    for i in range(200):
        text += str(i)
    return "\n".join(out), text, string.Template("$a and ${b}").substitute(a=1, b=2), chr(ord("a") + 3), f"{'y':^9}|{255:#x}"


def wide():
    total = 0
    for letter in OTHER:
        total += letter.isupper() + (letter in "äöüß") + ord(letter)
    return total, OTHER.upper(), OTHER.encode("utf-8").decode("utf-8"), OTHER.encode("utf-16"), OTHER.find("漢"), \
        OTHER.split("—"), unicodedata.normalize("NFKD", OTHER), OTHER.encode("latin-1", "replace"), [unicodedata.name(c, "") for c in OTHER[:30]]


def scanning():
    tokens, at = [], 0
    source = "total = (alpha + 12) * beta_2 - 'text' / 3.5 # end\n" * 6
    while at < len(source):
        letter = source[at]
        if letter.isspace():
            at += 1
        elif letter.isalpha() or letter == "_":
            start = at
            while at < len(source) and (source[at].isalnum() or source[at] == "_"):
                at += 1
            tokens.append(("name", source[start:at]))
        elif letter.isdigit():
            start = at
            while at < len(source) and source[at] in "0123456789.":
                at += 1
            tokens.append(("number", float(source[start:at])))
        else:
            tokens.append(("sign", letter))
            at += 1
    return tokens


PATTERNS = [re.compile(p) for p in (
    r"\b\w+@[\w.]+\w\b", r"(\d{4})-(\d\d)-(\d\d)", r"[A-Z][a-z]+", r"\s+", r'"([^"\\]|\\.)*"', r"(?i)TIMES|people", r"#(.*?)#",
    r"(?P<word>\w+) of (?P=word)|best", r"^or.*$(?m:.)?", r"(?:a|b|c|d)+e", r"\d+(?:\.\d+)?", r"x*y", r"(?<=the )\w+", r"[^,;.]+[,;.]",
    r"wor(?:st|th)|sa[iy]d?", r".*?at (\d+):")]


def patterns():
    found = 0
    for pattern in PATTERNS:
        found += len(pattern.findall(TEXT))
        pattern.sub("-", TEXT)
        match = pattern.search(TEXT)
        if match:
            match.group(), match.span(), match.groups()
        pattern.split(TEXT[:200])
        pattern.match(TEXT)
    for match in PATTERNS[0].finditer(TEXT):
        found += match.start()
    return found, re.sub(r"(\w)(\w+)", lambda m: m[1].upper() + m[2], TEXT[:200]), re.findall(rb"\w+", TEXT.encode())


def make_patterns():
    for pattern in PATTERNS:
        re._compiler.compile(pattern.pattern)


def read_json():
    text = json.dumps(DATA)
    return json.loads(text), json.dumps(DATA, indent=1, sort_keys=True), json.loads(json.dumps(OTHER, ensure_ascii=False))


def pickles():
    for protocol in (2, 5):
        pickle.loads(pickle.dumps(DATA, protocol))
    rows = [datetime.date(2024, 5, 1), {1, 2}, (3, "x"), b"bytes", 2**80]
    return pickle.loads(pickle.dumps(rows))


def python_pickles():
    file = io.BytesIO()
    pickle._Pickler(file).dump(DATA)
    return pickle._loads(file.getvalue())


def trees():
    root = ElementTree.fromstring(PAGE)
    for row in root.iter("row"):
        row.set("n", str(len(row)))
    made = ElementTree.Element("top")
    for i in range(20):
        ElementTree.SubElement(made, "leaf", number=str(i)).text = f"<{i}>"
    return ElementTree.tostring(root), [cell.text for cell in root.findall("row/cell")], ElementTree.tostring(made), \
        [e.tag for _, e in ElementTree.iterparse(io.StringIO(PAGE))]


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def pages():
    links = Links()
    links.feed(PAGE)
    address = urllib.parse.urlsplit("https://user@example.org:8080/a/b;c?q=1&r=x%20y#top")
    return links.found, urllib.parse.parse_qs(address.query), urllib.parse.urljoin("http://a/b/c", "../d"), urllib.parse.quote(OTHER)


def binary():
    data = bytearray()
    for i in range(60):
        data += struct.pack("<IhdB4s", i, -i, i / 2, i & 255, b"abcd")
    total = 0
    for fields in struct.iter_unpack("<IhdB4s", data):
        total += fields[0] + fields[3]
    block = bytes(data)
    return total, block.find(b"abcd"), block.split(b"a"), block.replace(b"b", b"cc"), block.hex(), bytes.fromhex("00ff"), block[::3], \
        b"-".join([b"x", block]), base64.b64decode(base64.b64encode(block)), binascii.crc32(block), bytes(b ^ 1 for b in block[:200])


def squeezed():
    block = TEXT.encode()
    return zlib.decompress(zlib.compress(block)), hashlib.sha256(block).hexdigest(), hashlib.md5(block).digest(), \
        bz2.decompress(bz2.compress(block)), lzma.decompress(lzma.compress(block, preset=0))


def dates():
    day = datetime.datetime(2024, 2, 28, 12, 30)
    for i in range(60):
        day += datetime.timedelta(hours=i)
        day.isoformat(), day.strftime("%Y-%m-%d %H:%M"), day.weekday(), day.date() < datetime.date(2024, 3, 1)
        datetime.datetime.fromisoformat("2024-05-17T12:30:05+02:00").astimezone(datetime.timezone.utc)
    return day, datetime.datetime.strptime("17 May 2024", "%d %b %Y") - datetime.datetime(2000, 1, 1)


def tables():
    file = io.StringIO()
    writer = csv.writer(file)
    for i in range(40):
        writer.writerow([i, f"name {i}", i / 3, 'quo"ted, text'])
    file.seek(0)
    settings = configparser.ConfigParser()
    settings.read_string("[a]\nx = 1\ny = %(x)s2\n[b]\nz: three\n")
    return [row[1] for row in csv.reader(file)], settings["a"]["y"], list(csv.DictReader(io.StringIO("a,b\n1,2\n3,4\n")))


def lines():
    file = io.StringIO(TEXT)
    count = sum(1 for _ in file)
    raw = io.TextIOWrapper(io.BufferedReader(io.BytesIO(OTHER.encode() + TEXT.encode())), encoding="utf-8")
    return count, raw.read(10), raw.readline(), list(raw), textwrap.fill(TEXT, 60), textwrap.dedent("  a\n  b")


def differences():
    return list(difflib.unified_diff(TEXT.splitlines(), TEXT.replace("best", "good").splitlines())), \
        difflib.get_close_matches("appel", ["ape", "apple", "peach"])


def database():
    store = sqlite3.connect(":memory:")
    store.execute("create table item (id integer primary key, name text, price real)")
    store.executemany("insert into item (name, price) values (?, ?)", [(f"n{i}", i * 1.5) for i in range(100)])
    found = store.execute("select name, price from item where price > ? order by price desc", (30,)).fetchall()
    store.close()
    return found


train(methods, building, wide, scanning, patterns, make_patterns, read_json, pickles, python_pickles, trees, pages, binary, squeezed,
      dates, tables, lines, differences, database,
      seconds=0.1)
