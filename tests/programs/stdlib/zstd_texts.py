"""What compression.zstd gives and says."""
import _zstd, re, sys
from compression import zstd
from compression.zstd import *
def shown(r):
    return re.sub(r' at 0x[0-9a-f]+', '', repr(r))[:80]


def t(f, *a, **k):
    try:
        r=f(*a, **k)
        print('ok', shown(r))
    except BaseException as e: print(type(e).__name__, e)
C=CompressionParameter; D=DecompressionParameter
t(ZstdCompressor, []); t(ZstdCompressor, level=3.14); t(ZstdCompressor, options=b'abc'); t(ZstdCompressor, zstd_dict=123)
t(ZstdCompressor, zstd_dict={1:2}); t(ZstdCompressor, level=2**31); t(ZstdCompressor, level=2**31-1); t(ZstdCompressor, level=-2**31); t(ZstdCompressor,level=-2**31-1);t(ZstdCompressor, level=2**40)
t(ZstdCompressor, options={C.window_log: 100}); t(ZstdCompressor, options={3333: 100}); t(ZstdCompressor, options={C.compression_level: 100});t(ZstdCompressor, options={C.compression_level: 2**33})
t(ZstdCompressor, options={2**33: 100}); t(ZstdCompressor, options={'a': 100}); t(ZstdCompressor, options={C.window_log: 'a'}); t(ZstdCompressor, options={D.window_log_max: 12})
t(ZstdCompressor, 3, {}); t(ZstdCompressor, 3, None); t(ZstdCompressor, options={C.strategy: 100});t(ZstdCompressor, level=True);t(ZstdCompressor, options={C.window_log: 2**31}); t(ZstdCompressor, options={b'C': -1})
t(ZstdCompressor, level=22); t(ZstdCompressor, level=23); t(ZstdCompressor, options={C.compression_level: C.compression_level}); t(ZstdCompressor, options={C.nb_workers:-1})
t(ZstdCompressor, options={C.nb_workers:2.5})
zc=ZstdCompressor(); t(zc.compress); t(zc.compress,'s'); t(zc.compress,b'',-1); t(zc.compress,b'',3); t(zc.flush,0); t(zc.flush,3); t(zc.compress,b'',2**40)
t(zc.compress, b'abc', 0); t(zc.set_pledged_input_size, 10); t(zc.flush)
zc=ZstdCompressor(); 
for v in (-1,-2,2**64,2**64-1,2**64-2,'a',None,10): t(zc.set_pledged_input_size, v)
t(zc.compress,b'a'*5,2); print(zc.last_mode)
zc=ZstdCompressor(); t(zc.set_pledged_input_size, 3); t(zc.compress,b'a'*300,0);
t(ZstdDecompressor, ()); t(ZstdDecompressor, zstd_dict=123); t(ZstdDecompressor, options=123); t(ZstdDecompressor, options={2**31:1});t(ZstdDecompressor, options={-2**31-1:1});t(ZstdDecompressor, options={0:2**32});t(ZstdDecompressor, options={D.window_log_max:2**31});t(ZstdDecompressor, options={D.window_log_max:100});t(ZstdDecompressor, options={99999:3});t(ZstdDecompressor, options={C.window_log:12});t(ZstdDecompressor, options={'a':12});t(ZstdDecompressor, options={D.window_log_max:'a'})
d=ZstdDecompressor(); t(d.decompress,b'abcdefghijk'); 
d=ZstdDecompressor(); t(d.decompress, compress(b'a')[:5]); t(d.decompress, b'1')
d=ZstdDecompressor(); t(d.decompress, compress(b'a')+b'1'); t(d.decompress, b'1'); print(d.unused_data, d.eof, d.needs_input)
for a in (b'',b'abc',b'12345678', bytes.fromhex('37a430ec')+b'1234567812345678'):
    t(ZstdDict, a); t(ZstdDict,a,is_raw=True)
