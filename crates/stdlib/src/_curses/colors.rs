//! Colours and pairs of them. Newer libraries know more than 15 bits of each.

use std::ffi::{c_int, c_short};
use std::sync::atomic::Ordering;

use taipan_vm::prelude::*;

use super::convert::{check, int};
use super::library::{A_COLOR, Curses};
use super::{CursesModule, HAS_COLORS, library, set_in_module, with_colors, with_screen};

/// A number within bounds that a function takes: how it is called, and the last one with its name.
fn bounded(object: &Object, what: &str, last: c_int, limit: &str, vm: &Vm) -> PyResult<c_int> {
    let number = object.as_index(vm)?;
    match number.to_i64().map(i32::try_from) {
        Some(Ok(number)) if number < 0 => Err(vm.value_error(format!("{what} is less than 0."))),
        Some(Ok(number)) if number <= last => Ok(number),
        None if number.is_negative() => Err(vm.value_error(format!("{what} is less than 0."))),
        Some(Err(_)) if number.is_negative() => Err(vm.value_error(format!("{what} is less than 0."))),
        _ => Err(vm.value_error(format!("{what} is greater than {limit}-1 ({last})."))),
    }
}

fn last_color(library: &Curses) -> c_int {
    // SAFETY: the variable is the library's.
    unsafe { *library.COLORS() }.wrapping_sub(1)
}

fn color(object: &Object, vm: &Vm) -> PyResult<c_int> {
    bounded(object, "Color number", last_color(library(vm)?), "COLORS", vm)
}

fn pair(object: &Object, vm: &Vm) -> PyResult<c_int> {
    // SAFETY: the variable is the library's.
    let last = unsafe { *library(vm)?.COLOR_PAIRS() }.wrapping_sub(1);
    bounded(object, "Color pair", last, "COLOR_PAIRS", vm)
}

/// A colour, or a negative number for the terminal's default.
fn color_or_default(object: &Object, vm: &Vm) -> PyResult<c_int> {
    match object.as_index(vm)?.to_i64().and_then(|number| c_int::try_from(number).ok()) {
        Some(number) if number < 0 => Ok(number),
        _ => color(object, vm),
    }
}

/// A share of red, green or blue.
fn component(object: &Object, vm: &Vm) -> PyResult<c_int> {
    let number = object.as_index(vm)?;
    if number.is_negative() {
        return Err(vm.value_error("Color component is less than 0"));
    }
    match number.to_i64().and_then(|number| c_int::try_from(number).ok()) {
        Some(number) if number <= 1000 => Ok(number),
        _ => Err(vm.value_error("Color component is greater than 1000")),
    }
}

#[pyfunctions(table = COLOR_FUNCTIONS)]
impl CursesModule {
    /// Allow use of default values for colors on terminals supporting this feature.
    ///
    /// Assign terminal default foreground/background colors to color number -1.
    /// Change the definition of the color-pair 0 to (fg, bg).
    ///
    /// Use this to support transparency in your application.
    #[function("($module, fg, bg, /)")]
    fn assume_default_colors(fg: i32, bg: i32, vm: &Vm) -> PyResult<()> {
        let library = with_colors(vm)?;
        check(library.assume_default_colors(fg, bg), "assume_default_colors", vm)
    }

    /// Return True if the programmer can change the colors displayed by the terminal.
    #[function("($module, /)")]
    fn can_change_color(vm: &Vm) -> PyResult<bool> {
        Ok(with_screen(vm)?.can_change_color())
    }

    /// Return the red, green, and blue (RGB) components of the specified color.
    ///
    ///   color_number
    ///     The number of the color (0 - (COLORS-1)).
    ///
    /// A 3-tuple is returned, containing the R, G, B values for the given
    /// color, which will be between 0 (no component) and 1000 (maximum amount
    /// of component).
    #[function("($module, color_number, /)")]
    fn color_content(color_number: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let number = color(color_number, vm)?;
        let library = with_colors(vm)?;
        let shares = if let Some(content) = library.extended_color_content() {
            let [mut red, mut green, mut blue] = [0; 3];
            // SAFETY: three places of our own.
            let code = unsafe { content(number, &raw mut red, &raw mut green, &raw mut blue) };
            check(code, "extended_color_content", vm)?;
            [red, green, blue]
        } else {
            let [mut red, mut green, mut blue]: [c_short; 3] = [0; 3];
            // SAFETY: as above.
            let code = unsafe {
                library.color_content(number as c_short, &raw mut red, &raw mut green, &raw mut blue)
            };
            check(code, "color_content", vm)?;
            [red, green, blue].map(c_int::from)
        };
        Ok(vm.new_tuple(shares.map(|share| vm.new_int(share))))
    }

    /// Return the attribute value for displaying text in the specified color.
    ///
    ///   pair_number
    ///     The number of the color pair.
    ///
    /// This attribute value can be combined with A_STANDOUT, A_REVERSE, and the
    /// other A_* attributes.  pair_number() is the counterpart to this
    /// function.
    #[function("($module, pair_number, /)")]
    fn color_pair(pair_number: i32, vm: &Vm) -> PyResult<i64> {
        with_colors(vm)?;
        Ok(i64::from(((pair_number as u32) << 8) & A_COLOR))
    }

    /// Return True if the terminal can display colors; otherwise, return False.
    #[function("($module, /)")]
    fn has_colors(vm: &Vm) -> PyResult<bool> {
        Ok(with_screen(vm)?.has_colors())
    }

