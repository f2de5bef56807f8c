//! The Mersenne Twister MT19937 as `random.Random` uses it (Matsumoto and Nishimura, 1998).

use crate::int::{BigInt, Digits, IntRef};

const N: usize = 624;
const M: usize = 397;

/// The generator's state.
#[derive(Clone, Debug)]
pub struct MersenneTwister {
    words: Box<[u32; N]>,
    /// How many of the words have been given out.
    index: usize,
}

impl MersenneTwister {
    /// Seeded with one word.
    pub fn from_word(seed: u32) -> MersenneTwister {
        let mut words = Box::new([0; N]);
        let mut previous = seed;
        for (i, word) in words.iter_mut().enumerate() {
            if i > 0 {
                previous = 1_812_433_253u32.wrapping_mul(previous ^ previous >> 30).wrapping_add(i as u32);
            }
            *word = previous;
        }
        MersenneTwister { words, index: N }
    }

    /// Seeded with an array of words. An empty one counts as a single zero.
    pub fn from_words(key: &[u32]) -> MersenneTwister {
        let key = if key.is_empty() { &[0] } else { key };
        let mut twister = MersenneTwister::from_word(19_650_218);
        let words = &mut twister.words;
        let mut i = 1;
        let mut mix = |step: &dyn Fn(u32, u32, u32) -> u32| {
            let previous = words[i - 1];
            words[i] = step(words[i], previous ^ previous >> 30, i as u32);
            i += 1;
            if i >= N {
                words[0] = words[N - 1];
                i = 1;
            }
        };
        for (&word, j) in key.iter().zip(0u32..).cycle().take(N.max(key.len())) {
            mix(&|old, mixed, _| (old ^ mixed.wrapping_mul(1_664_525)).wrapping_add(word).wrapping_add(j));
        }
        for _ in 1..N {
            mix(&|old, mixed, i| (old ^ mixed.wrapping_mul(1_566_083_941)).wrapping_sub(i));
        }
        words[0] = 0x8000_0000;
        twister
    }

    /// `random.seed(n)` for an int: its magnitude's 32-bit words are the key.
    pub fn from_int(seed: IntRef<'_>) -> MersenneTwister {
        let bytes = usize::try_from(seed.bit_length().div_ceil(32).max(1) * 4).unwrap_or(4);
        let bytes = seed.abs().to_bytes(bytes, true, false).unwrap_or_default();
        let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
        MersenneTwister::from_words(&words)
    }

    /// From what [`state`](Self::state) gave; `None` if the position is beyond the words.
    pub fn from_state(words: [u32; N], index: usize) -> Option<MersenneTwister> {
        (index <= N).then(|| MersenneTwister { words: Box::new(words), index })
    }

    /// The words and the position, as in `getstate()`.
    pub fn state(&self) -> (&[u32; N], usize) {
        (&self.words, self.index)
    }

    fn refill(&mut self) {
        let words = &mut self.words;
        let twist = |high: u32, low: u32| {
            let y = high & 0x8000_0000 | low & 0x7fff_ffff;
            y >> 1 ^ (y & 1).wrapping_neg() & 0x9908_b0df
        };
        for i in 0..N - M {
            words[i] = words[i + M] ^ twist(words[i], words[i + 1]);
        }
        for i in N - M..N - 1 {
            words[i] = words[i + M - N] ^ twist(words[i], words[i + 1]);
        }
        words[N - 1] = words[M - 1] ^ twist(words[N - 1], words[0]);
        self.index = 0;
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.index >= N {
            self.refill();
        }
        let mut y = self.words[self.index.min(N - 1)];
        self.index += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// `random()`: 53 random bits in `[0, 1)`.
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.next_u32() >> 5);
        let low = f64::from(self.next_u32() >> 6);
        (high * 67_108_864.0 + low) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// `getrandbits(count)` for up to 64 bits, without an int object.
    pub fn bits_u64(&mut self, count: u32) -> u64 {
        match count {
            0 => 0,
            1..=32 => u64::from(self.next_u32() >> (32 - count)),
            _ => {
                let low = u64::from(self.next_u32());
                let high = u64::from(self.next_u32() >> 64u32.saturating_sub(count).min(31));
                low | high << 32
            }
        }
    }

    /// `getrandbits(count)`; `None` if there is no memory for so many bits.
    pub fn bits(&mut self, count: u64) -> Option<BigInt> {
        if count <= 64 {
            return Some(BigInt::from(self.bits_u64(count as u32)));
        }
        let mut digits = Digits::new();
        digits.try_reserve(usize::try_from(count / 30 + 2).ok()?).ok()?;
        let (mut pending, mut filled, mut left) = (0u64, 0, count);
        while left > 0 {
            let taken = left.min(32) as u32;
            pending |= u64::from(self.next_u32() >> (32 - taken)) << filled;
            filled += taken;
            left -= u64::from(taken);
            while filled >= 30 {
                digits.push((pending & 0x3fff_ffff) as u32);
                pending >>= 30;
                filled -= 30;
            }
        }
        digits.push(pending as u32);
        Some(BigInt::new(false, digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_cpython() {
        let mut twister =
            MersenneTwister::from_int(BigInt::from(123456789012345678901234567890u128).as_ref());
        assert_eq!(twister.random().to_bits(), 0x3fe747bfd0e1ccc9);
        assert_eq!(
            twister.bits(100).map(|n| n.to_string()).as_deref(),
            Some("634761180877100312839650170270")
        );
        assert_eq!(twister.bits_u64(40), 1049128655365);
        for _ in 0..2000 {
            twister.next_u32();
        }
        assert_eq!(twister.bits(9).and_then(|n| n.to_i64()), Some(322));
        assert_eq!(MersenneTwister::from_int(IntRef::ZERO).next_u32(), 3626764237);
    }
}
