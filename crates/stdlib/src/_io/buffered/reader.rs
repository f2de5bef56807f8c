//! `BufferedReader`.

use taipan_vm::prelude::*;

use super::core::Buffered;
use super::methods::next_line;
use crate::_io::iobase::BufferedIoBase;

/// The layout of `BufferedReader`.
#[repr(C)]
#[derive(Traverse)]
pub struct BufferedReader {
    pub(super) core: Buffered,
}

impl BufferedReader {
    /// A stream with its own buffer over a raw stream.
    pub fn over(raw: &Object, size: isize, vm: &Vm) -> PyResult {
        let made = vm.new_object(BufferedReader { core: Buffered::new(Self::type_object(), true, false) });
        made.core.set_up(raw, size, vm)?;
        Ok(made.into_object())
    }
}

/// Create a new buffered reader using the given readable raw IO object.
#[pytype(
    name = "_io.BufferedReader",
    base = BufferedIoBase,
    flags(BASETYPE),
    gc,
    methods(Buffered::FLUSH_RAW, Buffered::COMMON, Buffered::READING),
    members(raw: OBJECT = core.raw readonly, _finalizing: BOOL = core.finalizing)
)]
impl BufferedReader {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, BufferedReader { core: Buffered::new(Self::type_object(), true, false) })
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
