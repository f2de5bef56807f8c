import sys

print(sys.argv, __name__, sys.path[0], __spec__.name, __package__ == "")
