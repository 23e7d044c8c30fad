//! The matcher of Lua patterns (manual §6.4.1): backtracking over compiled items.
//!
//! [`Matcher::find`] searches, [`Matcher::match_at`] matches in one place, and then
//! [`Matcher::capture`] tells the captures. Recursion (captures, and one level per repetition whose
//! rest is tried) is at most [`MAX_DEPTH`] deep; runs of single bytes are iterative.
//!
//! ```
//! use perilune_runtime::text::{pattern::{Capture, Matcher}, pattern_compile::Pattern};
//! let pattern = Pattern::new(b"(%a+)=(%d+)");
//! let mut m = Matcher::new(b"x, key=42", &pattern);
//! assert_eq!(m.find(0), Ok(Some((3, 9))));
//! assert_eq!(m.capture(1, 3, 9), Ok(Capture::Bytes(b"42")));
//! ```

use std::fmt;

use super::pattern_compile::{Item, Pattern, Single, Start};

/// The greatest number of captures.
pub const MAX_CAPTURES: usize = 32;
/// The greatest depth of recursion.
pub const MAX_DEPTH: u32 = 200;

/// Why matching stopped; prints as the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// `%` at the end.
    EndsWithEscape,
    /// A set without end.
    MissingBracket,
    /// `%b` without two bytes.
    BalanceArguments,
    /// `%f` without a set.
    FrontierSet,
    /// `)` without `(`.
    InvalidCapture,
    /// A reference to a capture that does not exist or is not closed; counted from 1.
    CaptureIndex(u32),
    /// `(` without `)`.
    UnfinishedCapture,
    /// More than [`MAX_CAPTURES`].
    TooManyCaptures,
    /// Deeper than [`MAX_DEPTH`].
    TooComplex,
    /// The poll function asked to stop; no error of the pattern.
    Interrupted,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PatternError::EndsWithEscape => "malformed pattern (ends with '%')",
            PatternError::MissingBracket => "malformed pattern (missing ']')",
            PatternError::BalanceArguments => "malformed pattern (missing arguments to '%b')",
            PatternError::FrontierSet => "missing '[' after '%f' in pattern",
            PatternError::InvalidCapture => "invalid pattern capture",
            PatternError::CaptureIndex(i) => return write!(f, "invalid capture index %{i}"),
            PatternError::UnfinishedCapture => "unfinished capture",
            PatternError::TooManyCaptures => "too many captures",
            PatternError::TooComplex => "pattern too complex",
            PatternError::Interrupted => "interrupted",
        })
    }
}

impl std::error::Error for PatternError {}

/// A capture's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture<'a> {
    /// Part of the subject.
    Bytes(&'a [u8]),
    /// `()`: a position, counted from 0.
    Position(usize),
}

#[derive(Clone, Copy, Debug)]
enum Length {
    Closed(usize),
    Open,
    Position,
}

type Matched = Result<Option<usize>, PatternError>;

/// Asks every this many steps whether to stop.
const POLL_STEPS: u32 = 1 << 14;

/// Matches one pattern in one subject.
pub struct Matcher<'a> {
    subject: &'a [u8],
    pattern: &'a Pattern,
    level: usize,
    captures: [(usize, Length); MAX_CAPTURES],
    depth: u32,
    steps: u32,
    poll: Option<&'a dyn Fn() -> bool>,
}

