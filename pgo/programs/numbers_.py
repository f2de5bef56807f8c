"""Arithmetic of all kinds."""
import array
import cmath
import decimal
import fractions
import math
import operator
import random
import statistics

from training import train


def integers():
    total = 0
    for i in range(2000):
        total += i * 3 - (i >> 1) ^ i & 0xFF
        total %= 1000003
        if i % 7 == 3 or i // 5 > 100 and i != 9:
            total -= 1
    return total, abs(-total), divmod(total, 7), pow(3, total, 1009), total.bit_length(), -total // 3, ~total


def while_loops():
    n, steps = 97, 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    a, b = 1071, 462
    while b:
        a, b = b, a % b
    return steps, a


def primes():
    size = 2000
    flags = bytearray([1]) * size
    for i in range(2, int(size**0.5) + 1):
        if flags[i]:
            flags[i * i::i] = bytes(len(range(i * i, size, i)))
    return sum(flags), [i for i in range(2, size) if flags[i]][-1]


def prime_list():
    found = []
    for n in range(2, 300):
        for p in found:
            if p * p > n:
                found.append(n)
                break
            if n % p == 0:
                break
        else:
            found.append(n)
    return found


def large():
    a = 1
    for i in range(1, 120):
        a *= i
    b = a // 12345678901234567890 + (a << 70) - (a >> 13)
    return a % b, b % 97, str(a), int(str(a)), math.gcd(a, b), math.isqrt(a), a * b, pow(a, 65537, b), hex(b), a & b, -a // 7


def digits_of_e():
    top, bottom, total = 1, 1, 0
    for k in range(1, 150):
        bottom *= k
        total += 10**100 // bottom
    p, q = 3, 1
    for i in range(1, 120):
        p, q = p * (2 * i + 1) + q * i, q * i + p
        if 4 * p > q:
            p, q = p * 10, q * 10 // 3
    return total, top, p // q


def floats():
    total = 0.0
    for i in range(1, 1500):
        x = i * 0.5
        total += math.sin(x) * math.sqrt(x) - x / 3.0 + x**0.3
        if total > 1e6 or x < total <= 2 * x:
            total = total * 0.5
    return round(total, 3), int(total), total // 2, total % 3, float("1.25e3"), repr(total), total.is_integer(), math.floor(total)


def orbit():
    bodies = [[0.0, 0.0, 0.0, 0.0, 10.0], [4.0, 0.0, 0.1, 1.5, 1.0], [0.0, 8.0, -1.1, 0.0, 0.5]]
    for _ in range(60):
        for i, a in enumerate(bodies):
            for b in bodies[i + 1:]:
                dx, dy = a[0] - b[0], a[1] - b[1]
                pull = 0.01 / ((dx * dx + dy * dy) ** 1.5 + 0.01)
                a[2] -= dx * b[4] * pull
                a[3] -= dy * b[4] * pull
                b[2] += dx * a[4] * pull
                b[3] += dy * a[4] * pull
        for body in bodies:
            body[0] += 0.01 * body[2]
            body[1] += 0.01 * body[3]
    return bodies


def julia():
    inside = 0
    for row in range(16):
        for column in range(16):
            z, c = complex(column / 8 - 1, row / 8 - 1), -0.4 + 0.6j
            for _ in range(20):
                if abs(z) > 2:
                    break
                z = z * z + c
            else:
                inside += 1
    return inside, cmath.exp(1j)


def matrices():
    n = 16
    a = [[i * j % 7 + 0.5 for j in range(n)] for i in range(n)]
    b = list(zip(*a))
    return [[sum(x * y for x, y in zip(row, column)) for column in b] for row in a]


def grids():
    grid = [[(x * y) % 3 == 0 for x in range(20)] for y in range(20)]
    return [[sum(grid[(y + dy) % 20][(x + dx) % 20] for dy in (-1, 0, 1) for dx in (-1, 0, 1)) in (3, 4)
             for x in range(20)] for y in range(20)]


def exact():
    total = fractions.Fraction(0)
    for i in range(1, 30):
        total += fractions.Fraction(1, i)
    with decimal.localcontext() as context:
        context.prec = 40
        value = decimal.Decimal(2).sqrt()
        for i in range(1, 40):
            value = (value * i + decimal.Decimal("0.125")) / (i + 1)
        money = sum((decimal.Decimal(i) / 100).quantize(decimal.Decimal("0.01")) for i in range(100))
    return total, value, money, str(money), f"{money:,.2f}"


def chance():
    source = random.Random(7)
    values = [source.random() for _ in range(200)]
    source.shuffle(values)
    return source.randint(1, 6), source.choice(values), source.sample(range(100), 10), source.gauss(0, 1), \
        statistics.mean(values), statistics.median(values), statistics.stdev(values), source.uniform(1, 2)


def arrays():
    numbers = array.array("d", range(200))
    view = memoryview(numbers)
    total = 0.0
    for i in range(len(numbers)):
        numbers[i] = numbers[i] * 1.5
        total += view[i]
    return sum(numbers), total, max(numbers), min(view), numbers.tobytes()[:8]


def reductions():
    numbers = list(range(300))
    return sum(numbers), min(numbers), max(numbers), any(n > 299 for n in numbers), all(numbers), sorted(numbers, reverse=True), \
        math.prod(numbers[1:20]), math.fsum(numbers), list(map(operator.add, numbers, numbers)), sum(n & 1 for n in numbers)


def queens(n=5):
    def place(row, columns, left, right):
        if row == n:
            return 1
        return sum(place(row + 1, columns | {c}, left | {row - c}, right | {row + c})
                   for c in range(n) if c not in columns and row - c not in left and row + c not in right)

    return place(0, frozenset(), frozenset(), frozenset())


train(integers, while_loops, primes, prime_list, large, digits_of_e, floats, orbit, julia, matrices, grids, exact, chance, arrays,
      reductions, queens,
      seconds=0.3)
