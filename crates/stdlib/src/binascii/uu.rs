//! Lines of uuencode: a length, then six bits a character.

use taipan_vm::prelude::*;

use super::ERROR;

/// `a2b_uu`: one line.
pub fn decode(line: &[u8], vm: &Vm) -> PyResult<Vec<u8>> {
    let Some((&first, mut rest)) = line.split_first() else {
        return Err(ERROR.raise("Missing length byte", vm));
    };
    let length = usize::from(first.wrapping_sub(b' ') & 63);
    let mut out = Vec::with_capacity(length);
    let (mut bits, mut count) = (0u32, 0);
    while out.len() < length {
        // Trailing spaces may have been lost.
        let value = match rest.split_first() {
            None => 0,
            Some((&byte, more)) => {
                rest = more;
                match byte {
                    b'\n' | b'\r' => 0,
                    b' '..=0x60 => (byte - b' ') & 63,
                    _ => return Err(ERROR.raise("Illegal char", vm)),
                }
            }
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    if rest.iter().any(|byte| !matches!(byte, b' ' | b'`' | b'\n' | b'\r')) {
        return Err(ERROR.raise("Trailing garbage", vm));
    }
    Ok(out)
}

/// `b2a_uu`: one line. Zeros are backticks or spaces.
pub fn encode(data: &[u8], backtick: bool, vm: &Vm) -> PyResult<Vec<u8>> {
    if data.len() > 45 {
        return Err(ERROR.raise("At most 45 bytes at once", vm));
    }
    let letter = |value: u32| match value & 63 {
        0 if backtick => b'`',
        value => b' ' + value as u8,
    };
    let mut out = Vec::with_capacity(data.len().div_ceil(3) * 4 + 2);
    out.push(letter(data.len() as u32));
    for chunk in data.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.extend([18, 12, 6, 0].map(|shift| letter(bits >> shift)));
    }
    out.push(b'\n');
    Ok(out)
}
