//! The order of an `OrderedDict`'s keys: a doubly linked list in one block.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::prelude::*;

/// No node.
pub const NOWHERE: usize = usize::MAX;

/// A key in the order.
pub struct Node {
    /// The key.
    pub key: ObjRef,
    /// Its hash.
    pub hash: isize,
    /// The entry before it.
    pub before: usize,
    /// The entry behind it.
    pub after: usize,
}

/// Hashes addresses: objects lie 16 bytes apart.
#[derive(Default)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_usize(&mut self, address: usize) {
        self.0 = ((address >> 4) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The list. A node is named by its place in the block, and found by the address of the key object that the dict holds.
pub struct Order {
    nodes: Vec<Option<Node>>,
    free: Vec<usize>,
    places: HashMap<usize, usize, BuildHasherDefault<AddressHasher>>,
    /// The first entry.
    pub first: usize,
    /// The last entry.
    pub last: usize,
}

impl Default for Order {
    fn default() -> Self {
        let (nodes, free, places) = (Vec::new(), Vec::new(), HashMap::default());
        Order { nodes, free, places, first: NOWHERE, last: NOWHERE }
    }
}

impl Order {
    /// The node at a place.
    pub fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at).and_then(Option::as_ref)
    }

    fn node_mut(&mut self, at: usize) -> Option<&mut Node> {
        self.nodes.get_mut(at).and_then(Option::as_mut)
    }

    /// Where the node of a key object is.
    pub fn place(&self, key: *const Object) -> Option<usize> {
        self.places.get(&(key as usize)).copied()
    }

    /// The place behind (or in front of) a node.
    pub fn next(&self, at: usize, reverse: bool) -> usize {
        self.node(at).map_or(NOWHERE, |node| if reverse { node.before } else { node.after })
    }

    /// All places in order.
    pub fn places(&self) -> impl Iterator<Item = usize> + '_ {
        let first = Some(self.first).filter(|at| *at != NOWHERE);
        std::iter::successors(first, |at| Some(self.next(*at, false)).filter(|at| *at != NOWHERE))
    }

    /// Adds a key at the end.
    pub fn append(&mut self, key: ObjRef, hash: isize) {
        let address = key.as_ptr() as usize;
        let node = Some(Node { key, hash, before: NOWHERE, after: NOWHERE });
        let at = match self.free.pop() {
            Some(at) => {
                if let Some(place) = self.nodes.get_mut(at) {
                    *place = node;
                }
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        self.places.insert(address, at);
        self.join(at, true);
    }

    /// Puts a node that is in no order at an end.
    fn join(&mut self, at: usize, last: bool) {
        let end = if last { self.last } else { self.first };
        if let Some(node) = self.node_mut(at) {
            (node.before, node.after) = if last { (end, NOWHERE) } else { (NOWHERE, end) };
        }
        match self.node_mut(end) {
            Some(node) if last => node.after = at,
            Some(node) => node.before = at,
            None => (self.first, self.last) = (at, at),
        }
        if last {
            self.last = at;
        } else {
            self.first = at;
        }
    }

    fn part(&mut self, at: usize) {
        let Some((before, after)) = self.node(at).map(|node| (node.before, node.after)) else { return };
        match self.node_mut(before) {
            Some(node) => node.after = after,
            None => self.first = after,
        }
        match self.node_mut(after) {
            Some(node) => node.before = before,
            None => self.last = before,
        }
    }

    /// Moves a node to an end.
    pub fn move_to_end(&mut self, at: usize, last: bool) {
        self.part(at);
        self.join(at, last);
    }

    /// Takes a node out. It is the caller's to drop once the order can be used again.
    pub fn remove(&mut self, at: usize) -> Option<Node> {
        self.part(at);
        let node = self.nodes.get_mut(at)?.take()?;
        self.places.remove(&(node.key.as_ptr() as usize));
        self.free.push(at);
        Some(node)
    }
}

impl Traverse for Order {
    fn traverse(&self, visit: &mut Visit) {
        for node in self.nodes.iter().flatten() {
            visit.object(&node.key);
        }
    }
}
