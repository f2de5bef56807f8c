//! `str.format`, `str.format_map`, `str.__format__`, and the parsers behind `string.Formatter` (PEP 3101).

use super::{StrBuilder, StrData, repr};
use crate::prelude::*;
use taipan_numeric::format_spec::{FormatError, FormatSpec, layout_string};
use taipan_numeric::int::ErrorKind;

/// Positions of a part of the template.
pub type Span = (usize, usize);

/// A replacement field as it stands in the template.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// What stands before the conversion and the specifier.
    pub name: Span,
    /// The specifier.
    pub spec: Span,
    /// Whether the specifier has fields of its own.
    pub nested: bool,
    /// The character behind `!`.
    pub conversion: Option<u32>,
}

/// Literal text and the field that follows it, if one does.
#[derive(Debug, Clone, Copy)]
pub struct Markup {
    /// The literal text, one brace of an escaped pair included.
    pub literal: Span,
    /// The field.
    pub field: Option<Field>,
}

/// Reads a template from left to right.
pub struct MarkupParser<'a> {
    text: StrData<'a>,
    at: usize,
    end: usize,
}

const fn code(byte: u8) -> u32 {
    byte as u32
}

impl<'a> MarkupParser<'a> {
    /// Starts at the beginning of `span`.
    pub fn new(text: StrData<'a>, span: Span) -> Self {
        MarkupParser { text, at: span.0, end: span.1 }
    }

    /// A parser that goes on at position `at` of the whole text.
    pub fn resume(text: StrData<'a>, at: usize) -> Self {
        MarkupParser { text, at, end: text.len() }
    }

    /// Where the parser stands.
    pub fn position(&self) -> usize {
        self.at
    }

    #[inline]
    fn take(&mut self) -> Option<u32> {
        if self.at >= self.end {
            return None;
        }
        let c = self.text.get(self.at);
        self.at += 1;
        c
    }

    /// The next literal and field. `None` at the end.
    pub fn next(&mut self, vm: &Vm) -> PyResult<Option<Markup>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let start = self.at;
        let rest = self.text.slice(start, self.end);
        let found = match rest {
            StrData::Ucs1(units) => units.iter().position(|&b| b == b'{' || b == b'}'),
            data => data.iter().position(|c| c == code(b'{') || c == code(b'}')),
        };
        self.at = found.map_or(self.end, |found| start + found);
        let brace = self.take();
        let Some(brace) = brace else { return Ok(Some(Markup { literal: (start, self.end), field: None })) };
        let following = if self.at < self.end { self.text.get(self.at) } else { None };
        if brace == code(b'}') && following != Some(brace) {
            return Err(vm.value_error("Single '}' encountered in format string"));
        }
        if following.is_none() {
            return Err(vm.value_error("Single '{' encountered in format string"));
        }
        if following == Some(brace) {
            let literal = (start, self.at);
            self.at += 1;
            return Ok(Some(Markup { literal, field: None }));
        }
        let literal = (start, self.at - 1);
        let field = self.field(vm)?;
        Ok(Some(Markup { literal, field: Some(field) }))
    }

    fn field(&mut self, vm: &Vm) -> PyResult<Field> {
        let start = self.at;
        let mut last = 0;
        while let Some(c) = self.take() {
            last = c;
            if c == code(b'{') {
                return Err(vm.value_error("unexpected '{' in field name"));
            }
            if c == code(b'[') {
                while self.at < self.end && self.text.get(self.at) != Some(code(b']')) {
                    self.at += 1;
                }
                continue;
            }
            if c == code(b'}') || c == code(b':') || c == code(b'!') {
                break;
            }
        }
        let ended = last == code(b'}') || last == code(b':') || last == code(b'!');
        if !ended {
            return Err(vm.value_error("expected '}' before end of string"));
        }
        let mut field = Field { name: (start, self.at - 1), spec: (0, 0), nested: false, conversion: None };
        if last == code(b'}') {
            return Ok(field);
        }
        if last == code(b'!') {
            let Some(conversion) = self.take() else {
                return Err(vm.value_error("end of string while looking for conversion specifier"));
            };
            field.conversion = Some(conversion);
            match self.take() {
                Some(c) if c == code(b'}') => return Ok(field),
                Some(c) if c != code(b':') => {
                    return Err(vm.value_error("expected ':' after conversion specifier"));
                }
                _ => {}
            }
        }
        let spec = self.at;
        let mut depth = 1;
        while let Some(c) = self.take() {
            if c == code(b'{') {
                field.nested = true;
                depth += 1;
            } else if c == code(b'}') {
                depth -= 1;
                if depth == 0 {
                    field.spec = (spec, self.at - 1);
                    return Ok(field);
                }
            }
        }
        Err(vm.value_error("unmatched '{' in format spec"))
    }
}

