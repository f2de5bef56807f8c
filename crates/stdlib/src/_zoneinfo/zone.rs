//! `ZoneInfo`.

use std::cell::Cell;

use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use crate::_datetime::{DateTime, Delta, TzInfo, add_delta};

use super::cache;
use super::data::{Data, Info};

/// Where a zone comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Fresh,
    Cache,
    File,
}

/// The layout of a zone.
#[repr(C)]
#[derive(Traverse)]
pub struct ZoneInfo {
    #[traverse(skip)]
    ob: Object,
    key: Slot<Object>,
    file_repr: Slot<Object>,
    #[traverse(skip)]
    weakrefs: WeakList,
    /// Offsets and names: nothing that could refer back.
    #[traverse(skip)]
    data: Box<Data>,
    #[traverse(skip)]
    source: Cell<Source>,
}

fn make(cls: &Type, key: &Object, file: &Object, source: Source, vm: &Vm) -> PyResult {
    let data = Box::new(Data::load(file, vm)?);
    let file_repr = match source {
        Source::File => Some(file.repr(vm)?.into_object()),
        _ => None,
    };
    vm.new_instance(
        cls,
        ZoneInfo {
            ob: Object::new(ZoneInfo::type_object()),
            key: Slot::of(key.to_ref()),
            file_repr: Slot::new(file_repr),
            weakrefs: WeakList::new(),
            data,
            source: Cell::new(source),
        },
    )
}

/// A zone from the system's files, or from the package `tzdata`.
fn find(cls: &Type, key: &Object, vm: &Vm) -> PyResult {
    let path = import_module("zoneinfo._tzpath", vm)?.call_method(&vm.intern("find_tzfile"), &[key], vm)?;
    let file = if vm.is_none(&path) {
        import_module("zoneinfo._common", vm)?.call_method(&vm.intern("load_tzdata"), &[key], vm)?
    } else {
        let mode = vm.new_str("rb");
        import_module("io", vm)?.call_method(&vm.intern("open"), &[&path, mode.as_object()], vm)?
    };
    let made = make(cls, key, &file, Source::Fresh, vm);
    let pending = vm.take_exception();
    let closed = file.call_method(vm.ids().close, &[], vm);
    match pending {
        Some(pending) => {
            vm.clear_exception();
            Err(vm.reraise(pending))
        }
        None => closed.and(made),
    }
}

fn cached(cls: &Type, key: &Object, vm: &Vm) -> PyResult {
    if let Some(known) = cache::latest(cls, key, vm)? {
        return Ok(known);
    }
    let weak = cache::weak_cache(cls, vm)?;
    let mut zone = weak.call_method(&vm.intern("get"), &[key, vm.none_ref()], vm)?;
    if vm.is_none(&zone) {
        let made = find(cls, key, vm)?;
        zone = weak.call_method(&vm.intern("setdefault"), &[key, &made], vm)?;
        if let Some(zone) = zone.downcast_ref::<ZoneInfo>() {
            zone.source.set(Source::Cache);
        }
    }
    if !zone.ob_type().is_subtype_of(cls) {
        let key = key.repr(vm)?;
        return Err(vm.runtime_error(format!(
            "Unexpected instance of {} in {} weak cache for key {}",
            zone.ob_type().tp_name_str(),
            cls.tp_name_str(),
            key.to_string_lossy()
        )));
    }
    cache::keep(cls, key, &zone, vm);
    Ok(zone)
}

fn attribute(object: &Object, name: &str, vm: &Vm) -> PyResult<i64> {
    number(&*object.get_attr(&vm.intern(name), vm)?, vm)
}

fn number(object: &Object, vm: &Vm) -> PyResult<i64> {
    match object.as_index(vm)?.to_i64() {
        Some(value) if i32::try_from(value).is_ok() => Ok(value),
        _ => Err(vm.overflow_error("Python int too large to convert to C int")),
    }
}

/// What a datetime shows, in seconds since the epoch as if in UTC, with its fold and its year.
fn shown_time(dt: &Object, vm: &Vm) -> PyResult<(i64, bool, i64)> {
    const EPOCH_DAY: i64 = 719_163;
    if let Some(dt) = dt.downcast_exact::<DateTime>() {
        let (day, clock) = (dt.day(), dt.clock());
        let seconds = (i64::from(day.ordinal()) - EPOCH_DAY) * 86_400 + clock.seconds();
        return Ok((seconds, clock.fold != 0, i64::from(day.year)));
    }
    let day = number(&*dt.call_method(&vm.intern("toordinal"), &[], vm)?, vm)?;
    let (hour, minute) = (attribute(dt, "hour", vm)?, attribute(dt, "minute", vm)?);
    let seconds = (day - EPOCH_DAY) * 86_400 + hour * 3600 + minute * 60 + attribute(dt, "second", vm)?;
    let (fold, year) = match dt.downcast_ref::<DateTime>() {
        Some(dt) => (dt.clock().fold != 0, i64::from(dt.day().year)),
        None => (attribute(dt, "fold", vm)? != 0, attribute(dt, "year", vm)?),
    };
    Ok((seconds, fold, year))
}

impl ZoneInfo {
    fn info(&self, dt: &Object, vm: &Vm) -> PyResult<Option<&Info>> {
        if vm.is_none(dt) {
            return Ok(self.data.always());
        }
        let (shown, fold, year) = shown_time(dt, vm)?;
        Ok(Some(self.data.at_local(shown, fold, year)))
    }

    /// The key, unless it is None.
    fn shown_key(&self, vm: &Vm) -> Option<ObjRef> {
        self.key.get().filter(|key| !vm.is_none(key))
    }
}

