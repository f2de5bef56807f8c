"""Searches whose patterns begin in many ways: what may begin a match is looked at before a match is tried."""
import random
import re

random.seed(20261121)
ATOMS = ["a", "b", "c", "é", "ж", "ſ", "s", "[ab]", "[^a]", "[^\\W\\d]", "\\w", "\\d", "\\s", ".", "[жя-]", "(?i:S)", "\\b",
         "(?=a)", "(?!b)", "(?<=a)", "^", "$", "(?:ab|cd)", "(a|b)", "(?>a|ab)", "(?i:[k-m])"]
TAILS = ["", "", "", "*", "+", "?", "{2}", "{1,3}", "*?", "+?", "{0}", "*+"]


def pattern(depth):
    def piece():
        if depth and random.random() < 0.3:
            # One repetition within another takes exponential time when it fails.
            return "(?:" + pattern(depth - 1) + ")" + random.choice(["", "", "?", "{2}", "??"])
        atom = random.choice(ATOMS)
        plain = atom[0] not in "^$" and not atom.startswith(("(?=", "(?!", "(?<", "\\b"))
        return atom + (random.choice(TAILS) if plain else "")

    def way():
        return "".join(piece() for _ in range(random.randint(1, 3)))

    return "|".join(way() for _ in range(random.choice([1, 1, 2, 3, 5])))


def subject():
    return "".join(random.choice("aabbccddsSkKſéжя12 \n-" + chr(0x212A)) for _ in range(random.randint(0, 14)))


digest = 0
found = 0
for number in range(2000):
    text = pattern(2)
    flags = random.choice([0, 0, re.ASCII, re.IGNORECASE, re.MULTILINE, re.DOTALL])
    program = re.compile(text, flags)
    for _ in range(4):
        where = subject()
        spans = [match.span() for match in program.finditer(where)]
        found += len(spans)
        digest = (digest * 31 + sum((i + 1) * (7 * a + b) for i, (a, b) in enumerate(spans))) % 2**61
    if number % 250 == 0:
        print(number, found, digest)
print(found, digest)
for text in ("agggtaaa|tttaccct", "[cgt]gggtaaa|tttaccc[acg]", "a(?:b|c)d?e", "x{4}|xy{3}"):
    where = "".join(random.choice("acgtbdexy") for _ in range(5000)) + "agggtaaa" + "agggtaa"
    print(text, [m.start() for m in re.finditer(text, where)][-3:], len(re.findall(text.encode(), where.encode())))
