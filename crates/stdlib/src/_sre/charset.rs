//! What one character is tested against: classes, sets, and case folding.

use std::array;
use std::sync::LazyLock;

use super::program::{BadCode, Words, op};

/// How many characters every set knows its answers for.
const LOW: usize = 256;

/// How the subject's character is folded before it is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fold {
    /// Not at all.
    None,
    /// ASCII letters to lower case.
    Ascii,
    /// Lower case by the Unicode tables, one character to one.
    Unicode,
    /// Both cases of the C locale.
    Locale,
}

impl Fold {
    /// The folded character; for the locale its lower case.
    #[inline]
    pub fn apply(self, code: u32) -> u32 {
        match self {
            Fold::None => code,
            Fold::Ascii => {
                if code < 128 {
                    u32::from((code as u8).to_ascii_lowercase())
                } else {
                    code
                }
            }
            Fold::Unicode => taipan_unicode::simple_lower(code),
            Fold::Locale => locale_lower(code),
        }
    }

    /// The folded one of the first characters, which is one of them itself.
    fn apply_low(self, code: u8) -> u8 {
        static UNICODE: LazyLock<[u8; LOW]> = LazyLock::new(|| {
            array::from_fn(|code| {
                u8::try_from(taipan_unicode::simple_lower(code as u32)).unwrap_or(code as u8)
            })
        });
        match self {
            Fold::None | Fold::Locale => code,
            Fold::Ascii => code.to_ascii_lowercase(),
            Fold::Unicode => UNICODE.get(usize::from(code)).copied().unwrap_or(code),
        }
    }
}

fn locale_lower(code: u32) -> u32 {
    // SAFETY: the function takes any value of an unsigned char.
    if code < 256 { unsafe { libc::tolower(code as i32) as u32 } } else { code }
}

fn locale_upper(code: u32) -> u32 {
    // SAFETY: as above.
    if code < 256 { unsafe { libc::toupper(code as i32) as u32 } } else { code }
}

/// `\w` in the C locale.
pub fn is_locale_word(code: u32) -> bool {
    // SAFETY: as above.
    code == u32::from(b'_') || code < 256 && unsafe { libc::isalnum(code as i32) } != 0
}

/// `\w` for text.
pub fn is_unicode_word(code: u32) -> bool {
    code == u32::from(b'_') || taipan_unicode::is_alnum(code)
}

/// `\w` under `re.ASCII`.
pub fn is_ascii_word(code: u32) -> bool {
    code < 128 && ((code as u8).is_ascii_alphanumeric() || code as u8 == b'_')
}

/// The words of `CATEGORY` in the order of the library's `re._constants.CHCODES`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Category(u32);

impl Category {
    const COUNT: u32 = 18;
    const LOCALE_WORD: u32 = 8;
    const NOT_LOCALE_WORD: u32 = 9;

    /// The category of that number.
    pub fn new(word: u32) -> Result<Category, BadCode> {
        if word < Self::COUNT { Ok(Category(word)) } else { Err(BadCode) }
    }

    fn follows_locale(self) -> bool {
        matches!(self.0, Self::LOCALE_WORD | Self::NOT_LOCALE_WORD)
    }

    /// `contains` for the first characters, of a category that doesn't follow the locale.
    fn low(self) -> impl Iterator<Item = bool> {
        static TABLES: LazyLock<[[bool; LOW]; Category::COUNT as usize]> = LazyLock::new(|| {
            array::from_fn(|number| array::from_fn(|code| Category(number as u32).contains(code as u32)))
        });
        TABLES.get(self.0 as usize).into_iter().flatten().copied()
    }

