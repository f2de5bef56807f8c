//! The native modules of the standard library.
//!
//! Invariants: a module is a file or folder named as Python names it; modules know `vm`, never each other's insides.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![deny(clippy::indexing_slicing)]

use taipan_vm::module_def::NativeModule;

pub mod _abc;
pub mod _ast;
pub mod _asyncio;
pub mod _bisect;
pub mod _blake2;
pub mod _bz2;
pub mod _codecs_cn;
pub mod _codecs_hk;
pub mod _codecs_iso2022;
pub mod _codecs_jp;
pub mod _codecs_kr;
pub mod _codecs_tw;
pub mod _collections;
pub mod _contextvars;
pub mod _csv;
pub mod _ctypes;
pub mod _curses;
pub mod _curses_panel;
pub mod _datetime;
pub mod _dbm;
pub mod _decimal;
pub mod _elementtree;
pub mod _functools;
pub mod _gdbm;
pub mod _hashlib;
pub mod _heapq;
pub mod _hmac;
pub mod _interpchannels;
pub mod _interpqueues;
pub mod _interpreters;
pub mod _io;
pub mod _json;
pub mod _locale;
pub mod _lsprof;
pub mod _lzma;
pub mod _md5;
pub mod _multibytecodec;
pub mod _multiprocessing;
pub mod _opcode;
pub mod _operator;
pub mod _pickle;
pub mod _posixshmem;
pub mod _posixsubprocess;
pub mod _queue;
pub mod _random;
pub mod _remote_debugging;
pub mod _sha1;
pub mod _sha2;
pub mod _sha3;
pub mod _signal;
pub mod _socket;
pub mod _sqlite3;
pub mod _sre;
pub mod _ssl;
pub mod _stat;
pub mod _statistics;
pub mod _struct;
pub mod _symtable;
pub mod _sysconfig;
pub mod _thread;
pub mod _tokenize;
pub mod _tracemalloc;
pub mod _types;
pub mod _uuid;
pub mod _warnings;
pub mod _zoneinfo;
pub mod _zstd;
pub mod array;
pub mod atexit;
pub mod binascii;
pub mod cmath;
mod datum;
mod digests;
mod dynamic;
pub mod errno;
mod expat;
pub mod faulthandler;
pub mod fcntl;
pub mod grp;
pub mod itertools;
pub mod marshal;
pub mod math;
pub mod mmap;
mod openssl;
pub mod posix;
pub mod pwd;
pub mod pyexpat;
pub mod readline;
pub mod resource;
mod room;
pub mod select;
mod streams;
pub mod syslog;
pub mod termios;
pub mod time;
pub mod unicodedata;
pub mod zlib;

/// All modules, sorted by name.
pub fn modules() -> Vec<&'static NativeModule> {
    vec![
        &_abc::Abc::DEF,
        &_ast::AstModule::DEF,
        &_asyncio::AsyncioModule::DEF,
        &_bisect::Bisect::DEF,
        &_blake2::Blake2Module::DEF,
        &_bz2::Bz2::DEF,
        &_codecs_cn::CodecsCn::DEF,
        &_codecs_hk::CodecsHk::DEF,
        &_codecs_iso2022::CodecsIso2022::DEF,
        &_codecs_jp::CodecsJp::DEF,
        &_codecs_kr::CodecsKr::DEF,
        &_codecs_tw::CodecsTw::DEF,
        &_collections::Collections::DEF,
        &_contextvars::ContextVars::DEF,
        &_csv::Csv::DEF,
        &_curses::CursesModule::DEF,
        &_curses_panel::CursesPanel::DEF,
        &_ctypes::Ctypes::DEF,
        &_datetime::DateTimeModule::DEF,
        &_elementtree::ElementTree::DEF,
        &_dbm::DbmModule::DEF,
        &_decimal::DecimalModule::DEF,
        &_functools::Functools::DEF,
        &_gdbm::GdbmModule::DEF,
        &_hashlib::Hashlib::DEF,
        &_heapq::Heapq::DEF,
        &_hmac::HmacModule::DEF,
        &_interpchannels::InterpChannels::DEF,
        &_interpqueues::InterpQueues::DEF,
        &_interpreters::Interpreters::DEF,
        &_io::Io::DEF,
        &_json::Json::DEF,
        &_locale::Locale::DEF,
        &_lsprof::LsProf::DEF,
        &_lzma::Lzma::DEF,
        &_md5::Md5Module::DEF,
        &_multiprocessing::Multiprocessing::DEF,
        &_multibytecodec::MultibyteCodecModule::DEF,
        &_opcode::OpcodeModule::DEF,
        &_operator::Operator::DEF,
        &_pickle::Pickle::DEF,
        &_posixshmem::PosixShmem::DEF,
        &_posixsubprocess::PosixSubprocess::DEF,
        &_queue::QueueModule::DEF,
        &_random::RandomModule::DEF,
        &_remote_debugging::RemoteDebugging::DEF,
        &_sha1::Sha1Module::DEF,
        &_sha2::Sha2Module::DEF,
        &_sha3::Sha3Module::DEF,
        &_signal::Signal::DEF,
        &_socket::SocketModule::DEF,
        &_sqlite3::Sqlite3::DEF,
        &_sre::Sre::DEF,
        &_ssl::SslModule::DEF,
        &_stat::Stat::DEF,
        &_statistics::Statistics::DEF,
        &_struct::StructModule::DEF,
        &_symtable::SymtableModule::DEF,
        &_sysconfig::SysConfig::DEF,
        &_thread::Thread::DEF,
        &_tokenize::Tokenize::DEF,
        &_tracemalloc::TraceMalloc::DEF,
        &_types::Types::DEF,
        &_uuid::Uuid::DEF,
        &_warnings::Warnings::DEF,
        &_zoneinfo::ZoneInfoModule::DEF,
        &_zstd::Zstd::DEF,
        &array::ArrayModule::DEF,
        &atexit::AtExit::DEF,
        &binascii::Binascii::DEF,
        &cmath::CMath::DEF,
        &errno::Errno::DEF,
        &faulthandler::FaultHandler::DEF,
        &fcntl::Fcntl::DEF,
        &grp::Grp::DEF,
        &itertools::Itertools::DEF,
        &marshal::Marshal::DEF,
        &math::Math::DEF,
        &mmap::MmapModule::DEF,
        &posix::Posix::DEF,
        &pwd::Pwd::DEF,
        &pyexpat::PyExpat::DEF,
        &readline::ReadlineModule::DEF,
        &resource::Resource::DEF,
        &select::Select::DEF,
        &syslog::Syslog::DEF,
        &termios::Termios::DEF,
        &time::Time::DEF,
        &unicodedata::UnicodeData::DEF,
        &zlib::Zlib::DEF,
    ]
}
