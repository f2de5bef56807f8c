//! Prints what `ast.dump(tree, include_attributes=True, show_empty=True)` prints, or the error, for each file named.
//!
//! Usage: `dump [--time] [--errors] FILE...`. Each answer is one line; an error line starts with `!`.
//! `--errors FILE` reads snippets separated by NUL, each preceded by its mode and a newline.

use std::fmt::Write as _;
use std::io::Write as _;
use taipan_parser::ast::*;
use taipan_parser::{Mode, ParseOptions, SyntaxError, parse};

fn repr_text(text: Wtf8<'_>, out: &mut String) {
    let codes: Vec<u32> = text.code_points().collect();
    let quote = if codes.contains(&39) && !codes.contains(&34) { '"' } else { '\'' };
    out.push(quote);
    for code in codes {
        match char::from_u32(code) {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\\') => out.push_str("\\\\"),
            Some(ch) if ch == quote => {
                out.push('\\');
                out.push(ch);
            }
            Some(ch) if (' '..='~').contains(&ch) => out.push(ch),
            _ if code < 0x100 => write!(out, "\\x{code:02x}").unwrap(),
            _ if code < 0x10000 => write!(out, "\\u{code:04x}").unwrap(),
            _ => write!(out, "\\U{code:08x}").unwrap(),
        }
    }
    out.push(quote);
}

fn repr_bytes(bytes: &[u8], out: &mut String) {
    let quote = if bytes.contains(&39) && !bytes.contains(&34) { '"' } else { '\'' };
    out.push('b');
    out.push(quote);
    for &byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' if byte as char == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(byte as char),
            _ => write!(out, "\\x{byte:02x}").unwrap(),
        }
    }
    out.push(quote);
}

fn repr_float(value: f64, point: bool) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{value}");
    if plain.contains('.') || !point { plain } else { plain + ".0" }
}

fn repr_int(value: IntConst<'_>) -> String {
    match value {
        IntConst::Small(value) => value.to_string(),
        IntConst::Big { digits, .. } => {
            let mut digits = digits.to_vec();
            let mut parts = Vec::new();
            while !digits.is_empty() {
                let mut rest = 0u64;
                for digit in digits.iter_mut().rev() {
                    let value = rest << 30 | u64::from(*digit);
                    *digit = (value / 1_000_000_000) as u32;
                    rest = value % 1_000_000_000;
                }
                while digits.last() == Some(&0) {
                    digits.pop();
                }
                parts.push(rest);
            }
            let mut text = parts.pop().unwrap().to_string();
            for part in parts.iter().rev() {
                write!(text, "{part:09}").unwrap();
            }
            text
        }
    }
}

struct Dump {
    out: String,
}

