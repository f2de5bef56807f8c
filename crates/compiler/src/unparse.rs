//! Expressions as source text: what `from __future__ import annotations` stores.

use taipan_parser::ast::{
    Arguments, BoolOp, CmpOp, Comprehension, Constant, Expr, ExprKind, Operator, UnaryOp,
};

/// Precedence, from loose to tight.
mod level {
    pub const TUPLE: u8 = 0;
    pub const NAMED: u8 = 1;
    pub const TEST: u8 = 2;
    pub const OR: u8 = 3;
    pub const AND: u8 = 4;
    pub const NOT: u8 = 5;
    pub const COMPARE: u8 = 6;
    pub const EXPR: u8 = 7;
    pub const XOR: u8 = 8;
    pub const BAND: u8 = 9;
    pub const SHIFT: u8 = 10;
    pub const ARITH: u8 = 11;
    pub const TERM: u8 = 12;
    pub const FACTOR: u8 = 13;
    pub const POWER: u8 = 14;
    pub const AWAIT: u8 = 15;
    pub const ATOM: u8 = 16;
}

/// The text of an expression in CPython's normal form; bytes, since strings may hold surrogates.
pub fn unparse(expr: &Expr<'_>) -> Vec<u8> {
    let mut out = Writer { out: Vec::new() };
    out.expr(expr, level::TEST);
    out.out
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn parens(&mut self, needed: bool, write: impl FnOnce(&mut Self)) {
        if needed {
            self.text("(");
        }
        write(self);
        if needed {
            self.text(")");
        }
    }

    fn list(&mut self, items: &[&Expr<'_>], at: u8) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.text(", ");
            }
            self.expr(item, at);
        }
    }

    fn expr(&mut self, expr: &Expr<'_>, at: u8) {
        match expr.kind {
            ExprKind::BoolOp { op, values } => {
                let (word, own) = if op == BoolOp::And { (" and ", level::AND) } else { (" or ", level::OR) };
                self.parens(at > own, |w| {
                    for (i, value) in values.iter().enumerate() {
                        if i > 0 {
                            w.text(word);
                        }
                        w.expr(value, own + 1);
                    }
                });
            }
            ExprKind::NamedExpr { target, value } => self.parens(at > level::NAMED, |w| {
                w.expr(target, level::ATOM);
                w.text(" := ");
                w.expr(value, level::ATOM);
            }),
            ExprKind::BinOp { left, op, right } => {
                let (word, own, right_assoc) = operator(op);
                self.parens(at > own, |w| {
                    w.expr(left, own + u8::from(right_assoc));
                    w.text(word);
                    w.expr(right, own + u8::from(!right_assoc));
                });
            }
            ExprKind::UnaryOp { op, operand } => {
                let (word, own) = match op {
                    UnaryOp::Invert => ("~", level::FACTOR),
                    UnaryOp::Not => ("not ", level::NOT),
                    UnaryOp::UAdd => ("+", level::FACTOR),
                    UnaryOp::USub => ("-", level::FACTOR),
                };
                self.parens(at > own, |w| {
                    w.text(word);
                    w.expr(operand, own);
                });
            }
            ExprKind::Lambda { args, body } => self.parens(at > level::TEST, |w| {
                w.text("lambda");
                let before = w.out.len();
                w.arguments(args);
                if w.out.len() > before {
                    w.out.insert(before, b' ');
                }
                w.text(": ");
                w.expr(body, level::TEST);
            }),
            ExprKind::IfExp { test, body, orelse } => self.parens(at > level::TEST, |w| {
                w.expr(body, level::TEST + 1);
                w.text(" if ");
                w.expr(test, level::TEST + 1);
                w.text(" else ");
                w.expr(orelse, level::TEST);
            }),
            ExprKind::Dict { keys, values } => {
                self.text("{");
                for (i, (key, value)) in keys.iter().zip(values).enumerate() {
                    if i > 0 {
                        self.text(", ");
                    }
                    match key {
                        Some(key) => {
                            self.expr(key, level::TEST);
                            self.text(": ");
                            self.expr(value, level::TEST);
                        }
                        None => {
                            self.text("**");
                            self.expr(value, level::EXPR);
                        }
                    }
                }
                self.text("}");
            }
            ExprKind::Set { elts } => {
                self.text("{");
                self.list(elts, level::TEST);
                self.text("}");
            }
            ExprKind::ListComp { elt, generators } => self.comprehension("[", elt, None, generators, "]"),
            ExprKind::SetComp { elt, generators } => self.comprehension("{", elt, None, generators, "}"),
            ExprKind::GeneratorExp { elt, generators } => self.comprehension("(", elt, None, generators, ")"),
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension("{", key, Some(value), generators, "}");
            }
            ExprKind::Await { value } => self.parens(at > level::AWAIT, |w| {
                w.text("await ");
                w.expr(value, level::ATOM);
            }),
            ExprKind::Yield { value } => {
                self.text("(yield");
                if let Some(value) = value {
                    self.text(" ");
                    self.expr(value, level::TEST);
                }
                self.text(")");
            }
            ExprKind::YieldFrom { value } => {
                self.text("(yield from ");
                self.expr(value, level::TEST);
                self.text(")");
            }
            ExprKind::Compare { left, ops, comparators } => self.parens(at > level::COMPARE, |w| {
                w.expr(left, level::COMPARE + 1);
                for (op, value) in ops.iter().zip(comparators) {
                    w.text(comparison(*op));
                    w.expr(value, level::COMPARE + 1);
                }
            }),
            ExprKind::Call { func, args, keywords } => {
                self.expr(func, level::ATOM);
                if let ([Expr { kind: ExprKind::GeneratorExp { .. }, .. }], []) = (args, keywords) {
                    self.expr(args[0], level::TEST);
                    return;
                }
                self.text("(");
                self.list(args, level::TEST);
                for (i, keyword) in keywords.iter().enumerate() {
                    if i > 0 || !args.is_empty() {
                        self.text(", ");
                    }
                    match keyword.arg {
                        Some(name) => {
                            self.text(name);
                            self.text("=");
                        }
                        None => self.text("**"),
                    }
                    self.expr(keyword.value, level::TEST);
                }
                self.text(")");
            }
            ExprKind::JoinedStr { values } => self.fstring("f", values),
            ExprKind::TemplateStr { values } => self.fstring("t", values),
            ExprKind::FormattedValue { .. } | ExprKind::Interpolation { .. } => {
                let body = replacement(expr);
                self.quoted_fstring("f", &body);
            }
            ExprKind::Constant(constant) => self.constant(&constant, false),
            ExprKind::Attribute { value, attr, .. } => {
                self.expr(value, level::ATOM);
                if matches!(value.kind, ExprKind::Constant(Constant::Int(_))) {
                    self.text(" ");
                }
                self.text(".");
                self.text(attr);
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value, level::ATOM);
                self.text("[");
                self.expr(slice, level::TUPLE);
                self.text("]");
            }
            ExprKind::Starred { value, .. } => {
                self.text("*");
                self.expr(value, level::EXPR);
            }
            ExprKind::Name { id, .. } => self.text(id),
            ExprKind::List { elts, .. } => {
                self.text("[");
                self.list(elts, level::TEST);
                self.text("]");
            }
            ExprKind::Tuple { elts, .. } => {
                if elts.is_empty() {
                    return self.text("()");
                }
                self.parens(at > level::TUPLE, |w| {
                    w.list(elts, level::TEST);
                    if elts.len() == 1 {
                        w.text(",");
                    }
                });
            }
            ExprKind::Slice { lower, upper, step } => {
                if let Some(lower) = lower {
                    self.expr(lower, level::TEST);
                }
                self.text(":");
                if let Some(upper) = upper {
                    self.expr(upper, level::TEST);
                }
                if let Some(step) = step {
                    self.text(":");
                    self.expr(step, level::TEST);
                }
            }
        }
    }

    fn arguments(&mut self, args: &Arguments<'_>) {
        let mut first = true;
        let mut comma = |w: &mut Self| {
            if !std::mem::replace(&mut first, false) {
                w.text(", ");
            }
        };
        let positional = args.posonlyargs.len() + args.args.len();
        for (i, arg) in args.posonlyargs.iter().chain(args.args).enumerate() {
            comma(self);
            self.text(arg.arg);
            let default = (i + args.defaults.len()).checked_sub(positional);
            if let Some(default) = default.and_then(|at| args.defaults.get(at)) {
                self.text("=");
                self.expr(default, level::TEST);
            }
            if i + 1 == args.posonlyargs.len() {
                self.text(", /");
            }
        }
        if args.vararg.is_some() || !args.kwonlyargs.is_empty() {
            comma(self);
            self.text("*");
            if let Some(arg) = args.vararg {
                self.text(arg.arg);
            }
        }
        for (arg, default) in args.kwonlyargs.iter().zip(args.kw_defaults) {
            comma(self);
            self.text(arg.arg);
            if let Some(default) = default {
                self.text("=");
                self.expr(default, level::TEST);
            }
        }
        if let Some(arg) = args.kwarg {
            comma(self);
            self.text("**");
            self.text(arg.arg);
        }
    }

    fn comprehension(
        &mut self,
        open: &str,
        elt: &Expr<'_>,
        value: Option<&Expr<'_>>,
        generators: &[Comprehension<'_>],
        close: &str,
    ) {
        self.text(open);
        self.expr(elt, level::TEST);
        if let Some(value) = value {
            self.text(": ");
            self.expr(value, level::TEST);
        }
        for clause in generators {
            self.text(if clause.is_async { " async for " } else { " for " });
            self.expr(clause.target, level::TUPLE);
            self.text(" in ");
            self.expr(clause.iter, level::TEST + 1);
            for condition in clause.ifs {
                self.text(" if ");
                self.expr(condition, level::TEST + 1);
            }
        }
        self.text(close);
    }

    fn constant(&mut self, constant: &Constant<'_>, _nested: bool) {
        match constant {
            Constant::Ellipsis => self.text("..."),
            Constant::Str { value, u } => {
                if *u {
                    self.text("u");
                }
                let bytes = repr_str(value.as_bytes());
                self.out.extend_from_slice(&bytes);
            }
            Constant::None => self.text("None"),
            Constant::True => self.text("True"),
            Constant::False => self.text("False"),
            Constant::Int(value) => {
                let text = match value {
                    taipan_parser::ast::IntConst::Small(value) => value.to_string(),
                    taipan_parser::ast::IntConst::Big { negative, digits } => {
                        let sign = if *negative { "-" } else { "" };
                        format!("{sign}{}", decimal(digits))
                    }
                };
                self.text(&text);
            }
            Constant::Float(value) => {
                let text = float_repr(*value);
                self.text(&text);
            }
            Constant::Complex { imag, .. } => {
                let text = float_repr(*imag);
                self.text(text.strip_suffix(".0").unwrap_or(&text));
                self.text("j");
            }
            Constant::Bytes(bytes) => {
                let text = repr_bytes(bytes);
                self.text(&text);
            }
            Constant::Tuple(items) => {
                self.text("(");
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.text(", ");
                    }
                    self.constant(item, true);
                }
                self.text(if items.len() == 1 { ",)" } else { ")" });
            }
            Constant::FrozenSet(items) => {
                self.text("frozenset({");
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.text(", ");
                    }
                    self.constant(item, true);
                }
                self.text("})");
            }
        }
    }

    fn fstring(&mut self, prefix: &str, values: &[&Expr<'_>]) {
        let body = fstring_body(values);
        self.quoted_fstring(prefix, &body);
    }

    fn quoted_fstring(&mut self, prefix: &str, body: &[u8]) {
        self.text(prefix);
        let quoted = repr_str(body);
        self.out.extend_from_slice(&quoted);
    }
}

