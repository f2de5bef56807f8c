//! `timedelta`.

use std::cell::Cell;

use taipan_vm::prelude::*;
use taipan_vm::protocols::number;

use super::delta_float;

/// The largest number of days, either way.
pub const MAX_DAYS: i64 = 999_999_999;
const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The layout of a duration: `0 <= seconds < 86400`, `0 <= micros < 1000000`.
#[repr(C)]
pub struct Delta {
    ob: Object,
    hash: Cell<isize>,
    /// Days, of either sign.
    pub days: i32,
    /// Seconds, from 0 to 86,399.
    pub seconds: i32,
    /// Microseconds, from 0 to 999,999.
    pub micros: i32,
}

#[cold]
fn too_large(vm: &Vm) -> Raised {
    vm.overflow_error("Python int too large to convert to C int")
}

/// The value of an int when it has at most 120 bits.
fn wide_value(int: &Int) -> Option<i128> {
    if let Some(value) = int.to_i64() {
        return Some(i128::from(value));
    }
    let digits = int.digits();
    if digits.len() > 4 {
        return None;
    }
    let size = digits.iter().rev().fold(0i128, |sum, digit| (sum << 30) | i128::from(*digit));
    Some(if int.is_negative() { -size } else { size })
}

/// An int of any 128-bit number.
fn wide_int(value: i128, vm: &Vm) -> PyResult {
    if let Ok(value) = i64::try_from(value) {
        return Ok(vm.new_int(value));
    }
    let (high, low) = (value.div_euclid(SECOND), value.rem_euclid(SECOND));
    let high = wide_int(high, vm)?;
    let scaled = number::multiply(&high, &vm.new_int(SECOND as i64), vm)?;
    number::add(&scaled, &vm.new_int(low as i64), vm)
}

/// `a / b` rounded to the nearest integer, to the even one of two.
pub fn divide_nearest(a: i128, b: i128) -> i128 {
    let (mut quotient, rest) = (a.div_euclid(b), a.rem_euclid(b));
    let size = b.unsigned_abs();
    let double = rest.unsigned_abs() * 2;
    if double > size || (double == size && quotient % 2 != 0) {
        quotient += if b > 0 { 1 } else { -1 };
    }
    quotient
}

impl Delta {
    fn make(cls: &Type, days: i32, seconds: i32, micros: i32, vm: &Vm) -> PyResult {
        let ob = Object::new(Self::type_object());
        vm.new_instance(cls, Delta { ob, hash: Cell::new(-1), days, seconds, micros })
    }

    /// A duration of a class, from parts of any size.
    pub fn normal(cls: &Type, days: i64, seconds: i64, micros: i64, vm: &Vm) -> PyResult {
        let seconds = seconds + micros.div_euclid(1_000_000);
        let days = days + seconds.div_euclid(86_400);
        if days.abs() > MAX_DAYS {
            return Err(vm.overflow_error(format!("days={days}; must have magnitude <= {MAX_DAYS}")));
        }
        Delta::make(
            cls,
            days as i32,
            seconds.rem_euclid(86_400) as i32,
            micros.rem_euclid(1_000_000) as i32,
            vm,
        )
    }

    /// A duration from parts of any size whose sum has to fit.
    pub fn new(days: i64, seconds: i64, micros: i64, vm: &Vm) -> PyResult<Ref<Delta>> {
        let made = Delta::normal(Self::type_object(), days, seconds, micros, vm)?;
        made.downcast::<Delta>().map_err(|_| vm.system_error("no timedelta"))
    }

    fn from_micros(cls: &Type, micros: i128, vm: &Vm) -> PyResult {
        let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        match i32::try_from(days) {
            Ok(days) => Delta::normal(cls, i64::from(days), 0, rest as i64, vm),
            Err(_) => Err(too_large(vm)),
        }
    }

    fn plain_micros(micros: i128, vm: &Vm) -> PyResult {
        Delta::from_micros(Self::type_object(), micros, vm)
    }

