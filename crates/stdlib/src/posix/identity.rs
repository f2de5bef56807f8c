//! Users and groups of the process.

use taipan_vm::prelude::*;
use taipan_vm::protocols::path::decode;

use super::Posix;
use super::args::{Gid, Text, Uid, check};
use crate::pwd::id_object;

/// The numbers of groups as a list.
fn group_list(groups: &[libc::gid_t], vm: &Vm) -> Ref<List> {
    vm.new_list(groups.iter().map(|gid| id_object(*gid, vm)).collect::<Vec<_>>())
}

#[pyfunctions(table = IDENTITY_FUNCTIONS)]
impl Posix {
    /// Return the current process's user id.
    #[function("($module, /)")]
    fn getuid(vm: &Vm) -> ObjRef {
        // SAFETY: a plain system call.
        id_object(unsafe { libc::getuid() }, vm)
    }

    /// Return the current process's effective user id.
    #[function("($module, /)")]
    fn geteuid(vm: &Vm) -> ObjRef {
        // SAFETY: a plain system call.
        id_object(unsafe { libc::geteuid() }, vm)
    }

    /// Return the current process's group id.
    #[function("($module, /)")]
    fn getgid(vm: &Vm) -> ObjRef {
        // SAFETY: a plain system call.
        id_object(unsafe { libc::getgid() }, vm)
    }

    /// Return the current process's effective group id.
    #[function("($module, /)")]
    fn getegid(vm: &Vm) -> ObjRef {
        // SAFETY: a plain system call.
        id_object(unsafe { libc::getegid() }, vm)
    }

