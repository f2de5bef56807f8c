//! Results at infinities and NaNs (C99, Annex G), by the kinds of the real part (rows) and of the imaginary part.

use std::f64::consts::{FRAC_PI_2 as P12, FRAC_PI_4 as P14, PI};

use super::functions::Pair;

const P34: f64 = 0.75 * PI;
const I: f64 = f64::INFINITY;
const N: f64 = f64::NAN;
/// Never asked for: both parts are finite, or there is no result.
const X: Pair = (N, N);

/// Rows and columns: -inf, negative, -0, 0, positive, inf, NaN.
pub type Table = [[Pair; 7]; 7];

fn kind(x: f64) -> usize {
    if x.is_nan() {
        return 6;
    }
    match (x.is_infinite(), x == 0.0, x.is_sign_negative()) {
        (true, _, true) => 0,
        (false, false, true) => 1,
        (_, true, true) => 2,
        (_, true, false) => 3,
        (false, false, false) => 4,
        (true, _, false) => 5,
    }
}

/// The entry for a number.
pub fn look_up(table: &Table, z: Pair) -> Pair {
    table.get(kind(z.0)).and_then(|row| row.get(kind(z.1))).copied().unwrap_or(X)
}

/// `acos`
pub const ACOS: Table = [
    [(P34, I), (PI, I), (PI, I), (PI, -I), (PI, -I), (P34, -I), (N, I)],
    [(P12, I), X, X, X, X, (P12, -I), X],
    [(P12, I), X, X, X, X, (P12, -I), (P12, N)],
    [(P12, I), X, X, X, X, (P12, -I), (P12, N)],
    [(P12, I), X, X, X, X, (P12, -I), X],
    [(P14, I), (0.0, I), (0.0, I), (0.0, -I), (0.0, -I), (P14, -I), (N, I)],
    [(N, I), X, X, X, X, (N, -I), X],
];

/// `acosh`
pub const ACOSH: Table = [
    [(I, -P34), (I, -PI), (I, -PI), (I, PI), (I, PI), (I, P34), (I, N)],
    [(I, -P12), X, X, X, X, (I, P12), X],
    [(I, -P12), X, X, X, X, (I, P12), (N, P12)],
    [(I, -P12), X, X, X, X, (I, P12), (N, P12)],
    [(I, -P12), X, X, X, X, (I, P12), X],
    [(I, -P14), (I, -0.0), (I, -0.0), (I, 0.0), (I, 0.0), (I, P14), (I, N)],
    [(I, N), X, X, X, X, (I, N), X],
];

/// `asinh`
pub const ASINH: Table = [
    [(-I, -P14), (-I, -0.0), (-I, -0.0), (-I, 0.0), (-I, 0.0), (-I, P14), (-I, N)],
    [(-I, -P12), X, X, X, X, (-I, P12), X],
    [(-I, -P12), X, X, X, X, (-I, P12), X],
    [(I, -P12), X, X, X, X, (I, P12), X],
    [(I, -P12), X, X, X, X, (I, P12), X],
    [(I, -P14), (I, -0.0), (I, -0.0), (I, 0.0), (I, 0.0), (I, P14), (I, N)],
    [(I, N), X, (N, -0.0), (N, 0.0), X, (I, N), X],
];

/// `atanh`
pub const ATANH: Table = [
    [(-0.0, -P12), (-0.0, -P12), (-0.0, -P12), (-0.0, P12), (-0.0, P12), (-0.0, P12), (-0.0, N)],
    [(-0.0, -P12), X, X, X, X, (-0.0, P12), X],
    [(-0.0, -P12), X, X, X, X, (-0.0, P12), (-0.0, N)],
    [(0.0, -P12), X, X, X, X, (0.0, P12), (0.0, N)],
    [(0.0, -P12), X, X, X, X, (0.0, P12), X],
    [(0.0, -P12), (0.0, -P12), (0.0, -P12), (0.0, P12), (0.0, P12), (0.0, P12), (0.0, N)],
    [(0.0, -P12), X, X, X, X, (0.0, P12), X],
];

