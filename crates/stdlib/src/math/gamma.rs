//! The gamma function and its logarithm by Lanczos' approximation (g = 6.0246..., 13 terms, the coefficients of
//! Boost's `lanczos13m53`), with more even accuracy than platforms' own.

use std::f64::consts::PI;

use taipan_vm::prelude::*;

use super::error::{expected, range_error};

const G: f64 = 6.024_680_040_776_73;
const G_MINUS_HALF: f64 = 5.524_680_040_776_73;
const LN_PI: f64 = 1.144_729_885_849_400_2;

/// Numerator and denominator, constant term first.
const COEFFICIENTS: [(f64, f64); 13] = [
    (23531376880.41075968857200767445163675473485, 0.0),
    (42919803642.64909876895789904700198885092636, 39916800.0),
    (35711959237.35566804944018545154716670596049, 120543840.0),
    (17921034426.03720969991975575445893111267140, 150917976.0),
    (6039542586.352028005064291644307297921069939, 105258076.0),
    (1439720407.311721673663223072794912393971549, 45995730.0),
    (248874557.8620541565114603864132294232163213, 13339535.0),
    (31426415.58540019438061423162831820536287468, 2637558.0),
    (2876370.628935372441225409051620849613599115, 357423.0),
    (186056.2653952234950402949897160456992822078, 32670.0),
    (8071.672002365816210638002902272250613821852, 1925.0),
    (210.8242777515793458725097339207133627116697, 66.0),
    (2.506628274631000270164908177133837338626431, 1.0),
];

/// Why there is no result.
pub enum Failure {
    Domain,
    Range,
}

/// Turns a failure into an exception.
pub fn finish(x: f64, result: Result<f64, Failure>, vm: &Vm) -> PyResult<f64> {
    result.map_err(|failure| match failure {
        Failure::Domain => expected("expected a noninteger or positive integer, got ", x, vm),
        Failure::Range => range_error(vm),
    })
}

fn lanczos_sum(x: f64) -> f64 {
    let (mut numerator, mut denominator) = (0.0, 0.0);
    if x < 5.0 {
        for (n, d) in COEFFICIENTS.iter().rev() {
            numerator = numerator * x + n;
            denominator = denominator * x + d;
        }
    } else {
        // Dividing keeps large x from overflowing.
        for (n, d) in &COEFFICIENTS {
            numerator = numerator / x + n;
            denominator = denominator / x + d;
        }
    }
    numerator / denominator
}

/// sin(pi * x) without the error of pi * x.
fn sin_pi(x: f64) -> f64 {
    let y = x.abs() % 2.0;
    let result = match (2.0 * y).round() as i32 {
        0 => (PI * y).sin(),
        1 => (PI * (y - 0.5)).cos(),
        2 => (PI * (1.0 - y)).sin(),
        3 => -(PI * (y - 1.5)).cos(),
        _ => (PI * (y - 2.0)).sin(),
    };
    1f64.copysign(x) * result
}

/// The gamma function.
pub fn gamma(x: f64) -> Result<f64, Failure> {
    if !x.is_finite() {
        return if x.is_nan() || x > 0.0 { Ok(x) } else { Err(Failure::Domain) };
    }
    if x == 0.0 {
        return Err(Failure::Domain);
    }
    if x == x.floor() {
        if x < 0.0 {
            return Err(Failure::Domain);
        }
        if x <= 23.0 {
            // Factorials up to 22! are exact.
            return Ok((1..x as i64).map(|n| n as f64).product());
        }
    }
    let size = x.abs();
    if size < 1e-20 {
        let result = 1.0 / x;
        return if result.is_infinite() { Err(Failure::Range) } else { Ok(result) };
    }
    if size > 200.0 {
        return if x < 0.0 { Ok(0.0 / sin_pi(x)) } else { Err(Failure::Range) };
    }
    let y = size + G_MINUS_HALF;
    // The error of that sum.
    let z = if size > G_MINUS_HALF { (y - size) - G_MINUS_HALF } else { (y - G_MINUS_HALF) - size };
    let z = z * G / y;
    let mut result;
    if x < 0.0 {
        result = -PI / sin_pi(size) / size * y.exp() / lanczos_sum(size);
        result -= z * result;
        if size < 140.0 {
            result /= y.powf(size - 0.5);
        } else {
            let root = y.powf(size / 2.0 - 0.25);
            result /= root;
            result /= root;
        }
    } else {
        result = lanczos_sum(size) / y.exp();
        result += z * result;
        if size < 140.0 {
            result *= y.powf(size - 0.5);
        } else {
            let root = y.powf(size / 2.0 - 0.25);
            result *= root;
            result *= root;
        }
    }
    if result.is_infinite() { Err(Failure::Range) } else { Ok(result) }
}

/// The natural logarithm of the gamma function's absolute value.
pub fn ln_gamma(x: f64) -> Result<f64, Failure> {
    if !x.is_finite() {
        return Ok(if x.is_nan() { x } else { f64::INFINITY });
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(Failure::Domain) } else { Ok(0.0) };
    }
    let size = x.abs();
    if size < 1e-20 {
        return Ok(-size.ln());
    }
    let mut result = lanczos_sum(size).ln() - G;
    result += (size - 0.5) * ((size + G - 0.5).ln() - 1.0);
    if x < 0.0 {
        result = LN_PI - sin_pi(size).abs().ln() - size.ln() - result;
    }
    if result.is_infinite() { Err(Failure::Range) } else { Ok(result) }
}
