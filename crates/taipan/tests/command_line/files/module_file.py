import sys

print(sys.argv[1:], __name__, __spec__.name, __package__ == "", sys.path[0] == sys.argv[0].rpartition("/")[0])
