//! `reader`: from lines to rows.

use std::cell::Cell;

use taipan_vm::builtins::str::StrBuilder;

use super::dialect::{Dialect, QUOTE_NONE, QUOTE_NONNUMERIC, QUOTE_NOTNULL, QUOTE_STRINGS};
use super::{error, state};
use taipan_vm::prelude::*;

/// Where in a record the reader is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    StartRecord,
    StartField,
    EscapedChar,
    InField,
    InQuotedField,
    EscapeInQuotedField,
    QuoteInQuotedField,
    EatLineEnd,
    AfterEscapedLineEnd,
}

/// The record that is being read.
#[derive(Default)]
struct Record {
    fields: Vec<ObjRef>,
    field: StrBuilder,
    place: Place,
    /// The field so far had no quotes.
    unquoted: bool,
}

const CR: u32 = '\r' as u32;
const LF: u32 = '\n' as u32;

impl Record {
    fn add(&mut self, code: u32, vm: &Vm) -> PyResult<()> {
        let limit = state(vm).field_limit.get();
        if self.field.len() as isize >= limit {
            return Err(error(format!("field larger than field limit ({limit})"), vm));
        }
        self.field.push_char(code);
        Ok(())
    }

    /// Ends the field. Numbers come back as text, with `true`, to be converted when the record is whole.
    fn save(&mut self, quoting: i32, vm: &Vm) -> PyResult<()> {
        let empty = self.field.is_empty();
        if self.unquoted && empty && (quoting == QUOTE_NOTNULL || quoting == QUOTE_STRINGS) {
            self.fields.push(vm.none());
            return Ok(());
        }
        let text = std::mem::take(&mut self.field).finish(vm).into_object();
        let number = self.unquoted && !empty && (quoting == QUOTE_NONNUMERIC || quoting == QUOTE_STRINGS);
        // An exact str: conversion runs no code of the program's.
        self.fields.push(if number { Float::type_object().as_object().call(&[&text], vm)? } else { text });
        Ok(())
    }

    /// Takes one character; `None` is the line's end.
    fn take(&mut self, code: Option<u32>, dialect: &Dialect, vm: &Vm) -> PyResult<()> {
        let ends = matches!(code, None | Some(CR | LF));
        let after_end = if code.is_none() { Place::StartRecord } else { Place::EatLineEnd };
        let is = |special: Option<u32>| code.is_some() && code == special;
        let is_quote = dialect.quoting != QUOTE_NONE && is(dialect.quotechar);
        let (is_delimiter, is_escape) = (code == Some(dialect.delimiter), is(dialect.escapechar));
        if self.place == Place::StartRecord {
            match code {
                None => return Ok(()),
                Some(CR | LF) => {
                    self.place = Place::EatLineEnd;
                    return Ok(());
                }
                Some(_) => self.place = Place::StartField,
            }
        }
        match self.place {
            Place::StartRecord | Place::StartField => {
                self.unquoted = true;
                if ends {
                    self.save(dialect.quoting, vm)?;
                    self.place = after_end;
                } else if is_quote {
                    self.unquoted = false;
                    self.place = Place::InQuotedField;
                } else if is_escape {
                    self.place = Place::EscapedChar;
                } else if code == Some(u32::from(' ')) && dialect.skipinitialspace {
                    // Skipped, even where a space is the delimiter.
                } else if is_delimiter {
                    self.save(dialect.quoting, vm)?;
                } else {
                    self.add(code.unwrap_or(LF), vm)?;
                    self.place = Place::InField;
                }
            }
            Place::EscapedChar => {
                self.add(code.unwrap_or(LF), vm)?;
                let line_end = matches!(code, Some(CR | LF));
                self.place = if line_end { Place::AfterEscapedLineEnd } else { Place::InField };
            }
            Place::AfterEscapedLineEnd if code.is_none() => {}
            Place::AfterEscapedLineEnd | Place::InField => {
                if ends {
                    self.save(dialect.quoting, vm)?;
                    self.place = after_end;
                } else if is_escape {
                    self.place = Place::EscapedChar;
                } else if is_delimiter {
                    self.save(dialect.quoting, vm)?;
                    self.place = Place::StartField;
                } else {
                    self.add(code.unwrap_or(LF), vm)?;
                    self.place = Place::InField;
                }
            }
            Place::InQuotedField => match code {
                None => {}
                Some(_) if is_escape => self.place = Place::EscapeInQuotedField,
                Some(_) if is_quote && dialect.doublequote => self.place = Place::QuoteInQuotedField,
                Some(_) if is_quote => self.place = Place::InField,
                Some(code) => self.add(code, vm)?,
            },
            Place::EscapeInQuotedField => {
                self.add(code.unwrap_or(LF), vm)?;
                self.place = Place::InQuotedField;
            }
            Place::QuoteInQuotedField => match code {
                Some(quote) if is_quote => {
                    self.add(quote, vm)?;
                    self.place = Place::InQuotedField;
                }
                _ if is_delimiter => {
                    self.save(dialect.quoting, vm)?;
                    self.place = Place::StartField;
                }
                None | Some(CR | LF) => {
                    self.save(dialect.quoting, vm)?;
                    self.place = after_end;
                }
                Some(code) if !dialect.strict => {
                    self.add(code, vm)?;
                    self.place = Place::InField;
                }
                Some(_) => {
                    let show = |code: u32| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                    let quote = show(dialect.quotechar.unwrap_or(u32::from('"')));
                    let text = format!("'{}' expected after '{quote}'", show(dialect.delimiter));
                    return Err(error(text, vm));
                }
            },
            Place::EatLineEnd => match code {
                Some(CR | LF) => {}
                None => self.place = Place::StartRecord,
                Some(_) => {
                    return Err(error(
                        "new-line character seen in unquoted field - do you need to open the file with newline=''?",
                        vm,
                    ));
                }
            },
        }
        Ok(())
    }
}

