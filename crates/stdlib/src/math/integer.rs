//! Exact functions of ints.

use taipan_numeric::{BigInt, IntRef};
use taipan_vm::builtins::int::raise_int_error;
use taipan_vm::prelude::*;

use super::Math;

const TOO_MANY: i64 = i64::MAX;

#[pyfunctions(table = INTEGER_FUNCTIONS)]
impl Math {
    /// Number of ways to choose k items from n items without repetition and without order.
    ///
    /// Evaluates to n! / (k! * (n - k)!) when k <= n and evaluates
    /// to zero when k > n.
    ///
    /// Also called the binomial coefficient because it is equivalent
    /// to the coefficient of k-th term in polynomial expansion of the
    /// expression (1 + x)**n.
    ///
    /// Raises TypeError if either of the arguments are not integers.
    /// Raises ValueError if either of the arguments are negative.
    #[function("($module, n, k, /)")]
    fn comb(n: &Object, k: &Object, vm: &Vm) -> PyResult {
        let (n, k) = (n.as_index(vm)?, k.as_index(vm)?);
        check_not_negative(&n, "n must be a non-negative integer", vm)?;
        check_not_negative(&k, "k must be a non-negative integer", vm)?;
        let rest = n.as_int_ref().sub(k.as_int_ref());
        if rest.is_negative() {
            return Ok(vm.new_int(0));
        }
        let smaller = if rest.as_ref() < k.as_int_ref() { rest.as_ref() } else { k.as_int_ref() };
        let Some(count) = smaller.to_i64() else {
            return Err(vm.overflow_error(format!("min(n - k, k) must not exceed {TOO_MANY}")));
        };
        let result = match n.to_u64() {
            Some(n) => combinations(n, count as u64),
            None => combinations_of_big(n.as_int_ref(), count as u64),
        };
        Ok(Int::from_big(result, vm))
    }

    /// Number of ways to choose k items from n items without repetition and with order.
    ///
    /// Evaluates to n! / (n - k)! when k <= n and evaluates
    /// to zero when k > n.
    ///
    /// If k is not specified or is None, then k defaults to n
    /// and the function returns n!.
    ///
    /// Raises TypeError if either of the arguments are not integers.
    /// Raises ValueError if either of the arguments are negative.
    #[function("($module, n, k=None, /)")]
    fn perm(n: &Object, k: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(k) = k.filter(|k| !vm.is_none(k)) else {
            return factorial(n, vm);
        };
        let (n, k) = (n.as_index(vm)?, k.as_index(vm)?);
        check_not_negative(&n, "n must be a non-negative integer", vm)?;
        check_not_negative(&k, "k must be a non-negative integer", vm)?;
        if n.as_int_ref() < k.as_int_ref() {
            return Ok(vm.new_int(0));
        }
        let Some(count) = k.to_i64() else {
            return Err(vm.overflow_error(format!("k must not exceed {TOO_MANY}")));
        };
        let result = match n.to_u64() {
            Some(n) => falling(n, count as u64),
            None => falling_of_big(n.as_int_ref(), count as u64),
        };
        Ok(Int::from_big(result, vm))
    }

    /// Find n!.
    #[function("($module, n, /)")]
    fn factorial(n: &Object, vm: &Vm) -> PyResult {
        factorial(n, vm)
    }

    /// Greatest Common Divisor.
    #[function("($module, /, *integers)")]
    fn gcd(integers: &[&Object], vm: &Vm) -> PyResult {
        fold(integers, 0, |a, b| a.gcd(b), gcd_u64, vm)
    }

    /// Least Common Multiple.
    #[function("($module, /, *integers)")]
    fn lcm(integers: &[&Object], vm: &Vm) -> PyResult {
        let small = |a: u64, b: u64| {
            if a == 0 || b == 0 { Some(0) } else { (a / gcd_u64(a, b)?).checked_mul(b) }
        };
        fold(integers, 1, |a, b| a.lcm(b), small, vm)
    }

    /// Return the integer part of the square root of the input.
    #[function("($module, n, /)")]
    fn isqrt(n: &Object, vm: &Vm) -> PyResult {
        let n = n.as_index(vm)?;
        if let Some(small) = n.to_u64() {
            return Ok(Int::from_u64(small.isqrt(), vm));
        }
        Int::from_result(n.as_int_ref().isqrt(), vm)
    }
}

fn check_not_negative(n: &Int, text: &str, vm: &Vm) -> PyResult<()> {
    if n.is_negative() { Err(vm.value_error(text)) } else { Ok(()) }
}

/// Euclid's algorithm by shifts; `Some` always, as `fold` wants it.
fn gcd_u64(mut a: u64, mut b: u64) -> Option<u64> {
    if a == 0 || b == 0 {
        return Some(a | b);
    }
    let shift = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    loop {
        b >>= b.trailing_zeros();
        if a > b {
            std::mem::swap(&mut a, &mut b);
        }
        b -= a;
        if b == 0 {
            return Some(a << shift);
        }
    }
}