fn fstring_body(values: &[&Expr<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for value in values {
        match value.kind {
            ExprKind::Constant(Constant::Str { value, .. }) => {
                for &byte in value.as_bytes() {
                    body.push(byte);
                    if matches!(byte, b'{' | b'}') {
                        body.push(byte);
                    }
                }
            }
            ExprKind::JoinedStr { values } => body.extend(fstring_body(values)),
            _ => body.extend(replacement(value)),
        }
    }
    body
}

fn replacement(expr: &Expr<'_>) -> Vec<u8> {
    let (value, conversion, spec) = match expr.kind {
        ExprKind::FormattedValue { value, conversion, format_spec }
        | ExprKind::Interpolation { value, conversion, format_spec, .. } => (value, conversion, format_spec),
        _ => return unparse(expr),
    };
    let mut inner = Writer { out: Vec::new() };
    match expr.kind {
        // A template knows how its expressions are spelled.
        ExprKind::Interpolation { str: Constant::Str { value, .. }, .. } => {
            inner.out.extend_from_slice(value.as_bytes());
        }
        _ => inner.expr(value, level::TEST + 1),
    }
    let mut body = vec![b'{'];
    if inner.out.first() == Some(&b'{') {
        body.push(b' ');
    }
    body.extend(inner.out);
    if let Ok(letter) = u8::try_from(conversion) {
        body.extend([b'!', letter]);
    }
    if let Some(spec) = spec {
        body.push(b':');
        match spec.kind {
            ExprKind::JoinedStr { values } => body.extend(fstring_body(values)),
            _ => body.extend(fstring_body(&[spec])),
        }
    }
    body.push(b'}');
    body
}

fn operator(op: Operator) -> (&'static str, u8, bool) {
    match op {
        Operator::Add => (" + ", level::ARITH, false),
        Operator::Sub => (" - ", level::ARITH, false),
        Operator::Mult => (" * ", level::TERM, false),
        Operator::MatMult => (" @ ", level::TERM, false),
        Operator::Div => (" / ", level::TERM, false),
        Operator::Mod => (" % ", level::TERM, false),
        Operator::FloorDiv => (" // ", level::TERM, false),
        Operator::LShift => (" << ", level::SHIFT, false),
        Operator::RShift => (" >> ", level::SHIFT, false),
        Operator::BitOr => (" | ", level::EXPR, false),
        Operator::BitXor => (" ^ ", level::XOR, false),
        Operator::BitAnd => (" & ", level::BAND, false),
        Operator::Pow => (" ** ", level::POWER, true),
    }
}

fn comparison(op: CmpOp) -> &'static str {
    match op {
        CmpOp::Eq => " == ",
        CmpOp::NotEq => " != ",
        CmpOp::Lt => " < ",
        CmpOp::LtE => " <= ",
        CmpOp::Gt => " > ",
        CmpOp::GtE => " >= ",
        CmpOp::Is => " is ",
        CmpOp::IsNot => " is not ",
        CmpOp::In => " in ",
        CmpOp::NotIn => " not in ",
    }
}

