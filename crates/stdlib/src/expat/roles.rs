//! The grammar of the prolog and of DTDs: what each token means where it stands (XML 1.0, sections 2.8, 3.2, 3.3, 4).

use super::token::Token;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Error,
    None,
    XmlDecl,
    InstanceStart,
    DoctypeNone,
    DoctypeName,
    DoctypeSystemId,
    DoctypePublicId,
    DoctypeInternalSubset,
    DoctypeClose,
    GeneralEntityName,
    ParamEntityName,
    EntityNone,
    EntityValue,
    EntitySystemId,
    EntityPublicId,
    EntityComplete,
    EntityNotationName,
    NotationNone,
    NotationName,
    NotationSystemId,
    NotationNoSystemId,
    NotationPublicId,
    AttributeName,
    /// One of the types that are a word.
    AttributeType(&'static str),
    AttributeEnumValue,
    AttributeNotationValue,
    AttlistNone,
    AttlistElementName,
    ImpliedAttributeValue,
    RequiredAttributeValue,
    DefaultAttributeValue,
    FixedAttributeValue,
    ElementNone,
    ElementName,
    ContentAny,
    ContentEmpty,
    ContentPcdata,
    GroupOpen,
    GroupClose(Quantity),
    GroupChoice,
    GroupSequence,
    ContentElement(Quantity),
    Pi,
    Comment,
    TextDecl,
    IgnoreSection,
    InnerParamEntityRef,
    ParamEntityRef,
}

/// `enum XML_Content_Quant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    One = 0,
    Optional = 1,
    Any = 2,
    Many = 3,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Prolog0,
    Prolog1,
    Prolog2,
    Doctype0,
    Doctype1,
    Doctype2,
    Doctype3,
    Doctype4,
    Doctype5,
    InternalSubset,
    ExternalSubset0,
    ExternalSubset1,
    Entity0,
    Entity1,
    Entity2,
    Entity3,
    Entity4,
    Entity5,
    Entity6,
    Entity7,
    Entity8,
    Entity9,
    Entity10,
    Notation0,
    Notation1,
    Notation2,
    Notation3,
    Notation4,
    Attlist0,
    Attlist1,
    Attlist2,
    Attlist3,
    Attlist4,
    Attlist5,
    Attlist6,
    Attlist7,
    Attlist8,
    Attlist9,
    Element0,
    Element1,
    Element2,
    Element3,
    Element4,
    Element5,
    Element6,
    Element7,
    CondSect0,
    CondSect1,
    CondSect2,
    /// Only the `>` of a declaration is missing.
    Close(Role),
    Error,
}

/// Where in the prolog or the DTD the parser is.
#[derive(Debug, Clone)]
pub struct Prolog {
    place: Place,
    level: usize,
    include_level: usize,
    document_entity: bool,
}

const ATTRIBUTE_TYPES: [&str; 8] =
    ["CDATA", "ID", "IDREF", "IDREFS", "ENTITY", "ENTITIES", "NMTOKEN", "NMTOKENS"];

impl Prolog {
    /// At a document's start.
    pub fn document() -> Prolog {
        Prolog { place: Place::Prolog0, level: 0, include_level: 0, document_entity: true }
    }

    /// At the start of an external subset or parameter entity.
    pub fn external() -> Prolog {
        Prolog { place: Place::ExternalSubset0, level: 0, include_level: 0, document_entity: false }
    }

    /// Whether the document itself is parsed.
    pub fn is_document(&self) -> bool {
        self.document_entity
    }

    fn top(&mut self) {
        self.place = if self.document_entity { Place::InternalSubset } else { Place::ExternalSubset1 };
    }

    fn go(&mut self, place: Place, role: Role) -> Role {
        self.place = place;
        role
    }

