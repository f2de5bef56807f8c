//! Compound statements other than `match`.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Tok;

impl<'a> Parser<'a, '_> {
    pub(super) fn at_compound(&self) -> bool {
        matches!(
            self.kind(),
            Tok::If
                | Tok::While
                | Tok::For
                | Tok::Try
                | Tok::With
                | Tok::Def
                | Tok::Class
                | Tok::At
                | Tok::Async
        )
    }

    pub(super) fn compound(&mut self) -> Parse<&'a Stmt<'a>> {
        self.descend(4, |p| match p.kind() {
            Tok::If => p.if_stmt(),
            Tok::While => p.while_stmt(),
            Tok::For => p.for_stmt(p.start(), false),
            Tok::Try => p.try_stmt(),
            Tok::With => p.with_stmt(p.start(), false),
            Tok::Def => p.function_def(p.start(), &[], false),
            Tok::Class => p.class_def(&[]),
            Tok::At => p.decorated(),
            Tok::Async => {
                let start = p.start();
                p.bump();
                match p.kind() {
                    Tok::Def => p.function_def(start, &[], true),
                    Tok::For => p.for_stmt(start, true),
                    Tok::With => p.with_stmt(start, true),
                    _ => Err(Fail),
                }
            }
            _ => Err(Fail),
        })
    }

    /// `block`, after the colon.
    pub(super) fn block(&mut self) -> Parse<Body<'a>> {
        if !self.eat(Tok::Newline) {
            let mark = self.stmts.len();
            if self.at_compound() {
                return Err(Fail);
            }
            self.simple_line()?;
            let body = self.arena.alloc_slice_copy(&self.stmts[mark..]);
            self.stmts.truncate(mark);
            return Ok(body);
        }
        self.expect(Tok::Indent)?;
        let body = self.statements_until(Tok::Dedent)?;
        if body.is_empty() {
            return Err(Fail);
        }
        self.bump();
        Ok(body)
    }

    fn colon_block(&mut self) -> Parse<Body<'a>> {
        self.expect(Tok::Colon)?;
        self.block()
    }

    fn optional_block(&mut self, keyword: Tok) -> Parse<Body<'a>> {
        if self.eat(keyword) { self.colon_block() } else { Ok(&[]) }
    }

    /// `if` or `elif` with all that follows.
    fn if_stmt(&mut self) -> Parse<&'a Stmt<'a>> {
        let start = self.start();
        self.bump();
        let test = self.named_expression()?;
        let body = self.colon_block()?;
        let orelse = if self.kind() == Tok::Elif {
            let elif = self.descend(1, Self::if_stmt)?;
            self.list(&[elif])
        } else {
            self.optional_block(Tok::Else)?
        };
        Ok(self.stmt(self.block_range(start), StmtKind::If { test, body, orelse }))
    }

    fn while_stmt(&mut self) -> Parse<&'a Stmt<'a>> {
        let start = self.start();
        self.bump();
        let test = self.named_expression()?;
        let body = self.colon_block()?;
        let orelse = self.optional_block(Tok::Else)?;
        Ok(self.stmt(self.block_range(start), StmtKind::While { test, body, orelse }))
    }

    fn for_stmt(&mut self, start: Range, is_async: bool) -> Parse<&'a Stmt<'a>> {
        self.bump();
        let target = self.star_targets()?;
        self.expect(Tok::In)?;
        let iter = self.star_expressions()?;
        self.expect(Tok::Colon)?;
        let type_comment = self.type_comment();
        let body = self.block()?;
        let orelse = self.optional_block(Tok::Else)?;
        if is_async {
            self.require(5, "Async for loops are", false)?;
        }
        let node = &*self.arena.alloc(For { target, iter, body, orelse, type_comment });
        let kind = if is_async { StmtKind::AsyncFor(node) } else { StmtKind::For(node) };
        Ok(self.stmt(self.block_range(start), kind))
    }

    fn with_stmt(&mut self, start: Range, is_async: bool) -> Parse<&'a Stmt<'a>> {
        self.bump();
        let mut items = None;
        if self.kind() == Tok::LPar {
            items = self.attempt(Self::parenthesized_items);
        }
        let items = match items {
            Some(items) => items,
            None => {
                let mut items = vec![self.with_item()?];
                while self.eat(Tok::Comma) {
                    items.push(self.with_item()?);
                }
                self.list(&items)
            }
        };
        self.expect(Tok::Colon)?;
        let type_comment = self.type_comment();
        let body = self.block()?;
        if is_async {
            self.require(5, "Async with statements are", true)?;
        }
        let node = &*self.arena.alloc(With { items, body, type_comment });
        let kind = if is_async { StmtKind::AsyncWith(node) } else { StmtKind::With(node) };
        Ok(self.stmt(self.block_range(start), kind))
    }

    fn parenthesized_items(&mut self) -> Parse<&'a [WithItem<'a>]> {
        self.bump();
        let mut items = Vec::new();
        while self.kind() != Tok::RPar {
            items.push(self.with_item()?);
            if self.kind() != Tok::RPar {
                self.expect(Tok::Comma)?;
            }
        }
        self.bump();
        if items.is_empty() || self.kind() != Tok::Colon {
            return Err(Fail);
        }
        Ok(self.list(&items))
    }

    fn with_item(&mut self) -> Parse<WithItem<'a>> {
        let context_expr = self.expression()?;
        if !self.eat(Tok::As) {
            return Ok(WithItem { context_expr, optional_vars: None });
        }
        let target = self.star_target()?;
        if !matches!(self.kind(), Tok::Comma | Tok::RPar | Tok::Colon) {
            return Err(Fail);
        }
        Ok(WithItem { context_expr, optional_vars: Some(target) })
    }

    fn try_stmt(&mut self) -> Parse<&'a Stmt<'a>> {
        let start = self.start();
        self.bump();
        let body = self.colon_block()?;
        let mut handlers = Vec::new();
        let mut star = None;
        while self.kind() == Tok::Except {
            let is_star = self.peek(1) == Tok::Star;
            if star.is_some_and(|star| star != is_star) {
                return Err(Fail);
            }
            star = Some(is_star);
            handlers.push(self.except_block(is_star)?);
        }
        let orelse = if handlers.is_empty() { &[][..] } else { self.optional_block(Tok::Else)? };
        let finalbody = self.optional_block(Tok::Finally)?;
        if handlers.is_empty() && finalbody.is_empty() {
            return Err(Fail);
        }
        let handlers = self.list(&handlers);
        if star == Some(true) {
            self.require(11, "Exception groups are", false)?;
        }
        let node = &*self.arena.alloc(Try { body, handlers, orelse, finalbody });
        let kind = if star == Some(true) { StmtKind::TryStar(node) } else { StmtKind::Try(node) };
        Ok(self.stmt(self.block_range(start), kind))
    }

    fn except_block(&mut self, star: bool) -> Parse<ExceptHandler<'a>> {
        let start = self.start();
        self.bump();
        if star {
            self.bump();
        }
        let (mut type_, mut name, mut open_tuple) = (None, None, false);
        if self.kind() != Tok::Colon || star {
            let expr_start = self.start();
            let first = self.expression()?;
            if self.eat(Tok::As) {
                name = Some(self.name()?);
                type_ = Some(first);
            } else if self.kind() == Tok::Comma {
                open_tuple = true;
                let mark = self.exprs.len();
                self.exprs.push(first);
                while self.eat(Tok::Comma) {
                    if self.kind() == Tok::Colon {
                        break;
                    }
                    let next = self.expression()?;
                    self.exprs.push(next);
                }
                let elts = self.take_exprs(mark);
                type_ = Some(self.expr_from(expr_start, ExprKind::Tuple { elts, ctx: ExprContext::Load }));
            } else {
                type_ = Some(first);
            }
        }
        let body = self.colon_block()?;
        if open_tuple {
            self.require(14, "except expressions without parentheses are", true)?;
        }
        Ok(ExceptHandler { range: self.block_range(start), type_, name, body })
    }

    fn decorated(&mut self) -> Parse<&'a Stmt<'a>> {
        let mark = self.exprs.len();
        while self.eat(Tok::At) {
            let decorator = self.named_expression()?;
            self.exprs.push(decorator);
            self.expect(Tok::Newline)?;
        }
        let decorators = self.take_exprs(mark);
        let start = self.start();
        match self.kind() {
            Tok::Def => self.function_def(start, decorators, false),
            Tok::Class => self.class_def(decorators),
            Tok::Async if self.peek(1) == Tok::Def => {
                self.bump();
                self.function_def(start, decorators, true)
            }
            _ => Err(Fail),
        }
    }

    fn function_def(
        &mut self,
        start: Range,
        decorator_list: ExprList<'a>,
        is_async: bool,
    ) -> Parse<&'a Stmt<'a>> {
        self.bump();
        let name = self.name()?;
        let type_params = self.type_params()?;
        self.expect(Tok::LPar)?;
        let args = self.parameters(false)?;
        self.expect(Tok::RPar)?;
        let returns = if self.eat(Tok::RArrow) { Some(self.expression()?) } else { None };
        self.expect(Tok::Colon)?;
        let type_comment = self.func_type_comment()?;
        let body = self.block()?;
        if is_async {
            self.require(5, "Async functions are", true)?;
        }
        let node = FunctionDef { name, args, body, decorator_list, returns, type_comment, type_params };
        let node = &*self.arena.alloc(node);
        let kind = if is_async { StmtKind::AsyncFunctionDef(node) } else { StmtKind::FunctionDef(node) };
        Ok(self.stmt(self.block_range(start), kind))
    }

    fn func_type_comment(&mut self) -> Parse<Option<&'a str>> {
        if self.kind() == Tok::Newline && self.peek(1) == Tok::TypeComment {
            if self.peek(2) != Tok::Newline || self.peek(3) != Tok::Indent {
                return Err(Fail);
            }
            self.bump();
        } else if self.kind() == Tok::TypeComment
            && self.peek(1) == Tok::Newline
            && self.peek(2) == Tok::Newline
        {
            return Err(Fail);
        }
        Ok(self.type_comment())
    }

    fn class_def(&mut self, decorator_list: ExprList<'a>) -> Parse<&'a Stmt<'a>> {
        let start = self.start();
        self.bump();
        let name = self.name()?;
        let type_params = self.type_params()?;
        let (mut bases, mut keywords) = (&[][..], &[][..]);
        if self.kind() == Tok::LPar {
            (bases, keywords) = self.call_arguments()?;
            let open = self.tokens[self.pos - 1].range;
            let lone_generator = bases.first().is_some_and(|base| {
                matches!(base.kind, ExprKind::GeneratorExp { .. })
                    && (base.range.end_line, base.range.end_col) == (open.end_line, open.end_col)
            });
            if lone_generator {
                return Err(Fail);
            }
        }
        let body = self.colon_block()?;
        let node = ClassDef { name, bases, keywords, body, decorator_list, type_params };
        let kind = StmtKind::ClassDef(self.arena.alloc(node));
        Ok(self.stmt(self.block_range(start), kind))
    }
}
