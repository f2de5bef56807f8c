//! `combinations`, `combinations_with_replacement`, `permutations`, `product`.

use std::cell::RefCell;

use taipan_vm::prelude::*;

/// Where a combinatoric iterator stands: the indices of the tuple that comes next; none at the end.
type State = RefCell<Option<Vec<usize>>>;

fn pick(pool: &[ObjRef], indices: &[usize], vm: &Vm) -> ObjRef {
    let items: Vec<ObjRef> = indices.iter().filter_map(|&at| pool.get(at).cloned()).collect();
    vm.new_tuple(items).into_object()
}

fn size_of(r: isize, vm: &Vm) -> PyResult<usize> {
    usize::try_from(r).map_err(|_| vm.value_error("r must be non-negative"))
}

macro_rules! pool_type {
    ($(#[$doc:meta])* $layout:ident) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Traverse)]
        pub struct $layout {
            #[traverse(skip)]
            ob: Object,
            pool: Vec<ObjRef>,
            #[traverse(skip)]
            state: State,
        }
    };
}

pool_type!(
    /// The layout of `combinations`.
    Combinations
);
pool_type!(
    /// The layout of `combinations_with_replacement`.
    CombinationsWithReplacement
);

/// Return successive r-length combinations of elements in the iterable.
///
/// combinations(range(4), 3) --> (0,1,2), (0,1,3), (0,2,3), (1,2,3)
#[pytype(name = "itertools.combinations", flags(BASETYPE), gc)]
impl Combinations {
    #[new("(iterable, r)")]
    fn new(cls: &Type, iterable: &Object, r: isize, vm: &Vm) -> PyResult {
        let pool = iterable.collect_iterable(vm)?;
        let r = size_of(r, vm)?;
        let state = if r > pool.len() { None } else { Some((0..r).collect()) };
        vm.new_instance(
            cls,
            Combinations { ob: Object::new(Self::type_object()), pool, state: RefCell::new(state) },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let mut state = self.state.borrow_mut();
        let Some(indices) = state.as_mut() else { return Ok(None) };
        let result = pick(&self.pool, indices, vm);
        let (n, r) = (self.pool.len(), indices.len());
        // The rightmost index that can still grow.
        let grows = indices.iter().enumerate().rposition(|(at, &index)| index + r != at + n);
        match grows {
            None => *state = None,
            Some(at) => {
                let base = indices.get(at).copied().unwrap_or(0);
                for (step, index) in indices.iter_mut().skip(at).enumerate() {
                    *index = base + 1 + step;
                }
            }
        }
        Ok(Some(result))
    }
}

/// Return successive r-length combinations of elements in the iterable allowing individual elements to have successive repeats.
///
/// combinations_with_replacement('ABC', 2) --> ('A','A'), ('A','B'), ('A','C'), ('B','B'), ('B','C'), ('C','C')
#[pytype(name = "itertools.combinations_with_replacement", flags(BASETYPE), gc)]
impl CombinationsWithReplacement {
    #[new("(iterable, r)")]
    fn new(cls: &Type, iterable: &Object, r: isize, vm: &Vm) -> PyResult {
        let pool = iterable.collect_iterable(vm)?;
        let r = size_of(r, vm)?;
        let state = if r > 0 && pool.is_empty() { None } else { Some(vec![0; r]) };
        let layout = CombinationsWithReplacement {
            ob: Object::new(Self::type_object()),
            pool,
            state: RefCell::new(state),
        };
        vm.new_instance(cls, layout)
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let mut state = self.state.borrow_mut();
        let Some(indices) = state.as_mut() else { return Ok(None) };
        let result = pick(&self.pool, indices, vm);
        let last = self.pool.len().saturating_sub(1);
        match indices.iter().rposition(|&index| index != last) {
            None => *state = None,
            Some(at) => {
                let grown = indices.get(at).map_or(0, |index| index + 1);
                for index in indices.iter_mut().skip(at) {
                    *index = grown;
                }
            }
        }
        Ok(Some(result))
    }
}

/// The layout of `permutations`.
#[repr(C)]
#[derive(Traverse)]
pub struct Permutations {
    #[traverse(skip)]
    ob: Object,
    pool: Vec<ObjRef>,
    /// Indices of all items, and how far each of the first r has still to go.
    #[traverse(skip)]
    state: RefCell<Option<(Vec<usize>, Vec<usize>)>>,
}

/// Return successive r-length permutations of elements in the iterable.
///
/// permutations(range(3), 2) --> (0,1), (0,2), (1,0), (1,2), (2,0), (2,1)
#[pytype(name = "itertools.permutations", flags(BASETYPE), gc)]
impl Permutations {
    #[new("(iterable, r=None)")]
    fn new(cls: &Type, iterable: &Object, r: Option<&Object>, vm: &Vm) -> PyResult {
        let pool = iterable.collect_iterable(vm)?;
        let n = pool.len();
        let r = match r.filter(|r| !vm.is_none(r)) {
            None => n,
            Some(r) if r.downcast_ref::<Int>().is_none() => return Err(vm.type_error("Expected int as r")),
            Some(r) => size_of(r.as_isize(vm)?, vm)?,
        };
        let state = if r > n { None } else { Some(((0..n).collect(), (0..r).map(|at| n - at).collect())) };
        vm.new_instance(
            cls,
            Permutations { ob: Object::new(Self::type_object()), pool, state: RefCell::new(state) },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let mut state = self.state.borrow_mut();
        let Some((indices, cycles)) = state.as_mut() else { return Ok(None) };
        let r = cycles.len();
        let result = pick(&self.pool, indices.get(..r).unwrap_or_default(), vm);
        let n = indices.len();
        for at in (0..r).rev() {
            let Some(cycle) = cycles.get_mut(at) else { break };
            *cycle -= 1;
            if *cycle == 0 {
                *cycle = n - at;
                if let Some(rest) = indices.get_mut(at..) {
                    rest.rotate_left(1);
                }
                continue;
            }
            let other = n - *cycle;
            indices.swap(at, other);
            return Ok(Some(result));
        }
        *state = None;
        Ok(Some(result))
    }
}

/// The layout of `product`.
#[repr(C)]
#[derive(Traverse)]
pub struct Product {
    #[traverse(skip)]
    ob: Object,
    pools: Vec<Vec<ObjRef>>,
    #[traverse(skip)]
    state: State,
}

/// Cartesian product of input iterables.  Equivalent to nested for-loops.
///
/// For example, product(A, B) returns the same as:  ((x,y) for x in A for y in B).
/// The leftmost iterators are in the outermost for-loop, so the output tuples
/// cycle in a manner similar to an odometer (with the rightmost element changing
/// on every iteration).
///
/// To compute the product of an iterable with itself, specify the number
/// of repetitions with the optional repeat keyword argument. For example,
/// product(A, repeat=4) means the same as product(A, A, A, A).
#[pytype(name = "itertools.product", flags(BASETYPE), gc)]
impl Product {
    #[new("(*iterables, repeat=1)")]
    fn new(cls: &Type, iterables: &[&Object], repeat: Option<isize>, vm: &Vm) -> PyResult {
        let Ok(repeat) = usize::try_from(repeat.unwrap_or(1)) else {
            return Err(vm.value_error("repeat argument cannot be negative"));
        };
        let mut once = Vec::with_capacity(iterables.len());
        for iterable in iterables {
            once.push(iterable.collect_iterable(vm)?);
        }
        let Some(total) = once.len().checked_mul(repeat).filter(|n| *n < 1 << 28) else {
            return Err(vm.overflow_error("repeat argument too large"));
        };
        let mut pools = Vec::with_capacity(total);
        for _ in 0..if once.is_empty() { 0 } else { repeat } {
            pools.extend(once.iter().cloned());
        }
        let state = if pools.iter().any(Vec::is_empty) { None } else { Some(vec![0; pools.len()]) };
        vm.new_instance(
            cls,
            Product { ob: Object::new(Self::type_object()), pools, state: RefCell::new(state) },
        )
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let mut state = self.state.borrow_mut();
        let Some(indices) = state.as_mut() else { return Ok(None) };
        let items: Vec<ObjRef> =
            self.pools.iter().zip(indices.iter()).filter_map(|(pool, &at)| pool.get(at).cloned()).collect();
        let mut carried = true;
        for (index, pool) in indices.iter_mut().zip(&self.pools).rev() {
            *index += 1;
            if *index < pool.len() {
                carried = false;
                break;
            }
            *index = 0;
        }
        if carried {
            *state = None;
        }
        Ok(Some(vm.new_tuple(items).into_object()))
    }
}