    /// Set the current process's user id.
    #[function("($module, uid, /)")]
    fn setuid(uid: Uid, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setuid(uid.0) }, None, vm).map(drop)
    }

    /// Set the current process's effective user id.
    #[function("($module, euid, /)")]
    fn seteuid(euid: Uid, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::seteuid(euid.0) }, None, vm).map(drop)
    }

    /// Set the current process's group id.
    #[function("($module, gid, /)")]
    fn setgid(gid: Gid, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setgid(gid.0) }, None, vm).map(drop)
    }

    /// Set the current process's effective group id.
    #[function("($module, egid, /)")]
    fn setegid(egid: Gid, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setegid(egid.0) }, None, vm).map(drop)
    }

    /// Set the current process's real and effective user ids.
    #[function("($module, ruid, euid, /)")]
    fn setreuid(ruid: Uid, euid: Uid, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setreuid(ruid.0, euid.0) }, None, vm).map(drop)
    }

    /// Set the current process's real and effective group ids.
    #[function("($module, rgid, egid, /)")]
    fn setregid(rgid: Gid, egid: Gid, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setregid(rgid.0, egid.0) }, None, vm).map(drop)
    }

    /// Set the current process's real, effective, and saved user ids.
    #[function("($module, ruid, euid, suid, /)")]
    fn setresuid(ruid: Uid, euid: Uid, suid: Uid, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setresuid(ruid.0, euid.0, suid.0) }, None, vm).map(drop)
    }

    /// Set the current process's real, effective, and saved group ids.
    #[function("($module, rgid, egid, sgid, /)")]
    fn setresgid(rgid: Gid, egid: Gid, sgid: Gid, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        check(unsafe { libc::setresgid(rgid.0, egid.0, sgid.0) }, None, vm).map(drop)
    }

    /// Return a tuple of the current process's real, effective, and saved user ids.
    #[function("($module, /)")]
    fn getresuid(vm: &Vm) -> PyResult<Ref<Tuple>> {
        let (mut real, mut effective, mut saved) = (0, 0, 0);
        // SAFETY: the places are ours.
        check(unsafe { libc::getresuid(&raw mut real, &raw mut effective, &raw mut saved) }, None, vm)?;
        Ok(vm.new_tuple([real, effective, saved].map(|id| id_object(id, vm))))
    }

    /// Return a tuple of the current process's real, effective, and saved group ids.
    #[function("($module, /)")]
    fn getresgid(vm: &Vm) -> PyResult<Ref<Tuple>> {
        let (mut real, mut effective, mut saved) = (0, 0, 0);
        // SAFETY: the places are ours.
        check(unsafe { libc::getresgid(&raw mut real, &raw mut effective, &raw mut saved) }, None, vm)?;
        Ok(vm.new_tuple([real, effective, saved].map(|id| id_object(id, vm))))
    }

    /// Return list of supplemental group IDs for the process.
    #[function("($module, /)")]
    fn getgroups(vm: &Vm) -> PyResult<Ref<List>> {
        // SAFETY: asks for the number only.
        let count = check(unsafe { libc::getgroups(0, std::ptr::null_mut()) }, None, vm)?;
        let mut groups = vec![0; count.max(0) as usize];
        // SAFETY: the array has that many places.
        let count = check(unsafe { libc::getgroups(count, groups.as_mut_ptr()) }, None, vm)?;
        groups.truncate(count.max(0) as usize);
        Ok(group_list(&groups, vm))
    }

    /// Set the groups of the current process to list.
    #[function("($module, groups, /)")]
    fn setgroups(groups: &Object, vm: &Vm) -> PyResult<()> {
        if groups.ob_type().as_sequence().is_none_or(|s| s.sq_item.get().is_none()) {
            return Err(vm.type_error("setgroups argument must be a sequence"));
        }
        let items = groups.collect_iterable(vm)?;
        if items.len() > 65_536 {
            return Err(vm.value_error("too many groups"));
        }
        let mut numbers = Vec::with_capacity(items.len());
        for item in &items {
            if item.downcast_ref::<Int>().is_none() {
                return Err(vm.type_error("groups must be integers"));
            }
            let what = taipan_vm::args::ArgName { func: "", pos: 0, name: "" };
            numbers.push(Gid::from_arg(item, &what, vm)?.0);
        }
        // SAFETY: the array has that length.
        check(unsafe { libc::setgroups(numbers.len(), numbers.as_ptr()) }, None, vm).map(drop)
    }

    /// Initialize the group access list.
    ///
    /// Call the system initgroups() to initialize the group access list with
    /// all of the groups of which the specified username is a member, plus the
    /// specified group id.
    #[function("($module, username, gid, /)")]
    fn initgroups(username: Text, gid: Gid, vm: &Vm) -> PyResult<()> {
        // SAFETY: the name is NUL-terminated.
        check(unsafe { libc::initgroups(username.as_ptr(), gid.0) }, None, vm).map(drop)
    }

    /// Returns a list of groups to which a user belongs.
    ///
    ///   user
    ///     username to lookup
    ///   group
    ///     base group id of the user
    #[function("($module, user, group, /)")]
    fn getgrouplist(user: &Str, group: Gid, vm: &Vm) -> PyResult<Ref<List>> {
        let user = Text::new(user.as_object(), vm)?;
        let mut groups: Vec<libc::gid_t> = vec![0; 64];
        loop {
            let mut count = groups.len() as libc::c_int;
            let result =
                // SAFETY: the name is NUL-terminated; the array has that many places.
                unsafe { libc::getgrouplist(user.as_ptr(), group.0, groups.as_mut_ptr(), &raw mut count) };
            if result >= 0 {
                groups.truncate(count.max(0) as usize);
                return Ok(group_list(&groups, vm));
            }
            if groups.len() >= 1 << 20 {
                return Err(vm.last_os_error(None));
            }
            groups.resize(groups.len() * 2, 0);
        }
    }

    /// Return the actual login name.
    #[function("($module, /)")]
    fn getlogin(vm: &Vm) -> PyResult<Ref<Str>> {
        // SAFETY: declared as in the C library's headers.
        unsafe extern "C" {
            fn getlogin_r(name: *mut libc::c_char, size: libc::size_t) -> libc::c_int;
        }
        let mut name = [0u8; 256];
        // SAFETY: the buffer has that length.
        let error = unsafe { getlogin_r(name.as_mut_ptr().cast(), name.len()) };
        if error != 0 {
            return Err(vm.os_error(error, None));
        }
        Ok(decode(name.split(|byte| *byte == 0).next().unwrap_or_default(), vm))
    }
}