/// How a field's name goes on after its first part.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// `.name`
    Attribute(Span),
    /// `[3]`
    Index(usize),
    /// `[name]`
    Key(Span),
}

/// The first part of a field's name.
#[derive(Debug, Clone, Copy)]
pub enum First {
    /// Nothing: numbered automatically.
    Auto,
    /// A number.
    Index(usize),
    /// A name.
    Key(Span),
}

/// The number that the characters of `span` spell; `None` when they aren't all digits.
fn integer(text: StrData<'_>, span: Span, vm: &Vm) -> PyResult<Option<usize>> {
    if span.0 >= span.1 {
        return Ok(None);
    }
    let mut value = 0usize;
    for at in span.0..span.1 {
        let Some(digit) = text.get(at).and_then(super::predicates::decimal_value) else { return Ok(None) };
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(digit as usize))
            .filter(|&v| v <= isize::MAX as usize)
            .ok_or_else(|| vm.value_error("Too many decimal digits in format string"))?;
    }
    Ok(Some(value))
}

/// The first part of a field name, and where the rest starts.
pub fn first_part(text: StrData<'_>, name: Span, vm: &Vm) -> PyResult<(First, usize)> {
    let stop = (name.0..name.1)
        .find(|&at| text.get(at).is_some_and(|c| c == code(b'.') || c == code(b'[')))
        .unwrap_or(name.1);
    let first = (name.0, stop);
    if first.0 == first.1 {
        return Ok((First::Auto, stop));
    }
    Ok((integer(text, first, vm)?.map_or(First::Key(first), First::Index), stop))
}

/// The step that starts at `at`, and where the next does. `None` at the end.
pub fn next_step(text: StrData<'_>, at: usize, end: usize, vm: &Vm) -> PyResult<Option<(Step, usize)>> {
    if at >= end {
        return Ok(None);
    }
    let start = at + 1;
    let c = text.get(at);
    if c == Some(code(b'.')) {
        let stop = (start..end)
            .find(|&at| text.get(at).is_some_and(|c| c == code(b'.') || c == code(b'[')))
            .unwrap_or(end);
        if start == stop {
            return Err(vm.value_error("Empty attribute in format string"));
        }
        return Ok(Some((Step::Attribute((start, stop)), stop)));
    }
    if c != Some(code(b'[')) {
        return Err(vm.value_error("Only '.' or '[' may follow ']' in format field specifier"));
    }
    let Some(stop) = (start..end).find(|&at| text.get(at) == Some(code(b']'))) else {
        return Err(vm.value_error("Missing ']' in format string"));
    };
    let index = integer(text, (start, stop), vm)?;
    if start == stop {
        return Err(vm.value_error("Empty attribute in format string"));
    }
    Ok(Some((index.map_or(Step::Key((start, stop)), Step::Index), stop + 1)))
}

/// Where fields find their values.
enum Values<'a> {
    Call { args: &'a [&'a Object], kwargs: &'a KwArgs<'a> },
    Mapping(&'a Object),
}

#[derive(Clone, Copy, PartialEq)]
enum Numbering {
    Unknown,
    Automatic,
    Manual,
}

