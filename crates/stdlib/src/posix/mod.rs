//! `posix`: the operating system's calls under `os`.

use taipan_vm::prelude::*;

pub(crate) mod args;
mod attributes;
mod descriptors;
mod device;
mod environment;
mod events;
mod folder;
mod identity;
mod limits;
mod names;
mod paths;
pub(crate) mod process;
mod schedule;
mod spawn;
mod status;
mod terminal;

pub(crate) use descriptors::close_range;
pub use folder::{DirEntry, ScandirIterator};

/// The module.
pub struct Posix;

/// The system's functions that stand behind `os.supports_dir_fd` and its kin.
const HAVE: &[&str] = &[
    "HAVE_EVENTFD",
    "HAVE_TIMERFD_CREATE",
    "HAVE_FACCESSAT",
    "HAVE_FCHDIR",
    "HAVE_FCHMOD",
    "HAVE_FCHMODAT",
    "HAVE_FCHOWN",
    "HAVE_FCHOWNAT",
    "HAVE_FEXECVE",
    "HAVE_FDOPENDIR",
    "HAVE_FPATHCONF",
    "HAVE_FSTATAT",
    "HAVE_FSTATVFS",
    "HAVE_FTRUNCATE",
    "HAVE_FUTIMENS",
    "HAVE_FUTIMES",
    "HAVE_FUTIMESAT",
    "HAVE_LINKAT",
    "HAVE_LCHOWN",
    "HAVE_LSTAT",
    "HAVE_LUTIMES",
    "HAVE_MEMFD_CREATE",
    "HAVE_MKDIRAT",
    "HAVE_MKFIFOAT",
    "HAVE_MKNODAT",
    "HAVE_OPENAT",
    "HAVE_READLINKAT",
    "HAVE_RENAMEAT",
    "HAVE_SYMLINKAT",
    "HAVE_UNLINKAT",
    "HAVE_UTIMENSAT",
    "HAVE_PTSNAME_R",
];

/// This module provides access to operating system functionality that is
/// standardized by the C Standard and the POSIX standard (a thinly
/// disguised Unix interface).  Refer to the library manual and
/// corresponding Unix manual entries for more information on calls.
#[pymodule(
    name = "posix",
    functions(
        Posix::STATUS_FUNCTIONS,
        Posix::FOLDER_FUNCTIONS,
        Posix::NAME_FUNCTIONS,
        Posix::DEVICE_FUNCTIONS,
        Posix::DESCRIPTOR_FUNCTIONS,
        Posix::EVENT_FUNCTIONS,
        Posix::ATTRIBUTE_FUNCTIONS,
        Posix::TERMINAL_FUNCTIONS,
        Posix::PROCESS_FUNCTIONS,
        Posix::SPAWN_FUNCTIONS,
        Posix::SCHEDULE_FUNCTIONS,
        Posix::IDENTITY_FUNCTIONS,
        Posix::ENVIRONMENT_FUNCTIONS,
        Posix::LIMIT_FUNCTIONS,
        Posix::PATH_FUNCTIONS
    )
)]
impl Posix {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        status::exec(module, vm)?;
        descriptors::exec(module, vm)?;
        events::exec(module, vm)?;
        attributes::exec(module, vm)?;
        terminal::exec(module, vm)?;
        process::exec(module, vm)?;
        spawn::exec(module, vm)?;
        schedule::exec(module, vm)?;
        environment::exec(module, vm)?;
        limits::exec(module, vm)?;
        module.set("TMP_MAX", &vm.new_int(238_328), vm)?;
        module.set("NGROUPS_MAX", &vm.new_int(65_536), vm)?;
        module.set("error", types::os_error().as_object(), vm)?;
        for tp in [DirEntry::type_object(), ScandirIterator::type_object()] {
            taipan_vm::builtins::type_::type_ready(tp, vm)?;
        }
        module.set("DirEntry", DirEntry::type_object().as_object(), vm)?;
        let have: Vec<ObjRef> = HAVE.iter().map(|name| vm.new_str(name).into_object()).collect();
        module.set("_have_functions", vm.new_list(have).as_object(), vm)
    }
}
