# `_decimal`: contexts, signals, arithmetic, functions, formats.
import copy
import pickle
from decimal import *
import decimal
from fractions import Fraction


def attempt(function, *args):
    try:
        return function(*args)
    except Exception as error:
        return type(error).__name__, str(error)


setcontext(Context())
print(decimal.__version__, MAX_PREC, MIN_ETINY, HAVE_THREADS, HAVE_CONTEXTVAR)
print(getcontext())

# Arithmetic at the usual precision, exact and rounded.
for a, b in [("1", "3"), ("2", "3"), ("1E+10", "7"), ("-0", "5"), ("0.1", "0.2"), ("9" * 28, "1"), ("1E-999990", "1E-20")]:
    a, b = Decimal(a), Decimal(b)
    print(a + b, a - b, a * b, a / b, a // b, a % b, divmod(a, b), a.compare(b), a.remainder_near(b))
print(Decimal("1.1") + 1, 2 - Decimal("0.5"), 7 // Decimal(2), -Decimal("-0"), +Decimal("1.000"), abs(Decimal(-3)))
print(Decimal(2) ** 100, Decimal(2) ** -2, Decimal(2) ** Decimal("0.5"), pow(Decimal(7), 123456789, 1000), Decimal("1.00") ** 5)

# Elementary functions, at several precisions.
with localcontext() as context:
    for context.prec in (1, 5, 28, 60, 200):
        print(Decimal(2).sqrt(), Decimal(1).exp(), Decimal(10).ln(), Decimal(2).log10(), Decimal("-12.5").exp())
print(Decimal("1.0000001").ln(), Decimal("1E-30").exp(), Decimal(1000).log10(), Decimal(0).ln(), Decimal("1E+500000").ln())

# Large operands: the fast algorithms against the integers.
with localcontext(Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)):
    for digits in (500, 3000, 20000):
        x, y = 7**digits, 3 ** (digits // 2)
        a, b = Decimal(x), Decimal(y)
        print(int(a * b) == x * y, int(a // b) == x // y, int(a % b) == x % y, int(a * a) == x * x)
with localcontext(Context(prec=5000)):
    root = Decimal(2).sqrt()
    print(abs(root * root - 2) < Decimal("1E-4998"), hash(root))
    print(abs(Decimal(3).ln().exp() - 3) < Decimal("1E-4990"))

# Signals and traps.
for source in ("Decimal(1) / 0", "Decimal(0) / 0", "Decimal('sNaN') + 1", "Decimal('x')", "Decimal('nan') < 1", "Decimal('1E+999999') * 10", "hash(Decimal('sNaN'))", "int(Decimal('inf'))", "Decimal(-1).sqrt()", "Decimal(1) + 1.5", "Decimal((1, (2,), 'x'))"):
    print(source, attempt(eval, source))
quiet = Context(traps=[], prec=3)
print(quiet.divide(1, 0), quiet.divide(0, 0), quiet.add(1, Decimal("0.0001")), quiet.flags[Inexact], quiet)
quiet.clear_flags()
quiet.flags[Clamped] = True
print(quiet.flags == quiet.traps, list(quiet.flags)[0], len(quiet.flags), quiet)
print(attempt(len, type(quiet.flags)()), attempt(Context, 0), attempt(Context, 5, "x"))
flags = Context().flags
print(attempt(repr, flags))

# Comparison and hash with other numbers.
print(Decimal("0.5") == 0.5, Decimal("0.5") == Fraction(1, 2), Decimal(3) == 3 + 0j, Decimal("0.1") < 0.1, Decimal("1E+2") == 100)
print(hash(Decimal("0.5")) == hash(0.5), hash(Decimal("1E+400")) == hash(10**400), hash(Decimal("-inf")))
print(sorted([Decimal("1.0"), Decimal("-inf"), Decimal(0), Decimal("1E-5")]), Decimal("1.0").compare_total(Decimal("1.00")))

# Conversion and copies.
print(Decimal(0.1), Decimal.from_float(-0.0), Decimal((1, (1, 2, 3), -2)), Decimal(" 1_0.5 "), Decimal("١٢"))
print(Decimal("-123.4500").as_tuple(), Decimal("2.50").as_integer_ratio(), Decimal("nan12").as_tuple(), float(Decimal("1E-400")))
print(copy.deepcopy(Decimal("1.5")), pickle.loads(pickle.dumps(Decimal("-1.50"))), pickle.loads(pickle.dumps(Context(prec=7))).prec)
print(round(Decimal("2.5")), round(Decimal("2.675"), 2), Decimal("2.5").to_integral_value(ROUND_UP), Decimal("1.23456").quantize(Decimal("0.01")))
for spec in ("", "f", ".2f", ",.1f", "_", "e", ".3e", "%", "+010.1f", "*^20", "z.0f", "#.0f", ".3_f", "n"):
    print(repr(spec), format(Decimal("-1234567.891"), spec), format(Decimal("0E+3"), spec), format(Decimal("inf"), spec))
print(attempt(format, Decimal(1), "x"), Decimal("123456E+3").to_eng_string(), Decimal("1E-9").normalize())


class Sub(Decimal):
    def __init__(self, value, extra=None):
        self.extra = extra


print(repr(Sub("1.5")), type(Sub(1) + 1), Sub.from_float(1.5).extra, attempt(setattr, Decimal, "x", 1))
print(IEEEContext(64), attempt(IEEEContext, 5))
