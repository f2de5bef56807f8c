//! Functions that work on any object.

use super::Builtins;
use crate::prelude::*;
use crate::protocols::number;

fn attribute_name<'a>(name: &'a Object, vm: &Vm) -> PyResult<&'a Str> {
    name.downcast_ref::<Str>().ok_or_else(|| {
        vm.type_error(format!("attribute name must be string, not '{}'", name.ob_type().name()))
    })
}

/// The greatest (`>`) or least (`<`) of the arguments or of an iterable.
fn extreme(
    args: &[&Object],
    key: Option<&Object>,
    default: Option<&Object>,
    op: CompareOp,
    vm: &Vm,
) -> PyResult {
    let name = if op == CompareOp::Gt { "max" } else { "min" };
    let key = key.filter(|k| !vm.is_none(k));
    let iterator = match args {
        [] => return Err(vm.type_error(format!("{name} expected at least 1 argument, got 0"))),
        [one] => one.iter(vm)?,
        several => {
            if default.is_some() {
                return Err(vm.type_error(format!(
                    "Cannot specify a default for {name}() with multiple positional arguments"
                )));
            }
            Tuple::from_slice(several, vm).as_object().iter(vm)?
        }
    };
    let mut best: Option<(ObjRef, ObjRef)> = None;
    while let Some(item) = iterator.iter_next(vm)? {
        let value = match key {
            Some(key) => key.call(&[&item], vm)?,
            None => item.clone(),
        };
        let better = match &best {
            None => true,
            Some((_, champion)) => value.rich_compare(champion, op, vm)?.is_true(vm)?,
        };
        if better {
            best = Some((item, value));
        }
    }
    match (best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(default)) => Ok(default.to_ref()),
        (None, None) => Err(vm.value_error(format!("{name}() iterable argument is empty"))),
    }
}

/// `bin`, `oct`, `hex`.
fn in_base(number: &Object, base: u32, prefix: &str, vm: &Vm) -> PyResult {
    let index = number.as_index(vm)?;
    let sign = if index.is_negative() { "-" } else { "" };
    let digits = index.as_int_ref().abs().to_text(base, false);
    Ok(vm.new_str(&format!("{sign}{prefix}{digits}")).into_object())
}

#[pyfunctions(table = FUNCTIONS)]
impl Builtins {
    /// Return the absolute value of the argument.
    #[function("($module, x, /)")]
    fn abs(number: &Object, vm: &Vm) -> PyResult {
        number::absolute(number, vm)
    }

