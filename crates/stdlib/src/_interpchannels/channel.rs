//! The channels of the process: queues with ends, which interpreters take by using them and give back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::_interpreters::policies::UNBOUND_REMOVE;
use crate::_interpreters::shared::Shared;

/// One end of a channel, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Send,
    Recv,
    Both,
}

impl End {
    fn has_send(self) -> bool {
        self != End::Recv
    }

    fn has_recv(self) -> bool {
        self != End::Send
    }
}

/// Why a channel does not do what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotFound,
    Closed,
    Empty,
    NotEmpty,
}

/// What has become of an object that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Waiting,
    Received,
    /// The channel was closed before.
    Lost,
}

/// Tells a sender what has become of its object.
#[derive(Default)]
pub struct Receipt(Mutex<Option<Fate>>, Condvar);

impl Receipt {
    fn tell(&self, fate: Fate) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fate);
        self.1.notify_all();
    }

    /// Waits for at most `time`.
    pub fn wait(&self, time: Duration) -> Fate {
        let deadline = Instant::now() + time;
        let mut fate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match (*fate, deadline.checked_duration_since(Instant::now())) {
                (Some(fate), _) => return fate,
                (None, None) => return Fate::Waiting,
                (None, Some(left)) => {
                    fate = self.1.wait_timeout(fate, left).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

struct Item {
    /// Nothing once its interpreter has ended.
    object: Option<Shared>,
    owner: i64,
    unbound: i32,
    receipt: Arc<Receipt>,
}

impl Drop for Item {
    fn drop(&mut self) {
        // A received item has told so before.
        self.receipt.tell(Fate::Lost);
    }
}

/// Whether each interpreter that has used an end still holds it.
type Ends = BTreeMap<i64, bool>;

/// One channel.
pub struct Channel {
    /// What becomes of an item whose interpreter ends, and of objects that can't be shared.
    pub defaults: (i32, i32),
    items: VecDeque<Item>,
    senders: Ends,
    receivers: Ends,
    /// No more can be sent; it closes when the last item is taken.
    is_closing: bool,
    is_closed: bool,
    /// How many `ChannelID`s there are; the channel goes with the last one.
    ids: usize,
    /// Items that were thrown away: they may hold channels themselves, so they end after the lock is given up.
    lost: Vec<Item>,
}

impl Channel {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        !self.is_closed && !self.is_closing
    }

    fn close(&mut self) {
        self.is_closed = true;
        self.is_closing = false;
        self.lost.extend(self.items.drain(..));
    }

    /// Closes the channel when nobody holds an end any more.
    fn close_if_unused(&mut self) {
        let is_used = self.senders.values().chain(self.receivers.values()).any(|held| *held);
        let is_fresh = self.senders.is_empty() && self.receivers.is_empty();
        if !is_used && !is_fresh {
            self.close();
        }
    }
}

/// How a channel stands, as an interpreter sees it.
pub struct Info {
    pub is_open: bool,
    pub is_closing: bool,
    pub is_closed: bool,
    pub count: usize,
    /// For each interpreter: whether it holds the sending and the receiving end; none where it never did.
    pub ends: Vec<(i64, Option<bool>, Option<bool>)>,
}

struct All {
    channels: BTreeMap<i64, Channel>,
    next: i64,
}

static ALL: Mutex<All> = Mutex::new(All { channels: BTreeMap::new(), next: 0 });

fn all() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a channel.
pub fn create(defaults: (i32, i32)) -> i64 {
    let mut all = all();
    let id = all.next;
    all.next += 1;
    let channel = Channel {
        defaults,
        items: VecDeque::new(),
        senders: Ends::new(),
        receivers: Ends::new(),
        is_closing: false,
        is_closed: false,
        ids: 0,
        lost: Vec::new(),
    };
    all.channels.insert(id, channel);
    id
}

/// Looks at a channel. The closure may not run Python code.
pub fn with<R>(id: i64, look: impl FnOnce(&mut Channel) -> R) -> Result<R, Refusal> {
    let mut all = all();
    let channel = all.channels.get_mut(&id).ok_or(Refusal::NotFound)?;
    let seen = look(channel);
    let lost = std::mem::take(&mut channel.lost);
    drop(all);
    drop(lost);
    Ok(seen)
}

/// Looks at a channel that is not closed.
fn with_open<R>(id: i64, look: impl FnOnce(&mut Channel) -> Result<R, Refusal>) -> Result<R, Refusal> {
    with(id, |channel| if channel.is_closed { Err(Refusal::Closed) } else { look(channel) })?
}

/// All channels, the newest first, with their defaults.
pub fn list() -> Vec<(i64, (i32, i32))> {
    let all = all();
    let open = all.channels.iter().rev().filter(|(_, channel)| !channel.is_closed);
    open.map(|(id, channel)| (*id, channel.defaults)).collect()
}

/// Removes a channel.
pub fn destroy(id: i64) -> Result<(), Refusal> {
    let removed = all().channels.remove(&id);
    removed.map(drop).ok_or(Refusal::NotFound)
}

/// A `ChannelID` was made.
pub fn add_id(id: i64) {
    // An ID may be made for a channel that isn't there.
    let _ = with(id, |channel| channel.ids += 1);
}

/// A `ChannelID` has gone.
pub fn drop_id(id: i64) {
    let was_last = with(id, |channel| {
        channel.ids = channel.ids.saturating_sub(1);
        channel.ids == 0
    });
    if was_last == Ok(true) {
        // It is there.
        let _ = destroy(id);
    }
}

/// Puts an object in for an interpreter.
pub fn send(id: i64, interp: i64, object: Shared, unbound: i32) -> Result<Arc<Receipt>, Refusal> {
    with_open(id, |channel| {
        if channel.is_closing || !*channel.senders.entry(interp).or_insert(true) {
            return Err(Refusal::Closed);
        }
        let receipt = Arc::<Receipt>::default();
        let item = Item { object: Some(object), owner: interp, unbound, receipt: Arc::clone(&receipt) };
        channel.items.push_back(item);
        Ok(receipt)
    })
}

/// Takes an object back out that nobody has received.
pub fn take_back(id: i64, receipt: &Arc<Receipt>) {
    // The channel may have gone meanwhile.
    let _ = with(id, |channel| {
        let at = channel.items.iter().position(|item| Arc::ptr_eq(&item.receipt, receipt));
        channel.lost.extend(at.and_then(|at| channel.items.remove(at)));
    });
}

/// Takes the first object for an interpreter: the object, or what is to stand for one whose interpreter has ended.
pub fn receive(id: i64, interp: i64) -> Result<(Option<Shared>, i32), Refusal> {
    with_open(id, |channel| {
        if !*channel.receivers.entry(interp).or_insert(true) {
            return Err(Refusal::Closed);
        }
        let Some(mut item) = channel.items.pop_front() else {
            if channel.is_closing {
                channel.close();
            }
            return Err(Refusal::Empty);
        };
        if channel.is_closing && channel.items.is_empty() {
            channel.close();
        }
        item.receipt.tell(Fate::Received);
        Ok((item.object.take(), item.unbound))
    })
}

/// Closes a channel for all. One with objects in it only by force, or its sending end.
pub fn close(id: i64, end: End, force: bool) -> Result<(), Refusal> {
    with_open(id, |channel| {
        if !force && !channel.items.is_empty() {
            if end != End::Send {
                return Err(Refusal::NotEmpty);
            }
            if channel.is_closing {
                return Err(Refusal::Closed);
            }
            channel.is_closing = true;
            return Ok(());
        }
        channel.close();
        Ok(())
    })
}

/// Gives an interpreter's ends back.
pub fn release(id: i64, interp: i64, end: End) -> Result<(), Refusal> {
    with_open(id, |channel| {
        if end.has_send() {
            channel.senders.insert(interp, false);
        }
        if end.has_recv() {
            channel.receivers.insert(interp, false);
        }
        channel.close_if_unused();
        Ok(())
    })
}

/// The interpreters that hold an end.
pub fn holders(id: i64, end: End) -> Result<Vec<i64>, Refusal> {
    with_open(id, |channel| {
        if end == End::Send && channel.is_closing {
            return Err(Refusal::Closed);
        }
        let ends = if end == End::Send { &channel.senders } else { &channel.receivers };
        Ok(ends.iter().filter(|(_, held)| **held).map(|(interp, _)| *interp).collect())
    })
}

/// The number of objects in a channel.
pub fn count(id: i64) -> Result<usize, Refusal> {
    with_open(id, |channel| Ok(channel.items.len()))
}

/// How a channel stands.
pub fn info(id: i64) -> Result<Info, Refusal> {
    with(id, |channel| {
        let interps = channel.senders.keys().chain(channel.receivers.keys());
        let interps: std::collections::BTreeSet<i64> = interps.copied().collect();
        let end = |ends: &Ends, interp: &i64| ends.get(interp).copied();
        let ends = interps
            .iter()
            .map(|interp| (*interp, end(&channel.senders, interp), end(&channel.receivers, interp)));
        Info {
            is_open: channel.is_open(),
            is_closing: channel.is_closing,
            is_closed: channel.is_closed,
            count: channel.items.len(),
            ends: if channel.is_closed { Vec::new() } else { ends.collect() },
        }
    })
}

/// Takes an interpreter's objects and ends out of the channels, when it has ended.
pub fn unbind(interp: i64) {
    let mut lost = Vec::new();
    let mut objects = Vec::new();
    let mut all = all();
    for channel in all.channels.values_mut().filter(|channel| !channel.is_closed) {
        let items = std::mem::take(&mut channel.items);
        let is_lost = |item: &Item| item.owner == interp && item.unbound == UNBOUND_REMOVE;
        let (gone, kept): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_lost);
        lost.extend(gone);
        channel.items = kept.into();
        let orphans = channel.items.iter_mut().filter(|item| item.owner == interp);
        objects.extend(orphans.map(|item| item.object.take()));
        for ends in [&mut channel.senders, &mut channel.receivers] {
            if let Some(held) = ends.get_mut(&interp) {
                *held = false;
            }
        }
        channel.close_if_unused();
        lost.append(&mut channel.lost);
    }
    drop(all);
    drop((lost, objects));
}
