print(2**200, -7 // 2, -7 % 3, divmod(-7, 2), pow(3, -1, 7), 10**25 // 3**20)
print(0.1 + 0.2, 1e22, 1e-7, float("inf"), round(2.675, 2), 3.0.hex(), (0.1).as_integer_ratio())
print(f"{1234567.891:,.2f} {255:#x} {'mid':^9}| {3.14159!r:>10} {1+2j}")
print("%5d|%-5s|%05.1f|%x" % (42, "ab", 3.14159, 255))
print("héllo wörld".title(), "ß".upper(), "a,b,,c".split(","), "x".join("abc"), "%r" % ("q",))
print(b"bytes".hex(), bytes([1, 2, 255]), bytearray(b"ab") + b"c", memoryview(b"abcdef")[1:5:2].tobytes())
print([3, 1, 2] + [0], sorted([3, 1, 2], reverse=True), [1, 2, 3, 4][::-2], (1, 2) * 2, list(range(10, 0, -3)))
d = {"b": 1, "a": 2}
d |= {"c": 3}
print(d, list(d.items()), d.pop("a"), d.setdefault("z", []), {**d, "k": 0})
print({1, 2, 3} & {2, 3, 4}, frozenset("abc") == set("cab"), {1, 2} <= {1, 2, 3})
print(hash("text") == hash("te" + "xt"), hash(1) == hash(1.0) == hash(True), hash((1, "a")) == hash((1, "a")))
print(isinstance(True, int), issubclass(bool, int), type(1).__mro__, int.__add__(1, 2), [].__len__())
print(list(map(lambda a, b: a + b, [1, 2], [3, 4])), list(filter(None, [0, 1, "", "x"])), max("hello"), min(3, 1, 2))
print(list(enumerate("ab", 1)), list(zip("ab", "cd")), any([0, 1]), all([]), sum([0.1] * 10))
print(chr(0x1F600), ord("€"), ascii("é"), bin(10), oct(8), hex(255), abs(-3 + 4j))
x = [1, 2, 3]
x[1:2] = "ab"
del x[0]
print(x, x.index("b"), x.count(3), *x)
print(slice(1, 10, 2).indices(5), range(3) == range(0, 3, 1), complex("1-2j"), int("0x1f", 16), int("-1_000"))
print(list[int], dict[str, int], int | None, type(list[int]))
