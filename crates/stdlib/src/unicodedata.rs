//! `unicodedata`: the Unicode character database, version 16.0, and 3.2 as `ucd_3_2_0`.

use taipan_unicode::{Database, Form};
use taipan_vm::args::ArgName;
use taipan_vm::builtins::str::StrData;
use taipan_vm::builtins::type_::ready::type_ready;
use taipan_vm::prelude::*;

/// Longer names are in no database.
const MAX_NAME: usize = 256;

/// A str of one character, surrogates included.
pub struct Character(u32);

impl FromArg<'_> for Character {
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let Some(text) = object.downcast_ref::<Str>() else {
            return Err(what.wrong_type("a unicode character", object, vm));
        };
        match (text.len(), text.char_at(0)) {
            (1, Some(code)) => Ok(Character(code)),
            (length, _) => Err(vm.type_error(format!(
                "{}(): {} must be a unicode character, not a string of length {length}",
                what.func,
                what.shown()
            ))),
        }
    }
}

/// The default that a lookup falls back to, or the error.
fn or_default(default: Option<&Object>, text: &str, vm: &Vm) -> PyResult {
    match default {
        Some(default) => Ok(default.to_ref()),
        None => Err(vm.value_error(text)),
    }
}

fn decimal(database: Database, chr: &Character, default: Option<&Object>, vm: &Vm) -> PyResult {
    match database.decimal(chr.0) {
        Some(value) => Ok(vm.new_int(value)),
        None => or_default(default, "not a decimal", vm),
    }
}

fn digit(database: Database, chr: &Character, default: Option<&Object>, vm: &Vm) -> PyResult {
    match database.digit(chr.0) {
        Some(value) => Ok(vm.new_int(value)),
        None => or_default(default, "not a digit", vm),
    }
}

fn numeric(database: Database, chr: &Character, default: Option<&Object>, vm: &Vm) -> PyResult {
    match database.numeric(chr.0) {
        Some(value) => Ok(vm.new_float(value)),
        None => or_default(default, "not a numeric character", vm),
    }
}

fn name(database: Database, chr: &Character, default: Option<&Object>, vm: &Vm) -> PyResult {
    let found = if database.is_assigned(chr.0) { taipan_unicode::name(chr.0) } else { None };
    match found {
        Some(name) => Ok(vm.new_str(&name).into_object()),
        None => or_default(default, "no such name", vm),
    }
}

fn lookup(database: Database, name: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
    let bytes: Vec<u8> = match name.downcast_ref::<Str>() {
        Some(text) => text.to_utf8(vm)?.as_bytes().to_vec(),
        None => BufferArg::from_object(name, vm)?.as_bytes().to_vec(),
    };
    let unknown = |text: String| Err(vm.key_error(vm.new_str(&text).as_object()));
    if bytes.len() > MAX_NAME {
        return unknown("name too long".to_owned());
    }
    let text = String::from_utf8_lossy(&bytes);
    let found = taipan_unicode::lookup(&text).filter(|codes| {
        // Version 3.2 knows neither later characters nor named sequences.
        database == Database::Current || matches!(codes.as_slice(), [code] if database.is_assigned(*code))
    });
    match found {
        Some(codes) => Ok(Str::from_code_points(&codes, vm)),
        None => unknown(format!("undefined character name '{text}'")),
    }
}

fn form_of(form: &Str, vm: &Vm) -> PyResult<Form> {
    Form::from_name(&form.to_string_lossy()).ok_or_else(|| vm.value_error("invalid normalization form"))
}

fn is_normalized(database: Database, form: &Str, text: &Str, vm: &Vm) -> PyResult<bool> {
    let form = form_of(form, vm)?;
    if text.is_ascii() {
        return Ok(true);
    }
    let codes: Vec<u32> = text.data().iter().collect();
    Ok(taipan_unicode::is_normalized(database, form, codes))
}

fn normalize(database: Database, form: &Str, text: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
    let form = form_of(form, vm)?;
    if text.is_empty() || text.is_ascii() {
        return text.to_exact(vm);
    }
    // Latin-1 is composed already, and decomposes only in part.
    if form == Form::Nfc && matches!(text.data(), StrData::Ucs1(_)) {
        return text.to_exact(vm);
    }
    let codes = taipan_unicode::normalize(database, form, text.data().iter());
    Str::try_from_code_points(&codes, vm)
}

/// The layout of `unicodedata.UCD`: an earlier version of the database.
#[repr(C)]
pub struct Ucd {
    ob: Object,
    database: Database,
}

