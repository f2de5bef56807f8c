//! The public interface: trees, errors, warnings, limits. The differential scripts in `tests/frontend` do the rest.

use taipan_parser::ast::{Arena, Constant, ExprKind, IntConst, Mod, StmtKind};
use taipan_parser::{ErrorKind, Mode, ParseOptions, SyntaxError, parse};

fn error(source: &str, options: &ParseOptions<'_>) -> SyntaxError {
    let arena = Arena::new();
    parse(source.as_bytes(), options, &arena).expect_err("the source is wrong")
}

fn message(source: &str) -> String {
    error(source, &ParseOptions::default()).message
}

#[test]
fn big_integers_are_30_bit_digits() {
    let arena = Arena::new();
    let parsed = parse(b"36893488147419103233", &ParseOptions::default(), &arena).unwrap();
    let Mod::Module { body: [stmt], .. } = parsed.module else { panic!() };
    let StmtKind::Expr { value } = stmt.kind else { panic!() };
    let digits = &[1, 0, 32][..];
    assert!(matches!(
        value.kind,
        ExprKind::Constant(Constant::Int(IntConst::Big { negative: false, digits: found })) if found == digits
    ));
}

#[test]
fn messages() {
    assert_eq!(message("if x\n  pass\n"), "expected ':'");
    assert_eq!(message("x = [a b]"), "invalid syntax. Perhaps you forgot a comma?");
    assert_eq!(
        message("f() = 1"),
        "cannot assign to function call here. Maybe you meant '==' instead of '='?"
    );
    assert_eq!(message("print x"), "Missing parentheses in call to 'print'. Did you mean print(...)?");
    assert_eq!(message("f(**a, *b)"), "iterable argument unpacking follows keyword argument unpacking");
    assert_eq!(message("x = (1,\n"), "'(' was never closed");
    assert_eq!(message("f'{}'"), "f-string: valid expression required before '}'");
}

#[test]
fn positions_count_characters() {
    let found = error("é = ü ü\n", &ParseOptions::default());
    assert_eq!((found.line, found.offset, found.end_offset), (1, 7, 8));
    assert_eq!(found.text.as_deref(), Some("é = ü ü\n"));
}

#[test]
fn incomplete_input() {
    let options =
        ParseOptions { mode: Mode::Single, allow_incomplete_input: true, ..ParseOptions::default() };
    assert_eq!(error("def f():\n", &options).kind, ErrorKind::IncompleteInput);
    assert_eq!(error("a b\n", &options).kind, ErrorKind::Syntax);
}

#[test]
fn nesting_is_bounded() {
    for unit in ["-", "not ", "lambda: ", "1 if x else ", "1 ** "] {
        let source = unit.repeat(100_000) + "1";
        assert_eq!(error(&source, &ParseOptions::default()).kind, ErrorKind::Memory, "{unit}");
        let _ = error(&unit.repeat(2_000), &ParseOptions::default());
    }
    assert_eq!(message(&"(".repeat(1000)), "too many nested parentheses");
}

#[test]
fn warnings_are_collected() {
    let arena = Arena::new();
    let parsed = parse(b"x = '\\d'\n", &ParseOptions::default(), &arena).unwrap();
    let [warning] = &parsed.warnings[..] else { panic!() };
    assert!(warning.message.starts_with("\"\\d\" is an invalid escape sequence."));
}
