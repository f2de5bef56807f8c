//! The time of day as numbers.

use taipan_vm::prelude::*;

/// A time of day. Unchecked until `check` is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    pub hour: i32,
    pub minute: i32,
    pub second: i32,
    pub micro: i32,
    /// 1 for the second of two moments that show the same time (PEP 495).
    pub fold: i32,
}

impl Clock {
    pub const MIDNIGHT: Clock = Clock { hour: 0, minute: 0, second: 0, micro: 0, fold: 0 };
    pub const LAST: Clock = Clock { hour: 23, minute: 59, second: 59, micro: 999_999, fold: 0 };

    #[inline]
    pub fn check(self, vm: &Vm) -> PyResult<Clock> {
        let fine = (0..24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..60).contains(&self.second)
            && (0..1_000_000).contains(&self.micro)
            && (0..2).contains(&self.fold);
        if fine { Ok(self) } else { Err(self.refuse(vm)) }
    }

    #[cold]
    fn refuse(self, vm: &Vm) -> Raised {
        for (name, value, last) in [
            ("hour", self.hour, 23),
            ("minute", self.minute, 59),
            ("second", self.second, 59),
            ("microsecond", self.micro, 999_999),
        ] {
            if !(0..=last).contains(&value) {
                return vm.value_error(format!("{name} must be in 0..{last}, not {value}"));
            }
        }
        vm.value_error(format!("fold must be either 0 or 1, not {}", self.fold))
    }

    /// Seconds since midnight.
    pub fn seconds(self) -> i64 {
        i64::from(self.hour * 3600 + self.minute * 60 + self.second)
    }

    /// The time of day so many seconds after midnight.
    pub fn from_seconds(seconds: i64, micro: i32) -> Clock {
        Clock {
            hour: (seconds / 3600) as i32,
            minute: (seconds / 60 % 60) as i32,
            second: (seconds % 60) as i32,
            micro,
            fold: 0,
        }
    }

    /// The six bytes of the state.
    pub fn bytes(self) -> [u8; 6] {
        let [_, high, middle, low] = self.micro.to_be_bytes();
        [self.hour as u8, self.minute as u8, self.second as u8, high, middle, low]
    }

    pub fn from_bytes(bytes: [u8; 6], fold: u8) -> Clock {
        let [hour, minute, second, high, middle, low] = bytes;
        Clock {
            hour: i32::from(hour),
            minute: i32::from(minute),
            second: i32::from(second),
            micro: i32::from_be_bytes([0, high, middle, low]),
            fold: i32::from(fold),
        }
    }

    /// The ISO text in the precision that `timespec` names.
    pub fn iso_text(self, timespec: Option<&str>, vm: &Vm) -> PyResult<String> {
        let Clock { hour, minute, second, micro, .. } = self;
        Ok(match timespec.unwrap_or("auto") {
            "auto" if micro == 0 => format!("{hour:02}:{minute:02}:{second:02}"),
            "auto" | "microseconds" => format!("{hour:02}:{minute:02}:{second:02}.{micro:06}"),
            "hours" => format!("{hour:02}"),
            "minutes" => format!("{hour:02}:{minute:02}"),
            "seconds" => format!("{hour:02}:{minute:02}:{second:02}"),
            "milliseconds" => format!("{hour:02}:{minute:02}:{second:02}.{:03}", micro / 1000),
            _ => return Err(vm.value_error("Unknown timespec value")),
        })
    }
}
