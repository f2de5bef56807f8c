//! "Did you mean": the most similar of some names, by edit distance. Serves argument parsing and, as the native module
//! `_suggestions`, the Python module `traceback`.

use crate::prelude::*;

/// More candidates than this are not looked at.
const MAX_CANDIDATES: usize = 750;
/// Longer names are never similar.
const MAX_LENGTH: usize = 40;
/// What inserting, deleting or replacing a byte costs.
const MOVE_COST: usize = 2;
/// What changing the case of a letter costs.
const CASE_COST: usize = 1;

fn substitution_cost(a: u8, b: u8) -> usize {
    if a == b {
        0
    } else if a.eq_ignore_ascii_case(&b) {
        CASE_COST
    } else {
        MOVE_COST
    }
}

/// The cost of turning one name into the other, or more than `limit` when it is higher than that.
fn distance(a: &[u8], b: &[u8], limit: usize) -> usize {
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(prefix..).unwrap_or_default(), b.get(prefix..).unwrap_or_default());
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let a = a.get(..a.len() - suffix).unwrap_or_default();
    let b = b.get(..b.len() - suffix).unwrap_or_default();
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return long.len() * MOVE_COST;
    }
    if long.len() > MAX_LENGTH || (long.len() - short.len()) * MOVE_COST > limit {
        return limit + 1;
    }
    let mut row: Vec<usize> = (1..=short.len()).map(|i| i * MOVE_COST).collect();
    let mut result = 0;
    for (index, &y) in long.iter().enumerate() {
        let mut diagonal = index * MOVE_COST;
        result = diagonal;
        let mut lowest = usize::MAX;
        for (cell, &x) in row.iter_mut().zip(short) {
            let substitute = diagonal + substitution_cost(y, x);
            diagonal = *cell;
            let insert_or_delete = result.min(diagonal) + MOVE_COST;
            result = insert_or_delete.min(substitute);
            *cell = result;
            lowest = lowest.min(result);
        }
        if lowest > limit {
            return limit + 1;
        }
    }
    result
}

/// The candidate most similar to `name`, if any is similar enough. `name` itself doesn't count.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(&str, usize)> = None;
    for candidate in candidates.into_iter().take(MAX_CANDIDATES) {
        if candidate == name {
            continue;
        }
        // At most a third of the letters may differ.
        let mut limit = (name.len() + candidate.len() + 3) * MOVE_COST / 6;
        if let Some((_, found)) = best {
            limit = limit.min(found.saturating_sub(1));
        }
        let cost = distance(name.as_bytes(), candidate.as_bytes(), limit);
        if cost <= limit {
            best = Some((candidate, cost));
        }
    }
    best.map(|(candidate, _)| candidate)
}

/// `suggest` for a table of names.
pub fn closest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    suggest(name, candidates.iter().copied())
}

/// The module's name space.
pub struct SuggestionsModule;

#[pymodule(name = "_suggestions")]
impl SuggestionsModule {
    /// Returns the candidate in candidates that's most similar to item
    #[function("($module, candidates, item, /)")]
    fn _generate_suggestions(candidates: &Object, item: &Str, vm: &Vm) -> PyResult<ObjRef> {
        let Some(list) = candidates.downcast_exact::<List>() else {
            return Err(vm.type_error("candidates must be a list"));
        };
        let items = list.to_vec();
        if items.len() > MAX_CANDIDATES {
            return Ok(vm.none());
        }
        let mut names = Vec::with_capacity(items.len());
        for item in &items {
            let Some(name) = item.downcast_ref::<Str>() else {
                return Err(vm.type_error("all elements in 'candidates' must be strings"));
            };
            names.push(name.to_utf8(vm)?);
        }
        match suggest(item.to_utf8(vm)?, names.iter().copied()) {
            Some(name) => Ok(vm.new_str(name).into_object()),
            None => Ok(vm.none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn similar_names_are_found() {
        assert_eq!(suggest("nam", ["name", "path", "name_from"]), Some("name"));
        assert_eq!(suggest("Name", ["name", "Names"]), Some("name"));
        assert_eq!(suggest("xyz", ["name", "path"]), None);
        assert_eq!(suggest("name", ["name"]), None);
    }
}