    /// All of it in microseconds: less than 2 ** 67.
    pub fn total(&self) -> i128 {
        i128::from(self.days) * DAY + i128::from(self.seconds) * SECOND + i128::from(self.micros)
    }

    /// Days and seconds in seconds.
    pub fn whole_seconds(&self) -> i64 {
        i64::from(self.days) * 86_400 + i64::from(self.seconds)
    }

    /// Whether it spans no time.
    pub fn is_zero(&self) -> bool {
        (self.days, self.seconds, self.micros) == (0, 0, 0)
    }

    /// Whether both span the same time.
    pub fn same(&self, other: &Delta) -> bool {
        (self.days, self.seconds, self.micros) == (other.days, other.seconds, other.micros)
    }

    /// `self - other`. Raises `OverflowError`.
    pub fn minus(&self, other: &Delta, vm: &Vm) -> PyResult<Ref<Delta>> {
        Delta::new(
            i64::from(self.days) - i64::from(other.days),
            i64::from(self.seconds) - i64::from(other.seconds),
            i64::from(self.micros) - i64::from(other.micros),
            vm,
        )
    }

    /// `hash(self)`.
    pub fn hash(&self, vm: &Vm) -> PyResult<isize> {
        if self.hash.get() == -1 {
            self.hash.set(self.state(vm).as_object().hash(vm)?);
        }
        Ok(self.hash.get())
    }

    fn state(&self, vm: &Vm) -> Ref<Tuple> {
        vm.new_tuple([vm.new_int(self.days), vm.new_int(self.seconds), vm.new_int(self.micros)])
    }

    /// The total of a quotient of two numbers of microseconds, exactly rounded.
    fn true_quotient(a: i128, b: i128, vm: &Vm) -> PyResult {
        const EXACT: u128 = 1 << 53;
        if b != 0 && a.unsigned_abs() <= EXACT && b.unsigned_abs() <= EXACT {
            return Ok(vm.new_float(a as f64 / b as f64));
        }
        number::true_divide(&*wide_int(a, vm)?, &*wide_int(b, vm)?, vm)
    }

    fn by_int(&self, factor: &Int, vm: &Vm) -> PyResult {
        let total = self.total();
        if total == 0 {
            return Delta::plain_micros(0, vm);
        }
        match wide_value(factor).and_then(|factor| total.checked_mul(factor)) {
            Some(product) => Delta::plain_micros(product, vm),
            None => Err(too_large(vm)),
        }
    }

    /// Times or through an instance of a subclass of float, whose ratio is its own.
    fn by_own_ratio(&self, factor: &Object, divide: bool, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if factor.downcast_ref::<Float>().is_none() || factor.downcast_exact::<Float>().is_some() {
            return Ok(None);
        }
        let ratio = factor.call_method(&super::names::names(vm).as_integer_ratio, &[], vm)?;
        let Some(pair) = ratio.downcast_ref::<Tuple>() else {
            let given = ratio.ob_type().tp_name_str();
            return Err(vm.type_error(format!(
                "unexpected return type from as_integer_ratio(): expected tuple, not '{given}'"
            )));
        };
        let [numerator, denominator] = pair.as_slice() else {
            return Err(vm.value_error("unexpected return type from as_integer_ratio(): expected 2-tuple"));
        };
        let (Some(mut top), Some(mut bottom)) =
            (numerator.downcast_ref::<Int>(), denominator.downcast_ref::<Int>())
        else {
            return Err(vm.type_error("as_integer_ratio() must return integers"));
        };
        if divide {
            std::mem::swap(&mut top, &mut bottom);
        }
        if bottom.is_zero() {
            return Err(division_by_zero(vm));
        }
        let product = wide_value(top).and_then(|top| self.total().checked_mul(top));
        match (product, wide_value(bottom)) {
            (Some(product), Some(bottom)) => {
                Delta::plain_micros(divide_nearest(product, bottom), vm).map(Some)
            }
            _ => Err(too_large(vm)),
        }
    }

