//! `_sre`: the engine under `re`. The library's `re._compiler` makes code words of a pattern; `program` turns them into
//! instructions and `machine` runs those, once for each width of a character.

mod charset;
mod lead;
mod machine;
mod match_;
mod pattern;
mod program;
mod scanner;
mod subject;
mod template;

use taipan_vm::prelude::*;

use charset::Fold;
use pattern::Pattern;
use template::Template;

/// The module.
pub struct Sre;

fn is_cased(code: u32) -> bool {
    taipan_unicode::simple_lower(code) != code || taipan_unicode::simple_upper(code) != code
}

#[pymodule(name = "_sre")]
impl Sre {
    #[function("($module, /, pattern, flags, code, groups, groupindex,\n        indexgroup)")]
    fn compile(
        pattern: &Object,
        flags: i32,
        code: &List,
        groups: isize,
        groupindex: &Dict,
        indexgroup: &Tuple,
        vm: &Vm,
    ) -> PyResult<Ref<Pattern>> {
        let mut words = Vec::with_capacity(code.len());
        for word in code.to_vec() {
            let Some(word) = word.downcast_ref::<Int>() else {
                return Err(vm.type_error("an integer is required"));
            };
            if word.is_negative() {
                return Err(vm.overflow_error("can't convert negative value to unsigned int"));
            }
            let word = word.to_u64().and_then(|word| u32::try_from(word).ok());
            words.push(word.ok_or_else(|| vm.overflow_error("regular expression code size limit exceeded"))?);
        }
        let bad = |_| vm.runtime_error("invalid SRE code");
        let groups = usize::try_from(groups).map_err(|_| vm.runtime_error("invalid SRE code"))?;
        let program = program::translate(&words, groups).map_err(bad)?;
        Ok(Pattern::make(pattern, flags, words, program, groups, groupindex, indexgroup, vm))
    }

    ///
    ///
    ///   template
    ///     A list containing interleaved literal strings (str or bytes) and group
    ///     indices (int), as returned by re._parser.parse_template():
    ///         [literal1, group1, ..., literalN, groupN]
    #[function("($module, pattern, template, /)")]
    fn template(_pattern: &Object, template: &List, vm: &Vm) -> PyResult<Ref<Template>> {
        Template::make(template, vm)
    }

    #[function("($module, /)")]
    fn getcodesize() -> usize {
        4
    }

    #[function("($module, character, /)")]
    fn ascii_iscased(character: u32) -> bool {
        character < 128 && (character as u8).is_ascii_alphabetic()
    }

    #[function("($module, character, /)")]
    fn unicode_iscased(character: u32) -> bool {
        is_cased(character)
    }

    #[function("($module, character, /)")]
    fn ascii_tolower(character: u32) -> u32 {
        Fold::Ascii.apply(character)
    }

    #[function("($module, character, /)")]
    fn unicode_tolower(character: u32) -> u32 {
        Fold::Unicode.apply(character)
    }

    #[constant("copyright")]
    fn copyright() -> &'static str {
        " SRE 2.2.2 Copyright (c) 1997-2002 by Secret Labs AB "
    }

    #[constant("MAGIC")]
    fn magic() -> u32 {
        program::MAGIC
    }

    #[constant("CODESIZE")]
    fn code_size() -> usize {
        4
    }

    #[constant("MAXREPEAT")]
    fn max_repeat() -> u32 {
        program::MAXREPEAT
    }

    #[constant("MAXGROUPS")]
    fn max_groups() -> u32 {
        program::MAXGROUPS
    }
}
