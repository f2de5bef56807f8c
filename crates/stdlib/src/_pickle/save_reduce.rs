//! Objects to pickles: what `__reduce_ex__` and its relatives say.

use taipan_vm::prelude::*;

use super::opcode as op;
use super::save::{Saver, type_name};

/// How the function of a reduction is called when the object is made again.
enum Way {
    Call,
    New,
    NewEx,
}

impl Saver<'_> {
    /// Writes an object by its persistent id; false when it has none.
    pub fn save_persistent(&mut self, persistent_id: &Object, object: &Object) -> PyResult<bool> {
        let vm = self.vm;
        let id = persistent_id.call(&[object], vm)?;
        if vm.is_none(&id) {
            return Ok(false);
        }
        if self.bin {
            self.save(&id, false)?;
            self.op(op::BINPERSID);
            return Ok(true);
        }
        let text = id.str(vm)?;
        let Some(ascii) = text.ascii_bytes() else {
            return Err(self.state.pickling("persistent IDs in protocol 0 must be ASCII strings", vm));
        };
        self.op(op::PERSID);
        self.bytes(ascii);
        self.op(b'\n');
        Ok(true)
    }

    /// Writes an object of a type that pickle knows nothing of.
    pub fn save_other(&mut self, object: &Object) -> PyResult<()> {
        let vm = self.vm;
        let class = object.ob_type().as_object();
        let reducer = match &self.dispatch_table {
            None => self.state.dispatch_table.get_item(class, vm)?,
            Some(table) => match table.clone().get_item(class, vm) {
                Ok(reducer) => Some(reducer),
                Err(_) if vm.exception_matches(types::key_error()) => {
                    vm.clear_exception();
                    None
                }
                Err(raised) => return Err(raised),
            },
        };
        let reduced = if let Some(reducer) = reducer {
            reducer.call(&[object], vm)?
        } else if object.downcast_ref::<Type>().is_some() {
            return self.save_global(object, None);
        } else if let Some(reduce) = object.lookup_attr(vm.ids().__reduce_ex__, vm)? {
            reduce.call(&[&*vm.new_int(self.proto)], vm)?
        } else if let Some(reduce) = object.lookup_attr(vm.ids().__reduce__, vm)? {
            reduce.call(&[], vm)?
        } else {
            let name = type_name(object, vm)?;
            return Err(self.state.pickling(format!("Can't pickle {name} object"), vm));
        };
        self.save_reduced(&reduced, object)
    }

    /// Writes what a reduction function gave.
    pub fn save_reduced(&mut self, reduced: &Object, object: &Object) -> PyResult<()> {
        if reduced.downcast_ref::<Str>().is_some() {
            return self.save_global(object, Some(reduced));
        }
        let saved = match reduced.downcast_ref::<Tuple>() {
            Some(parts) => self.save_reduce(parts, Some(object)),
            None => self.bad_item("__reduce__ must return a string or tuple", reduced),
        };
        self.noted(saved, object, || "object".to_owned())
    }

    #[cold]
    fn bad_item(&self, text: &str, item: &Object) -> PyResult<()> {
        let name = type_name(item, self.vm)?;
        Err(self.state.pickling(format!("{text}, not {name}"), self.vm))
    }

    #[cold]
    fn bad_part<T>(&self, which: &str, must: &str, item: &Object) -> PyResult<T> {
        let text = format!("{which} item of the tuple returned by __reduce__ must be {must}");
        match self.bad_item(&text, item) {
            Err(raised) => Err(raised),
            Ok(()) => Err(Raised),
        }
    }

    fn way(&self, function: &Object) -> PyResult<Way> {
        if self.proto < 2 {
            return Ok(Way::Call);
        }
        let name = function.lookup_attr(self.vm.ids().__name__, self.vm)?;
        Ok(match name.as_ref().and_then(|name| name.downcast_ref::<Str>()) {
            Some(name) if name.eq_str("__newobj_ex__") => Way::NewEx,
            Some(name) if name.eq_str("__newobj__") => Way::New,
            _ => Way::Call,
        })
    }

    /// Writes the parts of a reduction (PEP 307). `object` is what was reduced.
    pub fn save_reduce(&mut self, parts: &Tuple, object: Option<&Object>) -> PyResult<()> {
        let vm = self.vm;
        let items = parts.as_slice();
        let (2..=6, [function, args, rest @ ..]) = (items.len(), items) else {
            let text = "tuple returned by __reduce__ must contain 2 through 6 elements";
            return Err(self.state.pickling(text, vm));
        };
        let optional = |at: usize| rest.get(at).filter(|item| !vm.is_none(item));
        let (state, list_items, dict_items, setter) = (optional(0), optional(1), optional(2), optional(3));
        if !function.is_callable() {
            return self.bad_part("first", "callable", function);
        }
        let Some(args) = args.downcast_ref::<Tuple>() else {
            return self.bad_part("second", "a tuple", args);
        };
        if let Some(items) = list_items.filter(|items| !items.is_iterator()) {
            return self.bad_part("fourth", "an iterator", items);
        }
        if let Some(items) = dict_items.filter(|items| !items.is_iterator()) {
            return self.bad_part("fifth", "an iterator", items);
        }
        if let Some(setter) = setter.filter(|setter| !setter.is_callable()) {
            return self.bad_part("sixth", "callable", setter);
        }
        let subject = object.unwrap_or(parts.as_object());
        match self.way(function)? {
            Way::NewEx => self.save_newobj_ex(args, subject)?,
            Way::New => self.save_newobj(args, object, subject)?,
            Way::Call => {
                self.save_part(function, subject, "reconstructor")?;
                self.save_part(args.as_object(), subject, "reconstructor arguments")?;
                self.op(op::REDUCE);
            }
        }
        if let Some(object) = object {
            // What the object is made of may have led to it: then it has been written, and this copy goes away.
            match self.number(object) {
                Some(number) => {
                    self.op(op::POP);
                    self.get(number)?;
                }
                None => self.put(object)?,
            }
        }
        if let Some(items) = list_items {
            self.save_items(items, subject)?;
        }
        if let Some(items) = dict_items {
            self.save_pairs(items, subject)?;
        }
        let Some(state) = state else { return Ok(()) };
        match (setter, object) {
            (Some(setter), Some(object)) => {
                self.save_part(setter, subject, "state setter")?;
                self.save(object, true)?;
                self.save_part(state, subject, "state")?;
                self.bytes(&[op::TUPLE2, op::REDUCE, op::POP]);
            }
            _ => {
                self.save_part(state, subject, "state")?;
                self.op(op::BUILD);
            }
        }
        Ok(())
    }

    fn save_part(&mut self, part: &Object, subject: &Object, what: &str) -> PyResult<()> {
        let saved = self.save(part, true);
        self.noted(saved, subject, || what.to_owned())
    }

    fn save_newobj_ex(&mut self, args: &Tuple, subject: &Object) -> PyResult<()> {
        let vm = self.vm;
        let [class, args, kwargs] = args.as_slice() else {
            let text = format!("__newobj_ex__ expected 3 arguments, got {}", args.len());
            return Err(self.state.pickling(text, vm));
        };
        if class.downcast_ref::<Type>().is_none() {
            return self.bad_item("first argument to __newobj_ex__() must be a class", class);
        }
        let Some(arg_items) = args.downcast_ref::<Tuple>() else {
            return self.bad_item("second argument to __newobj_ex__() must be a tuple", args);
        };
        let Some(keywords) = kwargs.downcast_ref::<Dict>() else {
            return self.bad_item("third argument to __newobj_ex__() must be a dict", kwargs);
        };
        if self.proto >= 4 {
            self.save_part(class, subject, "class")?;
            self.save_part(args, subject, "__new__ arguments")?;
            self.save_part(kwargs, subject, "__new__ arguments")?;
            self.op(op::NEWOBJ_EX);
            return Ok(());
        }
        let mut bound = vec![class.get_attr(vm.ids().__new__, vm)?, class.clone()];
        bound.extend_from_slice(arg_items.as_slice());
        let made = self.state.partial.call_tuple_dict(&vm.new_tuple(bound), Some(keywords), vm)?;
        self.save_part(&made, subject, "reconstructor")?;
        self.save(Tuple::empty(vm).as_object(), true)?;
        self.op(op::REDUCE);
        Ok(())
    }

    fn save_newobj(&mut self, args: &Tuple, object: Option<&Object>, subject: &Object) -> PyResult<()> {
        let vm = self.vm;
        let Some((class, rest)) = args.as_slice().split_first() else {
            return Err(self.state.pickling("__newobj__ expected at least 1 argument, got 0", vm));
        };
        if class.downcast_ref::<Type>().is_none() {
            return self.bad_item("first argument to __newobj__() must be a class", class);
        }
        if let Some(object) = object {
            let own = object.get_attr(vm.ids().__class__, vm)?;
            if !own.is(class) {
                let (own, given) = (own.repr(vm)?, class.repr(vm)?);
                let text = format!(
                    "first argument to __newobj__() must be {}, not {}",
                    own.to_string_lossy(),
                    given.to_string_lossy()
                );
                return Err(self.state.pickling(text, vm));
            }
        }
        self.save_part(class, subject, "class")?;
        let rest = Tuple::from_refs(rest, vm);
        self.save_part(rest.as_object(), subject, "__new__ arguments")?;
        self.op(op::NEWOBJ);
        Ok(())
    }
}
