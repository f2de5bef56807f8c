//! `tell` and `seek`: positions of a text stream are cookies, which hold a place in the bytes where the decoder's state is
//! known, and how to get from there to the character.

use taipan_numeric::int::BigInt;
use taipan_vm::prelude::*;

use super::codec::Decoder;
use super::{Snapshot, TextIoWrapper};
use crate::_io::iobase::unsupported;

/// A position: 8 bytes place, 4 bytes flags, 4 bytes to feed, 4 characters to skip, 1 end mark, all little-endian.
#[derive(Default, Clone, Copy)]
struct Cookie {
    start: i64,
    flags: u32,
    bytes_to_feed: u32,
    chars_to_skip: u32,
    need_end: bool,
}

const COOKIE_SIZE: usize = 21;

impl Cookie {
    fn pack(self, vm: &Vm) -> ObjRef {
        if self.flags == 0 && self.bytes_to_feed == 0 && self.chars_to_skip == 0 && !self.need_end {
            return vm.new_int(self.start);
        }
        let mut bytes = Vec::with_capacity(COOKIE_SIZE);
        bytes.extend_from_slice(&self.start.to_le_bytes());
        bytes.extend_from_slice(&self.flags.to_le_bytes());
        bytes.extend_from_slice(&self.bytes_to_feed.to_le_bytes());
        bytes.extend_from_slice(&self.chars_to_skip.to_le_bytes());
        bytes.push(u8::from(self.need_end));
        Int::from_big(BigInt::from_bytes(&bytes, true, false), vm)
    }

    fn unpack(value: &Int, vm: &Vm) -> PyResult<Cookie> {
        let bytes = value
            .as_int_ref()
            .to_bytes(COOKIE_SIZE, true, false)
            .map_err(|_| vm.overflow_error("int too big to convert"))?;
        let word = |at: usize| -> u32 {
            bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).map_or(0, u32::from_le_bytes)
        };
        Ok(Cookie {
            start: bytes.get(..8).and_then(|part| part.try_into().ok()).map_or(0, i64::from_le_bytes),
            flags: word(8),
            bytes_to_feed: word(12),
            chars_to_skip: word(16),
            need_end: bytes.get(20).is_some_and(|&mark| mark != 0),
        })
    }

    fn is_beginning(&self) -> bool {
        self.start == 0 && self.flags == 0
    }

    /// Brings a decoder to the state at the cookie's place.
    fn apply(&self, decoder: &Decoder, vm: &Vm) -> PyResult<()> {
        if self.is_beginning() {
            decoder.reset(vm)
        } else {
            decoder.set_state(&Bytes::empty(), u64::from(self.flags), vm)
        }
    }
}

/// The cookie for the place `chars` characters into what `input` decodes to. The decoder's state is changed.
fn locate(
    mut cookie: Cookie,
    chars: usize,
    input: &[u8],
    ratio: f64,
    decoder: &Decoder,
    vm: &Vm,
) -> PyResult<Cookie> {
    let part = |start: usize, end: usize| vm.new_bytes(input.get(start..end).unwrap_or(&[])).into_object();
    let mut chars = chars;
    // A guess at the byte, from which to go back to one where no character is incomplete.
    let mut skip = ((ratio * chars as f64) as usize).min(input.len());
    let mut back = 1;
    while skip > 0 {
        cookie.apply(decoder, vm)?;
        let decoded = decoder.decode(&part(0, skip), false, vm)?.len();
        if decoded <= chars {
            let (rest, flags) = decoder.state(vm)?;
            if rest.is_empty() {
                cookie.flags = flags as u32;
                chars -= decoded;
                break;
            }
            skip = skip.saturating_sub(rest.len());
            back = 1;
        } else {
            skip = skip.saturating_sub(back);
            back *= 2;
        }
    }
    if skip == 0 {
        cookie.apply(decoder, vm)?;
    }
    cookie.start += skip as i64;
    cookie.chars_to_skip = chars as u32;
    if chars == 0 {
        return Ok(cookie);
    }
    // From there byte by byte, noting each place where the state is clean.
    let mut decoded = 0;
    for at in skip..input.len() {
        decoded += decoder.decode(&part(at, at + 1), false, vm)?.len();
        cookie.bytes_to_feed += 1;
        let (rest, flags) = decoder.state(vm)?;
        if rest.is_empty() && decoded <= chars {
            cookie.start += i64::from(cookie.bytes_to_feed);
            chars -= decoded;
            cookie.flags = flags as u32;
            cookie.bytes_to_feed = 0;
            decoded = 0;
        }
        if decoded >= chars {
            cookie.chars_to_skip = chars as u32;
            return Ok(cookie);
        }
    }
    decoded += decoder.decode(Bytes::empty().as_object(), true, vm)?.len();
    cookie.need_end = true;
    if decoded < chars {
        return Err(vm.raise(types::os_error(), "can't reconstruct logical file position"));
    }
    cookie.chars_to_skip = chars as u32;
    Ok(cookie)
}

