//! `str % args`: printf-style formatting (library reference, "printf-style String Formatting").

use super::{StrBuilder, StrData, repr};
use crate::prelude::*;
use taipan_numeric::TextSink;
use taipan_numeric::percent::{self, Count, Directive, Flags, Parser, PercentError, Piece};

impl TextSink for StrBuilder {
    #[inline]
    fn push_text(&mut self, text: &str) {
        // Most numbers have no sign, prefix or fraction.
        if !text.is_empty() {
            self.push_str(text);
        }
    }
    fn push_repeated(&mut self, code_point: u32, count: usize) {
        // Callers reserve first.
        self.fill(code_point, count);
    }
    fn reserve(&mut self, count: usize) -> bool {
        self.try_room(count)
    }
}

/// The right-hand side: a tuple's items in turn, or one value, or a mapping for `%(key)`.
pub(crate) struct Arguments<'a> {
    value: &'a Object,
    items: Option<&'a Tuple>,
    next: usize,
    mapping: bool,
}

impl<'a> Arguments<'a> {
    /// Looks at the right-hand side. `text` says which of str and bytes doesn't count as a mapping.
    pub(crate) fn new(value: &'a Object) -> Self {
        let items = value.downcast_ref::<Tuple>();
        let is_mapping = value.ob_type().as_mapping().is_some_and(|m| m.mp_subscript.get().is_some());
        let excluded = items.is_some()
            || value.downcast_ref::<Str>().is_some()
            || value.downcast_ref::<Bytes>().is_some()
            || value.downcast_ref::<ByteArray>().is_some();
        Arguments { value, items, next: 0, mapping: is_mapping && !excluded }
    }

    /// For str, bytes on the right do count as a mapping.
    pub(crate) fn for_str(value: &'a Object) -> Self {
        let mut arguments = Arguments::new(value);
        if value.downcast_ref::<Bytes>().is_some() || value.downcast_ref::<ByteArray>().is_some() {
            arguments.mapping = true;
        }
        arguments
    }

    /// The next argument in turn.
    pub(crate) fn take(&mut self, vm: &Vm) -> PyResult<ObjRef> {
        let item = match self.items {
            Some(items) => items.as_slice().get(self.next).cloned(),
            None if self.next == 0 => Some(self.value.to_ref()),
            None => None,
        };
        self.next += 1;
        item.ok_or_else(|| vm.type_error("not enough arguments for format string"))
    }

    /// The mapping that `%(key)` looks into.
    pub(crate) fn mapping(&self, vm: &Vm) -> PyResult<&'a Object> {
        if self.mapping { Ok(self.value) } else { Err(vm.type_error("format requires a mapping")) }
    }

    /// Raises when arguments are left over.
    pub(crate) fn finish(&self, kind: &str, vm: &Vm) -> PyResult<()> {
        let left = match self.items {
            Some(items) => self.next < items.len(),
            None => self.next == 0,
        };
        if left && !self.mapping {
            return Err(vm.type_error(format!("not all arguments converted during {kind} formatting")));
        }
        Ok(())
    }
}

/// Width, precision and flags with the arguments that `*` took.
pub(crate) struct Resolved {
    pub(crate) flags: Flags,
    pub(crate) width: usize,
    pub(crate) precision: Option<usize>,
}

impl Resolved {
    /// Whether the directive is a `%` and a letter alone.
    fn is_plain(&self) -> bool {
        self.width == 0 && self.precision.is_none() && self.flags == Flags::default()
    }
}

