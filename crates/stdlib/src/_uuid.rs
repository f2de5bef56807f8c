//! `_uuid`: time-based identifiers (RFC 9562, version 1).

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use taipan_vm::prelude::*;

/// The module.
pub struct Uuid;

/// The time of the last identifier, in units of 100 ns, and the clock sequence that tells apart equal or earlier ones.
#[derive(Default)]
struct Clock {
    last: u64,
    sequence: Option<u16>,
}

static CLOCK: Mutex<Clock> = Mutex::new(Clock { last: 0, sequence: None });

/// From 15 October 1582, where version 1 counts from, to 1970, in units of 100 ns.
const GREGORIAN_TO_UNIX: u64 = 0x01b2_1dd2_1381_4000;

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    // SAFETY: the buffer has that length. A short answer leaves zeros, which are as good as any other bits here.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), N, 0) };
    bytes
}

/// The hardware address of a network interface, or random bits with the multicast bit set, as the RFC wants them.
fn node() -> [u8; 6] {
    let interfaces = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    for interface in interfaces {
        let Ok(text) = std::fs::read_to_string(interface.path().join("address")) else { continue };
        let parts: Vec<u8> =
            text.trim().split(':').filter_map(|part| u8::from_str_radix(part, 16).ok()).collect();
        if let Ok(address) = <[u8; 6]>::try_from(parts) {
            if address != [0; 6] {
                return address;
            }
        }
    }
    let [first, rest @ ..] = random_bytes::<6>();
    let [b, c, d, e, f] = rest;
    [first | 1, b, c, d, e, f]
}

fn generate() -> [u8; 16] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut time = (now.as_nanos() / 100) as u64;
    time = time.wrapping_add(GREGORIAN_TO_UNIX);
    let sequence = {
        let mut clock = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sequence = clock.sequence.unwrap_or_else(|| u16::from_ne_bytes(random_bytes::<2>()) & 0x3fff);
        if time <= clock.last {
            sequence = sequence.wrapping_add(1) & 0x3fff;
        }
        clock.last = time;
        clock.sequence = Some(sequence);
        sequence
    };
    let low = (time as u32).to_be_bytes();
    let middle = ((time >> 32) as u16).to_be_bytes();
    let high = (((time >> 48) as u16 & 0x0fff) | 0x1000).to_be_bytes();
    let clock = (sequence | 0x8000).to_be_bytes();
    let mut bytes = [0u8; 16];
    let parts = low.into_iter().chain(middle).chain(high).chain(clock).chain(node());
    for (place, byte) in bytes.iter_mut().zip(parts) {
        *place = byte;
    }
    bytes
}

#[pymodule(name = "_uuid")]
impl Uuid {
    #[function("($self, /)")]
    fn generate_time_safe(vm: &Vm) -> Ref<Tuple> {
        // -1: nobody vouches that no other process makes the same one.
        vm.new_tuple([vm.new_bytes(&generate()).into_object(), vm.new_int(-1)])
    }

    #[constant("has_uuid_generate_time_safe")]
    fn has_uuid_generate_time_safe() -> i32 {
        1
    }

    #[constant("has_stable_extractable_node")]
    fn has_stable_extractable_node() -> i32 {
        0
    }
}
