//! The options of the command line and the `PYTHON*` environment variables.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use taipan_vm::runtime::config::Config;

/// What is to be run.
pub enum Program {
    /// `-c TEXT`
    Command(String),
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

const USAGE: &str = "usage: taipan [option] ... [-c cmd | -m mod | file | -] [arg] ...";

const HELP: &str = "\
Options (and corresponding environment variables):
-b     : issue warnings about converting bytes/bytearray to str and comparing
         bytes/bytearray with str or bytes with int (-bb: issue errors)
-B     : don't write .pyc files on import; also PYTHONDONTWRITEBYTECODE=x
-c cmd : program passed in as string (terminates option list)
-d     : turn on parser debugging output (no effect here); also PYTHONDEBUG=x
-E     : ignore PYTHON* environment variables (such as PYTHONPATH)
-h     : print this help message and exit (also -? or --help)
-i     : inspect interactively after running script; forces a prompt even
         if stdin does not appear to be a terminal; also PYTHONINSPECT=x
-I     : isolate Python from the user's environment (implies -E, -P and -s)
-m mod : run library module as a script (terminates option list)
-O     : remove assert and __debug__-dependent statements; also PYTHONOPTIMIZE=x
-OO    : do -O changes and also discard docstrings
-P     : don't prepend a potentially unsafe path to sys.path; also PYTHONSAFEPATH
-q     : don't print version and copyright messages on interactive startup
-s     : don't add user site directory to sys.path; also PYTHONNOUSERSITE=x
-S     : don't imply 'import site' on initialization
-u     : force the stdout and stderr streams to be unbuffered;
         also PYTHONUNBUFFERED=x
-v     : verbose (trace import statements); also PYTHONVERBOSE=x
-V     : print the Python version number and exit (also --version)
-W arg : warning control; arg is action:message:category:module:lineno;
         also PYTHONWARNINGS=arg
-x     : skip first line of source, allowing use of non-Unix forms of #!cmd
-X opt : set implementation-specific option
file   : program read from script file
-      : program read from stdin (default; interactive mode if a tty)
arg ...: arguments passed to program in sys.argv[1:]";

/// The version line of `-V`.
pub fn version_line() -> String {
    "Python 3.14.10".to_owned()
}

/// One option's argument: the rest of the word, or the next word.
fn argument(rest: &[u8], words: &mut std::vec::IntoIter<OsString>, option: char) -> Result<OsString, String> {
    if !rest.is_empty() {
        return Ok(OsString::from_vec(rest.to_vec()));
    }
    words.next().ok_or_else(|| {
        format!("Argument expected for the -{option} option\n{USAGE}\nTry `taipan -h' for more information.")
    })
}

/// Parses the command line, then the environment where it may be used.
pub fn parse(arguments: Vec<OsString>) -> Result<Request, String> {
    let mut config =
        Config { orig_argv: arguments.clone(), utf8_mode: has_plain_locale(), ..Config::default() };
    let mut words = arguments.into_iter();
    let own_name = words.next().unwrap_or_else(|| "taipan".into());
    config.executable = executable(&own_name);
    let mut program = None;
    let mut skip_first_line = false;
    let mut script_arguments: Vec<OsString> = Vec::new();
    while let Some(word) = words.next() {
        let bytes = word.as_bytes();
        match bytes {
            b"-" => {
                program = Some(Program::Stdin);
                script_arguments.push(word);
                break;
            }
            b"--" => {
                if let Some(file) = words.next() {
                    script_arguments.push(file.clone());
                    program = Some(Program::File(file));
                }
                break;
            }
            b"--help" => return Ok(Request::Print(format!("{USAGE}\n{HELP}"))),
            b"--version" => return Ok(Request::Print(version_line())),
            b"--check-hash-based-pycs" => {
                let mode = words.next().map(|w| w.to_string_lossy().into_owned()).unwrap_or_default();
                if !matches!(mode.as_str(), "always" | "never" | "default") {
                    return Err(format!(
                        "--check-hash-based-pycs must be one of 'default', 'always', or 'never'\n{USAGE}\nTry `taipan -h' for more information."
                    ));
                }
                config.check_hash_pycs = mode;
                continue;
            }
            [b'-', b'-', rest @ ..] => {
                return Err(format!(
                    "unknown option --{}\n{USAGE}\nTry `taipan -h' for more information.",
                    String::from_utf8_lossy(rest)
                ));
            }
            [b'-', ..] => {}
            _ => {
                script_arguments.push(word.clone());
                program = Some(Program::File(word));
                break;
            }
        }
        let mut at = 1;
        while let Some(&letter) = bytes.get(at) {
            at += 1;
            let rest = bytes.get(at..).unwrap_or_default();
            match letter {
                b'c' => {
                    let text = argument(rest, &mut words, 'c')?;
                    program = Some(Program::Command(text.to_string_lossy().into_owned()));
                    script_arguments.push("-c".into());
                    break;
                }
                b'm' => {
                    let name = argument(rest, &mut words, 'm')?;
                    program = Some(Program::Module(name.to_string_lossy().into_owned()));
                    script_arguments.push("-m".into());
                    break;
                }
                b'W' => {
                    config.warn_options.push(argument(rest, &mut words, 'W')?.to_string_lossy().into_owned());
                    break;
                }
                b'X' => {
                    let option = argument(rest, &mut words, 'X')?.to_string_lossy().into_owned();
                    config.xoptions.push(match option.split_once('=') {
                        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                        None => (option, None),
                    });
                    break;
                }
                b'b' => config.bytes_warning += 1,
                b'B' => config.write_bytecode = false,
                b'd' => config.debug += 1,
                b'E' => config.use_environment = false,
                b'h' | b'?' => return Ok(Request::Print(format!("{USAGE}\n{HELP}"))),
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
                b'R' => {}
                b's' => config.user_site = false,
                b'S' => config.site_import = false,
                b'u' => config.unbuffered = true,
                b'v' => config.verbose += 1,
                b'V' => return Ok(Request::Print(version_line())),
                b'x' => skip_first_line = true,
                other => {
                    return Err(format!(
                        "Unknown option: -{}\n{USAGE}\nTry `taipan -h' for more information.",
                        char::from(other)
                    ));
                }
            }
        }
        if program.is_some() {
            break;
        }
    }
    if script_arguments.is_empty() {
        script_arguments.push(OsString::new());
    }
    script_arguments.extend(words);
    config.argv = script_arguments;
    if config.use_environment {
        environment(&mut config)?;
    }
    for (name, value) in config.xoptions.clone() {
        apply_x(&mut config, &name, value.as_deref())?;
    }
    config.optimization_level = config.optimization_level.min(2);
    if config.dev_mode {
        config.warn_options.insert(0, "default".to_owned());
    }
    let program = program.unwrap_or(Program::Stdin);
    Ok(Request::Run(Box::new(Command { program, config, skip_first_line })))
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

/// Takes the locale of the environment over, and says whether it is the C locale, in which UTF-8 mode is on (PEP 540).
fn has_plain_locale() -> bool {
    // SAFETY: the program has one thread yet.
    unsafe { libc::setlocale(libc::LC_CTYPE, c"".as_ptr()) };
    matches!(&*taipan_vm::runtime::start::locale_name(), "" | "C" | "POSIX")
}

fn environment(config: &mut Config) -> Result<(), String> {
    // A variable that is set but empty counts as not set.
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let number = |name: &str| variable(name).map(|value| value.parse::<i32>().unwrap_or(1).max(1));
    if let Some(level) = number("PYTHONOPTIMIZE") {
        config.optimization_level = config.optimization_level.max(level);
    }
    if let Some(level) = number("PYTHONVERBOSE") {
        config.verbose = config.verbose.max(level);
    }
    if let Some(level) = number("PYTHONDEBUG") {
        config.debug = config.debug.max(level);
    }
    config.write_bytecode &= variable("PYTHONDONTWRITEBYTECODE").is_none();
    config.user_site &= variable("PYTHONNOUSERSITE").is_none();
    config.inspect |= variable("PYTHONINSPECT").is_some();
    config.unbuffered |= variable("PYTHONUNBUFFERED").is_some();
    config.safe_path |= variable("PYTHONSAFEPATH").is_some();
    config.dev_mode |= variable("PYTHONDEVMODE").is_some();
    if let Some(mode) = variable("PYTHONUTF8") {
        config.utf8_mode = mode != "0";
    }
    if let Some(paths) = variable("PYTHONPATH") {
        config.python_path = paths.split(':').map(str::to_owned).collect();
    }
    if let Some(home) = variable("PYTHONHOME") {
        let home = home.split(':').next().unwrap_or_default().to_owned();
        config.stdlib_dir = Some(format!("{home}/lib/python3.14"));
    }
    if let Some(warnings) = variable("PYTHONWARNINGS") {
        let mut options: Vec<String> = warnings.split(',').map(|w| w.trim().to_owned()).collect();
        options.append(&mut config.warn_options);
        config.warn_options = options;
    }
    config.pycache_prefix = variable("PYTHONPYCACHEPREFIX");
    if let Some(seed) = variable("PYTHONHASHSEED") {
        if seed != "random" {
            match seed.parse::<u32>() {
                Ok(seed) => config.hash_seed = Some(seed),
                Err(_) => {
                    return Err(
                        "Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]\nPython runtime state: preinitialized\n"
                            .to_owned(),
                    );
                }
            }
        }
    }
    if let Some(digits) = variable("PYTHONINTMAXSTRDIGITS").and_then(|d| d.parse::<i32>().ok()) {
        if digits == 0 || digits >= 640 {
            config.int_max_str_digits = digits;
        }
    }
    Ok(())
}

fn apply_x(config: &mut Config, name: &str, value: Option<&str>) -> Result<(), String> {
    match name {
        "dev" => config.dev_mode = true,
        "utf8" => config.utf8_mode = value != Some("0"),
        "stdlib" => config.stdlib_dir = value.map(str::to_owned),
        "pycache_prefix" => config.pycache_prefix = value.filter(|v| !v.is_empty()).map(str::to_owned),
        "importtime" => config.import_time = 1,
        "faulthandler" => config.faulthandler = true,
        "tracemalloc" => config.tracemalloc = value.and_then(|v| v.parse().ok()).unwrap_or(1),
        "int_max_str_digits" => match value.and_then(|v| v.parse::<i32>().ok()) {
            Some(digits) if digits == 0 || digits >= 640 => config.int_max_str_digits = digits,
            _ => {
                return Err(
                    "Fatal Python error: config_init_int_max_str_digits: -X int_max_str_digits: invalid limit; must be >= 640 or 0 for unlimited.\nPython runtime state: preinitialized\n"
                        .to_owned(),
                );
            }
        },
        _ => {}
    }
    Ok(())
}
