//! What handlers may ask a parser that is at work: positions, settings, declarations.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::dtd::{Dtd, Text};
use super::errors::{Code, Flow};

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: u64,
    /// In characters, from 0.
    pub column: u64,
    /// In bytes of the document.
    pub byte: u64,
}

/// How wide characters are in the document's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// As in UTF-8.
    Utf8,
    /// Two bytes, or four.
    Utf16,
    /// One byte.
    One,
}

impl Position {
    const START: Position = Position { line: 1, column: 0, byte: 0 };

    /// The position behind `text`.
    fn behind(mut self, text: &[u8], width: Width) -> Position {
        let starts = |text: &[u8]| text.iter().filter(|&&b| b & 0xC0 != 0x80).count() as u64;
        self.byte += match width {
            Width::Utf8 => text.len() as u64,
            Width::One => starts(text),
            Width::Utf16 => {
                2 * (starts(text) + text.iter().filter(|&&b| (0xF0..0xF8).contains(&b)).count() as u64)
            }
        };
        let mut line_start = None;
        for at in memchr::memchr2_iter(b'\n', b'\r', text) {
            // "\r\n" is one line end, counted at its second half.
            if text.get(at) == Some(&b'\r') && text.get(at + 1) == Some(&b'\n') {
                continue;
            }
            self.line += 1;
            line_start = Some(at + 1);
        }
        match line_start {
            Some(start) => self.column = starts(text.get(start..).unwrap_or(&[])),
            None => self.column += starts(text),
        }
        self
    }
}

/// Limits against documents that grow without bounds, for a parser and all that it made.
#[derive(Debug)]
pub struct Accounting {
    direct: Cell<u64>,
    indirect: Cell<u64>,
    allocated: Cell<u64>,
    pub threshold: Cell<u64>,
    pub factor: Cell<f32>,
    pub alloc_threshold: Cell<u64>,
    pub alloc_factor: Cell<f32>,
}

impl Default for Accounting {
    fn default() -> Self {
        Accounting {
            direct: Cell::new(0),
            indirect: Cell::new(0),
            // About what a parser of CPython's needs before it reads anything.
            allocated: Cell::new(2048),
            threshold: Cell::new(8 << 20),
            factor: Cell::new(100.0),
            alloc_threshold: Cell::new(64 << 20),
            alloc_factor: Cell::new(100.0),
        }
    }
}

impl Accounting {
    /// Counts text that was read (`indirect`: from an entity).
    #[inline]
    pub fn charge(&self, bytes: usize, indirect: bool) -> Flow {
        let count = if indirect { &self.indirect } else { &self.direct };
        count.set(count.get().saturating_add(bytes as u64));
        let (direct, indirect) = (self.direct.get(), self.indirect.get());
        let output = direct.saturating_add(indirect);
        if output < self.threshold.get() {
            return Ok(());
        }
        // Short of any byte, the shortest document that refers to an entity stands in.
        let factor = if direct > 0 { output as f32 / direct as f32 } else { (22 + indirect) as f32 / 22.0 };
        if factor <= self.factor.get() { Ok(()) } else { Err(Code::AmplificationLimitBreach.into()) }
    }

    /// Counts memory that was taken.
    pub fn allocate(&self, bytes: usize) -> Flow {
        self.allocated.set(self.allocated.get().saturating_add(bytes as u64));
        let (allocated, direct) = (self.allocated.get(), self.direct.get());
        if allocated <= self.alloc_threshold.get() || direct == 0 {
            return Ok(());
        }
        let factor = allocated as f32 / direct as f32;
        if factor <= self.alloc_factor.get() { Ok(()) } else { Err(Code::NoMemory.into()) }
    }

    /// Counts memory that was given back.
    pub fn release(&self, bytes: usize) {
        self.allocated.set(self.allocated.get().saturating_sub(bytes as u64));
    }
}

