"""Writes lines `operation<TAB>operands…<TAB>result` for tests/oracle.rs, computed by the Python that runs this.

    python3.14 generate.py SEED COUNT > fixtures/random.tsv

Ints are written in hexadecimal, floats as the hexadecimal of their bits, text as its repr without quotes.
"""
import math, random, struct, sys

sys.set_int_max_str_digits(0)
rnd = random.Random(int(sys.argv[1]))
COUNT = int(sys.argv[2])


def bits(x):
    return "%016x" % struct.unpack("<Q", struct.pack("<d", x))[0]


def show(x):
    if x is None:
        return "None"
    if isinstance(x, bool):
        return str(x)
    if isinstance(x, float):
        return "nan" if x != x else bits(x)
    if isinstance(x, int):
        return "%x" % x
    if isinstance(x, bytes):
        return x.hex()
    if isinstance(x, (tuple, list)):
        return ",".join(show(y) for y in x)
    return x.encode("unicode_escape").decode()


def line(op, *args_and_function):
    *args, f = args_and_function
    try:
        r = show(f())
    except (MemoryError, TypeError):
        return
    except Exception as e:
        r = show("!" + str(e.args[-1] if isinstance(e, OverflowError) else e))
    print(op, *map(show, args), r, sep="\t")


def integer(limit=None):
    n = rnd.choice([0, 1, 2, 5, 29, 30, 31, 53, 59, 60, 61, 62, 63, 64, 65, 90, 120, 128, 150, 300,
                    rnd.randrange(1, 2500)]) if limit is None else rnd.randrange(limit)
    k = rnd.randrange(6)
    if k == 0:
        x = (1 << n) - 1
    elif k == 1:
        x = 1 << n
    elif k == 2:
        x = rnd.getrandbits(n + 1) & rnd.getrandbits(n + 1) & rnd.getrandbits(n + 1)
    elif k == 3:
        x = (1 << n) + rnd.randrange(-3, 4)
    else:
        x = rnd.getrandbits(n + 1)
    return x if rnd.randrange(2) else -x


def real():
    k = rnd.randrange(10)
    if k == 0:
        return rnd.choice([0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, math.inf, -math.inf, math.nan, 5e-324,
                           2.2250738585072014e-308, 1.7976931348623157e308, 1e16, 1e15, 9999999999999998.0,
                           1e-4, 1e-5, 0.0001234, 123456.0, 1e22, 1e23, 0.1])
    if k <= 2:
        return struct.unpack("<d", struct.pack("<Q", rnd.getrandbits(64)))[0]
    if k <= 4:
        return rnd.randrange(-10000, 10000) / 2 ** rnd.randrange(12)
    if k <= 6:
        return round(rnd.uniform(-1000, 1000), rnd.randrange(6))
    if k == 7:
        return float(rnd.randrange(-20, 20))
    if k == 8:
        return float(integer(1000))
    return rnd.uniform(-1, 1) * 10.0 ** rnd.randrange(-30, 30)


def pow_float(a, b):
    if math.isfinite(a) and math.isfinite(b) and a < 0 and b != math.floor(b):
        raise ValueError("negative number to a fractional power")
    return a ** b