/// Folds magnitudes, in machine numbers while they suffice. Every argument is converted, whatever the result so far.
fn fold(
    integers: &[&Object],
    neutral: u64,
    big: impl Fn(IntRef<'_>, IntRef<'_>) -> BigInt,
    small: impl Fn(u64, u64) -> Option<u64>,
    vm: &Vm,
) -> PyResult {
    let Some((first, rest)) = integers.split_first() else {
        return Ok(vm.new_int(neutral));
    };
    let first = first.as_index(vm)?;
    let mut fits = first.as_int_ref().abs().to_u64();
    let mut wide = if fits.is_some() { BigInt::zero() } else { first.as_int_ref().to_big().abs() };
    for item in rest {
        let item = item.as_index(vm)?;
        let magnitude = item.as_int_ref().abs();
        if let (Some(a), Some(b)) = (fits, magnitude.to_u64()) {
            fits = small(a, b);
            if fits.is_none() {
                wide = big(BigInt::from(a).as_ref(), magnitude);
            }
            continue;
        }
        if let Some(a) = fits {
            wide = BigInt::from(a);
        }
        wide = big(wide.as_ref(), magnitude).abs();
        fits = wide.as_ref().to_u64();
    }
    Ok(match fits {
        Some(value) => Int::from_u64(value, vm),
        None => Int::from_big(wide, vm),
    })
}

fn factorial(n: &Object, vm: &Vm) -> PyResult {
    let n = n.as_index(vm)?;
    check_not_negative(&n, "factorial() not defined for negative values", vm)?;
    let Some(n) = n.to_i64() else {
        return Err(vm.overflow_error(format!("factorial() argument should not exceed {TOO_MANY}")));
    };
    let n = n as u64;
    if n <= 20 {
        return Ok(Int::from_u64((2..=n).product(), vm));
    }
    // The factors of two are put back by one shift; what is left to multiply is shorter.
    let mut odd = BigInt::one();
    let mut inner = BigInt::one();
    for level in (0..64 - n.leading_zeros()).rev() {
        let (low, high) = (n >> (level + 1), n >> level);
        inner = inner.as_ref().mul(odd_product(low, high).as_ref());
        odd = odd.as_ref().mul(inner.as_ref());
    }
    let twos = n - u64::from(n.count_ones());
    let result = odd.as_ref().shl_u64(twos).map_err(|error| raise_int_error(error, vm))?;
    Ok(Int::from_big(result, vm))
}

/// The product of the odd numbers above `low` up to `high`.
fn odd_product(low: u64, high: u64) -> BigInt {
    let first = (low + 1) | 1;
    if first > high {
        return BigInt::one();
    }
    let count = (high - first) / 2 + 1;
    product(first, 2, count)
}

/// first * (first + step) * ... with `count` factors, none beyond u64.
fn product(first: u64, step: u64, count: u64) -> BigInt {
    if count <= 8 {
        let mut total = BigInt::one();
        let mut run = 1u64;
        for i in 0..count {
            let factor = first + i * step;
            match run.checked_mul(factor) {
                Some(more) => run = more,
                None => {
                    total = total.as_ref().mul(BigInt::from(run).as_ref());
                    run = factor;
                }
            }
        }
        return total.as_ref().mul(BigInt::from(run).as_ref());
    }
    let half = count / 2;
    product(first, step, half).as_ref().mul(product(first + half * step, step, count - half).as_ref())
}

/// n * (n - 1) * ... with k factors.
fn falling(n: u64, k: u64) -> BigInt {
    if k == 0 { BigInt::one() } else { product(n - k + 1, 1, k) }
}

fn falling_of_big(n: IntRef<'_>, k: u64) -> BigInt {
    match k {
        0 => BigInt::one(),
        1 => n.to_big(),
        _ => {
            let half = k / 2;
            let rest = n.sub(BigInt::from(half).as_ref());
            falling_of_big(n, half).as_ref().mul(falling_of_big(rest.as_ref(), k - half).as_ref())
        }
    }
}

/// C(n, k) while every step fits into 128 bits.
fn small_combinations(n: u64, k: u64) -> Option<u128> {
    // Beyond this many factors hardly anything fits.
    if k > 96 {
        return None;
    }
    let mut short = 1u64;
    let mut done = 0;
    while done < k {
        let Some(more) = short.checked_mul(n - done) else { break };
        short = more / (done + 1);
        done += 1;
    }
    let mut result = u128::from(short);
    for i in done..k {
        // Exact: the product of i + 1 consecutive numbers divides by (i + 1)!.
        result = result.checked_mul(u128::from(n - i))? / u128::from(i + 1);
    }
    Some(result)
}

fn combinations(n: u64, k: u64) -> BigInt {
    let k = k.min(n - k);
    if let Some(result) = small_combinations(n, k) {
        return BigInt::from(result);
    }
    // C(n, k) = C(n, j) * C(n - j, k - j) / C(k, j)
    let j = k / 2;
    let left = combinations(n, j);
    let product = left.as_ref().mul(combinations(n - j, k - j).as_ref());
    product.as_ref().floor_div(combinations(k, j).as_ref()).unwrap_or_default()
}

fn combinations_of_big(n: IntRef<'_>, k: u64) -> BigInt {
    match k {
        0 => BigInt::one(),
        1 => n.to_big(),
        _ => {
            let j = k / 2;
            let rest = n.sub(BigInt::from(j).as_ref());
            let product =
                combinations_of_big(n, j).as_ref().mul(combinations_of_big(rest.as_ref(), k - j).as_ref());
            product.as_ref().floor_div(combinations(k, j).as_ref()).unwrap_or_default()
        }
    }
}
