"""What sqlite3 says to arguments, statements and callbacks of all kinds."""
import re
import sqlite3


def shown(r):
    return re.sub(r' at 0x[0-9a-f]+', '', repr(r))[:100]


def t(f, *a, **k):
    try:
        r=f(*a, **k)
        print('ok', shown(r))
    except BaseException as e: print(type(e).__name__, e, getattr(e,'sqlite_errorcode',None), getattr(e,'sqlite_errorname',None))
import warnings
warnings.simplefilter('always')
warnings.simplefilter('ignore', ResourceWarning)
def w(m,*a,**k): print('WARN', type(m).__name__, re.sub(' at 0x[0-9a-f]+','',str(m)))
warnings.showwarning=w
c=sqlite3.connect(':memory:')
t(c.execute,''); t(c.execute,'  -- x'); t(c.execute,'select 1; '); t(c.execute,'select 1; select 2'); t(c.execute,'select 1; -- x'); t(c.execute, 'select\0'); t(c.execute, b'select 1'); t(c.execute, 'sel'); t(c.execute,'select :a',(1,)); t(c.execute,'select ?',{'a':1}); t(c.execute,'select :a',{}); t(c.execute,'select ?',()); t(c.execute,'select ?',(object(),)); t(c.execute,'select :a',{'a':object()}); t(c.execute,'select ?',5); t(c.execute,'select ?1, ?1',(1,2))
t(c.execute,'select ?',(2**70,)); t(c.execute,'select ?',('\ud800',)); t(c.execute, 'select \ud800')
t(c.executemany,'create table t(a)',[()]); t(c.executemany,'select ?',[(1,)]); t(c.execute,'create table t(a)'); t(c.executemany,'insert into t values(?) returning a',[(1,),(2,)]); 
cu=c.cursor(); t(cu.executemany,'insert into t values(?) returning a',[(1,),(2,)]); t(cu.fetchall); t(c.execute('select * from t').fetchall); print(cu.rowcount, cu.lastrowid)
t(cu.executemany, 'insert into t values(?)', 5); t(cu.executemany,'insert into t values(?)',[5])
print(cu.description, cu.arraysize, cu.rowcount)
for v in (-1, 2**32, 'a', 0, 2**31, None): 
    try: cu.arraysize=v; print(cu.arraysize)
    except BaseException as e: print(type(e).__name__, e)
