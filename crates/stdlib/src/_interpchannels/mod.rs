//! `_interpchannels`: channels between interpreters.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use taipan_vm::args::ArgName;
use taipan_vm::builtins::memoryview::MemoryView;
use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;
use taipan_vm::runtime::interpreters;

use crate::_interpreters::exceptions::class_of;
use crate::_interpreters::number_argument;
use crate::_interpreters::policies::{DEFAULTS, PICKLED, policies};
use crate::_interpreters::shared::{Shared, pack};

pub(crate) mod channel;
mod id;

use channel::{End, Fate, Refusal};
use id::ChannelId;

/// The module.
pub struct InterpChannels;

static INFO: StructSeq = StructSeq {
    name: "_interpchannels.ChannelInfo",
    doc: "ChannelInfo\n\nA named tuple of a channel's state.",
    fields: &[
        ("open", "both ends are open"),
        ("closing", "send is closed, recv is non-empty"),
        ("closed", "both ends are closed"),
        ("count", "queued objects"),
        ("num_interp_send", "interpreters bound to the send end"),
        ("num_interp_send_released", "interpreters bound to the send end and released"),
        ("num_interp_recv", "interpreters bound to the send end"),
        ("num_interp_recv_released", "interpreters bound to the send end and released"),
        ("num_interp_both", "interpreters bound to both ends"),
        ("num_interp_both_recv_released", "interpreters bound to both ends and released_from_the recv end"),
        ("num_interp_both_send_released", "interpreters bound to both ends and released_from_the send end"),
        ("num_interp_both_released", "interpreters bound to both ends and released_from_both"),
        ("send_associated", "current interpreter is bound to the send end"),
        ("send_released", "current interpreter *was* bound to the send end"),
        ("recv_associated", "current interpreter is bound to the recv end"),
        ("recv_released", "current interpreter *was* bound to the recv end"),
    ],
    visible: 8,
};

fn channel_error(vm: &Vm) -> PyResult<Ref<Type>> {
    class_of("_interpchannels", "ChannelError", types::runtime_error().as_object(), vm)
}

fn subclass(name: &'static str, vm: &Vm) -> PyResult<Ref<Type>> {
    class_of("_interpchannels", name, channel_error(vm)?.as_object(), vm)
}

/// Raises what a channel's refusal means.
fn refused(refusal: Refusal, id: i64, vm: &Vm) -> Raised {
    let (name, text) = match refusal {
        Refusal::NotFound => ("ChannelNotFoundError", format!("channel {id} not found")),
        Refusal::Closed => ("ChannelClosedError", format!("channel {id} is closed")),
        Refusal::Empty => ("ChannelEmptyError", format!("channel {id} is empty")),
        Refusal::NotEmpty => {
            ("ChannelNotEmptyError", format!("channel {id} may not be closed if not empty (try force=True)"))
        }
    };
    match subclass(name, vm) {
        Ok(class) => vm.raise(&class, text),
        Err(Raised) => Raised,
    }
}

/// A channel's number: a `ChannelID`, an int, or an object with `__index__`.
struct Id(i64, End);

impl FromArg<'_> for Id {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        if let Some(id) = object.downcast_ref::<ChannelId>() {
            return Ok(Id(id.id, id.end));
        }
        let id = number_argument(object, "channel ID", vm)?
            .to_i64()
            .ok_or_else(|| vm.overflow_error("int too big to convert"))?;
        Ok(Id(id, End::Both))
    }
}

/// The end that two flags name; without any, both.
fn end_of(send: Option<bool>, recv: Option<bool>) -> End {
    match (send == Some(true), recv == Some(true)) {
        (true, false) => End::Send,
        (false, true) => End::Recv,
        _ => End::Both,
    }
}

/// The classes of the Python part for sending and receiving ends.
#[derive(Default)]
struct EndTypes(RefCell<Option<[ObjRef; 2]>>);

fn end_types(vm: &Vm) -> Option<[ObjRef; 2]> {
    vm.interp().state::<EndTypes>().0.borrow().clone()
}

/// Whether the object is an end of the Python part.
fn is_end(object: &Object, vm: &Vm) -> bool {
    end_types(vm).is_some_and(|types| types.iter().any(|tp| tp.is(object.ob_type().as_object())))
}

/// Whether the object stands for a channel.
pub(crate) fn is_channel(object: &Object, vm: &Vm) -> bool {
    object.downcast_exact::<ChannelId>().is_some() || is_end(object, vm)
}