/// `cosh`
pub const COSH: Table = [
    [X, (I, I), (I, 0.0), (I, -0.0), (I, -I), X, (I, N)],
    [X, X, X, X, X, X, X],
    [X, X, X, X, X, X, (N, 0.0)],
    [X, X, X, X, X, X, (N, 0.0)],
    [X, X, X, X, X, X, X],
    [X, (I, -I), (I, -0.0), (I, 0.0), (I, I), X, (I, N)],
    [X, X, (N, 0.0), (N, 0.0), X, X, X],
];

/// `exp`
pub const EXP: Table = [
    [(0.0, 0.0), (0.0, -0.0), (0.0, -0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)],
    [X, X, X, X, X, X, X],
    [X, X, X, X, X, X, X],
    [X, X, X, X, X, X, X],
    [X, X, X, X, X, X, X],
    [X, (I, -I), (I, -0.0), (I, 0.0), (I, I), X, (I, N)],
    [X, X, (N, -0.0), (N, 0.0), X, X, X],
];

/// `log`
pub const LOG: Table = [
    [(I, -P34), (I, -PI), (I, -PI), (I, PI), (I, PI), (I, P34), (I, N)],
    [(I, -P12), X, X, X, X, (I, P12), X],
    [(I, -P12), X, X, X, X, (I, P12), X],
    [(I, -P12), X, X, X, X, (I, P12), X],
    [(I, -P12), X, X, X, X, (I, P12), X],
    [(I, -P14), (I, -0.0), (I, -0.0), (I, 0.0), (I, 0.0), (I, P14), (I, N)],
    [(I, N), X, X, X, X, (I, N), X],
];

/// `sinh`
pub const SINH: Table = [
    [X, (-I, -I), (-I, -0.0), (-I, 0.0), (-I, I), X, (I, N)],
    [X, X, X, X, X, X, X],
    [X, X, X, X, X, X, (0.0, N)],
    [X, X, X, X, X, X, (0.0, N)],
    [X, X, X, X, X, X, X],
    [X, (I, -I), (I, -0.0), (I, 0.0), (I, I), X, (I, N)],
    [X, X, (N, -0.0), (N, 0.0), X, X, X],
];

/// `sqrt`
pub const SQRT: Table = [
    [(I, -I), (0.0, -I), (0.0, -I), (0.0, I), (0.0, I), (I, I), (N, I)],
    [(I, -I), X, X, X, X, (I, I), X],
    [(I, -I), X, X, X, X, (I, I), X],
    [(I, -I), X, X, X, X, (I, I), X],
    [(I, -I), X, X, X, X, (I, I), X],
    [(I, -I), (I, -0.0), (I, -0.0), (I, 0.0), (I, 0.0), (I, I), (I, N)],
    [(I, -I), X, X, X, X, (I, I), X],
];

/// `tanh`
pub const TANH: Table = [
    [(-1.0, 0.0), (-1.0, -0.0), (-1.0, -0.0), (-1.0, 0.0), (-1.0, 0.0), (-1.0, 0.0), (-1.0, 0.0)],
    [X, X, X, X, X, X, X],
    [X, X, X, X, X, X, (-0.0, N)],
    [X, X, X, X, X, X, (0.0, N)],
    [X, X, X, X, X, X, X],
    [(1.0, 0.0), (1.0, -0.0), (1.0, -0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0)],
    [X, X, (N, -0.0), (N, 0.0), X, X, X],
];

/// `rect`: rows by the radius, columns by the angle.
pub const RECT: Table = [
    [X, (-I, I), (-I, 0.0), (-I, -0.0), (-I, -I), X, (I, N)],
    [X, X, X, X, X, X, X],
    [(0.0, 0.0), X, X, X, X, (0.0, 0.0), (0.0, 0.0)],
    [(0.0, 0.0), X, X, X, X, (0.0, 0.0), (0.0, 0.0)],
    [X, X, X, X, X, X, X],
    [X, (I, -I), (I, -0.0), (I, 0.0), (I, I), X, (I, N)],
    [X, X, (N, 0.0), (N, 0.0), X, X, X],
];
