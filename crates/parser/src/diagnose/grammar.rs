//! The notation of `grammar.txt`, and its compiled form.
//!
//! A rule is `name: alternatives`; an alternative that ends in an action (`=> …`) takes the rest of its line.
//! `'x'` is a token, `"x"` a soft keyword, `NAME` a kind of token, `[x]` optional, `x*` and `x+` repeated, `','.x+` a
//! separated list, `&x` and `!x` look ahead, `~` commits to the alternative, `&&x` must follow, `a=x` names a value.
//! `%left base` starts a left-associative rule: each further alternative extends what was read. `%valid` makes a rule
//! that ignores the error productions, which are those whose name starts with `invalid_`.
//!
//! Actions: a capitalised word tags the node; one letter passes on a value; `@a`, `@a..b`, `@a..`, `@last`, `@next`,
//! `@indent` raise the message behind them (`%e`: what expression `a` is, `%l` its line, `%t` its text);
//! `#name` calls the action of that name.

use crate::token::Tok;
use std::collections::HashMap;
use std::sync::OnceLock;

/// One element of an alternative.
pub(super) enum Item {
    Token(Tok),
    Word(&'static str),
    SoftKeyword,
    Rule(usize),
    Group(Vec<Alternative>),
    Optional(Box<Item>),
    Many { item: Box<Item>, least: usize },
    Gather { separator: Tok, item: Box<Item> },
    Ahead(Box<Item>),
    NotAhead(Box<Item>),
    Cut,
    Forced(Tok),
}

/// Which tokens an error covers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    At(u8),
    Range(u8, u8),
    From(u8),
    Last,
    Next,
    Indent,
}

