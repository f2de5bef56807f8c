//! The actions of the grammar that a message template can't express.

use super::{Diagnosis, Match, Node, Val, Values};
use crate::ast::{Arena, Constant};
use crate::error::ErrorKind;
use crate::parser::literal::escape_warning;
use crate::string::{self, Prefix};
use crate::token::Tok;

/// Which targets are looked for.
#[derive(Clone, Copy, PartialEq)]
enum Targets {
    Star,
    Del,
    For,
}

impl<'n> Diagnosis<'n, '_> {
    /// What CPython calls an expression in its messages.
    pub(super) fn expression_name(&self, value: Val<'n>) -> &'static str {
        let node = match value {
            Val::Nothing => return "expression",
            Val::Token(index) => {
                return match self.tokens[index as usize].kind {
                    Tok::Name => "name",
                    Tok::True => "True",
                    Tok::False => "False",
                    Tok::None => "None",
                    Tok::Ellipsis => "ellipsis",
                    _ => "literal",
                };
            }
            Val::Node(node) => node,
        };
        match node.tag {
            "Attribute" => "attribute",
            "Subscript" => "subscript",
            "Starred" => "starred",
            "List" => "list",
            "Tuple" => "tuple",
            "Lambda" => "lambda",
            "Call" => "function call",
            "GeneratorExp" => "generator expression",
            "Yield" => "yield expression",
            "Await" => "await expression",
            "ListComp" => "list comprehension",
            "SetComp" => "set comprehension",
            "DictComp" => "dict comprehension",
            "Dict" => "dict literal",
            "Set" => "set display",
            "JoinedStr" => "f-string expression",
            "TemplateStr" => "t-string expression",
            "Constant" => "literal",
            "Compare" => "comparison",
            "IfExp" => "conditional expression",
            "NamedExpr" => "named expression",
            "" => match node.items {
                [value] => self.expression_name(*value),
                _ => "expression",
            },
            _ => "expression",
        }
    }

    /// The expressions directly inside a value: tagged nodes, and tokens that are expressions.
    fn expressions(&self, value: Val<'n>, out: &mut Vec<Val<'n>>) {
        match value {
            Val::Nothing => {}
            Val::Token(index) => {
                use Tok::*;
                let kind = self.tokens[index as usize].kind;
                if matches!(kind, Name | Number | String | True | False | None | Ellipsis) {
                    out.push(value);
                }
            }
            Val::Node(node) if node.tag.is_empty() => {
                for &item in node.items {
                    self.expressions(item, out);
                }
            }
            Val::Node(_) => out.push(value),
        }
    }

    fn children(&self, node: &Node<'n>) -> Vec<Val<'n>> {
        let mut out = Vec::new();
        for &item in node.items {
            self.expressions(item, &mut out);
        }
        out
    }

    fn invalid_target(&self, value: Val<'n>, targets: Targets) -> Option<Val<'n>> {
        let node = match value {
            Val::Nothing => return None,
            Val::Token(index) => {
                return if self.tokens[index as usize].kind == Tok::Name { None } else { Some(value) };
            }
            Val::Node(node) => node,
        };
        match node.tag {
            "List" | "Tuple" => {
                self.children(node).into_iter().find_map(|child| self.invalid_target(child, targets))
            }
            "Starred" if targets == Targets::Del => Some(value),
            "Starred" => self.children(node).first().and_then(|&child| self.invalid_target(child, targets)),
            "Compare" if targets == Targets::For => {
                // `a in b` after `for` is read as a comparison; its left side is the target.
                let first_is_in = matches!(node.items, [_, Val::Node(pairs)]
                    if self.tokens[pairs.start as usize].kind == Tok::In);
                let left = self.children(node).first().copied();
                if first_is_in { left.and_then(|left| self.invalid_target(left, targets)) } else { None }
            }
            "Attribute" | "Subscript" => None,
            "" => match node.items {
                [inner] => self.invalid_target(*inner, targets),
                _ => Some(value),
            },
            _ => Some(value),
        }
    }

    fn raise_target(&mut self, value: Val<'n>, targets: Targets) -> Match<'n> {
        let Some(bad) = self.invalid_target(value, targets) else { return Ok(None) };
        let verb = if targets == Targets::Del { "delete" } else { "assign to" };
        let message = format!("cannot {verb} {}", self.expression_name(bad));
        Err(self.raise_range(self.range(bad), message))
    }

    fn token_text(&self, value: Val<'n>) -> &[u8] {
        match value {
            Val::Token(index) => self.text(self.tokens[index as usize]),
            _ => &[],
        }
    }

    /// Brackets that are open behind the token of this number.
    fn level_behind(&self, index: u32) -> i32 {
        self.tokens[..=index as usize].iter().fold(0, |level, token| match token.kind {
            Tok::LPar | Tok::LSqb | Tok::LBrace => level + 1,
            Tok::RPar | Tok::RSqb | Tok::RBrace => level - 1,
            _ => level,
        })
    }

    /// The last of the `for` clauses that `value` holds.
    fn last_clause(&self, value: Val<'n>) -> Val<'n> {
        match value {
            Val::Node(node) => node.items.last().copied().unwrap_or(value),
            _ => value,
        }
    }

    fn is_constant(&self, value: Val<'n>, wanted: impl Fn(&Constant<'_>) -> bool) -> bool {
        let arena = Arena::new();
        crate::number::value(self.token_text(value), 0, &arena).is_ok_and(|constant| wanted(&constant))
    }

    pub(super) fn call(&mut self, name: &str, start: u32, values: &Values<'n>) -> Match<'n> {
        let (a, b) = (values.named(b'a'), values.named(b'b'));
        match name {
            "number" => self.number(a),
            "string" => self.string(a),
            "middle" => self.middle(a),
            "formatted" => {
                // Only once the whole string has been read are its pieces decoded.
                if let Val::Node(list) = a {
                    for &item in list.items {
                        if let Val::Token(_) = item {
                            self.middle(item)?;
                        }
                    }
                }
                Ok(Some(self.node("JoinedStr", start, &[a])))
            }
            "old_inequality" => {
                let (first, second) = (self.range(a), self.range(b));
                if first.end_line != second.line || first.end_col != second.col {
                    return Ok(None);
                }
                let message = "invalid syntax.  Maybe you meant '!=' instead of '<>'?";
                Err(self.raise_range(first.to(second), message.into()))
            }
            "strings" => self.strings(start, a),
            "mixed_templates" => {
                let range = self.range(self.last_clause(a)).to(self.range(b));
                let message = "cannot mix t-string literals with string or bytes literals";
                Err(self.raise_range(range, message.into()))
            }
            "conversion" => self.conversion(a, b),
            "not_equal" => {
                let old = self.token_text(a) == b"<>";
                if self.barry_as_flufl && !old {
                    let message = "with Barry as BDFL, use '<>' instead of '!='";
                    return Err(self.raise_last(message.into()));
                }
                Ok(Some(a))
            }
            "real_number" => {
                if self.is_constant(a, |value| matches!(value, Constant::Complex { .. })) {
                    let message = "real number required in complex literal";
                    return Err(self.raise_range(self.range(a), message.into()));
                }
                Ok(Some(a))
            }
            "imaginary_number" => {
                if !self.is_constant(a, |value| matches!(value, Constant::Complex { .. })) {
                    let message = "imaginary number required in complex literal";
                    return Err(self.raise_range(self.range(a), message.into()));
                }
                Ok(Some(a))
            }
            "legacy" => {
                if !self.is_legacy(a) {
                    return Ok(None);
                }
                let name = String::from_utf8_lossy(self.token_text(a)).into_owned();
                let message = format!("Missing parentheses in call to '{name}'. Did you mean {name}(...)?");
                Err(self.raise_range(self.range(a).to(self.range(b)), message))
            }
            "forgotten_comma" => {
                if self.is_legacy(a) || self.level_behind(self.pos - 1) == 0 {
                    return Ok(None);
                }
                let message = "invalid syntax. Perhaps you forgot a comma?";
                Err(self.raise_range(self.range(a).to(self.range(b)), message.into()))
            }
            "assign_target" => self.raise_target(a, Targets::Star),
            "delete_target" => self.raise_target(a, Targets::Del),
            "for_target" => self.raise_target(a, Targets::For),
            "unparenthesized_generator" => {
                let range = self.range(a).to(self.range(self.last_clause(b)));
                Err(self.raise_range(range, "Generator expression must be parenthesized".into()))
            }
            "generator_in_call" => {
                let Val::Node(args) = a else { return Ok(None) };
                let children = self.children(args);
                if children.len() <= 1 {
                    return Ok(None);
                }
                let last = children.last().copied().unwrap_or(a);
                let range = self.range(last).to(self.range(self.last_clause(b)));
                Err(self.raise_range(range, "Generator expression must be parenthesized".into()))
            }
            "positional_follows" => {
                let Val::Node(args) = a else { return Ok(None) };
                let unpacking = self
                    .children(args)
                    .iter()
                    .any(|child| matches!(child, Val::Node(node) if node.tag == "DoubleStarred"));
                let tail = if unpacking { " unpacking" } else { "" };
                Err(self.raise_last(format!("positional argument follows keyword argument{tail}")))
            }
            "comprehension_target" => {
                let mut all = Vec::new();
                self.expressions(b, &mut all);
                let range = self.range(a).to(self.range(all.last().copied().unwrap_or(b)));
                let message = "did you forget parentheses around the comprehension target?";
                Err(self.raise_range(range, message.into()))
            }
            "missing_colon" => {
                let range = self.range(a);
                let message = "':' expected after dictionary key".into();
                let (line, end) = (range.line, range.end_col as i32);
                Err(self.raise(ErrorKind::Syntax, message, line, end, range.end_line, 0))
            }
            "typevartuple_bound" | "paramspec_bound" => {
                let tuple = matches!(b, Val::Node(node) if node.tag == "Tuple");
                let what = if tuple { "constraints" } else { "bound" };
                let kind = if name == "paramspec_bound" { "ParamSpec" } else { "TypeVarTuple" };
                let range = self.range(a).to(self.range(b));
                Err(self.raise_range(range, format!("cannot use {what} with {kind}")))
            }
            _ => Ok(Some(a)),
        }
    }

    fn is_legacy(&self, value: Val<'n>) -> bool {
        matches!(self.token_text(value), b"print" | b"exec")
            && matches!(value, Val::Token(index) if self.tokens[index as usize].kind == Tok::Name)
    }

    fn number(&mut self, value: Val<'n>) -> Match<'n> {
        let arena = Arena::new();
        let limit = self.settings.max_int_digits;
        if let Err(crate::number::TooManyDigits(count)) =
            crate::number::value(self.token_text(value), limit, &arena)
        {
            let range = self.range(value);
            let message = format!(
                "Exceeds the limit ({limit} digits) for integer string conversion: value has {count} digits; use \
                 sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer literals \
                 to avoid decimal conversion limits."
            );
            return Err(self.raise(ErrorKind::Syntax, message, range.line, 0, range.end_line, 0));
        }
        Ok(Some(value))
    }

    /// Checks what is a literal's body or the text of a part of an f-string; gives the message if it is wrong.
    fn decode(&mut self, index: u32, body: &[u8], prefix: Prefix) -> Result<(), String> {
        let arena = Arena::new();
        let mut doubtful = None;
        string::decode(body, prefix, &arena, &mut doubtful).map_err(|bad| bad.0)?;
        // CPython takes it for the first pass wherever error productions are off.
        if let Some(escape) = doubtful.filter(|_| self.second_pass && !self.errors_on) {
            let at = body.as_ptr().addr() - self.src.as_ptr().addr() + escape.at;
            let warning = escape_warning(self.src, self.tokens[index as usize], at, &escape);
            self.warnings.push(warning);
        }
        Ok(())
    }

    fn string(&mut self, value: Val<'n>) -> Match<'n> {
        let Val::Token(index) = value else { return Ok(None) };
        let (prefix, body) = string::split(self.text(self.tokens[index as usize]));
        if prefix.bytes && !body.is_ascii() {
            let message = "bytes can only contain ASCII literal characters";
            return Err(self.raise_range(self.range(value), message.into()));
        }
        self.decode(index, body, prefix).map_err(|message| self.raise_last(message))?;
        Ok(Some(value))
    }

    fn middle(&mut self, value: Val<'n>) -> Match<'n> {
        let Val::Token(index) = value else { return Ok(None) };
        // The prefix stands in the innermost f-string start that is still open.
        let mut closed = 0;
        let mut raw = false;
        for token in self.tokens[..index as usize].iter().rev() {
            match token.kind {
                Tok::FStringEnd | Tok::TStringEnd => closed += 1,
                Tok::FStringStart | Tok::TStringStart if closed > 0 => closed -= 1,
                Tok::FStringStart | Tok::TStringStart => {
                    raw = self.text(*token).iter().any(|byte| matches!(byte, b'r' | b'R'));
                    break;
                }
                _ => {}
            }
        }
        let prefix = Prefix { raw, ..Prefix::default() };
        let text = self.text(self.tokens[index as usize]);
        self.decode(index, text, prefix).map_err(|message| self.raise_at_token(index, message))?;
        Ok(Some(value))
    }

    fn strings(&mut self, start: u32, value: Val<'n>) -> Match<'n> {
        let Val::Node(list) = value else { return Ok(None) };
        let mut formatted = false;
        let mut bytes = None;
        for &item in list.items {
            let is_bytes = match item {
                Val::Token(index) => string::split(self.text(self.tokens[index as usize])).0.bytes,
                _ => {
                    formatted = true;
                    false
                }
            };
            if *bytes.get_or_insert(is_bytes) != is_bytes {
                return Err(self.raise_last("cannot mix bytes and nonbytes literals".into()));
            }
        }
        Ok(Some(self.node(if formatted { "JoinedStr" } else { "Constant" }, start, &[value])))
    }

    fn conversion(&mut self, mark: Val<'n>, name: Val<'n>) -> Match<'n> {
        let (Val::Token(first), Val::Token(second)) = (mark, name) else { return Ok(None) };
        let (mark, token) = (self.tokens[first as usize], self.tokens[second as usize]);
        let prefix = self.string_prefix(first);
        if mark.end != token.start {
            let message =
                format!("{prefix}-string: conversion type must come right after the exclamation mark");
            return Err(self.raise_range(mark.range.to(token.range), message));
        }
        let text = self.text(token);
        if !matches!(text, b"s" | b"r" | b"a") {
            let message = format!(
                "{prefix}-string: invalid conversion character {}: expected 's', 'r', or 'a'",
                format_args!("'{}'", String::from_utf8_lossy(text))
            );
            return Err(self.raise_range(token.range, message));
        }
        Ok(Some(name))
    }

    /// `f` or `t`, for the string that is open at a token.
    fn string_prefix(&self, index: u32) -> char {
        let mut closed = 0;
        for token in self.tokens[..index as usize].iter().rev() {
            match token.kind {
                Tok::FStringEnd | Tok::TStringEnd => closed += 1,
                Tok::FStringStart | Tok::TStringStart if closed > 0 => closed -= 1,
                Tok::FStringStart => return 'f',
                Tok::TStringStart => return 't',
                _ => {}
            }
        }
        'f'
    }
}
