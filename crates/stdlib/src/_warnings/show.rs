//! Showing a warning: by the `warnings` module, or natively when that can't be had.

use taipan_vm::prelude::*;

/// A warning that was let through.
pub struct Shown<'a> {
    pub category: &'a Object,
    pub text: &'a Object,
    pub message: &'a Object,
    pub filename: &'a Object,
    pub lineno: i32,
    pub source: Option<&'a Object>,
    pub line: Option<&'a Object>,
}

impl Shown<'_> {
    /// Shows the warning through `warnings._showwarnmsg`.
    pub fn show(&self, vm: &Vm) -> PyResult<()> {
        let Some(show) = super::attribute(vm.ids()._showwarnmsg, self.source.is_some(), vm)? else {
            return self.print(vm);
        };
        if !show.is_callable() {
            return Err(vm.type_error("warnings._showwarnmsg() must be set to a callable"));
        }
        let Some(class) = super::attribute(&vm.intern("WarningMessage"), false, vm)? else {
            return Err(vm.runtime_error("unable to get warnings.WarningMessage"));
        };
        let (none, lineno) = (vm.none_ref(), vm.new_int(i64::from(self.lineno)));
        let (source, line) = (self.source.unwrap_or(none), self.line.unwrap_or(none));
        let message =
            class.call(&[self.message, self.category, self.filename, &lineno, none, line, source], vm)?;
        show.call(&[&message], vm).map(drop)
    }

    /// Writes the warning to `sys.stderr`.
    fn print(&self, vm: &Vm) -> PyResult<()> {
        let sys = vm.interp().sys_dict.get();
        let Some(stderr) = sys.map(|sys| sys.get_str(&vm.intern("stderr"), vm)).transpose()?.flatten() else {
            return Ok(());
        };
        if vm.is_none(&stderr) {
            return Ok(());
        }
        let name = self.category.get_attr(vm.ids().__name__, vm)?.str(vm)?;
        let text = format!(
            "{}:{}: {}: {}\n",
            self.filename.str(vm)?.to_string_lossy(),
            self.lineno,
            name.to_string_lossy(),
            self.text.str(vm)?.to_string_lossy()
        );
        stderr.call_method(vm.ids().write, &[vm.new_str(&text).as_object()], vm).map(drop)
    }
}