struct Formatter<'a> {
    template: &'a Str,
    values: Values<'a>,
    numbering: Numbering,
    next: usize,
}

impl Formatter<'_> {
    fn part(&self, span: Span, vm: &Vm) -> PyResult<Ref<Str>> {
        if span.0 >= span.1 { Ok(Str::empty()) } else { self.template.slice(span.0, span.1, vm) }
    }

    fn format(&mut self, span: Span, depth: u32, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
        if depth == 0 {
            return Err(vm.value_error("Max string recursion exceeded"));
        }
        let text = self.template.data();
        let mut parser = MarkupParser::new(text, span);
        while let Some(markup) = parser.next(vm)? {
            let (start, stop) = markup.literal;
            if stop - start == text.len() {
                out.push(self.template);
            } else {
                out.push_data(text.slice(start, stop));
            }
            if let Some(field) = markup.field {
                self.render(&field, depth, out, vm)?;
            }
        }
        Ok(())
    }

    fn render(&mut self, field: &Field, depth: u32, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
        let mut value = self.look_up(field.name, vm)?;
        if let Some(conversion) = field.conversion {
            value = match char::from_u32(conversion) {
                Some('r') => value.repr(vm)?.into_object(),
                Some('s') => value.str(vm)?.into_object(),
                Some('a') => repr::ascii(&value, vm)?.into_object(),
                Some(c) if (33..127).contains(&conversion) => {
                    return Err(vm.value_error(format!("Unknown conversion specifier {c}")));
                }
                _ => return Err(vm.value_error(format!("Unknown conversion specifier \\x{conversion:x}"))),
            };
        }
        let spec = if field.nested {
            let mut expanded = StrBuilder::new();
            self.format(field.spec, depth - 1, &mut expanded, vm)?;
            expanded.try_finish(vm)?
        } else {
            self.part(field.spec, vm)?
        };
        if push_exact_formatted(&value, &spec, out, vm)? {
            return Ok(());
        }
        let shown = value.format(Some(&spec), vm)?;
        out.push(&shown);
        Ok(())
    }

    fn number(&mut self, wanted: Numbering, vm: &Vm) -> PyResult<()> {
        if self.numbering == Numbering::Unknown {
            self.numbering = wanted;
        }
        if self.numbering == wanted {
            return Ok(());
        }
        Err(vm.value_error(if wanted == Numbering::Automatic {
            "cannot switch from manual field specification to automatic field numbering"
        } else {
            "cannot switch from automatic field numbering to manual field specification"
        }))
    }

    fn look_up(&mut self, name: Span, vm: &Vm) -> PyResult<ObjRef> {
        let text = self.template.data();
        let (first, mut at) = first_part(text, name, vm)?;
        let mut value = match first {
            First::Auto => {
                self.number(Numbering::Automatic, vm)?;
                self.next += 1;
                self.positional(self.next - 1, vm)?
            }
            First::Index(index) => {
                self.number(Numbering::Manual, vm)?;
                self.positional(index, vm)?
            }
            First::Key(span) => {
                let key = self.part(span, vm)?;
                match &self.values {
                    Values::Mapping(mapping) => mapping.get_item(key.as_object(), vm)?,
                    Values::Call { kwargs, .. } => {
                        match kwargs.iter().find(|(name, _)| Str::equal(name, &key)) {
                            Some((_, value)) => value.to_ref(),
                            None => return Err(vm.key_error(key.as_object())),
                        }
                    }
                }
            }
        };
        while let Some((step, next)) = next_step(text, at, name.1, vm)? {
            at = next;
            value = match step {
                Step::Attribute(span) => value.get_attr(&*self.part(span, vm)?, vm)?,
                Step::Key(span) => value.get_item(self.part(span, vm)?.as_object(), vm)?,
                Step::Index(index) if crate::protocols::container::is_sequence(&value) => {
                    crate::protocols::container::sequence_item(&value, index as isize, vm)?
                }
                Step::Index(index) => value.get_item(&vm.new_int(index), vm)?,
            };
        }
        Ok(value)
    }

    fn positional(&self, index: usize, vm: &Vm) -> PyResult<ObjRef> {
        match &self.values {
            Values::Mapping(_) => Err(vm.value_error("Format string contains positional fields")),
            Values::Call { args, .. } => args.get(index).map(|value| value.to_ref()).ok_or_else(|| {
                vm.index_error(format!("Replacement index {index} out of range for positional args tuple"))
            }),
        }
    }
}

