//! The transitions of a zone.

use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use crate::_datetime::Delta;

use super::rule::{self, Transition};

/// What the clocks of a zone show for a time.
#[derive(Clone)]
pub struct Info {
    pub offset: Ref<Delta>,
    pub saving: Ref<Delta>,
    pub name: ObjRef,
    pub seconds: i64,
}

impl Info {
    fn new(seconds: i64, saving: i64, name: ObjRef, vm: &Vm) -> PyResult<Info> {
        Ok(Info {
            offset: Delta::new(0, seconds, 0, vm)?,
            saving: Delta::new(0, saving, 0, vm)?,
            name,
            seconds,
        })
    }

    fn same(&self, other: &Info, vm: &Vm) -> PyResult<bool> {
        let fine = self.offset.same(&other.offset) && self.saving.same(&other.saving);
        Ok(fine && self.name.eq(&other.name, vm)?)
    }
}

/// What holds after the last transition.
struct After {
    standard: Info,
    /// Daylight saving time, its start and its end.
    saving: Option<(Info, Transition, Transition)>,
}

impl After {
    fn at(&self, shown: i64, fold: bool, year: i64) -> &Info {
        let Some((saving, start, end)) = &self.saving else { return &self.standard };
        let difference = saving.seconds - self.standard.seconds;
        let (mut start, mut end) = (start.in_year(year), end.in_year(year));
        // With fold 0 the time of the smaller offset runs from the end of the gap to the end of the fold, with fold 1 from
        // the start of the one to the start of the other.
        if fold == (difference >= 0) {
            end -= difference;
        } else {
            start += difference;
        }
        if within(shown, start, end) { saving } else { &self.standard }
    }

    fn at_utc(&self, moment: i64, year: i64) -> (&Info, bool) {
        let Some((saving, start, end)) = &self.saving else { return (&self.standard, false) };
        let difference = saving.seconds - self.standard.seconds;
        let start = start.in_year(year) - self.standard.seconds;
        let end = end.in_year(year) - saving.seconds;
        let info = if within(moment, start, end) { saving } else { &self.standard };
        let repeated = if difference > 0 { end..end + difference } else { start..start - difference };
        (info, repeated.contains(&moment))
    }
}

/// Whether a time lies in a period of the year, which may go over the turn of the year.
fn within(at: i64, start: i64, end: i64) -> bool {
    if start < end { (start..end).contains(&at) } else { !(end..start).contains(&at) }
}

/// All that a zone's file says.
pub struct Data {
    infos: Vec<Info>,
    /// The index of what holds from each transition on.
    index: Vec<usize>,
    utc: Vec<i64>,
    /// The transitions in local time, for either fold.
    local: [Vec<i64>; 2],
    before: usize,
    after: After,
    fixed: bool,
}

fn int_list<T: TryFrom<i64>>(object: &Object, vm: &Vm) -> PyResult<Vec<T>> {
    let too_large = || vm.overflow_error("Python int too large to convert to C long");
    let mut values = Vec::new();
    for item in object.collect_iterable(vm)? {
        let value = item.as_index(vm)?.to_i64().ok_or_else(too_large)?;
        values.push(T::try_from(value).map_err(|_| too_large())?);
    }
    Ok(values)
}

/// How much of each offset is daylight saving, as far as the order of the transitions tells.
fn saving_parts(index: &[usize], offsets: &[i64], is_dst: &[bool]) -> Vec<i64> {
    let mut parts = vec![0; offsets.len()];
    let wanted = is_dst.iter().filter(|dst| **dst).count();
    let mut found = 0;
    let offset = |at: usize| offsets.get(at).copied().unwrap_or(0);
    let dst = |at: usize| is_dst.get(at).copied().unwrap_or(false);
    for (place, pair) in index.windows(2).enumerate() {
        if found == wanted {
            return parts;
        }
        let [before, this] = *pair else { continue };
        if !dst(this) || parts.get(this).is_none_or(|part| *part != 0) {
            continue;
        }
        let mut part = if dst(before) { 0 } else { offset(this) - offset(before) };
        if part == 0 && this + 1 < offsets.len() {
            if let Some(next) = index.get(place + 2) {
                if dst(*next) {
                    continue;
                }
                part = offset(this) - offset(*next);
            }
        }
        if part != 0 {
            found += 1;
            if let Some(place) = parts.get_mut(this) {
                *place = part;
            }
        }
    }
    if found != wanted {
        // An hour is a better guess than nothing.
        for (part, dst) in parts.iter_mut().zip(is_dst) {
            if *part == 0 && *dst {
                *part = 3600;
            }
        }
    }
    parts
}

/// The transitions in local time: by the larger of the two offsets for fold 0, by the smaller for fold 1.
fn local_times(index: &[usize], utc: &[i64], offsets: &[i64]) -> [Vec<i64>; 2] {
    let offset = |at: usize| offsets.get(at).copied().unwrap_or(0);
    let mut before = offset(0);
    let mut local = [Vec::with_capacity(utc.len()), Vec::with_capacity(utc.len())];
    for (moment, at) in utc.iter().zip(index) {
        let after = if offsets.len() > 1 { offset(*at) } else { before };
        let [first, second] = &mut local;
        first.push(moment.saturating_add(before.max(after)));
        second.push(moment.saturating_add(before.min(after)));
        before = after;
    }
    local
}

