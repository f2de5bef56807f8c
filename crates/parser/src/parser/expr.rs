//! Expressions, by precedence climbing.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Tok;

/// Binding power of the binary operators between comparison and unary; 0 for other tokens.
#[inline]
fn binary(kind: Tok) -> (u8, Operator) {
    match kind {
        Tok::VBar => (1, Operator::BitOr),
        Tok::Circumflex => (2, Operator::BitXor),
        Tok::Amper => (3, Operator::BitAnd),
        Tok::LeftShift => (4, Operator::LShift),
        Tok::RightShift => (4, Operator::RShift),
        Tok::Plus => (5, Operator::Add),
        Tok::Minus => (5, Operator::Sub),
        Tok::Star => (6, Operator::Mult),
        Tok::Slash => (6, Operator::Div),
        Tok::DoubleSlash => (6, Operator::FloorDiv),
        Tok::Percent => (6, Operator::Mod),
        Tok::At => (6, Operator::MatMult),
        _ => (0, Operator::Add),
    }
}

impl<'a> Parser<'a, '_> {
    /// Whether the current token can't start an expression: where an expression list ends after a comma.
    fn at_list_end(&self) -> bool {
        use Tok::*;
        match self.kind() {
            Name | Number | String | FStringStart | TStringStart | LPar | LSqb | LBrace | Minus | Plus
            | Tilde | Ellipsis | False | None | True | Await | Lambda | Not | Star => false,
            // Anything else ends the list; if that is wrong, the next production notices.
            _ => true,
        }
    }

    /// A comma-separated list read by `element`: one element alone, or a tuple.
    fn list_or_one(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Parse<ExprRef<'a>>,
    ) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let first = element(self)?;
        if self.kind() != Tok::Comma {
            return Ok(first);
        }
        let mark = self.exprs.len();
        self.exprs.push(first);
        while self.eat(Tok::Comma) {
            if self.at_list_end() {
                break;
            }
            let next = element(self)?;
            self.exprs.push(next);
        }
        let elts = self.take_exprs(mark);
        Ok(self.expr_from(start, ExprKind::Tuple { elts, ctx: ExprContext::Load }))
    }

    /// `expressions`
    pub(super) fn expressions(&mut self) -> Parse<ExprRef<'a>> {
        self.list_or_one(Self::expression)
    }

    /// `star_expressions`
    pub(super) fn star_expressions(&mut self) -> Parse<ExprRef<'a>> {
        self.list_or_one(Self::star_expression)
    }

    fn starred(&mut self, operand: impl FnOnce(&mut Self) -> Parse<ExprRef<'a>>) -> Parse<ExprRef<'a>> {
        let start = self.start();
        self.expect(Tok::Star)?;
        let value = operand(self)?;
        Ok(self.expr_from(start, ExprKind::Starred { value, ctx: ExprContext::Load }))
    }

    fn star_expression(&mut self) -> Parse<ExprRef<'a>> {
        if self.kind() == Tok::Star { self.starred(|p| p.bitwise_or()) } else { self.expression() }
    }

    pub(super) fn star_named_expression(&mut self) -> Parse<ExprRef<'a>> {
        if self.kind() == Tok::Star { self.starred(|p| p.bitwise_or()) } else { self.named_expression() }
    }

    /// `*` and a full expression, as in calls.
    pub(super) fn starred_expression(&mut self) -> Parse<ExprRef<'a>> {
        self.starred(Self::expression)
    }

    pub(super) fn named_expression(&mut self) -> Parse<ExprRef<'a>> {
        if self.kind() == Tok::Name && self.peek(1) == Tok::ColonEqual {
            let start = self.start();
            let id = self.name()?;
            let target = self.expr_from(start, ExprKind::Name { id, ctx: ExprContext::Store });
            self.bump();
            let value = self.expression()?;
            self.require(8, "Assignment expressions are", false)?;
            return Ok(self.expr_from(start, ExprKind::NamedExpr { target, value }));
        }
        let expr = self.expression()?;
        if self.kind() == Tok::ColonEqual { Err(Fail) } else { Ok(expr) }
    }

    pub(super) fn yield_expr(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        self.expect(Tok::Yield)?;
        if self.eat(Tok::From) {
            let value = self.expression()?;
            return Ok(self.expr_from(start, ExprKind::YieldFrom { value }));
        }
        let value = if self.at_list_end() { None } else { Some(self.star_expressions()?) };
        Ok(self.expr_from(start, ExprKind::Yield { value }))
    }

    pub(super) fn expression(&mut self) -> Parse<ExprRef<'a>> {
        if self.kind() == Tok::Lambda {
            return self.descend(2, Self::lambda);
        }
        let start = self.start();
        let body = self.disjunction()?;
        if self.kind() != Tok::If {
            return Ok(body);
        }
        self.bump();
        let test = self.disjunction()?;
        self.expect(Tok::Else)?;
        let orelse = self.descend(1, Self::expression)?;
        Ok(self.expr_from(start, ExprKind::IfExp { test, body, orelse }))
    }

    fn lambda(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        self.bump();
        let args = self.parameters(true)?;
        self.expect(Tok::Colon)?;
        let body = self.expression()?;
        Ok(self.expr_from(start, ExprKind::Lambda { args, body }))
    }

    pub(super) fn disjunction(&mut self) -> Parse<ExprRef<'a>> {
        self.bool_op(Tok::Or, BoolOp::Or, |p| p.bool_op(Tok::And, BoolOp::And, Self::inversion))
    }

    #[inline]
    fn bool_op(
        &mut self,
        token: Tok,
        op: BoolOp,
        operand: impl Fn(&mut Self) -> Parse<ExprRef<'a>>,
    ) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let first = operand(self)?;
        if self.kind() != token {
            return Ok(first);
        }
        let mark = self.exprs.len();
        self.exprs.push(first);
        while self.eat(token) {
            let next = operand(self)?;
            self.exprs.push(next);
        }
        let values = self.take_exprs(mark);
        Ok(self.expr_from(start, ExprKind::BoolOp { op, values }))
    }

    fn inversion(&mut self) -> Parse<ExprRef<'a>> {
        if self.kind() != Tok::Not {
            return self.comparison();
        }
        let start = self.start();
        self.bump();
        let operand = self.descend(1, Self::inversion)?;
        Ok(self.expr_from(start, ExprKind::UnaryOp { op: UnaryOp::Not, operand }))
    }

    fn comparison(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let left = self.bitwise_or()?;
        let Some(first) = self.comparison_operator()? else { return Ok(left) };
        let mark = self.exprs.len();
        let right = self.bitwise_or()?;
        self.exprs.push(right);
        let Some(second) = self.comparison_operator()? else {
            let (ops, comparators) = (self.list(&[first]), self.take_exprs(mark));
            return Ok(self.expr_from(start, ExprKind::Compare { left, ops, comparators }));
        };
        let mut ops = vec![first, second];
        loop {
            let right = self.bitwise_or()?;
            self.exprs.push(right);
            match self.comparison_operator()? {
                Some(op) => ops.push(op),
                None => break,
            }
        }
        let (ops, comparators) = (self.list(&ops), self.take_exprs(mark));
        Ok(self.expr_from(start, ExprKind::Compare { left, ops, comparators }))
    }

    /// Consumes a comparison operator, if there is one.
    fn comparison_operator(&mut self) -> Parse<Option<CmpOp>> {
        let op = match self.kind() {
            Tok::EqEqual => CmpOp::Eq,
            Tok::NotEqual => {
                let spelt_old = self.text(self.token()) == b"<>";
                if spelt_old != self.barry_as_flufl {
                    return Err(Fail);
                }
                CmpOp::NotEq
            }
            Tok::Less => CmpOp::Lt,
            Tok::LessEqual => CmpOp::LtE,
            Tok::Greater => CmpOp::Gt,
            Tok::GreaterEqual => CmpOp::GtE,
            Tok::In => CmpOp::In,
            Tok::Not if self.peek(1) == Tok::In => {
                self.bump();
                CmpOp::NotIn
            }
            Tok::Is if self.peek(1) == Tok::Not => {
                self.bump();
                CmpOp::IsNot
            }
            Tok::Is => CmpOp::Is,
            _ => return Ok(None),
        };
        self.bump();
        Ok(Some(op))
    }

    /// `bitwise_or` and everything that binds tighter.
    pub(super) fn bitwise_or(&mut self) -> Parse<ExprRef<'a>> {
        self.binary(1)
    }

    fn binary(&mut self, least: u8) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let mut left = self.factor()?;
        loop {
            let (power, op) = binary(self.kind());
            if power < least {
                return Ok(left);
            }
            self.bump();
            let right = self.binary(power + 1)?;
            if op == Operator::MatMult {
                self.require(5, "The '@' operator is", false)?;
            }
            left = self.expr_from(start, ExprKind::BinOp { left, op, right });
        }
    }

    fn factor(&mut self) -> Parse<ExprRef<'a>> {
        let op = match self.kind() {
            Tok::Minus => UnaryOp::USub,
            Tok::Plus => UnaryOp::UAdd,
            Tok::Tilde => UnaryOp::Invert,
            _ => return self.power(),
        };
        let start = self.start();
        self.bump();
        let operand = self.descend(1, Self::factor)?;
        Ok(self.expr_from(start, ExprKind::UnaryOp { op, operand }))
    }

    fn power(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let left = if self.eat(Tok::Await) {
            let value = self.primary_expr()?;
            self.require(5, "Await expressions are", false)?;
            self.expr_from(start, ExprKind::Await { value })
        } else {
            self.primary_expr()?
        };
        if !self.eat(Tok::DoubleStar) {
            return Ok(left);
        }
        let right = self.descend(2, Self::factor)?;
        Ok(self.expr_from(start, ExprKind::BinOp { left, op: Operator::Pow, right }))
    }

    /// `primary`: an atom with attributes, calls and subscripts.
    pub(super) fn primary_expr(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let mut value = self.atom()?;
        loop {
            match self.kind() {
                Tok::Dot => {
                    self.bump();
                    let attr = self.name()?;
                    value =
                        self.expr_from(start, ExprKind::Attribute { value, attr, ctx: ExprContext::Load });
                }
                Tok::LPar => {
                    let func = value;
                    let (args, keywords) = self.descend(16, Self::call_arguments)?;
                    value = self.expr_from(start, ExprKind::Call { func, args, keywords });
                }
                Tok::LSqb => {
                    self.bump();
                    let slice = self.descend(16, Self::slices)?;
                    self.expect(Tok::RSqb)?;
                    value =
                        self.expr_from(start, ExprKind::Subscript { value, slice, ctx: ExprContext::Load });
                }
                _ => return Ok(value),
            }
        }
    }

    fn slices(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let lone_star = self.kind() == Tok::Star;
        let first = if lone_star { self.starred_expression()? } else { self.slice()? };
        if self.kind() != Tok::Comma && !lone_star {
            return Ok(first);
        }
        let mark = self.exprs.len();
        self.exprs.push(first);
        while self.eat(Tok::Comma) {
            if self.kind() == Tok::RSqb {
                break;
            }
            let next = if self.kind() == Tok::Star { self.starred_expression()? } else { self.slice()? };
            self.exprs.push(next);
        }
        let elts = self.take_exprs(mark);
        Ok(self.expr_from(start, ExprKind::Tuple { elts, ctx: ExprContext::Load }))
    }

    fn slice(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let ends = |kind| matches!(kind, Tok::Colon | Tok::Comma | Tok::RSqb);
        let lower = if self.kind() == Tok::Colon {
            None
        } else if self.peek(1) == Tok::ColonEqual {
            return self.named_expression();
        } else {
            Some(self.expression()?)
        };
        if self.kind() != Tok::Colon {
            return match lower {
                Some(expr) if self.kind() != Tok::ColonEqual => Ok(expr),
                _ => Err(Fail),
            };
        }
        self.bump();
        let upper = if ends(self.kind()) { None } else { Some(self.expression()?) };
        let step = if self.eat(Tok::Colon) && !ends(self.kind()) { Some(self.expression()?) } else { None };
        Ok(self.expr_from(start, ExprKind::Slice { lower, upper, step }))
    }

    fn constant(&mut self, value: Constant<'a>) -> Parse<ExprRef<'a>> {
        let start = self.start();
        self.bump();
        Ok(self.expr_from(start, ExprKind::Constant(value)))
    }

    fn atom(&mut self) -> Parse<ExprRef<'a>> {
        match self.kind() {
            Tok::Name => {
                let start = self.start();
                let id = self.name()?;
                Ok(self.expr_from(start, ExprKind::Name { id, ctx: ExprContext::Load }))
            }
            Tok::Number => self.number(),
            Tok::String | Tok::FStringStart | Tok::TStringStart => self.strings(),
            Tok::True => self.constant(Constant::True),
            Tok::False => self.constant(Constant::False),
            Tok::None => self.constant(Constant::None),
            Tok::Ellipsis => self.constant(Constant::Ellipsis),
            Tok::LPar => self.descend(16, Self::parenthesized),
            Tok::LSqb => self.descend(16, Self::list_display),
            Tok::LBrace => self.descend(16, Self::braces),
            _ => Err(Fail),
        }
    }

    fn at_comprehension(&self) -> bool {
        self.kind() == Tok::For || (self.kind() == Tok::Async && self.peek(1) == Tok::For)
    }

    /// Reads `*`-able elements up to the closing bracket `end`, after the first and its comma.
    fn more_elements(&mut self, end: Tok) -> Parse<()> {
        while self.eat(Tok::Comma) {
            if self.kind() == end {
                break;
            }
            let element = self.star_named_expression()?;
            self.exprs.push(element);
        }
        self.expect(end)
    }

    fn parenthesized(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        self.bump();
        let mark = self.exprs.len();
        if self.eat(Tok::RPar) {
            return Ok(self.expr_from(start, ExprKind::Tuple { elts: &[], ctx: ExprContext::Load }));
        }
        if self.kind() == Tok::Yield {
            let value = self.yield_expr()?;
            self.expect(Tok::RPar)?;
            return Ok(value);
        }
        let starred = self.kind() == Tok::Star;
        let first = self.star_named_expression()?;
        if self.kind() == Tok::RPar && !starred {
            self.bump();
            return Ok(first);
        }
        if self.at_comprehension() && !starred {
            let generators = self.comprehensions()?;
            self.expect(Tok::RPar)?;
            return Ok(self.expr_from(start, ExprKind::GeneratorExp { elt: first, generators }));
        }
        if self.kind() != Tok::Comma {
            return Err(Fail);
        }
        self.exprs.push(first);
        self.more_elements(Tok::RPar)?;
        let elts = self.take_exprs(mark);
        Ok(self.expr_from(start, ExprKind::Tuple { elts, ctx: ExprContext::Load }))
    }

    fn list_display(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        self.bump();
        let mark = self.exprs.len();
        if self.eat(Tok::RSqb) {
            return Ok(self.expr_from(start, ExprKind::List { elts: &[], ctx: ExprContext::Load }));
        }
        let starred = self.kind() == Tok::Star;
        let first = self.star_named_expression()?;
        if self.at_comprehension() && !starred {
            let generators = self.comprehensions()?;
            self.expect(Tok::RSqb)?;
            return Ok(self.expr_from(start, ExprKind::ListComp { elt: first, generators }));
        }
        self.exprs.push(first);
        self.more_elements(Tok::RSqb)?;
        let elts = self.take_exprs(mark);
        Ok(self.expr_from(start, ExprKind::List { elts, ctx: ExprContext::Load }))
    }

    /// A dict, a set, or a comprehension of either.
    fn braces(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        self.bump();
        let mark = self.exprs.len();
        if self.eat(Tok::RBrace) {
            return Ok(self.expr_from(start, ExprKind::Dict { keys: &[], values: &[] }));
        }
        if self.kind() == Tok::DoubleStar {
            return self.dict_items(start, None);
        }
        let starred = self.kind() == Tok::Star;
        let first = self.star_named_expression()?;
        if self.kind() == Tok::Colon && !starred {
            if matches!(first.kind, ExprKind::NamedExpr { .. }) && self.is_unparenthesized(start, first) {
                return Err(Fail);
            }
            return self.dict_items(start, Some(first));
        }
        if self.at_comprehension() && !starred {
            let generators = self.comprehensions()?;
            self.expect(Tok::RBrace)?;
            return Ok(self.expr_from(start, ExprKind::SetComp { elt: first, generators }));
        }
        self.exprs.push(first);
        self.more_elements(Tok::RBrace)?;
        let elts = self.take_exprs(mark);
        Ok(self.expr_from(start, ExprKind::Set { elts }))
    }

    /// Whether `expr`, read just before the current token, ends there without a parenthesis.
    fn is_unparenthesized(&self, _start: Range, expr: ExprRef<'a>) -> bool {
        let last = self.tokens[self.pos - 1].range;
        (last.end_line, last.end_col) == (expr.range.end_line, expr.range.end_col)
    }

    /// The rest of a dict display or comprehension, from the colon after the first key or from `**`.
    fn dict_items(&mut self, start: Range, first_key: Option<ExprRef<'a>>) -> Parse<ExprRef<'a>> {
        let mark = self.exprs.len();
        let mut keys = Vec::new();
        let mut pending = first_key;
        loop {
            match pending.take() {
                None if self.eat(Tok::DoubleStar) => {
                    keys.push(None);
                    let value = self.bitwise_or()?;
                    self.exprs.push(value);
                }
                key => {
                    let key = match key {
                        Some(key) => key,
                        None => self.expression()?,
                    };
                    self.expect(Tok::Colon)?;
                    let value = self.expression()?;
                    if keys.is_empty() && self.at_comprehension() {
                        let generators = self.comprehensions()?;
                        self.expect(Tok::RBrace)?;
                        return Ok(self.expr_from(start, ExprKind::DictComp { key, value, generators }));
                    }
                    keys.push(Some(key));
                    self.exprs.push(value);
                }
            }
            if !self.eat(Tok::Comma) || self.kind() == Tok::RBrace {
                break;
            }
        }
        self.expect(Tok::RBrace)?;
        let (keys, values) = (self.list(&keys), self.take_exprs(mark));
        Ok(self.expr_from(start, ExprKind::Dict { keys, values }))
    }

    pub(super) fn comprehensions(&mut self) -> Parse<&'a [Comprehension<'a>]> {
        let mut generators = Vec::new();
        while self.at_comprehension() {
            let is_async = self.eat(Tok::Async);
            self.bump();
            let target = self.star_targets()?;
            self.expect(Tok::In)?;
            let iter = self.disjunction()?;
            let mark = self.exprs.len();
            while self.eat(Tok::If) {
                let test = self.disjunction()?;
                self.exprs.push(test);
            }
            let ifs = self.take_exprs(mark);
            if is_async {
                self.require(6, "Async comprehensions are", false)?;
            }
            generators.push(Comprehension { target, iter, ifs, is_async });
        }
        Ok(self.list(&generators))
    }

    /// `genexp` in the parentheses of a call, from `(` on.
    pub(super) fn lone_generator(&mut self, start: Range, elt: ExprRef<'a>) -> Parse<ExprRef<'a>> {
        let generators = self.comprehensions()?;
        self.expect(Tok::RPar)?;
        Ok(self.expr_from(start, ExprKind::GeneratorExp { elt, generators }))
    }

    pub(super) fn at_generator(&self) -> bool {
        self.at_comprehension()
    }

    /// `star_targets`, as after `for`: read below the comparisons, so that `in` ends them.
    pub(super) fn star_targets(&mut self) -> Parse<ExprRef<'a>> {
        let target = self.list_or_one(Self::star_target_operand)?;
        self.as_target(target, ExprContext::Store)
    }

    fn star_target_operand(&mut self) -> Parse<ExprRef<'a>> {
        if self.kind() == Tok::Star { self.starred(|p| p.bitwise_or()) } else { self.bitwise_or() }
    }

    /// `star_target`, as after `as` in `with`.
    pub(super) fn star_target(&mut self) -> Parse<ExprRef<'a>> {
        let target = self.star_target_operand()?;
        self.as_target(target, ExprContext::Store)
    }
}