    /// Return True if bool(x) is True for all values x in the iterable.
    ///
    /// If the iterable is empty, return True.
    #[function("($module, iterable, /)")]
    fn all(iterable: &Object, vm: &Vm) -> PyResult<bool> {
        let iterator = iterable.iter(vm)?;
        while let Some(item) = iterator.iter_next(vm)? {
            if !item.is_true(vm)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Return True if bool(x) is True for any x in the iterable.
    ///
    /// If the iterable is empty, return False.
    #[function("($module, iterable, /)")]
    fn any(iterable: &Object, vm: &Vm) -> PyResult<bool> {
        let iterator = iterable.iter(vm)?;
        while let Some(item) = iterator.iter_next(vm)? {
            if item.is_true(vm)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Return an ASCII-only representation of an object.
    ///
    /// As repr(), return a string containing a printable representation of an
    /// object, but escape the non-ASCII characters in the string returned by
    /// repr() using \\x, \\u or \\U escapes. This generates a string similar
    /// to that returned by repr() in Python 2.
    #[function("($module, obj, /)")]
    fn ascii(object: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        let text = object.repr(vm)?;
        if text.is_ascii() {
            return Ok(text);
        }
        let mut out = String::with_capacity(text.len() * 2);
        for code in (0..text.len()).filter_map(|at| text.char_at(at)) {
            match code {
                0..=0x7f => out.push(code as u8 as char),
                0x80..=0xff => out.push_str(&format!("\\x{code:02x}")),
                0x100..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                _ => out.push_str(&format!("\\U{code:08x}")),
            }
        }
        Ok(vm.new_str(&out))
    }

    /// Return the binary representation of an integer.
    ///
    /// >>> bin(2796202)
    /// '0b1010101010101010101010'
    #[function("($module, number, /)")]
    fn bin(number: &Object, vm: &Vm) -> PyResult {
        in_base(number, 2, "0b", vm)
    }

    /// Return the octal representation of an integer.
    ///
    /// >>> oct(342391)
    /// '0o1234567'
    #[function("($module, number, /)")]
    fn oct(number: &Object, vm: &Vm) -> PyResult {
        in_base(number, 8, "0o", vm)
    }

    /// Return the hexadecimal representation of an integer.
    ///
    /// >>> hex(12648430)
    /// '0xc0ffee'
    #[function("($module, number, /)")]
    fn hex(number: &Object, vm: &Vm) -> PyResult {
        in_base(number, 16, "0x", vm)
    }

    /// Return whether the object is callable (i.e., some kind of function).
    ///
    /// Note that classes are callable, as are instances of classes with a
    /// __call__() method.
    #[function("($module, obj, /)")]
    fn callable(obj: &Object) -> bool {
        obj.is_callable()
    }

    /// Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff.
    #[function("($module, i, /)")]
    fn chr(i: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        let index = i.as_index(vm)?;
        match index.to_i64() {
            Some(code @ 0..=0x10ffff) => Ok(Str::from_char(code as u32, vm)),
            _ => Err(vm.value_error("chr() arg not in range(0x110000)")),
        }
    }

    /// Return the ordinal value of a character.
    ///
    /// If the argument is a one-character string, return the Unicode code
    /// point of that character.
    ///
    /// If the argument is a bytes or bytearray object of length 1, return its
    /// single byte value.
    #[function("($module, character, /)")]
    fn ord(character: &Object, vm: &Vm) -> PyResult<u32> {
        let length = if let Some(text) = character.downcast_ref::<Str>() {
            if let (1, Some(code)) = (text.len(), text.char_at(0)) {
                return Ok(code);
            }
            text.len()
        } else if character.downcast_ref::<Bytes>().is_some()
            || character.downcast_ref::<ByteArray>().is_some()
        {
            let buffer = character.get_buffer(crate::protocols::buffer::SIMPLE, vm)?;
            if let [one] = buffer.as_bytes() {
                return Ok(u32::from(*one));
            }
            buffer.as_bytes().len()
        } else {
            return Err(vm.type_error(format!(
                "ord() expected string of length 1, but {} found",
                character.ob_type().name()
            )));
        };
        Err(vm.type_error(format!("ord() expected a character, but string of length {length} found")))
    }

    /// Deletes the named attribute from the given object.
    ///
    /// delattr(x, 'y') is equivalent to ``del x.y``
    #[function("($module, obj, name, /)")]
    fn delattr(obj: &Object, name: &Object, vm: &Vm) -> PyResult<()> {
        obj.del_attr(attribute_name(name, vm)?, vm)
    }

    /// dir([object]) -> list of strings
    ///
    /// If called without an argument, return the names in the current scope.
    /// Else, return an alphabetized list of names comprising (some of) the attributes
    /// of the given object, and of attributes reachable from it.
    /// If the object supplies a method named __dir__, it will be used; otherwise
    /// the default dir() logic is used and returns:
    ///   for a module object: the module's attributes.
    ///   for a class object:  its attributes, and recursively the attributes
    ///     of its bases.
    ///   for any other object: its attributes, its class's attributes, and
    ///     recursively the attributes of its class's base classes.
    #[function("!($module, object=None, /)")]
    fn dir(object: Option<&Object>, vm: &Vm) -> PyResult<Ref<List>> {
        let names = match object {
            Some(object) => match object.lookup_special(vm.ids().__dir__, vm)? {
                Some(method) => method.call_no_args(vm)?,
                None => return Err(vm.type_error("object does not provide __dir__")),
            },
            None => {
                let locals = crate::interpreter::current_locals(vm)?;
                locals.call_method(vm.ids().keys, &[], vm)?
            }
        };
        let list = List::from_vec(names.collect_iterable(vm)?, vm);
        list.sort(None, false, vm)?;
        Ok(list)
    }

    /// Return the tuple (x//y, x%y).  Invariant: div*y + mod == x.
    #[function("($module, x, y, /)")]
    fn divmod(x: &Object, y: &Object, vm: &Vm) -> PyResult {
        number::divmod(x, y, vm)
    }

    /// Return type(value).__format__(value, format_spec)
    ///
    /// Many built-in types implement format_spec according to the
    /// Format Specification Mini-language. See help('FORMATTING') for
    /// details.
    ///
    /// If type(value) does not supply a method named __format__
    /// and format_spec is empty, then str(value) is returned.
    #[function("($module, value, format_spec='', /)")]
    fn format(value: &Object, format_spec: Option<&Str>, vm: &Vm) -> PyResult<Ref<Str>> {
        value.format(format_spec, vm)
    }

    /// getattr(object, name[, default]) -> value
    ///
    /// Get a named attribute from an object; getattr(x, 'y') is equivalent to x.y.
    /// When a default argument is given, it is returned when the attribute doesn't
    /// exist; without it, an exception is raised in that case.
    #[function("!($module, object, name, default=None, /)")]
    fn getattr(object: &Object, name: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let name = attribute_name(name, vm)?;
        match default {
            None => object.get_attr(name, vm),
            Some(default) => Ok(object.lookup_attr(name, vm)?.unwrap_or_else(|| default.to_ref())),
        }
    }

    /// Return whether the object has an attribute with the given name.
    ///
    /// This is done by calling getattr(obj, name) and catching AttributeError.
    #[function("($module, obj, name, /)")]
    fn hasattr(obj: &Object, name: &Object, vm: &Vm) -> PyResult<bool> {
        obj.has_attr(attribute_name(name, vm)?, vm)
    }

    /// Sets the named attribute on the given object to the specified value.
    ///
    /// setattr(x, 'y', v) is equivalent to ``x.y = v``
    #[function("($module, obj, name, value, /)")]
    fn setattr(obj: &Object, name: &Object, value: &Object, vm: &Vm) -> PyResult<()> {
        obj.set_attr(attribute_name(name, vm)?, value, vm)
    }

    /// Return the hash value for the given object.
    ///
    /// Two objects that compare equal must also have the same hash value, but the
    /// reverse is not necessarily true.
    #[function("($module, obj, /)")]
    fn hash(obj: &Object, vm: &Vm) -> PyResult<isize> {
        obj.hash(vm)
    }

    /// Return the identity of an object.
    ///
    /// This is guaranteed to be unique among simultaneously existing objects.
    /// (CPython uses the object's memory address.)
    #[function("($module, obj, /)")]
    fn id(obj: &Object, vm: &Vm) -> PyResult<usize> {
        let address = obj.as_ptr() as usize;
        audit_id(address, vm)?;
        Ok(address)
    }

    /// Return whether an object is an instance of a class or of a subclass thereof.
    ///
    /// A tuple, as in ``isinstance(x, (A, B, ...))``, may be given as the target to
    /// check against. This is equivalent to ``isinstance(x, A) or isinstance(x, B)
    /// or ...`` etc.
    #[function("($module, obj, class_or_tuple, /)")]
    fn isinstance(obj: &Object, class_or_tuple: &Object, vm: &Vm) -> PyResult<bool> {
        obj.is_instance(class_or_tuple, vm)
    }

    /// Return whether 'cls' is derived from another class or is the same class.
    ///
    /// A tuple, as in ``issubclass(x, (A, B, ...))``, may be given as the target to
    /// check against. This is equivalent to ``issubclass(x, A) or issubclass(x, B)
    /// or ...``.
    #[function("($module, cls, class_or_tuple, /)")]
    fn issubclass(cls: &Object, class_or_tuple: &Object, vm: &Vm) -> PyResult<bool> {
        cls.is_subclass(class_or_tuple, vm)
    }

    /// iter(iterable) -> iterator
    /// iter(callable, sentinel) -> iterator
    ///
    /// Get an iterator from an object.
    /// In the first form, the argument must supply its own iterator, or be a sequence.
    /// In the second form, the callable is called until it returns the sentinel.
    #[function("!($module, object, sentinel=None, /)")]
    fn iter(object: &Object, sentinel: Option<&Object>, vm: &Vm) -> PyResult {
        match sentinel {
            None => object.iter(vm),
            Some(_) if !object.is_callable() => Err(vm.type_error("iter(v, w): v must be callable")),
            Some(sentinel) => Ok(crate::builtins::iterators::CallableIterator::new(object, sentinel, vm)),
        }
    }

    /// Return an AsyncIterator for an AsyncIterable object.
    #[function("($module, async_iterable, /)")]
    fn aiter(async_iterable: &Object, vm: &Vm) -> PyResult {
        let tp = async_iterable.ob_type();
        let Some(make) = tp.as_async().and_then(|a| a.am_aiter.get()) else {
            return Err(vm.type_error(format!("'{}' object is not an async iterable", tp.name())));
        };
        // SAFETY: a slot is called with a live object.
        let iterator = unsafe { vm.owned(make(async_iterable.as_ptr())) }?;
        if iterator.ob_type().as_async().is_none_or(|a| a.am_anext.get().is_none()) {
            return Err(vm.type_error(format!(
                "aiter() returned not an async iterator of type '{}'",
                iterator.ob_type().name()
            )));
        }
        Ok(iterator)
    }

    /// Return the next item from the async iterator.
    ///
    /// If default is given and the async iterator is exhausted,
    /// it is returned instead of raising StopAsyncIteration.
    #[function("($module, aiterator, default=<unrepresentable>, /)")]
    fn anext(aiterator: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let tp = aiterator.ob_type();
        let Some(next) = tp.as_async().and_then(|a| a.am_anext.get()) else {
            return Err(vm.type_error(format!("'{}' object is not an async iterator", tp.name())));
        };
        // SAFETY: a slot is called with a live object.
        let awaitable = unsafe { vm.owned(next(aiterator.as_ptr())) }?;
        match default {
            None => Ok(awaitable),
            Some(default) => Ok(crate::builtins::generator::anext_awaitable(awaitable, default.to_ref(), vm)),
        }
    }

    /// Return the number of items in a container.
    #[function("($module, obj, /)")]
    fn len(obj: &Object, vm: &Vm) -> PyResult<usize> {
        obj.length(vm)
    }

    /// max(iterable, *[, default=obj, key=func]) -> value
    /// max(arg1, arg2, *args, *[, key=func]) -> value
    ///
    /// With a single iterable argument, return its biggest item. The
    /// default keyword-only argument specifies an object to return if
    /// the provided iterable is empty.
    /// With two or more positional arguments, return the largest argument.
    #[function("!(*args, key=None, default=None)")]
    fn max(args: &[&Object], key: Option<&Object>, default: Option<&Object>, vm: &Vm) -> PyResult {
        extreme(args, key, default, CompareOp::Gt, vm)
    }

    /// min(iterable, *[, default=obj, key=func]) -> value
    /// min(arg1, arg2, *args, *[, key=func]) -> value
    ///
    /// With a single iterable argument, return its smallest item. The
    /// default keyword-only argument specifies an object to return if
    /// the provided iterable is empty.
    /// With two or more positional arguments, return the smallest argument.
    #[function("!(*args, key=None, default=None)")]
    fn min(args: &[&Object], key: Option<&Object>, default: Option<&Object>, vm: &Vm) -> PyResult {
        extreme(args, key, default, CompareOp::Lt, vm)
    }

    /// next(iterator[, default])
    ///
    /// Return the next item from the iterator. If default is given and the iterator
    /// is exhausted, it is returned instead of raising StopIteration.
    #[function("!($module, iterator, default=None, /)")]
    fn next(iterator: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(next) = iterator.ob_type().tp_iternext.get() else {
            return Err(vm.type_error(format!("'{}' object is not an iterator", iterator.ob_type().name())));
        };
        // SAFETY: a slot is called with a live object, and hands over a reference or null.
        if let Some(item) = unsafe { Ref::from_raw_opt(next(iterator.as_ptr())) } {
            return Ok(item);
        }
        match default {
            Some(default) => {
                if vm.has_exception() {
                    if !vm.exception_matches(types::stop_iteration()) {
                        return Err(Raised);
                    }
                    vm.clear_exception();
                }
                Ok(default.to_ref())
            }
            None if vm.has_exception() => Err(Raised),
            None => Err(vm.stop_iteration(None)),
        }
    }

    /// Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.
    ///
    /// Some types, such as ints, are able to use a more efficient algorithm when
    /// invoked using the three argument form.
    #[function("($module, /, base, exp, mod=None)")]
    fn pow(base: &Object, exp: &Object, modulus: Option<&Object>, vm: &Vm) -> PyResult {
        number::power(base, exp, modulus.unwrap_or(vm.none_ref()), vm)
    }

    /// Return the canonical string representation of the object.
    ///
    /// For many object types, including most builtins, eval(repr(obj)) == obj.
    #[function("($module, obj, /)")]
    fn repr(obj: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        obj.repr(vm)
    }

    /// Round a number to a given precision in decimal digits.
    ///
    /// The return value is an integer if ndigits is omitted or None.  Otherwise
    /// the return value has the same type as the number.  ndigits may be negative.
    #[function("($module, /, number, ndigits=None)")]
    fn round(number: &Object, ndigits: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(round) = number.lookup_special(vm.ids().__round__, vm)? else {
            return Err(
                vm.type_error(format!("type {} doesn't define __round__ method", number.ob_type().name()))
            );
        };
        match ndigits.filter(|n| !vm.is_none(n)) {
            Some(ndigits) => round.call(&[ndigits], vm),
            None => round.call_no_args(vm),
        }
    }

    /// Return a new list containing all items from the iterable in ascending order.
    ///
    /// A custom key function can be supplied to customize the sort order, and the
    /// reverse flag can be set to request the result in descending order.
    #[function("($module, iterable, /, *, key=None, reverse=False)")]
    fn sorted(iterable: &Object, key: Option<&Object>, reverse: bool, vm: &Vm) -> PyResult<Ref<List>> {
        let list = crate::builtins::list::list_from_iterable(iterable, vm)?;
        list.sort(key.filter(|k| !vm.is_none(k)), reverse, vm)?;
        Ok(list)
    }

    /// vars([object]) -> dictionary
    ///
    /// Without arguments, equivalent to locals().
    /// With an argument, equivalent to object.__dict__.
    #[function("!($module, object=None, /)")]
    fn vars(object: Option<&Object>, vm: &Vm) -> PyResult {
        match object {
            None => crate::interpreter::current_locals(vm),
            Some(object) => object
                .lookup_attr(vm.ids().__dict__, vm)?
                .ok_or_else(|| vm.type_error("vars() argument must have __dict__ attribute")),
        }
    }

    /// Return the dictionary containing the current scope's global variables.
    ///
    /// NOTE: Updates to this dictionary *will* affect name lookups in the current
    /// global scope and vice-versa.
    #[function("($module, /)")]
    fn globals(vm: &Vm) -> PyResult {
        Ok(crate::interpreter::current_globals(vm).map_or_else(|| vm.none(), Ref::into_object))
    }

    /// Return a dictionary containing the current scope's local variables.
    ///
    /// NOTE: Whether or not updates to this dictionary will affect name lookups in
    /// the local scope and vice-versa is *implementation dependent* and not
    /// covered by any backwards compatibility guarantees.
    #[function("($module, /)")]
    fn locals(vm: &Vm) -> PyResult {
        crate::interpreter::current_locals(vm)
    }
}

/// `id` is audited (PEP 578).
fn audit_id(address: usize, vm: &Vm) -> PyResult<()> {
    if !crate::runtime::audit::is_active(vm) {
        return Ok(());
    }
    crate::runtime::audit::audit("builtins.id", &[&vm.new_int(address)], vm)
}
