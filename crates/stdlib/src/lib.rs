//! The native modules of the standard library.
//!
//! Invariants: a module is a file or folder named as Python names it; modules know `vm`, never each other's insides.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![deny(clippy::indexing_slicing)]

use taipan_vm::module_def::NativeModule;

pub mod _abc;
pub mod _bisect;
pub mod _collections;
pub mod _contextvars;
pub mod _csv;
pub mod _functools;
pub mod _heapq;
pub mod _io;
pub mod _locale;
pub mod _opcode;
pub mod _operator;
pub mod _posixsubprocess;
pub mod _queue;
pub mod _random;
pub mod _signal;
pub mod _socket;
pub mod _sre;
pub mod _stat;
pub mod _struct;
pub mod _sysconfig;
pub mod _thread;
pub mod _uuid;
pub mod _warnings;
pub mod atexit;
pub mod binascii;
pub mod errno;
pub mod fcntl;
pub mod grp;
pub mod itertools;
pub mod marshal;
pub mod math;
pub mod posix;
pub mod pwd;
pub mod resource;
pub mod select;
pub mod time;

/// All modules, sorted by name.
pub fn modules() -> Vec<&'static NativeModule> {
    vec![
        &_abc::Abc::DEF,
        &_bisect::Bisect::DEF,
        &_collections::Collections::DEF,
        &_contextvars::ContextVars::DEF,
        &_csv::Csv::DEF,
        &_functools::Functools::DEF,
        &_heapq::Heapq::DEF,
        &_io::Io::DEF,
        &_locale::Locale::DEF,
        &_opcode::OpcodeModule::DEF,
        &_operator::Operator::DEF,
        &_posixsubprocess::PosixSubprocess::DEF,
        &_queue::QueueModule::DEF,
        &_random::RandomModule::DEF,
        &_signal::Signal::DEF,
        &_socket::SocketModule::DEF,
        &_sre::Sre::DEF,
        &_stat::Stat::DEF,
        &_struct::StructModule::DEF,
        &_sysconfig::SysConfig::DEF,
        &_thread::Thread::DEF,
        &_uuid::Uuid::DEF,
        &_warnings::Warnings::DEF,
        &atexit::AtExit::DEF,
        &binascii::Binascii::DEF,
        &errno::Errno::DEF,
        &fcntl::Fcntl::DEF,
        &grp::Grp::DEF,
        &itertools::Itertools::DEF,
        &marshal::Marshal::DEF,
        &math::Math::DEF,
        &posix::Posix::DEF,
        &pwd::Pwd::DEF,
        &resource::Resource::DEF,
        &select::Select::DEF,
        &time::Time::DEF,
    ]
}