/// Fetches the arguments of `*`.
pub(crate) fn resolve(directive: &Directive, arguments: &mut Arguments<'_>, vm: &Vm) -> PyResult<Resolved> {
    let mut flags = directive.flags;
    let width = match directive.width {
        None => 0,
        Some(Count::Fixed(width)) => width,
        Some(Count::Argument) => {
            let item = arguments.take(vm)?;
            let Some(int) = item.downcast_ref::<Int>() else { return Err(vm.type_error("* wants int")) };
            let Some(width) = int.to_i64() else {
                return Err(vm.overflow_error("Python int too large to convert to C ssize_t"));
            };
            if width < 0 {
                flags.left = true;
            }
            let Some(width) = width.checked_abs() else { return Err(vm.overflow_error("width too big")) };
            width as usize
        }
    };
    let precision = match directive.precision {
        None => None,
        Some(Count::Fixed(precision)) => Some(precision),
        Some(Count::Argument) => {
            let item = arguments.take(vm)?;
            let Some(int) = item.downcast_ref::<Int>() else { return Err(vm.type_error("* wants int")) };
            match int.to_i64().map(i32::try_from) {
                Some(Ok(precision)) => Some(precision.max(0) as usize),
                Some(Err(_)) | None => {
                    return Err(vm.overflow_error("Python int too large to convert to C int"));
                }
            }
        }
    };
    Ok(Resolved { flags, width, precision })
}

/// Raises what a broken directive deserves.
pub(crate) fn raise(error: PercentError, vm: &Vm) -> Raised {
    vm.value_error(error.text())
}

/// The text of a number for `d i u o x X e E f F g G`; `None` for other letters.
pub(crate) fn number(value: &Object, letter: char, resolved: &Resolved, vm: &Vm) -> PyResult<Option<String>> {
    match letter {
        'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
            let int = integer(value, letter, vm)?;
            let limit = vm.interp().int_max_str_digits.get().max(0) as usize;
            let text =
                percent::format_int(int.as_int_ref(), letter, resolved.flags, resolved.precision, limit);
            match text {
                Some(text) => Ok(Some(text)),
                None if matches!(letter, 'd' | 'i' | 'u') && limit > 0 => {
                    // The int's own conversion raises the precise error.
                    int.as_object().str(vm)?;
                    Err(vm.memory_error())
                }
                None => Err(vm.memory_error()),
            }
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let number = value.as_f64(vm)?;
            Ok(Some(percent::format_float(number, letter, resolved.flags, resolved.precision)))
        }
        _ => Ok(None),
    }
}

/// The integer that a directive for integers shows.
fn integer(value: &Object, letter: char, vm: &Vm) -> PyResult<Ref<Int>> {
    if let Some(int) = value.downcast_ref::<Int>() {
        return Ok(int.into());
    }
    let hexadecimal = matches!(letter, 'o' | 'x' | 'X');
    let wanted = if hexadecimal { "an integer is required" } else { "a real number is required" };
    let wrong =
        |vm: &Vm| vm.type_error(format!("%{letter} format: {wanted}, not {}", value.ob_type().name()));
    let converted = if hexadecimal {
        if !value.has_index() {
            return Err(wrong(vm));
        }
        value.as_index(vm).map(Ref::into_object)
    } else {
        match value.ob_type().as_number().and_then(|n| n.nb_int.get()) {
            // SAFETY: a slot is called with a live object.
            Some(to_int) => unsafe { vm.owned(to_int(value.as_ptr())) },
            None if value.has_index() => value.as_index(vm).map(Ref::into_object),
            None => return Err(wrong(vm)),
        }
    };
    match converted {
        Ok(int) => int.downcast::<Int>().map_err(|_| wrong(vm)),
        Err(Raised) if vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            Err(wrong(vm))
        }
        Err(Raised) => Err(Raised),
    }
}

/// The character of `%c`.
fn character(value: &Object, vm: &Vm) -> PyResult<u32> {
    if let Some(text) = value.downcast_ref::<Str>() {
        return match text.char_at(0) {
            Some(code) if text.len() == 1 => Ok(code),
            _ => Err(vm.type_error(format!(
                "%c requires an int or a unicode character, not a string of length {}",
                text.len()
            ))),
        };
    }
    if !value.has_index() {
        return Err(vm.type_error(format!(
            "%c requires an int or a unicode character, not {}",
            crate::interpreter::fully_qualified_name(value.ob_type(), vm)
        )));
    }
    let index = value.as_index(vm)?;
    match index.to_i64().and_then(|n| u32::try_from(n).ok()).filter(|&c| c <= 0x10_FFFF) {
        Some(code) => Ok(code),
        None => Err(vm.overflow_error("%c arg not in range(0x110000)")),
    }
}