    fn float_result(result: Option<i128>, vm: &Vm) -> PyResult {
        match result {
            Some(micros) => Delta::plain_micros(micros, vm),
            None => Err(too_large(vm)),
        }
    }
}

#[cold]
fn division_by_zero(vm: &Vm) -> Raised {
    vm.zero_division_error("division by zero")
}

/// The sum of a constructor's arguments.
#[derive(Default)]
struct Sum {
    micros: i128,
    /// What does not fit there, as a Python int.
    beyond: Option<ObjRef>,
    /// Parts of a microsecond.
    rest: f64,
}

impl Sum {
    fn add_scaled(&mut self, int: &Int, factor: i64, vm: &Vm) -> PyResult<()> {
        let scaled = wide_value(int).and_then(|value| value.checked_mul(i128::from(factor)));
        if let Some(sum) = scaled.and_then(|scaled| self.micros.checked_add(scaled)) {
            self.micros = sum;
            return Ok(());
        }
        let product = number::multiply(&int.exact(vm), &vm.new_int(factor), vm)?;
        self.beyond = Some(match self.beyond.take() {
            Some(sum) => number::add(&sum, &product, vm)?,
            None => product,
        });
        Ok(())
    }

    fn add(&mut self, name: &str, value: Option<&Object>, factor: i64, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Ok(()) };
        if let Some(int) = value.downcast_ref::<Int>() {
            return self.add_scaled(int, factor, vm);
        }
        let Some(float) = value.downcast_ref::<Float>() else {
            let given = value.ob_type().tp_name_str();
            return Err(vm.type_error(format!("unsupported type for timedelta {name} component: {given}")));
        };
        let whole = float.value().trunc();
        let part = float.value() - whole;
        self.add_whole(whole, factor, vm)?;
        if part != 0.0 {
            let scaled = factor as f64 * part;
            self.rest += scaled - scaled.trunc();
            self.add_whole(scaled.trunc(), 1, vm)?;
        }
        Ok(())
    }

    fn add_whole(&mut self, whole: f64, factor: i64, vm: &Vm) -> PyResult<()> {
        if whole.abs() < 1e18 {
            self.micros += whole as i128 * i128::from(factor);
            return Ok(());
        }
        if whole.is_nan() {
            return Err(vm.value_error("cannot convert float NaN to integer"));
        }
        if whole.is_infinite() {
            return Err(vm.overflow_error("cannot convert float infinity to integer"));
        }
        let int = Int::type_object().as_object().call(&[&vm.new_float(whole)], vm)?;
        match int.downcast_ref::<Int>() {
            Some(int) => self.add_scaled(int, factor, vm),
            None => Err(vm.system_error("no int")),
        }
    }

    fn finish(self, cls: &Type, vm: &Vm) -> PyResult {
        let mut micros = self.micros;
        if self.rest != 0.0 {
            let mut whole = self.rest.round();
            if (whole - self.rest).abs() == 0.5 {
                // A tie goes to the even sum, not to the even part.
                let odd = (micros.rem_euclid(2)) as f64;
                whole = 2.0 * ((self.rest + odd) * 0.5).round() - odd;
            }
            micros += whole as i128;
        }
        let Some(beyond) = self.beyond else { return Delta::from_micros(cls, micros, vm) };
        let sum = number::add(&beyond, &*wide_int(micros, vm)?, vm)?;
        match sum.downcast_ref::<Int>().and_then(wide_value) {
            Some(micros) => Delta::from_micros(cls, micros, vm),
            None => Err(too_large(vm)),
        }
    }
}