#[pytype(name = "unicodedata.UCD", no_new)]
impl Ucd {
    #[getter]
    fn unidata_version(&self) -> &'static str {
        self.database.version()
    }

    /// Converts a Unicode character into its equivalent decimal value.
    ///
    /// Returns the decimal value assigned to the character chr as integer.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[method("($self, chr, default=<unrepresentable>, /)")]
    fn decimal(&self, chr: Character, default: Option<&Object>, vm: &Vm) -> PyResult {
        decimal(self.database, &chr, default, vm)
    }

    /// Converts a Unicode character into its equivalent digit value.
    ///
    /// Returns the digit value assigned to the character chr as integer.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[method("($self, chr, default=<unrepresentable>, /)")]
    fn digit(&self, chr: Character, default: Option<&Object>, vm: &Vm) -> PyResult {
        digit(self.database, &chr, default, vm)
    }

    /// Converts a Unicode character into its equivalent numeric value.
    ///
    /// Returns the numeric value assigned to the character chr as float.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[method("($self, chr, default=<unrepresentable>, /)")]
    fn numeric(&self, chr: Character, default: Option<&Object>, vm: &Vm) -> PyResult {
        numeric(self.database, &chr, default, vm)
    }

    /// Returns the name assigned to the character chr as a string.
    ///
    /// If no name is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[method("($self, chr, default=<unrepresentable>, /)")]
    fn name(&self, chr: Character, default: Option<&Object>, vm: &Vm) -> PyResult {
        name(self.database, &chr, default, vm)
    }

    /// Returns the general category assigned to the character chr as string.
    #[method("($self, chr, /)")]
    fn category(&self, chr: Character) -> &'static str {
        self.database.category(chr.0)
    }

    /// Returns the bidirectional class assigned to the character chr as string.
    ///
    /// If no such value is defined, an empty string is returned.
    #[method("($self, chr, /)")]
    fn bidirectional(&self, chr: Character) -> &'static str {
        self.database.bidirectional(chr.0)
    }

    /// Returns the east asian width assigned to the character chr as string.
    #[method("($self, chr, /)")]
    fn east_asian_width(&self, chr: Character) -> &'static str {
        self.database.east_asian_width(chr.0)
    }

    /// Returns the canonical combining class assigned to the character chr as integer.
    ///
    /// Returns 0 if no combining class is defined.
    #[method("($self, chr, /)")]
    fn combining(&self, chr: Character) -> u8 {
        self.database.combining(chr.0)
    }

    /// Returns the mirrored property assigned to the character chr as integer.
    ///
    /// Returns 1 if the character has been identified as a "mirrored"
    /// character in bidirectional text, 0 otherwise.
    #[method("($self, chr, /)")]
    fn mirrored(&self, chr: Character) -> i32 {
        i32::from(self.database.mirrored(chr.0))
    }

    /// Returns the character decomposition mapping assigned to the character chr as string.
    ///
    /// An empty string is returned in case no such mapping is defined.
    #[method("($self, chr, /)")]
    fn decomposition(&self, chr: Character) -> String {
        self.database.decomposition(chr.0)
    }

    /// Look up character by name.
    ///
    /// If a character with the given name is found, return the
    /// corresponding character.  If not found, KeyError is raised.
    #[method("($self, name, /)")]
    fn lookup(&self, name: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        lookup(self.database, name, vm)
    }

    /// Return whether the Unicode string unistr is in the normal form 'form'.
    ///
    /// Valid values for form are 'NFC', 'NFKC', 'NFD', and 'NFKD'.
    #[method("($self, form, unistr, /)")]
    fn is_normalized(&self, form: &Str, unistr: &Str, vm: &Vm) -> PyResult<bool> {
        is_normalized(self.database, form, unistr, vm)
    }

    /// Return the normal form 'form' for the Unicode string unistr.
    ///
    /// Valid values for form are 'NFC', 'NFKC', 'NFD', and 'NFKD'.
    #[method("($self, form, unistr, /)")]
    fn normalize(&self, form: &Str, unistr: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        normalize(self.database, form, unistr, vm)
    }
}

/// The module.
pub struct UnicodeData;

