//! `print`, `input`, `open`-less output: `open` itself is `io.open`, put in place at start.

use super::Builtins;
use crate::prelude::*;

/// A stream of `sys` that may be missing.
fn sys_stream(name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let Some(sys) = vm.interp().sys_dict.get() else { return Ok(None) };
    sys.get_str(name, vm)
}

fn separator<'a>(given: Option<&'a Object>, name: &str, vm: &Vm) -> PyResult<Option<&'a Str>> {
    match given.filter(|s| !vm.is_none(s)) {
        None => Ok(None),
        Some(text) => text.downcast_ref::<Str>().map(Some).ok_or_else(|| {
            vm.type_error(format!("{name} must be None or a string, not {}", text.ob_type().name()))
        }),
    }
}

/// Whether a stream of `sys` is still the process's own file, and that is a terminal. A stream without a descriptor isn't.
fn is_own_file(stream: &Object, fd: i64, vm: &Vm) -> PyResult<bool> {
    let Ok(number) = stream.call_method(vm.ids().fileno, &[], vm) else {
        vm.clear_exception();
        return Ok(false);
    };
    if number.as_index(vm)?.to_i64() != Some(fd) {
        return Ok(false);
    }
    // SAFETY: a plain call.
    Ok(unsafe { libc::isatty(fd as i32) } == 1)
}

/// The encoding and the error handler of a stream, where both are texts.
fn stream_codec(stream: &Object, vm: &Vm) -> Option<(String, String)> {
    let text = |name: &Str| {
        let value = stream.get_attr(name, vm).ok()?;
        Some(value.downcast_ref::<Str>()?.to_string_lossy().into_owned())
    };
    let codec = text(vm.ids().encoding).zip(text(vm.ids().errors));
    vm.clear_exception();
    codec
}

/// `input` where somebody sits at a terminal: the line can be edited. None where the streams don't tell their encodings.
fn input_from_terminal(
    stdin: &Object,
    stdout: &Object,
    prompt: Option<&Object>,
    vm: &Vm,
) -> PyResult<Option<ObjRef>> {
    use crate::builtins::codecs_core::registry;
    let Some((encoding, errors)) = stream_codec(stdin, vm) else { return Ok(None) };
    if stdout.call_method(vm.ids().flush, &[], vm).is_err() {
        vm.clear_exception();
    }
    let prompt = match prompt {
        None => std::ffi::CString::default(),
        Some(prompt) => {
            let Some((encoding, errors)) = stream_codec(stdout, vm) else { return Ok(None) };
            let text = prompt.str(vm)?;
            let bytes = registry::encode_text(&text, &encoding, &errors, vm)?;
            let bytes = bytes.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes().to_vec());
            std::ffi::CString::new(bytes.unwrap_or_default())
                .map_err(|_| vm.value_error("input: prompt string cannot contain null characters"))?
        }
    };
    let mut line = crate::runtime::line_input::read_line(&prompt, vm)?;
    if line.is_empty() {
        return Err(vm.raise_with(types::eof_error(), Vec::new()));
    }
    line.pop_if(|last| *last == b'\n');
    let bytes = vm.new_bytes(&line);
    Ok(Some(registry::decode_text(bytes.as_object(), &encoding, &errors, vm)?.into_object()))
}

#[pyfunctions(table = IO_FUNCTIONS)]
impl Builtins {
    /// Prints the values to a stream, or to sys.stdout by default.
    ///
    ///   sep
    ///     string inserted between values, default a space.
    ///   end
    ///     string appended after the last value, default a newline.
    ///   file
    ///     a file-like object (stream); defaults to the current sys.stdout.
    ///   flush
    ///     whether to forcibly flush the stream.
    #[function("($module, /, *args, sep=' ', end='\\n', file=None, flush=False)")]
    fn print(
        args: &[&Object],
        sep: Option<&Object>,
        end: Option<&Object>,
        file: Option<&Object>,
        flush: bool,
        vm: &Vm,
    ) -> PyResult<()> {
        let ids = vm.ids();
        let file = match file.filter(|f| !vm.is_none(f)) {
            Some(file) => file.to_ref(),
            None => match sys_stream(ids.stdout, vm)? {
                None => return Err(vm.runtime_error("lost sys.stdout")),
                // No stream, no output: a process without a terminal.
                Some(stream) if vm.is_none(&stream) => return Ok(()),
                Some(stream) => stream,
            },
        };
        let sep = separator(sep, "sep", vm)?.unwrap_or(ids.space);
        let end = separator(end, "end", vm)?.unwrap_or(ids.newline);
        let write = file.get_attr(ids.write, vm)?;
        for (at, arg) in args.iter().enumerate() {
            if at > 0 {
                write.call(&[sep.as_object()], vm)?;
            }
            let text = arg.str(vm)?;
            write.call(&[text.as_object()], vm)?;
        }
        write.call(&[end.as_object()], vm)?;
        if flush {
            file.call_method(ids.flush, &[], vm)?;
        }
        Ok(())
    }