/// Difference between two datetime values.
///
/// timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)
///
/// All arguments are optional and default to 0.
/// Arguments may be integers or floats, and may be positive or negative.
#[pytype(
    name = "datetime.timedelta",
    flags(BASETYPE),
    members(
        days: INT = days, readonly "Number of days.";
        seconds: INT = seconds, readonly "Number of seconds (>= 0 and less than 1 day).";
        microseconds: INT = micros, readonly "Number of microseconds (>= 0 and less than 1 second)."
    )
)]
impl Delta {
    #[new("!(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)")]
    #[allow(clippy::too_many_arguments, reason = "the constructor's seven parameters")]
    fn construct(
        cls: &Type,
        days: Option<&Object>,
        seconds: Option<&Object>,
        microseconds: Option<&Object>,
        milliseconds: Option<&Object>,
        minutes: Option<&Object>,
        hours: Option<&Object>,
        weeks: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let mut sum = Sum::default();
        sum.add("microseconds", microseconds, 1, vm)?;
        sum.add("milliseconds", milliseconds, 1_000, vm)?;
        sum.add("seconds", seconds, 1_000_000, vm)?;
        sum.add("minutes", minutes, 60_000_000, vm)?;
        sum.add("hours", hours, 3_600_000_000, vm)?;
        sum.add("days", days, 86_400_000_000, vm)?;
        sum.add("weeks", weeks, 604_800_000_000, vm)?;
        sum.finish(cls, vm)
    }

    /// Total seconds in the duration.
    #[method("($self, /)")]
    pub fn total_seconds(&self, vm: &Vm) -> PyResult {
        Delta::true_quotient(self.total(), SECOND, vm)
    }