impl<'a> Matcher<'a> {
    /// A matcher of `pattern` in `subject`.
    #[inline]
    pub fn new(subject: &'a [u8], pattern: &'a Pattern) -> Matcher<'a> {
        Matcher {
            subject,
            pattern,
            level: 0,
            captures: [(0, Length::Open); MAX_CAPTURES],
            depth: MAX_DEPTH,
            steps: 0,
            poll: None,
        }
    }

    /// Calls `stop` now and then during long matches; when it says so, matching ends in
    /// [`PatternError::Interrupted`].
    pub fn with_poll(mut self, stop: &'a dyn Fn() -> bool) -> Matcher<'a> {
        self.poll = Some(stop);
        self
    }

    /// Matches at `init` only; returns the end of the match.
    #[inline]
    pub fn match_at(&mut self, init: usize) -> Matched {
        self.level = 0;
        self.depth = MAX_DEPTH;
        self.enter(init, 0)
    }

    /// The first match from `init` on: its start and end. An anchored pattern is tried at `init`
    /// only.
    #[inline]
    pub fn find(&mut self, init: usize) -> Result<Option<(usize, usize)>, PatternError> {
        self.find_not_ending_at(init, None)
    }

    /// As [`find`](Matcher::find), passing over matches that end at `last`: how `gmatch` and `gsub`
    /// avoid an empty match right after a match.
    pub fn find_not_ending_at(
        &mut self,
        init: usize,
        last: Option<usize>,
    ) -> Result<Option<(usize, usize)>, PatternError> {
        let pattern = self.pattern;
        if let Some(literal) = &pattern.literal {
            self.level = 0;
            return Ok(literal
                .find(&self.subject[init..])
                .map(|at| (init + at, init + at + literal.needle().len())));
        }
        let mut at = init;
        loop {
            if !pattern.anchored {
                let rest = &self.subject[at..];
                let skip = match pattern.start {
                    Start::Anything => Some(0),
                    Start::Byte(c) => memchr::memchr(c, rest),
                    Start::Set(set) => {
                        let set = pattern.sets[usize::from(set)];
                        rest.iter().position(|&c| set.has(c))
                    }
                };
                let Some(skip) = skip else {
                    return Ok(None);
                };
                at += skip;
            }
            if let Some(end) = self.match_at(at)?
                && Some(end) != last
            {
                return Ok(Some((at, end)));
            }
            at += 1;
            if pattern.anchored || at > self.subject.len() {
                return Ok(None);
            }
        }
    }

    /// The subject.
    #[inline]
    pub fn subject(&self) -> &'a [u8] {
        self.subject
    }

    /// Number of captures of the last match.
    #[inline]
    pub fn capture_count(&self) -> usize {
        self.level
    }

    /// Capture `i` of the last match, from 0; the whole match (`start` to `end`) if there are no
    /// captures and `i` is 0.
    #[inline]
    pub fn capture(&self, i: usize, start: usize, end: usize) -> Result<Capture<'a>, PatternError> {
        if i >= self.level {
            return if i == 0 {
                Ok(Capture::Bytes(&self.subject[start..end]))
            } else {
                Err(PatternError::CaptureIndex(i as u32 + 1))
            };
        }
        let (from, length) = self.captures[i];
        match length {
            Length::Closed(len) => Ok(Capture::Bytes(&self.subject[from..from + len])),
            Length::Position => Ok(Capture::Position(from)),
            Length::Open => Err(PatternError::UnfinishedCapture),
        }
    }

    #[inline]
    fn test(&self, single: Single, c: u8) -> bool {
        match single {
            Single::Any => true,
            Single::Char(x) => c == x,
            Single::Not(x) => c != x,
            Single::Set(set) => self.pattern.sets[usize::from(set)].has(c),
        }
    }

    /// Whether there is a byte at `at` and it is in `single`.
    #[inline]
    fn test_at(&self, single: Single, at: usize) -> bool {
        self.subject.get(at).is_some_and(|&c| self.test(single, c))
    }

    /// How many bytes from `at` on are in `single`.
    #[inline]
    fn run_length(&self, single: Single, at: usize) -> usize {
        let rest = &self.subject[at..];
        let stop = match single {
            Single::Any => None,
            Single::Char(x) => rest.iter().position(|&c| c != x),
            Single::Not(x) => memchr::memchr(x, rest),
            Single::Set(set) => {
                let set = self.pattern.sets[usize::from(set)];
                rest.iter().position(|&c| !set.has(c))
            }
        };
        stop.unwrap_or(rest.len())
    }

    /// Counts bytes that a loop looked at, towards the next poll.
    #[inline]
    fn count_bytes(&mut self, bytes: usize) {
        self.steps = self.steps.saturating_add((bytes >> 6) as u32);
    }

    #[cold]
    fn check_poll(&mut self) -> Result<(), PatternError> {
        self.steps = 0;
        match self.poll {
            Some(stop) if stop() => Err(PatternError::Interrupted),
            _ => Ok(()),
        }
    }

    /// One level of recursion.
    fn enter(&mut self, at: usize, item: usize) -> Matched {
        if self.depth == 0 {
            return Err(PatternError::TooComplex);
        }
        self.steps += 1;
        if self.steps >= POLL_STEPS {
            self.check_poll()?;
        }
        self.depth -= 1;
        let result = self.run(at, item);
        self.depth += 1;
        result
    }

    fn run(&mut self, mut at: usize, mut item: usize) -> Matched {
        let pattern = self.pattern;
        loop {
            match pattern.items[item] {
                Item::One(single) => {
                    if !self.test_at(single, at) {
                        return Ok(None);
                    }
                    at += 1;
                    item += 1;
                }
                Item::Optional(single) => {
                    if self.test_at(single, at)
                        && let Some(end) = self.enter(at + 1, item + 1)?
                    {
                        return Ok(Some(end));
                    }
                    item += 1;
                }
                Item::Star(single) => return self.longest(single, at, 0, item + 1),
                Item::Plus(single) => return self.longest(single, at, 1, item + 1),
                Item::Minus(single) => return self.shortest(single, at, item + 1),
                Item::Open => return self.open(Length::Open, at, item + 1),
                Item::Position => return self.open(Length::Position, at, item + 1),
                Item::Close => return self.close(at, item + 1),
                Item::Back(index) => {
                    let Some(len) = self.back(index, at)? else {
                        return Ok(None);
                    };
                    at += len;
                    item += 1;
                }
                Item::Balance(open, close) => {
                    let Some(end) = self.balance(open, close, at) else {
                        return Ok(None);
                    };
                    at = end;
                    item += 1;
                }
                Item::Frontier(set) => {
                    let set = pattern.sets[usize::from(set)];
                    let before = if at == 0 { 0 } else { self.subject[at - 1] };
                    let here = self.subject.get(at).copied().unwrap_or(0);
                    if set.has(before) || !set.has(here) {
                        return Ok(None);
                    }
                    item += 1;
                }
                Item::End => {
                    if at != self.subject.len() {
                        return Ok(None);
                    }
                    item += 1;
                }
                Item::Error(error) => return Err(error),
                Item::Match => return Ok(Some(at)),
            }
        }
    }

    /// Tries the rest after the longest run first.
    fn longest(&mut self, single: Single, at: usize, least: usize, rest: usize) -> Matched {
        let mut run = self.run_length(single, at);
        self.count_bytes(run);
        if run < least {
            return Ok(None);
        }
        match self.pattern.items[rest] {
            Item::Match => Ok(Some(at + run)),
            // Where the next item cannot match, neither can the rest.
            Item::One(next) => loop {
                if self.test_at(next, at + run)
                    && let Some(end) = self.enter(at + run + 1, rest + 1)?
                {
                    return Ok(Some(end));
                }
                if run == least {
                    return Ok(None);
                }
                run -= 1;
            },
            _ => loop {
                if let Some(end) = self.enter(at + run, rest)? {
                    return Ok(Some(end));
                }
                if run == least {
                    return Ok(None);
                }
                run -= 1;
            },
        }
    }

    /// Tries the rest after the shortest run first.
    fn shortest(&mut self, single: Single, mut at: usize, rest: usize) -> Matched {
        let from = at;
        // Where the next item cannot match, neither can the rest.
        let next = match self.pattern.items[rest] {
            Item::One(next) => Some(next),
            _ => None,
        };
        loop {
            if next.is_none_or(|next| self.test_at(next, at))
                && let Some(end) = self.enter(at, rest)?
            {
                return Ok(Some(end));
            }
            if !self.test_at(single, at) {
                self.count_bytes(at - from);
                return Ok(None);
            }
            at += 1;
        }
    }

    fn open(&mut self, length: Length, at: usize, rest: usize) -> Matched {
        let level = self.level;
        if level >= MAX_CAPTURES {
            return Err(PatternError::TooManyCaptures);
        }
        self.captures[level] = (at, length);
        self.level = level + 1;
        let result = self.enter(at, rest)?;
        if result.is_none() {
            self.level = level;
        }
        Ok(result)
    }

    fn close(&mut self, at: usize, rest: usize) -> Matched {
        let is_open = |c: &(usize, Length)| matches!(c.1, Length::Open);
        let Some(index) = self.captures[..self.level].iter().rposition(is_open) else {
            return Err(PatternError::InvalidCapture);
        };
        self.captures[index].1 = Length::Closed(at - self.captures[index].0);
        let result = self.enter(at, rest)?;
        if result.is_none() {
            self.captures[index].1 = Length::Open;
        }
        Ok(result)
    }

    /// The length of what a back-reference matches.
    fn back(&self, index: u8, at: usize) -> Matched {
        let error = PatternError::CaptureIndex(u32::from(index.wrapping_add(1)));
        let Some(&(from, length)) = self.captures[..self.level].get(usize::from(index)) else {
            return Err(error);
        };
        match length {
            Length::Closed(len) => {
                let same = self.subject[at..].starts_with(&self.subject[from..from + len]);
                Ok(same.then_some(len))
            }
            // No subject is as long as the length that marks a position.
            Length::Position => Ok(None),
            Length::Open => Err(error),
        }
    }

    fn balance(&mut self, open: u8, close: u8, at: usize) -> Option<usize> {
        if self.subject.get(at) != Some(&open) {
            return None;
        }
        let mut depth = 1usize;
        for (i, &c) in self.subject.iter().enumerate().skip(at + 1) {
            // The closing byte first: with equal bytes the second one closes.
            if c == close {
                depth -= 1;
                if depth == 0 {
                    return Some(i + 1);
                }
            } else if c == open {
                depth += 1;
            }
        }
        self.count_bytes(self.subject.len() - at);
        None
    }
}

/// Whether `string.find` takes a pattern as plain text.
pub fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|c| b"^$*+?.([%-".contains(c))
}

/// The first place of `needle` in `subject` from `init` on.
pub fn find_plain(subject: &[u8], needle: &[u8], init: usize) -> Option<usize> {
    let rest = &subject[init..];
    let at = match needle {
        [] => Some(0),
        [c] => memchr::memchr(*c, rest),
        [first, ..] => {
            // A searcher costs more to set up than a few candidates to look at.
            let mut from = 0;
            for _ in 0..8 {
                match memchr::memchr(*first, &rest[from..]) {
                    None => return None,
                    Some(at) if rest[from + at..].starts_with(needle) => {
                        return Some(init + from + at);
                    }
                    Some(at) => from += at + 1,
                }
            }
            memchr::memmem::find(&rest[from..], needle).map(|at| from + at)
        }
    };
    at.map(|at| init + at)
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
