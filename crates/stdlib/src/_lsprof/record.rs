//! What a profiler has measured.

use std::collections::HashMap;

use taipan_vm::prelude::*;

/// Counts and times of one function, or of one function as called by another.
#[derive(Default, Clone, Copy)]
pub struct Times {
    pub calls: u64,
    pub recursive_calls: u64,
    /// How many calls are open.
    level: u64,
    /// With what was called, and without; in the timer's units.
    pub total: i64,
    pub inline: i64,
}

impl Times {
    fn open(&mut self) {
        self.level += 1;
    }

    fn close(&mut self, total: i64, inline: i64) {
        self.level = self.level.saturating_sub(1);
        if self.level == 0 {
            self.total = self.total.saturating_add(total);
        } else {
            self.recursive_calls += 1;
        }
        self.inline = self.inline.saturating_add(inline);
        self.calls += 1;
    }
}

/// A function that was called.
pub struct Entry {
    /// The code object, or the name of a native function.
    pub user: ObjRef,
    pub times: Times,
    /// By the number of the callee's entry.
    pub callees: HashMap<usize, Times>,
}

/// An open call.
struct Open {
    entry: usize,
    start: i64,
    /// The time of what it called.
    below: i64,
}

/// All entries, and the calls that are open.
#[derive(Default)]
pub struct Record {
    pub entries: Vec<Entry>,
    by_key: HashMap<usize, usize>,
    open: Vec<Open>,
}

impl Record {
    /// The number of a function's entry.
    pub fn find(&self, key: usize) -> Option<usize> {
        self.by_key.get(&key).copied()
    }

    /// The number of a new entry.
    pub fn add(&mut self, key: usize, user: ObjRef) -> usize {
        let number = self.entries.len();
        self.entries.push(Entry { user, times: Times::default(), callees: HashMap::new() });
        self.by_key.insert(key, number);
        number
    }

    /// Begins a call. The time comes after, so that what is done here doesn't count.
    pub fn enter(&mut self, entry: usize, subcalls: bool) {
        if let Some(entry) = self.entries.get_mut(entry) {
            entry.times.open();
        }
        if subcalls {
            let caller = self.open.last().and_then(|open| self.entries.get_mut(open.entry));
            if let Some(caller) = caller {
                caller.callees.entry(entry).or_default().open();
            }
        }
        self.open.push(Open { entry, start: 0, below: 0 });
    }

    /// Notes when the innermost call began.
    pub fn started(&mut self, now: i64) {
        if let Some(open) = self.open.last_mut() {
            open.start = now;
        }
    }

    /// Whether a call is open.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Ends the innermost call. An unknown function's end only closes it.
    pub fn leave(&mut self, entry: Option<usize>, now: i64, subcalls: bool) {
        let Some(open) = self.open.pop() else { return };
        let Some(number) = entry else { return };
        let total = now.saturating_sub(open.start);
        let inline = total.saturating_sub(open.below);
        if let Some(entry) = self.entries.get_mut(number) {
            entry.times.close(total, inline);
        }
        if let Some(caller) = self.open.last_mut() {
            caller.below = caller.below.saturating_add(total);
            if subcalls {
                let caller = caller.entry;
                let callee = self.entries.get_mut(caller).and_then(|caller| caller.callees.get_mut(&number));
                if let Some(callee) = callee {
                    callee.close(total, inline);
                }
            }
        }
    }

    /// Ends all open calls, which had no chance to end themselves.
    pub fn leave_all(&mut self, now: i64, subcalls: bool) {
        while let Some(entry) = self.open.last().map(|open| open.entry) {
            self.leave(Some(entry), now, subcalls);
        }
    }
}

impl Traverse for Record {
    fn traverse(&self, visit: &mut Visit) {
        self.entries.iter().for_each(|entry| entry.user.traverse(visit));
    }
}
