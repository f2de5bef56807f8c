//! The recursive-descent parser: one method a production of the grammar in the language reference.
//!
//! It only accepts or rejects. A rejected source is parsed again by [`crate::diagnose`], which finds out what to say.
//!
//! Invariants:
//! - Every self-recursion passes [`Parser::descend`], so that the native stack is bounded.
//! - Where a construct must be tried, [`Parser::attempt`] restores the state on failure.

mod arguments;
mod compound;
mod expr;
pub(crate) mod literal;
mod pattern;
mod stmt;

use crate::ast::*;
use crate::error::Warning;
use crate::token::{Tok, Token};

/// The source does not parse.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fail;
pub(crate) type Parse<T> = Result<T, Fail>;

/// Nested productions allowed, in units of about one call each.
const MAX_DEPTH: u32 = 6000;

pub(crate) struct Parser<'a, 's> {
    pub(crate) src: &'s [u8],
    pub(crate) tokens: &'s [Token],
    pub(crate) pos: usize,
    pub(crate) arena: &'a Arena,
    pub(crate) max_int_digits: usize,
    pub(crate) barry_as_flufl: bool,
    /// The minor version whose grammar is accepted.
    pub(crate) feature_version: u8,
    /// What is too new for it, and the token that is blamed.
    pub(crate) too_new: Option<(String, usize)>,
    /// A name that is that of a constant in its normal form only.
    pub(crate) constant_name: Option<String>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) names: Names<'a>,
    /// Elements of the expression lists that are being read.
    exprs: Vec<ExprRef<'a>>,
    stmts: Vec<&'a Stmt<'a>>,
    depth: u32,
    pub(crate) too_deep: bool,
    /// First token of the module's statement before the one that is being read.
    pub(crate) statement_start: usize,
    /// Line and column of the last compound statement so far, zeros before the first.
    last_compound: (u32, u32),
    /// What `last_compound` was at `statement_start`.
    pub(crate) compound_before: (u32, u32),
}

/// Identifiers seen so far.
pub(crate) struct Names<'a> {
    table: Vec<Option<&'a str>>,
    count: usize,
}

impl<'a> Names<'a> {
    pub(crate) fn new() -> Self {
        Names { table: vec![None; 256], count: 0 }
    }

    fn hash(text: &[u8]) -> usize {
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for &byte in text {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        (hash ^ hash >> 29) as usize
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<&'a str> {
        self.table.iter().copied().flatten().collect()
    }

    /// The one copy of `text` in the arena.
    pub(crate) fn intern(&mut self, text: &str, arena: &'a Arena) -> &'a str {
        let mask = self.table.len() - 1;
        let mut index = Self::hash(text.as_bytes()) & mask;
        while let Some(known) = self.table[index] {
            if known == text {
                return known;
            }
            index = (index + 1) & mask;
        }
        let copy: &'a str = arena.alloc_str(text);
        self.table[index] = Some(copy);
        self.count += 1;
        if self.count * 2 > self.table.len() {
            let size = self.table.len() * 2;
            let old = std::mem::replace(&mut self.table, vec![None; size]);
            for name in old.into_iter().flatten() {
                let mut index = Self::hash(name.as_bytes()) & (size - 1);
                while self.table[index].is_some() {
                    index = (index + 1) & (size - 1);
                }
                self.table[index] = Some(name);
            }
        }
        copy
    }
}

impl<'a, 's> Parser<'a, 's> {
    pub(crate) fn new(src: &'s [u8], tokens: &'s [Token], arena: &'a Arena) -> Self {
        Parser {
            src,
            tokens,
            pos: 0,
            arena,
            max_int_digits: 4300,
            barry_as_flufl: false,
            feature_version: u8::MAX,
            too_new: None,
            constant_name: None,
            warnings: Vec::new(),
            names: Names::new(),
            exprs: Vec::new(),
            stmts: Vec::new(),
            depth: 0,
            too_deep: false,
            statement_start: 0,
            last_compound: (0, 0),
            compound_before: (0, 0),
        }
    }

    /// The token at the current position; the last one, which no production consumes, beyond the end.
    #[inline]
    fn token(&self) -> Token {
        self.tokens[self.pos]
    }

    #[inline]
    fn kind(&self) -> Tok {
        self.tokens[self.pos].kind
    }

    #[inline]
    fn peek(&self, ahead: usize) -> Tok {
        self.tokens.get(self.pos + ahead).map_or(Tok::EndMarker, |token| token.kind)
    }

    /// Position of the current token: where a node starts.
    #[inline]
    fn start(&self) -> Range {
        self.tokens[self.pos].range
    }

    /// From `start` to the end of the last consumed token.
    #[inline]
    fn range(&self, start: Range) -> Range {
        start.to(self.tokens[self.pos - 1].range)
    }

    /// Like [`Self::range`], but for compound statements, after which `NEWLINE` and `DEDENT` were consumed.
    fn block_range(&self, start: Range) -> Range {
        let mut last = self.pos - 1;
        while last > 0 && matches!(self.tokens[last].kind, Tok::Newline | Tok::Indent | Tok::Dedent) {
            last -= 1;
        }
        start.to(self.tokens[last].range)
    }

    /// Consumes the current token, whatever it is, unless the stream ends there.
    #[inline]
    fn bump(&mut self) {
        if self.pos + 1 < self.tokens.len() {
            self.pos += 1;
        }
    }

    #[inline]
    fn eat(&mut self, kind: Tok) -> bool {
        if self.kind() == kind {
            self.bump();
            return true;
        }
        false
    }

    #[inline]
    fn expect(&mut self, kind: Tok) -> Parse<()> {
        if self.eat(kind) { Ok(()) } else { Err(Fail) }
    }

    fn text(&self, token: Token) -> &'s [u8] {
        &self.src[token.start as usize..token.end as usize]
    }

    /// Whether the current token is the name `word`, for soft keywords.
    fn at_word(&self, word: &str) -> bool {
        self.kind() == Tok::Name && self.text(self.token()) == word.as_bytes()
    }

    fn name(&mut self) -> Parse<Identifier<'a>> {
        if self.kind() != Tok::Name {
            return Err(Fail);
        }
        let name = self.identifier(self.token());
        self.bump();
        Ok(name)
    }