    /// Return True if the module supports extended colors; otherwise, return False.
    ///
    /// Extended color support allows more than 256 color-pairs for terminals
    /// that support more than 16 colors (e.g. xterm-256color).
    #[function("($module, /)")]
    fn has_extended_color_support(vm: &Vm) -> PyResult<bool> {
        Ok(library(vm)?.init_extended_pair().is_some())
    }

    /// Change the definition of a color.
    ///
    ///   color_number
    ///     The number of the color to be changed (0 - (COLORS-1)).
    ///   r
    ///     Red component (0 - 1000).
    ///   g
    ///     Green component (0 - 1000).
    ///   b
    ///     Blue component (0 - 1000).
    ///
    /// When init_color() is used, all occurrences of that color on the screen
    /// immediately change to the new definition.  This function is a no-op on
    /// most terminals; it is active only if can_change_color() returns true.
    #[function("($module, color_number, r, g, b, /)")]
    fn init_color(color_number: &Object, r: &Object, g: &Object, b: &Object, vm: &Vm) -> PyResult<()> {
        let number = color(color_number, vm)?;
        let (red, green, blue) = (component(r, vm)?, component(g, vm)?, component(b, vm)?);
        let library = with_colors(vm)?;
        match library.init_extended_color() {
            // SAFETY: the function takes any numbers.
            Some(init) => check(unsafe { init(number, red, green, blue) }, "init_extended_color", vm),
            None => {
                let [number, red, green, blue] = [number, red, green, blue].map(|share| share as c_short);
                check(library.init_color(number, red, green, blue), "init_color", vm)
            }
        }
    }

    /// Change the definition of a color-pair.
    ///
    ///   pair_number
    ///     The number of the color-pair to be changed (1 - (COLOR_PAIRS-1)).
    ///   fg
    ///     Foreground color number (-1 - (COLORS-1)).
    ///   bg
    ///     Background color number (-1 - (COLORS-1)).
    ///
    /// If the color-pair was previously initialized, the screen is refreshed
    /// and all occurrences of that color-pair are changed to the new
    /// definition.
    #[function("($module, pair_number, fg, bg, /)")]
    fn init_pair(pair_number: &Object, fg: &Object, bg: &Object, vm: &Vm) -> PyResult<()> {
        let number = pair(pair_number, vm)?;
        let (foreground, background) = (color_or_default(fg, vm)?, color_or_default(bg, vm)?);
        let library = with_colors(vm)?;
        match library.init_extended_pair() {
            // SAFETY: the function takes any numbers.
            Some(init) => check(unsafe { init(number, foreground, background) }, "init_extended_pair", vm),
            None => {
                let [number, foreground, background] =
                    [number, foreground, background].map(|value| value as c_short);
                check(library.init_pair(number, foreground, background), "init_pair", vm)
            }
        }
    }

    /// Return a tuple (fg, bg) containing the colors for the requested color pair.
    ///
    ///   pair_number
    ///     The number of the color pair (0 - (COLOR_PAIRS-1)).
    #[function("($module, pair_number, /)")]
    fn pair_content(pair_number: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let library = with_colors(vm)?;
        let number = pair(pair_number, vm)?;
        let colors = if let Some(content) = library.extended_pair_content() {
            let [mut foreground, mut background] = [0; 2];
            // SAFETY: two places of our own.
            let code = unsafe { content(number, &raw mut foreground, &raw mut background) };
            check(code, "extended_pair_content", vm)?;
            [foreground, background]
        } else {
            let [mut foreground, mut background]: [c_short; 2] = [0; 2];
            // SAFETY: as above.
            let code =
                unsafe { library.pair_content(number as c_short, &raw mut foreground, &raw mut background) };
            check(code, "pair_content", vm)?;
            [foreground, background].map(c_int::from)
        };
        Ok(vm.new_tuple(colors.map(|color| vm.new_int(color))))
    }

    /// Return the number of the color-pair set by the specified attribute value.
    ///
    /// color_pair() is the counterpart to this function.
    #[function("($module, attr, /)")]
    fn pair_number(attr: &Object, vm: &Vm) -> PyResult<i64> {
        with_colors(vm)?;
        let attributes = int(attr, vm)? as u32;
        Ok(i64::from((attributes & A_COLOR) >> 8))
    }

    /// Initializes eight basic colors and global variables COLORS and COLOR_PAIRS.
    ///
    /// Must be called if the programmer wants to use colors, and before any
    /// other color manipulation routine is called.  It is good practice to call
    /// this routine right after initscr().
    ///
    /// It also restores the colors on the terminal to the values they had when
    /// the terminal was just turned on.
    #[function("($module, /)")]
    fn start_color(vm: &Vm) -> PyResult<()> {
        let library = with_screen(vm)?;
        check(library.start_color(), "start_color", vm)?;
        HAS_COLORS.store(true, Ordering::Relaxed);
        // SAFETY: the variables are the library's.
        let (colors, pairs) = unsafe { (*library.COLORS(), *library.COLOR_PAIRS()) };
        set_in_module("COLORS", i64::from(colors), vm)?;
        set_in_module("COLOR_PAIRS", i64::from(pairs), vm)
    }

    /// Equivalent to assume_default_colors(-1, -1).
    #[function("($module, /)")]
    fn use_default_colors(vm: &Vm) -> PyResult<()> {
        let library = with_colors(vm)?;
        check(library.use_default_colors(), "use_default_colors", vm)
    }
}
