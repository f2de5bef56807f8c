//! What nearly every file that declares Python types or modules needs.

pub use crate::args::{BufferArg, FromArg, IntoPy, KwArgs, OrNone, PathArg};
pub use crate::builtins::{
    bool_::Bool, bytearray::ByteArray, bytes::Bytes, cell::PyCell, code::Code, complex::Complex, dict::Dict,
    float::Float, frame::Frame, function::Function, int::Int, list::List, method::Method, module::Module,
    set::Set, slice::Slice, str::Str, tuple::Tuple, weakref::WeakList,
};
pub use crate::exceptions::base::BaseException;
pub use crate::exceptions::types;
pub use crate::protocols::compare::CompareOp;
pub use crate::protocols::iterator::SendResult;
pub use crate::protocols::object::ObjectProtocol;
pub use crate::runtime::vm::{PyResult, Raised, Vm};
pub use taipan_macros::{Traverse, pyfunctions, pymethods, pymodule, pytype};
pub use taipan_object::defs::{GetSetDef, MemberDef, MethodDef, PyBuffer};
pub use taipan_object::{
    AsObject, ObjRef, Object, PyLayout, Ref, Slot, Traverse, Type, TypeFlags, VarObject, Visit,
};