/// `Name(field=…, …)`
macro_rules! node {
    ($self:ident, $name:expr, [$($field:literal: $write:expr),* $(,)?], $range:expr) => {{
        $self.out.push_str($name);
        $self.out.push('(');
        $($self.field($field); #[allow(clippy::redundant_closure_call)] ($write)($self);)*
        $self.attributes($range);
        $self.out.push(')');
    }};
}

impl Dump {
    fn field(&mut self, name: &str) {
        if !self.out.ends_with('(') {
            self.out.push_str(", ");
        }
        self.out.push_str(name);
        self.out.push('=');
    }

    fn attributes(&mut self, range: Option<Range>) {
        if let Some(range) = range {
            if !self.out.ends_with('(') {
                self.out.push_str(", ");
            }
            let Range { line, col, end_line, end_col } = range;
            write!(
                self.out,
                "lineno={line}, col_offset={col}, end_lineno={end_line}, end_col_offset={end_col}"
            )
            .unwrap();
        }
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            each(self, item);
        }
        self.out.push(']');
    }

    fn exprs(&mut self, items: ExprList<'_>) {
        self.list(items, |d, e| d.expr(e));
    }

    fn optional_exprs(&mut self, items: &[Option<ExprRef<'_>>]) {
        self.list(items, |d, e| match e {
            Some(e) => d.expr(e),
            None => d.out.push_str("None"),
        });
    }

    fn body(&mut self, items: Body<'_>) {
        self.list(items, |d, s| d.stmt(s));
    }

    fn str(&mut self, text: &str) {
        repr_text(Wtf8::from(text), &mut self.out);
    }

    fn optional(&mut self, name: &str, expr: Option<ExprRef<'_>>) {
        if let Some(expr) = expr {
            self.field(name);
            self.expr(expr);
        }
    }

    fn optional_str(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.field(name);
            self.str(text);
        }
    }

    fn open(&mut self, name: &str) {
        self.out.push_str(name);
        self.out.push('(');
    }

    fn close(&mut self, range: Option<Range>) {
        self.attributes(range);
        self.out.push(')');
    }

    fn module(&mut self, module: &Mod<'_>) {
        match *module {
            Mod::Module { body, type_ignores } => {
                node!(self, "Module", ["body": |d: &mut Dump| d.body(body),
                    "type_ignores": |d: &mut Dump| d.list(type_ignores, |d, t| {
                        write!(d.out, "TypeIgnore(lineno={}, tag=", t.lineno).unwrap();
                        d.str(t.tag);
                        d.out.push(')');
                    })], None)
            }
            Mod::Interactive { body } => {
                node!(self, "Interactive", ["body": |d: &mut Dump| d.body(body)], None)
            }
            Mod::Expression { body } => {
                node!(self, "Expression", ["body": |d: &mut Dump| d.expr(body)], None)
            }
            Mod::FunctionType { argtypes, returns } => node!(self, "FunctionType",
                ["argtypes": |d: &mut Dump| d.exprs(argtypes), "returns": |d: &mut Dump| d.expr(returns)], None),
        }
    }

    fn function(&mut self, name: &str, f: &FunctionDef<'_>, range: Range) {
        self.open(name);
        self.field("name");
        self.str(f.name);
        self.field("args");
        self.arguments(f.args);
        self.field("body");
        self.body(f.body);
        self.field("decorator_list");
        self.exprs(f.decorator_list);
        self.optional("returns", f.returns);
        self.optional_str("type_comment", f.type_comment);
        self.field("type_params");
        self.type_params(f.type_params);
        self.close(Some(range));
    }

    fn for_(&mut self, name: &str, f: &For<'_>, range: Range) {
        self.open(name);
        self.field("target");
        self.expr(f.target);
        self.field("iter");
        self.expr(f.iter);
        self.field("body");
        self.body(f.body);
        self.field("orelse");
        self.body(f.orelse);
        self.optional_str("type_comment", f.type_comment);
        self.close(Some(range));
    }

    fn with(&mut self, name: &str, w: &With<'_>, range: Range) {
        self.open(name);
        self.field("items");
        self.list(w.items, |d, item| {
            d.open("withitem");
            d.field("context_expr");
            d.expr(item.context_expr);
            d.optional("optional_vars", item.optional_vars);
            d.close(None);
        });
        self.field("body");
        self.body(w.body);
        self.optional_str("type_comment", w.type_comment);
        self.close(Some(range));
    }

    fn try_(&mut self, name: &str, t: &Try<'_>, range: Range) {
        self.open(name);
        self.field("body");
        self.body(t.body);
        self.field("handlers");
        self.list(t.handlers, |d, h| {
            d.open("ExceptHandler");
            d.optional("type", h.type_);
            d.optional_str("name", h.name);
            d.field("body");
            d.body(h.body);
            d.close(Some(h.range));
        });
        self.field("orelse");
        self.body(t.orelse);
        self.field("finalbody");
        self.body(t.finalbody);
        self.close(Some(range));
    }

    fn aliases(&mut self, names: &[Alias<'_>]) {
        self.list(names, |d, a| {
            d.open("alias");
            d.field("name");
            d.str(a.name);
            d.optional_str("asname", a.asname);
            d.close(Some(a.range));
        });
    }

    fn keywords(&mut self, keywords: &[Keyword<'_>]) {
        self.list(keywords, |d, k| {
            d.open("keyword");
            d.optional_str("arg", k.arg);
            d.field("value");
            d.expr(k.value);
            d.close(Some(k.range));
        });
    }

    fn type_params(&mut self, params: &[TypeParam<'_>]) {
        self.list(params, |d, p| {
            let (kind, name, bound, default) = match p.kind {
                TypeParamKind::TypeVar { name, bound, default_value } => {
                    ("TypeVar", name, bound, default_value)
                }
                TypeParamKind::ParamSpec { name, default_value } => ("ParamSpec", name, None, default_value),
                TypeParamKind::TypeVarTuple { name, default_value } => {
                    ("TypeVarTuple", name, None, default_value)
                }
            };
            d.open(kind);
            d.field("name");
            d.str(name);
            d.optional("bound", bound);
            d.optional("default_value", default);
            d.close(Some(p.range));
        });
    }

    fn arg(&mut self, arg: &Arg<'_>) {
        self.open("arg");
        self.field("arg");
        self.str(arg.arg);
        self.optional("annotation", arg.annotation);
        self.optional_str("type_comment", arg.type_comment);
        self.close(Some(arg.range));
    }

    fn arguments(&mut self, a: &Arguments<'_>) {
        self.open("arguments");
        self.field("posonlyargs");
        self.list(a.posonlyargs, |d, arg| d.arg(arg));
        self.field("args");
        self.list(a.args, |d, arg| d.arg(arg));
        if let Some(arg) = a.vararg {
            self.field("vararg");
            self.arg(arg);
        }
        self.field("kwonlyargs");
        self.list(a.kwonlyargs, |d, arg| d.arg(arg));
        self.field("kw_defaults");
        self.optional_exprs(a.kw_defaults);
        if let Some(arg) = a.kwarg {
            self.field("kwarg");
            self.arg(arg);
        }
        self.field("defaults");
        self.exprs(a.defaults);
        self.close(None);
    }

    fn stmt(&mut self, s: &Stmt<'_>) {
        let range = Some(s.range);
        match s.kind {
            StmtKind::FunctionDef(f) => return self.function("FunctionDef", f, s.range),
            StmtKind::AsyncFunctionDef(f) => return self.function("AsyncFunctionDef", f, s.range),
            StmtKind::For(f) => return self.for_("For", f, s.range),
            StmtKind::AsyncFor(f) => return self.for_("AsyncFor", f, s.range),
            StmtKind::With(w) => return self.with("With", w, s.range),
            StmtKind::AsyncWith(w) => return self.with("AsyncWith", w, s.range),
            StmtKind::Try(t) => return self.try_("Try", t, s.range),
            StmtKind::TryStar(t) => return self.try_("TryStar", t, s.range),
            StmtKind::ClassDef(c) => {
                self.open("ClassDef");
                self.field("name");
                self.str(c.name);
                self.field("bases");
                self.exprs(c.bases);
                self.field("keywords");
                self.keywords(c.keywords);
                self.field("body");
                self.body(c.body);
                self.field("decorator_list");
                self.exprs(c.decorator_list);
                self.field("type_params");
                self.type_params(c.type_params);
            }
            StmtKind::Return { value } => {
                self.open("Return");
                self.optional("value", value);
            }
            StmtKind::Delete { targets } => {
                self.open("Delete");
                self.field("targets");
                self.exprs(targets);
            }
            StmtKind::Assign { targets, value, type_comment } => {
                self.open("Assign");
                self.field("targets");
                self.exprs(targets);
                self.field("value");
                self.expr(value);
                self.optional_str("type_comment", type_comment);
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                self.open("TypeAlias");
                self.field("name");
                self.expr(name);
                self.field("type_params");
                self.type_params(type_params);
                self.field("value");
                self.expr(value);
            }
            StmtKind::AugAssign { target, op, value } => {
                self.open("AugAssign");
                self.field("target");
                self.expr(target);
                self.field("op");
                write!(self.out, "{op:?}()").unwrap();
                self.field("value");
                self.expr(value);
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                self.open("AnnAssign");
                self.field("target");
                self.expr(target);
                self.field("annotation");
                self.expr(annotation);
                self.optional("value", value);
                self.field("simple");
                self.out.push_str(if simple { "1" } else { "0" });
            }
            StmtKind::While { test, body, orelse } => {
                self.open("While");
                self.field("test");
                self.expr(test);
                self.field("body");
                self.body(body);
                self.field("orelse");
                self.body(orelse);
            }
            StmtKind::If { test, body, orelse } => {
                self.open("If");
                self.field("test");
                self.expr(test);
                self.field("body");
                self.body(body);
                self.field("orelse");
                self.body(orelse);
            }
            StmtKind::Match { subject, cases } => {
                self.open("Match");
                self.field("subject");
                self.expr(subject);
                self.field("cases");
                self.list(cases, |d, case| {
                    d.open("match_case");
                    d.field("pattern");
                    d.pattern(case.pattern);
                    d.optional("guard", case.guard);
                    d.field("body");
                    d.body(case.body);
                    d.close(None);
                });
            }
            StmtKind::Raise { exc, cause } => {
                self.open("Raise");
                self.optional("exc", exc);
                self.optional("cause", cause);
            }
            StmtKind::Assert { test, msg } => {
                self.open("Assert");
                self.field("test");
                self.expr(test);
                self.optional("msg", msg);
            }
            StmtKind::Import { names } => {
                self.open("Import");
                self.field("names");
                self.aliases(names);
            }
            StmtKind::ImportFrom { module, names, level } => {
                self.open("ImportFrom");
                self.optional_str("module", module);
                self.field("names");
                self.aliases(names);
                self.field("level");
                write!(self.out, "{level}").unwrap();
            }
            StmtKind::Global { names } | StmtKind::Nonlocal { names } => {
                self.open(if matches!(s.kind, StmtKind::Global { .. }) { "Global" } else { "Nonlocal" });
                self.field("names");
                self.list(names, |d, name| d.str(name));
            }
            StmtKind::Expr { value } => {
                self.open("Expr");
                self.field("value");
                self.expr(value);
            }
            StmtKind::Pass => self.open("Pass"),
            StmtKind::Break => self.open("Break"),
            StmtKind::Continue => self.open("Continue"),
        }
        self.close(range);
    }

    fn constant(&mut self, value: &Constant<'_>) {
        match *value {
            Constant::None => self.out.push_str("None"),
            Constant::True => self.out.push_str("True"),
            Constant::False => self.out.push_str("False"),
            Constant::Ellipsis => self.out.push_str("Ellipsis"),
            Constant::Int(value) => self.out.push_str(&repr_int(value)),
            Constant::Float(value) => self.out.push_str(&repr_float(value, true)),
            Constant::Complex { imag, .. } => {
                self.out.push_str(&repr_float(imag, false));
                self.out.push('j');
            }
            Constant::Str { value, .. } => repr_text(value, &mut self.out),
            Constant::Bytes(value) => repr_bytes(value, &mut self.out),
            Constant::Tuple(_) | Constant::FrozenSet(_) => unreachable!("the parser makes none"),
        }
    }

    fn comprehensions(&mut self, generators: &[Comprehension<'_>]) {
        self.field("generators");
        self.list(generators, |d, c| {
            d.open("comprehension");
            d.field("target");
            d.expr(c.target);
            d.field("iter");
            d.expr(c.iter);
            d.field("ifs");
            d.exprs(c.ifs);
            d.field("is_async");
            d.out.push_str(if c.is_async { "1" } else { "0" });
            d.close(None);
        });
    }

    fn ctx(&mut self, ctx: ExprContext) {
        self.field("ctx");
        write!(self.out, "{ctx:?}()").unwrap();
    }

    fn expr(&mut self, e: &Expr<'_>) {
        match e.kind {
            ExprKind::BoolOp { op, values } => {
                self.open("BoolOp");
                self.field("op");
                write!(self.out, "{op:?}()").unwrap();
                self.field("values");
                self.exprs(values);
            }
            ExprKind::NamedExpr { target, value } => {
                self.open("NamedExpr");
                self.field("target");
                self.expr(target);
                self.field("value");
                self.expr(value);
            }
            ExprKind::BinOp { left, op, right } => {
                self.open("BinOp");
                self.field("left");
                self.expr(left);
                self.field("op");
                write!(self.out, "{op:?}()").unwrap();
                self.field("right");
                self.expr(right);
            }
            ExprKind::UnaryOp { op, operand } => {
                self.open("UnaryOp");
                self.field("op");
                write!(self.out, "{op:?}()").unwrap();
                self.field("operand");
                self.expr(operand);
            }
            ExprKind::Lambda { args, body } => {
                self.open("Lambda");
                self.field("args");
                self.arguments(args);
                self.field("body");
                self.expr(body);
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.open("IfExp");
                self.field("test");
                self.expr(test);
                self.field("body");
                self.expr(body);
                self.field("orelse");
                self.expr(orelse);
            }
            ExprKind::Dict { keys, values } => {
                self.open("Dict");
                self.field("keys");
                self.optional_exprs(keys);
                self.field("values");
                self.exprs(values);
            }
            ExprKind::Set { elts } => {
                self.open("Set");
                self.field("elts");
                self.exprs(elts);
            }
            ExprKind::ListComp { elt, generators } => {
                self.open("ListComp");
                self.field("elt");
                self.expr(elt);
                self.comprehensions(generators);
            }
            ExprKind::SetComp { elt, generators } => {
                self.open("SetComp");
                self.field("elt");
                self.expr(elt);
                self.comprehensions(generators);
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.open("GeneratorExp");
                self.field("elt");
                self.expr(elt);
                self.comprehensions(generators);
            }
            ExprKind::DictComp { key, value, generators } => {
                self.open("DictComp");
                self.field("key");
                self.expr(key);
                self.field("value");
                self.expr(value);
                self.comprehensions(generators);
            }
            ExprKind::Await { value } => {
                self.open("Await");
                self.field("value");
                self.expr(value);
            }
            ExprKind::Yield { value } => {
                self.open("Yield");
                self.optional("value", value);
            }
            ExprKind::YieldFrom { value } => {
                self.open("YieldFrom");
                self.field("value");
                self.expr(value);
            }
            ExprKind::Compare { left, ops, comparators } => {
                self.open("Compare");
                self.field("left");
                self.expr(left);
                self.field("ops");
                self.list(ops, |d, op| write!(d.out, "{op:?}()").unwrap());
                self.field("comparators");
                self.exprs(comparators);
            }
            ExprKind::Call { func, args, keywords } => {
                self.open("Call");
                self.field("func");
                self.expr(func);
                self.field("args");
                self.exprs(args);
                self.field("keywords");
                self.keywords(keywords);
            }
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                self.open("FormattedValue");
                self.field("value");
                self.expr(value);
                self.field("conversion");
                write!(self.out, "{conversion}").unwrap();
                self.optional("format_spec", format_spec);
            }
            ExprKind::Interpolation { value, str, conversion, format_spec } => {
                self.open("Interpolation");
                self.field("value");
                self.expr(value);
                self.field("str");
                self.constant(str);
                self.field("conversion");
                write!(self.out, "{conversion}").unwrap();
                self.optional("format_spec", format_spec);
            }
            ExprKind::JoinedStr { values } => {
                self.open("JoinedStr");
                self.field("values");
                self.exprs(values);
            }
            ExprKind::TemplateStr { values } => {
                self.open("TemplateStr");
                self.field("values");
                self.exprs(values);
            }
            ExprKind::Constant(value) => {
                self.open("Constant");
                self.field("value");
                self.constant(&value);
                if let Constant::Str { u: true, .. } = value {
                    self.field("kind");
                    self.out.push_str("'u'");
                }
            }
            ExprKind::Attribute { value, attr, ctx } => {
                self.open("Attribute");
                self.field("value");
                self.expr(value);
                self.field("attr");
                self.str(attr);
                self.ctx(ctx);
            }
            ExprKind::Subscript { value, slice, ctx } => {
                self.open("Subscript");
                self.field("value");
                self.expr(value);
                self.field("slice");
                self.expr(slice);
                self.ctx(ctx);
            }
            ExprKind::Starred { value, ctx } => {
                self.open("Starred");
                self.field("value");
                self.expr(value);
                self.ctx(ctx);
            }
            ExprKind::Name { id, ctx } => {
                self.open("Name");
                self.field("id");
                self.str(id);
                self.ctx(ctx);
            }
            ExprKind::List { elts, ctx } => {
                self.open("List");
                self.field("elts");
                self.exprs(elts);
                self.ctx(ctx);
            }
            ExprKind::Tuple { elts, ctx } => {
                self.open("Tuple");
                self.field("elts");
                self.exprs(elts);
                self.ctx(ctx);
            }
            ExprKind::Slice { lower, upper, step } => {
                self.open("Slice");
                self.optional("lower", lower);
                self.optional("upper", upper);
                self.optional("step", step);
            }
        }
        self.close(Some(e.range));
    }

    fn patterns(&mut self, name: &str, patterns: &[&Pattern<'_>]) {
        self.field(name);
        self.list(patterns, |d, p| d.pattern(p));
    }

    fn pattern(&mut self, p: &Pattern<'_>) {
        match p.kind {
            PatternKind::MatchValue { value } => {
                self.open("MatchValue");
                self.field("value");
                self.expr(value);
            }
            PatternKind::MatchSingleton { value } => {
                self.open("MatchSingleton");
                self.field("value");
                self.constant(&value);
            }
            PatternKind::MatchSequence { patterns } => {
                self.open("MatchSequence");
                self.patterns("patterns", patterns);
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.open("MatchMapping");
                self.field("keys");
                self.exprs(keys);
                self.patterns("patterns", patterns);
                self.optional_str("rest", rest);
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
                self.open("MatchClass");
                self.field("cls");
                self.expr(cls);
                self.patterns("patterns", patterns);
                self.field("kwd_attrs");
                self.list(kwd_attrs, |d, name| d.str(name));
                self.patterns("kwd_patterns", kwd_patterns);
            }
            PatternKind::MatchStar { name } => {
                self.open("MatchStar");
                self.optional_str("name", name);
            }
            PatternKind::MatchAs { pattern, name } => {
                self.open("MatchAs");
                if let Some(pattern) = pattern {
                    self.field("pattern");
                    self.pattern(pattern);
                }
                self.optional_str("name", name);
            }
            PatternKind::MatchOr { patterns } => {
                self.open("MatchOr");
                self.patterns("patterns", patterns);
            }
        }
        self.close(Some(p.range));
    }
}

fn error_line(e: &SyntaxError) -> String {
    let mut out = format!("!{:?}|", e.kind);
    repr_text(Wtf8::from(e.message.as_str()), &mut out);
    if e.line == 0 && e.text.is_none() {
        return out;
    }
    write!(out, "|{}|{}|{}|{}|", e.line, e.offset, e.end_line, e.end_offset).unwrap();
    repr_text(Wtf8::from(e.text.as_deref().unwrap_or("")), &mut out);
    if let Some((line, col, text)) = &e.metadata {
        write!(out, "|{line}|{col}|").unwrap();
        repr_text(Wtf8::from(text.as_str()), &mut out);
    }
    out
}

fn answer(source: &[u8], options: &ParseOptions<'_>) -> String {
    let arena = Arena::new();
    match parse(source, options, &arena) {
        Ok(parsed) => {
            let mut dump = Dump { out: String::new() };
            dump.module(&parsed.module);
            for warning in &parsed.warnings {
                write!(dump.out, "|{}|{}", warning.line, warning.message).unwrap();
            }
            dump.out
        }
        Err(error) => error_line(&error),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let stdout = std::io::stdout();
    let mut stdout = std::io::BufWriter::new(stdout.lock());
    match args.first().map(String::as_str) {
        Some("--time") => {
            let sources: Vec<Vec<u8>> = args[1..].iter().map(|path| std::fs::read(path).unwrap()).collect();
            let total: usize = sources.iter().map(Vec::len).sum();
            let mut best = f64::MAX;
            for _ in 0..5 {
                let clock = std::time::Instant::now();
                for source in &sources {
                    let arena = Arena::new();
                    let _ = std::hint::black_box(parse(source, &ParseOptions::default(), &arena));
                }
                best = best.min(clock.elapsed().as_secs_f64());
            }
            println!("{total} bytes, {best:.4} s, {:.1} MB/s", total as f64 / best / 1e6);
        }
        Some("--errors") => {
            let input = std::fs::read(&args[1]).unwrap();
            for snippet in input.split(|&byte| byte == 0) {
                let split = snippet.iter().position(|&byte| byte == b'\n').unwrap_or(0);
                let name = String::from_utf8_lossy(&snippet[..split]).into_owned();
                let (name, version) = name.split_once(' ').unwrap_or((&name, "14"));
                let mode = match name.as_bytes() {
                    b"eval" => Mode::Eval,
                    b"single" => Mode::Single,
                    b"func_type" => Mode::FuncType,
                    _ => Mode::Exec,
                };
                let options = ParseOptions {
                    mode,
                    is_str: true,
                    feature_version: version.parse().unwrap_or(14),
                    type_comments: version == "types",
                    ..ParseOptions::default()
                };
                writeln!(stdout, "{}", answer(&snippet[split + 1..], &options)).unwrap();
            }
        }
        _ => {
            for path in &args {
                let source = std::fs::read(path).unwrap();
                writeln!(stdout, "{}", answer(&source, &ParseOptions::default())).unwrap();
            }
        }
    }
}
