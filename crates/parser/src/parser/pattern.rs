//! `match` and its patterns (PEP 634).

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Tok;

impl<'a> Parser<'a, '_> {
    /// Tries a `match` statement where the name `match` starts a line; gives `None` if it is an expression after all.
    pub(super) fn match_stmt(&mut self) -> Parse<Option<&'a Stmt<'a>>> {
        use Tok::*;
        // What can't start a subject is not worth a try.
        let starts = !matches!(
            self.peek(1),
            Equal | Dot | Comma | Colon | Semi | Newline | RPar | ColonEqual | EndMarker
        );
        if !starts {
            return Ok(Option::None);
        }
        let start = self.start();
        let Some(subject) = self.attempt(Self::match_head) else { return Ok(Option::None) };
        let mut cases = Vec::new();
        while self.at_word("case") {
            cases.push(self.descend(4, Self::case_block)?);
        }
        self.expect(Dedent)?;
        self.require(10, "Pattern matching is", true)?;
        let cases = self.list(&cases);
        Ok(Some(self.stmt(self.block_range(start), StmtKind::Match { subject, cases })))
    }

    /// `"match" subject_expr ':' NEWLINE INDENT` before a `case`.
    fn match_head(&mut self) -> Parse<ExprRef<'a>> {
        self.bump();
        let start = self.start();
        let first = self.star_named_expression()?;
        let mut subject = first;
        if self.kind() == Tok::Comma {
            let mark = self.exprs.len();
            self.exprs.push(first);
            while self.eat(Tok::Comma) {
                if self.kind() == Tok::Colon {
                    break;
                }
                let next = self.star_named_expression()?;
                self.exprs.push(next);
            }
            let elts = self.take_exprs(mark);
            subject = self.expr_from(start, ExprKind::Tuple { elts, ctx: ExprContext::Load });
        } else if matches!(first.kind, ExprKind::Starred { .. }) {
            return Err(Fail);
        }
        self.expect(Tok::Colon)?;
        self.expect(Tok::Newline)?;
        self.expect(Tok::Indent)?;
        if self.at_word("case") { Ok(subject) } else { Err(Fail) }
    }

    fn case_block(&mut self) -> Parse<MatchCase<'a>> {
        self.bump();
        let pattern = self.patterns()?;
        let guard = if self.eat(Tok::If) { Some(self.named_expression()?) } else { None };
        self.expect(Tok::Colon)?;
        let body = self.block()?;
        Ok(MatchCase { pattern, guard, body })
    }

    fn pattern_from(&self, start: Range, kind: PatternKind<'a>) -> &'a Pattern<'a> {
        self.arena.alloc(Pattern { range: self.range(start), kind })
    }

    /// The patterns after `case`: one, or an open sequence.
    fn patterns(&mut self) -> Parse<&'a Pattern<'a>> {
        let start = self.start();
        let starred = self.kind() == Tok::Star;
        let first = self.maybe_star_pattern()?;
        if self.kind() != Tok::Comma {
            return if starred { Err(Fail) } else { Ok(first) };
        }
        let mut patterns = vec![first];
        while self.eat(Tok::Comma) {
            if matches!(self.kind(), Tok::Colon | Tok::If) {
                break;
            }
            patterns.push(self.maybe_star_pattern()?);
        }
        let patterns = self.list(&patterns);
        Ok(self.pattern_from(start, PatternKind::MatchSequence { patterns }))
    }

    fn maybe_star_pattern(&mut self) -> Parse<&'a Pattern<'a>> {
        if self.kind() != Tok::Star {
            return self.pattern();
        }
        let start = self.start();
        self.bump();
        let name = self.capture_name()?;
        Ok(self.pattern_from(start, PatternKind::MatchStar { name }))
    }

    /// A name to bind, or `None` for `_`; it may not go on as a dotted name or a call.
    fn capture_name(&mut self) -> Parse<Option<Identifier<'a>>> {
        let name = self.name()?;
        if matches!(self.kind(), Tok::Dot | Tok::LPar | Tok::Equal) {
            return Err(Fail);
        }
        Ok(if name == "_" { None } else { Some(name) })
    }

    /// `as_pattern | or_pattern`
    fn pattern(&mut self) -> Parse<&'a Pattern<'a>> {
        self.descend(8, |p| {
            let start = p.start();
            let pattern = p.or_pattern()?;
            if !p.eat(Tok::As) {
                return Ok(pattern);
            }
            let Some(name) = p.capture_name()? else { return Err(Fail) };
            Ok(p.pattern_from(start, PatternKind::MatchAs { pattern: Some(pattern), name: Some(name) }))
        })
    }

    fn or_pattern(&mut self) -> Parse<&'a Pattern<'a>> {
        let start = self.start();
        let first = self.closed_pattern()?;
        if self.kind() != Tok::VBar {
            return Ok(first);
        }
        let mut patterns = vec![first];
        while self.eat(Tok::VBar) {
            patterns.push(self.closed_pattern()?);
        }
        let patterns = self.list(&patterns);
        Ok(self.pattern_from(start, PatternKind::MatchOr { patterns }))
    }

    fn closed_pattern(&mut self) -> Parse<&'a Pattern<'a>> {
        let start = self.start();
        let singleton = match self.kind() {
            Tok::None => Some(Constant::None),
            Tok::True => Some(Constant::True),
            Tok::False => Some(Constant::False),
            _ => None,
        };
        if let Some(value) = singleton {
            self.bump();
            return Ok(self.pattern_from(start, PatternKind::MatchSingleton { value }));
        }
        match self.kind() {
            Tok::Number | Tok::Minus => {
                let value = self.pattern_number()?;
                Ok(self.pattern_from(start, PatternKind::MatchValue { value }))
            }
            Tok::String | Tok::FStringStart | Tok::TStringStart => {
                let value = self.strings()?;
                Ok(self.pattern_from(start, PatternKind::MatchValue { value }))
            }
            Tok::Name => self.name_pattern(),
            Tok::LPar => self.group_or_sequence(),
            Tok::LSqb => {
                self.bump();
                let (patterns, _) = self.sequence_items(Tok::RSqb)?;
                Ok(self.pattern_from(start, PatternKind::MatchSequence { patterns }))
            }
            Tok::LBrace => self.mapping_pattern(),
            _ => Err(Fail),
        }
    }

    /// `signed_number`, or a complex literal such as `-1 + 2j`.
    fn pattern_number(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let left = self.signed_number()?;
        let op = match self.kind() {
            Tok::Plus => Operator::Add,
            Tok::Minus => Operator::Sub,
            _ => return Ok(left),
        };
        let real = match left.kind {
            ExprKind::UnaryOp { operand, .. } => operand,
            _ => left,
        };
        if matches!(real.kind, ExprKind::Constant(Constant::Complex { .. })) {
            return Err(Fail);
        }
        self.bump();
        if self.kind() != Tok::Number {
            return Err(Fail);
        }
        let right = self.number()?;
        if !matches!(right.kind, ExprKind::Constant(Constant::Complex { .. })) {
            return Err(Fail);
        }
        Ok(self.expr_from(start, ExprKind::BinOp { left, op, right }))
    }

    fn signed_number(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let minus = self.eat(Tok::Minus);
        if self.kind() != Tok::Number {
            return Err(Fail);
        }
        let operand = self.number()?;
        if !minus {
            return Ok(operand);
        }
        Ok(self.expr_from(start, ExprKind::UnaryOp { op: UnaryOp::USub, operand }))
    }

    /// `name_or_attr`, from its first name on.
    fn dotted(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let id = self.name()?;
        let mut value = self.expr_from(start, ExprKind::Name { id, ctx: ExprContext::Load });
        while self.eat(Tok::Dot) {
            let attr = self.name()?;
            value = self.expr_from(start, ExprKind::Attribute { value, attr, ctx: ExprContext::Load });
        }
        Ok(value)
    }

    fn name_pattern(&mut self) -> Parse<&'a Pattern<'a>> {
        let start = self.start();
        if !matches!(self.peek(1), Tok::Dot | Tok::LPar) {
            let name = self.capture_name()?;
            return Ok(self.pattern_from(start, PatternKind::MatchAs { pattern: None, name }));
        }
        let value = self.dotted()?;
        match self.kind() {
            Tok::LPar => self.class_pattern(start, value),
            Tok::Equal => Err(Fail),
            _ => Ok(self.pattern_from(start, PatternKind::MatchValue { value })),
        }
    }

    fn class_pattern(&mut self, start: Range, cls: ExprRef<'a>) -> Parse<&'a Pattern<'a>> {
        self.bump();
        let (mut patterns, mut kwd_attrs, mut kwd_patterns) = (Vec::new(), Vec::new(), Vec::new());
        while self.kind() != Tok::RPar {
            if self.kind() == Tok::Name && self.peek(1) == Tok::Equal {
                kwd_attrs.push(self.name()?);
                self.bump();
                kwd_patterns.push(self.pattern()?);
            } else if kwd_attrs.is_empty() {
                patterns.push(self.pattern()?);
            } else {
                return Err(Fail);
            }
            if self.kind() != Tok::RPar {
                self.expect(Tok::Comma)?;
            }
        }
        self.bump();
        let patterns = self.list(&patterns);
        let (kwd_attrs, kwd_patterns) = (self.list(&kwd_attrs), self.list(&kwd_patterns));
        Ok(self.pattern_from(start, PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns }))
    }

    /// Patterns up to and with the closing bracket, and whether they are more than a parenthesised pattern.
    fn sequence_items(&mut self, end: Tok) -> Parse<(&'a [&'a Pattern<'a>], bool)> {
        let mut patterns = Vec::new();
        let mut sequence = self.kind() == end || self.kind() == Tok::Star;
        let lone_star = self.kind() == Tok::Star;
        while self.kind() != end {
            patterns.push(self.maybe_star_pattern()?);
            if self.kind() != end {
                self.expect(Tok::Comma)?;
                sequence = true;
            }
        }
        if end == Tok::RPar
            && lone_star
            && self.tokens[self.pos - 1].kind != Tok::Comma
            && patterns.len() == 1
        {
            return Err(Fail);
        }
        self.bump();
        Ok((self.list(&patterns), sequence))
    }

    fn group_or_sequence(&mut self) -> Parse<&'a Pattern<'a>> {
        let start = self.start();
        self.bump();
        let (patterns, sequence) = self.sequence_items(Tok::RPar)?;
        match patterns {
            [pattern] if !sequence => Ok(pattern),
            _ => Ok(self.pattern_from(start, PatternKind::MatchSequence { patterns })),
        }
    }

    fn mapping_pattern(&mut self) -> Parse<&'a Pattern<'a>> {
        let start = self.start();
        self.bump();
        let mark = self.exprs.len();
        let (mut patterns, mut rest) = (Vec::new(), None);
        while self.kind() != Tok::RBrace {
            if rest.is_some() {
                return Err(Fail);
            }
            if self.eat(Tok::DoubleStar) {
                rest = self.capture_name()?;
                if rest.is_none() {
                    return Err(Fail);
                }
            } else {
                let key = self.mapping_key()?;
                self.exprs.push(key);
                self.expect(Tok::Colon)?;
                patterns.push(self.pattern()?);
            }
            if self.kind() != Tok::RBrace {
                self.expect(Tok::Comma)?;
            }
        }
        self.bump();
        let (keys, patterns) = (self.take_exprs(mark), self.list(&patterns));
        Ok(self.pattern_from(start, PatternKind::MatchMapping { keys, patterns, rest }))
    }

    fn mapping_key(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        let value = match self.kind() {
            Tok::None => Constant::None,
            Tok::True => Constant::True,
            Tok::False => Constant::False,
            Tok::Number | Tok::Minus => return self.pattern_number(),
            Tok::String | Tok::FStringStart | Tok::TStringStart => return self.strings(),
            Tok::Name if self.peek(1) == Tok::Dot => return self.dotted(),
            _ => return Err(Fail),
        };
        self.bump();
        Ok(self.expr_from(start, ExprKind::Constant(value)))
    }
}
