//! `stderrprinter`: what `sys.stderr` is until the `io` module is there.

use crate::prelude::*;

/// The layout.
#[repr(C)]
#[derive(Traverse)]
pub struct StdPrinter {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    fd: i32,
}

impl StdPrinter {
    /// A printer to a descriptor (`PyFile_NewStdPrinter`).
    pub fn create(fd: i32, vm: &Vm) -> Ref<StdPrinter> {
        vm.new_object(StdPrinter { ob: Object::new(Self::type_object()), fd })
    }
}

#[pytype(name = "stderrprinter", no_new, doc = "")]
impl StdPrinter {
    #[method("($self, text, /)")]
    fn write(&self, text: &Str, vm: &Vm) -> PyResult<usize> {
        let bytes: Vec<u8> = match text.to_utf8(vm) {
            Ok(text) => text.as_bytes().to_vec(),
            Err(Raised) => {
                vm.clear_exception();
                text.to_string_lossy().into_owned().into_bytes()
            }
        };
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            // SAFETY: the bytes are ours.
            let written = unsafe { libc::write(self.fd, rest.as_ptr().cast(), rest.len()) };
            match usize::try_from(written).ok().and_then(|written| rest.get(written..)) {
                Some(left) => rest = left,
                None => break,
            }
        }
        Ok(text.len())
    }

    #[method("($self, /)")]
    fn flush(&self) {}

    #[method("($self, /)")]
    fn close(&self) {}

    #[method("($self, /)")]
    fn fileno(&self) -> i32 {
        self.fd
    }

    #[method("($self, /)")]
    fn isatty(&self) -> bool {
        // SAFETY: a plain system call.
        unsafe { libc::isatty(self.fd) == 1 }
    }

    #[getter]
    fn closed(&self) -> bool {
        false
    }

    #[getter]
    fn encoding(&self, vm: &Vm) -> ObjRef {
        vm.none()
    }

    #[getter]
    fn mode(&self) -> &'static str {
        "w"
    }

    #[slot]
    fn tp_repr(&self) -> String {
        format!("<stderrprinter(fd={}) object at {:p}>", self.fd, self)
    }
}