    /// What `token`, whose text is `text`, is for, and steps on.
    pub fn role(&mut self, token: Token, text: &[u8]) -> Role {
        use Place::*;
        use Token as T;
        let is_name = matches!(token, T::Name | T::PrefixedName);
        let word = |wanted: &str| token == T::Name && text == wanted.as_bytes();
        if token == T::Space {
            // White space may stand between any two tokens.
            return match self.place {
                Prolog0 => self.go(Prolog1, Role::None),
                ExternalSubset0 => self.go(ExternalSubset1, Role::None),
                Doctype0 | Doctype1 | Doctype2 | Doctype3 | Doctype4 | Doctype5 => Role::DoctypeNone,
                Entity0 | Entity1 | Entity2 | Entity3 | Entity4 | Entity5 | Entity6 | Entity7 | Entity8
                | Entity9 | Entity10 => Role::EntityNone,
                Notation0 | Notation1 | Notation2 | Notation3 | Notation4 => Role::NotationNone,
                Attlist0 | Attlist1 | Attlist2 | Attlist3 | Attlist4 | Attlist5 | Attlist6 | Attlist7
                | Attlist8 | Attlist9 => Role::AttlistNone,
                Element0 | Element1 | Element2 | Element3 | Element4 | Element5 | Element6 | Element7 => {
                    Role::ElementNone
                }
                Close(none) => none,
                Error => Role::None,
                _ => Role::None,
            };
        }
        match self.place {
            Prolog0 | Prolog1 | Prolog2 => match token {
                T::XmlDecl if self.place == Prolog0 => return self.go(Prolog1, Role::XmlDecl),
                T::Pi | T::Comment => {
                    if self.place == Prolog0 {
                        self.place = Prolog1;
                    }
                    return if token == T::Pi { Role::Pi } else { Role::Comment };
                }
                T::Bom => return Role::None,
                T::DeclOpen if self.place != Prolog2 && text == b"<!DOCTYPE" => {
                    return self.go(Doctype0, Role::DoctypeNone);
                }
                T::InstanceStart => return self.go(Error, Role::InstanceStart),
                _ => {}
            },
            Doctype0 if is_name => return self.go(Doctype1, Role::DoctypeName),
            Doctype1 => match token {
                T::OpenBracket => return self.go(InternalSubset, Role::DoctypeInternalSubset),
                T::DeclClose => return self.go(Prolog2, Role::DoctypeClose),
                _ if word("SYSTEM") => return self.go(Doctype3, Role::DoctypeNone),
                _ if word("PUBLIC") => return self.go(Doctype2, Role::DoctypeNone),
                _ => {}
            },
            Doctype2 if token == T::Literal => return self.go(Doctype3, Role::DoctypePublicId),
            Doctype3 if token == T::Literal => return self.go(Doctype4, Role::DoctypeSystemId),
            Doctype4 => match token {
                T::OpenBracket => return self.go(InternalSubset, Role::DoctypeInternalSubset),
                T::DeclClose => return self.go(Prolog2, Role::DoctypeClose),
                _ => {}
            },
            Doctype5 if token == T::DeclClose => return self.go(Prolog2, Role::DoctypeClose),
            InternalSubset => return self.subset(token, text),
            ExternalSubset0 | ExternalSubset1 => {
                if self.place == ExternalSubset0 {
                    self.place = ExternalSubset1;
                    if token == T::XmlDecl {
                        return Role::TextDecl;
                    }
                }
                match token {
                    T::CondSectOpen => return self.go(CondSect0, Role::None),
                    T::CondSectClose if self.include_level > 0 => {
                        self.include_level -= 1;
                        return Role::None;
                    }
                    T::CondSectClose | T::CloseBracket => {}
                    T::None if self.include_level == 0 => return Role::None,
                    T::None => {}
                    _ => return self.subset(token, text),
                }
            }
            Entity0 => match token {
                T::Percent => return self.go(Entity1, Role::EntityNone),
                T::Name => return self.go(Entity2, Role::GeneralEntityName),
                _ => {}
            },
            Entity1 if token == T::Name => return self.go(Entity7, Role::ParamEntityName),
            Entity2 | Entity7 => {
                let general = self.place == Entity2;
                if word("SYSTEM") {
                    return self.go(if general { Entity4 } else { Entity9 }, Role::EntityNone);
                }
                if word("PUBLIC") {
                    return self.go(if general { Entity3 } else { Entity8 }, Role::EntityNone);
                }
                if token == T::Literal {
                    return self.go(Close(Role::EntityNone), Role::EntityValue);
                }
            }
            Entity3 if token == T::Literal => return self.go(Entity4, Role::EntityPublicId),
            Entity4 if token == T::Literal => return self.go(Entity5, Role::EntitySystemId),
            Entity5 if token == T::DeclClose => {
                self.top();
                return Role::EntityComplete;
            }
            Entity5 if word("NDATA") => return self.go(Entity6, Role::EntityNone),
            Entity6 if token == T::Name => return self.go(Close(Role::EntityNone), Role::EntityNotationName),
            Entity8 if token == T::Literal => return self.go(Entity9, Role::EntityPublicId),
            Entity9 if token == T::Literal => return self.go(Entity10, Role::EntitySystemId),
            Entity10 if token == T::DeclClose => {
                self.top();
                return Role::EntityComplete;
            }
            Notation0 if token == T::Name => return self.go(Notation1, Role::NotationName),
            Notation1 if word("SYSTEM") => return self.go(Notation3, Role::NotationNone),
            Notation1 if word("PUBLIC") => return self.go(Notation2, Role::NotationNone),
            Notation2 if token == T::Literal => return self.go(Notation4, Role::NotationPublicId),
            Notation3 if token == T::Literal => {
                return self.go(Close(Role::NotationNone), Role::NotationSystemId);
            }
            Notation4 => match token {
                T::Literal => return self.go(Close(Role::NotationNone), Role::NotationSystemId),
                T::DeclClose => {
                    self.top();
                    return Role::NotationNoSystemId;
                }
                _ => {}
            },
            Attlist0 if is_name => return self.go(Attlist1, Role::AttlistElementName),
            Attlist1 => match token {
                T::DeclClose => {
                    self.top();
                    return Role::AttlistNone;
                }
                _ if is_name => return self.go(Attlist2, Role::AttributeName),
                _ => {}
            },
            Attlist2 => match token {
                T::Name => {
                    if let Some(name) = ATTRIBUTE_TYPES.iter().find(|name| word(name)) {
                        return self.go(Attlist8, Role::AttributeType(name));
                    }
                    if word("NOTATION") {
                        return self.go(Attlist5, Role::AttlistNone);
                    }
                }
                T::OpenParen => return self.go(Attlist3, Role::AttlistNone),
                _ => {}
            },
            Attlist3 if is_name || token == T::Nmtoken => {
                return self.go(Attlist4, Role::AttributeEnumValue);
            }
            Attlist4 => match token {
                T::CloseParen => return self.go(Attlist8, Role::AttlistNone),
                T::Or => return self.go(Attlist3, Role::AttlistNone),
                _ => {}
            },
            Attlist5 if token == T::OpenParen => return self.go(Attlist6, Role::AttlistNone),
            Attlist6 if token == T::Name => return self.go(Attlist7, Role::AttributeNotationValue),
            Attlist7 => match token {
                T::CloseParen => return self.go(Attlist8, Role::AttlistNone),
                T::Or => return self.go(Attlist6, Role::AttlistNone),
                _ => {}
            },
            Attlist8 => match (token, text) {
                (T::PoundName, b"#IMPLIED") => return self.go(Attlist1, Role::ImpliedAttributeValue),
                (T::PoundName, b"#REQUIRED") => return self.go(Attlist1, Role::RequiredAttributeValue),
                (T::PoundName, b"#FIXED") => return self.go(Attlist9, Role::AttlistNone),
                (T::Literal, _) => return self.go(Attlist1, Role::DefaultAttributeValue),
                _ => {}
            },
            Attlist9 if token == T::Literal => return self.go(Attlist1, Role::FixedAttributeValue),
            Element0 if is_name => return self.go(Element1, Role::ElementName),
            Element1 => match token {
                _ if word("EMPTY") => return self.go(Close(Role::ElementNone), Role::ContentEmpty),
                _ if word("ANY") => return self.go(Close(Role::ElementNone), Role::ContentAny),
                T::OpenParen => {
                    self.level = 1;
                    return self.go(Element2, Role::GroupOpen);
                }
                _ => {}
            },
            Element2 => match token {
                T::PoundName if text == b"#PCDATA" => return self.go(Element3, Role::ContentPcdata),
                T::OpenParen => {
                    self.level = 2;
                    return self.go(Element6, Role::GroupOpen);
                }
                _ => {
                    if let Some(quantity) = name_quantity(token) {
                        return self.go(Element7, Role::ContentElement(quantity));
                    }
                }
            },
            Element3 => match token {
                T::CloseParen => {
                    return self.go(Close(Role::ElementNone), Role::GroupClose(Quantity::One));
                }
                T::CloseParenAsterisk => {
                    return self.go(Close(Role::ElementNone), Role::GroupClose(Quantity::Any));
                }
                T::Or => return self.go(Element4, Role::ElementNone),
                _ => {}
            },
            Element4 if is_name => return self.go(Element5, Role::ContentElement(Quantity::One)),
            Element5 => match token {
                T::CloseParenAsterisk => {
                    return self.go(Close(Role::ElementNone), Role::GroupClose(Quantity::Any));
                }
                T::Or => return self.go(Element4, Role::ElementNone),
                _ => {}
            },
            Element6 => {
                if token == T::OpenParen {
                    self.level += 1;
                    return Role::GroupOpen;
                }
                if let Some(quantity) = name_quantity(token) {
                    return self.go(Element7, Role::ContentElement(quantity));
                }
            }
            Element7 => {
                let quantity = match token {
                    T::CloseParen => Some(Quantity::One),
                    T::CloseParenAsterisk => Some(Quantity::Any),
                    T::CloseParenQuestion => Some(Quantity::Optional),
                    T::CloseParenPlus => Some(Quantity::Many),
                    T::Comma => return self.go(Element6, Role::GroupSequence),
                    T::Or => return self.go(Element6, Role::GroupChoice),
                    _ => None,
                };
                if let Some(quantity) = quantity {
                    self.level = self.level.saturating_sub(1);
                    if self.level == 0 {
                        self.place = Close(Role::ElementNone);
                    }
                    return Role::GroupClose(quantity);
                }
            }
            CondSect0 if word("INCLUDE") => return self.go(CondSect1, Role::None),
            CondSect0 if word("IGNORE") => return self.go(CondSect2, Role::None),
            CondSect1 if token == T::OpenBracket => {
                self.include_level += 1;
                return self.go(ExternalSubset1, Role::None);
            }
            CondSect2 if token == T::OpenBracket => return self.go(ExternalSubset1, Role::IgnoreSection),
            Close(none) if token == T::DeclClose => {
                self.top();
                return none;
            }
            Error => return Role::None,
            _ => {}
        }
        self.elsewhere(token)
    }