t(ZstdDict); t(ZstdDict, 'abc'); t(ZstdDict, b'abcdefghi', 1); t(ZstdDict, b'12345678', is_raw=True, x=1)
z=ZstdDict(b'12345678', is_raw=True); print(z, len(z), z.dict_id, z.dict_content, z.as_prefix, z.as_digested_dict[1], z.as_undigested_dict[1]); 
bad=ZstdDict(bytes.fromhex('37a430ec')+b'1234567812345678',is_raw=True); 
t(ZstdCompressor,zstd_dict=bad);t(ZstdCompressor,zstd_dict=bad.as_digested_dict);t(ZstdCompressor,zstd_dict=bad.as_undigested_dict);t(ZstdDecompressor,zstd_dict=bad);t(ZstdDecompressor,zstd_dict=bad.as_digested_dict);t(ZstdDecompressor,zstd_dict=bad.as_undigested_dict);t(ZstdDecompressor,zstd_dict=bad.as_prefix);t(ZstdCompressor,zstd_dict=bad.as_prefix)
print(bad, bad.dict_id)
for a in [(z,),(z,0,0),(z,'a'),(z,-1),(z,3),(z,2**40),(1,2),(z,2.0)]: t(ZstdCompressor,zstd_dict=a); t(ZstdDecompressor,zstd_dict=a)
t(ZstdDict.__new__, ZstdDict); 
try: z.dict_id=1
except AttributeError as e: print(e)
for a in [({}, (), 10), (b'', 1, 2), (b'','',1), (b'',(1,),'a'), (b'a',(1,),0), (b'a',(1,),-1),(b'aa',(1,),10),(b'aa',(3,),10),(b'aa',('a',),10),(b'a',(-1,),10),(b'a',(2**65,),10),(b'aa',(1,1),100),(b'',(),10),(b'a'*10,(10,),1000),(b'aaa',(1,1),2**70),('a',(1,),10),(b'a',[1],10)]:
    t(_zstd.train_dict,*a)
    t(_zstd.finalize_dict,b'12345678',*a,3)
t(_zstd.finalize_dict, b'1', b'a',(1,),10,2**33);t(_zstd.finalize_dict, b'1', b'a',(1,),10,'a');t(_zstd.finalize_dict, 1, b'a',(1,),10,3);t(_zstd.finalize_dict, b'', b'a',(1,),1000,3)
t(_zstd.finalize_dict, b'1'*500, b'a'*10,(5,5),2000,3)
t(_zstd.finalize_dict, b'1'*500, b'a'*10,(5,5),2000,100)
t(_zstd.get_param_bounds,1,True);t(_zstd.get_param_bounds,1,False);t(_zstd.get_param_bounds,100,is_compress=False);t(_zstd.get_param_bounds,'a',is_compress=False);t(_zstd.get_param_bounds,2**40,is_compress=False)
t(_zstd.get_frame_size,b''); t(_zstd.get_frame_size,b'abcdefghijk');t(_zstd.get_frame_size,compress(b'abc'));t(_zstd.get_frame_size,compress(b'abc')[:-1]); t(_zstd.get_frame_info,b'');t(_zstd.get_frame_info,b'abcdefghijklmnop');t(_zstd.get_frame_info,compress(b'abc'));t(_zstd.get_frame_info,compress(b'abc')[:4])
t(_zstd.get_frame_info, bytes.fromhex('502a4d18')+b'\x04\0\0\0abcd'); t(_zstd.get_frame_size, bytes.fromhex('502a4d18')+b'\x04\0\0\0abcd')
t(_zstd.set_parameter_types,1,int);t(_zstd.set_parameter_types,int,1);
t(repr, ZstdCompressor())
import pickle, copy

print(ZstdError.__module__, ZstdError.__doc__, ZstdDict.__doc__)
t(ZstdCompressor, 3, {C.compression_level:3})
t(compress, b'a'*10, 2, {C.window_log:12})
zz=ZstdDict(b'1234567890'*5, is_raw=True)
x=compress(b'1234567890'*50, zstd_dict=zz); print(len(x)); t(decompress,x); t(decompress,x,zz); t(decompress,x,zz.as_digested_dict);t(decompress,x,zz.as_undigested_dict)
x=compress(b'1234567890'*50, zstd_dict=zz.as_prefix); print(len(x)); t(decompress,x,zz.as_prefix); x=compress(b'1234567890'*50, zstd_dict=zz.as_digested_dict); print(len(x)); t(decompress,x,zz);
class BadHash(int):
    def __hash__(self): return 1
t(ZstdCompressor, options={BadHash(101):12})
t(ZstdCompressor, level=C.window_log)
t(d.decompress, 'a'); t(d.decompress,b'',max_length='a')
d=ZstdDecompressor(); t(d.decompress, compress(b'a'*1000), 10); print(d.needs_input,d.eof,d.unused_data); t(d.decompress,b'',0); t(d.decompress,b'',-2); print(d.eof)
d=ZstdDecompressor(); t(d.decompress, b''); t(d.decompress, b'',0)
