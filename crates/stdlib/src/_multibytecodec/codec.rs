//! What a CJK codec is, and the conversion of texts and bytes with it.

use std::cell::Cell;

use taipan_vm::builtins::codecs_core::errors::{Decoding, Encoding, Outcome};
use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::prelude::*;

use super::hz;
use super::iso2022::{self, Iso2022};
use super::stateless::Stateless;

/// Where a codec is between two pieces of text: eight bytes, as `getstate` shows them.
pub type State = [u8; 8];

/// What becomes of the characters or bytes at a place.
pub enum Step {
    /// So many are converted.
    Used(usize),
    /// More are needed to know.
    More,
    /// So many are wrong.
    Wrong(usize),
}

/// How a codec works.
pub enum Kind {
    Stateless(&'static Stateless),
    Hz,
    Iso2022(&'static Iso2022),
}

/// A codec.
pub struct Codec {
    /// As in error messages.
    pub name: &'static str,
    /// The module that has it.
    pub module: &'static str,
    pub kind: Kind,
}

const ILLEGAL: &str = "illegal multibyte sequence";
const INCOMPLETE: &str = "incomplete multibyte sequence";

impl Codec {
    /// The state at an encoder's start.
    pub fn start(&self) -> State {
        match self.kind {
            Kind::Iso2022(_) => iso2022::START,
            _ => [0; 8],
        }
    }

    /// The state at a decoder's start.
    pub fn decoding_start(&self) -> State {
        match self.kind {
            Kind::Iso2022(_) => iso2022::DECODING_START,
            _ => [0; 8],
        }
    }

    /// Appends what brings an encoder's output back to its start.
    pub fn encode_reset(&self, state: &mut State, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Stateless(_) => {}
            Kind::Hz => hz::encode_reset(state, out),
            Kind::Iso2022(_) => iso2022::encode_reset(state, out),
        }
    }

    /// Brings a decoder back to its start.
    pub fn decode_reset(&self, state: &mut State) {
        match self.kind {
            Kind::Stateless(_) => {}
            Kind::Hz => *state = self.start(),
            Kind::Iso2022(_) => iso2022::decode_reset(state),
        }
    }

    /// Encodes `code`, which `next` follows. `flush`: nothing comes behind the text.
    #[inline]
    fn encode_char(
        &self,
        state: &mut State,
        code: u32,
        next: Option<u32>,
        flush: bool,
        out: &mut Vec<u8>,
    ) -> Step {
        match self.kind {
            Kind::Stateless(codec) => codec.encode(code, next, flush, out),
            Kind::Hz => hz::encode(state, code, out),
            Kind::Iso2022(codec) => codec.encode(state, code, next, flush, out),
        }
    }

    #[inline]
    fn decode_char(&self, state: &mut State, input: &[u8], out: &mut StrBuilder) -> Step {
        match self.kind {
            Kind::Stateless(codec) => codec.decode(input, out),
            Kind::Hz => hz::decode(state, input, out),
            Kind::Iso2022(codec) => codec.decode(state, input, out),
        }
    }

    /// Encodes a text behind `out`. Gives how many characters were converted: all, but for those that wait for more
    /// when nothing is flushed.
    pub fn encode(
        &self,
        state: &Cell<State>,
        text: &Str,
        errors: &str,
        flush: bool,
        out: &mut Vec<u8>,
        vm: &Vm,
    ) -> PyResult<usize> {
        let done = Cell::new(0);
        let step = |text: &Str, from: usize, out: &mut Vec<u8>| {
            let mut now = state.get();
            let mut at = from;
            let outcome = loop {
                let Some(code) = text.char_at(at) else { break Outcome::Done(at) };
                match self.encode_char(&mut now, code, text.char_at(at + 1), flush, out) {
                    Step::Used(count) => at += count,
                    Step::More => break Outcome::Done(at),
                    Step::Wrong(count) => {
                        break Outcome::Fail { start: at, end: at + count, reason: ILLEGAL };
                    }
                }
            };
            state.set(now);
            if let Outcome::Done(at) = outcome {
                done.set(at);
            }
            Ok(outcome)
        };
        let put = |code: u32, out: &mut Vec<u8>| {
            let mut now = state.get();
            let result = self.encode_char(&mut now, code, None, true, out);
            state.set(now);
            Ok(matches!(result, Step::Used(_)))
        };
        Encoding::new(self.name, errors, text).run(out, step, put, 1, vm)?;
        Ok(done.get())
    }

    /// Decodes bytes behind `out`. Gives how many were converted: all of them if `last`.
    pub fn decode(
        &self,
        state: &Cell<State>,
        input: &[u8],
        source: Option<&Bytes>,
        errors: &str,
        last: bool,
        out: &mut StrBuilder,
        vm: &Vm,
    ) -> PyResult<usize> {
        let step = |input: &[u8], from: usize, out: &mut StrBuilder| {
            let mut now = state.get();
            let mut at = from;
            let outcome = loop {
                let rest = input.get(at..).unwrap_or(&[]);
                if rest.is_empty() {
                    break Outcome::Done(at);
                }
                match self.decode_char(&mut now, rest, out) {
                    Step::Used(count) => at += count,
                    Step::More if last => {
                        break Outcome::Fail { start: at, end: input.len(), reason: INCOMPLETE };
                    }
                    Step::More => break Outcome::Done(at),
                    Step::Wrong(count) => {
                        let end = (at + count).min(input.len());
                        break Outcome::Fail { start: at, end, reason: ILLEGAL };
                    }
                }
            };
            state.set(now);
            Ok(outcome)
        };
        Decoding::new(self.name, errors, input, source).run(0, out, step, vm)
    }
}
