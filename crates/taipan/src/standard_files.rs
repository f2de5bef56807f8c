//! The three standard descriptors. Rust's start-up code opens `/dev/null` in the place of those that are closed; Python
//! programs see them closed (`sys.stdin is None`), so what was closed before that code ran is closed again.

use std::sync::atomic::{AtomicU8, Ordering};

/// One bit for each descriptor that was closed.
static CLOSED: AtomicU8 = AtomicU8::new(0);

extern "C" fn look() {
    for fd in 0..3 {
        // SAFETY: a plain system call, which only asks.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            CLOSED.fetch_or(1 << fd, Ordering::Relaxed);
        }
    }
}

// SAFETY: the loader runs the functions of this section before `main`; this one needs nothing that is set up later.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

/// Closes what was closed.
pub fn restore() {
    let closed = CLOSED.load(Ordering::Relaxed);
    for fd in 0..3 {
        if closed & (1 << fd) != 0 {
            // SAFETY: nothing uses the descriptor yet.
            unsafe { libc::close(fd) };
        }
    }
}

/// Whether standard input is a folder, which nothing can be read from.
pub fn stdin_is_folder() -> bool {
    // SAFETY: a plain system call that fills a structure of zeros.
    unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        libc::fstat(0, &raw mut found) == 0 && found.st_mode & libc::S_IFMT == libc::S_IFDIR
    }
}
