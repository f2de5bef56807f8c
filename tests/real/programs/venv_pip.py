"""A virtual environment made by the interpreter, its activation, its pip, a package built from its own source and installed."""
import pathlib
import re
import subprocess
import sys


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    text = re.sub(r"(size=\d+ sha256=\w+|in directory .*|/tmp/\S+|\x1b\[\S+?m|\[notice\].*\n?|^pip +\d.*\n|(?<=pip )\d+\.\d+\S*)", "", done.stdout + done.stderr, flags=re.M)
    print(">", *command[1:], "->", done.returncode, text)


subprocess.run([sys.executable, "-m", "venv", "env", "--prompt", "mine"], check=True)
python = str(pathlib.Path("env/bin/python").absolute())
print(sorted(path.name for path in pathlib.Path("env/bin").iterdir() if "taipan" not in path.name))
run(python, "-c", "import sys, site; print(sys.prefix != sys.base_prefix, sys.prefix.endswith('/env'), site.getsitepackages()[0].split('/env/')[1])")
run("/bin/sh", "-c", ". env/bin/activate; echo $VIRTUAL_ENV_PROMPT; command -v python; deactivate")
run(python, "-m", "pip", "--version")
project = pathlib.Path("project")
(project / "src/mine").mkdir(parents=True)
(project / "src/mine/__init__.py").write_text("def main():\n    print('mine runs')\n")
(project / "backend.py").write_text('''
import base64, hashlib, zipfile

def _write(folder, extra):
    name = "mine-1.0-py3-none-any.whl"
    files = {
        **extra,
        "mine-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\n",
        "mine-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "mine-1.0.dist-info/entry_points.txt": "[console_scripts]\\nmine = mine:main\\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}\\n"
        for path, text in files.items()
    )
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for path, text in (files | {"mine-1.0.dist-info/RECORD": record + "mine-1.0.dist-info/RECORD,,\\n"}).items():
            wheel.writestr(path, text)
    return name

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _write(wheel_directory, {"mine/__init__.py": open("src/mine/__init__.py").read()})

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    import os
    return _write(wheel_directory, {"mine.pth": os.path.abspath("src") + "\\n"})
''')
(project / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n')
pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-color"]
run(*pip, "install", "--no-index", "./project")
run(*pip, "list")
run(*pip, "show", "-f", "mine")
run("env/bin/mine")
run(*pip, "uninstall", "-y", "mine")
run(*pip, "install", "--no-index", "-e", "./project")
run("env/bin/mine")
run(*pip, "freeze", "--exclude-editable")
run(*pip, "check")
run(*pip, "install", "--no-index", "nothing-of-this-name")
run(*pip, "download", "--no-index", "./missing")
run(*pip, "config", "list")
run(*pip, "cache", "nothing")
