//! Lua patterns (manual §6.4.1) turned into items that [`pattern`](super::pattern) runs.
//!
//! Compilation never fails. What is malformed becomes an [`Item::Error`] at its place, raised only
//! when matching reaches it, as in an implementation that reads the pattern while it matches.

use memchr::memmem::Finder;
use std::rc::Rc;

use crate::heap::door::Account;

use super::pattern::PatternError;

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    const EMPTY: ByteSet = ByteSet([0; 4]);

    /// Whether `c` is in the set.
    #[inline]
    pub const fn has(&self, c: u8) -> bool {
        self.0[(c >> 6) as usize] >> (c & 63) & 1 != 0
    }

    const fn insert(&mut self, c: u8) {
        self.0[(c >> 6) as usize] |= 1 << (c & 63);
    }

    const fn complement(self) -> ByteSet {
        ByteSet([!self.0[0], !self.0[1], !self.0[2], !self.0[3]])
    }

    const fn union(self, other: ByteSet) -> ByteSet {
        let (a, b) = (self.0, other.0);
        ByteSet([a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]])
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|w| w.count_ones()).sum()
    }

    fn first(&self) -> Option<u8> {
        (0..=255).find(|&c| self.has(c))
    }

    /// The set of a class letter in lower case.
    const fn class(letter: u8) -> Option<ByteSet> {
        let mut set = ByteSet::EMPTY;
        let mut c = 0u8;
        while c < 128 {
            let inside = match letter {
                b'a' => c.is_ascii_alphabetic(),
                b'c' => c.is_ascii_control(),
                b'd' => c.is_ascii_digit(),
                b'g' => c.is_ascii_graphic(),
                b'l' => c.is_ascii_lowercase(),
                b'p' => c.is_ascii_punctuation(),
                b's' => super::number::is_space(c),
                b'u' => c.is_ascii_uppercase(),
                b'w' => c.is_ascii_alphanumeric(),
                b'x' => c.is_ascii_hexdigit(),
                b'z' => c == 0, // deprecated, but still read
                _ => return None,
            };
            if inside {
                set.insert(c);
            }
            c += 1;
        }
        Some(set)
    }
}

/// Sets of the classes `%a` to `%z`, by letter; `None` for letters that are no class.
const CLASSES: [Option<ByteSet>; 26] = {
    let mut table = [None; 26];
    let mut i = 0;
    while i < 26 {
        table[i] = ByteSet::class(b'a' + i as u8);
        i += 1;
    }
    table
};

/// The set `%letter` stands for.
fn escape_set(letter: u8) -> ByteSet {
    let lower = letter.to_ascii_lowercase();
    if lower.is_ascii_lowercase()
        && let Some(set) = CLASSES[usize::from(lower - b'a')]
    {
        return if letter == lower { set } else { set.complement() };
    }
    let mut set = ByteSet::EMPTY;
    set.insert(letter);
    set
}

/// What one byte of the subject is tested against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Single {
    /// Any byte.
    Any,
    /// This byte.
    Char(u8),
    /// Any byte but this.
    Not(u8),
    /// A byte of this set of the pattern.
    Set(u16),
}

/// One step of a compiled pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// One byte.
    One(Single),
    /// `?`: one or none, one first.
    Optional(Single),
    /// `*`: the longest run first.
    Star(Single),
    /// `+`: the longest run of at least one first.
    Plus(Single),
    /// `-`: the shortest run first.
    Minus(Single),
    /// `(`.
    Open,
    /// `()`.
    Position,
    /// `)`.
    Close,
    /// `%1` to `%9`, from 0; 255 for `%0`, which is an error.
    Back(u8),
    /// `%bxy`.
    Balance(u8, u8),
    /// `%f[set]`.
    Frontier(u16),
    /// `$` at the end.
    End,
    /// Malformed from here on.
    Error(PatternError),
    /// The end of the pattern.
    Match,
}

/// What a match must start with, to skip quickly to where one can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Unknown.
    Anything,
    /// This byte.
    Byte(u8),
    /// A byte of this set.
    Set(u16),
}

/// A compiled pattern; reusable for any number of matches.
#[derive(Debug)]
pub struct Pattern {
    pub(super) items: Vec<Item>,
    pub(super) sets: Vec<ByteSet>,
    /// Starts with `^` that is an anchor.
    pub(super) anchored: bool,
    pub(super) start: Start,
    /// For a pattern of plain bytes only: these, and a searcher for them.
    pub(super) literal: Option<Finder<'static>>,
    /// Where its bytes are counted.
    account: Option<Rc<Account>>,
}

