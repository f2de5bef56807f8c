"""What _lzma and _bz2 give and say."""
import re
import _lzma, lzma, bz2, _bz2
from _lzma import *
from _lzma import _encode_filter_properties, _decode_filter_properties
def shown(r):
    return re.sub(r' at 0x[0-9a-f]+', '', repr(r))[:80]


def t(f, *a, **k):
    try:
        r=f(*a, **k)
        print('ok', shown(r))
    except BaseException as e: print(type(e).__name__, e)
for args in [(), (2,), ({'a':1},), ({'id':'a'},), ({'id':-1},), ({'id':2**65},), ({'id':99},), ({'id':2**64-1},), ({'id':33,'x':1},), ({'id':33,'preset':99},), ({'id':33,'preset':-1},), ({'id':33,'preset':2**33},), ({'id':33,'preset':'a'},),({'id':33,'preset':None},),({'id':33,'lc':99},),({'id':33,'dict_size':2**33},),({'id':33,'dict_size':-1},),({'id':33,'lc':'a'},),({'id':3},),({'id':3,'dist':0},),({'id':3,'dist':300},),({'id':3,'x':1},),({'id':4},),({'id':4,'start_offset':5},),({'id':4,'x':5},),({'id':FILTER_LZMA1},),({'id':33},),({'id':33,'mode':8,'mf':77},),({'id':33,'nice_len':'a'},),({'id':7,'start_offset':16},),({'id':7,'start_offset':'a'},),({'id':4, 1:2},),({'id':33,'depth':2**32-1},),({'id':3.0},)]:
    print(args, end=' '); t(_encode_filter_properties, *args)
for a in [(33,b''),(33,b'\x17'),(33,b'\xff'),(FILTER_LZMA1,b']\0\0\x80\0'),(3,b'\0'),(3,b'aa'),(4,b''),(4,b'\1\0\0\0'),(99,b''),(-1,b''),(2**64,b''),('a',b''),(7,b'\x10\0\0\0')]:
    print(a, end=' '); t(_decode_filter_properties,*a)
L=LZMACompressor
for k in [dict(preset=1,filters=[]),dict(preset='a'),dict(preset=-1),dict(preset=2**32),dict(preset=99),dict(format=2,preset=99),dict(format=2,check=4),dict(format=3,check=0),dict(format=3),dict(format=0),dict(format=77),dict(check=99),dict(check=-2),dict(check=7),dict(format=2,filters=[{'id':33}]),dict(format=2,filters=[]),dict(filters=[]),dict(filters=3),dict(filters=[{'id':33}]*5),dict(filters=[{'id':4},{'id':33}]),dict(filters=[{'id':33},{'id':4}]),dict(format=3,filters=[]),dict(filters={'a':1}),dict(filters=({'id':33},)),dict(filters=iter([1])),dict(format='a'),dict(filters=[{'id':3,'dist':5},{'id':4},{'id':33}]),dict(format=3,filters=[{'id':99}]),dict(filters=[{'id':FILTER_LZMA1}])]:
    print(re.sub(' at 0x[0-9a-f]+','',str(k)), end=' '); t(L, **k)
D=LZMADecompressor
for k in [dict(format=3),dict(format=3,memlimit=4),dict(filters=[]),dict(filters=[{'id':33}]),dict(format=77),dict(memlimit=-1),dict(memlimit='a'),dict(memlimit=2**64),dict(memlimit=0),dict(format=3,filters=[]),dict(format=3,filters=[{'id':33}]),dict(format=3,filters=7),dict(format=2),dict(format=1)]:
    print(re.sub(' at 0x[0-9a-f]+','',str(k)), end=' '); t(D, **k)
c=L(); t(c.compress,'a'); t(c.flush); t(c.flush); t(c.compress,b'')
d=D(); print(d.check,d.eof,d.needs_input,d.unused_data); t(d.decompress,b'abcdefghijklmnopqrst'); 
d=D(); t(d.decompress, lzma.compress(b'abc')+b'xyz'); print(d.check,d.eof,d.needs_input,d.unused_data); t(d.decompress,b'')
d=D(); t(d.decompress, lzma.compress(b'abc',check=0)+b'xyz'); print(d.check,d.eof,d.needs_input,d.unused_data); t(d.decompress,b'')
d=D(memlimit=10); t(d.decompress, lzma.compress(b'abc',check=0))
d=D(); t(d.decompress, lzma.compress(b'a'*1000,check=0),0);print(d.needs_input); t(d.decompress,b'',10);print(d.needs_input);t(d.decompress,b'',-1);print(d.needs_input,d.check)
d=D(format=2); t(d.decompress, lzma.compress(b'a'*1000,format=2));print(d.check)
d=D(); t(d.decompress, lzma.compress(b'a'*1000,format=2));print(d.check)
for i in (0,1,4,10,2,15,16,-1,2**31): t(is_check_supported,i)
t(_bz2.BZ2Compressor,0);t(_bz2.BZ2Compressor,10);t(_bz2.BZ2Compressor,'a');t(_bz2.BZ2Compressor,compresslevel=3);t(_bz2.BZ2Compressor,1,2);t(_bz2.BZ2Decompressor,1);t(_bz2.BZ2Decompressor,a=1)
c=_bz2.BZ2Compressor();t(c.compress,'a');t(c.compress);t(c.compress,b'abc');t(c.flush);t(c.flush);t(c.compress,b'')
d=_bz2.BZ2Decompressor();t(d.decompress,b'abcdefghij');t(d.decompress,'a');
d=_bz2.BZ2Decompressor();x=bz2.compress(b'a'*1000);t(d.decompress,x[:10]);t(d.decompress,x[10:]+b'zz',10);print(d.needs_input,d.eof,d.unused_data);t(d.decompress,b'',0);t(d.decompress,b'q');print(d.needs_input,d.eof,d.unused_data);t(d.decompress,b'')
y=bytearray(x); y[20]^=255
d=_bz2.BZ2Decompressor();t(d.decompress,y)
d=_bz2.BZ2Decompressor();t(d.decompress,x,max_length='a')
import pickle
print(LZMAError.__module__, LZMAError.__doc__, LZMAError.__name__)
