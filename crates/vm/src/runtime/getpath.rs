//! Where the installation is, and whether the executable is that of a virtual environment (PEP 405).

use std::path::{Path, PathBuf};

/// The folders that `sys` names.
pub struct Places {
    /// `sys.prefix`: the virtual environment, or the installation.
    pub prefix: String,
    /// `sys.base_prefix`: the installation.
    pub base_prefix: String,
    /// `sys._base_executable`: the installation's executable.
    pub base_executable: String,
}

/// The prefix of an installation whose executables are in a folder.
fn above(folder: &Path) -> String {
    folder.parent().map_or_else(|| "/usr".to_owned(), shown)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The `home` of a `pyvenv.cfg` beside the executable or in the folder above.
fn venv_home(folder: &Path) -> Option<PathBuf> {
    let files = [Some(folder), folder.parent()];
    let text = files
        .into_iter()
        .flatten()
        .find_map(|folder| std::fs::read_to_string(folder.join("pyvenv.cfg")).ok())?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        key.trim().eq_ignore_ascii_case("home").then(|| PathBuf::from(value.trim()))
    })
}

impl Places {
    /// The places of an executable, which is an absolute path.
    pub fn find(executable: &str) -> Places {
        let path = Path::new(executable);
        let folder = path.parent().unwrap_or(Path::new("/"));
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let Some(home) = venv_home(folder) else {
            let prefix = above(real.parent().unwrap_or(folder));
            return Places { base_prefix: prefix.clone(), prefix, base_executable: executable.to_owned() };
        };
        let beside =
            |name: Option<&std::ffi::OsStr>| name.map(|name| home.join(name)).filter(|path| path.is_file());
        let base = beside(path.file_name()).or_else(|| beside(real.file_name())).unwrap_or(real);
        Places { prefix: above(folder), base_prefix: above(&home), base_executable: shown(&base) }
    }
}