impl Pattern {
    /// Compiles a pattern in which a leading `^` is an anchor (`find`, `match`, `gsub`).
    pub fn new(pattern: &[u8]) -> Pattern {
        match pattern {
            [b'^', rest @ ..] => Compiler::run(rest, true),
            _ => Compiler::run(pattern, false),
        }
    }

    /// Compiles a pattern in which a leading `^` is an ordinary byte (`gmatch`).
    pub fn without_anchor(pattern: &[u8]) -> Pattern {
        Compiler::run(pattern, false)
    }

    /// More bytes than a pattern of `len` takes while it is compiled.
    pub fn most_bytes(len: usize) -> usize {
        (len + 1).saturating_mul(size_of::<Item>() + size_of::<ByteSet>() + 2)
            + size_of::<Pattern>()
    }

    fn bytes(&self) -> usize {
        let literal = self.literal.as_ref().map_or(0, |finder| finder.needle().len());
        size_of::<Pattern>()
            + self.items.capacity() * size_of::<Item>()
            + self.sets.capacity() * size_of::<ByteSet>()
            + literal
    }

    /// Bytes that are not counted elsewhere.
    pub fn uncounted_bytes(&self) -> usize {
        if self.account.is_some() { 0 } else { self.bytes() }
    }

    /// Counts its bytes, which were granted, as long as it lives.
    pub fn count_in(&mut self, account: &Rc<Account>) {
        account.add(self.bytes());
        self.account = Some(Rc::clone(account));
    }

    /// Whether the pattern only matches where the search starts.
    pub fn is_anchored(&self) -> bool {
        self.anchored
    }
}

impl Drop for Pattern {
    fn drop(&mut self) {
        if let Some(account) = &self.account {
            account.subtract(self.bytes());
        }
    }
}

struct Compiler<'a> {
    text: &'a [u8],
    at: usize,
    sets: Vec<ByteSet>,
}

