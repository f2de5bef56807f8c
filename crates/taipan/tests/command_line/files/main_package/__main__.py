import sys
from . import __name__ as package

print(sys.argv[1:], __name__, package, __package__, __spec__.name)
