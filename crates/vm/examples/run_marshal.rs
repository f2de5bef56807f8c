//! Runs a marshalled code object as `__main__` (for work on the interpreter before the compiler is there).
use std::io::Write;
use taipan_vm::prelude::*;
use taipan_vm::runtime::{config::Config, marshal, start};
#[repr(C)]
#[derive(Traverse)]
pub struct Out {
    #[traverse(skip)]
    pub ob: Object,
}
#[pytype(name = "Out")]
impl Out {
    #[method("($self, text, /)")]
    fn write(&self, text: &Str) {
        let _ = std::io::stdout().write_all(text.to_string_lossy().as_bytes());
    }
    #[method("($self, /)")]
    fn flush(&self) {}
}
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let data = std::fs::read(path).unwrap();
    let vm = start::start(Config::default(), start::Parts { modules: Vec::new(), library: None }).unwrap();
    let run = || -> PyResult<()> {
        let out = vm.new_object(Out { ob: Object::new(Out::type_object()) });
        vm.interp().sys_dict.get().unwrap().set_item(vm.ids().stdout.as_object(), out.as_object(), vm)?;
        let code = marshal::load_code(&data, vm)?;
        let module = Module::create("__main__", None, vm)?;
        let dict = module.dict(vm);
        let builtins = vm.interp().builtins_dict.get().unwrap();
        dict.set_item(vm.ids().__builtins__.as_object(), builtins.as_object(), vm)?;
        taipan_vm::interpreter::eval_code(&code, &dict, None, vm)?;
        Ok(())
    };
    if run().is_err() {
        if let Some(e) = vm.take_exception() {
            eprintln!("{}", taipan_vm::exceptions::print::native_text(&e, vm));
        }
        std::process::exit(1);
    }
}
