//! Reading ISO 8601 text.

use taipan_vm::prelude::*;

use super::calendar::{self, Day};
use super::clock::Clock;
use super::delta::Delta;
use super::timezone::{self, TimeZone};

/// A position in ASCII text; reading beyond the end gives NUL.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Reader<'a> {
        Reader { text, at: 0 }
    }

    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        let there = !self.at_end() && self.peek() == byte;
        self.at += usize::from(there);
        there.then_some(())
    }

    fn number(&mut self, digits: usize) -> Option<i32> {
        let found = self.text.get(self.at..self.at.checked_add(digits)?)?;
        let mut value = 0;
        for digit in found {
            if !digit.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i32::from(digit - b'0');
        }
        self.at += digits;
        Some(value)
    }
}

/// The characters as bytes; what is not ASCII becomes 0xff, which no rule accepts.
pub fn to_bytes(text: &Str) -> Vec<u8> {
    match text.ascii_bytes() {
        Some(bytes) => bytes.to_vec(),
        None => text.data().iter().map(|code| if code < 128 { code as u8 } else { 0xff }).collect(),
    }
}

/// A date of 7, 8 or 10 characters. The day is unchecked.
pub fn parse_date(text: &[u8]) -> Option<Day> {
    let mut reader = Reader::new(text);
    let year = reader.number(4)?;
    let separated = reader.skip(b'-').is_some();
    if reader.skip(b'W').is_some() {
        let week = reader.number(2)?;
        let mut weekday = 1;
        if !reader.at_end() {
            if separated {
                reader.skip(b'-')?;
            }
            weekday = reader.number(1)?;
        }
        if !reader.at_end() {
            return None;
        }
        return calendar::from_iso(i64::from(year), i64::from(week), i64::from(weekday)).ok();
    }
    let month = reader.number(2)?;
    if separated {
        reader.skip(b'-')?;
    }
    let day = reader.number(2)?;
    reader.at_end().then_some(Day::new(year, month, day))
}

/// Where the date ends in a date and time.
pub fn separator(text: &[u8]) -> Option<usize> {
    let at = |place: usize| text.get(place).copied().unwrap_or(0);
    let length = text.len();
    if length <= 7 {
        return (length == 7).then_some(7);
    }
    if at(4) == b'-' {
        if at(5) != b'W' {
            return Some(10);
        }
        if at(8) != b'-' || length <= 8 {
            return Some(8);
        }
        if length == 9 {
            return None;
        }
        // YYYY-Www-##: a hyphen between date and time is likelier than a digit.
        return Some(if length > 10 && at(10).is_ascii_digit() { 8 } else { 10 });
    }
    if at(4) != b'W' {
        return Some(8);
    }
    let digits = text.get(7..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    let end = 7 + digits;
    Some(match end {
        ..9 => end,
        _ if end % 2 == 0 => 7,
        _ => 8,
    })
}

/// Hours, minutes, seconds and microseconds in any of their notations, and whether something follows them.
fn parse_parts(text: &[u8]) -> Option<(Clock, bool)> {
    let mut reader = Reader::new(text);
    let mut parts = [0; 3];
    let mut separated = true;
    let mut micro = 0;
    let mut rest = false;
    for (place, part) in parts.iter_mut().enumerate() {
        *part = reader.number(2)?;
        if reader.at_end() {
            break;
        }
        let next = reader.peek();
        reader.at += 1;
        if place == 0 {
            separated = next == b':';
        }
        if reader.at_end() {
            rest = true;
            break;
        }
        match next {
            b':' if separated && place < 2 => continue,
            b':' if separated => return None,
            b'.' | b',' if place < 2 => return None,
            b'.' | b',' => {}
            _ if separated => return None,
            _ => reader.at -= 1,
        }
        if place == 2 {
            let digits = (reader.text.len() - reader.at).min(6);
            micro = reader.number(digits)? * 10i32.pow(6 - digits as u32);
            while reader.peek().is_ascii_digit() {
                reader.at += 1;
            }
            rest = !reader.at_end();
        }
    }
    let [hour, minute, second] = parts;
    Some((Clock { hour, minute, second, micro, fold: 0 }, rest))
}

/// A time of day with its zone, and whether it is the midnight that ends the day.
pub struct ParsedTime {
    pub clock: Clock,
    pub zone: Option<ObjRef>,
    pub next_day: bool,
}

/// A time of day. `Ok(None)` for text that is none.
pub fn parse_time(text: &[u8], vm: &Vm) -> PyResult<Option<ParsedTime>> {
    let zone_at = text.iter().position(|byte| matches!(byte, b'+' | b'-' | b'Z')).unwrap_or(text.len());
    let (head, tail) = text.split_at(zone_at);
    let Some((mut clock, rest)) = parse_parts(head) else { return Ok(None) };
    let zone = match tail.split_first() {
        None if rest => return Ok(None),
        None => None,
        Some((b'Z', rest)) => {
            if !rest.is_empty() {
                return Ok(None);
            }
            Some(timezone::utc(vm))
        }
        Some((sign, rest)) => {
            let Some((offset, false)) = parse_parts(rest) else { return Ok(None) };
            let sign = if *sign == b'-' { -1 } else { 1 };
            let delta = Delta::new(0, sign * offset.seconds(), sign * i64::from(offset.micro), vm)?;
            Some(TimeZone::make(&delta, None, vm)?)
        }
    };
    let next_day = clock.hour == 24;
    if next_day {
        if (clock.minute, clock.second, clock.micro) != (0, 0, 0) {
            return Err(vm.value_error("minute, second, and microsecond must be 0 when hour is 24"));
        }
        clock.hour = 0;
    }
    Ok(Some(ParsedTime { clock, zone, next_day }))
}

#[cold]
pub fn invalid(text: &Str, vm: &Vm) -> Raised {
    match text.as_object().repr(vm) {
        Ok(shown) => vm.value_error(format!("Invalid isoformat string: {}", shown.to_string_lossy())),
        Err(raised) => raised,
    }
}

/// The text that a `fromisoformat` gets.
pub fn text_arg<'a>(object: &'a Object, vm: &Vm) -> PyResult<&'a Str> {
    object.downcast_ref::<Str>().ok_or_else(|| vm.type_error("fromisoformat: argument must be str"))
}
