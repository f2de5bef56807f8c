//! The normalisation forms (Unicode Standard Annex 15) over code points, lone surrogates included.

use unicode_normalization::char::{compose, decompose_canonical, decompose_compatible};
use unicode_normalization::{IsNormalized, is_nfc_quick, is_nfd_quick, is_nfkc_quick, is_nfkd_quick};

use crate::database::{Database, old_decomposition};

/// A normalisation form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Canonical decomposition, then composition.
    Nfc,
    /// Canonical decomposition.
    Nfd,
    /// Compatibility decomposition, then canonical composition.
    Nfkc,
    /// Compatibility decomposition.
    Nfkd,
}

impl Form {
    /// The form of that name, as `unicodedata.normalize` takes it.
    pub fn from_name(name: &str) -> Option<Form> {
        Some(match name {
            "NFC" => Form::Nfc,
            "NFD" => Form::Nfd,
            "NFKC" => Form::Nfkc,
            "NFKD" => Form::Nfkd,
            _ => return None,
        })
    }
}

/// A surrogate never changes nor composes; this stands for it where a `char` is needed.
fn to_char(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `unicodedata.normalize(form, text)`
pub fn normalize(database: Database, form: Form, text: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut out = Vec::new();
    // Combining marks wait until the next starter, then are put into order.
    let mut unsorted = 0;
    for code in text {
        if code < 0x80 {
            sort_marks(&mut out, &mut unsorted);
            out.push(code);
            unsorted = out.len();
            continue;
        }
        let mut push = |code: u32| {
            if Database::Current.combining(code) == 0 {
                sort_marks(&mut out, &mut unsorted);
                out.push(code);
                unsorted = out.len();
            } else {
                out.push(code);
            }
        };
        decompose(database, form, code, &mut push);
    }
    sort_marks(&mut out, &mut unsorted);
    if matches!(form, Form::Nfc | Form::Nfkc) {
        compose_all(&mut out);
    }
    out
}

fn decompose(database: Database, form: Form, code: u32, push: &mut impl FnMut(u32)) {
    let Some(char) = char::from_u32(code) else { return push(code) };
    if database == Database::Old {
        if !database.is_assigned(code) {
            return push(code);
        }
        if let Some(old) = old_decomposition(code) {
            return push(old);
        }
    }
    match form {
        Form::Nfc | Form::Nfd => decompose_canonical(char, |c| push(u32::from(c))),
        Form::Nfkc | Form::Nfkd => decompose_compatible(char, |c| push(u32::from(c))),
    }
}

/// Puts the marks from position `start` on into the order of their classes.
fn sort_marks(out: &mut [u32], start: &mut usize) {
    if let Some(marks) = out.get_mut(*start..)
        && marks.len() > 1
    {
        marks.sort_by_key(|&code| Database::Current.combining(code));
    }
    *start = out.len();
}

/// Composes decomposed text in place.
fn compose_all(text: &mut Vec<u32>) {
    let mut written = 0;
    let mut starter = None;
    // The class of the last character that was kept after the starter.
    let mut last_class = 0;
    for read in 0..text.len() {
        let Some(&code) = text.get(read) else { break };
        let class = Database::Current.combining(code);
        let adjacent = starter.is_some_and(|index| index + 1 == written);
        // A mark of the same class, or a starter, in between blocks composition.
        if let Some(index) = starter
            && (adjacent || last_class < class && last_class != 0)
            && let Some(slot) = text.get_mut(index)
            && let (Some(first), Some(second)) = (char::from_u32(*slot), char::from_u32(code))
            && let Some(composed) = compose(first, second)
        {
            *slot = u32::from(composed);
            continue;
        }
        if class == 0 {
            starter = Some(written);
        }
        last_class = class;
        if let Some(slot) = text.get_mut(written) {
            *slot = code;
        }
        written += 1;
    }
    text.truncate(written);
}

/// `unicodedata.is_normalized(form, text)`
pub fn is_normalized<I>(database: Database, form: Form, text: I) -> bool
where
    I: IntoIterator<Item = u32> + Clone,
{
    if database == Database::Current {
        let chars = text.clone().into_iter().map(to_char);
        let quick = match form {
            Form::Nfc => is_nfc_quick(chars),
            Form::Nfd => is_nfd_quick(chars),
            Form::Nfkc => is_nfkc_quick(chars),
            Form::Nfkd => is_nfkd_quick(chars),
        };
        match quick {
            IsNormalized::Yes => return true,
            IsNormalized::No => return false,
            IsNormalized::Maybe => {}
        }
    }
    normalize(database, form, text.clone()).into_iter().eq(text)
}
