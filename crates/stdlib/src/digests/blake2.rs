//! BLAKE2b and BLAKE2s (RFC 7693) with the whole parameter block: keys, salts, personalisation, trees.
#![allow(
    clippy::indexing_slicing,
    reason = "all indices are constants or permutations below the arrays' lengths"
)]

const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// What a hash starts from. Lengths are checked by the caller.
pub struct Parameters<'a> {
    /// The length of the digest in bytes.
    pub digest_size: u8,
    /// The key, hashed first.
    pub key: &'a [u8],
    /// The salt, padded with zeros.
    pub salt: &'a [u8],
    /// The personalisation, padded with zeros.
    pub person: &'a [u8],
    /// Children of a node; 0 is no limit.
    pub fanout: u8,
    /// Levels of the tree.
    pub depth: u8,
    /// Bytes of a leaf; 0 is no limit.
    pub leaf_size: u32,
    /// The node's place in its level.
    pub node_offset: u64,
    /// The node's level.
    pub node_depth: u8,
    /// The length of inner digests.
    pub inner_size: u8,
    /// Whether the node is the last of its level.
    pub last_node: bool,
}

macro_rules! blake2 {
    ($(#[$doc:meta])* $name:ident, $word:ty, $bytes:literal, $rounds:literal, $rotations:expr, $iv:expr, $block:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            chain: [$word; 8],
            counter: u128,
            pending: [u8; 16 * $bytes],
            filled: usize,
            last_node: bool,
            digest_size: usize,
        }

        impl $name {
            const BLOCK: usize = 16 * $bytes;
            const IV: [$word; 8] = $iv;

            /// A state that has taken the key.
            pub fn new(parameters: &Parameters<'_>) -> Self {
                let block: [u8; 8 * $bytes] = $block(parameters);
                let mut chain = Self::IV;
                for (word, bytes) in chain.iter_mut().zip(block.as_chunks::<$bytes>().0) {
                    *word ^= <$word>::from_le_bytes(*bytes);
                }
                let mut state = $name {
                    chain,
                    counter: 0,
                    pending: [0; 16 * $bytes],
                    filled: 0,
                    last_node: parameters.last_node,
                    digest_size: usize::from(parameters.digest_size),
                };
                if !parameters.key.is_empty() {
                    let mut block = [0; Self::BLOCK];
                    block.iter_mut().zip(parameters.key).for_each(|(to, from)| *to = *from);
                    state.update(&block);
                }
                state
            }

            fn compress(&mut self, block: &[u8; 16 * $bytes], last: bool) {
                let mut message = [0; 16];
                for (word, bytes) in message.iter_mut().zip(block.as_chunks::<$bytes>().0) {
                    *word = <$word>::from_le_bytes(*bytes);
                }
                let mut v = [0; 16];
                v[..8].copy_from_slice(&self.chain);
                v[8..].copy_from_slice(&Self::IV);
                v[12] ^= self.counter as $word;
                v[13] ^= (self.counter >> (8 * $bytes)) as $word;
                if last {
                    v[14] = !v[14];
                    if self.last_node {
                        v[15] = !v[15];
                    }
                }
                let [r1, r2, r3, r4] = $rotations;
                let mut mix = |a: usize, b: usize, c: usize, d: usize, x: $word, y: $word| {
                    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
                    v[d] = (v[d] ^ v[a]).rotate_right(r1);
                    v[c] = v[c].wrapping_add(v[d]);
                    v[b] = (v[b] ^ v[c]).rotate_right(r2);
                    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
                    v[d] = (v[d] ^ v[a]).rotate_right(r3);
                    v[c] = v[c].wrapping_add(v[d]);
                    v[b] = (v[b] ^ v[c]).rotate_right(r4);
                };
                for round in 0..$rounds {
                    let s = &SIGMA[round % 10];
                    mix(0, 4, 8, 12, message[s[0]], message[s[1]]);
                    mix(1, 5, 9, 13, message[s[2]], message[s[3]]);
                    mix(2, 6, 10, 14, message[s[4]], message[s[5]]);
                    mix(3, 7, 11, 15, message[s[6]], message[s[7]]);
                    mix(0, 5, 10, 15, message[s[8]], message[s[9]]);
                    mix(1, 6, 11, 12, message[s[10]], message[s[11]]);
                    mix(2, 7, 8, 13, message[s[12]], message[s[13]]);
                    mix(3, 4, 9, 14, message[s[14]], message[s[15]]);
                }
                for at in 0..8 {
                    self.chain[at] ^= v[at] ^ v[at + 8];
                }
            }

            /// Takes more bytes. The last full block is kept back: it may be the final one.
            pub fn update(&mut self, mut data: &[u8]) {
                while !data.is_empty() {
                    if self.filled == Self::BLOCK {
                        self.counter += Self::BLOCK as u128;
                        let block = self.pending;
                        self.compress(&block, false);
                        self.filled = 0;
                    }
                    if self.filled == 0 {
                        while let Some((block, rest)) = data.split_first_chunk::<{ 16 * $bytes }>() {
                            if rest.is_empty() {
                                break;
                            }
                            self.counter += Self::BLOCK as u128;
                            self.compress(block, false);
                            data = rest;
                        }
                    }
                    let taken = data.len().min(Self::BLOCK - self.filled);
                    let (now, later) = data.split_at(taken);
                    self.pending[self.filled..self.filled + taken].copy_from_slice(now);
                    self.filled += taken;
                    data = later;
                }
            }

            /// The digest of what was taken so far.
            pub fn digest(&self) -> Vec<u8> {
                let mut state = self.clone();
                state.counter += state.filled as u128;
                let mut block = state.pending;
                block[state.filled..].fill(0);
                state.compress(&block, true);
                let mut out: Vec<u8> = state.chain.iter().flat_map(|word| word.to_le_bytes()).collect();
                out.truncate(self.digest_size);
                out
            }

            /// The length of the digest.
            pub fn digest_size(&self) -> usize {
                self.digest_size
            }
        }
    };
}

fn fill(out: &mut [u8], from: &[u8]) {
    out.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

fn block_b(p: &Parameters<'_>) -> [u8; 64] {
    let mut block = [0; 64];
    block[0] = p.digest_size;
    block[1] = p.key.len() as u8;
    block[2] = p.fanout;
    block[3] = p.depth;
    fill(&mut block[4..8], &p.leaf_size.to_le_bytes());
    fill(&mut block[8..16], &p.node_offset.to_le_bytes());
    block[16] = p.node_depth;
    block[17] = p.inner_size;
    fill(&mut block[32..48], p.salt);
    fill(&mut block[48..64], p.person);
    block
}

fn block_s(p: &Parameters<'_>) -> [u8; 32] {
    let mut block = [0; 32];
    block[0] = p.digest_size;
    block[1] = p.key.len() as u8;
    block[2] = p.fanout;
    block[3] = p.depth;
    fill(&mut block[4..8], &p.leaf_size.to_le_bytes());
    fill(&mut block[8..14], &p.node_offset.to_le_bytes());
    block[14] = p.node_depth;
    block[15] = p.inner_size;
    fill(&mut block[16..24], p.salt);
    fill(&mut block[24..32], p.person);
    block
}

blake2!(
    /// BLAKE2b: 64-bit words, digests of up to 64 bytes.
    Blake2b, u64, 8, 12, [32, 24, 16, 63],
    [
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
        0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
    ],
    block_b
);

blake2!(
    /// BLAKE2s: 32-bit words, digests of up to 32 bytes.
    Blake2s, u32, 4, 10, [16, 12, 8, 7],
    [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ],
    block_s
);