impl Compiler<'_> {
    fn run(text: &[u8], anchored: bool) -> Pattern {
        let mut this = Compiler { text, at: 0, sets: Vec::new() };
        let mut items = Vec::with_capacity(text.len() + 1);
        while this.at < text.len() {
            match this.item() {
                Ok(item) => items.push(item),
                Err(error) => {
                    items.push(Item::Error(error));
                    break;
                }
            }
        }
        items.push(Item::Match);
        let plain: Option<Vec<u8>> = items[..items.len() - 1]
            .iter()
            .map(|item| if let Item::One(Single::Char(c)) = item { Some(*c) } else { None })
            .collect();
        let literal = plain
            .filter(|bytes| bytes.len() > 1 && !anchored)
            .map(|bytes| Finder::new(&bytes).into_owned());
        let start = start_of(&items);
        Pattern { items, sets: this.sets, anchored, start, literal, account: None }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn item(&mut self) -> Result<Item, PatternError> {
        match (self.text[self.at], self.peek(1)) {
            (b'(', Some(b')')) => {
                self.at += 2;
                Ok(Item::Position)
            }
            (b'(', _) => {
                self.at += 1;
                Ok(Item::Open)
            }
            (b')', _) => {
                self.at += 1;
                Ok(Item::Close)
            }
            (b'$', None) => {
                self.at += 1;
                Ok(Item::End)
            }
            (b'%', Some(b'b')) => {
                let (Some(open), Some(close)) = (self.peek(2), self.peek(3)) else {
                    return Err(PatternError::BalanceArguments);
                };
                self.at += 4;
                Ok(Item::Balance(open, close))
            }
            (b'%', Some(b'f')) => {
                self.at += 2;
                if self.peek(0) != Some(b'[') {
                    return Err(PatternError::FrontierSet);
                }
                let set = self.bracket()?;
                Ok(Item::Frontier(self.intern(set)?))
            }
            (b'%', Some(digit @ b'0'..=b'9')) => {
                self.at += 2;
                Ok(Item::Back(digit.wrapping_sub(b'1')))
            }
            _ => {
                let single = self.single()?;
                let make = match self.peek(0) {
                    Some(b'?') => Item::Optional,
                    Some(b'*') => Item::Star,
                    Some(b'+') => Item::Plus,
                    Some(b'-') => Item::Minus,
                    _ => return Ok(Item::One(single)),
                };
                self.at += 1;
                Ok(make(single))
            }
        }
    }

    /// A single-byte class, without suffix.
    fn single(&mut self) -> Result<Single, PatternError> {
        match self.text[self.at] {
            b'.' => {
                self.at += 1;
                Ok(Single::Any)
            }
            b'%' => {
                let letter = self.peek(1).ok_or(PatternError::EndsWithEscape)?;
                self.at += 2;
                self.simplify(escape_set(letter))
            }
            b'[' => {
                let set = self.bracket()?;
                self.simplify(set)
            }
            c => {
                self.at += 1;
                Ok(Single::Char(c))
            }
        }
    }

    /// A set in brackets; leaves the position after it.
    fn bracket(&mut self) -> Result<ByteSet, PatternError> {
        let missing = PatternError::MissingBracket;
        // Find the closing bracket first: it decides whether a '-' makes a range.
        let negated = self.peek(1) == Some(b'^');
        let first = self.at + 1 + usize::from(negated);
        let mut close = first;
        loop {
            // The first byte is in the set even if it is a bracket.
            let c = *self.text.get(close).ok_or(missing)?;
            close += 1;
            if c == b'%' && close < self.text.len() {
                close += 1;
            }
            if self.text.get(close) == Some(&b']') {
                break;
            }
        }
        let mut set = ByteSet::EMPTY;
        let mut at = first;
        while at < close {
            let c = self.text[at];
            if c == b'%' {
                set = set.union(escape_set(self.text[at + 1]));
                at += 2;
            } else if self.text[at + 1] == b'-' && at + 2 < close {
                (c..=self.text[at + 2]).for_each(|c| set.insert(c));
                at += 3;
            } else {
                set.insert(c);
                at += 1;
            }
        }
        self.at = close + 1;
        Ok(if negated { set.complement() } else { set })
    }

    fn simplify(&mut self, set: ByteSet) -> Result<Single, PatternError> {
        Ok(match set.count() {
            1 => Single::Char(set.first().expect("one byte")),
            255 => Single::Not(set.complement().first().expect("one byte")),
            256 => Single::Any,
            _ => Single::Set(self.intern(set)?),
        })
    }

    fn intern(&mut self, set: ByteSet) -> Result<u16, PatternError> {
        let at = self.sets.iter().position(|s| *s == set).unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        });
        u16::try_from(at).map_err(|_| PatternError::TooComplex)
    }
}

/// What every match of `items` starts with.
fn start_of(items: &[Item]) -> Start {
    // Captures take no bytes. Look through few, so that too many remain an error.
    let first = items.iter().take(8).find(|i| !matches!(i, Item::Open | Item::Position));
    match first {
        Some(Item::One(single) | Item::Plus(single)) => match single {
            Single::Char(c) => Start::Byte(*c),
            Single::Set(set) => Start::Set(*set),
            Single::Any | Single::Not(_) => Start::Anything,
        },
        Some(Item::Balance(open, _)) => Start::Byte(*open),
        _ => Start::Anything,
    }
}

/// Recently used patterns, so that a pattern in a loop is compiled once. One per Lua state.
#[derive(Debug, Default)]
pub struct PatternCache {
    entries: [Option<Entry>; 16],
}

#[derive(Debug)]
struct Entry {
    text: Box<[u8]>,
    pattern: Rc<Pattern>,
}

impl PatternCache {
    /// Longer patterns are not kept.
    pub const LONGEST: usize = 1024;

    /// The compiled form of `text`, as by [`Pattern::new`].
    pub fn get(&mut self, text: &[u8]) -> Rc<Pattern> {
        let mut hash = text.len() as u32;
        for &c in text.iter().take(24) {
            hash = (hash ^ u32::from(c)).wrapping_mul(0x0100_0193);
        }
        let slot = &mut self.entries[(hash >> 8 ^ hash) as usize % 16];
        if let Some(entry) = slot
            && *entry.text == *text
        {
            return entry.pattern.clone();
        }
        let pattern = Rc::new(Pattern::new(text));
        *slot = Some(Entry { text: text.into(), pattern: pattern.clone() });
        pattern
    }
}
