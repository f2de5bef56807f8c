//! SipHash-1-3, the hash of `str`, `bytes` and `memoryview`, and the key that `PYTHONHASHSEED` stands for.

/// The secret that hashes are keyed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashKey {
    /// The first eight bytes of the secret, little-endian.
    pub k0: u64,
    /// The next eight.
    pub k1: u64,
}

impl HashKey {
    /// The key for `PYTHONHASHSEED=seed`; 0 switches randomisation off.
    pub fn from_seed(seed: u32) -> HashKey {
        if seed == 0 {
            return HashKey::default();
        }
        let mut secret = [0; 16];
        fill_from_seed(seed, &mut secret);
        HashKey::from_bytes(secret)
    }

    /// The key of 16 random bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> HashKey {
        let value = u128::from_le_bytes(bytes);
        HashKey { k0: value as u64, k1: (value >> 64) as u64 }
    }
}

/// Expands a seed to bytes by CPython's linear congruential generator. The first 24 bytes are the whole hash
/// secret (the last eight are expat's).
pub fn fill_from_seed(seed: u32, bytes: &mut [u8]) {
    let mut x = seed;
    for byte in bytes {
        x = x.wrapping_mul(214_013).wrapping_add(2_531_011);
        *byte = (x >> 16) as u8;
    }
}

/// `hash()` of a buffer: 0 when empty, never -1.
#[inline]
pub fn hash_bytes(key: HashKey, bytes: &[u8]) -> i64 {
    if bytes.is_empty() {
        return 0;
    }
    let hash = siphash13(key, bytes) as i64;
    if hash == -1 { -2 } else { hash }
}

/// SipHash with one compression round and three finalisation rounds.
pub fn siphash13(key: HashKey, bytes: &[u8]) -> u64 {
    let mut state = State {
        v0: key.k0 ^ 0x736f_6d65_7073_6575,
        v1: key.k1 ^ 0x646f_7261_6e64_6f6d,
        v2: key.k0 ^ 0x6c79_6765_6e65_7261,
        v3: key.k1 ^ 0x7465_6462_7974_6573,
    };
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        state.absorb(u64::from_le_bytes(*word));
    }
    state.absorb(short_word(tail) | (bytes.len() as u64) << 56);
    state.v2 ^= 0xff;
    state.round();
    state.round();
    state.round();
    state.v0 ^ state.v1 ^ state.v2 ^ state.v3
}

/// Fewer than eight bytes as a little-endian number.
#[inline(always)]
fn short_word(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // Both halves overlap, where their bytes agree.
        (Some(low), Some(high)) => {
            u64::from(u32::from_le_bytes(*low)) | u64::from(u32::from_le_bytes(*high)) << (len * 8 - 32)
        }
        _ => match *bytes {
            [] => 0,
            [a] => u64::from(a),
            [a, b] => u64::from(a) | u64::from(b) << 8,
            [a, b, c, ..] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
        },
    }
}

struct State {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl State {
    #[inline]
    fn absorb(&mut self, word: u64) {
        self.v3 ^= word;
        self.round();
        self.v0 ^= word;
    }

    #[inline]
    fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.rotate_left(32);
        self.v2 = self.v2.wrapping_add(self.v1);
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PYTHONHASHSEED=n python3.14 -c "print(hash(text))"`
    #[test]
    fn hashes_are_those_of_cpython() {
        SAMPLES.iter().for_each(|&(seed, text, hash)| {
            assert_eq!(hash_bytes(HashKey::from_seed(seed), text.as_bytes()), hash, "{seed} {text}");
        });
    }

    const SAMPLES: &[(u32, &str, i64)] = &[
        (0, "a", 4644417185603328019),
        (0, "abc", -4594863902769663758),
        (0, "abcdefg", 7904145750247929094),
        (0, "abcdefgh", 4574395652268504554),
        (0, "abcdefghi", -532774252720507163),
        (0, "The quick brown fox jumps over the lazy dog", -8217249817990249186),
        (1, "a", -3012895188637184397),
        (1, "abc", -4667308735975688587),
        (1, "abcdefg", 3226643804905820176),
        (1, "abcdefgh", -202642195356325900),
        (1, "abcdefghi", 7871229953815684364),
        (1, "The quick brown fox jumps over the lazy dog", -4305058434410168670),
        (42, "a", -123207753977932514),
        (42, "abc", 3869580338025362921),
        (42, "abcdefg", 1375323160596907757),
        (42, "abcdefgh", -5457871895989710762),
        (42, "abcdefghi", -5970266004662334337),
        (42, "The quick brown fox jumps over the lazy dog", -8906954186123746932),
        (4294967295, "a", -5989683813037840249),
        (4294967295, "abc", -6122489556238538401),
        (4294967295, "abcdefg", 233998310040276482),
        (4294967295, "abcdefgh", 3424456984880118976),
        (4294967295, "abcdefghi", 6340115119033867570),
        (4294967295, "The quick brown fox jumps over the lazy dog", -936082064891253688),
    ];
}