/// The layout of a reader.
#[repr(C)]
#[derive(Traverse)]
pub struct Reader {
    #[traverse(skip)]
    ob: Object,
    input: ObjRef,
    dialect: Slot<Dialect>,
    #[traverse(skip)]
    lines: Cell<usize>,
    /// Counts the rows asked for, to see when the input asks for one itself.
    #[traverse(skip)]
    turn: Cell<usize>,
}

impl Reader {
    /// A reader of the lines that an iterator gives.
    pub fn make(input: ObjRef, dialect: Ref<Dialect>, vm: &Vm) -> ObjRef {
        vm.new_object(Reader {
            ob: Object::new(Self::type_object()),
            input,
            dialect: Slot::of(dialect),
            lines: Cell::new(0),
            turn: Cell::new(0),
        })
        .into_object()
    }

    /// Feeds one line to the record. Runs no Python code.
    fn feed(&self, record: &mut Record, line: &Str, dialect: &Dialect, vm: &Vm) -> PyResult<()> {
        for code in line.data().iter() {
            record.take(Some(code), dialect, vm)?;
        }
        record.take(None, dialect, vm)
    }
}

/// CSV reader
///
/// Reader objects are responsible for reading and parsing tabular data
/// in CSV format.
#[pytype(
    name = "_csv.reader",
    flags(BASETYPE),
    gc,
    no_new,
    members(dialect: OBJECT = dialect, readonly; line_num: ULONG = lines, readonly)
)]
impl Reader {
    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(dialect) = self.dialect.get() else { return Ok(None) };
        let turn = self.turn.get().wrapping_add(1);
        self.turn.set(turn);
        // The record is this call's own while the input's code runs.
        let mut record = Record::default();
        loop {
            let line = self.input.iter_next(vm)?;
            if self.turn.get() != turn {
                return Err(error("iterator has already advanced the reader", vm));
            }
            match line {
                None => {
                    if record.field.is_empty() && record.place != Place::InQuotedField {
                        return Ok(None);
                    }
                    if dialect.strict {
                        return Err(error("unexpected end of data", vm));
                    }
                    record.save(dialect.quoting, vm)?;
                    break;
                }
                Some(line) => {
                    let Some(line) = line.downcast_ref::<Str>() else {
                        return Err(error(
                            format!(
                                "iterator should return strings, not {} (the file should be opened in text mode)",
                                line.ob_type().tp_name_str()
                            ),
                            vm,
                        ));
                    };
                    self.lines.set(self.lines.get().wrapping_add(1));
                    self.feed(&mut record, line, &dialect, vm)?;
                }
            }
            if record.place == Place::StartRecord {
                break;
            }
        }
        Ok(Some(vm.new_list(record.fields).into_object()))
    }
}