    fn subset(&mut self, token: Token, text: &[u8]) -> Role {
        match token {
            Token::DeclOpen => match text {
                b"<!ENTITY" => self.go(Place::Entity0, Role::EntityNone),
                b"<!ATTLIST" => self.go(Place::Attlist0, Role::AttlistNone),
                b"<!ELEMENT" => self.go(Place::Element0, Role::ElementNone),
                b"<!NOTATION" => self.go(Place::Notation0, Role::NotationNone),
                _ => self.elsewhere(token),
            },
            Token::Pi => Role::Pi,
            Token::Comment => Role::Comment,
            Token::ParamEntityRef => Role::ParamEntityRef,
            Token::CloseBracket => self.go(Place::Doctype5, Role::DoctypeNone),
            Token::None => Role::None,
            _ => self.elsewhere(token),
        }
    }

    /// A token that the grammar has no place for.
    fn elsewhere(&mut self, token: Token) -> Role {
        if !self.document_entity && token == Token::ParamEntityRef {
            return Role::InnerParamEntityRef;
        }
        self.go(Place::Error, Role::Error)
    }
}

fn name_quantity(token: Token) -> Option<Quantity> {
    Some(match token {
        Token::Name | Token::PrefixedName => Quantity::One,
        Token::NameQuestion => Quantity::Optional,
        Token::NameAsterisk => Quantity::Any,
        Token::NamePlus => Quantity::Many,
        _ => return None,
    })
}
