//! HZ (RFC 1843): ASCII, and GB 2312 between `~{` and `~}`.

use std::sync::OnceLock;

use taipan_vm::builtins::str::StrBuilder;

use super::codec::{State, Step};
use super::layout::GB2312;
use super::stateless::push_bytes;
use super::tables::{EncodeMap, PAIR, lookup};

fn map() -> &'static EncodeMap {
    static MAP: OnceLock<EncodeMap> = OnceLock::new();
    MAP.get_or_init(|| EncodeMap::of_grid(GB2312))
}

/// Encodes one character.
pub fn encode(state: &mut State, code: u32, out: &mut Vec<u8>) -> Step {
    let [chinese, ..] = state;
    if code < 0x80 {
        if *chinese != 0 {
            out.extend_from_slice(b"~}");
            *chinese = 0;
        }
        out.push(code as u8);
        if code == u32::from(b'~') {
            out.push(b'~');
        }
        return Step::Used(1);
    }
    let Some(bytes) = map().get(code) else { return Step::Wrong(1) };
    if *chinese == 0 {
        out.extend_from_slice(b"~{");
        *chinese = 1;
    }
    push_bytes(bytes & 0x7F7F, out);
    Step::Used(1)
}

/// Ends with ASCII.
pub fn encode_reset(state: &mut State, out: &mut Vec<u8>) {
    let [chinese, ..] = state;
    if std::mem::take(chinese) != 0 {
        out.extend_from_slice(b"~}");
    }
}

/// Decodes the sequence at the start of `input`.
pub fn decode(state: &mut State, input: &[u8], out: &mut StrBuilder) -> Step {
    let [chinese, ..] = state;
    let Some(&first) = input.first() else { return Step::More };
    if first == b'~' {
        let Some(&second) = input.get(1) else { return Step::More };
        match (second, *chinese) {
            (b'~', 0) => out.push_char(u32::from(b'~')),
            (b'{', 0) => *chinese = 1,
            // A line goes on.
            (b'\n', 0) => {}
            (b'}', 1..) => *chinese = 0,
            _ => return Step::Wrong(1),
        }
        return Step::Used(2);
    }
    if first >= 0x80 {
        return Step::Wrong(1);
    }
    if *chinese == 0 {
        out.push_char(u32::from(first));
        return Step::Used(1);
    }
    let Some(&second) = input.get(1) else { return Step::More };
    let code = lookup(GB2312, first ^ 0x80, second ^ 0x80);
    if code >= PAIR {
        return Step::Wrong(1);
    }
    out.push_char(code);
    Step::Used(2)
}
