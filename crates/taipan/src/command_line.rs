//! The options of the command line.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use taipan_vm::runtime::config::Config;

use crate::{environment, help};

/// What is to be run.
pub enum Program {
    /// `-c TEXT`
    Command(OsString),
    /// `-m NAME`
    Module(String),
    /// A file, folder or archive.
    File(OsString),
    /// Standard input, or the prompt on a terminal.
    Stdin,
}

/// A program with its configuration.
pub struct Command {
    /// What is to be run.
    pub program: Program,
    /// How.
    pub config: Config,
    /// `-x`: the first line of the source is skipped.
    pub skip_first_line: bool,
}

/// What the command line asks for.
pub enum Request {
    /// Run a program.
    Run(Box<Command>),
    /// Print a text and stop.
    Print(String),
}

/// Why nothing can be run.
pub enum Failure {
    /// A wrong command line: the text, and status 2.
    Usage(String),
    /// A setting with a bad value: the text, and status 1.
    Fatal(String),
}

impl Failure {
    /// What ends the process before the interpreter runs; `state` says how far it came.
    pub fn fatal(text: &str, state: &str) -> Failure {
        Failure::Fatal(format!("Fatal Python error: {text}\nPython runtime state: {state}\n"))
    }
}

/// The version line of `-V`.
pub fn version_line() -> String {
    "Python 3.14.10".to_owned()
}

/// The words of a command line, and the name by which the program was called.
struct Words {
    program: String,
    rest: std::vec::IntoIter<OsString>,
}

impl Words {
    fn failure(&self, text: &str) -> Failure {
        Failure::Usage(format!(
            "{text}\n{}\nTry `python -h' for more information.",
            help::usage(&self.program)
        ))
    }

    /// One option's argument: the rest of the word, or the next word.
    fn argument(&mut self, rest: &[u8], option: char) -> Result<OsString, Failure> {
        if !rest.is_empty() {
            return Ok(OsString::from_vec(rest.to_vec()));
        }
        let next = self.rest.next();
        next.ok_or_else(|| self.failure(&format!("Argument expected for the -{option} option")))
    }
}

