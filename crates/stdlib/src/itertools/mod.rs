//! `itertools`: iterator building blocks.

use taipan_vm::prelude::*;

mod combinatoric;
mod grouping;
mod infinite;
mod joining;
mod selecting;

pub use combinatoric::{Combinations, CombinationsWithReplacement, Permutations, Product};
pub use grouping::{Batched, Group, GroupBy, Pairwise, Tee, TeeLink};
pub use infinite::{Count, Cycle, Repeat};
pub use joining::{Accumulate, Chain, StarMap, ZipLongest};
pub use selecting::{Compress, DropWhile, FilterFalse, ISlice, TakeWhile};

/// The module.
pub struct Itertools;

/// Functional tools for creating and using iterators.
#[pymodule(
    name = "itertools",
    types(
        Accumulate,
        Batched,
        Chain,
        Combinations,
        CombinationsWithReplacement,
        Compress,
        Count,
        Cycle,
        DropWhile,
        FilterFalse,
        Group,
        GroupBy,
        ISlice,
        Pairwise,
        Permutations,
        Product,
        Repeat,
        StarMap,
        TakeWhile,
        Tee,
        TeeLink,
        ZipLongest
    )
)]
impl Itertools {
    /// Returns a tuple of n independent iterators.
    #[function("($module, iterable, n=2, /)")]
    fn tee(iterable: &Object, n: Option<isize>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        grouping::tee(iterable, n.unwrap_or(2), vm)
    }
}
