//! `writer`: from rows to lines.

use taipan_vm::builtins::str::StrBuilder;

use super::dialect::{Dialect, QUOTE_ALL, QUOTE_NONE, QUOTE_NONNUMERIC, QUOTE_NOTNULL, QUOTE_STRINGS};
use super::error;
use taipan_vm::prelude::*;

/// The layout of a writer.
#[repr(C)]
#[derive(Traverse)]
pub struct Writer {
    #[traverse(skip)]
    ob: Object,
    write: ObjRef,
    dialect: Slot<Dialect>,
}

/// A record that is being written.
struct Line<'a> {
    text: StrBuilder,
    fields: usize,
    dialect: &'a Dialect,
    vm: &'a Vm,
}

impl Line<'_> {
    /// Whether `None` may not be told from an empty field in quotes.
    fn keeps_null(&self) -> bool {
        matches!(self.dialect.quoting, QUOTE_STRINGS | QUOTE_NOTNULL)
    }

    /// Adds a field; no field is `None`.
    fn add(&mut self, field: Option<&Str>, mut quoted: bool) -> PyResult<()> {
        let dialect = self.dialect;
        let length = field.map_or(0, Str::len);
        if length == 0 && dialect.delimiter == u32::from(' ') && dialect.skipinitialspace {
            if dialect.quoting == QUOTE_NONE || (field.is_none() && self.keeps_null()) {
                return Err(error(
                    "empty field must be quoted if delimiter is a space and skipinitialspace is true",
                    self.vm,
                ));
            }
            quoted = true;
        }
        if self.fields > 0 {
            self.text.push_char(dialect.delimiter);
        }
        let mut body = StrBuilder::with_capacity(length);
        for code in field.iter().flat_map(|field| field.data().iter()) {
            let is = |special: Option<u32>| special == Some(code);
            let special = code == dialect.delimiter
                || is(dialect.escapechar)
                || is(dialect.quotechar)
                || matches!(char::from_u32(code), Some('\n' | '\r'))
                || dialect.ends_line(code);
            if special {
                let escape = if dialect.quoting == QUOTE_NONE {
                    true
                } else if is(dialect.quotechar) {
                    if dialect.doublequote {
                        body.push_char(code);
                    }
                    !dialect.doublequote
                } else {
                    is(dialect.escapechar)
                };
                if escape {
                    let Some(escapechar) = dialect.escapechar else {
                        return Err(error("need to escape, but no escapechar set", self.vm));
                    };
                    body.push_char(escapechar);
                } else {
                    quoted = true;
                }
            }
            body.push_char(code);
        }
        let quote = dialect.quotechar.filter(|_| quoted);
        if let Some(quote) = quote {
            self.text.push_char(quote);
        }
        self.text.push_data(body.data());
        if let Some(quote) = quote {
            self.text.push_char(quote);
        }
        self.fields += 1;
        Ok(())
    }
}

fn is_number(object: &Object) -> bool {
    object
        .ob_type()
        .as_number()
        .is_some_and(|n| n.nb_index.get().is_some() || n.nb_int.get().is_some() || n.nb_float.get().is_some())
        || object.downcast_ref::<Complex>().is_some()
}

impl Writer {
    /// A writer that hands its lines to `write`.
    pub fn make(write: ObjRef, dialect: Ref<Dialect>, vm: &Vm) -> ObjRef {
        vm.new_object(Writer { ob: Object::new(Self::type_object()), write, dialect: Slot::of(dialect) })
            .into_object()
    }

    fn write(&self, row: &Object, vm: &Vm) -> PyResult {
        let Some(dialect) = self.dialect.get() else {
            return Err(vm.runtime_error("the writer's dialect is gone"));
        };
        let iterator = match row.iter(vm) {
            Err(Raised) if vm.exception_matches(types::type_error()) => {
                vm.clear_exception();
                return Err(error(format!("iterable expected, not {}", row.ob_type().tp_name_str()), vm));
            }
            result => result?,
        };
        let mut line = Line { text: StrBuilder::new(), fields: 0, dialect: &dialect, vm };
        let mut null = false;
        while let Some(field) = iterator.iter_next(vm)? {
            let text = field.downcast_ref::<Str>();
            null = vm.is_none(&field);
            let quoted = match dialect.quoting {
                QUOTE_NONNUMERIC => !is_number(&field),
                QUOTE_ALL => true,
                QUOTE_STRINGS => text.is_some(),
                QUOTE_NOTNULL => !null,
                _ => false,
            };
            match text {
                Some(text) => line.add(Some(text), quoted)?,
                None if null => line.add(None, quoted)?,
                None => line.add(Some(&*field.str(vm)?), quoted)?,
            }
        }
        if line.fields > 0 && line.text.is_empty() {
            if dialect.quoting == QUOTE_NONE || (null && line.keeps_null()) {
                return Err(error("single empty field record must be quoted", vm));
            }
            line.fields -= 1;
            line.add(None, true)?;
        }
        line.text.push(&dialect.lineterminator);
        let text = line.text.try_finish(vm)?;
        self.write.call(&[text.as_object()], vm)
    }
}

/// CSV writer
///
/// Writer objects are responsible for generating tabular data
/// in CSV format from sequence input.
#[pytype(
    name = "_csv.writer",
    flags(BASETYPE),
    gc,
    no_new,
    members(dialect: OBJECT = dialect, readonly)
)]
impl Writer {
    /// Construct and write a CSV record from an iterable of fields.
    ///
    /// Non-string elements will be converted to string.
    #[method("($self, row, /)")]
    fn writerow(&self, row: &Object, vm: &Vm) -> PyResult {
        self.write(row, vm)
    }

    /// Construct and write a series of iterables to a csv file.
    ///
    /// Non-string elements will be converted to string.
    #[method("($self, rows, /)")]
    fn writerows(&self, rows: &Object, vm: &Vm) -> PyResult<()> {
        let iterator = rows.iter(vm)?;
        while let Some(row) = iterator.iter_next(vm)? {
            self.write(&row, vm)?;
        }
        Ok(())
    }
}
