//! `_stat`: the numbers in `st_mode` and `st_flags`.

use taipan_vm::prelude::*;

/// The module.
pub struct Stat;

const KIND: u32 = 0o170_000;

/// The file kinds with their letters in `ls -l`.
const KINDS: [(u32, u8); 7] = [
    (0o120_000, b'l'),
    (0o100_000, b'-'),
    (0o060_000, b'b'),
    (0o040_000, b'd'),
    (0o020_000, b'c'),
    (0o010_000, b'p'),
    (0o140_000, b's'),
];

const NUMBERS: &[(&str, u32)] = &[
    ("S_IFDIR", 0o040_000),
    ("S_IFCHR", 0o020_000),
    ("S_IFBLK", 0o060_000),
    ("S_IFREG", 0o100_000),
    ("S_IFIFO", 0o010_000),
    ("S_IFLNK", 0o120_000),
    ("S_IFSOCK", 0o140_000),
    ("S_IFDOOR", 0),
    ("S_IFPORT", 0),
    ("S_IFWHT", 0),
    ("S_ISUID", 0o4000),
    ("S_ISGID", 0o2000),
    ("S_ISVTX", 0o1000),
    ("S_ENFMT", 0o2000),
    ("S_IREAD", 0o400),
    ("S_IWRITE", 0o200),
    ("S_IEXEC", 0o100),
    ("S_IRWXU", 0o700),
    ("S_IRUSR", 0o400),
    ("S_IWUSR", 0o200),
    ("S_IXUSR", 0o100),
    ("S_IRWXG", 0o070),
    ("S_IRGRP", 0o040),
    ("S_IWGRP", 0o020),
    ("S_IXGRP", 0o010),
    ("S_IRWXO", 0o007),
    ("S_IROTH", 0o004),
    ("S_IWOTH", 0o002),
    ("S_IXOTH", 0o001),
    ("UF_SETTABLE", 0x0000_ffff),
    ("UF_NODUMP", 0x0000_0001),
    ("UF_IMMUTABLE", 0x0000_0002),
    ("UF_APPEND", 0x0000_0004),
    ("UF_OPAQUE", 0x0000_0008),
    ("UF_NOUNLINK", 0x0000_0010),
    ("UF_COMPRESSED", 0x0000_0020),
    ("UF_TRACKED", 0x0000_0040),
    ("UF_DATAVAULT", 0x0000_0080),
    ("UF_HIDDEN", 0x0000_8000),
    ("SF_SETTABLE", 0xffff_0000),
    ("SF_ARCHIVED", 0x0001_0000),
    ("SF_IMMUTABLE", 0x0002_0000),
    ("SF_APPEND", 0x0004_0000),
    ("SF_NOUNLINK", 0x0010_0000),
    ("SF_SNAPSHOT", 0x0020_0000),
    ("SF_FIRMLINK", 0x0080_0000),
    ("SF_DATALESS", 0x4000_0000),
    ("ST_MODE", 0),
    ("ST_INO", 1),
    ("ST_DEV", 2),
    ("ST_NLINK", 3),
    ("ST_UID", 4),
    ("ST_GID", 5),
    ("ST_SIZE", 6),
    ("ST_ATIME", 7),
    ("ST_MTIME", 8),
    ("ST_CTIME", 9),
];

/// A mode as these functions take it: any int that fits the C type.
struct Mode(u32);

impl FromArg<'_> for Mode {
    fn from_arg(object: &Object, _what: &taipan_vm::args::ArgName, vm: &Vm) -> PyResult<Self> {
        let int = object.as_index(vm)?;
        let wide = int.to_u64().ok_or_else(|| {
            if int.is_negative() {
                vm.overflow_error("can't convert negative value to unsigned int")
            } else {
                vm.overflow_error("Python int too large to convert to C unsigned long")
            }
        })?;
        u32::try_from(wide).map(Mode).map_err(|_| vm.overflow_error("mode out of range"))
    }
}

fn is_kind(mode: &Mode, kind: u32) -> bool {
    mode.0 & KIND == kind
}

