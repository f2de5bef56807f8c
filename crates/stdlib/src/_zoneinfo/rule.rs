//! POSIX TZ strings: the rule for the time after the last listed transition.

/// When a year's transition happens.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// `Mm.w.d`: the w-th (5: the last) weekday d (0 is Sunday) of a month.
    Weekday { month: u32, week: u32, weekday: u32 },
    /// `n` or `Jn`: a day of the year. Julian ones never count the 29th of February.
    Day { day: u32, julian: bool },
}

/// A day and the seconds from its midnight, in local time.
#[derive(Clone, Copy, Debug)]
pub struct Transition {
    moment: Moment,
    seconds: i64,
}

/// Standard time alone, or together with daylight saving time and its start and end.
#[derive(Debug)]
pub struct Parsed {
    pub standard: (String, i64),
    pub saving: Option<((String, i64), Transition, Transition)>,
}

const DAYS_BEFORE_1970: i64 = 719_163;

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from the epoch to the first of January.
fn year_start(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400) + 1 - DAYS_BEFORE_1970
}

impl Transition {
    /// Seconds since the epoch, in local time.
    pub fn in_year(&self, year: i64) -> i64 {
        let start = year_start(year);
        let days = match self.moment {
            // As CPython counts: day 0 is the one before the first of January.
            Moment::Day { day, julian } => {
                let after_february = julian && day >= 60 && is_leap(year);
                start + i64::from(day) - 1 + i64::from(after_february)
            }
            Moment::Weekday { month, week, weekday } => {
                const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
                let leap = i64::from(is_leap(year));
                let mut first = start;
                let mut length = 31;
                for (place, days) in (1..).zip(LENGTHS) {
                    length = days + if place == 2 { leap } else { 0 };
                    if place == month {
                        break;
                    }
                    first += length;
                }
                // The epoch was a Thursday; Sunday is 0.
                let first_weekday = (first + 4).rem_euclid(7);
                let mut day = (i64::from(weekday) - first_weekday).rem_euclid(7) + i64::from(week - 1) * 7;
                if day >= length {
                    day -= 7;
                }
                first + day
            }
        };
        days * 86_400 + self.seconds
    }
}

struct Reader<'a> {
    text: &'a [u8],
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.first().copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let rest = self.text.strip_prefix(&[byte]);
        self.text = rest.unwrap_or(self.text);
        rest.is_some()
    }

    fn take_while(&mut self, most: usize, test: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.text.iter().take(most).take_while(|byte| test(**byte)).count();
        let (head, tail) = self.text.split_at(length);
        self.text = tail;
        head
    }

    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.take_while(most, |byte| byte.is_ascii_digit());
        if digits.len() < least {
            return None;
        }
        Some(digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    }

    fn name(&mut self) -> Option<String> {
        let name = if self.skip(b'<') {
            let name = self
                .take_while(usize::MAX, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'));
            self.skip(b'>').then_some(name)?
        } else {
            self.take_while(usize::MAX, |byte| byte.is_ascii_alphabetic())
        };
        (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
    }

    /// `[+-]h[hh][:mm[:ss]]` in seconds.
    fn time(&mut self, most_hours: i64) -> Option<i64> {
        let negative = self.skip(b'-');
        if !negative {
            self.skip(b'+');
        }
        let hours = self.number(1, 3)?;
        let mut seconds = hours * 3600;
        if self.skip(b':') {
            seconds += self.number(2, 2)? * 60;
            if self.skip(b':') {
                seconds += self.number(2, 2)?;
            }
        }
        if hours > most_hours {
            return None;
        }
        Some(if negative { -seconds } else { seconds })
    }

    fn transition(&mut self) -> Option<Transition> {
        let moment = if self.skip(b'M') {
            let month = self.number(1, 2)?;
            let week = self.skip(b'.').then(|| self.number(1, 1))??;
            let weekday = self.skip(b'.').then(|| self.number(1, 1))??;
            let fine = (1..=12).contains(&month) && (1..=5).contains(&week) && (0..=6).contains(&weekday);
            fine.then_some(Moment::Weekday {
                month: month as u32,
                week: week as u32,
                weekday: weekday as u32,
            })?
        } else {
            let julian = self.skip(b'J');
            let day = self.number(1, 3)?;
            let fine = (i64::from(julian)..=365).contains(&day);
            fine.then_some(Moment::Day { day: day as u32, julian })?
        };
        let seconds = if self.skip(b'/') { self.time(167)? } else { 2 * 3600 };
        Some(Transition { moment, seconds })
    }
}

/// Parses a TZ string; `None` when it is none. Offsets come out east-positive.
pub fn parse(text: &[u8]) -> Option<Parsed> {
    let mut reader = Reader { text };
    let standard = reader.name()?;
    let offset = -reader.time(24)?;
    let mut saving = None;
    if reader.peek().is_some() {
        let name = reader.name()?;
        let shifted = match reader.peek()? {
            b',' => offset + 3600,
            _ => -reader.time(24)?,
        };
        let start = reader.skip(b',').then(|| reader.transition())??;
        let end = reader.skip(b',').then(|| reader.transition())??;
        saving = Some(((name, shifted), start, end));
    }
    reader.peek().is_none().then_some(Parsed { standard: (standard, offset), saving })
}