pub(super) enum Action {
    /// The only value, or an untagged node.
    Default,
    Pick(u8),
    Tag(&'static str),
    Raise(Place, &'static str),
    Call(&'static str),
}

pub(super) struct Alternative {
    /// Elements with the letter that names their value, 0 for none.
    pub(super) items: Vec<(u8, Item)>,
    pub(super) action: Action,
}

pub(super) struct Rule {
    pub(super) alternatives: Vec<Alternative>,
    /// The first alternative is the base that the others extend.
    pub(super) left: bool,
    pub(super) valid_only: bool,
    pub(super) is_error: bool,
    /// What was read without the error productions is not read again with them, and so hides their messages.
    pub(super) shared_memo: bool,
}

/// The rules that CPython memoizes, besides the left-recursive ones.
const MEMOIZED: [&str; 20] = [
    "simple_stmt",
    "block",
    "closed_pattern",
    "star_pattern",
    "type_param",
    "expression",
    "star_expression",
    "disjunction",
    "conjunction",
    "inversion",
    "factor",
    "await_primary",
    "strings",
    "arguments",
    "star_target",
    "target_with_star_atom",
    "del_target",
    "invalid_named_expression",
    "dotted_name",
    "name_or_attr",
];

pub(super) struct Grammar {
    pub(super) rules: Vec<Rule>,
    pub(super) names: HashMap<&'static str, usize>,
    /// The rule of compound statements.
    pub(super) compound: usize,
}

/// The grammar, compiled at first use.
pub(super) fn grammar() -> &'static Grammar {
    static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
    GRAMMAR.get_or_init(|| {
        let fields = include_str!("fields.txt");
        let templates = fields
            .replace("fstring", "tstring")
            .replace("FSTRING", "TSTRING")
            .replace("f-string", "t-string")
            // CPython looks for the wrong kind of text here, which shows in the error's position.
            .replace("':' tstring_format_spec* !", "':' fstring_format_spec* !");
        let templates: &'static str = Box::leak(templates.into());
        compile(&[include_str!("grammar.txt"), fields, templates])
    })
}

fn compile(texts: &[&'static str]) -> Grammar {
    let lines = || {
        texts.iter().flat_map(|text| text.lines()).filter(|line| !line.is_empty() && !line.starts_with('#'))
    };
    let mut names = HashMap::new();
    for line in lines().filter(|line| !line.starts_with(' ')) {
        let name = line.split(':').next().unwrap_or_default();
        let number = names.len();
        names.insert(name, number);
    }
    let mut rules: Vec<Rule> = Vec::new();
    for line in lines() {
        let body = if line.starts_with(' ') {
            line.trim_start().trim_start_matches('|')
        } else {
            let (name, body) = line.split_once(':').unwrap_or((line, ""));
            rules.push(Rule {
                alternatives: Vec::new(),
                left: false,
                valid_only: false,
                is_error: name.starts_with("invalid_"),
                shared_memo: MEMOIZED.contains(&name),
            });
            body
        };
        let Some(rule) = rules.last_mut() else { continue };
        let mut reader = Reader { rest: body, names: &names };
        loop {
            reader.space();
            if let Some(rest) = reader.rest.strip_prefix("%left") {
                (rule.left, rule.shared_memo, reader.rest) = (true, true, rest);
            } else if let Some(rest) = reader.rest.strip_prefix("%valid") {
                (rule.valid_only, reader.rest) = (true, rest);
            } else {
                break;
            }
        }
        if !reader.rest.is_empty() {
            rule.alternatives.extend(reader.alternatives());
        }
    }
    let compound = names.get("compound_stmt").copied().unwrap_or(usize::MAX);
    Grammar { rules, names, compound }
}

struct Reader<'g> {
    rest: &'static str,
    names: &'g HashMap<&'static str, usize>,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn eat(&mut self, text: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn alternatives(&mut self) -> Vec<Alternative> {
        let mut found = vec![self.alternative()];
        while self.eat("|") {
            found.push(self.alternative());
        }
        found
    }

    fn alternative(&mut self) -> Alternative {
        let mut items = Vec::new();
        let mut action = Action::Default;
        loop {
            self.space();
            if self.eat("=>") {
                action = self.action();
                break;
            }
            if self.rest.is_empty() || self.rest.starts_with(['|', ')', ']']) {
                break;
            }
            let bytes = self.rest.as_bytes();
            let named = bytes.len() > 1 && bytes[0].is_ascii_lowercase() && bytes[1] == b'=';
            let name = if named { bytes[0] } else { 0 };
            if named {
                self.rest = &self.rest[2..];
            }
            items.push((name, self.item()));
        }
        Alternative { items, action }
    }

    fn action(&mut self) -> Action {
        self.space();
        let text = std::mem::take(&mut self.rest);
        if let Some(name) = text.strip_prefix('#') {
            return Action::Call(name);
        }
        if let Some(text) = text.strip_prefix('@') {
            let (place, message) = text.split_once(' ').unwrap_or((text, ""));
            let place = match place.as_bytes() {
                b"last" => Place::Last,
                b"next" => Place::Next,
                b"indent" => Place::Indent,
                [a, b'.', b'.'] => Place::From(*a),
                [a, b'.', b'.', b] => Place::Range(*a, *b),
                [a, ..] => Place::At(*a),
                [] => Place::Last,
            };
            return Action::Raise(place, message);
        }
        match text.as_bytes() {
            [letter] => Action::Pick(*letter),
            _ => Action::Tag(text),
        }
    }

    fn item(&mut self) -> Item {
        if self.eat("&&") {
            return match self.atom() {
                Item::Token(kind) => Item::Forced(kind),
                other => other,
            };
        }
        if self.eat("&") {
            return Item::Ahead(Box::new(self.atom()));
        }
        if self.eat("!") {
            return Item::NotAhead(Box::new(self.atom()));
        }
        if self.eat("~") {
            return Item::Cut;
        }
        let item = self.atom();
        if let Item::Token(separator) = item
            && self.rest.starts_with('.')
        {
            self.rest = &self.rest[1..];
            let item = Box::new(self.atom());
            self.eat("+");
            return Item::Gather { separator, item };
        }
        if self.rest.starts_with('*') {
            self.rest = &self.rest[1..];
            return Item::Many { item: Box::new(item), least: 0 };
        }
        if self.rest.starts_with('+') {
            self.rest = &self.rest[1..];
            return Item::Many { item: Box::new(item), least: 1 };
        }
        item
    }

    fn atom(&mut self) -> Item {
        self.space();
        if self.eat("(") {
            let group = self.alternatives();
            self.eat(")");
            return Item::Group(group);
        }
        if self.eat("[") {
            let group = self.alternatives();
            self.eat("]");
            return Item::Optional(Box::new(Item::Group(group)));
        }
        for quote in ['\'', '"'] {
            if let Some(text) = self.rest.strip_prefix(quote)
                && let Some((word, rest)) = text.split_once(quote)
            {
                self.rest = rest;
                if quote == '"' {
                    return Item::Word(word);
                }
                let kind = Tok::keyword(word.as_bytes()).or_else(|| Tok::operator(word));
                return Item::Token(kind.unwrap_or(Tok::Op));
            }
        }
        let size = self.rest.bytes().take_while(|&byte| byte.is_ascii_alphanumeric() || byte == b'_').count();
        let (word, rest) = self.rest.split_at(size.max(1).min(self.rest.len()));
        self.rest = rest;
        let kind = match word {
            "NAME" => Tok::Name,
            "NUMBER" => Tok::Number,
            "STRING" => Tok::String,
            "NEWLINE" => Tok::Newline,
            "INDENT" => Tok::Indent,
            "DEDENT" => Tok::Dedent,
            "ENDMARKER" => Tok::EndMarker,
            "TYPE_COMMENT" => Tok::TypeComment,
            "FSTRING_START" => Tok::FStringStart,
            "FSTRING_MIDDLE" => Tok::FStringMiddle,
            "FSTRING_END" => Tok::FStringEnd,
            "TSTRING_START" => Tok::TStringStart,
            "TSTRING_MIDDLE" => Tok::TStringMiddle,
            "TSTRING_END" => Tok::TStringEnd,
            "SOFT_KEYWORD" => return Item::SoftKeyword,
            _ => return self.names.get(word).map_or(Item::Token(Tok::Op), |&number| Item::Rule(number)),
        };
        Item::Token(kind)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_name_in_the_grammar_is_known() {
        let text = concat!(include_str!("grammar.txt"), include_str!("fields.txt"));
        let grammar = super::grammar();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let rule = line.split("=>").next().unwrap_or_default();
            // Every second part stands between quotes.
            let bare = rule.split(['\'', '"']).step_by(2);
            for word in bare.flat_map(|part| part.split(|ch: char| !(ch.is_ascii_lowercase() || ch == '_'))) {
                let known = word.len() < 2 || ["left", "valid"].contains(&word);
                assert!(known || grammar.names.contains_key(word), "{word}");
            }
        }
    }
}
