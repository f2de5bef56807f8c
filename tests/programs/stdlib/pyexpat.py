# The XML parser: events, positions, errors, limits.
import io
import pyexpat
import xml.dom.minidom
import xml.etree.ElementTree as ET
import xml.sax

NAMES = sorted(n for n in dir(pyexpat.XMLParserType) if n.endswith("Handler"))


def events(document, *, pieces=1, encoding=None, separator=None, skip=(), **attributes):
    parser = pyexpat.ParserCreate(encoding, separator)
    for name, value in attributes.items():
        setattr(parser, name, value)

    def handler(name):
        def handle(*args):
            print("  ", name, args, parser.CurrentLineNumber, parser.CurrentColumnNumber, parser.CurrentByteIndex)
            return 1
        return handle

    for name in NAMES:
        if name not in skip:
            setattr(parser, name, handler(name))
    step = max(1, len(document) // pieces)
    try:
        for at in range(0, len(document), step):
            parser.Parse(document[at:at + step], False)
        print("  ", parser.Parse(b"", True))
    except Exception as error:
        print("  ", repr(error), parser.ErrorCode, parser.ErrorLineNumber, parser.ErrorColumnNumber)


DTD = b"""<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE a PUBLIC "-//p//" "s.dtd" [
<!ELEMENT a (b|(c,d?)*)+> <!ELEMENT b (#PCDATA|c)*> <!ELEMENT c EMPTY> <!ELEMENT d ANY>
<!ATTLIST a x CDATA "d" y (p|q) "p" z NMTOKENS #IMPLIED id ID #REQUIRED n NOTATION (nn) #FIXED "nn">
<!NOTATION nn PUBLIC "pp" "ss"> <!ENTITY e "value"> <!ENTITY f "<b>&e;</b>">
<!ENTITY u SYSTEM "s" NDATA nn> <!ENTITY g SYSTEM "sys"> <!ENTITY % p "<!ENTITY h 'v'>"> %p;
]>
<a z=" 1  2 " x='&e;&#10;\t'>t&amp;&e;&f;&g;<![CDATA[<&]]>\r\n<?pi data?><!-- c --><c/></a>
"""
skip = ("DefaultHandler", "DefaultHandlerExpand", "ExternalEntityRefHandler")
for pieces in 1, 7, len(DTD):
    events(DTD, pieces=pieces, skip=skip)
events(DTD, skip=("DefaultHandlerExpand",), ordered_attributes=True, buffer_text=True, specified_attributes=True)
events(b'<a xmlns="u" xmlns:p="v" p:q="1" r="2"><p:b/></a>', separator=" ", skip=skip)
events(b'<a xmlns="u" xmlns:p="v" p:q="1" r="2"><p:b/></a>', separator="!", namespace_prefixes=True, skip=skip)
for encoding in "utf-16", "utf-16-le", "latin-1", "cp1252":
    text = f'<?xml version="1.0" encoding="{encoding}"?><é a="ü">ß</é>'
    events(text.encode(encoding), skip=skip)

BAD = [b"", b"<", b"<a", b"<a>", b"<a></b>", b"<a/><b/>", b"<a x='1' x='2'/>", b"<a>&e;</a>", b"<a>&#0;</a>",
       b"<a>]]></a>", b"<a x='<'/>", b"<a>\xff</a>", b"<a>\xc3", b"<p:a/>", b"<a xmlns:p=''/>", b"<?xml version='2'?>",
       b" <?xml version='1.0'?><a/>", b"<?xml version='1.0' encoding='utf-16'?><a/>", b"<a><![CDATA[x", b"\xff",
       b"<!DOCTYPE a [<!ENTITY e '&e;'>]><a>&e;</a>", b"<!DOCTYPE a [<!ENTITY e '<b>'>]><a>&e;</a>", b"\0\r\n",
       b"<!DOCTYPE a [<!ELEMENT a (b|c,d)>]><a/>", b"<!DOCTYPE a [%p;]><a/>", b"<!DOCTYPE a PUBLIC '\x80' 'x'><a/>"]
for document in BAD:
    for separator in None, "}":
        parser = pyexpat.ParserCreate(namespace_separator=separator)
        try:
            print(document, parser.Parse(document, True))
        except pyexpat.ExpatError as error:
            print(document, error, error.code, error.offset, error.lineno)
    try:
        ET.fromstring(document)
    except ET.ParseError as error:
        print("  ", error, error.position)

# Entities that grow without bounds.
lol = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
try:
    ET.fromstring(f'<!DOCTYPE a [<!ENTITY l0 "lol">{lol}]><a>&l9;</a>')
except ET.ParseError as error:
    print(str(error).partition(":")[0])
# Entities in entities, very deep: no native recursion.
deep = "".join(f'<!ENTITY e{i + 1} "&e{i};">' for i in range(20000))
print(ET.fromstring(f'<!DOCTYPE a [<!ENTITY e0 "x">{deep}]><a b="&e20000;">&e20000;</a>').attrib)

# Handlers that do what they shouldn't.
parser = pyexpat.ParserCreate()


def start(name, attrs):
    for call in (lambda: parser.Parse(b"<x/>"), lambda: parser.ParseFile(io.BytesIO())):
        try:
            call()
        except RuntimeError as error:
            print(error)
    parser.StartElementHandler = None
    print(parser.GetInputContext())


parser.StartElementHandler = start
print(parser.Parse(b"<a><b/></a>", True))


class Tree(ET.TreeBuilder):
    def start(self, tag, attrs):
        print(tag, attrs)
        return super().start(tag, attrs)


root = ET.fromstring("<a>1<b x='y'>2</b>3<!--c--></a>", ET.XMLParser(target=Tree(insert_comments=True)))
print(ET.tostring(root), list(root.itertext()), [e.tag for e in root.iter("b")])
for event, element in ET.iterparse(io.BytesIO(b"<a xmlns='u'><b/></a>"), ["start", "end", "start-ns", "end-ns"]):
    print(event, element if isinstance(element, (tuple, type(None))) else element.tag)
print(xml.dom.minidom.parseString(b"<a b='c'><!--x--><d>e</d></a>").toxml())


# Elements that change while they are searched, compared and copied.
class Evil(str):
    def __eq__(self, other):
        top.clear()
        return False
    __hash__ = str.__hash__


for action in (lambda: top.find("x"), lambda: top.findall("x"), lambda: list(top.iter("x")), lambda: top.findtext("x")):
    top = ET.Element("top")
    top.extend(ET.Element(Evil("y")) for _ in range(5))
    print(action() == [], len(top))
