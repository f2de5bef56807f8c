//! A quick hash for tables that live as long as one compilation.
//!
//! It is not keyed: who chooses the names in a source can make them collide, but who may compile sources may loop as well.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map with the quick hash.
pub type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<FastHasher>>;
/// A set with the quick hash.
pub type FastSet<K> = HashSet<K, BuildHasherDefault<FastHasher>>;

const FACTOR: u64 = 0xf135_7aea_2e62_a9c5;

/// Multiplies and adds word by word.
#[derive(Clone, Copy, Debug, Default)]
pub struct FastHasher(u64);

impl FastHasher {
    #[inline(always)]
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }
}

#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

#[inline(always)]
fn half(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)))
}

impl Hasher for FastHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let len = bytes.len();
        match *bytes {
            [] => {}
            [first, .., last] if len < 4 => {
                self.add(u64::from(first) | u64::from(bytes[len / 2]) << 8 | u64::from(last) << 16);
            }
            [only] => self.add(only.into()),
            _ if len <= 8 => self.add(half(bytes) | half(&bytes[len - 4..]) << 32),
            _ => {
                for chunk in bytes[..len - 1].as_chunks::<8>().0 {
                    self.add(u64::from_le_bytes(*chunk));
                }
                self.add(word(&bytes[len - 8..]));
            }
        }
        self.add(len as u64);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        // The end of a str, whose length has been counted in already.
        if value != 0xff {
            self.add(value.into());
        }
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.add(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.add(value);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.add(value as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        // A table looks at the lowest bits, which a product mixes least, and at the highest.
        self.0 ^ self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_names_have_different_hashes() {
        let texts: Vec<String> =
            (0..5000).flat_map(|n| [format!("x{n}"), format!("a_longer_name_{n}_{n}")]).collect();
        let hashes: FastSet<u64> = texts
            .iter()
            .map(|text| {
                let mut hasher = FastHasher::default();
                hasher.write(text.as_bytes());
                hasher.finish()
            })
            .collect();
        assert_eq!(hashes.len(), texts.len());
    }
}