    /// __reduce__() -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let cls = self.ob.ob_type().as_object().to_ref();
        Tuple::pair(cls, self.state(vm).into_object(), vm)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        self.hash(vm)
    }

    #[slot]
    fn tp_repr(&self) -> String {
        let name = self.ob.ob_type().tp_name_str();
        let mut parts = Vec::new();
        for (part, value) in [("days", self.days), ("seconds", self.seconds), ("microseconds", self.micros)] {
            if value != 0 {
                parts.push(format!("{part}={value}"));
            }
        }
        if parts.is_empty() {
            return format!("{name}(0)");
        }
        format!("{name}({})", parts.join(", "))
    }

    #[slot]
    fn tp_str(&self) -> String {
        let (minutes, second) = (self.seconds / 60, self.seconds % 60);
        let mut text = match self.days {
            0 => String::new(),
            1 | -1 => format!("{} day, ", self.days),
            days => format!("{days} days, "),
        };
        text += &format!("{}:{:02}:{second:02}", minutes / 60, minutes % 60);
        if self.micros != 0 {
            text += &format!(".{:06}", self.micros);
        }
        text
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<Delta>() else { return Ok(vm.not_implemented()) };
        let order = (self.days, self.seconds, self.micros).cmp(&(other.days, other.seconds, other.micros));
        Ok(vm.new_bool(op.test(order)))
    }

    #[slot]
    fn nb_add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let (Some(a), Some(b)) = (a.downcast_ref::<Delta>(), b.downcast_ref::<Delta>()) else {
            return Ok(vm.not_implemented());
        };
        Ok(Delta::new(
            i64::from(a.days) + i64::from(b.days),
            i64::from(a.seconds) + i64::from(b.seconds),
            i64::from(a.micros) + i64::from(b.micros),
            vm,
        )?
        .into_object())
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        match (a.downcast_ref::<Delta>(), b.downcast_ref::<Delta>()) {
            (Some(a), Some(b)) => Ok(a.minus(b, vm)?.into_object()),
            _ => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_multiply(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let (delta, factor) = match (a.downcast_ref::<Delta>(), b.downcast_ref::<Delta>()) {
            (Some(delta), None) => (delta, b),
            (None, Some(delta)) => (delta, a),
            _ => return Ok(vm.not_implemented()),
        };
        if let Some(factor) = factor.downcast_ref::<Int>() {
            return delta.by_int(factor, vm);
        }
        if let Some(result) = delta.by_own_ratio(factor, false, vm)? {
            return Ok(result);
        }
        match factor.downcast_ref::<Float>() {
            Some(factor) => {
                let factor = delta_float::Ratio::of(factor.value(), vm)?;
                Delta::float_result(factor.multiply(delta.total()), vm)
            }
            None => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_true_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let Some(delta) = a.downcast_ref::<Delta>() else { return Ok(vm.not_implemented()) };
        let total = delta.total();
        if let Some(other) = b.downcast_ref::<Delta>() {
            return Delta::true_quotient(total, other.total(), vm);
        }
        if let Some(int) = b.downcast_ref::<Int>() {
            return match wide_value(int) {
                Some(0) => Err(division_by_zero(vm)),
                Some(divisor) => Delta::plain_micros(divide_nearest(total, divisor), vm),
                // Far larger than twice any total.
                None => Delta::plain_micros(0, vm),
            };
        }
        if let Some(result) = delta.by_own_ratio(b, true, vm)? {
            return Ok(result);
        }
        match b.downcast_ref::<Float>() {
            Some(divisor) => {
                let divisor = delta_float::Ratio::of(divisor.value(), vm)?;
                if divisor.is_zero() {
                    return Err(division_by_zero(vm));
                }
                Delta::float_result(divisor.divide(total), vm)
            }
            None => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_floor_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let Some(delta) = a.downcast_ref::<Delta>() else { return Ok(vm.not_implemented()) };
        let total = delta.total();
        if let Some(other) = b.downcast_ref::<Delta>() {
            return match other.total() {
                0 => Err(vm.zero_division_error("division by zero")),
                divisor => wide_int(floor_quotient(total, divisor), vm),
            };
        }
        match b.downcast_ref::<Int>() {
            Some(int) => match wide_value(int) {
                Some(0) => Err(division_by_zero(vm)),
                Some(divisor) => Delta::plain_micros(floor_quotient(total, divisor), vm),
                None => {
                    let below = total != 0 && (total < 0) != int.is_negative();
                    Delta::plain_micros(if below { -1 } else { 0 }, vm)
                }
            },
            None => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_remainder(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let (Some(a), Some(b)) = (a.downcast_ref::<Delta>(), b.downcast_ref::<Delta>()) else {
            return Ok(vm.not_implemented());
        };
        let (total, divisor) = (a.total(), b.total());
        if divisor == 0 {
            return Err(division_by_zero(vm));
        }
        Delta::plain_micros(total - floor_quotient(total, divisor) * divisor, vm)
    }

    #[slot]
    fn nb_divmod(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let (Some(a), Some(b)) = (a.downcast_ref::<Delta>(), b.downcast_ref::<Delta>()) else {
            return Ok(vm.not_implemented());
        };
        let (total, divisor) = (a.total(), b.total());
        if divisor == 0 {
            return Err(division_by_zero(vm));
        }
        let quotient = floor_quotient(total, divisor);
        let rest = Delta::plain_micros(total - quotient * divisor, vm)?;
        Ok(Tuple::pair(wide_int(quotient, vm)?, rest, vm).into_object())
    }

    #[slot]
    fn nb_negative(&self, vm: &Vm) -> PyResult<Ref<Delta>> {
        Delta::new(-i64::from(self.days), -i64::from(self.seconds), -i64::from(self.micros), vm)
    }

    #[slot]
    fn nb_positive(&self, vm: &Vm) -> PyResult<Ref<Delta>> {
        Delta::new(i64::from(self.days), i64::from(self.seconds), i64::from(self.micros), vm)
    }

    #[slot]
    fn nb_absolute(&self, vm: &Vm) -> PyResult<Ref<Delta>> {
        if self.days < 0 { self.nb_negative(vm) } else { self.nb_positive(vm) }
    }

    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(!self.is_zero())
    }
}

/// `a // b` of numbers whose quotient fits.
fn floor_quotient(a: i128, b: i128) -> i128 {
    let (quotient, rest) = (a / b, a % b);
    if rest != 0 && (rest < 0) != (b < 0) { quotient - 1 } else { quotient }
}
