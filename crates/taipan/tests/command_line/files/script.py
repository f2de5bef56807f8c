import sys

value = 42
print(sys.argv, __name__, __file__)
