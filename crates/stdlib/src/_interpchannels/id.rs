//! `ChannelID`: the number of a channel, or of one of its ends. The channel lives as long as one of them.

use taipan_vm::prelude::*;

use super::channel::{self, End};

/// `ChannelID`
#[repr(C)]
pub struct ChannelId {
    ob: Object,
    pub id: i64,
    pub end: End,
}

impl Drop for ChannelId {
    fn drop(&mut self) {
        channel::drop_id(self.id);
    }
}

impl ChannelId {
    /// An ID of a channel.
    pub fn create(id: i64, end: End, vm: &Vm) -> Ref<ChannelId> {
        channel::add_id(id);
        vm.new_object(ChannelId { ob: Object::new(Self::type_object()), id, end })
    }
}

/// A channel ID identifies a channel and may be used as an int.
#[pytype(name = "_interpchannels.ChannelID", flags(DISALLOW_INSTANTIATION))]
impl ChannelId {
    #[slot]
    fn tp_repr(&self) -> String {
        match self.end {
            End::Send => format!("ChannelID({}, send=True)", self.id),
            End::Recv => format!("ChannelID({}, recv=True)", self.id),
            End::Both => format!("ChannelID({})", self.id),
        }
    }

    #[slot]
    fn tp_str(&self) -> String {
        self.id.to_string()
    }

    #[slot]
    fn nb_int(&self) -> i64 {
        self.id
    }

    #[slot]
    fn nb_index(&self) -> i64 {
        self.id
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        vm.new_int(self.id).hash(vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(vm.not_implemented());
        }
        let same = match other.downcast_ref::<ChannelId>() {
            Some(other) => self.id == other.id && self.end == other.end,
            None if other.downcast_ref::<Int>().is_some() || other.downcast_ref::<Float>().is_some() => {
                vm.new_int(self.id).eq(other, vm)?
            }
            None => return Ok(vm.not_implemented()),
        };
        Ok(vm.new_bool(same == matches!(op, CompareOp::Eq)))
    }

    /// 'send', 'recv', or 'both'
    #[getter]
    fn end(&self) -> &'static str {
        match self.end {
            End::Send => "send",
            End::Recv => "recv",
            End::Both => "both",
        }
    }

    /// the 'send' end of the channel
    #[getter]
    fn send(&self, vm: &Vm) -> Ref<ChannelId> {
        ChannelId::create(self.id, End::Send, vm)
    }

    /// the 'recv' end of the channel
    #[getter]
    fn recv(&self, vm: &Vm) -> Ref<ChannelId> {
        ChannelId::create(self.id, End::Recv, vm)
    }
}
