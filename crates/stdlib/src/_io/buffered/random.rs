//! `BufferedRandom`.

use taipan_vm::prelude::*;

use super::core::Buffered;
use super::methods::next_line;
use crate::_io::iobase::BufferedIoBase;

/// The layout of `BufferedRandom`.
#[repr(C)]
#[derive(Traverse)]
pub struct BufferedRandom {
    pub(super) core: Buffered,
}

impl BufferedRandom {
    /// A stream with its own buffer over a raw stream.
    pub fn over(raw: &Object, size: isize, vm: &Vm) -> PyResult {
        let made = vm.new_object(BufferedRandom { core: Buffered::new(Self::type_object(), true, true) });
        made.core.set_up(raw, size, vm)?;
        Ok(made.into_object())
    }
}

/// A buffered interface to random access streams.
///
/// The constructor creates a reader and writer for a seekable stream,
/// raw, given in the first argument. If the buffer_size is omitted it
/// defaults to DEFAULT_BUFFER_SIZE.
#[pytype(
    name = "_io.BufferedRandom",
    base = BufferedIoBase,
    flags(BASETYPE),
    gc,
    methods(Buffered::COMMON, Buffered::READING, Buffered::WRITING),
    members(raw: OBJECT = core.raw readonly, _finalizing: BOOL = core.finalizing)
)]
impl BufferedRandom {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, BufferedRandom { core: Buffered::new(Self::type_object(), true, true) })
    }

    #[init("(raw, buffer_size=DEFAULT_BUFFER_SIZE)")]
    fn init(&self, raw: &Object, buffer_size: Option<isize>, vm: &Vm) -> PyResult<()> {
        self.core.set_up(raw, buffer_size.unwrap_or(crate::_io::DEFAULT_BUFFER_SIZE as isize), vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        self.core.shown(vm)
    }

    #[slot]
    fn tp_iternext(zelf: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        next_line(zelf, super::exact_reader(zelf), vm)
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