    fn contains(self, code: u32) -> bool {
        let ascii = u8::try_from(code).ok().filter(u8::is_ascii);
        // The odd numbers are the complements of the even ones before them.
        let inside = match self.0 & !1 {
            0 => ascii.is_some_and(|c| c.is_ascii_digit()),
            2 => ascii.is_some_and(|c| matches!(c, b' ' | b'\t'..=b'\r')),
            4 => is_ascii_word(code),
            6 => code == u32::from(b'\n'),
            8 => is_locale_word(code),
            10 => taipan_unicode::is_decimal(code),
            12 => taipan_unicode::is_space(code),
            14 => is_unicode_word(code),
            _ => taipan_unicode::is_line_break(code),
        };
        inside == (self.0 & 1 == 0)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Item {
    Negate,
    Char(u32),
    Range(u32, u32),
    /// A range that also takes what has its upper case inside.
    RangeIgnore(u32, u32),
    Category(Category),
    /// A bit for each of the first 256 characters.
    Map([u32; 8]),
    /// The Basic Multilingual Plane in blocks of 256 characters that share bit maps.
    BigMap(Box<[u8; 256]>, Box<[[u32; 8]]>),
}

fn bit(map: &[u32; 8], code: u32) -> bool {
    map.get((code >> 5) as usize & 7).is_some_and(|word| word >> (code & 31) & 1 != 0)
}

impl Item {
    /// Whether the item takes the character; `Negate` takes none.
    fn takes(&self, code: u32) -> bool {
        match self {
            Item::Negate => false,
            Item::Char(c) => code == *c,
            Item::Range(low, high) => (*low..=*high).contains(&code),
            Item::RangeIgnore(low, high) => {
                (*low..=*high).contains(&code) || (*low..=*high).contains(&taipan_unicode::simple_upper(code))
            }
            Item::Category(category) => category.contains(code),
            Item::Map(map) => code < 256 && bit(map, code),
            Item::BigMap(index, blocks) => {
                let block = index.get((code >> 8) as usize).map(|block| usize::from(*block));
                block.and_then(|block| blocks.get(block)).is_some_and(|map| bit(map, code & 255))
            }
        }
    }
}

/// A set of characters with the folding that comes before the question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CharSet {
    items: Box<[Item]>,
    fold: Fold,
    /// Everything else is meant.
    complement: bool,
    /// The answers for the first 256 characters, unless the locale has a say in them.
    low: Option<Box<[bool; LOW]>>,
}

/// What the items say of the first characters. Locales have no part in it.
fn low_answers(items: &[Item], fold: Fold) -> [bool; LOW] {
    let mut answers = [None; LOW];
    let mut answer = true;
    for item in items {
        // The first item that takes a character decides.
        let mut take = |from: u32, to: u32| {
            for slot in answers.iter_mut().take((to as usize).saturating_add(1)).skip(from as usize) {
                slot.get_or_insert(answer);
            }
        };
        match item {
            Item::Negate => answer = !answer,
            Item::Char(code) => take(*code, *code),
            Item::Range(low, high) => take(*low, *high),
            Item::Category(category) => {
                (0..)
                    .zip(category.low())
                    .filter(|(_, inside)| *inside)
                    .for_each(|(code, _)| take(code, code));
            }
            _ => (0..LOW as u32).filter(|&code| item.takes(code)).for_each(|code| take(code, code)),
        }
    }
    array::from_fn(|code| {
        let folded = fold.apply_low(code as u8);
        answers.get(usize::from(folded)).copied().flatten().unwrap_or(!answer)
    })
}

impl CharSet {
    fn new(items: Vec<Item>, fold: Fold) -> CharSet {
        let by_locale = fold == Fold::Locale
            || items.iter().any(|item| matches!(item, Item::Category(category) if category.follows_locale()));
        let low = (!by_locale).then(|| Box::new(low_answers(&items, fold)));
        CharSet { items: items.into(), fold, complement: false, low }
    }

    /// The set of one character, or of all others.
    pub fn of_char(code: u32, negate: bool, fold: Fold) -> CharSet {
        let mut items = vec![Item::Char(code)];
        if negate {
            items.insert(0, Item::Negate);
        }
        Self::new(items, fold)
    }

    /// The set of a character in either case of the locale, or of all others.
    pub fn of_either_case(code: u32, complement: bool) -> CharSet {
        CharSet { complement, ..Self::new(vec![Item::Char(code)], Fold::Locale) }
    }

    /// The set of a category.
    pub fn of_category(category: Category) -> CharSet {
        Self::new(vec![Item::Category(category)], Fold::None)
    }

    /// Reads a set up to its `FAILURE`.
    pub fn read(words: &mut Words<'_>, fold: Fold) -> Result<CharSet, BadCode> {
        let mut items = Vec::new();
        loop {
            items.push(match words.next()? {
                op::FAILURE => return Ok(Self::new(items, fold)),
                op::NEGATE => Item::Negate,
                op::LITERAL => Item::Char(words.next()?),
                op::RANGE => Item::Range(words.next()?, words.next()?),
                op::RANGE_UNI_IGNORE => Item::RangeIgnore(words.next()?, words.next()?),
                op::CATEGORY => Item::Category(Category::new(words.next()?)?),
                op::CHARSET => Item::Map(read_map(words)?),
                op::BIGCHARSET => read_big_map(words)?,
                _ => return Err(BadCode),
            });
        }
    }

    /// The answers for the first characters; none when the locale has a say in them.
    pub fn low(&self) -> Option<&[bool; LOW]> {
        self.low.as_deref()
    }

    /// Whether the set holds a character of the subject.
    #[inline(always)]
    pub fn contains(&self, code: u32) -> bool {
        if let Some(low) = &self.low {
            if let Some(answer) = low.get(code as usize) {
                return *answer;
            }
        }
        self.ask(code)
    }

    /// [`CharSet::contains`] without the answers known beforehand.
    fn ask(&self, code: u32) -> bool {
        if self.fold != Fold::Locale {
            let code = self.fold.apply(code);
            return self.holds(code, code);
        }
        self.holds(locale_lower(code), locale_upper(code)) != self.complement
    }

    /// Whether the set holds a character in one of its two cases.
    fn holds(&self, lower: u32, upper: u32) -> bool {
        let mut answer = true;
        for item in &self.items {
            if matches!(item, Item::Negate) {
                answer = !answer;
            } else if item.takes(lower) || upper != lower && item.takes(upper) {
                return answer;
            }
        }
        !answer
    }
}

fn read_map(words: &mut Words<'_>) -> Result<[u32; 8], BadCode> {
    let mut map = [0; 8];
    for word in &mut map {
        *word = words.next()?;
    }
    Ok(map)
}

fn read_big_map(words: &mut Words<'_>) -> Result<Item, BadCode> {
    let count = words.next()?;
    let mut index = Box::new([0; 256]);
    for four in index.chunks_exact_mut(4) {
        for (slot, byte) in four.iter_mut().zip(words.next()?.to_le_bytes()) {
            if u32::from(byte) >= count {
                return Err(BadCode);
            }
            *slot = byte;
        }
    }
    let mut blocks = Vec::new();
    for _ in 0..count {
        blocks.push(read_map(words)?);
    }
    Ok(Item::BigMap(index, blocks.into()))
}
