//! `SyntaxError` and its place in the source.

use std::mem::size_of;

use crate::builtins::str::StrBuilder;
use crate::prelude::*;

/// `PySyntaxErrorObject`.
#[repr(C)]
#[derive(Traverse)]
#[allow(missing_docs)]
pub struct SyntaxError {
    /// The common part.
    pub base: BaseException,
    pub msg: Slot<Object>,
    pub filename: Slot<Object>,
    pub lineno: Slot<Object>,
    pub offset: Slot<Object>,
    pub end_lineno: Slot<Object>,
    pub end_offset: Slot<Object>,
    pub text: Slot<Object>,
    pub print_file_and_line: Slot<Object>,
    pub metadata: Slot<Object>,
}

const _: () = assert!(size_of::<SyntaxError>() == 144);

/// Invalid syntax.
#[pytype(
    name = "SyntaxError",
    symbol = "_PyExc_SyntaxError",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(
        msg: OBJECT = msg "exception msg",
        filename: OBJECT = filename "exception filename",
        lineno: OBJECT = lineno "exception lineno",
        offset: OBJECT = offset "exception offset",
        text: OBJECT = text "exception text",
        end_lineno: OBJECT = end_lineno "exception end lineno",
        end_offset: OBJECT = end_offset "exception end offset",
        print_file_and_line: OBJECT = print_file_and_line "exception print_file_and_line",
        _metadata: OBJECT = metadata "exception private metadata"
    )
)]
impl SyntaxError {
    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        self.base.init_args(args, kwargs, vm)?;
        if let Some(msg) = args.as_slice().first() {
            self.msg.put(msg.clone());
        }
        let [_, place] = args.as_slice() else { return Ok(()) };
        let place = place.clone().collect_iterable(vm)?;
        if place.len() < 4 {
            return Err(vm.type_error(format!("function takes at least 4 arguments ({} given)", place.len())));
        }
        if place.len() > 7 {
            return Err(vm.type_error(format!("function takes at most 7 arguments ({} given)", place.len())));
        }
        let has_end = place.len() > 4;
        let mut place = place.into_iter();
        self.filename.set(place.next());
        self.lineno.set(place.next());
        self.offset.set(place.next());
        self.text.set(place.next());
        self.end_lineno.set(place.next());
        self.end_offset.set(place.next());
        self.metadata.set(place.next());
        if has_end && self.end_offset.is_none() {
            return Err(vm.type_error("end_offset must be provided when end_lineno is provided"));
        }
        Ok(())
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        let msg = self.msg.get().unwrap_or_else(|| vm.none()).str(vm)?;
        let filename = self.filename.get().and_then(|f| f.downcast::<Str>().ok());
        let lineno = self.lineno.get().filter(|n| n.downcast_exact::<Int>().is_some());
        let mut text = StrBuilder::new();
        text.push(&msg);
        // A number too large to be a line is shown as the C conversion that failed.
        let line = lineno.map(|n| n.downcast_ref::<Int>().and_then(Int::to_i64).unwrap_or(-1));
        match (filename, line) {
            (None, None) => return Ok(msg.into_object()),
            (Some(filename), line) => {
                text.push_str(" (");
                let name = filename.to_string_lossy();
                text.push_str(name.rsplit('/').next().unwrap_or(&name));
                if let Some(line) = line {
                    text.push_str(&format!(", line {line}"));
                }
                text.push_str(")");
            }
            (None, Some(line)) => text.push_str(&format!(" (line {line})")),
        }
        Ok(text.finish(vm).into_object())
    }
}

/// Where a syntax error stands. Lines from 1, offsets in characters from 1.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Place<'a> {
    pub lineno: i64,
    pub offset: i64,
    pub end_lineno: i64,
    pub end_offset: i64,
    /// The line's text, when it is known.
    pub text: Option<&'a str>,
}

/// Raises `exception(msg, (filename, lineno, offset, text, end_lineno, end_offset))`; `exception` is `SyntaxError` or one
/// derived from it.
#[cold]
pub fn raise_syntax_error(
    exception: &Type,
    msg: &str,
    filename: &Object,
    place: &Place<'_>,
    vm: &Vm,
) -> Raised {
    let text = match place.text {
        Some(text) => vm.new_str(text).into_object(),
        None => vm.none(),
    };
    let place = vm.new_tuple([
        filename.to_ref(),
        vm.new_int(place.lineno),
        vm.new_int(place.offset),
        text,
        vm.new_int(place.end_lineno),
        vm.new_int(place.end_offset),
    ]);
    vm.raise_with(exception, vec![vm.new_str(msg).into_object(), place.into_object()])
}