#[pytype(
    name = "zoneinfo.ZoneInfo",
    base = TzInfo,
    flags(BASETYPE),
    gc,
    weakrefs = weakrefs,
    members(key: OBJECT = key, readonly),
    doc = ""
)]
impl ZoneInfo {
    #[new("(key)")]
    fn new(cls: &Type, key: &Object, vm: &Vm) -> PyResult {
        cached(cls, key, vm)
    }

    /// Clear the ZoneInfo cache.
    #[classmethod("($type, /, *, only_keys=None)")]
    fn clear_cache(cls: &Type, only_keys: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let weak = cache::weak_cache(cls, vm)?;
        let Some(keys) = only_keys.filter(|keys| !vm.is_none(keys)) else {
            weak.call_method(vm.ids().clear, &[], vm)?;
            return cache::forget(cls, None, vm);
        };
        let keys = keys.iter(vm)?;
        while let Some(key) = keys.iter_next(vm)? {
            cache::forget(cls, Some(&key), vm)?;
            weak.call_method(&vm.intern("pop"), &[&key, vm.none_ref()], vm)?;
        }
        Ok(())
    }

    /// Get a new instance of ZoneInfo, bypassing the cache.
    #[classmethod("($type, /, key)")]
    fn no_cache(cls: &Type, key: &Object, vm: &Vm) -> PyResult {
        find(cls, key, vm)
    }

    /// Create a ZoneInfo file from a file object.
    #[classmethod("($type, file_obj, /, key=None)")]
    fn from_file(cls: &Type, file: &Object, key: Option<&Object>, vm: &Vm) -> PyResult {
        make(cls, key.unwrap_or(vm.none_ref()), file, Source::File, vm)
    }

    /// Retrieve a timedelta representing the UTC offset in a zone at the given datetime.
    #[method("($self, dt, /)")]
    fn utcoffset(&self, dt: &Object, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
        Ok(self.info(dt, vm)?.map(|info| info.offset.clone()))
    }

    /// Retrieve a timedelta representing the amount of DST applied in a zone at the given datetime.
    #[method("($self, dt, /)")]
    fn dst(&self, dt: &Object, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
        Ok(self.info(dt, vm)?.map(|info| info.saving.clone()))
    }

    /// Retrieve a string containing the abbreviation for the time zone that applies in a zone at a given datetime.
    #[method("($self, dt, /)")]
    fn tzname(&self, dt: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        Ok(self.info(dt, vm)?.map(|info| info.name.clone()))
    }

    /// Given a datetime with local time in UTC, retrieve an adjusted datetime in local time.
    #[method("($self, object, /)")]
    fn fromutc(&self, dt: &Object, vm: &Vm) -> PyResult {
        let Some(utc) = dt.downcast_ref::<DateTime>() else {
            return Err(vm.type_error("fromutc: argument must be a datetime"));
        };
        if !utc.zone().is_some_and(|zone| zone.is(self.as_object())) {
            return Err(vm.value_error("fromutc: dt.tzinfo is not self"));
        }
        let (moment, _, year) = shown_time(dt, vm)?;
        let (info, fold) = self.data.at_utc(moment, year);
        let local = add_delta(utc, &info.offset, 1, vm)?;
        if !fold {
            return Ok(local);
        }
        let names = vm.new_tuple([vm.intern("fold").into_object()]);
        local.get_attr(&vm.intern("replace"), vm)?.call_kw(&[&vm.new_int(1)], Some(&names), vm)
    }

    /// Function for serialization with the pickle protocol.
    #[method("($self, /)")]
    fn __reduce__(zelf: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let Some(zone) = zelf.downcast_ref::<ZoneInfo>() else { return Err(vm.system_error("no zone")) };
        if zone.source.get() == Source::File {
            let error = import_module("pickle", vm)?.get_attr(&vm.intern("PicklingError"), vm)?;
            let text = "Cannot pickle a ZoneInfo file from a file stream.";
            return Err(match error.downcast_ref::<Type>() {
                Some(error) => vm.raise(error, text),
                None => vm.type_error(text),
            });
        }
        let unpickle = zelf.get_attr(&vm.intern("_unpickle"), vm)?;
        let from_cache = i32::from(zone.source.get() == Source::Cache);
        let key = zone.key.get().unwrap_or_else(|| vm.none());
        Ok(Tuple::pair(unpickle, Tuple::pair(key, vm.new_int(from_cache), vm).into_object(), vm))
    }

    /// Private method used in unpickling.
    #[classmethod("~($type, key, from_cache, /)")]
    fn _unpickle(cls: &Type, key: &Object, from_cache: bool, vm: &Vm) -> PyResult {
        if from_cache { cached(cls, key, vm) } else { find(cls, key, vm) }
    }

    /// Function to initialize subclasses.
    #[classmethod("!($type, /, *args, **kwargs)")]
    fn __init_subclass__(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        let weak = cache::new_weak_cache(vm)?;
        cls.as_object().set_attr(&vm.intern("_weak_cache"), &weak, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let cls = self.ob.ob_type().tp_name_str();
        Ok(match self.shown_key(vm) {
            Some(key) => format!("{cls}(key={})", key.repr(vm)?.to_string_lossy()),
            None => {
                let file = self.file_repr.get().unwrap_or_else(|| vm.none()).str(vm)?;
                format!("{cls}.from_file({})", file.to_string_lossy())
            }
        })
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult {
        match self.shown_key(vm) {
            Some(key) => Ok(key),
            None => Ok(vm.new_str(&self.tp_repr(vm)?).into_object()),
        }
    }
}