cu.execute('select 1 union select 2 union select 3'); t(cu.fetchmany,2**33); t(cu.fetchmany,-1); t(cu.fetchmany,0); 
cu.execute('select 1 union select 2 union select 3'); t(cu.fetchmany,0); t(cu.fetchmany,-1); cu.arraysize=1; t(cu.fetchmany)
t(c.create_function,'f',-100,lambda:1); t(c.create_function,'f'*300,1,lambda:1); t(c.create_function, name='f', narg=0, func=lambda:1); t(c.create_function,'f',0); t(c.create_function,'f',0,1,2); t(c.create_function,'f',0,None,deterministic=True); t(c.create_function,'f\0',0,None); t(c.create_function,1,0,None); t(c.create_function,'f','a',None);t(c.create_function,'f',1,func=3);t(c.create_function,'f',1,lambda:1,x=3);t(c.create_function,'f',1,lambda:1,name=3)
t(c.create_aggregate,'f',-100,int);t(c.create_aggregate,name='f',n_arg=0,aggregate_class=int); t(c.set_authorizer,authorizer_callback=None);t(c.set_progress_handler,None,n=1);t(c.set_progress_handler,progress_handler=None,n=1); t(c.set_trace_callback,trace_callback=None);t(c.set_authorizer);t(c.set_authorizer,1,2);t(c.set_progress_handler,None)
t(c.create_window_function,'f',-100,int);t(c.create_window_function,'f',1,None)
t(c.create_collation,'f',3);t(c.create_collation,3,None);t(c.create_collation,'\ud800',None); t(c.create_collation,'x',None)
t(c.getlimit,-1);t(c.getlimit,100);t(c.getlimit,0);t(c.setlimit,0,-1);t(c.getconfig,0);t(c.getconfig,1002);t(c.setconfig,0);t(c.setconfig,1002,True)
t(setattr,c,'isolation_level','x');t(setattr,c,'isolation_level',3);t(setattr,c,'isolation_level','deferred\0');print(c.isolation_level);t(delattr,c,'isolation_level');t(setattr,c,'autocommit',3);t(setattr,c,'autocommit','a');t(delattr,c,'autocommit');t(delattr,c,'row_factory'); print(c.row_factory);t(delattr,c,'text_factory'); 
for a in [(':memory:',5),(':memory:',5,0,None,True,sqlite3.Connection,128,True), (':memory:',)*9]: t(sqlite3.connect,*a);t(sqlite3.Connection,*a)
t(sqlite3.connect); t(sqlite3.connect,3); t(sqlite3.connect,':memory:',isolation_level='x'); t(sqlite3.connect,':memory:',isolation_level=3);t(sqlite3.connect,':memory:',autocommit=3);t(sqlite3.connect,':memory:',x=3);t(sqlite3.connect,'/nonexist/x');t(sqlite3.connect,':memory:',detect_types='a');t(sqlite3.connect,':memory:',cached_statements='a');t(sqlite3.connect,'a\0b')
c=sqlite3.connect(':memory:')
t(c.backup,1);t(c.backup,c);t(c.backup,sqlite3.connect(':memory:'),progress=1);t(c.backup,sqlite3.connect(':memory:'),pages='a');t(c.backup,sqlite3.connect(':memory:'),sleep=-1);t(c.backup,sqlite3.connect(':memory:'),name='x');t(c.backup);t(c.backup,sqlite3.connect(':memory:'),name='main',pages=1,sleep='a')
t(c.serialize,name='x');t(c.deserialize,b'abc');t(c.deserialize,b'',name='x');t(c.deserialize,'a'); t(c.execute,'select * from sqlite_master')
c=sqlite3.connect(':memory:')
c.execute('create table b(x blob)'); c.execute('insert into b values(zeroblob(10))')
t(c.blobopen,'b','x',2);t(c.blobopen,'b','y',1);t(c.blobopen,'b','x',2**70)
b=c.blobopen('b','x',1);t(b.read,2);t(b.seek,-5);t(b.seek,100);t(b.seek,1,5);t(b.seek,2**40);t(b.seek,-1,2);t(b.tell);t(b.write,b'abc');t(b.write,'a');t(b.__getitem__,100);t(b.__getitem__,2**70);t(b.__getitem__,'a');t(b.__getitem__,slice(0,10,2));t(b.__setitem__,0,300);t(b.__setitem__,0,'a');t(b.__setitem__,0,2**70);t(b.__setitem__,100,3);t(b.__setitem__,slice(0,2),b'a');t(b.__setitem__,slice(0,2),'a');t(b.__setitem__,slice(0,4,2),b'ab');t(b.__delitem__,0);t(b.__delitem__,slice(0,1));t(len,b);t(b.__setitem__,slice(5,1),b'');t(b.__setitem__,'a',b'');t(b.read,0);t(b.__setitem__,0,1.5);t(b.__contains__ if hasattr(b,'__contains__') else (lambda:print('nc')),)
c.execute('delete from b'); t(b.read); t(b.close); t(b.read); t(b.close); t(b.__enter__)
c.execute('insert into b values(zeroblob(10))'); b=c.blobopen('b','x',1,readonly=True); t(b.write,b'a'); t(b.__setitem__,0,1)
c.text_factory=str; t(c.execute,"select cast(x'ff41' as text) as a").__class__; t(lambda: c.execute("select cast(x'ff41' as text) as a").fetchone())
c.row_factory=sqlite3.Row
r=c.execute('select 1 as a, 2 as B').fetchone(); t(lambda:r['A']);t(lambda:r['b']);t(lambda:r['c']);t(lambda:r[5]);t(lambda:r[-5]);t(lambda:r[2**70]);t(lambda:r[1.5]);t(lambda:r[0:1]);t(lambda:r[None]);t(r.keys);t(lambda: r==(1,2));t(lambda:r<r);t(sqlite3.Row,1,2);t(sqlite3.Row,c.cursor(),2);t(sqlite3.Row);t(sqlite3.Row,c.cursor(),(1,)); t(len,r); t(lambda:r==r); t(lambda:r['é']);t(sqlite3.Row,c.cursor(),(),1)
t(sqlite3.Cursor,1);t(sqlite3.Cursor);t(sqlite3.Cursor.__new__(sqlite3.Cursor).execute,'a');t(sqlite3.Cursor.__new__(sqlite3.Cursor).fetchone);t(sqlite3.Cursor.__new__(sqlite3.Cursor).close);t(sqlite3.Connection.__new__(sqlite3.Connection).cursor);t(sqlite3.Connection.__new__(sqlite3.Connection).close);t(sqlite3.Connection.__new__(sqlite3.Connection).execute,'');t(lambda:sqlite3.Connection.__new__(sqlite3.Connection).isolation_level);t(lambda:sqlite3.Connection.__new__(sqlite3.Connection).autocommit)
t(c.cursor,1);t(c.cursor,lambda c:1);t(c.cursor,None); t(c.cursor,factory=sqlite3.Cursor)
t(c.executescript,'select 1; sel');t(c.executescript,b'a');t(c.executescript,'a\0b');t(c.executescript,'create table a(b)\ninsert')
t(c,'select 1');t(c,b'a');t(c);t(c,1,2); t(c,'insert')
t(sqlite3.adapt,1);t(sqlite3.adapt,object());t(sqlite3.adapt,1,2,3);t(sqlite3.adapt);t(sqlite3.complete_statement,'select 1;');t(sqlite3.complete_statement,1);t(sqlite3.register_converter,1,2);t(sqlite3.register_adapter,1,2);t(sqlite3.register_converter,'a',2);t(sqlite3.enable_callback_tracebacks,'a')
sqlite3.enable_callback_tracebacks(False)
import sys
sys.unraisablehook=lambda u: print('UNR',repr(u.exc_value),re.sub(' at 0x[0-9a-f]+','',u.err_msg),type(u.object))
sqlite3.enable_callback_tracebacks(True)
def bad(*a): 1/0
c.create_function('bad',0,bad); t(c.execute,'select bad()'); c.set_trace_callback(bad); t(c.execute,'select 1'); c.set_trace_callback(None); c.set_authorizer(bad); t(c.execute,'select 1'); c.set_authorizer(lambda *a:'x');t(c.execute,'select 1');c.set_authorizer(lambda *a:2**40);t(c.execute,'select 1'); c.set_authorizer(lambda *a:1);t(c.execute,'select 1');c.set_authorizer(None); c.set_progress_handler(bad,1); t(lambda:c.execute('select 1 union select 2').fetchall()); c.set_progress_handler(None,1); c.create_collation('bad',bad); t(lambda:[tuple(x) for x in c.execute("select 'a' as q union select 'b' order by q collate bad")])
class A:
    def step(self,*a): 1/0
    def finalize(self): 1/0