/// A channel's number and end when the object stands for one, and the module of its class when that is the Python part's.
pub(crate) fn as_channel(object: &Object, vm: &Vm) -> PyResult<Option<(i64, End, Option<String>)>> {
    if let Some(id) = object.downcast_exact::<ChannelId>() {
        return Ok(Some((id.id, id.end, None)));
    }
    if !is_end(object, vm) {
        return Ok(None);
    }
    let id = object.get_attr(&vm.intern("_id"), vm)?;
    let Some(id) = id.downcast_ref::<ChannelId>() else {
        let given = id.ob_type().name();
        return Err(vm.type_error(format!(
            "'_id' attribute must be an _interpchannels.ChannelID object, not {given}"
        )));
    };
    let module = object.ob_type().as_object().get_attr(vm.ids().__module__, vm)?;
    Ok(Some((id.id, id.end, Some(module.str(vm)?.to_string_lossy().into_owned()))))
}

/// The object of a channel that was handed over.
pub(crate) fn channel_object(id: i64, end: End, module: Option<&str>, vm: &Vm) -> PyResult {
    let id = ChannelId::create(id, end, vm);
    let Some(module) = module else { return Ok(id.into_object()) };
    if end_types(vm).is_none() {
        taipan_vm::import::import_module(module, vm)?;
    }
    match (end_types(vm), end) {
        (Some([send, _]), End::Send) => send.call(&[id.as_object()], vm),
        (Some([_, recv]), End::Recv) => recv.call(&[id.as_object()], vm),
        _ => Ok(id.into_object()),
    }
}

/// How long a sender waits. Raises for a time that makes no sense.
fn waiting_time(blocking: bool, timeout: Option<&Object>, vm: &Vm) -> PyResult<Option<Duration>> {
    let Some(timeout) = timeout.filter(|timeout| !vm.is_none(timeout)) else { return Ok(None) };
    if !blocking {
        return Err(vm.value_error("can't specify a timeout for a non-blocking call"));
    }
    let seconds = timeout.as_f64(vm)?;
    if seconds.is_nan() || seconds < 0.0 {
        return Err(vm.value_error("timeout value must be a non-negative number"));
    }
    if seconds > i64::MAX as f64 / 1e9 {
        return Err(vm.overflow_error("timestamp out of range for C PyTime_t"));
    }
    Ok(Some(Duration::from_secs_f64(seconds)))
}

/// Sends an object that is packed already, and waits for somebody to take it if so asked.
fn send(
    id: i64,
    object: Shared,
    unbound: i32,
    blocking: bool,
    limit: Option<Duration>,
    vm: &Vm,
) -> PyResult<()> {
    let receipt = channel::send(id, vm.interp().id, object, unbound).map_err(|why| refused(why, id, vm))?;
    if !blocking {
        return Ok(());
    }
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    loop {
        let slice = Duration::from_millis(50);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let slice = left.map_or(slice, |left| left.min(slice));
        match vm.allow_threads(|| receipt.wait(slice)) {
            Fate::Received => return Ok(()),
            Fate::Lost => return Err(refused(Refusal::Closed, id, vm)),
            Fate::Waiting => {}
        }
        let late = left.is_some_and(|left| left <= slice);
        let raised = taipan_vm::runtime::pending::handle(vm);
        if late || raised.is_err() {
            channel::take_back(id, &receipt);
            return raised.and_then(|()| Err(vm.raise(types::timeout_error(), "timed out")));
        }
    }
}

/// The policies for one object: as asked, or the channel's.
fn policies_for(id: i64, unbound: Option<i32>, fallback: Option<i32>, vm: &Vm) -> PyResult<(i32, i32)> {
    let defaults = channel::with(id, |channel| channel.defaults).map_err(|why| refused(why, id, vm))?;
    policies(unbound, fallback, defaults, vm)
}

/// This module provides primitive operations to manage Python interpreters.
/// The 'interpreters' module provides a more convenient interface.
#[pymodule(name = "_interpchannels", types(ChannelId))]
impl InterpChannels {
    /// channel_create(unboundop) -> cid
    ///
    /// Create a new cross-interpreter channel and return a unique generated ID.
    #[function("!($module, unboundop=-1, fallback=-1)")]
    fn create(unboundop: Option<i32>, fallback: Option<i32>, vm: &Vm) -> PyResult<Ref<ChannelId>> {
        let defaults = policies(unboundop, fallback, DEFAULTS, vm)?;
        Ok(ChannelId::create(channel::create(defaults), End::Both, vm))
    }

    /// channel_destroy(cid)
    ///
    /// Close and finalize the channel.  Afterward attempts to use the channel
    /// will behave as though it never existed.
    #[function("!($module, cid)")]
    fn destroy(cid: Id, vm: &Vm) -> PyResult<()> {
        channel::destroy(cid.0).map_err(|why| refused(why, cid.0, vm))
    }