#[pymethods(table = POSITION)]
impl TextIoWrapper {
    /// Return the stream position as an opaque number.
    ///
    /// The return value of tell() can be given as input to seek(), to restore
    /// a previous stream position.
    #[method("($self, /)")]
    fn tell(&self, vm: &Vm) -> PyResult {
        let buffer = self.open_buffer(vm)?;
        if !self.seekable.get() {
            return Err(unsupported("underlying stream is not seekable", vm));
        }
        if !self.telling.get() {
            return Err(vm.raise(types::os_error(), "telling position disabled by next() call"));
        }
        self.write_pending(&buffer, vm)?;
        self.flush_self(vm)?;
        let position = buffer.call_method(vm.ids().tell, &[], vm)?;
        let Some(decoder) = self.decoder() else { return Ok(position) };
        let snapshot = self.snapshot.borrow().as_ref().map(|known| (known.flags, known.input.clone()));
        let Some((flags, input)) = snapshot else { return Ok(position) };
        let place = crate::_io::buffered::core::offset(&position, vm)?;
        let cookie = Cookie { start: place - input.len() as i64, flags: flags as u32, ..Cookie::default() };
        let chars = self.used.get();
        if self.decoded.is_none() || chars == 0 {
            return Ok(cookie.pack(vm));
        }
        let (rest, now) = decoder.state(vm)?;
        let found = locate(cookie, chars, input.as_bytes(), self.ratio.get(), &decoder, vm);
        let waiting = vm.take_exception();
        let restored = decoder.set_state(&rest, now, vm);
        if let Some(exception) = waiting {
            return Err(vm.reraise(exception));
        }
        restored?;
        Ok(found?.pack(vm))
    }

    /// Set the stream position, and return the new stream position.
    ///
    ///   cookie
    ///     Zero or an opaque number returned by tell().
    ///   whence
    ///     The relative position to seek from.
    ///
    /// Four operations are supported, given by the following argument
    /// combinations:
    ///
    /// - seek(0, SEEK_SET): Rewind to the start of the stream.
    /// - seek(cookie, SEEK_SET): Restore a previous position, as returned by
    ///   tell().
    /// - seek(0, SEEK_END): Fast-forward to the end of the stream.
    /// - seek(0, SEEK_CUR): Leave the current stream position unchanged.
    #[method("($self, cookie, whence=os.SEEK_SET, /)")]
    fn seek(&self, cookie: &Object, whence: Option<i32>, vm: &Vm) -> PyResult {
        let buffer = self.open_buffer(vm)?;
        if !self.seekable.get() {
            return Err(unsupported("underlying stream is not seekable", vm));
        }
        let zero = vm.new_int(0);
        let cookie = match whence.unwrap_or(0) {
            0 => cookie.to_ref(),
            1 => {
                if !cookie.rich_compare_bool(&zero, CompareOp::Eq, vm)? {
                    return Err(unsupported("can't do nonzero cur-relative seeks", vm));
                }
                self.as_object().call_method(vm.ids().tell, &[], vm)?
            }
            2 => {
                if !cookie.rich_compare_bool(&zero, CompareOp::Eq, vm)? {
                    return Err(unsupported("can't do nonzero end-relative seeks", vm));
                }
                self.flush_self(vm)?;
                self.forget_decoded();
                self.forget_snapshot();
                if let Some(decoder) = self.decoder() {
                    decoder.reset(vm)?;
                }
                let position = buffer.call_method(vm.ids().seek, &[&zero, &vm.new_int(2)], vm)?;
                if let Some(encoder) = self.encoder() {
                    let start = position.rich_compare_bool(&zero, CompareOp::Eq, vm)?;
                    encoder.at_start(start, vm)?;
                }
                return Ok(position);
            }
            other => {
                return Err(vm.value_error(format!("invalid whence ({other}, should be 0, 1 or 2)")));
            }
        };
        if cookie.rich_compare_bool(&zero, CompareOp::Lt, vm)? {
            let shown = cookie.repr(vm)?;
            return Err(vm.value_error(format!("negative seek position {}", shown.to_string_lossy())));
        }
        self.flush_self(vm)?;
        let place = Cookie::unpack(&*cookie.as_index(vm)?, vm)?;
        buffer.call_method(vm.ids().seek, &[&vm.new_int(place.start)], vm)?;
        self.forget_decoded();
        self.forget_snapshot();
        if let Some(decoder) = self.decoder() {
            place.apply(&decoder, vm)?;
            let mut input = Bytes::empty();
            if place.chars_to_skip > 0 {
                let read = buffer.call_method(vm.ids().read, &[&vm.new_int(place.bytes_to_feed)], vm)?;
                input = read.downcast::<Bytes>().map_err(|other| {
                    let given = other.ob_type().name();
                    vm.type_error(format!(
                        "underlying read() should have returned a bytes object, not '{given}'"
                    ))
                })?;
                let text = decoder.decode(input.as_object(), place.need_end, vm)?;
                let enough = text.len() >= place.chars_to_skip as usize;
                self.decoded.put(text);
                self.used.set(0);
                if !enough {
                    return Err(vm.raise(types::os_error(), "can't restore logical file position"));
                }
                self.used.set(place.chars_to_skip as usize);
            }
            let old = self.snapshot.replace(Some(Snapshot { flags: u64::from(place.flags), input }));
            drop(old);
        }
        if let Some(encoder) = self.encoder() {
            encoder.at_start(place.is_beginning(), vm)?;
        }
        Ok(cookie)
    }
}
