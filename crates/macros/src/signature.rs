//! Python text signatures: `($self, a, b=None, /, c, *args, d=1, **kwargs)`.

use syn::LitStr;

/// How a parameter is passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    PositionalOnly,
    PositionalOrKeyword,
    KeywordOnly,
    VarPositional,
    VarKeyword,
}

/// One parameter.
pub struct Param {
    pub name: String,
    pub kind: Kind,
    pub default: Option<String>,
}

/// A parsed signature.
pub struct Signature {
    /// The text as it is shown, receiver included.
    pub text: String,
    /// The parameters without the receiver.
    pub params: Vec<Param>,
    /// Whether Python shows it as `__text_signature__`. A leading `!` hides it: where a default can't be expressed,
    /// CPython shows none.
    pub shown: bool,
    /// A leading `~`: the function takes keywords though none of its parameters has a name. CPython's methods that are
    /// handed the class that defines them do, which shows in their error texts.
    pub open: bool,
    /// A leading `?`: error texts about the arguments say "function" for the function's name.
    pub nameless: bool,
}

impl Signature {
    /// Parses a literal; errors point at it.
    pub fn parse(literal: &LitStr) -> syn::Result<Signature> {
        let text = literal.value();
        let (marks, text) = text.split_at(text.find('(').unwrap_or_default());
        let (shown, open, nameless) = (!marks.contains('!'), marks.contains('~'), marks.contains('?'));
        let text = text.to_owned();
        let fail = |what: &str| Err(syn::Error::new(literal.span(), what));
        let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) else {
            return fail("a text signature is parenthesised");
        };
        let mut params: Vec<Param> = Vec::new();
        let mut keyword_only = false;
        for (piece, optional) in split(inner) {
            let piece = piece.trim();
            if piece.is_empty() || piece.starts_with('$') {
                continue;
            }
            if piece == "/" {
                for param in &mut params {
                    param.kind = Kind::PositionalOnly;
                }
                continue;
            }
            if piece == "*" {
                keyword_only = true;
                continue;
            }
            if let Some(name) = piece.strip_prefix("**") {
                params.push(Param { name: name.to_owned(), kind: Kind::VarKeyword, default: None });
                continue;
            }
            if let Some(name) = piece.strip_prefix('*') {
                params.push(Param { name: name.to_owned(), kind: Kind::VarPositional, default: None });
                keyword_only = true;
                continue;
            }
            let (name, default) = match piece.split_once('=') {
                Some((name, default)) => (name.trim(), Some(default.trim().to_owned())),
                // `[, name]` says that there is a default without saying which.
                None => (piece, optional.then(|| "<unrepresentable>".to_owned())),
            };
            if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return fail("a parameter's name is no identifier");
            }
            let kind = if keyword_only { Kind::KeywordOnly } else { Kind::PositionalOrKeyword };
            params.push(Param { name: name.to_owned(), kind, default });
        }
        Ok(Signature { text, params, shown, open, nameless })
    }

    /// Whether nothing can be passed by name: positional-only parameters and `*args`.
    pub fn takes_no_keywords(&self) -> bool {
        !self.open && self.params.iter().all(|p| matches!(p.kind, Kind::PositionalOnly | Kind::VarPositional))
    }
}

/// Splits at commas outside brackets and quotes. Square brackets around whole parameters mark them as optional; each piece
/// comes with whether it is.
fn split(text: &str) -> Vec<(String, bool)> {
    let (mut pieces, mut current, mut depth, mut quote) = (Vec::new(), String::new(), 0usize, None);
    let (mut open, mut optional, mut in_default) = (0usize, false, false);
    for c in text.chars() {
        if quote.is_none() && !in_default {
            match c {
                '[' => {
                    open += 1;
                    optional |= current.trim().is_empty();
                    continue;
                }
                ']' if open > 0 => {
                    open -= 1;
                    continue;
                }
                '=' => in_default = true,
                _ => {}
            }
        }
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ']') if depth == 0 && open > 0 => {
                open -= 1;
                continue;
            }
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                pieces.push((std::mem::take(&mut current), optional));
                (optional, in_default) = (open > 0, false);
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    pieces.push((current, optional));
    pieces
}
