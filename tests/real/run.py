#!/usr/bin/env python3
"""Runs real packages under two interpreters and compares what they print.

    python3 tests/real/run.py --cache DIR --python TAIPAN [--oracle python3.14] [--compiled] [--jobs N] [PROGRAM ...]

The packages of `requirements.txt` are installed into DIR once, with the oracle's pip. Each program in `programs/` (all, or the
named ones) runs under both interpreters in an empty folder; standard output, standard error and exit code must be equal. Compiled
parts of packages that also work without them are left out, unless `--compiled` asks for them. Exits 1 when a program differs.
"""

import argparse
import concurrent.futures
import difflib
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
# Packages that don't import without their compiled part.
COMPILED_ONLY = {"hypothesis"}


def install(cache: pathlib.Path, oracle: str) -> tuple[pathlib.Path, pathlib.Path]:
    """Two folders of packages: as installed, and without compiled parts. Made anew when the requirements change."""
    requirements = HERE / "requirements.txt"
    stamp = cache / hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    site, pure = cache / "site", cache / "pure"
    if not stamp.exists():
        for folder in (site, pure, cache / "venv"):
            shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([oracle, "-m", "venv", cache / "venv"], check=True)
        pip = [cache / "venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-compile", "--target", site, "--requirement", requirements], check=True)
        shutil.copytree(site, pure)
        for path in pure.rglob("*.so"):
            if path.relative_to(pure).parts[0] not in COMPILED_ONLY:
                path.unlink()
        stamp.touch()
    return site, pure


def run(python: str, program: pathlib.Path, site: pathlib.Path, certificate: pathlib.Path, timeout: float):
    """Standard output, standard error and exit code of a program, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        keep = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        environment = keep | {
            "HOME": folder,
            "PYTHONPATH": str(site),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "TEST_CERTIFICATE": str(certificate),
        }
        started = time.monotonic()
        try:
            done = subprocess.run(
                [python, program], cwd=folder, env=environment, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL
            )
            result = (done.stdout, done.stderr, done.returncode)
        except subprocess.TimeoutExpired as late:
            result = (late.stdout or b"", late.stderr or b"", "timeout")
        seconds = time.monotonic() - started
        # The temporary folder has another name each time.
        clean = [part.replace(folder.encode(), b"FOLDER") if isinstance(part, bytes) else part for part in result]
        return clean, seconds


def make_certificate(cache: pathlib.Path) -> pathlib.Path:
    """A key and a certificate for `localhost` in one file, made by the `openssl` command."""
    path = cache / "localhost.pem"
    if not path.exists():
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
        subprocess.run([*command.split(), "-keyout", cache / "key.pem", "-out", cache / "cert.pem"], check=True, capture_output=True)
        path.write_bytes((cache / "key.pem").read_bytes() + (cache / "cert.pem").read_bytes())
    return path


def report(name: str, ours, theirs, limit: int) -> None:
    for title, mine, other in zip(("stdout", "stderr"), ours, theirs):
        if mine != other:
            lines = difflib.unified_diff(
                other.decode("utf-8", "replace").splitlines(),
                mine.decode("utf-8", "replace").splitlines(),
                f"{name} {title}: oracle",
                f"{name} {title}: python",
                lineterm="",
                n=1,
            )
            for _, line in zip(range(limit), lines):
                print("   ", line[:300])
    if ours[2] != theirs[2]:
        print(f"    exit code: oracle {theirs[2]}, python {ours[2]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--oracle", default="python3.14")
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--lines", type=int, default=20, help="lines of each difference to show")
    parser.add_argument("programs", nargs="*")
    options = parser.parse_args()
    cache = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    site, pure = install(cache, options.oracle)
    certificate = make_certificate(cache)
    folder = site if options.compiled else pure
    programs = [path for path in sorted((HERE / "programs").glob("*.py")) if not options.programs or path.stem in options.programs]

    def both(program):
        return [run(python, program, folder, certificate, options.timeout) for python in (options.python, options.oracle)]

    different = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for program, ((ours, our_time), (theirs, their_time)) in zip(programs, pool.map(both, programs)):
            same = ours == theirs
            different += not same
            print(f"{program.stem:24} {'same' if same else 'DIFFERS':8} {len(theirs[0]):9} bytes {our_time:7.2f} s {their_time:7.2f} s", flush=True)
            if not same:
                report(program.stem, ours, theirs, options.lines)
    print(f"{len(programs) - different} same, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