/// What the letters of one word ask for, as far as it ends the reading of options.
enum Found {
    Nothing,
    Program(Program, &'static str),
    Help,
}

/// Parses the command line, then the environment where it may be used.
pub fn parse(arguments: Vec<OsString>) -> Result<Request, Failure> {
    let mut config = Config { orig_argv: arguments.clone(), ..Config::default() };
    let mut rest = arguments.into_iter();
    let own_name = rest.next().unwrap_or_else(|| "taipan".into());
    config.executable = executable(&own_name);
    let mut words = Words { program: own_name.to_string_lossy().into_owned(), rest };
    let mut state = Letters::default();
    let mut program = None;
    let mut script_arguments: Vec<OsString> = Vec::new();
    while let Some(word) = words.rest.next() {
        match word.as_bytes() {
            b"-" => {
                program = Some(Program::Stdin);
                script_arguments.push(word);
                break;
            }
            b"--" => {
                if let Some(file) = words.rest.next() {
                    script_arguments.push(file.clone());
                    program = Some(Program::File(file));
                }
                break;
            }
            [b'-', b'-', ..] => {
                if let Some(text) = long_option(&word, &mut config, &mut state, &mut words)? {
                    return Ok(Request::Print(text));
                }
            }
            [b'-', letters @ ..] => match short_options(letters, &mut config, &mut state, &mut words)? {
                Found::Nothing => {}
                Found::Help => return Ok(Request::Print(help_text(&words.program))),
                Found::Program(found, argv0) => {
                    program = Some(found);
                    script_arguments.push(argv0.into());
                    break;
                }
            },
            _ => {
                script_arguments.push(word.clone());
                program = Some(Program::File(word));
                break;
            }
        }
    }
    match state.version {
        0 => {}
        1 => return Ok(Request::Print(version_line())),
        _ => return Ok(Request::Print(format!("Python {}", taipan_vm::builtins::sys_module::VERSION))),
    }
    if script_arguments.is_empty() {
        script_arguments.push(OsString::new());
    }
    script_arguments.extend(words.rest);
    config.argv = script_arguments;
    environment::apply(&mut config)?;
    config.optimization_level = config.optimization_level.min(2);
    let program = program.unwrap_or(Program::Stdin);
    Ok(Request::Run(Box::new(Command { program, config, skip_first_line: state.skip_first_line })))
}

fn help_text(program: &str) -> String {
    format!("{}\n{}", help::usage(program), help::OPTIONS)
}

/// What the letters set beside the configuration.
#[derive(Default)]
struct Letters {
    skip_first_line: bool,
    version: u32,
}

/// A `--` option; gives the text that it asks for.
fn long_option(
    word: &OsString,
    config: &mut Config,
    state: &mut Letters,
    words: &mut Words,
) -> Result<Option<String>, Failure> {
    match word.as_bytes() {
        b"--help" => Ok(Some(help_text(&words.program))),
        b"--help-env" => Ok(Some(help::ENVIRONMENT.to_owned())),
        b"--help-xoptions" => Ok(Some(help::X_OPTIONS.to_owned())),
        b"--help-all" => {
            Ok(Some(format!("{}\n\n{}\n\n{}", help_text(&words.program), help::ENVIRONMENT, help::X_OPTIONS)))
        }
        b"--version" => {
            state.version += 1;
            Ok(None)
        }
        b"--check-hash-based-pycs" => {
            let Some(mode) = words.rest.next() else {
                return Err(words.failure("Argument expected for the --check-hash-based-pycs options"));
            };
            let mode = mode.to_string_lossy().into_owned();
            if !matches!(mode.as_str(), "always" | "never" | "default") {
                return Err(
                    words.failure("--check-hash-based-pycs must be one of 'default', 'always', or 'never'")
                );
            }
            config.check_hash_pycs = mode;
            Ok(None)
        }
        _ => Err(words.failure(&format!("Unknown option: {}", word.to_string_lossy()))),
    }
}

/// The letters of one word.
fn short_options(
    letters: &[u8],
    config: &mut Config,
    state: &mut Letters,
    words: &mut Words,
) -> Result<Found, Failure> {
    for (at, &letter) in letters.iter().enumerate() {
        let rest = letters.get(at + 1..).unwrap_or_default();
        match letter {
            b'c' => return Ok(Found::Program(Program::Command(words.argument(rest, 'c')?), "-c")),
            b'm' => {
                let name = words.argument(rest, 'm')?.to_string_lossy().into_owned();
                return Ok(Found::Program(Program::Module(name), "-m"));
            }
            b'W' => {
                config.warn_options.push(words.argument(rest, 'W')?.to_string_lossy().into_owned());
                return Ok(Found::Nothing);
            }
            b'X' => {
                let option = words.argument(rest, 'X')?.to_string_lossy().into_owned();
                config.xoptions.push(match option.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (option, None),
                });
                return Ok(Found::Nothing);
            }
            b'b' => config.bytes_warning += 1,
            b'B' => config.write_bytecode = false,
            b'd' => config.debug += 1,
            b'E' => config.use_environment = false,
            b'h' | b'?' => return Ok(Found::Help),
            b'i' => {
                config.inspect = true;
                config.interactive = true;
            }
            b'I' => {
                config.isolated = true;
                config.use_environment = false;
                config.user_site = false;
                config.safe_path = true;
            }
            b'O' => config.optimization_level += 1,
            b'P' => config.safe_path = true,
            b'q' => config.quiet = true,
            b'R' => config.random_hashes = true,
            b's' => config.user_site = false,
            b'S' => config.site_import = false,
            b'u' => config.unbuffered = true,
            b'v' => config.verbose += 1,
            b'V' => state.version += 1,
            b'x' => state.skip_first_line = true,
            other => return Err(words.failure(&format!("Unknown option: -{}", char::from(other)))),
        }
    }
    Ok(Found::Nothing)
}

/// The path of the running executable, as it was called: links are kept, since a virtual environment is one.
fn executable(own_name: &std::ffi::OsStr) -> String {
    let name = std::path::Path::new(own_name);
    if name.components().count() > 1 {
        if let Ok(current) = std::env::current_dir() {
            return current.join(name).to_string_lossy().into_owned();
        }
    }
    if let Some(paths) = std::env::var_os("PATH") {
        for folder in std::env::split_paths(&paths) {
            let candidate = folder.join(name);
            if candidate.is_file() {
                return candidate.to_string_lossy().into_owned();
            }
        }
    }
    std::env::current_exe().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}