fn quote_for(text: &[u8]) -> u8 {
    if text.contains(&b'\'') && !text.contains(&b'"') { b'"' } else { b'\'' }
}

/// `repr()` of a str; characters beyond ASCII are taken as printable, but for controls and separators.
fn repr_str(text: &[u8]) -> Vec<u8> {
    let quote = quote_for(text);
    let mut out = vec![quote];
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.extend(b"\\n"),
                '\r' => out.extend(b"\\r"),
                '\t' => out.extend(b"\\t"),
                '\\' => out.extend(b"\\\\"),
                c if c as u32 == u32::from(quote) => out.extend([b'\\', quote]),
                c if c.is_control() || c as u32 == 0xa0 || c as u32 == 0xad => {
                    out.extend(format!("\\x{:02x}", c as u32).into_bytes());
                }
                c => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        if let [0xed, a, b] = chunk.invalid() {
            let code = 0xd000 | u32::from(a & 0x3f) << 6 | u32::from(b & 0x3f);
            out.extend(format!("\\u{code:04x}").into_bytes());
        }
    }
    out.push(quote);
    out
}

fn repr_bytes(bytes: &[u8]) -> String {
    let quote = quote_for(bytes);
    let mut out = format!("b{}", char::from(quote));
    for &byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            _ if byte == quote => out.extend(['\\', char::from(byte)]),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(char::from(quote));
    out
}

/// The shortest digits that read back as the same float, laid out as Python does.
fn float_repr(value: f64) -> String {
    if value.is_infinite() {
        return "1e309".into();
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn decimal(digits: &[u32]) -> String {
    let mut rest: Vec<u64> = digits.iter().rev().map(|digit| u64::from(*digit)).collect();
    let mut groups = Vec::new();
    while rest.iter().any(|digit| *digit != 0) {
        let mut carry = 0u64;
        for digit in &mut rest {
            let value = carry << 30 | *digit;
            *digit = value / 1_000_000_000;
            carry = value % 1_000_000_000;
        }
        groups.push(carry);
    }
    let mut text = groups.pop().unwrap_or(0).to_string();
    groups.iter().rev().for_each(|group| text.push_str(&format!("{group:09}")));
    text
}
