//! What is done to the tree before it is compiled: warnings about `finally` (PEP 765) and `'…' % (…)` as an f-string.

use taipan_parser::ast::{Arena, Body, Constant, Expr, ExprKind, Mod, Range, Stmt, StmtKind, Wtf8};

use crate::{MAX_DEPTH, SyntaxError, Warning};

/// Warns of `return`, `break` and `continue` that leave a `finally` block.
pub fn control_flow_in_finally(module: &Mod<'_>, warnings: &mut Vec<Warning>) -> Result<(), SyntaxError> {
    if let Mod::Module { body, .. } | Mod::Interactive { body } = *module {
        walk(body, Context::default(), warnings, 0)?;
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Context {
    in_finally: bool,
    in_loop: bool,
    in_function: bool,
}

fn walk(
    body: Body<'_>,
    context: Context,
    warnings: &mut Vec<Warning>,
    depth: usize,
) -> Result<(), SyntaxError> {
    if depth > MAX_DEPTH {
        return Err(SyntaxError::recursion("during compilation"));
    }
    body.iter().try_for_each(|stmt| walk_stmt(stmt, context, warnings, depth + 1))
}

fn walk_stmt(
    stmt: &Stmt<'_>,
    context: Context,
    warnings: &mut Vec<Warning>,
    depth: usize,
) -> Result<(), SyntaxError> {
    let mut warn = |word: &str, range: Range| {
        warnings.push(Warning { message: format!("'{word}' in a 'finally' block"), range });
    };
    let looping = Context { in_loop: true, ..context };
    match stmt.kind {
        StmtKind::Return { .. } if context.in_finally && context.in_function => warn("return", stmt.range),
        StmtKind::Break if context.in_finally && !context.in_loop => warn("break", stmt.range),
        StmtKind::Continue if context.in_finally && !context.in_loop => warn("continue", stmt.range),
        StmtKind::FunctionDef(node) | StmtKind::AsyncFunctionDef(node) => {
            walk(node.body, Context { in_function: true, ..Context::default() }, warnings, depth)?;
        }
        StmtKind::ClassDef(node) => walk(node.body, Context::default(), warnings, depth)?,
        StmtKind::For(node) | StmtKind::AsyncFor(node) => {
            walk(node.body, looping, warnings, depth)?;
            walk(node.orelse, context, warnings, depth)?;
        }
        StmtKind::While { body, orelse, .. } => {
            walk(body, looping, warnings, depth)?;
            walk(orelse, context, warnings, depth)?;
        }
        StmtKind::If { body, orelse, .. } => {
            walk(body, context, warnings, depth)?;
            walk(orelse, context, warnings, depth)?;
        }
        StmtKind::With(node) | StmtKind::AsyncWith(node) => walk(node.body, context, warnings, depth)?,
        StmtKind::Match { cases, .. } => {
            cases.iter().try_for_each(|case| walk(case.body, context, warnings, depth))?;
        }
        StmtKind::Try(node) | StmtKind::TryStar(node) => {
            walk(node.body, context, warnings, depth)?;
            node.handlers.iter().try_for_each(|handler| walk(handler.body, context, warnings, depth))?;
            walk(node.orelse, context, warnings, depth)?;
            let inside = Context { in_finally: true, in_loop: false, ..context };
            walk(node.finalbody, inside, warnings, depth)?;
        }
        _ => {}
    }
    Ok(())
}

/// `'…%s…' % (a, …)` as the values of an f-string, when it means the same.
pub fn format_to_fstring<'a>(
    arena: &'a Arena,
    left: &'a Expr<'a>,
    right: &'a Expr<'a>,
) -> Option<&'a [&'a Expr<'a>]> {
    let ExprKind::Constant(Constant::Str { value: format, .. }) = left.kind else { return None };
    let ExprKind::Tuple { elts, .. } = right.kind else { return None };
    if elts.iter().any(|e| matches!(e.kind, ExprKind::Starred { .. })) {
        return None;
    }
    let format = format.as_bytes();
    let mut values: Vec<&'a Expr<'a>> = Vec::new();
    let mut arguments = elts.iter();
    let mut at = 0;
    loop {
        let (text, next) = literal(format, at)?;
        at = next;
        if !text.is_empty() {
            let value = Wtf8::from_bytes(arena.alloc_slice_copy(&text));
            values.push(arena.alloc(Expr {
                range: Range::default(),
                kind: ExprKind::Constant(Constant::Str { value, u: false }),
            }));
        }
        if at >= format.len() {
            break;
        }
        at += 1;
        values.push(directive(arena, format, &mut at, arguments.next()?)?);
    }
    arguments.next().is_none().then(|| &*arena.alloc_slice_copy(&values))
}

/// The text up to the next directive, `%%` resolved.
fn literal(format: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let mut text = Vec::new();
    while let Some(&byte) = format.get(at) {
        if byte == b'%' {
            match format.get(at + 1) {
                Some(b'%') => at += 1,
                _ => break,
            }
        }
        text.push(byte);
        at += 1;
    }
    Some((text, at))
}

/// A directive `%-10.3s` (only `s`, `r`, `a`) as a formatted value.
fn directive<'a>(
    arena: &'a Arena,
    format: &[u8],
    at: &mut usize,
    argument: &'a Expr<'a>,
) -> Option<&'a Expr<'a>> {
    let mut left = false;
    while let Some(byte) = format.get(*at) {
        match byte {
            b'-' => left = true,
            b'+' | b' ' | b'#' | b'0' => return None,
            _ => break,
        }
        *at += 1;
    }
    let number = |at: &mut usize| -> Option<Option<String>> {
        let start = *at;
        let mut value = 0u32;
        while let Some(digit) = format.get(*at).filter(|byte| byte.is_ascii_digit()) {
            value = value * 10 + u32::from(digit - b'0');
            *at += 1;
            if *at - start > 2 {
                return None;
            }
        }
        Some((*at > start).then(|| value.to_string()))
    };
    let width = number(at)?;
    let mut precision = None;
    if format.get(*at) == Some(&b'.') {
        *at += 1;
        precision = Some(number(at)?.unwrap_or_else(|| "0".into()));
    }
    let conversion = *format.get(*at)?;
    *at += 1;
    if !matches!(conversion, b's' | b'r' | b'a') {
        return None;
    }
    let range = argument.range;
    let mut spec = String::new();
    if let Some(width) = &width {
        if !left {
            spec.push('>');
        }
        spec.push_str(width);
    }
    if let Some(precision) = &precision {
        spec.push('.');
        spec.push_str(precision);
    }
    let format_spec = (!spec.is_empty()).then(|| {
        let value = Wtf8::from(&*arena.alloc_str(&spec));
        let text: &Expr<'_> = arena.alloc(Expr {
            range: Range::default(),
            kind: ExprKind::Constant(Constant::Str { value, u: false }),
        });
        let values = arena.alloc_slice_copy(&[text]);
        &*arena.alloc(Expr { range, kind: ExprKind::JoinedStr { values } })
    });
    let kind = ExprKind::FormattedValue { value: argument, conversion: i32::from(conversion), format_spec };
    Some(arena.alloc(Expr { range, kind }))
}
