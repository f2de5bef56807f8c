import zipfile

with zipfile.ZipFile("app.zip", "w") as archive:
    archive.writestr("__main__.py", "import sys\nprint(sys.argv, __name__, __file__, sys.path[0])\n")
with zipfile.ZipFile("lib.zip", "w") as archive:
    archive.writestr("in_zip.py", "x = 1\n")
