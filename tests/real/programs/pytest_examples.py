"""pytest: fixtures, parametrisation, assertion rewriting, captured output, marks, doctests; its report."""
import pathlib
import re
import subprocess
import sys

pathlib.Path("conftest.py").write_text('''
import pytest

@pytest.fixture(scope="session")
def numbers():
    yield [1, 2, 3]

@pytest.fixture(params=["a", "b"], autouse=True)
def letter(request):
    return request.param
''')
pathlib.Path("test_sample.py").write_text('''
"""A doctest that fails.

>>> 1 + 1
3
"""
import dataclasses, warnings, unittest
import pytest

@dataclasses.dataclass
class Point:
    x: int
    y: list

def test_list(numbers): assert numbers == [1, 2, 4]
def test_dict(): assert {"a": 1, "b": [1, 2]} == {"a": 2, "b": [1, 2]}
def test_text(): assert "one\\ntwo\\nthree" == "one\\n2\\nthree"
def test_class(): assert Point(1, [2]) == Point(1, [3])
def test_in(): assert "x" in "abc", "message"
def test_call():
    def f(x): return x + 1
    assert f(1) == f(2) and not f(3)
def test_compare(): assert 1 < 2 < 3 < 2
def test_set(): assert {1, 2, 3} == {2, 3, 4}
def test_attr(letter): assert letter.upper() == "A"
def test_print(capsys):
    print("out")
    assert capsys.readouterr().out == "other"
@pytest.mark.parametrize("a, b", [(1, 1), (1, 2), pytest.param(3, 4, marks=pytest.mark.xfail)], ids=str)
def test_many(a, b): assert a == b
@pytest.mark.skip(reason="skipped")
def test_skip(): pass
def test_raises():
    with pytest.raises(ValueError, match="x+"):
        int("abc")
def test_group():
    with pytest.raises(ExceptionGroup):
        raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
def test_group_fails():
    raise ExceptionGroup("g", [ValueError(1), ExceptionGroup("h", [TypeError(2)])])
def test_approx(): assert 0.1 + 0.2 == pytest.approx(0.4)
def test_warns():
    warnings.warn("old", DeprecationWarning)
def test_chain():
    try: {}["a"]
    except KeyError as e: raise RuntimeError("chained") from e
def test_tmp(tmp_path, monkeypatch):
    monkeypatch.setenv("A", "b")
    (tmp_path / "f").write_text("x")
    print("captured")
    raise OSError(2, "gone", "file")
class TestUnit(unittest.TestCase):
    def test_sub(self):
        for n in range(3):
            with self.subTest(n=n): self.assertEqual(n % 2, 0)
    @unittest.expectedFailure
    def test_expected(self): self.fail()
def test_walrus():
    if (n := 3) and (m := n): assert (k := m * 2) > 10
def test_fixture_missing(nothing): pass
''')
for arguments in (["-q", "--doctest-modules", "-rA"], ["-v", "-k", "test_many or test_unit"], ["-x", "--tb=short"], ["--tb=long", "-k", "chain", "-l", "-vv"], ["--collect-only", "-q"], ["--nothing"], ["-o", "junit_family=xunit2", "--junitxml=out.xml", "-q", "--tb=no"]):
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments], capture_output=True, text=True)
    text = re.sub(r"in \d+\.\d+s( =*)?", "in TIME", done.stdout)
    text = text.replace(sys.executable, "PYTHON")
    text = re.sub(r"pytest-of-\w+/pytest-\d+", "PYTEST", text)
    text = re.sub(r"0x[0-9a-f]{8,}", "ADDRESS", text)
    text = re.sub(r"=+( .* )?=+", r"=\1=", text)
    print(">", *arguments, "->", done.returncode, text, re.sub(r"^.*__main__.py", "main", done.stderr))
