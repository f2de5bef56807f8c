//! The interpreter's configuration: command line and environment (PEP 587, "Python Initialization Configuration").

/// What the command line and the environment ask for.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Config {
    pub argv: Vec<std::ffi::OsString>,
    pub orig_argv: Vec<std::ffi::OsString>,
    pub executable: String,
    pub isolated: bool,
    pub use_environment: bool,
    pub user_site: bool,
    pub site_import: bool,
    pub safe_path: bool,
    pub inspect: bool,
    pub interactive: bool,
    pub optimization_level: i32,
    pub debug: i32,
    pub verbose: i32,
    pub quiet: bool,
    pub write_bytecode: bool,
    pub bytes_warning: i32,
    pub unbuffered: bool,
    pub dev_mode: bool,
    pub utf8_mode: bool,
    pub warn_options: Vec<String>,
    pub xoptions: Vec<(String, Option<String>)>,
    /// `PYTHONHASHSEED` as a number; none for a random seed.
    pub hash_seed: Option<u32>,
    /// `-R`: whatever `PYTHONHASHSEED` says.
    pub random_hashes: bool,
    /// The program's own folder, once it is known: the first entry of `sys.path`.
    pub first_path: Option<String>,
    /// `PYTHONPATH`, split.
    pub python_path: Vec<String>,
    /// `PYTHONHOME` or `-X stdlib`: the standard library on disk instead of the embedded one.
    pub stdlib_dir: Option<String>,
    pub pycache_prefix: Option<String>,
    pub int_max_str_digits: i32,
    pub check_hash_pycs: String,
    pub tracemalloc: i32,
    pub import_time: i32,
    pub faulthandler: bool,
    /// What `os.cpu_count` says; -1 for what the system says.
    pub cpu_count: i32,
    /// Whether code objects know columns and last lines; `-X no_debug_ranges` says no.
    pub code_debug_ranges: bool,
    pub thread_inherit_context: bool,
    pub context_aware_warnings: bool,
    pub warn_default_encoding: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            argv: Vec::new(),
            orig_argv: Vec::new(),
            executable: String::new(),
            isolated: false,
            use_environment: true,
            user_site: true,
            site_import: true,
            safe_path: false,
            inspect: false,
            interactive: false,
            optimization_level: 0,
            debug: 0,
            verbose: 0,
            quiet: false,
            write_bytecode: true,
            bytes_warning: 0,
            unbuffered: false,
            dev_mode: false,
            utf8_mode: true,
            warn_options: Vec::new(),
            xoptions: Vec::new(),
            hash_seed: None,
            random_hashes: false,
            first_path: None,
            python_path: Vec::new(),
            stdlib_dir: None,
            pycache_prefix: None,
            int_max_str_digits: 4300,
            check_hash_pycs: "default".to_owned(),
            tracemalloc: 0,
            import_time: 0,
            faulthandler: false,
            cpu_count: -1,
            code_debug_ranges: true,
            thread_inherit_context: false,
            context_aware_warnings: false,
            warn_default_encoding: false,
        }
    }
}