    /// Read a string from standard input.  The trailing newline is stripped.
    ///
    /// The prompt string, if given, is printed to standard output without a
    /// trailing newline before reading input.
    ///
    /// If the user hits EOF (*nix: Ctrl-D, Windows: Ctrl-Z+Return), raise EOFError.
    /// On *nix systems, readline is used if available.
    #[function("($module, prompt='', /)")]
    fn input(prompt: Option<&Object>, vm: &Vm) -> PyResult {
        let ids = vm.ids();
        let stream = |name: &Str| -> PyResult {
            match sys_stream(name, vm)?.filter(|s| !vm.is_none(s)) {
                Some(stream) => Ok(stream),
                None => Err(vm.runtime_error(format!("input(): lost sys.{}", name.to_string_lossy()))),
            }
        };
        let (stdin, stdout, stderr) = (stream(ids.stdin)?, stream(ids.stdout)?, stream(ids.stderr)?);
        crate::runtime::audit::audit("builtins.input", &[prompt.unwrap_or(vm.none_ref())], vm)?;
        // What was printed so far comes before the prompt; a stream that can't be flushed is no reason to fail.
        if stderr.call_method(ids.flush, &[], vm).is_err() {
            vm.clear_exception();
        }
        if is_own_file(&stdin, 0, vm)? && is_own_file(&stdout, 1, vm)? {
            if let Some(result) = input_from_terminal(&stdin, &stdout, prompt, vm)? {
                crate::runtime::audit::audit("builtins.input/result", &[&result], vm)?;
                return Ok(result);
            }
        }
        if let Some(prompt) = prompt {
            let text = prompt.str(vm)?;
            stdout.call_method(ids.write, &[text.as_object()], vm)?;
        }
        if stdout.call_method(ids.flush, &[], vm).is_err() {
            vm.clear_exception();
        }
        let line = stdin.call_method(ids.readline, &[], vm)?;
        let Some(text) = line.downcast_ref::<Str>() else {
            return Err(vm.type_error("object.readline() returned non-string"));
        };
        if text.len() == 0 {
            return Err(vm.eof_error("EOF when reading a line"));
        }
        let result = if text.char_at(text.len() - 1) == Some(u32::from('\n')) {
            text.slice(0, text.len() - 1, vm)?
        } else {
            text.into()
        };
        crate::runtime::audit::audit("builtins.input/result", &[result.as_object()], vm)?;
        Ok(result.into_object())
    }

    /// Call sys.breakpointhook(*args, **kws).
    ///
    /// sys.breakpointhook() must accept whatever arguments are passed.
    ///
    /// By default, this drops you into the pdb debugger.
    #[function("($module, /, *args, **kws)")]
    fn breakpoint(args: &[&Object], kws: KwArgs<'_>, vm: &Vm) -> PyResult {
        let hook = match vm.interp().sys_dict.get() {
            Some(sys) => sys.get_str(vm.ids().breakpointhook, vm)?,
            None => None,
        };
        let Some(hook) = hook else { return Err(vm.runtime_error("lost sys.breakpointhook")) };
        crate::runtime::audit::audit("builtins.breakpoint", &[&hook], vm)?;
        let kwargs = kws.to_dict(vm)?;
        hook.call_tuple_dict(&Tuple::from_slice(args, vm), Some(&kwargs), vm)
    }
}