    /// channel_list_all() -> [cid]
    ///
    /// Return the list of all IDs for active channels.
    #[function("($self, /)")]
    fn list_all(vm: &Vm) -> PyResult<Ref<List>> {
        let all = channel::list().into_iter().map(|(id, (unbound, fallback))| {
            (ChannelId::create(id, End::Both, vm).into_object(), unbound, fallback).into_py(vm)
        });
        Ok(vm.new_list(all.collect::<PyResult<Vec<_>>>()?))
    }

    /// channel_list_interpreters(cid, *, send) -> [id]
    ///
    /// Return the list of all interpreter IDs associated with an end of the channel.
    ///
    /// The 'send' argument should be a boolean indicating whether to use the send or
    /// receive end.
    #[function("!($module, cid, *, send)")]
    fn list_interpreters(cid: Id, send: bool, vm: &Vm) -> PyResult<Ref<List>> {
        let end = if send { End::Send } else { End::Recv };
        let held = channel::holders(cid.0, end).map_err(|why| refused(why, cid.0, vm))?;
        Ok(vm.new_list(held.into_iter().map(|id| vm.new_int(id)).collect::<Vec<_>>()))
    }

    /// channel_send(cid, obj, *, blocking=True, timeout=None)
    ///
    /// Add the object's data to the channel's queue.
    /// By default this waits for the object to be received.
    #[function("!($module, cid, obj, unboundop=-1, fallback=-1, *, blocking=True, timeout=None)")]
    fn send(
        cid: Id,
        obj: &Object,
        unboundop: OrNone<i32>,
        fallback: OrNone<i32>,
        blocking: Option<bool>,
        timeout: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let blocking = blocking.unwrap_or(true);
        let limit = waiting_time(blocking, timeout, vm)?;
        let (unbound, fallback) = policies_for(cid.0, unboundop.0, fallback.0, vm)?;
        send(cid.0, pack(obj, fallback == PICKLED, vm)?, unbound, blocking, limit, vm)
    }

    /// channel_send_buffer(cid, obj, *, blocking=True, timeout=None)
    ///
    /// Add the object's buffer to the channel's queue.
    /// By default this waits for the object to be received.
    #[function("!($module, cid, obj, unboundop=-1, fallback=-1, *, blocking=True, timeout=None)")]
    fn send_buffer(
        cid: Id,
        obj: &Object,
        unboundop: OrNone<i32>,
        fallback: OrNone<i32>,
        blocking: Option<bool>,
        timeout: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let blocking = blocking.unwrap_or(true);
        let limit = waiting_time(blocking, timeout, vm)?;
        let (unbound, _) = policies_for(cid.0, unboundop.0, fallback.0, vm)?;
        let view = MemoryView::from_object(obj, vm)?;
        send(cid.0, pack(view.as_object(), false, vm)?, unbound, blocking, limit, vm)
    }

    /// channel_recv(cid, [default]) -> (obj, unboundop)
    ///
    /// Return a new object from the data at the front of the channel's queue.
    ///
    /// If there is nothing to receive then raise ChannelEmptyError, unless
    /// a default value is provided.  In that case return it.
    #[function("!($module, cid, default=<unrepresentable>)")]
    fn recv(cid: Id, default: Option<&Object>, vm: &Vm) -> PyResult<(ObjRef, Option<ObjRef>)> {
        match (channel::receive(cid.0, vm.interp().id), default) {
            (Ok((Some(object), _)), _) => Ok((object.unpack(vm)?, None)),
            (Ok((None, unbound)), _) => Ok((vm.none(), Some(vm.new_int(unbound)))),
            (Err(Refusal::Empty), Some(default)) => Ok((default.to_ref(), None)),
            (Err(why), _) => Err(refused(why, cid.0, vm)),
        }
    }

    /// channel_close(cid, *, send=None, recv=None, force=False)
    ///
    /// Close the channel for all interpreters.
    ///
    /// If the channel is empty then the keyword args are ignored and both
    /// ends are immediately closed.  Otherwise, if 'force' is True then
    /// all queued items are released and both ends are immediately
    /// closed.
    ///
    /// If the channel is not empty *and* 'force' is False then following
    /// happens:
    ///
    ///  * recv is True (regardless of send):
    ///    - raise ChannelNotEmptyError
    ///  * recv is None and send is None:
    ///    - raise ChannelNotEmptyError
    ///  * send is True and recv is not True:
    ///    - fully close the 'send' end
    ///    - close the 'recv' end to interpreters not already receiving
    ///    - fully close it once empty
    ///
    /// Closing an already closed channel results in a ChannelClosedError.
    ///
    /// Once the channel's ID has no more ref counts in any interpreter
    /// the channel will be destroyed.
    #[function("!($module, cid, *, send=None, recv=None, force=False)")]
    fn close(cid: Id, send: OrNone<bool>, recv: OrNone<bool>, force: Option<bool>, vm: &Vm) -> PyResult<()> {
        let end = end_of(send.0, recv.0);
        channel::close(cid.0, end, force == Some(true)).map_err(|why| refused(why, cid.0, vm))
    }

