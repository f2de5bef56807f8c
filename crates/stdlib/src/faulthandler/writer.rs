//! Writing from signal handlers: no allocation, no lock, nothing but `write`.

use taipan_vm::prelude::*;

/// Strings are cut here.
const MAX_STRING: usize = 500;

/// A file descriptor.
#[derive(Clone, Copy)]
pub struct Writer(pub libc::c_int);

impl Writer {
    /// Writes bytes; errors are ignored.
    pub fn bytes(self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // SAFETY: the slice is valid for reading.
            let written = unsafe { libc::write(self.0, bytes.as_ptr().cast(), bytes.len()) };
            match usize::try_from(written) {
                Ok(0) => return,
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                // SAFETY: the location of the thread's error number.
                Err(_) if unsafe { *libc::__errno_location() } == libc::EINTR => {}
                Err(_) => return,
            }
        }
    }

    /// Writes text.
    pub fn text(self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes a number in decimal.
    pub fn decimal(self, mut number: usize) {
        let mut digits = [0u8; 20];
        let mut left = digits.len();
        for place in digits.iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
            left -= 1;
            if number == 0 {
                break;
            }
        }
        self.bytes(digits.get(left..).unwrap_or_default());
    }

    /// Writes a number in hexadecimal, with at least `width` digits.
    pub fn hexadecimal(self, mut number: u64, width: usize) {
        let mut digits = [b'0'; 16];
        let mut left = digits.len();
        for place in digits.iter_mut().rev() {
            *place = b"0123456789abcdef".get((number % 16) as usize).copied().unwrap_or(b'0');
            number /= 16;
            left -= 1;
            if number == 0 && digits_done(left, width) {
                break;
            }
        }
        self.bytes(digits.get(left..).unwrap_or_default());
    }

    /// Writes a str in ASCII, the rest escaped, cut when it is long.
    pub fn string(self, text: &Str) {
        let data = text.data();
        for code in data.iter().take(MAX_STRING) {
            match code {
                0x20..0x7f => self.bytes(&[code as u8]),
                ..0x100 => {
                    self.text("\\x");
                    self.hexadecimal(u64::from(code), 2);
                }
                ..0x1_0000 => {
                    self.text("\\u");
                    self.hexadecimal(u64::from(code), 4);
                }
                _ => {
                    self.text("\\U");
                    self.hexadecimal(u64::from(code), 8);
                }
            }
        }
        if data.len() > MAX_STRING {
            self.text("...");
        }
    }
}

fn digits_done(left: usize, width: usize) -> bool {
    16 - left >= width
}