t(c.create_aggregate,'agg',1,A); t(c.execute,'select agg(1)')
class A:
    pass
t(c.create_aggregate,'agg',1,A); t(c.execute,'select agg(1)')
class A:
    def step(self,*a): pass
t(c.create_aggregate,'agg',1,A); t(c.execute,'select agg(1)')
class A:
    def __init__(self): 1/0
t(c.create_aggregate,'agg',1,A); t(c.execute,'select agg(1)')
for v in ('2**70','object()','"\\ud800"','[]','b"a"','None','1.5'):
    t(c.create_function,'v',0,lambda:eval(v)); t(lambda:tuple(c.execute('select v()').fetchone()))
t(c.execute,'select nosuch'); c.execute('create table u(a unique)'); c.execute('insert into u values(1)'); t(c.execute,'insert into u values(1)')
c.enable_load_extension(True)
t(c.interrupt); t(c.iterdump); c.close(); t(c.interrupt); t(c.iterdump); t(c.close); t(c.execute,'');t(lambda:c.total_changes);t(lambda:c.in_transaction);t(lambda:c.isolation_level); t(lambda:c.autocommit);t(c.__enter__);t(c.__exit__,None,None,None)
t(setattr,c,'isolation_level','')
t(setattr,c,'isolation_level',None)
print(sqlite3.Row.__doc__, sqlite3.Statement if hasattr(sqlite3,'Statement') else None)
import pickle
print(sqlite3.Error.__mro__, sqlite3.Error.__module__)
x=sqlite3.connect(':memory:'); del x
import gc; gc.collect()