    pub(crate) fn identifier(&mut self, token: Token) -> Identifier<'a> {
        let text = std::str::from_utf8(self.text(token)).unwrap_or_default();
        if text.is_ascii() {
            return self.names.intern(text, self.arena);
        }
        let text = crate::ident::normalize(text);
        if matches!(&*text, "None" | "True" | "False") {
            self.constant_name.get_or_insert_with(|| text.to_string());
        }
        self.names.intern(&text, self.arena)
    }

    /// Runs a production that may recurse; `cost` is about the number of calls it stands for.
    #[inline]
    fn descend<T>(&mut self, cost: u32, production: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        self.depth += cost;
        if self.depth > MAX_DEPTH {
            self.too_deep = true;
            return Err(Fail);
        }
        let result = production(self);
        self.depth -= cost;
        result
    }

    /// Fails if the accepted grammar is older than 3.`minor`. The token blamed is the one reached, or the one before.
    #[inline]
    fn require(&mut self, minor: u8, what: &str, before: bool) -> Parse<()> {
        if self.feature_version >= minor {
            return Ok(());
        }
        let message = format!("{what} only supported in Python 3.{minor} and greater");
        self.too_new.get_or_insert((message, self.pos - usize::from(before)));
        Err(Fail)
    }

    /// Tries a production and goes back if it fails.
    fn attempt<T>(&mut self, production: impl FnOnce(&mut Self) -> Parse<T>) -> Option<T> {
        let (pos, depth, warnings) = (self.pos, self.depth, self.warnings.len());
        let (exprs, stmts) = (self.exprs.len(), self.stmts.len());
        match production(self) {
            Ok(value) => Some(value),
            Err(Fail) => {
                self.pos = pos;
                self.depth = depth;
                self.warnings.truncate(warnings);
                self.exprs.truncate(exprs);
                self.stmts.truncate(stmts);
                None
            }
        }
    }

    #[inline]
    fn expr(&self, range: Range, kind: ExprKind<'a>) -> ExprRef<'a> {
        self.arena.alloc(Expr { range, kind })
    }

    /// The expression that starts at `start` and ends with the last consumed token.
    #[inline]
    fn expr_from(&self, start: Range, kind: ExprKind<'a>) -> ExprRef<'a> {
        self.expr(self.range(start), kind)
    }

    fn take_exprs(&mut self, mark: usize) -> ExprList<'a> {
        let list = self.arena.alloc_slice_copy(&self.exprs[mark..]);
        self.exprs.truncate(mark);
        list
    }

    fn list<T: Copy>(&self, items: &[T]) -> &'a [T] {
        if items.is_empty() { &[] } else { self.arena.alloc_slice_copy(items) }
    }

    /// Mode `exec`.
    pub(crate) fn file(&mut self, type_ignores: &'a [TypeIgnore<'a>]) -> Parse<Mod<'a>> {
        let mark = self.stmts.len();
        let mut previous = (0, (0, 0));
        while self.kind() != Tok::EndMarker {
            // An error may be due to the statement before: `elif` after `else`.
            (self.statement_start, self.compound_before) = previous;
            previous = (self.pos, self.last_compound);
            self.statement()?;
        }
        let body = self.arena.alloc_slice_copy(&self.stmts[mark..]);
        Ok(Mod::Module { body, type_ignores })
    }

    /// Mode `eval`.
    pub(crate) fn eval(&mut self) -> Parse<Mod<'a>> {
        let body = self.expressions()?;
        while self.eat(Tok::Newline) {}
        if self.kind() != Tok::EndMarker {
            return Err(Fail);
        }
        Ok(Mod::Expression { body })
    }

    /// Mode `single`.
    pub(crate) fn interactive(&mut self) -> Parse<Mod<'a>> {
        let mark = self.stmts.len();
        if self.kind() == Tok::Newline {
            let range = self.start();
            self.bump();
            self.stmts.push(self.arena.alloc(Stmt { range, kind: StmtKind::Pass }));
        } else if self.at_compound() {
            let stmt = self.compound()?;
            self.stmts.push(stmt);
            self.expect(Tok::Newline)?;
        } else {
            self.statement()?;
        }
        let body = self.arena.alloc_slice_copy(&self.stmts[mark..]);
        Ok(Mod::Interactive { body })
    }

    /// Mode `func_type`.
    pub(crate) fn func_type(&mut self) -> Parse<Mod<'a>> {
        self.expect(Tok::LPar)?;
        let mut argtypes = Vec::new();
        let mut stars = 0;
        while self.kind() != Tok::RPar {
            let starred = match self.kind() {
                Tok::Star => 1,
                Tok::DoubleStar => 2,
                _ => 0,
            };
            if starred != 0 {
                if starred <= stars {
                    return Err(Fail);
                }
                stars = starred;
                self.bump();
            } else if stars != 0 {
                return Err(Fail);
            }
            argtypes.push(self.expression()?);
            if self.kind() != Tok::RPar {
                self.expect(Tok::Comma)?;
                if self.kind() == Tok::RPar {
                    return Err(Fail);
                }
            }
        }
        self.expect(Tok::RPar)?;
        self.expect(Tok::RArrow)?;
        let returns = self.expression()?;
        while self.eat(Tok::Newline) {}
        if self.kind() != Tok::EndMarker {
            return Err(Fail);
        }
        Ok(Mod::FunctionType { argtypes: self.list(&argtypes), returns })
    }

    /// The same expression as a target: `ctx` set in it and in the elements that are targets with it.
    /// Fails for what can't be one.
    fn as_target(&mut self, expr: ExprRef<'a>, ctx: ExprContext) -> Parse<ExprRef<'a>> {
        let kind = match expr.kind {
            ExprKind::Name { id, .. } => ExprKind::Name { id, ctx },
            ExprKind::Attribute { value, attr, .. } => ExprKind::Attribute { value, attr, ctx },
            ExprKind::Subscript { value, slice, .. } => ExprKind::Subscript { value, slice, ctx },
            ExprKind::Starred { value, .. } if ctx == ExprContext::Store => {
                if matches!(value.kind, ExprKind::Starred { .. }) {
                    return Err(Fail);
                }
                ExprKind::Starred { value: self.as_target(value, ctx)?, ctx }
            }
            ExprKind::Tuple { elts, .. } => ExprKind::Tuple { elts: self.as_targets(elts, ctx)?, ctx },
            ExprKind::List { elts, .. } => ExprKind::List { elts: self.as_targets(elts, ctx)?, ctx },
            _ => return Err(Fail),
        };
        Ok(self.expr(expr.range, kind))
    }

    fn as_targets(&mut self, elts: ExprList<'a>, ctx: ExprContext) -> Parse<ExprList<'a>> {
        let mark = self.exprs.len();
        for elt in elts {
            let target = self.as_target(elt, ctx)?;
            self.exprs.push(target);
        }
        Ok(self.take_exprs(mark))
    }
}
