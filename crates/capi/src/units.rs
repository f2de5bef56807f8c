//! The cursor over a C format, which the readers of argument, value and text formats share.

use crate::va_list::Args;

/// A format that is read byte by byte, and the C arguments that its units consume.
pub struct Units<'f> {
    pub format: &'f [u8],
    pub at: usize,
    pub args: Args,
}

impl<'f> Units<'f> {
    /// A cursor at the start of `format`.
    pub fn new(format: &'f [u8], args: Args) -> Self {
        Self { format, at: 0, args }
    }

    /// The next byte, 0 at the end.
    pub fn peek(&self) -> u8 {
        self.format.get(self.at).copied().unwrap_or(0)
    }

    /// The next byte, 0 at the end, and passes it.
    pub fn take(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    /// Passes `byte` if it is next, and tells whether it was.
    pub fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        if found {
            self.at += 1;
        }
        found
    }
}
