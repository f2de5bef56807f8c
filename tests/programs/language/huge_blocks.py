# Blocks larger than the machine's memory are refused, not filled until the process dies.
import array

huge = 1 << 45


def attempt(make):
    try:
        make()
    except MemoryError:
        return "MemoryError"


print(attempt(lambda: bytes(huge)))
print(attempt(lambda: bytearray(huge)))
print(attempt(lambda: b"x" * huge))
print(attempt(lambda: "x" * huge))
print(attempt(lambda: [None] * huge))
print(attempt(lambda: (None,) * huge))
print(attempt(lambda: array.array("b", [0]) * huge))
print(attempt(lambda: "x".ljust(huge)))
print(attempt(lambda: b"x".center(huge)))
print(attempt(lambda: bytearray(8).zfill(huge)))