for _ in range(COUNT):
    a, b, c = integer(), integer(), integer()
    if rnd.randrange(3) == 0:
        a = a * b + rnd.choice([0, 1, -1, c])
    line("add", a, b, lambda: a + b)
    line("sub", a, b, lambda: a - b)
    line("mul", a, b, lambda: a * b)
    line("divmod", a, b, lambda: divmod(a, b))
    line("mod", a, b, lambda: a % b)
    line("and", a, b, lambda: a & b)
    line("or", a, b, lambda: a | b)
    line("xor", a, b, lambda: a ^ b)
    line("invert", a, lambda: ~a)
    line("cmp", a, b, lambda: (a > b) - (a < b))
    line("gcd", a, b, lambda: math.gcd(a, b))
    line("lcm", a, b, lambda: math.lcm(a, b))
    line("truediv", a, b, lambda: a / b)
    line("tofloat", a, lambda: float(a))
    line("isqrt", a, lambda: math.isqrt(a))
    line("bits", a, lambda: (a.bit_length(), a.bit_count()))
    line("hash", a, lambda: hash(a))
    e = rnd.randrange(-3, 40) if rnd.randrange(4) else rnd.randrange(300)
    s = integer(40)
    if e >= 0:
        line("pow", s, e, lambda: s ** e)
    m = c if rnd.randrange(2) else integer(64)
    x = integer(130)
    line("modpow", a, x, m, lambda: pow(a, x, m))
    n = rnd.randrange(-1, 200)
    line("shl", a, n, lambda: a << n)
    line("shr", a, n, lambda: a >> n)
    line("roundint", a, max(n, 0), lambda: round(a, -max(n, 0)))
    base = rnd.randrange(2, 37)
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"

    def text(value, base):
        out, value, neg = "", abs(value), value < 0
        while value or not out:
            value, d = divmod(value, base)
            out = digits[d] + out
        return "-" * neg + out
    t = text(a, base)
    line("text", a, base, lambda: t)
    line("parse", t, base, lambda: int(t, base))
    line("str", a, lambda: str(a))
    messy = rnd.choice(["", " ", "+", "-", "--", "0x", "0b", "0o", "0X_", "_", "0_", "00", "0"]) + "".join(
        rnd.choice("0123456789__abfz ") for _ in range(rnd.randrange(8)))
    mb = rnd.choice([0, 2, 8, 10, 16, 36, 12, 1, 37])
    if mb in (1, 37):
        line("parse", messy, mb, lambda: "!base")
    else:
        try:
            int(messy, mb)
            line("parse", messy, mb, lambda: int(messy, mb))
        except ValueError:
            line("parse", messy, mb, lambda: "!invalid")
    size = (a.bit_length() + rnd.randrange(-8, 20)) // 8
    size = max(size, 0)
    little, signed = rnd.randrange(2), rnd.randrange(2)
    order = "little" if little else "big"
    line("tobytes", a, size, little, signed, lambda: a.to_bytes(size, order, signed=bool(signed)))
    data = rnd.choice([rnd.randbytes(rnd.randrange(20)), b"\x80" + bytes(rnd.randrange(9)), bytes(rnd.randrange(16)) + b"\x80", b"\xff" * rnd.randrange(16)])
    line("frombytes", data, little, signed, lambda: int.from_bytes(data, order, signed=bool(signed)))

    f, g = real(), real()
    if rnd.randrange(4) == 0 and math.isfinite(f):
        g = float(rnd.randrange(-5, 6))
    near = rnd.choice([f, float(a) if abs(a) < 2 ** 1000 else f])
    line("cmpfloat", a, near, lambda: None if near != near else (a > near) - (a < near))
    line("fromfloat", f, lambda: int(f))
    line("roundtoint", f, lambda: round(f))
    line("repr", f, lambda: repr(f))
    line("complex", f, g, lambda: repr(complex(f, g)))
    code = rnd.choice("eEfFgG")
    precision = rnd.choice([0, 1, 2, 3, 6, 10, 17, 30, 400, rnd.randrange(1300) if rnd.randrange(10) == 0 else 5])
    alt, sign = rnd.randrange(2), rnd.randrange(2)
    line("format", f, code, precision, alt, sign,
         lambda: format(f, "+" * sign + "#" * alt + "." + str(precision) + code))
    n = rnd.randrange(-6, 20) if rnd.randrange(10) else rnd.randrange(-330, 330)
    line("round", f, n, lambda: round(f, n))
    half = (rnd.randrange(100) * 2 + 1) * 5.0 * 10.0 ** rnd.randrange(15)
    n = -rnd.randrange(18)
    line("round", half, n, lambda: round(half, n))
    line("hex", f, lambda: f.hex())
    line("fromhex", f.hex(), lambda: float.fromhex(f.hex()))
    h = rnd.choice(["", "-", "+", "0x", " 0X"]) + "".join(
        rnd.choice("0123456789abcdef8000fF.") for _ in range(rnd.randrange(30))) + rnd.choice(
        ["", "p0", "p-1074", "p-1060", "p+1000", "P1", "p", "p1 ", "x", "p-1100"])
    line("fromhex", h, lambda: float.fromhex(h))
    line("ratio", f, lambda: f.as_integer_ratio())
    if f == f:
        line("hashfloat", f, lambda: hash(f))
    line("divmodfloat", f, g, lambda: divmod(f, g))
    line("modfloat", f, g, lambda: f % g)
    line("powfloat", f, g, lambda: pow_float(f, g))
    t = rnd.choice([repr(f), "%.30g" % f, "".join(rnd.choice("0123456789._e+-inf") for _ in range(rnd.randrange(7)))])

    def parsed():
        try:
            return float(t)
        except ValueError:
            return None
    line("parsefloat", t, parsed)

    spec = "".join([
        rnd.choice(["", "", "", "<", ">", "^", "=", "*<", "x^", "0=", "\u00e9>", "z<"]),
        rnd.choice(["", "", "+", "-", " "]), rnd.choice(["", "", "", "z"]), rnd.choice(["", "", "#"]),
        rnd.choice(["", "", "0"]), rnd.choice(["", "", str(rnd.randrange(40))]),
        rnd.choice(["", "", "", ",", "_", ",_", "__"]),
        rnd.choice(["", "", "", ".%d" % rnd.randrange(20), ".", "._", ".,", ".%d_" % rnd.randrange(12), ".5_,"]),
        rnd.choice(["", "", "d", "x", "b", "X", "o", "c", "n", "e", "f", "g", "G", "%", "F", "E", "s", "q", "\u00e9", "ff"]),
    ])
    k = rnd.choice([integer(40), a])
    line("formatint", k, spec, lambda: format(k, spec))
    line("formatfloat", f, spec, lambda: format(f, spec))
    line("formatcomplex", f, g, spec, lambda: format(complex(f, g), spec))
    line("formatstr", t, spec, lambda: format(t, spec))
    directive = "%" + "".join(rnd.choice("-+ #0") for _ in range(rnd.randrange(4))) + rnd.choice(
        ["", str(rnd.randrange(30))]) + rnd.choice(["", ".", ".%d" % rnd.randrange(20)])
    letter = rnd.choice("diuoxXeEfFgG")
    k = k if letter in "diuoxX" else f
    line("percent", k, directive, letter, lambda: (directive + letter) % k)
    messy = "".join(rnd.choice("%%ab(d)*.5 #-lhL\u20ac") for _ in range(rnd.randrange(8)))

    def pieces():
        class Any(dict):
            def __missing__(self, key):
                return 1
        return messy % Any()
    if "*" not in messy and "a" not in messy and "h" not in messy and "l" not in messy and "L" not in messy:
        try:
            line("pieces", messy, lambda: pieces())
        except TypeError:
            pass
