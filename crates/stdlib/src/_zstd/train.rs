//! Making dictionaries from samples.

use taipan_vm::prelude::*;
use zstd_sys as zs;

use super::Failure;

/// The sizes of samples, which together are as long as the samples.
fn sizes(samples: &Bytes, sizes: &Tuple, vm: &Vm) -> PyResult<Vec<usize>> {
    if sizes.len() > u32::MAX as usize {
        return Err(vm.value_error(format!("The number of samples should be <= {}.", u32::MAX)));
    }
    let wrong = || vm.value_error("The samples size tuple doesn't match the concatenation's size.");
    let mut list = Vec::with_capacity(sizes.len());
    let mut sum = 0usize;
    for size in sizes.as_slice() {
        let Some(size) = size.downcast_ref::<Int>() else {
            return Err(vm.type_error("an integer is required"));
        };
        let size = size.to_u64().and_then(|size| usize::try_from(size).ok()).ok_or_else(wrong)?;
        sum = sum.checked_add(size).ok_or_else(wrong)?;
        list.push(size);
    }
    if sum == samples.len() { Ok(list) } else { Err(wrong()) }
}

/// Room for a dictionary.
fn room(size: isize, vm: &Vm) -> PyResult<Vec<u8>> {
    let size = usize::try_from(size).unwrap_or(0);
    if size == 0 {
        return Err(vm.value_error("dict_size argument should be positive number."));
    }
    let mut room = Vec::new();
    room.try_reserve_exact(size).map_err(|_| vm.memory_error())?;
    Ok(room)
}

fn finish(made: usize, mut room: Vec<u8>, doing: &str, vm: &Vm) -> PyResult<Ref<Bytes>> {
    // SAFETY: the function takes any number.
    if unsafe { zs::ZDICT_isError(made) } != 0 {
        return Err(Failure::Code(made).raise(doing, vm));
    }
    // SAFETY: the library wrote that many bytes into the room.
    unsafe { room.set_len(made.min(room.capacity())) };
    Bytes::try_from_slice(&room, vm)
}

/// `train_dict`.
pub fn train(samples: &Bytes, list: &Tuple, size: isize, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let mut room = room(size, vm)?;
    let sizes = sizes(samples, list, vm)?;
    let data = samples.as_bytes();
    // SAFETY: the room, the samples and their sizes are as long as told; the sizes add up to the samples.
    let made = vm.allow_threads(|| unsafe {
        zs::ZDICT_trainFromBuffer(
            room.as_mut_ptr().cast(),
            size as usize,
            data.as_ptr().cast(),
            sizes.as_ptr(),
            sizes.len() as u32,
        )
    });
    finish(made, room, "train the Zstandard dictionary", vm)
}

/// `finalize_dict`.
pub fn finalize(
    content: &Bytes,
    samples: &Bytes,
    list: &Tuple,
    size: isize,
    level: i32,
    vm: &Vm,
) -> PyResult<Ref<Bytes>> {
    let mut room = room(size, vm)?;
    let sizes = sizes(samples, list, vm)?;
    let (content, data) = (content.as_bytes(), samples.as_bytes());
    let parameters = zs::ZDICT_params_t { compressionLevel: level, notificationLevel: 0, dictID: 0 };
    // SAFETY: as above, and the content is as long as told.
    let made = vm.allow_threads(|| unsafe {
        zs::ZDICT_finalizeDictionary(
            room.as_mut_ptr().cast(),
            size as usize,
            content.as_ptr().cast(),
            content.len(),
            data.as_ptr().cast(),
            sizes.as_ptr(),
            sizes.len() as u32,
            parameters,
        )
    });
    finish(made, room, "finalize the Zstandard dictionary", vm)
}
