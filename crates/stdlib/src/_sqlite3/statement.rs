//! Prepared statements and a connection's cache of them.

use std::cell::Cell;
use std::collections::HashMap;

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;

use super::Connection;
use super::errors;

/// The layout of a statement.
#[repr(C)]
pub struct Statement {
    ob: Object,
    raw: *mut sq::sqlite3_stmt,
    /// INSERT, UPDATE, DELETE or REPLACE.
    changes_data: bool,
    /// Whether a parameter has a name.
    named: Cell<bool>,
}

#[pytype(name = "sqlite3.Statement", no_new, doc = "")]
impl Statement {}

impl Drop for Statement {
    fn drop(&mut self) {
        let raw = self.raw;
        // SAFETY: finalised once; SQLite waits for others that use the connection, so they must be able to go on.
        let finalize = || unsafe { sq::sqlite3_finalize(raw) };
        match Vm::try_current() {
            Some(vm) => vm.allow_threads(finalize),
            None => finalize(),
        };
    }
}

/// The rest of a text behind white space, semicolons (when `separators`) and comments.
fn skip_blank(mut sql: &[u8], separators: bool) -> &[u8] {
    loop {
        sql = match sql {
            [b' ' | b'\t' | b'\x0c' | b'\n' | b'\r', rest @ ..] => rest,
            [b';', rest @ ..] if separators => rest,
            [b'-', b'-', rest @ ..] => match rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => rest.get(end + 1..).unwrap_or_default(),
                None => &[],
            },
            [b'/', b'*', rest @ ..] => match rest.windows(2).position(|pair| pair == b"*/") {
                Some(end) => rest.get(end + 2..).unwrap_or_default(),
                None => &[],
            },
            _ => return sql,
        }
    }
}

fn starts_with_word(sql: &[u8], word: &[u8]) -> bool {
    sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

impl Statement {
    /// Compiles one statement of SQL.
    pub fn prepare(connection: &Connection, sql: &Str, vm: &Vm) -> PyResult<Ref<Statement>> {
        let db = connection.open(vm)?;
        let text = sql.to_utf8(vm)?.as_bytes();
        // SAFETY: the connection is open.
        let most = unsafe { sq::sqlite3_limit(db, sq::SQLITE_LIMIT_SQL_LENGTH, -1) };
        if text.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(errors::data("query string is too large", vm));
        }
        if memchr::memchr(0, text).is_some() {
            return Err(errors::programming("the query contains a null character", vm));
        }
        let mut raw = std::ptr::null_mut();
        let mut tail = std::ptr::null();
        let start = text.as_ptr().cast();
        // SAFETY: the text is as long as told and the str outlives the call.
        let code = vm.allow_threads(|| unsafe {
            sq::sqlite3_prepare_v2(db, start, text.len() as i32, &raw mut raw, &raw mut tail)
        });
        if code != sq::SQLITE_OK {
            // SAFETY: the connection was open before the call; a thread that closed it meanwhile is looked for.
            return Err(match connection.open(vm) {
                Ok(db) => unsafe { errors::from_connection(db, vm) },
                Err(raised) => raised,
            });
        }
        let body = skip_blank(text, false);
        let words: [&[u8]; 4] = [b"INSERT", b"UPDATE", b"DELETE", b"REPLACE"];
        let changes_data = words.iter().any(|word| starts_with_word(body, word));
        // SAFETY: the statement was just prepared, or is null, which the function allows.
        let named = unsafe {
            (1..=sq::sqlite3_bind_parameter_count(raw))
                .any(|place| !sq::sqlite3_bind_parameter_name(raw, place).is_null())
        };
        let ob = Object::new(Self::type_object());
        let made = vm.new_object(Statement { ob, raw, changes_data, named: Cell::new(named) });
        let used = (tail as usize).saturating_sub(text.as_ptr() as usize);
        if !skip_blank(text.get(used..).unwrap_or_default(), true).is_empty() {
            return Err(errors::programming("You can only execute one statement at a time.", vm));
        }
        Ok(made)
    }

    /// SQLite's statement; null for SQL without one.
    #[inline]
    pub fn raw(&self) -> *mut sq::sqlite3_stmt {
        self.raw
    }

    /// Whether it is INSERT, UPDATE, DELETE or REPLACE.
    pub fn changes_data(&self) -> bool {
        self.changes_data
    }

    /// Whether a parameter has a name.
    pub fn names_parameters(&self) -> bool {
        self.named.get()
    }

    /// Whether it was stepped and neither ended nor reset.
    pub fn is_busy(&self) -> bool {
        // SAFETY: alive or null, which the function allows.
        unsafe { sq::sqlite3_stmt_busy(self.raw) != 0 }
    }

    /// One step, without the GIL.
    pub fn step(&self, vm: &Vm) -> i32 {
        let raw = self.raw;
        if raw.is_null() {
            return sq::SQLITE_DONE;
        }
        // SAFETY: the statement lives as long as `self`, which the caller holds.
        vm.allow_threads(|| unsafe { sq::sqlite3_step(raw) })
    }

    /// Makes it ready for the next execution.
    pub fn reset(&self, vm: &Vm) -> i32 {
        let raw = self.raw;
        // SAFETY: as above.
        let reset = || unsafe { sq::sqlite3_reset(raw) };
        // One that has ended takes no time.
        if self.is_busy() { vm.allow_threads(reset) } else { reset() }
    }
}

/// The statements that were used last, by their text.
#[derive(Default)]
pub struct Cache {
    entries: HashMap<isize, Entry>,
    /// How many there may be.
    pub capacity: usize,
    clock: u64,
}

struct Entry {
    sql: Ref<Str>,
    statement: Ref<Statement>,
    used: u64,
}

impl Cache {
    /// The statement of a text.
    pub fn find(&mut self, sql: &Str, hash: isize) -> Option<Ref<Statement>> {
        self.clock += 1;
        let entry = self.entries.get_mut(&hash)?;
        if !entry.sql.as_object().is(sql.as_object()) && !Str::equal(&entry.sql, sql) {
            return None;
        }
        entry.used = self.clock;
        Some(entry.statement.clone())
    }

    /// Keeps a statement; gives what has to go for it, to be dropped when the cache is not borrowed.
    #[must_use]
    pub fn keep(&mut self, sql: &Str, hash: isize, statement: &Ref<Statement>) -> Option<Ref<Statement>> {
        if self.capacity == 0 {
            return None;
        }
        let oldest = (self.entries.len() >= self.capacity)
            .then(|| self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(hash, _)| *hash))
            .flatten();
        let gone = oldest.and_then(|hash| self.entries.remove(&hash));
        let entry = Entry { sql: sql.into(), statement: statement.clone(), used: self.clock };
        self.entries.insert(hash, entry).or(gone).map(|entry| entry.statement)
    }

    /// All statements, to be dropped when the cache is not borrowed.
    #[must_use]
    pub fn take_all(&mut self) -> Vec<Ref<Statement>> {
        self.entries.drain().map(|(_, entry)| entry.statement).collect()
    }
}
