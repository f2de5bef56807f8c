//! Upper, lower, title and folded case. ASCII text goes byte by byte; other text follows Unicode's full mappings, with
//! the final-sigma rule.

use super::StrBuilder;
use super::layout::{StrData, must};
use super::predicates::{is_lower, is_upper};
use crate::prelude::*;
use taipan_unicode as unicode;

impl Str {
    /// An ASCII string of the same length with each byte mapped; `None` when this one isn't ASCII.
    #[inline]
    fn map_ascii(&self, map: impl Fn(u8) -> u8) -> Option<Ref<Str>> {
        let bytes = self.ascii_bytes()?;
        match *bytes {
            [] => return Some(Str::empty()),
            [only] => return Some(Str::latin1_char(map(only))),
            _ => {}
        }
        // SAFETY: filled right here, with ASCII.
        unsafe {
            let result = must(Str::allocate(bytes.len(), 0x7F));
            let target = std::slice::from_raw_parts_mut(result.data_ptr(), bytes.len());
            for (to, from) in target.iter_mut().zip(bytes) {
                *to = map(*from);
            }
            Some(result)
        }
    }

    fn map_chars(&self, vm: &Vm, mut map: impl FnMut(usize, u32, &mut StrBuilder)) -> PyResult<Ref<Str>> {
        let mut out = StrBuilder::new();
        out.reserve(self.len(), vm)?;
        for (index, code) in self.data().iter().enumerate() {
            map(index, code, &mut out);
        }
        out.try_finish(vm)
    }

    /// `str.lower`.
    pub fn to_lower(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        match self.map_ascii(|b| b.to_ascii_lowercase()) {
            Some(result) => Ok(result),
            None => self.map_chars(vm, |at, code, out| push_lower(self.data(), at, code, out)),
        }
    }

    /// `str.upper`.
    pub fn to_upper(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        match self.map_ascii(|b| b.to_ascii_uppercase()) {
            Some(result) => Ok(result),
            None => self.map_chars(vm, |_, code, out| push_all(&unicode::to_upper(code), out)),
        }
    }

    /// `str.casefold`.
    pub fn to_casefold(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        match self.map_ascii(|b| b.to_ascii_lowercase()) {
            Some(result) => Ok(result),
            None => self.map_chars(vm, |_, code, out| push_all(&unicode::to_casefold(code), out)),
        }
    }
}

fn push_all(mapped: &[u32], out: &mut StrBuilder) {
    mapped.iter().for_each(|&c| out.push_char(c));
}

/// Lower case, where a capital sigma at the end of a word becomes the final one.
fn push_lower(text: StrData<'_>, at: usize, code: u32, out: &mut StrBuilder) {
    if code == 0x3A3 {
        out.push_char(if is_final(text, at) { 0x3C2 } else { 0x3C3 });
    } else {
        push_all(&unicode::to_lower(code), out);
    }
}

/// Whether a cased letter precedes position `at` and none follows, case-ignorable characters left out.
fn is_final(text: StrData<'_>, at: usize) -> bool {
    let before = text.slice(0, at).iter().rev().find(|&c| !unicode::is_case_ignorable(c));
    let after = text.slice(at + 1, text.len()).iter().find(|&c| !unicode::is_case_ignorable(c));
    before.is_some_and(unicode::is_cased) && !after.is_some_and(unicode::is_cased)
}

#[pymethods(table = CASE_METHODS)]
impl Str {
    /// Return a copy with the first character in title case and the rest in lower case.
    #[method("($self, /)")]
    fn capitalize(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        if let Some(bytes) = self.ascii_bytes() {
            let mut copy = bytes.to_ascii_lowercase();
            if let Some(first) = copy.first_mut() {
                first.make_ascii_uppercase();
            }
            return Ok(Str::from_ascii(&copy, vm));
        }
        self.map_chars(vm, |at, code, out| {
            if at == 0 {
                push_all(&unicode::to_title(code), out);
            } else {
                push_lower(self.data(), at, code, out);
            }
        })
    }

    /// Return a copy for caseless comparison.
    #[method("($self, /)")]
    fn casefold(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        self.to_casefold(vm)
    }

    /// Return a copy in which words start in title case and go on in lower case.
    #[method("($self, /)")]
    fn title(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let mut in_word = false;
        self.map_chars(vm, |at, code, out| {
            if in_word {
                push_lower(self.data(), at, code, out);
            } else {
                push_all(&unicode::to_title(code), out);
            }
            in_word = unicode::is_cased(code);
        })
    }

    /// Return a copy in lower case.
    #[method("($self, /)")]
    fn lower(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        self.to_lower(vm)
    }

    /// Return a copy with upper case made lower and lower case made upper.
    #[method("($self, /)")]
    fn swapcase(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        if let Some(result) = self.map_ascii(|b| {
            if b.is_ascii_uppercase() { b.to_ascii_lowercase() } else { b.to_ascii_uppercase() }
        }) {
            return Ok(result);
        }
        self.map_chars(vm, |at, code, out| {
            if is_upper(code) {
                push_lower(self.data(), at, code, out);
            } else if is_lower(code) {
                push_all(&unicode::to_upper(code), out);
            } else {
                out.push_char(code);
            }
        })
    }

    /// Return a copy in upper case.
    #[method("($self, /)")]
    fn upper(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        self.to_upper(vm)
    }
}
