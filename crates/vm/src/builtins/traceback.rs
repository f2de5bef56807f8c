//! `traceback`: which frames an exception went through (reference, "Traceback objects").

use std::cell::Cell;
use std::mem::size_of;

use crate::interpreter::frame::InterpreterFrame;
use crate::prelude::*;

/// `PyTracebackObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct Traceback {
    /// The header.
    pub ob: Object,
    /// The next inner level.
    pub tb_next: Slot<Traceback>,
    /// The frame of this level.
    pub tb_frame: Slot<Frame>,
    /// The byte offset of the instruction.
    pub tb_lasti: Cell<i32>,
    /// The line; -1 until somebody asks for it.
    pub tb_lineno: Cell<i32>,
}

const _: () = assert!(size_of::<Traceback>() == 40);

/// `tb_lineno` before it is computed from `tb_lasti`.
const LINE_NOT_YET_KNOWN: i32 = -1;

impl Traceback {
    /// One more outer level on top of `next`. The line is found from `lasti` when asked for.
    pub fn new_lazy(next: Option<Ref<Traceback>>, frame: Ref<Frame>, lasti: i32, vm: &Vm) -> Ref<Traceback> {
        Self::with_line(next, frame, lasti, LINE_NOT_YET_KNOWN, vm)
    }

    /// One more outer level on top of `next` with a given line.
    pub fn with_line(
        next: Option<Ref<Traceback>>,
        frame: Ref<Frame>,
        lasti: i32,
        lineno: i32,
        vm: &Vm,
    ) -> Ref<Traceback> {
        vm.new_object(Traceback {
            ob: Object::new(Self::type_object()),
            tb_next: Slot::new(next),
            tb_frame: Slot::of(frame),
            tb_lasti: Cell::new(lasti),
            tb_lineno: Cell::new(lineno),
        })
    }

    /// The line of this level, when the code says which.
    pub fn lineno(&self) -> Option<i32> {
        match self.tb_lineno.get() {
            LINE_NOT_YET_KNOWN => {
                let frame = self.tb_frame.get()?;
                frame.code().line_at(self.tb_lasti.get())
            }
            lineno => Some(lineno),
        }
    }
}

/// Create a new traceback object.
#[pytype(name = "traceback", symbol = "PyTraceBack_Type", gc)]
impl Traceback {
    #[new("(tb_next, tb_frame, tb_lasti, tb_lineno)")]
    fn new(
        _cls: &Type,
        tb_next: &Object,
        tb_frame: &Frame,
        tb_lasti: i32,
        tb_lineno: i32,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let next =
            if vm.is_none(tb_next) { None } else { Some(Ref::new_ref(expect_traceback(tb_next, vm)?)) };
        Ok(Traceback::with_line(next, Ref::new_ref(tb_frame), tb_lasti, tb_lineno, vm).into_object())
    }

    #[method("($self, /)")]
    fn __dir__(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let names = ["tb_frame", "tb_next", "tb_lasti", "tb_lineno"];
        Ok(vm.new_list(names.map(|name| vm.intern(name).into_object())))
    }

    #[getter(tb_next)]
    fn get_next(&self) -> Option<Ref<Traceback>> {
        self.tb_next.get()
    }

    #[setter(tb_next)]
    fn set_next(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("can't delete tb_next attribute")) };
        if vm.is_none(value) {
            self.tb_next.set(None);
            return Ok(());
        }
        let next = Ref::new_ref(expect_traceback(value, vm)?);
        let mut walk = Some(next.clone());
        while let Some(level) = walk {
            if level.as_object().is(self.as_object()) {
                return Err(vm.value_error("traceback loop detected"));
            }
            walk = level.tb_next.get();
        }
        self.tb_next.put(next);
        Ok(())
    }

    #[getter(tb_lineno)]
    fn get_lineno(&self) -> Option<i32> {
        self.lineno()
    }

    #[getter(tb_frame)]
    fn get_frame(&self) -> Option<Ref<Frame>> {
        self.tb_frame.get()
    }

    #[getter(tb_lasti)]
    fn get_lasti(&self) -> i32 {
        self.tb_lasti.get()
    }
}

fn expect_traceback<'a>(value: &'a Object, vm: &Vm) -> PyResult<&'a Traceback> {
    value.downcast_ref::<Traceback>().ok_or_else(|| {
        vm.type_error(format!("expected traceback object, got '{}'", value.ob_type().tp_name_str()))
    })
}

/// Puts the level of `frame`, where it stands now, in front of the exception's traceback. The evaluation loop calls it for
/// each frame that the exception leaves or is caught in.
///
/// # Safety
/// `frame` is a live frame of this thread.
#[cold]
pub unsafe fn add_to_exception(exception: &BaseException, frame: *mut InterpreterFrame, vm: &Vm) {
    // SAFETY: the caller vouches for the frame.
    let (object, lasti) = unsafe { (InterpreterFrame::object(frame, vm), (*frame).lasti()) };
    let level = Traceback::new_lazy(exception.traceback(), object, lasti, vm);
    exception.traceback.put(level.into_object());
}

/// `add_to_exception` for the frame that runs now; nothing when none does.
pub fn add_current_frame(exception: &BaseException, vm: &Vm) -> PyResult<()> {
    let frame = crate::interpreter::frame::current(vm);
    if !frame.is_null() {
        // SAFETY: the current frame is alive.
        unsafe { add_to_exception(exception, frame, vm) };
    }
    Ok(())
}

/// Takes importlib's own levels out of the traceback of an exception that left an import: all of them for an `ImportError`,
/// else those that end at a call of `_call_with_frames_removed`.
pub fn remove_importlib_frames(exception: &BaseException, _vm: &Vm) {
    const FILES: [&str; 3] = [
        "<frozen importlib._bootstrap>",
        "<frozen importlib._bootstrap_external>",
        "<frozen _embedded_importer>",
    ];
    let all = exception.as_object().ob_type().is_subtype_of(types::import_error());
    // Where a link to a level is kept: in the level before, or, for the first, in the exception.
    type Link = Option<Ref<Traceback>>;
    let set = |link: &Link, next: Option<Ref<Traceback>>| match link {
        Some(level) => level.tb_next.set(next),
        None => exception.traceback.set(next.map(Ref::into_object)),
    };
    let mut walk = exception.traceback();
    let (mut previous, mut outer): (Link, Link) = (None, None);
    let mut inside = false;
    while let Some(level) = walk {
        let next = level.tb_next.get();
        let code = level.tb_frame.get().map(|frame| frame.code());
        let here = code.as_ref().is_some_and(|code| FILES.iter().any(|file| code.filename().eq_str(file)));
        if here && !inside {
            outer.clone_from(&previous);
        }
        inside = here;
        let trim = here && (all || code.is_some_and(|code| code.name().eq_str("_call_with_frames_removed")));
        if trim {
            set(&outer, next.clone());
            previous.clone_from(&outer);
        } else {
            previous = Some(level);
        }
        walk = next;
    }
}
