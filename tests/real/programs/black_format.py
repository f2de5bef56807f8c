"""black: formats real files and odd snippets, checks stability, shows a diff and errors."""
import hashlib
import pathlib

import black
import docutils
import lark
import mpmath

ODD = '''
from a import (b)
x = {  'a':37,'b':42,
'c':927}
y = 'hello ''world' if True else  """doc"""
class A  (object ,):
      def f    (self, a, *, b : int=1, **kw)->None :
          return   not (a) and (yield) or (lambda x,y = 1:  x**-y [1 :2, ...])
async def g():
   async with a as b, c(  ) as d: pass
   await (x) ; del (a, b) ; print(* args, ** kw)
match x :
  case [1, {'a': str() as s}, *_] if s : pass
def very_long_function_name(argument_number_one, argument_number_two, argument_number_three, argument_number_four): return argument_number_one + argument_number_two + argument_number_three
with open("a") as f, open("b") as g, open("cccccccccccccccccccccccccccccc") as h, open("dddddddddddddd") as i: pass
type X [T : int] = list [ T ]
# fmt: off
keep  =  [ 1,2 ]
# fmt: on
z = f"{x   !r:>{ width }} {'a' 'b'}" + rb'x' + U"y" ; w = 0XFF + 1E5 + 10L if 0 else 0o17
'''.replace("10L", "10_0J")
mode = black.Mode(target_versions={black.TargetVersion.PY312}, line_length=100)
print(black.format_str(ODD, mode=mode))
print(black.format_str(ODD, mode=black.Mode(line_length=60, string_normalization=False, magic_trailing_comma=False, preview=True)))
for module in (lark, docutils, mpmath):
    for path in sorted(pathlib.Path(module.__file__).parent.glob("*.py"))[:5]:
        text = path.read_text()
        done = black.format_str(text, mode=mode)
        print(path.name, len(text), len(done), hashlib.sha256(done.encode()).hexdigest()[:16], black.format_str(done, mode=mode) == done)
for bad in ["x = (", "for x in", "def f(:\n  pass", "print 'a'"]:
    try:
        black.format_str(bad, mode=mode)
    except Exception as error:
        print(type(error).__name__, error)
try:
    black.format_file_contents("x = 1\n", fast=False, mode=mode)
except black.NothingChanged:
    print("nothing changed")