/// S_IFMT_: file type bits
/// S_IFDIR: directory
/// S_IFCHR: character device
/// S_IFBLK: block device
/// S_IFREG: regular file
/// S_IFIFO: fifo (named pipe)
/// S_IFLNK: symbolic link
/// S_IFSOCK: socket file
#[pymodule(name = "_stat")]
impl Stat {
    /// S_ISDIR(mode) -> bool
    ///
    /// Return True if mode is from a directory.
    #[function("($self, object, /)", name = "S_ISDIR")]
    fn is_dir(mode: Mode) -> bool {
        is_kind(&mode, 0o040_000)
    }

    /// S_ISCHR(mode) -> bool
    ///
    /// Return True if mode is from a character special device file.
    #[function("($self, object, /)", name = "S_ISCHR")]
    fn is_character_device(mode: Mode) -> bool {
        is_kind(&mode, 0o020_000)
    }

    /// S_ISBLK(mode) -> bool
    ///
    /// Return True if mode is from a block special device file.
    #[function("($self, object, /)", name = "S_ISBLK")]
    fn is_block_device(mode: Mode) -> bool {
        is_kind(&mode, 0o060_000)
    }

    /// S_ISREG(mode) -> bool
    ///
    /// Return True if mode is from a regular file.
    #[function("($self, object, /)", name = "S_ISREG")]
    fn is_regular(mode: Mode) -> bool {
        is_kind(&mode, 0o100_000)
    }

    /// S_ISFIFO(mode) -> bool
    ///
    /// Return True if mode is from a FIFO (named pipe).
    #[function("($self, object, /)", name = "S_ISFIFO")]
    fn is_fifo(mode: Mode) -> bool {
        is_kind(&mode, 0o010_000)
    }

    /// S_ISLNK(mode) -> bool
    ///
    /// Return True if mode is from a symbolic link.
    #[function("($self, object, /)", name = "S_ISLNK")]
    fn is_link(mode: Mode) -> bool {
        is_kind(&mode, 0o120_000)
    }

    /// S_ISSOCK(mode) -> bool
    ///
    /// Return True if mode is from a socket.
    #[function("($self, object, /)", name = "S_ISSOCK")]
    fn is_socket(mode: Mode) -> bool {
        is_kind(&mode, 0o140_000)
    }

    /// S_ISDOOR(mode) -> bool
    ///
    /// Return True if mode is from a door.
    #[function("($self, object, /)", name = "S_ISDOOR")]
    fn is_door(_mode: Mode) -> bool {
        false
    }

    /// S_ISPORT(mode) -> bool
    ///
    /// Return True if mode is from an event port.
    #[function("($self, object, /)", name = "S_ISPORT")]
    fn is_port(_mode: Mode) -> bool {
        false
    }

    /// S_ISWHT(mode) -> bool
    ///
    /// Return True if mode is from a whiteout.
    #[function("($self, object, /)", name = "S_ISWHT")]
    fn is_whiteout(_mode: Mode) -> bool {
        false
    }

    /// Return the portion of the file's mode that can be set by os.chmod().
    #[function("($self, object, /)", name = "S_IMODE")]
    fn permissions(mode: Mode) -> u32 {
        mode.0 & 0o7777
    }

    /// Return the portion of the file's mode that describes the file type.
    #[function("($self, object, /)", name = "S_IFMT")]
    fn kind(mode: Mode) -> u32 {
        mode.0 & KIND
    }

    /// Convert a file's mode to a string of the form '-rwxrwxrwx'
    #[function("($self, object, /)")]
    fn filemode(mode: Mode) -> String {
        let kind = KINDS.iter().find(|(kind, _)| is_kind(&mode, *kind)).map_or('?', |(_, c)| char::from(*c));
        let mut text = String::from(kind);
        for (shift, special, mark) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
            let bits = mode.0 >> shift;
            text.push(if bits & 4 != 0 { 'r' } else { '-' });
            text.push(if bits & 2 != 0 { 'w' } else { '-' });
            text.push(match (mode.0 & special != 0, bits & 1 != 0) {
                (true, true) => mark,
                (true, false) => mark.to_ascii_uppercase(),
                (false, true) => 'x',
                (false, false) => '-',
            });
        }
        text
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        for (name, value) in NUMBERS {
            module.set(name, &vm.new_int(*value), vm)?;
        }
        Ok(())
    }
}
