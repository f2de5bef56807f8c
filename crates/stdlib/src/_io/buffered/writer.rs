//! `BufferedWriter`.

use taipan_vm::prelude::*;

use super::core::Buffered;
use crate::_io::iobase::BufferedIoBase;

/// The layout of `BufferedWriter`.
#[repr(C)]
#[derive(Traverse)]
pub struct BufferedWriter {
    pub(super) core: Buffered,
}

impl BufferedWriter {
    /// A stream with its own buffer over a raw stream.
    pub fn over(raw: &Object, size: isize, vm: &Vm) -> PyResult {
        let made = vm.new_object(BufferedWriter { core: Buffered::new(Self::type_object(), false, true) });
        made.core.set_up(raw, size, vm)?;
        Ok(made.into_object())
    }
}

/// A buffer for a writeable sequential RawIO object.
///
/// The constructor creates a BufferedWriter for the given writeable raw
/// stream. If the buffer_size is not given, it defaults to
/// DEFAULT_BUFFER_SIZE.
#[pytype(
    name = "_io.BufferedWriter",
    base = BufferedIoBase,
    flags(BASETYPE),
    gc,
    methods(Buffered::COMMON, Buffered::WRITING),
    members(raw: OBJECT = core.raw readonly, _finalizing: BOOL = core.finalizing)
)]
impl BufferedWriter {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, BufferedWriter { core: Buffered::new(Self::type_object(), false, true) })
    }

    #[init("(raw, buffer_size=DEFAULT_BUFFER_SIZE)")]
    fn init(&self, raw: &Object, buffer_size: Option<isize>, vm: &Vm) -> PyResult<()> {
        self.core.set_up(raw, buffer_size.unwrap_or(crate::_io::DEFAULT_BUFFER_SIZE as isize), vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        self.core.shown(vm)
    }

    #[getter]
    fn closed(&self, vm: &Vm) -> PyResult {
        self.core.closed_attr(vm)
    }

    #[getter]
    fn name(&self, vm: &Vm) -> PyResult {
        self.core.raw_attr(vm.ids().name, vm)
    }

    #[getter]
    fn mode(&self, vm: &Vm) -> PyResult {
        self.core.raw_attr(vm.ids().mode, vm)
    }
}
