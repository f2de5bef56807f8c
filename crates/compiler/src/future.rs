//! `from __future__ import …`: which features are on, and where such statements may stand.

use taipan_bytecode::code::flags;
use taipan_parser::ast::{ExprKind, Mod, StmtKind};

use crate::{SyntaxError, constants};

/// The bits `FUTURE_*` that a module's future statements set. (That they stand first is checked when they are compiled.)
pub fn features(module: &Mod<'_>) -> Result<u32, SyntaxError> {
    let (Mod::Module { body, .. } | Mod::Interactive { body }) = *module else { return Ok(0) };
    let mut bits = 0;
    let rest = if constants::docstring(body).is_some() { body.get(1..).unwrap_or(&[]) } else { body };
    for stmt in rest {
        let StmtKind::ImportFrom { module: Some("__future__"), names, level: 0 } = stmt.kind else { break };
        for alias in names {
            bits |= match alias.name {
                "annotations" => flags::FUTURE_ANNOTATIONS,
                "barry_as_FLUFL" => flags::FUTURE_BARRY_AS_BDFL,
                "nested_scopes" | "generators" | "division" | "absolute_import" | "with_statement"
                | "print_function" | "unicode_literals" | "generator_stop" => 0,
                "braces" => return Err(SyntaxError::new("not a chance".into(), alias.range)),
                name => {
                    return Err(SyntaxError::new(
                        format!("future feature {name} is not defined"),
                        alias.range,
                    ));
                }
            };
        }
    }
    Ok(bits)
}

/// Line and column where the last future statement at the head of a module ends, zeros without one.
pub fn last_place(module: &Mod<'_>) -> (u32, u32) {
    let (Mod::Module { body, .. } | Mod::Interactive { body }) = *module else { return (0, 0) };
    let is_string = |kind: &StmtKind<'_>| match kind {
        StmtKind::Expr { value } => {
            matches!(value.kind, ExprKind::Constant(taipan_parser::ast::Constant::Str { .. }))
        }
        _ => false,
    };
    let start = usize::from(body.first().is_some_and(|stmt| is_string(&stmt.kind)));
    body.iter()
        .skip(start)
        .take_while(|s| matches!(s.kind, StmtKind::ImportFrom { module: Some("__future__"), level: 0, .. }))
        .last()
        .map_or((0, 0), |stmt| (stmt.range.end_line, stmt.range.end_col))
}