impl Data {
    /// Reads an open TZif file.
    pub fn load(file: &Object, vm: &Vm) -> PyResult<Data> {
        let common = import_module("zoneinfo._common", vm)?;
        let loaded = common.call_method(&vm.intern("load_data"), &[file], vm)?;
        let parts = loaded.downcast_ref::<Tuple>().map(Tuple::as_slice);
        let Some([index, utc, offsets, is_dst, names, rule]) = parts else {
            return Err(
                vm.type_error(format!("Invalid data result type: {}", loaded.repr(vm)?.to_string_lossy()))
            );
        };
        let index: Vec<usize> = int_list(index, vm)?;
        let utc: Vec<i64> = int_list(utc, vm)?;
        let offsets: Vec<i64> = int_list(offsets, vm)?;
        let mut dst = Vec::new();
        for item in is_dst.collect_iterable(vm)? {
            dst.push(item.is_true(vm)?);
        }
        let names = names.collect_iterable(vm)?;
        if index.len() != utc.len() || offsets.len() != dst.len() || offsets.len() != names.len() {
            return Err(vm.value_error("Invalid time zone data"));
        }
        if index.iter().any(|at| *at >= offsets.len()) {
            return Err(vm.value_error("Invalid transition index found while reading TZif"));
        }
        let savings = saving_parts(&index, &offsets, &dst);
        let local = local_times(&index, &utc, &offsets);
        let mut infos = Vec::with_capacity(offsets.len());
        for ((offset, saving), name) in offsets.iter().zip(&savings).zip(names) {
            infos.push(Info::new(*offset, *saving, name, vm)?);
        }
        let before = dst.iter().position(|dst| !dst).unwrap_or(0);
        let after = if rule.is_true(vm)? {
            Data::parse_rule(rule, vm)?
        } else {
            let last = index.last().copied().unwrap_or_else(|| infos.len().saturating_sub(1));
            match infos.get(last) {
                Some(info) => After { standard: info.clone(), saving: None },
                None => return Err(vm.value_error("No time zone information found.")),
            }
        };
        let fixed = match infos.as_slice() {
            _ if after.saving.is_some() => false,
            [] => true,
            [only] => only.same(&after.standard, vm)?,
            _ => false,
        };
        Ok(Data { infos, index, utc, local, before, after, fixed })
    }

    fn parse_rule(rule: &Object, vm: &Vm) -> PyResult<After> {
        let Some(bytes) = rule.downcast_ref::<Bytes>() else {
            return Err(vm.type_error("a TZ string is bytes"));
        };
        let Some(parsed) = rule::parse(bytes.as_bytes()) else {
            let shown = rule.repr(vm)?;
            return Err(vm.value_error(format!("Malformed TZ string: {}", shown.to_string_lossy())));
        };
        let (name, offset) = parsed.standard;
        let standard = Info::new(offset, 0, vm.new_str(&name).into_object(), vm)?;
        let saving = match parsed.saving {
            Some(((name, shifted), start, end)) => {
                let info = Info::new(shifted, shifted - offset, vm.new_str(&name).into_object(), vm)?;
                Some((info, start, end))
            }
            None => None,
        };
        Ok(After { standard, saving })
    }

    fn from_transition(&self, at: usize) -> &Info {
        let info = self.index.get(at).and_then(|at| self.infos.get(*at));
        info.unwrap_or(&self.after.standard)
    }

    fn first(&self) -> &Info {
        self.infos.get(self.before).unwrap_or(&self.after.standard)
    }

    /// What holds at any time, if the zone never changes.
    pub fn always(&self) -> Option<&Info> {
        self.fixed.then_some(&self.after.standard)
    }

    /// What holds when the clocks show this.
    pub fn at_local(&self, shown: i64, fold: bool, year: i64) -> &Info {
        let [unfolded, folded] = &self.local;
        let times = if fold { folded } else { unfolded };
        match (times.first(), times.last()) {
            (Some(first), _) if shown < *first => self.first(),
            (_, Some(last)) if shown <= *last => {
                let next = times.partition_point(|time| *time <= shown);
                self.from_transition(next.saturating_sub(1))
            }
            _ => self.after.at(shown, fold, year),
        }
    }

    /// What holds at a moment, and whether the clocks show it for the second time.
    pub fn at_utc(&self, moment: i64, year: i64) -> (&Info, bool) {
        let count = self.utc.len();
        let before = |at: usize| match at.checked_sub(1) {
            Some(at) => self.from_transition(at),
            None => self.first(),
        };
        match (self.utc.first(), self.utc.last()) {
            (Some(first), _) if moment < *first => (self.first(), false),
            (_, Some(last)) if moment <= *last => {
                let at = self.utc.partition_point(|time| *time <= moment).saturating_sub(1);
                let (previous, info) = (before(at), self.from_transition(at));
                let since = self.utc.get(at).map_or(0, |time| moment.saturating_sub(*time));
                (info, previous.seconds - info.seconds > since)
            }
            (_, last) => {
                let (info, mut fold) = self.after.at_utc(moment, year);
                if let Some(last) = last {
                    // Right after the last transition, the times repeat that it has set back.
                    let difference = before(count - 1).seconds - info.seconds;
                    fold |= difference > 0 && moment < last.saturating_add(difference);
                }
                (info, fold)
            }
        }
    }
}