/// This module provides access to the Unicode Character Database which
/// defines character properties for all Unicode characters. The data in
/// this database is based on the UnicodeData.txt file version
/// 16.0.0 which is publicly available from ftp://ftp.unicode.org/.
///
/// The module uses the same names and symbols as defined by the
/// UnicodeData File Format 16.0.0.
#[pymodule(name = "unicodedata")]
impl UnicodeData {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        type_ready(Ucd::type_object(), vm)?;
        module.set("UCD", Ucd::type_object().as_object(), vm)?;
        let old = vm.new_object(Ucd { ob: Object::new(Ucd::type_object()), database: Database::Old });
        module.set("ucd_3_2_0", old.as_object(), vm)
    }

    #[constant("unidata_version")]
    fn unidata_version() -> &'static str {
        Database::Current.version()
    }

    /// Converts a Unicode character into its equivalent decimal value.
    ///
    /// Returns the decimal value assigned to the character chr as integer.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[function("($self, chr, default=<unrepresentable>, /)")]
    fn decimal(chr: Character, default: Option<&Object>, vm: &Vm) -> PyResult {
        decimal(Database::Current, &chr, default, vm)
    }

    /// Converts a Unicode character into its equivalent digit value.
    ///
    /// Returns the digit value assigned to the character chr as integer.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[function("($self, chr, default=<unrepresentable>, /)")]
    fn digit(chr: Character, default: Option<&Object>, vm: &Vm) -> PyResult {
        digit(Database::Current, &chr, default, vm)
    }

    /// Converts a Unicode character into its equivalent numeric value.
    ///
    /// Returns the numeric value assigned to the character chr as float.
    /// If no such value is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[function("($self, chr, default=<unrepresentable>, /)")]
    fn numeric(chr: Character, default: Option<&Object>, vm: &Vm) -> PyResult {
        numeric(Database::Current, &chr, default, vm)
    }

    /// Returns the name assigned to the character chr as a string.
    ///
    /// If no name is defined, default is returned, or, if not given,
    /// ValueError is raised.
    #[function("($self, chr, default=<unrepresentable>, /)")]
    fn name(chr: Character, default: Option<&Object>, vm: &Vm) -> PyResult {
        name(Database::Current, &chr, default, vm)
    }

    /// Returns the general category assigned to the character chr as string.
    #[function("($self, chr, /)")]
    fn category(chr: Character) -> &'static str {
        Database::Current.category(chr.0)
    }

    /// Returns the bidirectional class assigned to the character chr as string.
    ///
    /// If no such value is defined, an empty string is returned.
    #[function("($self, chr, /)")]
    fn bidirectional(chr: Character) -> &'static str {
        Database::Current.bidirectional(chr.0)
    }

    /// Returns the east asian width assigned to the character chr as string.
    #[function("($self, chr, /)")]
    fn east_asian_width(chr: Character) -> &'static str {
        Database::Current.east_asian_width(chr.0)
    }

    /// Returns the canonical combining class assigned to the character chr as integer.
    ///
    /// Returns 0 if no combining class is defined.
    #[function("($self, chr, /)")]
    fn combining(chr: Character) -> u8 {
        Database::Current.combining(chr.0)
    }

    /// Returns the mirrored property assigned to the character chr as integer.
    ///
    /// Returns 1 if the character has been identified as a "mirrored"
    /// character in bidirectional text, 0 otherwise.
    #[function("($self, chr, /)")]
    fn mirrored(chr: Character) -> i32 {
        i32::from(Database::Current.mirrored(chr.0))
    }

    /// Returns the character decomposition mapping assigned to the character chr as string.
    ///
    /// An empty string is returned in case no such mapping is defined.
    #[function("($self, chr, /)")]
    fn decomposition(chr: Character) -> String {
        Database::Current.decomposition(chr.0)
    }

    /// Look up character by name.
    ///
    /// If a character with the given name is found, return the
    /// corresponding character.  If not found, KeyError is raised.
    #[function("($self, name, /)")]
    fn lookup(name: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        lookup(Database::Current, name, vm)
    }

    /// Return whether the Unicode string unistr is in the normal form 'form'.
    ///
    /// Valid values for form are 'NFC', 'NFKC', 'NFD', and 'NFKD'.
    #[function("($self, form, unistr, /)")]
    fn is_normalized(form: &Str, unistr: &Str, vm: &Vm) -> PyResult<bool> {
        is_normalized(Database::Current, form, unistr, vm)
    }

    /// Return the normal form 'form' for the Unicode string unistr.
    ///
    /// Valid values for form are 'NFC', 'NFKC', 'NFD', and 'NFKD'.
    #[function("($self, form, unistr, /)")]
    fn normalize(form: &Str, unistr: &Str, vm: &Vm) -> PyResult<Ref<Str>> {
        normalize(Database::Current, form, unistr, vm)
    }
}