    /// channel_release(cid, *, send=None, recv=None, force=True)
    ///
    /// Close the channel for the current interpreter.  'send' and 'recv'
    /// (bool) may be used to indicate the ends to close.  By default both
    /// ends are closed.  Closing an already closed end is a noop.
    #[function("!($module, cid, *, send=None, recv=None, force=True)")]
    fn release(
        cid: Id,
        send: OrNone<bool>,
        recv: OrNone<bool>,
        _force: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let end = end_of(send.0, recv.0);
        channel::release(cid.0, vm.interp().id, end).map_err(|why| refused(why, cid.0, vm))
    }

    /// get_count(cid)
    ///
    /// Return the number of items in the channel.
    #[function("!($module, cid)")]
    fn get_count(cid: Id, vm: &Vm) -> PyResult<usize> {
        channel::count(cid.0).map_err(|why| refused(why, cid.0, vm))
    }

    /// get_info(cid)
    ///
    /// Return details about the channel.
    #[function("!($module, cid)")]
    fn get_info(cid: Id, vm: &Vm) -> PyResult {
        let info = channel::info(cid.0).map_err(|why| refused(why, cid.0, vm))?;
        let own = vm.interp().id;
        let count = |send: Option<bool>, recv: Option<bool>| {
            vm.new_int(info.ends.iter().filter(|(_, s, r)| (*s, *r) == (send, recv)).count())
        };
        let own_end = info.ends.iter().find(|(id, ..)| *id == own);
        let own_end = |held: bool, pick: fn(&(i64, Option<bool>, Option<bool>)) -> Option<bool>| {
            vm.new_bool(own_end.and_then(pick) == Some(held))
        };
        INFO.instance(
            vec![
                vm.new_bool(info.is_open),
                vm.new_bool(info.is_closing),
                vm.new_bool(info.is_closed),
                vm.new_int(info.count),
                count(Some(true), None),
                count(Some(false), None),
                count(None, Some(true)),
                count(None, Some(false)),
                count(Some(true), Some(true)),
                count(Some(true), Some(false)),
                count(Some(false), Some(true)),
                count(Some(false), Some(false)),
                own_end(true, |end| end.1),
                own_end(false, |end| end.1),
                own_end(true, |end| end.2),
                own_end(false, |end| end.2),
            ],
            vm,
        )
    }

    /// get_channel_defaults(cid)
    ///
    /// Return the channel's default values, set when it was created.
    #[function("!($module, cid)")]
    fn get_channel_defaults(cid: Id, vm: &Vm) -> PyResult<(i32, i32)> {
        policies_for(cid.0, None, None, vm)
    }

    #[function("!($module, id, *, send=False, recv=False, force=False, _resolve=False)")]
    fn _channel_id(
        id: Id,
        send: Option<bool>,
        recv: Option<bool>,
        force: Option<bool>,
        _resolve: Option<bool>,
        vm: &Vm,
    ) -> PyResult<Ref<ChannelId>> {
        if (send, recv) == (Some(false), Some(false)) {
            return Err(vm.value_error("'send' and 'recv' cannot both be False"));
        }
        if force != Some(true) {
            channel::with(id.0, |_| ()).map_err(|why| refused(why, id.0, vm))?;
        }
        let end = match end_of(send, recv) {
            End::Both if (send, recv) != (Some(true), Some(true)) => id.1,
            end => end,
        };
        Ok(ChannelId::create(id.0, end, vm))
    }

    #[function("!($module, send, recv)")]
    fn _register_end_types(send: &Object, recv: &Object, vm: &Vm) -> PyResult<()> {
        for (name, class) in [("send", send), ("recv", recv)] {
            if class.downcast_ref::<Type>().is_none() {
                return Err(vm.type_error(format!("expected a type for '{name}'")));
            }
        }
        let classes = [send, recv].map(Object::to_ref);
        let old = vm.interp().state::<EndTypes>().0.replace(Some(classes));
        drop(old);
        Ok(())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        interpreters::at_end(channel::unbind);
        module.set("ChannelInfo", INFO.get(vm)?.as_object(), vm)?;
        module.set("ChannelError", channel_error(vm)?.as_object(), vm)?;
        for name in
            ["ChannelNotFoundError", "ChannelClosedError", "ChannelEmptyError", "ChannelNotEmptyError"]
        {
            module.set(name, subclass(name, vm)?.as_object(), vm)?;
        }
        Ok(())
    }
}
