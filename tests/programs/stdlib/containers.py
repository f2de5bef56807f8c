from collections import OrderedDict, Counter, namedtuple, deque, ChainMap
o=OrderedDict(a=1,b=2,c=3); o.move_to_end('a'); print(o, list(o), o.popitem(last=False)); o['z']=1; del o['c']; print(o, o=={'a':1,'z':1}, o|{'k':2})
print(list(reversed(o)), o.keys(), list(o.items()), o.__reduce__()[:4])
class S(OrderedDict): pass
s=S(x=1); s.q=4; print(s, s.copy(), s.__dict__, s.pop('x'), s.setdefault('n',9))
print(Counter('abracadabra').most_common(2)); P=namedtuple('P','x y'); print(P(1,2).y, P.x)
o=OrderedDict.fromkeys('abc'); o.move_to_end('c',last=False); print(o)
try:
    for k in o: o.move_to_end(k)
except RuntimeError as e: print(e)
d=deque([1,2,3],maxlen=2); print(d, list(reversed(d)))

# defaultdict, deque
from collections import defaultdict
d = deque(range(5))
d.rotate(2)
print(d, d * 2, d + deque("ab"), d.index(0), d.count(3), 9 in d)
d *= 2
print(d, d.copy() == d, deque([1, 2, 3], 2) * 3)
dd = defaultdict(list)
dd["a"].append(1)
print(dd, dd.copy())

# functools
import functools, operator, _operator, heapq, bisect, abc, csv, _queue, _stat, _opcode
p = functools.partial(lambda *a, **k: (a, k), functools.Placeholder, 2, x=1)
print(p(1, 3, y=2), functools.partial(p, 5).args, functools.reduce(operator.mul, range(1, 6)))
try:
    p()
except TypeError as error:
    print(error)


@functools.lru_cache(maxsize=2)
def double(x):
    return x * 2


print([double(n) for n in (1, 2, 1, 3, 2)], double.cache_info())
print(sorted([3, 1, 2], key=functools.cmp_to_key(lambda a, b: b - a)))

# operator
print(operator.itemgetter(1, 2)("abc"), operator.attrgetter("real", "imag")(3), operator.methodcaller("center", 5)("a"))
print(operator.itemgetter(1), operator.attrgetter("a.b"), operator.methodcaller("f", 1, k=2))
print(_operator._compare_digest("a", "a"), _operator._compare_digest(b"a", b"b"), operator.length_hint(iter([1, 2])))

# heapq, bisect
heap = [5, 3, 8, 1]
heapq.heapify(heap)
heapq.heappush(heap, 0)
print([heapq.heappop(heap) for _ in range(5)])
heap = [5, 3, 8, 1]
heapq.heapify_max(heap)
print(heapq.heappop_max(heap), heapq.heappushpop_max(heap, 2), heap)
print(bisect.bisect([1, 2, 2, 3], 2), bisect.bisect_left([1, 2, 2, 3], 2), bisect.bisect("abc", "B", key=str.upper))


# abc
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...


try:
    Shape()
except TypeError as error:
    print(error)
Shape.register(int)
print(isinstance(3, Shape), issubclass(str, Shape))


# csv
class Sink:
    def write(self, text):
        print(repr(text))


csv.writer(Sink()).writerows([["a b", 'c"d', 1, None], ["x,y", "", 2.5]])
print(list(csv.reader(['a,"b\n', 'c",d', '"x""y",'])))
print(csv.list_dialects())

# the rest
q = _queue.SimpleQueue()
q.put(1)
print(q.get(), q.empty())
try:
    q.get_nowait()
except _queue.Empty as error:
    print(repr(error))
print(_stat.filemode(0o100644), _stat.filemode(0o041777), _opcode.stack_effect(1), _opcode.get_nb_ops()[0])
