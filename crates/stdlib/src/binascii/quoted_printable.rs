//! Quoted-printable (RFC 1521) and its variant for headers (RFC 1522).

use super::hex::digit;

const MAX_LINE: usize = 76;

/// What is quoted.
pub struct Options {
    /// Tabs and spaces too.
    pub quote_tabs: bool,
    /// Line ends stay line ends.
    pub is_text: bool,
    /// Spaces become underscores.
    pub header: bool,
}

/// `a2b_qp`.
pub fn decode(data: &[u8], header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((&byte, more)) = rest.split_first() {
        rest = more;
        if byte != b'=' {
            out.push(if header && byte == b'_' { b' ' } else { byte });
            continue;
        }
        match *rest {
            [] => break,
            [b'\n' | b'\r', ..] => {
                // A soft line break.
                let end = rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |at| at + 1);
                rest = rest.get(end..).unwrap_or_default();
            }
            [b'=', ref more @ ..] => {
                out.push(b'=');
                rest = more;
            }
            [high, low, ref more @ ..] => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = more;
                }
                _ => out.push(b'='),
            },
            [_] => out.push(b'='),
        }
    }
    out
}

fn push_quoted(out: &mut Vec<u8>, byte: u8) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'A' + value - 10 };
    out.extend([b'=', digit(byte >> 4), digit(byte & 15)]);
}

/// `b2a_qp`.
pub fn encode(data: &[u8], options: &Options) -> Vec<u8> {
    let crlf = memchr::memchr(b'\n', data).is_some_and(|at| at > 0 && data.get(at - 1) == Some(&b'\r'));
    let line_end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
    let mut out = Vec::with_capacity(data.len() + data.len() / 4);
    let (mut at, mut line) = (0, 0);
    while let Some(&byte) = data.get(at) {
        let next = data.get(at + 1).copied();
        let blank = byte == b' ' || byte == b'\t';
        let end = byte == b'\r' || byte == b'\n';
        let quoted = byte > 126
            || byte == b'='
            || (options.header && byte == b'_')
            || (byte == b'.' && line == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0)))
            || (!options.is_text && end)
            || (blank && next.is_none())
            || (byte < 33 && !end && (options.quote_tabs || !blank));
        if quoted {
            if line + 3 >= MAX_LINE {
                out.push(b'=');
                out.extend_from_slice(line_end);
                line = 0;
            }
            push_quoted(&mut out, byte);
            line += 3;
            at += 1;
            continue;
        }
        if options.is_text && (byte == b'\n' || (byte == b'\r' && next == Some(b'\n'))) {
            line = 0;
            // Blanks at a line's end would get lost.
            if let Some(last @ (b' ' | b'\t')) = out.last().copied() {
                out.pop();
                push_quoted(&mut out, last);
            }
            out.extend_from_slice(line_end);
            at += if byte == b'\r' { 2 } else { 1 };
            continue;
        }
        if next.is_some_and(|next| next != b'\n') && line + 1 >= MAX_LINE {
            out.push(b'=');
            out.extend_from_slice(line_end);
            line = 0;
        }
        line += 1;
        out.push(if options.header && byte == b' ' { b'_' } else { byte });
        at += 1;
    }
    out
}