/// The state that a parser shares with its user's handlers. Reading and changing it never runs Python code.
pub struct Shared {
    /// The text being parsed; null outside of that.
    text: Cell<*const [u8]>,
    width: Cell<Width>,
    /// Where `text` starts.
    base: Cell<Position>,
    /// An offset in `text` whose position is known.
    known: Cell<(usize, Position)>,
    event: Cell<usize>,
    event_end: Cell<usize>,
    /// The event's position once parsing is over; none before it began.
    last: Cell<Option<Position>>,
    pub dtd: Rc<RefCell<Dtd>>,
    pub accounting: Rc<Accounting>,
    pub is_root: bool,
    pub base_uri: RefCell<Option<Text>>,
    pub use_foreign_dtd: Cell<bool>,
    pub param_entity_parsing: Cell<i32>,
    pub reparse_deferral: Cell<bool>,
    pub expand_internal_entities: Cell<bool>,
    pub triplets: Cell<bool>,
    /// Parsing has begun.
    pub started: Cell<bool>,
    /// An entity's value is being read.
    pub in_entity_value: Cell<bool>,
    pub error: Cell<i32>,
}

const NO_TEXT: *const [u8] = std::ptr::slice_from_raw_parts(std::ptr::null(), 0);

impl Shared {
    /// The state of a new parser, with another's declarations if it belongs to one.
    pub fn new(dtd: Rc<RefCell<Dtd>>, accounting: Rc<Accounting>, is_root: bool) -> Shared {
        Shared {
            text: Cell::new(NO_TEXT),
            width: Cell::new(Width::Utf8),
            base: Cell::new(Position::START),
            known: Cell::new((0, Position::START)),
            event: Cell::new(0),
            event_end: Cell::new(0),
            last: Cell::new(None),
            dtd,
            accounting,
            is_root,
            base_uri: RefCell::default(),
            use_foreign_dtd: Cell::new(false),
            param_entity_parsing: Cell::new(0),
            reparse_deferral: Cell::new(true),
            expand_internal_entities: Cell::new(true),
            triplets: Cell::new(false),
            started: Cell::new(false),
            in_entity_value: Cell::new(false),
            error: Cell::new(0),
        }
    }

    /// Begins work on `text`, which is to outlive it: until `leave`.
    pub(super) fn enter(&self, text: &[u8], width: Width) {
        self.text.set(text);
        self.width.set(width);
        self.known.set((0, self.base.get()));
        self.event.set(0);
        self.event_end.set(0);
    }

    /// Ends work on the text, of which the first `consumed` bytes are done with.
    pub(super) fn leave(&self, consumed: usize) {
        self.last.set(Some(self.at(self.event.get())));
        let base = self.at(consumed);
        self.base.set(base);
        self.text.set(NO_TEXT);
    }

    /// Moves the start of what is not read yet over bytes that are no text: a byte order mark.
    pub(super) fn skip_bytes(&self, count: usize) {
        let mut base = self.base.get();
        base.byte += count as u64;
        self.base.set(base);
    }

    fn text(&self) -> &[u8] {
        let text = self.text.get();
        if text.is_null() {
            return &[];
        }
        // SAFETY: between `enter` and `leave` the text is alive and does not change.
        unsafe { &*text }
    }

    /// Sets the current event.
    #[inline(always)]
    pub(super) fn set_event(&self, start: usize, end: usize) {
        self.event.set(start);
        self.event_end.set(end);
    }

    pub(super) fn event_end(&self) -> usize {
        self.event_end.get()
    }

    fn at(&self, offset: usize) -> Position {
        let (from, known) = self.known.get();
        let (from, known) = if offset >= from { (from, known) } else { (0, self.base.get()) };
        let position = known.behind(self.text().get(from..offset).unwrap_or(&[]), self.width.get());
        // A carriage return at the end of what was counted may belong to a line feed.
        if offset == 0 || self.text().get(offset - 1) != Some(&b'\r') {
            self.known.set((offset, position));
        }
        position
    }

    /// Where the current event, or the last, or the error is.
    pub fn position(&self) -> Option<Position> {
        if self.text.get().is_null() { self.last.get() } else { Some(self.at(self.event.get())) }
    }

    /// The text from the current event on, while a handler runs.
    pub fn input_context(&self) -> Option<(&[u8], Width)> {
        if self.text.get().is_null() {
            return None;
        }
        Some((self.text().get(self.event.get()..)?, self.width.get()))
    }
}
