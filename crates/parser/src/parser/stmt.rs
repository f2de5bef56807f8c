//! Simple statements, and the choice between all statements.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Tok;

impl<'a> Parser<'a, '_> {
    pub(super) fn statements_until(&mut self, end: Tok) -> Parse<Body<'a>> {
        let mark = self.stmts.len();
        while self.kind() != end {
            self.statement()?;
        }
        let body = self.arena.alloc_slice_copy(&self.stmts[mark..]);
        self.stmts.truncate(mark);
        Ok(body)
    }

    /// Reads a compound statement or a line of simple ones and pushes them.
    pub(super) fn statement(&mut self) -> Parse<()> {
        if self.at_compound() {
            let stmt = self.compound()?;
            self.note_compound(stmt);
            self.stmts.push(stmt);
            return Ok(());
        }
        if self.at_word("match")
            && let Some(stmt) = self.match_stmt()?
        {
            self.note_compound(stmt);
            self.stmts.push(stmt);
            return Ok(());
        }
        self.simple_line()
    }

    /// Remembers where the last compound statement starts; CPython forgets functions here.
    fn note_compound(&mut self, stmt: &Stmt<'a>) {
        let is_function = matches!(stmt.kind, StmtKind::FunctionDef(_) | StmtKind::AsyncFunctionDef(_));
        if stmt.range.line >= self.last_compound.0 && !is_function {
            self.last_compound = (stmt.range.line, stmt.range.col);
        }
    }

    /// Simple statements up to the end of the line.
    pub(super) fn simple_line(&mut self) -> Parse<()> {
        loop {
            let stmt = self.simple()?;
            self.stmts.push(stmt);
            if !self.eat(Tok::Semi) {
                return self.expect(Tok::Newline);
            }
            if self.eat(Tok::Newline) {
                return Ok(());
            }
        }
    }

    pub(super) fn stmt(&self, range: Range, kind: StmtKind<'a>) -> &'a Stmt<'a> {
        self.arena.alloc(Stmt { range, kind })
    }

    fn simple(&mut self) -> Parse<&'a Stmt<'a>> {
        let start = self.start();
        let kind = match self.kind() {
            Tok::Pass => {
                self.bump();
                StmtKind::Pass
            }
            Tok::Break => {
                self.bump();
                StmtKind::Break
            }
            Tok::Continue => {
                self.bump();
                StmtKind::Continue
            }
            Tok::Return => {
                self.bump();
                let value = if self.at_simple_end() { None } else { Some(self.star_expressions()?) };
                StmtKind::Return { value }
            }
            Tok::Raise => {
                self.bump();
                if self.at_simple_end() {
                    StmtKind::Raise { exc: None, cause: None }
                } else {
                    let exc = Some(self.expression()?);
                    let cause = if self.eat(Tok::From) { Some(self.expression()?) } else { None };
                    StmtKind::Raise { exc, cause }
                }
            }
            Tok::Assert => {
                self.bump();
                let test = self.expression()?;
                let msg = if self.eat(Tok::Comma) { Some(self.expression()?) } else { None };
                StmtKind::Assert { test, msg }
            }
            Tok::Global => {
                self.bump();
                StmtKind::Global { names: self.names_list()? }
            }
            Tok::Nonlocal => {
                self.bump();
                StmtKind::Nonlocal { names: self.names_list()? }
            }
            Tok::Del => self.delete()?,
            Tok::Import => {
                self.bump();
                self.import()?
            }
            Tok::From => {
                self.bump();
                self.import_from()?
            }
            Tok::Name if self.peek(1) == Tok::Name && self.at_word("type") => self.type_alias()?,
            _ => self.assignment()?,
        };
        Ok(self.stmt(self.range(start), kind))
    }

    fn at_simple_end(&self) -> bool {
        matches!(self.kind(), Tok::Newline | Tok::Semi)
    }

    fn names_list(&mut self) -> Parse<&'a [Identifier<'a>]> {
        let mut names = vec![self.name()?];
        while self.eat(Tok::Comma) {
            names.push(self.name()?);
        }
        Ok(self.list(&names))
    }

    fn delete(&mut self) -> Parse<StmtKind<'a>> {
        self.bump();
        let mark = self.exprs.len();
        loop {
            if self.at_simple_end() {
                break;
            }
            // A deletion target is a primary; reading it as one leaves operators to fail below.
            let target = self.primary_expr()?;
            let target = self.as_target(target, ExprContext::Del)?;
            self.exprs.push(target);
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        if self.exprs.len() == mark || !self.at_simple_end() {
            return Err(Fail);
        }
        Ok(StmtKind::Delete { targets: self.take_exprs(mark) })
    }

    fn dotted_name(&mut self) -> Parse<Identifier<'a>> {
        let first = self.name()?;
        if self.kind() != Tok::Dot {
            return Ok(first);
        }
        let mut whole = String::from(first);
        while self.eat(Tok::Dot) {
            whole.push('.');
            whole.push_str(self.name()?);
        }
        Ok(self.names.intern(&whole, self.arena))
    }

    fn import(&mut self) -> Parse<StmtKind<'a>> {
        let mut names = Vec::new();
        loop {
            let start = self.start();
            let name = self.dotted_name()?;
            let asname = if self.eat(Tok::As) { Some(self.name()?) } else { None };
            names.push(Alias { range: self.range(start), name, asname });
            if !self.eat(Tok::Comma) {
                return Ok(StmtKind::Import { names: self.list(&names) });
            }
        }
    }

    fn import_from(&mut self) -> Parse<StmtKind<'a>> {
        let mut level = 0i32;
        loop {
            match self.kind() {
                Tok::Dot => level += 1,
                Tok::Ellipsis => level += 3,
                _ => break,
            }
            self.bump();
        }
        let module = if self.kind() == Tok::Name || level == 0 { Some(self.dotted_name()?) } else { None };
        self.expect(Tok::Import)?;
        let start = self.start();
        if self.eat(Tok::Star) {
            let alias = Alias { range: self.range(start), name: "*", asname: None };
            return Ok(StmtKind::ImportFrom { module, names: self.list(&[alias]), level });
        }
        let parenthesized = self.eat(Tok::LPar);
        let mut names = Vec::new();
        loop {
            let start = self.start();
            let name = self.name()?;
            let asname = if self.eat(Tok::As) { Some(self.name()?) } else { None };
            names.push(Alias { range: self.range(start), name, asname });
            if !self.eat(Tok::Comma) || (parenthesized && self.kind() == Tok::RPar) {
                break;
            }
        }
        if parenthesized {
            self.expect(Tok::RPar)?;
        }
        if module == Some("__future__")
            && level == 0
            && names.iter().any(|alias| alias.name == "barry_as_FLUFL")
        {
            self.barry_as_flufl = true;
        }
        Ok(StmtKind::ImportFrom { module, names: self.list(&names), level })
    }

    fn type_alias(&mut self) -> Parse<StmtKind<'a>> {
        self.bump();
        let start = self.start();
        let id = self.name()?;
        let name = self.expr_from(start, ExprKind::Name { id, ctx: ExprContext::Store });
        let type_params = self.type_params()?;
        self.expect(Tok::Equal)?;
        let value = self.expression()?;
        self.require(12, "Type statement is", false)?;
        Ok(StmtKind::TypeAlias { name, type_params, value })
    }

    /// A `# type:` comment, if one comes next.
    pub(super) fn type_comment(&mut self) -> Option<&'a str> {
        if self.kind() != Tok::TypeComment {
            return None;
        }
        let text = String::from_utf8_lossy(self.text(self.token())).into_owned();
        self.bump();
        Some(self.arena.alloc_str(&text))
    }

    /// The right side of `=`, `:=`-less: a yield expression or an expression list.
    fn annotated_rhs(&mut self) -> Parse<ExprRef<'a>> {
        if self.kind() == Tok::Yield { self.yield_expr() } else { self.star_expressions() }
    }

    fn assignment(&mut self) -> Parse<StmtKind<'a>> {
        let first = self.kind();
        let value = self.annotated_rhs()?;
        match self.kind() {
            Tok::Newline | Tok::Semi => Ok(StmtKind::Expr { value }),
            Tok::Equal => self.assign(value),
            Tok::Colon => {
                let parenthesized = first == Tok::LPar;
                let simple = match value.kind {
                    ExprKind::Name { .. } => !parenthesized,
                    ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => false,
                    _ => return Err(Fail),
                };
                self.bump();
                let target = self.as_target(value, ExprContext::Store)?;
                let annotation = self.expression()?;
                let value = if self.eat(Tok::Equal) { Some(self.annotated_rhs()?) } else { None };
                let what =
                    if simple { "Variable annotation syntax is" } else { "Variable annotations syntax is" };
                self.require(6, what, false)?;
                Ok(StmtKind::AnnAssign { target, annotation, value, simple })
            }
            kind => {
                let op = match kind {
                    Tok::PlusEqual => Operator::Add,
                    Tok::MinEqual => Operator::Sub,
                    Tok::StarEqual => Operator::Mult,
                    Tok::AtEqual => Operator::MatMult,
                    Tok::SlashEqual => Operator::Div,
                    Tok::PercentEqual => Operator::Mod,
                    Tok::AmperEqual => Operator::BitAnd,
                    Tok::VBarEqual => Operator::BitOr,
                    Tok::CircumflexEqual => Operator::BitXor,
                    Tok::LeftShiftEqual => Operator::LShift,
                    Tok::RightShiftEqual => Operator::RShift,
                    Tok::DoubleStarEqual => Operator::Pow,
                    Tok::DoubleSlashEqual => Operator::FloorDiv,
                    _ => return Err(Fail),
                };
                let single = matches!(
                    value.kind,
                    ExprKind::Name { .. } | ExprKind::Attribute { .. } | ExprKind::Subscript { .. }
                );
                if !single {
                    return Err(Fail);
                }
                self.bump();
                if op == Operator::MatMult {
                    self.require(5, "The '@' operator is", true)?;
                }
                let target = self.as_target(value, ExprContext::Store)?;
                let value = self.annotated_rhs()?;
                Ok(StmtKind::AugAssign { target, op, value })
            }
        }
    }

    fn assign(&mut self, first: ExprRef<'a>) -> Parse<StmtKind<'a>> {
        let mark = self.exprs.len();
        let mut value = first;
        while self.eat(Tok::Equal) {
            let target = self.as_target(value, ExprContext::Store)?;
            self.exprs.push(target);
            value = self.annotated_rhs()?;
        }
        let type_comment = self.type_comment();
        Ok(StmtKind::Assign { targets: self.take_exprs(mark), value, type_comment })
    }
}
