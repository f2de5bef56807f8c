"""Programs that pull the ground from under sqlite3 and the compressors."""
import sqlite3, threading, gc, weakref, sys, _zstd, _lzma, _bz2
from compression import zstd
def t(f,*a,**k):
    try: r=f(*a,**k)
    except BaseException as e: print(type(e).__name__, str(e)[:90])
    else: print('ok')
class Ad:
    def __init__(self,c): self.c=c
    def __conform__(self,p): self.c.close(); return 1
c=sqlite3.connect(':memory:'); l=[1,Ad(c),3]
class Sh:
    def __conform__(self,p): l2.clear(); return 1
l2=[Sh(),2,3]
t(c.execute,'select ?,?,?',l2)
class Seq:
    def __len__(self): return 3
    def __getitem__(self,i):
        if i==1: c.close()
        return i
# converter closing
c=sqlite3.connect(':memory:',detect_types=sqlite3.PARSE_DECLTYPES)
def conv(b): c.close(); return 1
sqlite3.register_converter('zz',conv)
c.execute('create table z(a zz)'); c.execute('insert into z values(1)'); c.execute('insert into z values(1)')
t(lambda: c.execute('select a from z').fetchall())
# text factory
c=sqlite3.connect(':memory:'); 
def tf(b): c.close(); return b
c.text_factory=tf
t(lambda: c.execute("select 'a','b' union select 'c','d'").fetchall())
# row_factory recursion
c=sqlite3.connect(':memory:'); cu=c.cursor(); cu.row_factory=lambda cur,row: cur.fetchall()
t(lambda: cu.execute('select 1 union select 2').fetchall())
# reinit
c=sqlite3.connect(':memory:'); cu=c.execute('select 1 union select 2'); c.__init__(':memory:'); t(cu.fetchall); 
cu=c.cursor(); 
def it():
    yield (1,)
    cu.__init__(c)
    yield (2,)
c.execute('create table t(a)')
t(cu.executemany,'insert into t values(?)',it())
def it():
    yield (1,)
    c.close()
    yield (2,)
cu=c.cursor()
# trace closing/dropping itself
c=sqlite3.connect(':memory:'); c.set_trace_callback(lambda s: c.set_trace_callback(None)); t(c.execute,'select 1')
c.set_authorizer(lambda *a: (c.set_authorizer(None),0)[1]); t(c.execute,'select 1')
c.set_progress_handler(lambda: c.set_progress_handler(None,0),1); t(lambda: c.execute('select 1 union select 2').fetchall())
c.create_collation('x',lambda a,b:(c.create_collation('x',None),0)[1]); t(lambda: c.execute("select 'a' as q union select 'b' order by q collate x").fetchall())
c.create_function('self',0,lambda: c.create_function('self',0,None)); t(lambda: c.execute('select self()').fetchall())
c=sqlite3.connect(':memory:'); c.execute('create table t(b)'); c.execute('insert into t values(zeroblob(10))')
b=c.blobopen('t','b',1)
b=c.blobopen('t','b',1); c.close(); t(b.read); del b
# cycles
c=sqlite3.connect(':memory:'); c.row_factory=lambda cu,r:c; 
class S(sqlite3.Connection): pass
s=S(':memory:'); s.me=s
cu=s.cursor(); s.cu=cu; cu2=s.execute('select 1 union select 2'); s.cu2=cu2
del s,cu,cu2,c; 
import warnings; warnings.simplefilter('ignore')
gc.collect()
c=sqlite3.connect(':memory:')
t(sqlite3.connect, ':memory:', timeout=float('nan')); t(sqlite3.connect,':memory:',timeout=1e300)
t(c.create_function,'x',2**31,len); t(c.setlimit,0,10); t(c.execute,'select 123456789012')
t(lambda: c.execute('select 1').fetchmany(2**32-1))
# compress
d=_lzma.LZMADecompressor(); t(d.decompress, b'\xfd7zXZ\0'*100); t(d.decompress,b'',2**62)
t(_bz2.BZ2Decompressor().decompress, b'', 2**62)
comp=_bz2.BZ2Compressor()
ts=[threading.Thread(target=lambda: comp.compress(b'a'*100000)) for _ in range(4)]; [x.start() for x in ts]; [x.join() for x in ts]
print(len(__import__('bz2').decompress(comp.flush())))
z=zstd.ZstdCompressor(); ts=[threading.Thread(target=lambda: z.compress(b'a'*1000000)) for _ in range(4)]; [x.start() for x in ts]; [x.join() for x in ts]
t(_zstd.train_dict, b'a'*10, (5,5), 2**62)
t(_zstd.finalize_dict, b'a'*10, b'a'*10,(5,5), 2**62, 3)
t(_zstd.get_param_bounds, -5, True); t(zstd.ZstdCompressor, options={-5:3})
class K(int):
    def __index__(self): o.clear(); return 101
o={101:12}; t(zstd.ZstdCompressor, options=o)
t(zstd.ZstdDecompressor().decompress, zstd.compress(b'a'*10**7), 2**62)
bomb=zstd.compress(bytes(10**8)); t(zstd.ZstdDecompressor().decompress,bomb,10)
for m in (sqlite3.Cursor,sqlite3.Row,sqlite3.Connection,sqlite3.Blob,_lzma.LZMACompressor,zstd.ZstdDict):
    t(m.__new__, m)
x=sqlite3.Cursor.__new__(sqlite3.Cursor)

x=sqlite3.Connection.__new__(sqlite3.Connection)
print('end')
