import unicodedata as u, array
from array import array as A
def t(s):
    try: print(s,'->',repr(eval(s))[:300])
    except BaseException as e: print(s,'->',type(e).__module__,type(e).__name__,e)
o=u.ucd_3_2_0
a=A('i',[1,2,3])
for s in '''u.decimal("a")
u.decimal("a",None)
u.decimal("ab")
u.decimal(1)
u.decimal("٣")
u.digit("²")
u.digit("a")
u.numeric("½")
u.numeric("a")
u.numeric("a","x")
u.category("a")
u.category("\\ud800")
u.category("ab")
u.bidirectional("a"),u.bidirectional("\\u0378")
u.combining("\\u0301")
u.mirrored("(")
u.east_asian_width("あ")
u.decomposition("é"),u.decomposition("½"),u.decomposition("가")
u.name("a")
u.name("\\x00")
u.name("\\x00",5)
u.name("가"),u.name("一")
u.lookup("LATIN SMALL LETTER A")
u.lookup("latin small letter a")
u.lookup("XX")
u.lookup("HANGUL SYLLABLE GA")
u.lookup("CJK UNIFIED IDEOGRAPH-4E00")
u.lookup("LATIN SMALL LETTER R WITH TILDE")
u.lookup("x"*300)
u.lookup("NULL"),u.lookup("LINE FEED")
u.lookup(1)
u.normalize("NFC","e\\u0301")
u.normalize("XX","a")
u.normalize("NFC",1)
u.is_normalized("NFC","e\\u0301")
u.is_normalized("NFKD","ﬁ")
u.is_normalized("X","ﬁ")
u.normalize("NFKC","ﬁ")
o.unidata_version
o.category("\\u0234")
o.name("\\u0234")
o.lookup("LATIN SMALL LETTER A")
o.normalize("NFC","e\\u0301")
o.decimal("3")
type(o)
u.UCD
u.UCD()
u.ucd_3_2_0.category("\\u0220")
A("i")
A()
A(1)
A("z")
A("ii")
A("i",[1,"a"])
A("i",[2**40])
A("i","abc")
A("u","abc")
A("w","abc")
A("b",b"abc")
A("i",b"abc")
A("i",b"abcd")
A("f",[1.5,"a"])
A("d",[1e300])
A("f",[1e300])
A("B",[256])
A("B",[-1])
A("b",[128])
A("h",[40000])
A("H",[70000])
A("H",[-1])
A("I",[-1])
A("I",[2**32])
A("L",[-1])
A("L",[2**64])
A("l",[2**64])
A("q",[2**64])
A("Q",[-1])
A("Q",[2**64])
A("Q",["a"])
A("b",["a"])
A("u",[1])
A("w",["ab"])
A("i",[1.0])
A("i",A("d",[1.0]))
A("d",A("i",[1]))
A("w","a")+A("i")
a+[1]
a+A("d")
a*2,2*a,a*-1
a.append("a")
a.extend([4]) or a
a.extend(A("d"))
a.extend(5)
a.index(9)
a.index(2),a.index(2,1),a.count(2)
a.insert(1,7) or a
a.insert(-100,8) or a
a.pop(),a.pop(0),a
a.pop(100)
A("i").pop()
a.remove(100)
a.remove(7) or a
a.reverse() or a
a.tolist(),a.tobytes(),a.typecode,a.itemsize
a.tounicode()
A("w","ab").tounicode()
A("w").fromunicode("x")
a.fromunicode("x")
a.frombytes(b"abc")
a.frombytes("abc")
a.frombytes(b"abcd") or a
a.fromlist([1,2]) or a
a.fromlist((1,2))
a.fromlist([1,"a"])
a.byteswap() or a
A("b",[1]).byteswap()
a[0],a[-1],a[1:3],a[::2]
a[100]
a["a"]
a[0]=1
repr(A("d",[1.5])),repr(A("i"))
A("i",[1,2])==A("d",[1,2]),A("i",[1,2])<A("i",[1,3]),A("i")==5
A("i",[1])<5
memoryview(A("i",[1,2])).format
memoryview(A("w","a")).format
memoryview(A("u","a")).format
a.__reduce_ex__(3)
a.__reduce_ex__(2)
A("w","ab").__reduce_ex__(2)
A("d",[1.0]).__reduce_ex__(3)
array._array_reconstructor(A,"i",8,b"\\x01\\0\\0\\0")
array._array_reconstructor(A,"i",99,b"\\x01\\0\\0\\0")
array._array_reconstructor(A,"z",8,b"\\x01\\0\\0\\0")
array._array_reconstructor(int,"i",8,b"\\x01\\0\\0\\0")
array._array_reconstructor(A,"i",8,"a")
array._array_reconstructor(A,"d",15,b"\\x3f\\xf0\\0\\0\\0\\0\\0\\0")
1 in a, 999 in a
A[int]
hash(a)
iter(a).__reduce__()
iter(a).__setstate__(1)
a.buffer_info()[1]
a.__copy__(),a.__deepcopy__({})
a.clear()
a
A("i",x=1)
A("i",[1],2)
A("i",bytearray(b"abcd"))
A("w",A("w","x"))
A("i",range(3))
A("I",[2**31]),A("L",[2**63])
a.fromfile(5,1)
a.tofile(5)'''.split('\n'): t(s)
b=A('i',range(10))
b[2:4]=A('i',[9,9,9]); print(b)
b[::2]=A('i',[0]*6) ; print(b)
for s in '''b[2:4]=[1]
b[::2]=A("i",[1])
b[0]="a"
b[1:2]=A("d")
del b[0]
del b[::3]
del b[100]
b+=A("i",[1])
b+=[1]
b*=2
b["a"]=1
m=memoryview(b)
b.append(1)
b.clear()'''.split('\n'):
    try: exec(s); print(s,b)
    except BaseException as e: print(s,type(e).__name__,e)
