//! Sums, differences and comparisons of datetimes.

use taipan_vm::prelude::*;

use super::calendar::Day;
use super::clock::Clock;
use super::datetime::DateTime;
use super::delta::Delta;
use super::time::same_offset;

/// The day and time a duration later (or earlier, for a sign of -1).
pub fn shifted(dt: &DateTime, delta: &Delta, sign: i64, vm: &Vm) -> PyResult<(Day, Clock)> {
    let clock = dt.clock();
    let micros = i64::from(clock.micro) + sign * i64::from(delta.micros);
    let seconds = clock.seconds() + sign * i64::from(delta.seconds) + micros.div_euclid(1_000_000);
    let days = i64::from(dt.day().ordinal()) + sign * i64::from(delta.days) + seconds.div_euclid(86_400);
    let day = Day::from_wide_ordinal(days, vm)?;
    Ok((day, Clock::from_seconds(seconds.rem_euclid(86_400), micros.rem_euclid(1_000_000) as i32)))
}

/// A datetime plus or minus a duration, of the datetime's class.
pub fn add_delta(dt: &DateTime, delta: &Delta, sign: i64, vm: &Vm) -> PyResult {
    let (day, clock) = shifted(dt, delta, sign, vm)?;
    DateTime::build(dt.as_object().ob_type(), day, clock, dt.zone(), vm)
}

fn naive_difference(a: &DateTime, b: &DateTime, vm: &Vm) -> PyResult<Ref<Delta>> {
    let (early, late) = (b.clock(), a.clock());
    Delta::new(
        i64::from(a.day().ordinal()) - i64::from(b.day().ordinal()),
        late.seconds() - early.seconds(),
        i64::from(late.micro) - i64::from(early.micro),
        vm,
    )
}

/// `a - b`.
pub fn difference(a: &DateTime, b: &DateTime, vm: &Vm) -> PyResult<Ref<Delta>> {
    if a.same_zone(b) {
        return naive_difference(a, b, vm);
    }
    let (mine, its) = (a.offset(vm)?, b.offset(vm)?);
    let naive = naive_difference(a, b, vm)?;
    match (mine, its) {
        (None, None) => Ok(naive),
        (Some(mine), Some(its)) if mine.same(&its) => Ok(naive),
        (Some(mine), Some(its)) => naive.minus(&*mine.minus(&its, vm)?, vm),
        _ => Err(vm.type_error("can't subtract offset-naive and offset-aware datetimes")),
    }
}

/// Whether the offset depends on the fold: such a time equals none of another zone (PEP 495).
fn depends_on_fold(dt: &DateTime, offset: Option<&Delta>, vm: &Vm) -> PyResult<bool> {
    let clock = dt.clock();
    let clock = Clock { fold: 1 - clock.fold, ..clock };
    let twin = DateTime::make(DateTime::type_object(), dt.day(), clock, dt.zone(), vm)?;
    let flipped = twin.downcast_ref::<DateTime>().map_or(Ok(None), |twin| twin.offset(vm))?;
    Ok(!same_offset(flipped.as_deref(), offset))
}

/// `a op b`.
pub fn compare(a: &DateTime, b: &DateTime, op: CompareOp, vm: &Vm) -> PyResult {
    let shown = a.bytes().cmp(b.bytes());
    if a.same_zone(b) {
        return Ok(vm.new_bool(op.test(shown)));
    }
    let (mine, its) = (a.offset(vm)?, b.offset(vm)?);
    let order = if same_offset(mine.as_deref(), its.as_deref()) {
        shown
    } else if mine.is_some() && its.is_some() {
        let delta = difference(a, b, vm)?;
        (delta.days, delta.seconds, delta.micros).cmp(&(0, 0, 0))
    } else {
        return match op {
            CompareOp::Eq => Ok(vm.new_bool(false)),
            CompareOp::Ne => Ok(vm.new_bool(true)),
            _ => Err(vm.type_error("can't compare offset-naive and offset-aware datetimes")),
        };
    };
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    if equality
        && order.is_eq()
        && (depends_on_fold(a, mine.as_deref(), vm)? || depends_on_fold(b, its.as_deref(), vm)?)
    {
        return Ok(vm.new_bool(op == CompareOp::Ne));
    }
    Ok(vm.new_bool(op.test(order)))
}