fn run(template: &Str, values: Values<'_>, vm: &Vm) -> PyResult<Ref<Str>> {
    let mut formatter = Formatter { template, values, numbering: Numbering::Unknown, next: 0 };
    let mut out = StrBuilder::with_capacity(template.len() + 16);
    formatter.format((0, template.len()), 2, &mut out, vm)?;
    out.try_finish(vm)
}

/// Raises what a wrong format specifier deserves.
pub fn raise_format_error(error: FormatError, spec: &Str, type_name: &str, vm: &Vm) -> Raised {
    let text = error.text(&spec.to_string_lossy(), type_name);
    match error.kind() {
        ErrorKind::Overflow => vm.overflow_error(text),
        ErrorKind::Memory => vm.memory_error(),
        _ => vm.value_error(text),
    }
}

/// `text.__format__(spec)`.
pub fn format_str(text: &Str, spec: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
    let mut out = StrBuilder::new();
    push_formatted_str(text, spec, &mut out, vm)?;
    out.try_finish(vm)
}

/// Appends `text.__format__(spec)`.
fn push_formatted_str(text: &Str, spec: &Str, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
    if spec.is_empty() {
        out.push(&*text.as_object().str(vm)?);
        return Ok(());
    }
    let raise = |error| raise_format_error(error, spec, text.as_object().ob_type().name(), vm);
    let parsed = match spec.data() {
        StrData::Ucs1(bytes) => FormatSpec::parse(bytes.iter().map(|&b| u32::from(b)), code(b's')),
        data => FormatSpec::parse(data.iter(), code(b's')),
    };
    let parsed = parsed.map_err(raise)?;
    let layout = layout_string(&parsed, text.len()).map_err(raise)?;
    if layout.left == 0 && layout.right == 0 && layout.length == text.len() {
        out.push(text);
        return Ok(());
    }
    out.push_repeated(parsed.fill, layout.left, vm)?;
    out.push_data(text.data().slice(0, layout.length));
    out.push_repeated(parsed.fill, layout.right, vm)
}

/// Appends `format(value, spec)` when the value is of an exact built-in type, whose `__format__` nobody can replace.
/// False, with nothing written, for all others.
pub fn push_exact_formatted(value: &Object, spec: &Str, out: &mut StrBuilder, vm: &Vm) -> PyResult<bool> {
    if let Some(text) = value.downcast_exact::<Str>() {
        push_formatted_str(text, spec, out, vm)?;
    } else if let Some(int) = value.downcast_exact::<Int>() {
        int.push_formatted(spec, out, vm)?;
    } else if let Some(float) = value.downcast_exact::<Float>() {
        float.push_formatted(spec, out, vm)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

#[pymethods(table = FORMAT_METHODS)]
impl Str {
    /// Return the string with the fields in braces replaced by formatted values of the arguments.
    #[method("($self, /, *args, **kwargs)")]
    fn format(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<Ref<Str>> {
        run(self, Values::Call { args, kwargs: &kwargs }, vm)
    }

    /// Return the string with the fields in braces replaced by formatted values of a mapping.
    #[method("($self, mapping, /)")]
    fn format_map(&self, mapping: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        run(self, Values::Mapping(mapping), vm)
    }

    /// Return a formatted version of the string as described by format_spec.
    #[method("($self, format_spec, /)")]
    fn __format__(&self, format_spec: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        format_str(self, format_spec, vm)
    }
}
