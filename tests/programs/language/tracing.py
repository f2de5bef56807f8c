import sys
def f(x):
    y = 0
    for i in range(x):
        if i % 2:
            y += i
        else:
            y -= 1
    try:
        g(y)
    except ValueError as e:
        y = 3
    return y
def g(v):
    raise ValueError(v)
def gen():
    yield 1
    x = yield 2
ev=[]
def tr(fr, what, arg):
    ev.append((fr.f_code.co_name, what, fr.f_lineno - fr.f_code.co_firstlineno, type(arg).__name__))
    return tr
sys.settrace(tr)
f(3)
list(gen())
while len(ev) < 3: pass
sys.settrace(None)
for e in ev: print(e)
ev.clear()
sys.setprofile(lambda fr,w,a: ev.append((fr.f_code.co_name, w, getattr(a,'__name__',a))))
f(2); list(gen()); len([]); [].append(3)
sys.setprofile(None)
for e in ev: print(e)
m=sys.monitoring
m.use_tool_id(2,"t")
E_=m.events
ev.clear()
for n,v in vars(E_).items():
    if v and n!='BRANCH': m.register_callback(2, v, lambda c,*a,n=n: ev.append((n,c.co_name,*[type(x).__name__ for x in a if x is not m.MISSING])))
m.set_events(2, sum(v for n,v in vars(E_).items() if n not in ("BRANCH","INSTRUCTION")))
f(2); list(gen())
m.set_events(2,0)
for e in ev: print(e)
# jump
def j():
    a = 1
    b = 2
    c = 3
    return a, c
def jt(fr,w,a):
    if fr.f_code.co_name=='j' and w=='line' and fr.f_lineno-fr.f_code.co_firstlineno==2:
        fr.f_lineno += 1
    return jt
import warnings
warnings.simplefilter('ignore')
sys.settrace(jt)
print(j())
sys.settrace(None)
try: sys._getframe().f_lineno = 3
except ValueError as e: print(e)
