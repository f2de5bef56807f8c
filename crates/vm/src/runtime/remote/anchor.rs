//! Where another process with this executable keeps its interpreter.
//!
//! What lies at some distance from the start of the executable here lies at the same distance there. The anchor leads to the
//! other's main thread.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::memory::Memory;
use super::views::Process;
use crate::prelude::*;

const MAGIC: u64 = u64::from_le_bytes(*b"taipanRX");

/// What another process looks for.
#[repr(C)]
struct Anchor {
    magic: AtomicU64,
    /// Whether scripts are taken.
    enabled: AtomicU64,
    /// The address of the main interpreter's `main_thread`.
    main_thread: AtomicUsize,
}

/// Lies in the part of the executable that is mapped from its file, since `magic` is not zero.
static ANCHOR: Anchor =
    Anchor { magic: AtomicU64::new(MAGIC), enabled: AtomicU64::new(0), main_thread: AtomicUsize::new(0) };

/// Lets other processes find this one's main thread, and says whether it takes scripts from them.
pub fn publish(vm: &Vm, takes_scripts: bool) {
    ANCHOR.main_thread.store((&raw const vm.interp().main_thread) as usize, Ordering::Release);
    ANCHOR.enabled.store(u64::from(takes_scripts), Ordering::Release);
}

/// Whether this process takes scripts.
pub fn scripts_are_taken() -> bool {
    ANCHOR.enabled.load(Ordering::Acquire) != 0
}

/// Why a process can't be looked into.
#[derive(Debug, Clone, Copy)]
pub enum FindError {
    /// Its memory map could not be read: the system's error number.
    Maps(i32),
    /// It does not run this executable.
    Foreign,
}

/// First address, address behind, device and inode of a mapped file.
type Mapping = (usize, usize, String);

fn mappings(pid: i32) -> Result<Vec<Mapping>, FindError> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/maps"))
        .map_err(|error| FindError::Maps(error.raw_os_error().unwrap_or(libc::EIO)))?;
    let parse = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let (device, inode) = (fields.nth(2)?, fields.next()?);
        let address = |digits| usize::from_str_radix(digits, 16).ok();
        Some((address(start)?, address(end)?, format!("{device} {inode}")))
    };
    Ok(text.lines().filter_map(parse).collect())
}

/// How far the executable lies from where it lies here.
fn displacement(pid: i32) -> Result<usize, FindError> {
    let theirs = mappings(pid)?;
    let ours = mappings(std::process::id() as i32)?;
    let anchor = (&raw const ANCHOR) as usize;
    let file = ours.iter().find(|(start, end, _)| (*start..*end).contains(&anchor)).map(|(.., file)| file);
    let first =
        |all: &[Mapping]| all.iter().find(|(.., found)| Some(found) == file).map(|(start, ..)| *start);
    match (first(&ours), first(&theirs)) {
        (Some(ours), Some(theirs)) => Ok(theirs.wrapping_sub(ours)),
        _ => Err(FindError::Foreign),
    }
}

/// Finds the interpreter of another process, or of this one. Raises when its memory can't be read.
pub fn find(pid: i32, vm: &Vm) -> PyResult<Result<Process, FindError>> {
    let displacement = match displacement(pid) {
        Ok(displacement) => displacement,
        Err(error) => return Ok(Err(error)),
    };
    let process = Process { memory: Memory(pid), displacement };
    let magic = process.memory.read_word(anchor_of(&process), vm)?;
    Ok(if magic as u64 == MAGIC { Ok(process) } else { Err(FindError::Foreign) })
}

fn anchor_of(process: &Process) -> usize {
    process.place_of((&raw const ANCHOR) as usize)
}

impl Process {
    /// Whether it takes scripts.
    pub fn takes_scripts(&self, vm: &Vm) -> PyResult<bool> {
        Ok(self.memory.read_word(anchor_of(self) + offset_of!(Anchor, enabled), vm)? != 0)
    }

    /// The address of its main thread's state. Raises `RuntimeError` while there is none.
    pub fn main_thread(&self, vm: &Vm) -> PyResult<usize> {
        let slot = self.memory.read_word(anchor_of(self) + offset_of!(Anchor, main_thread), vm)?;
        let thread = if slot == 0 { 0 } else { self.memory.read_word(slot, vm)? };
        if thread == 0 {
            return Err(vm.runtime_error("No interpreter state found"));
        }
        Ok(thread)
    }
}
