//! `strftime`: what the C library cannot know is filled in before it is asked.

use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use super::datetime::DateTime;
use super::names::names;
use super::time::Time;
use super::tzinfo;

/// What a format can ask of the object beside its time tuple.
struct Source<'a> {
    object: &'a Object,
    /// What the time zone's methods get.
    argument: &'a Object,
}

impl Source<'_> {
    fn zone(&self) -> Option<ObjRef> {
        match self.object.downcast_ref::<DateTime>() {
            Some(dt) => dt.zone(),
            None => self.object.downcast_ref::<Time>().and_then(Time::zone),
        }
    }

    fn micros(&self) -> i32 {
        match self.object.downcast_ref::<DateTime>() {
            Some(dt) => dt.clock().micro,
            None => self.object.downcast_ref::<Time>().map_or(0, |time| time.clock().micro),
        }
    }

    fn offset(&self, separator: &str, vm: &Vm) -> PyResult<String> {
        let offset = tzinfo::utcoffset(self.zone().as_deref(), self.argument, vm)?;
        Ok(tzinfo::offset_text(offset.as_deref(), separator))
    }
}

fn percent_doubled(name: &Str, out: &mut StrBuilder) {
    for code in name.data().iter() {
        out.push_char(code);
        if code == u32::from('%') {
            out.push_char(code);
        }
    }
}

fn year_of(timetuple: &Object, vm: &Vm) -> PyResult<i64> {
    let year = timetuple.get_item(&vm.new_int(0), vm)?;
    year.as_index(vm)?.to_i64().ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))
}

/// Years of less than four digits, which the C library does not pad.
fn early_year(directive: char, timetuple: &Object, strftime: &Object, vm: &Vm) -> PyResult<Option<String>> {
    let mut year = year_of(timetuple, vm)?;
    if year >= 1000 {
        return Ok(None);
    }
    if directive == 'G' {
        let text = strftime.call(&[vm.new_str("%G").as_object(), timetuple], vm)?;
        let number = Int::type_object().as_object().call(&[&text], vm)?;
        year = number.as_isize(vm)? as i64;
    }
    Ok(Some(match directive {
        'C' => format!("{:02}", year / 100),
        'F' => format!("{year:04}-%m-%d"),
        _ => format!("{year:04}"),
    }))
}

/// `time.strftime` of a format whose `%f`, `%z`, `%:z` and `%Z` are the object's.
pub fn wrap_strftime(
    object: &Object,
    format: &Str,
    timetuple: &Object,
    argument: &Object,
    vm: &Vm,
) -> PyResult {
    let source = Source { object, argument };
    let strftime = import_module("time", vm)?.get_attr(&names(vm).strftime, vm)?;
    let mut out = StrBuilder::with_capacity(format.len());
    let codes: Vec<u32> = format.data().iter().collect();
    let mut at = 0;
    let letter = |place: usize| codes.get(place).copied().and_then(char::from_u32);
    while let Some(&code) = codes.get(at) {
        at += 1;
        if code != u32::from('%') {
            out.push_char(code);
            continue;
        }
        let directive = letter(at);
        match directive {
            Some('z') => out.push_str(&source.offset("", vm)?),
            Some(':') if letter(at + 1) == Some('z') => {
                out.push_str(&source.offset(":", vm)?);
                at += 1;
            }
            Some('Z') => {
                let name = tzinfo::tzname(source.zone().as_deref(), argument, vm)?;
                if let Some(name) = name.downcast_exact::<Str>() {
                    percent_doubled(name, &mut out);
                } else if !vm.is_none(&name) {
                    let (percent, two) = (vm.new_str("%"), vm.new_str("%%"));
                    let name =
                        name.call_method(&names(vm).replace, &[percent.as_object(), two.as_object()], vm)?;
                    match name.downcast_ref::<Str>() {
                        Some(name) => out.push(name),
                        None => return Err(vm.type_error("tzname.replace() did not return a string")),
                    }
                }
            }
            Some('f') => out.push_str(&format!("{:06}", source.micros())),
            Some(directive @ ('Y' | 'G' | 'C' | 'F')) => {
                match early_year(directive, timetuple, &strftime, vm)? {
                    Some(text) => out.push_str(&text),
                    None => {
                        out.push_str("%");
                        out.push_char(u32::from(directive));
                    }
                }
            }
            _ => {
                out.push_str("%");
                match codes.get(at) {
                    Some(code) => out.push_char(*code),
                    None => break,
                }
            }
        }
        at += 1;
    }
    strftime.call(&[out.try_finish(vm)?.as_object(), timetuple], vm)
}

/// `format(object, spec)`: `str` for an empty one.
pub fn formatted(object: &Object, spec: &Str, vm: &Vm) -> PyResult {
    if spec.is_empty() {
        return Ok(object.str(vm)?.into_object());
    }
    object.call_method(&names(vm).strftime, &[spec.as_object()], vm)
}

/// A parser of `_strptime`, called with a class, a text and a format.
pub fn parsed_by(parser: &str, cls: &Type, text: &Str, format: &Str, vm: &Vm) -> PyResult {
    let module = import_module("_strptime", vm)?;
    let parser = module.get_attr(&vm.intern(parser), vm)?;
    parser.call(&[cls.as_object(), text.as_object(), format.as_object()], vm)
}

/// A `time.struct_time`.
pub fn struct_time(date: (i32, i32, i32, i32, i32), seconds: [i32; 3], dst: i32, vm: &Vm) -> PyResult {
    let (year, month, day, weekday, yearday) = date;
    let [hour, minute, second] = seconds;
    let fields: Vec<ObjRef> = [year, month, day, hour, minute, second, weekday, yearday, dst]
        .into_iter()
        .map(|field| vm.new_int(field))
        .collect();
    let cls = import_module("time", vm)?.get_attr(&names(vm).struct_time, vm)?;
    cls.call(&[vm.new_tuple(fields).as_object()], vm)
}
