//! What `compile` demands of the patterns in trees that programs build.

use taipan_parser::ast::{Constant, Expr, ExprKind, Operator, Pattern, PatternKind, UnaryOp};

type Checked = Result<(), &'static str>;

/// Checks a pattern and all in it. `star` tells whether it may be a starred one. The error is the message of a ValueError.
pub fn check(pattern: &Pattern<'_>, star: bool) -> Checked {
    match &pattern.kind {
        PatternKind::MatchValue { value } => literal(value),
        PatternKind::MatchSingleton { value } => match value {
            Constant::None | Constant::True | Constant::False => Ok(()),
            _ => Err("MatchSingleton can only contain True, False and None"),
        },
        PatternKind::MatchSequence { patterns } => all(patterns, true),
        PatternKind::MatchMapping { keys, patterns, rest } => {
            if keys.len() != patterns.len() {
                return Err("MatchMapping doesn't have the same number of keys as patterns");
            }
            rest.map_or(Ok(()), capture)?;
            keys.iter().try_for_each(|key| match key.kind {
                ExprKind::Constant(Constant::None | Constant::True | Constant::False) => Ok(()),
                _ => literal(key),
            })?;
            all(patterns, false)
        }
        PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
            if kwd_attrs.len() != kwd_patterns.len() {
                return Err("MatchClass doesn't have the same number of keyword attributes as patterns");
            }
            let mut at = *cls;
            while let ExprKind::Attribute { value, .. } = at.kind {
                at = value;
            }
            if !matches!(at.kind, ExprKind::Name { .. }) {
                return Err("MatchClass cls field can only contain Name or Attribute nodes.");
            }
            all(patterns, false)?;
            all(kwd_patterns, false)
        }
        PatternKind::MatchStar { .. } if !star => Err("can't use MatchStar here"),
        PatternKind::MatchStar { name } => name.map_or(Ok(()), capture),
        PatternKind::MatchAs { pattern, name } => {
            name.map_or(Ok(()), capture)?;
            match pattern {
                None => Ok(()),
                Some(_) if name.is_none() => Err("MatchAs must specify a target name if a pattern is given"),
                Some(pattern) => check(pattern, false),
            }
        }
        PatternKind::MatchOr { patterns } if patterns.len() < 2 => {
            Err("MatchOr requires at least 2 patterns")
        }
        PatternKind::MatchOr { patterns } => all(patterns, false),
    }
}

fn all(patterns: &[&Pattern<'_>], star: bool) -> Checked {
    patterns.iter().try_for_each(|pattern| check(pattern, star))
}

fn capture(name: &str) -> Checked {
    if name == "_" { Err("can't capture name '_' in patterns") } else { Ok(()) }
}

fn literal(value: &Expr<'_>) -> Checked {
    let allowed = match value.kind {
        ExprKind::Constant(
            Constant::Int(_)
            | Constant::Float(_)
            | Constant::Complex { .. }
            | Constant::Str { .. }
            | Constant::Bytes(_),
        )
        | ExprKind::Attribute { .. }
        | ExprKind::JoinedStr { .. }
        | ExprKind::TemplateStr { .. } => true,
        ExprKind::Constant(_) => return Err("unexpected constant inside of a literal pattern"),
        ExprKind::UnaryOp { .. } => is_negative(value, true),
        ExprKind::BinOp { left, op: Operator::Add | Operator::Sub, right } => {
            (is_number(left, true, false) || is_negative(left, false)) && is_number(right, false, true)
        }
        _ => false,
    };
    if allowed { Ok(()) } else { Err("patterns may only match literals and attribute lookups") }
}

fn is_number(value: &Expr<'_>, real: bool, imaginary: bool) -> bool {
    match value.kind {
        ExprKind::Constant(Constant::Int(_) | Constant::Float(_)) => real,
        ExprKind::Constant(Constant::Complex { .. }) => imaginary,
        _ => false,
    }
}

fn is_negative(value: &Expr<'_>, imaginary: bool) -> bool {
    match value.kind {
        ExprKind::UnaryOp { op: UnaryOp::USub, operand } => is_number(operand, true, imaginary),
        _ => false,
    }
}
