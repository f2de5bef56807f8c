//! Parameters of functions and lambdas, arguments of calls, type parameters.

use super::{Fail, Parse, Parser};
use crate::ast::*;
use crate::token::Tok;

type CallArguments<'a> = (ExprList<'a>, &'a [Keyword<'a>]);

impl<'a> Parser<'a, '_> {
    /// `'(' [arguments] ')'` of a call or, where a lone generator is not allowed, of a class.
    pub(super) fn call_arguments(&mut self) -> Parse<CallArguments<'a>> {
        let start = self.start();
        self.bump();
        let mark = self.exprs.len();
        let mut keywords = Vec::new();
        let mut unpacked = false;
        while self.kind() != Tok::RPar {
            let arg_start = self.start();
            match self.kind() {
                Tok::Star => {
                    if unpacked {
                        return Err(Fail);
                    }
                    let value = self.starred_expression()?;
                    self.exprs.push(value);
                }
                Tok::DoubleStar => {
                    self.bump();
                    let value = self.expression()?;
                    keywords.push(Keyword { range: self.range(arg_start), arg: None, value });
                    unpacked = true;
                }
                Tok::Name if self.peek(1) == Tok::Equal => {
                    let arg = Some(self.name()?);
                    self.bump();
                    let value = self.expression()?;
                    keywords.push(Keyword { range: self.range(arg_start), arg, value });
                }
                _ => {
                    if !keywords.is_empty() {
                        return Err(Fail);
                    }
                    let value = self.named_expression()?;
                    if self.at_generator() {
                        if self.exprs.len() != mark {
                            return Err(Fail);
                        }
                        let value = self.lone_generator(start, value)?;
                        return Ok((self.arena.alloc_slice_copy(&[value]), &[]));
                    }
                    self.exprs.push(value);
                }
            }
            if self.kind() != Tok::RPar {
                self.expect(Tok::Comma)?;
            }
        }
        // A lone comma is no argument list.
        if self.tokens[self.pos - 1].kind == Tok::Comma && self.exprs.len() == mark && keywords.is_empty() {
            return Err(Fail);
        }
        self.bump();
        Ok((self.take_exprs(mark), self.list(&keywords)))
    }

    fn parameter(&mut self, lambda: bool, star: bool) -> Parse<Arg<'a>> {
        let start = self.start();
        let arg = self.name()?;
        let annotation = if lambda || !self.eat(Tok::Colon) {
            None
        } else if star && self.kind() == Tok::Star {
            Some(self.star_annotation()?)
        } else {
            Some(self.expression()?)
        };
        Ok(Arg { range: self.range(start), arg, annotation, type_comment: None })
    }

    /// `star_expression`, allowed in the annotation of `*args`.
    fn star_annotation(&mut self) -> Parse<ExprRef<'a>> {
        let start = self.start();
        self.expect(Tok::Star)?;
        let value = self.bitwise_or()?;
        Ok(self.expr_from(start, ExprKind::Starred { value, ctx: ExprContext::Load }))
    }

    /// Consumes what ends a parameter: a comma, or nothing before the closing token; then a type comment.
    fn end_parameter(&mut self, end: Tok, type_comment: &mut Option<&'a str>) -> Parse<()> {
        if self.kind() != end && self.kind() != Tok::TypeComment {
            self.expect(Tok::Comma)?;
        }
        if end == Tok::RPar {
            *type_comment = self.type_comment();
        }
        if self.tokens[self.pos - 1].kind == Tok::TypeComment
            && self.kind() != end
            && self.tokens[self.pos - 2].kind != Tok::Comma
        {
            return Err(Fail);
        }
        Ok(())
    }

    /// Parameters up to, and without, the `)` or, for a lambda, the `:`.
    pub(super) fn parameters(&mut self, lambda: bool) -> Parse<&'a Arguments<'a>> {
        let end = if lambda { Tok::Colon } else { Tok::RPar };
        if self.kind() == end {
            return Ok(self.arena.alloc(Arguments {
                posonlyargs: &[],
                args: &[],
                vararg: None,
                kwonlyargs: &[],
                kw_defaults: &[],
                kwarg: None,
                defaults: &[],
            }));
        }
        let mark = self.exprs.len();
        let (mut args, mut kwonly, mut kw_defaults) = (Vec::new(), Vec::new(), Vec::new());
        let (mut posonly, mut vararg, mut kwarg) = (None, None, None);
        let mut star = false;
        while self.kind() != end {
            match self.kind() {
                Tok::Slash => {
                    if posonly.is_some() || star || args.is_empty() {
                        return Err(Fail);
                    }
                    self.bump();
                    self.require(8, "Positional-only parameters are", false)?;
                    posonly = Some(std::mem::take(&mut args));
                    if self.kind() != end {
                        self.expect(Tok::Comma)?;
                    }
                    if !lambda {
                        let comment = self.type_comment();
                        if comment.is_some() {
                            // The grammar has no place for it, but a comma-less one may not pass either.
                            return Err(Fail);
                        }
                    }
                }
                Tok::Star => {
                    if star {
                        return Err(Fail);
                    }
                    star = true;
                    self.bump();
                    if self.kind() == Tok::Comma {
                        self.bump();
                        if self.kind() != Tok::Name {
                            return Err(Fail);
                        }
                    } else {
                        let mut arg = self.parameter(lambda, true)?;
                        if self.kind() == Tok::Equal {
                            return Err(Fail);
                        }
                        self.end_parameter(end, &mut arg.type_comment)?;
                        vararg = Some(&*self.arena.alloc(arg));
                    }
                }
                Tok::DoubleStar => {
                    self.bump();
                    let mut arg = self.parameter(lambda, false)?;
                    if self.kind() == Tok::Equal {
                        return Err(Fail);
                    }
                    self.end_parameter(end, &mut arg.type_comment)?;
                    kwarg = Some(&*self.arena.alloc(arg));
                    if self.kind() != end {
                        return Err(Fail);
                    }
                }
                _ => {
                    let mut arg = self.parameter(lambda, false)?;
                    let default = if self.eat(Tok::Equal) { Some(self.expression()?) } else { None };
                    self.end_parameter(end, &mut arg.type_comment)?;
                    if star {
                        kwonly.push(arg);
                        kw_defaults.push(default);
                        continue;
                    }
                    match default {
                        Some(default) => self.exprs.push(default),
                        None if self.exprs.len() > mark => return Err(Fail),
                        None => {}
                    }
                    args.push(arg);
                }
            }
        }
        let defaults = self.take_exprs(mark);
        let posonlyargs = self.list(&posonly.unwrap_or_default());
        let (args, kwonlyargs) = (self.list(&args), self.list(&kwonly));
        let kw_defaults = self.list(&kw_defaults);
        Ok(self.arena.alloc(Arguments {
            posonlyargs,
            args,
            vararg,
            kwonlyargs,
            kw_defaults,
            kwarg,
            defaults,
        }))
    }

    /// `['[' type_param (',' type_param)* [','] ']']`
    pub(super) fn type_params(&mut self) -> Parse<&'a [TypeParam<'a>]> {
        if !self.eat(Tok::LSqb) {
            return Ok(&[]);
        }
        let mut params = Vec::new();
        loop {
            let start = self.start();
            let star = if self.eat(Tok::Star) {
                1
            } else if self.eat(Tok::DoubleStar) {
                2
            } else {
                0
            };
            let name = self.name()?;
            let bound = if star == 0 && self.eat(Tok::Colon) { Some(self.expression()?) } else { None };
            let default_value = if !self.eat(Tok::Equal) {
                None
            } else if star == 1 && self.kind() == Tok::Star {
                Some(self.star_annotation()?)
            } else {
                Some(self.expression()?)
            };
            if default_value.is_some() {
                self.require(13, "Type parameter defaults are", false)?;
            }
            let kind = match star {
                0 => TypeParamKind::TypeVar { name, bound, default_value },
                1 => TypeParamKind::TypeVarTuple { name, default_value },
                _ => TypeParamKind::ParamSpec { name, default_value },
            };
            params.push(TypeParam { range: self.range(start), kind });
            if !self.eat(Tok::Comma) || self.kind() == Tok::RSqb {
                break;
            }
        }
        self.expect(Tok::RSqb)?;
        self.require(12, "Type parameter lists are", true)?;
        Ok(self.list(&params))
    }
}