/// Appends text cut to the precision and padded to the width.
fn push_text(out: &mut StrBuilder, text: &Str, resolved: &Resolved, cut: bool, vm: &Vm) -> PyResult<()> {
    let data = match resolved.precision {
        Some(precision) if cut => text.data().slice(0, precision),
        _ => text.data(),
    };
    let missing = resolved.width.saturating_sub(data.len());
    if missing == 0 && data.len() == text.len() {
        out.push(text);
        return Ok(());
    }
    if resolved.flags.left {
        out.push_data(data);
        return out.push_repeated(u32::from(b' '), missing, vm);
    }
    out.push_repeated(u32::from(b' '), missing, vm)?;
    out.push_data(data);
    Ok(())
}

/// `template % value`.
pub fn format(template: &Str, value: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
    match template.data() {
        StrData::Ucs1(bytes) => {
            format_pieces(template, Parser::new(|at| bytes.get(at).map(|&b| u32::from(b))), value, vm)
        }
        data => format_pieces(template, Parser::new(|at| data.get(at)), value, vm),
    }
}

fn format_pieces<F: Fn(usize) -> Option<u32>>(
    template: &Str,
    pieces: Parser<F>,
    value: &Object,
    vm: &Vm,
) -> PyResult<Ref<Str>> {
    let data = template.data();
    let mut arguments = Arguments::for_str(value);
    let mut out = StrBuilder::with_capacity(template.len() + 16);
    for piece in pieces {
        let directive = match piece {
            Piece::Literal(start, stop) => {
                if stop - start == data.len() {
                    out.push(template);
                } else {
                    out.push_data(data.slice(start, stop));
                }
                continue;
            }
            Piece::Directive(directive) => directive,
        };
        let keyed = match directive.key {
            // The key is only looked up when its parentheses close.
            _ if directive.conversion == Err(PercentError::IncompleteKey) => {
                arguments.mapping(vm)?;
                return Err(raise(PercentError::IncompleteKey, vm));
            }
            Some((start, stop)) => {
                let mapping = arguments.mapping(vm)?;
                let key = template.slice(start, stop, vm)?;
                Some(mapping.get_item(key.as_object(), vm)?)
            }
            None => None,
        };
        match &keyed {
            Some(item) => format_piece(&directive, &mut Arguments::single(item), &mut out, vm)?,
            None => format_piece(&directive, &mut arguments, &mut out, vm)?,
        }
    }
    arguments.finish("string", vm)?;
    out.try_finish(vm)
}

impl<'a> Arguments<'a> {
    /// One value that a key gave.
    pub(crate) fn single(value: &'a Object) -> Self {
        Arguments { value, items: None, next: 0, mapping: false }
    }
}

fn format_piece(
    directive: &Directive,
    arguments: &mut Arguments<'_>,
    out: &mut StrBuilder,
    vm: &Vm,
) -> PyResult<()> {
    let resolved = resolve(directive, arguments, vm)?;
    let code = directive.conversion.map_err(|error| raise(error, vm))?;
    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    let value = arguments.take(vm)?;
    if resolved.is_plain() {
        match letter {
            's' => {
                if let Some(text) = value.downcast_exact::<Str>() {
                    out.push(text);
                    return Ok(());
                }
            }
            'd' | 'i' | 'u' => {
                if let Some(int) = value.downcast_exact::<Int>().filter(|int| int.is_compact()) {
                    out.push_decimal(int.compact_value() as i64);
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    match letter {
        's' => {
            let text = value.str(vm)?;
            push_text(out, &text, &resolved, true, vm)
        }
        'r' => {
            let text = value.repr(vm)?;
            push_text(out, &text, &resolved, true, vm)
        }
        'a' => {
            let text = repr::ascii(&value, vm)?;
            push_text(out, &text, &resolved, true, vm)
        }
        'c' => {
            let text = Str::from_char(character(&value, vm)?, vm);
            push_text(out, &text, &resolved, false, vm)
        }
        _ => match number(&value, letter, &resolved, vm)? {
            Some(text) => {
                if percent::push_number(out, &text, letter, resolved.flags, resolved.width) {
                    Ok(())
                } else {
                    Err(vm.memory_error())
                }
            }
            None => Err(raise(PercentError::Unsupported(code, directive.index), vm)),
        },
    }
}
