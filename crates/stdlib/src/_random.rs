//! `_random`: the Mersenne Twister behind `random.Random`.

use std::cell::RefCell;

use taipan_numeric::mersenne::MersenneTwister;
use taipan_vm::prelude::*;

/// Words of state.
const WORDS: usize = 624;

/// The module.
pub struct RandomModule;

/// Module implements the Mersenne Twister random number generator.
#[pymodule(name = "_random", types(Random))]
impl RandomModule {}

/// The layout of `_random.Random`.
#[repr(C)]
pub struct Random {
    ob: Object,
    twister: RefCell<MersenneTwister>,
}

impl Random {
    /// Draws; nothing that runs in between can come back here.
    #[inline]
    fn draw<T>(&self, vm: &Vm, f: impl FnOnce(&mut MersenneTwister) -> T) -> PyResult<T> {
        match self.twister.try_borrow_mut() {
            Ok(mut twister) => Ok(f(&mut twister)),
            Err(_) => Err(vm.runtime_error("the generator is in use")),
        }
    }

    fn set_seed(&self, seed: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let twister = match seed.filter(|seed| !vm.is_none(seed)) {
            None => from_system(vm)?,
            Some(seed) => match seed.downcast_exact::<Int>() {
                Some(int) => MersenneTwister::from_int(int.as_int_ref()),
                None if seed.downcast_ref::<Int>().is_some() => {
                    let magnitude = taipan_vm::protocols::number::absolute(seed, vm)?;
                    let magnitude = magnitude.as_index(vm)?;
                    MersenneTwister::from_int(magnitude.as_int_ref())
                }
                None => {
                    let hash = seed.hash(vm)? as u64;
                    MersenneTwister::from_words(&if hash >> 32 == 0 {
                        vec![hash as u32]
                    } else {
                        vec![hash as u32, (hash >> 32) as u32]
                    })
                }
            },
        };
        self.draw(vm, |own| *own = twister)
    }
}

/// A generator seeded by the system's source of randomness.
fn from_system(vm: &Vm) -> PyResult<MersenneTwister> {
    let mut bytes = [0u8; WORDS * 4];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        // SAFETY: the buffer is ours and as long as told.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(got) {
            Ok(got) => filled += got,
            Err(_) if std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => {}
            Err(_) => return Err(vm.last_os_error(None)),
        }
    }
    let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|&word| u32::from_ne_bytes(word)).collect();
    Ok(MersenneTwister::from_words(&words))
}

/// Random() -> create a random number generator with its own internal state.
#[pytype(name = "_random.Random", flags(BASETYPE))]
impl Random {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        let twister = MersenneTwister::from_state([0; WORDS], 0)
            .ok_or_else(|| vm.system_error("a fresh generator has a position"))?;
        vm.new_instance(cls, Random { ob: Object::new(Self::type_object()), twister: RefCell::new(twister) })
    }

    #[init("(*args, **kwargs)")]
    fn init(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        if !kwargs.is_empty() {
            return Err(vm.type_error("Random() takes no keyword arguments"));
        }
        match args {
            [] => self.set_seed(None, vm),
            [seed] => self.set_seed(Some(seed), vm),
            _ => Err(vm.type_error(format!("Random expected at most 1 argument, got {}", args.len()))),
        }
    }

    /// random() -> x in the interval [0, 1).
    #[method("($self, /)")]
    fn random(&self, vm: &Vm) -> PyResult<f64> {
        self.draw(vm, MersenneTwister::random)
    }

    /// seed([n]) -> None.
    ///
    /// Defaults to use urandom and falls back to a combination
    /// of the current time and the process identifier.
    #[method("($self, n=None, /)")]
    fn seed(&self, n: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_seed(n, vm)
    }

    /// getstate() -> tuple containing the current state.
    #[method("($self, /)")]
    fn getstate(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let (words, index) = self.draw(vm, |twister| {
            let (words, index) = twister.state();
            (words.to_vec(), index)
        })?;
        let mut items: Vec<ObjRef> = words.into_iter().map(|word| vm.new_int(word)).collect();
        items.push(vm.new_int(index));
        Ok(vm.new_tuple(items))
    }

    /// setstate(state) -> None.  Restores generator state.
    #[method("($self, state, /)")]
    fn setstate(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        let Some(state) = state.downcast_ref::<Tuple>() else {
            return Err(vm.type_error("state vector must be a tuple"));
        };
        if state.len() != WORDS + 1 {
            return Err(vm.value_error("state vector is the wrong size"));
        }
        let mut words = [0; WORDS];
        for (word, item) in words.iter_mut().zip(state.as_slice()) {
            *word = as_unsigned(item, vm)? as u32;
        }
        let index = state.get(WORDS).unwrap_or_else(|| vm.none_ref());
        let Some(index) = index.downcast_ref::<Int>() else {
            return Err(vm.type_error("an integer is required"));
        };
        let index =
            index.to_i64().ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))?;
        let twister = usize::try_from(index).ok().and_then(|index| MersenneTwister::from_state(words, index));
        let Some(twister) = twister else {
            return Err(vm.value_error("invalid state"));
        };
        self.draw(vm, |own| *own = twister)
    }

    /// getrandbits(k) -> x.  Generates an int with k random bits.
    #[method("($self, k, /)")]
    fn getrandbits(&self, k: &Object, vm: &Vm) -> PyResult {
        let k = k.as_index(vm)?;
        let Some(k) = k.to_u64() else {
            return Err(if k.is_negative() {
                vm.value_error("Cannot convert negative int")
            } else {
                vm.overflow_error("Python int too large for C uint64_t")
            });
        };
        if k <= 64 {
            return Ok(Int::from_u64(self.draw(vm, |twister| twister.bits_u64(k as u32))?, vm));
        }
        match self.draw(vm, |twister| twister.bits(k))? {
            Some(bits) => Ok(Int::from_big(bits, vm)),
            None => Err(vm.memory_error()),
        }
    }
}

fn as_unsigned(item: &Object, vm: &Vm) -> PyResult<u64> {
    let Some(int) = item.downcast_ref::<Int>() else {
        return Err(vm.type_error("an integer is required"));
    };
    int.to_u64().ok_or_else(|| {
        vm.overflow_error(if int.is_negative() {
            "can't convert negative value to unsigned int"
        } else {
            "Python int too large to convert to C unsigned long"
        })
    })
}
