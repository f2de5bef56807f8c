//! `open`, `open_code`.

use taipan_vm::prelude::*;

use super::Io;
use super::buffered::{random::BufferedRandom, reader::BufferedReader, writer::BufferedWriter};
use super::fileio::FileIo;
use super::textio::{TextIoWrapper, text_arg};

/// What `mode` says.
#[derive(Default)]
struct Mode {
    creating: bool,
    reading: bool,
    writing: bool,
    appending: bool,
    updating: bool,
    text: bool,
    binary: bool,
}

impl Mode {
    fn parse(text: &str, vm: &Vm) -> PyResult<Mode> {
        let mut mode = Mode::default();
        for letter in text.chars() {
            let flag = match letter {
                'x' => &mut mode.creating,
                'r' => &mut mode.reading,
                'w' => &mut mode.writing,
                'a' => &mut mode.appending,
                '+' => &mut mode.updating,
                't' => &mut mode.text,
                'b' => &mut mode.binary,
                _ => return Err(vm.value_error(format!("invalid mode: '{text}'"))),
            };
            if std::mem::replace(flag, true) {
                return Err(vm.value_error(format!("invalid mode: '{text}'")));
            }
        }
        Ok(mode)
    }

    /// The mode of the raw file.
    fn raw(&self) -> String {
        [
            (self.creating, 'x'),
            (self.reading, 'r'),
            (self.writing, 'w'),
            (self.appending, 'a'),
            (self.updating, '+'),
        ]
        .into_iter()
        .filter_map(|(set, letter)| set.then_some(letter))
        .collect()
    }
}

/// The largest buffer that a file's block size may ask for.
const LARGEST: i64 = 8 * 1024 * 1024;

#[pyfunctions(table = OPENING)]
impl Io {
    /// Open file and return a stream.  Raise OSError upon failure.
    ///
    /// file is either a text or byte string giving the name (and the path
    /// if the file isn't in the current working directory) of the file to
    /// be opened or an integer file descriptor of the file to be
    /// wrapped. (If a file descriptor is given, it is closed when the
    /// returned I/O object is closed, unless closefd is set to False.)
    ///
    /// mode is an optional string that specifies the mode in which the file
    /// is opened. It defaults to 'r' which means open for reading in text
    /// mode.  Other common values are 'w' for writing (truncating the file if
    /// it already exists), 'x' for creating and writing to a new file, and
    /// 'a' for appending (which on some Unix systems, means that all writes
    /// append to the end of the file regardless of the current seek position).
    /// In text mode, if encoding is not specified the encoding used is platform
    /// dependent: locale.getencoding() is called to get the current locale encoding.
    /// (For reading and writing raw bytes use binary mode and leave encoding
    /// unspecified.)
    #[function(
        "($module, /, file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)"
    )]
    #[allow(clippy::too_many_arguments, reason = "open has that many")]
    fn open(
        file: &Object,
        mode: Option<&str>,
        buffering: Option<i32>,
        encoding: Option<&Object>,
        errors: Option<&Object>,
        newline: Option<&Object>,
        closefd: Option<bool>,
        opener: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let given = mode.unwrap_or("r");
        let text = |value: Option<&'_ Object>, name| match value {
            Some(value) => {
                text_arg(value, "open", name, vm).map(|text| text.map(|text| text.as_object().to_ref()))
            }
            None => Ok(None),
        };
        let (encoding, errors) = (text(encoding, "encoding")?, text(errors, "errors")?);
        let newline = text(newline, "newline")?;
        let path = if file.downcast_ref::<Int>().is_some()
            || (file.downcast_ref::<Str>().is_none() && file.has_index())
        {
            file.to_ref()
        } else {
            taipan_vm::protocols::path::fspath(file, vm)?
        };
        let mode = Mode::parse(given, vm)?;
        let kinds = [mode.creating, mode.reading, mode.writing, mode.appending];
        let buffering = buffering.unwrap_or(-1);
        let wrong = if mode.text && mode.binary {
            Some("can't have text and binary mode at once")
        } else if kinds.into_iter().filter(|set| *set).count() != 1 {
            Some("must have exactly one of create/read/write/append mode")
        } else if mode.binary && encoding.is_some() {
            Some("binary mode doesn't take an encoding argument")
        } else if mode.binary && errors.is_some() {
            Some("binary mode doesn't take an errors argument")
        } else if mode.binary && newline.is_some() {
            Some("binary mode doesn't take a newline argument")
        } else {
            None
        };
        if let Some(text) = wrong {
            return Err(vm.value_error(text));
        }
        if mode.binary && buffering == 1 {
            taipan_vm::builtins::warn::warn(
                types::runtime_warning(),
                "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used",
                1,
                vm,
            )?;
        }
        let opener = opener.filter(|opener| !vm.is_none(opener));
        let raw = FileIo::opened(&path, &mode.raw(), closefd.unwrap_or(true), opener, vm)?;
        let text_args = [encoding.as_deref(), errors.as_deref(), newline.as_deref()];
        let mut last = raw.clone().into_object();
        let result = layers(&raw, &mode, given, buffering, text_args, &mut last, vm);
        if result.is_err() {
            let first = vm.take_exception();
            let closed = last.call_method(vm.ids().close, &[], vm);
            return super::iobase::chain(first, closed, vm);
        }
        result
    }

    /// Opens the provided file with the intent to import the contents.
    ///
    /// This may perform extra validation beyond open(), but is otherwise interchangeable
    /// with calling open(path, 'rb').
    #[function("($module, /, path)")]
    fn open_code(path: &Str, vm: &Vm) -> PyResult {
        let raw = FileIo::opened(path.as_object(), "r", true, None, vm)?;
        BufferedReader::over(raw.as_object(), super::DEFAULT_BUFFER_SIZE as isize, vm)
    }
}

/// Puts a buffer and a text layer on a raw file, as the mode wants; `last` is the outermost one so far.
fn layers(
    raw: &Ref<FileIo>,
    mode: &Mode,
    given: &str,
    buffering: i32,
    text_args: [Option<&Object>; 3],
    last: &mut ObjRef,
    vm: &Vm,
) -> PyResult {
    let terminal = buffering < 0 && raw.is_terminal_when_opened(vm)?;
    let line_buffering = buffering == 1 || terminal;
    let size = match buffering {
        1 | i32::MIN..=-1 => raw.block_size().min(LARGEST).max(super::DEFAULT_BUFFER_SIZE as i64),
        size => i64::from(size),
    };
    if size == 0 {
        if !mode.binary {
            return Err(vm.value_error("can't have unbuffered text I/O"));
        }
        return Ok(raw.clone().into_object());
    }
    let size = size as isize;
    let buffer = if mode.updating {
        BufferedRandom::over(raw.as_object(), size, vm)?
    } else if mode.reading {
        BufferedReader::over(raw.as_object(), size, vm)?
    } else {
        BufferedWriter::over(raw.as_object(), size, vm)?
    };
    *last = buffer.clone();
    if mode.binary {
        return Ok(buffer);
    }
    let [encoding, errors, newline] = text_args;
    let text = TextIoWrapper::over(&buffer, encoding, errors, newline, line_buffering, vm)?;
    *last = text.clone().into_object();
    text.as_object().set_attr(vm.ids().mode, vm.new_str(given).as_object(), vm)?;
    Ok(text.into_object())
}
