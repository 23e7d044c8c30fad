//! The lexer: source bytes to tokens (manual §3.1).
//!
//! Sources are arbitrary bytes. The lexer holds one token of lookahead, the
//! line it has read up to (`line`) and the line of the last token consumed
//! (`last_line`); the compiler's line table is made from the latter, as in
//! PUC Lua, so that messages and hooks name the same lines.

use std::ops::Range;

use perilune_ir::budget::{Meter, POLL_BYTES, Refusal};

use crate::error::{CompileError, SyntaxError, chunk_id_bytes};
use crate::number::{Number, hex_value, is_space, parse_number};
use crate::strings::{StrId, Strings};

macro_rules! tokens {
    (keywords { $($kw:ident $kw_text:literal,)* } operators { $($op:ident $op_text:literal,)* }) => {
        /// A token. Single bytes that are no other token stand for themselves.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Token {
            $(#[doc = $kw_text] $kw,)*
            $(#[doc = $op_text] $op,)*
            /// A one-byte token.
            Byte(u8),
            /// An identifier.
            Name(StrId),
            /// A string literal.
            Str(StrId),
            /// An integer numeral.
            Int(i64),
            /// A float numeral.
            Float(f64),
            /// The end of the source.
            Eof,
        }

        impl Token {
            /// The fixed text of keywords and longer operators.
            fn text(self) -> Option<&'static str> {
                match self {
                    $(Token::$kw => Some($kw_text),)*
                    $(Token::$op => Some($op_text),)*
                    Token::Byte(_)
                    | Token::Name(_)
                    | Token::Str(_)
                    | Token::Int(_)
                    | Token::Float(_)
                    | Token::Eof => None,
                }
            }
        }

        fn keyword(name: &[u8]) -> Option<Token> {
            $(if name == $kw_text.as_bytes() {
                return Some(Token::$kw);
            })*
            None
        }
    };
}

tokens! {
    keywords {
        And "and", Break "break", Do "do", Else "else", Elseif "elseif", End "end", False "false",
        For "for", Function "function", Goto "goto", If "if", In "in", Local "local", Nil "nil",
        Not "not", Or "or", Repeat "repeat", Return "return", Then "then", True "true",
        Until "until", While "while",
    }
    operators {
        IDiv "//", Concat "..", Dots "...", Eq "==", Ge ">=", Le "<=", Ne "~=", Shl "<<",
        Shr ">>", DoubleColon "::",
    }
}

/// The name under which pending `break`s are kept: no label can have it.
const BREAK_NAME: &[u8] = b"break";

type Result<T> = std::result::Result<T, CompileError>;

/// Capacity of the buffer that is not kept for the next string.
const LARGE_BUFFER: usize = 64 << 10;

/// The lexer over one source.
pub(crate) struct Lexer<'s, 'b> {
    /// Counts what the source makes the parser take, tokens included.
    pub meter: &'s mut Meter<'b>,
    source: &'s [u8],
    at: usize,
    /// Where the current token's text starts in `source` (names, numerals).
    start: usize,
    /// Text read so far of a string token: its delimiters and its decoded
    /// bytes, and while an escape is read, that escape as written.
    buffer: Vec<u8>,
    chunk_name: &'s [u8],
    /// All strings of the chunk.
    pub strings: Strings,
    /// The current token.
    pub token: Token,
    ahead: Option<Token>,
    /// The line read up to.
    pub line: u32,
    /// The line of the last token consumed.
    pub last_line: u32,
    /// The interned name of pending `break`s.
    pub break_name: StrId,
}

/// What an error shows after `near`.
enum Near {
    Nothing,
    /// The text of the string read so far.
    Buffer,
    /// The source text of the token read so far.
    Source,
    Eof,
    /// A token with a fixed text.
    Token(Token),
}

impl<'s, 'b> Lexer<'s, 'b> {
    /// A lexer before the first token: call [`Lexer::next`] to read it.
    pub fn new(source: &'s [u8], chunk_name: &'s [u8], meter: &'s mut Meter<'b>) -> Result<Self> {
        let mut strings = Strings::default();
        let break_name = strings.intern(BREAK_NAME, meter)?;
        Ok(Lexer {
            meter,
            source,
            at: 0,
            start: 0,
            buffer: Vec::new(),
            chunk_name,
            strings,
            token: Token::Eof,
            ahead: None,
            line: 1,
            last_line: 1,
            break_name,
        })
    }

    /// The id of a name.
    pub fn intern(&mut self, name: &[u8]) -> std::result::Result<StrId, Refusal> {
        self.strings.intern(name, self.meter)
    }

    /// Consumes the current token.
    pub fn next(&mut self) -> Result<()> {
        self.meter.step()?;
        self.last_line = self.line;
        self.token = match self.ahead.take() {
            Some(token) => token,
            None => self.scan()?,
        };
        Ok(())
    }

    /// The token after the current one.
    pub fn peek(&mut self) -> Result<Token> {
        let token = match self.ahead {
            Some(token) => token,
            None => self.scan()?,
        };
        self.ahead = Some(token);
        Ok(token)
    }

    /// An error at the current line, with nothing after it.
    pub fn error_plain(&mut self, message: impl AsRef<[u8]>) -> CompileError {
        self.compose(&[message.as_ref()], Near::Nothing)
    }

    /// [`Lexer::error_plain`] with the message in pieces, since names may be
    /// long.
    pub fn error_pieces(&mut self, message: &[&[u8]]) -> CompileError {
        self.compose(message, Near::Nothing)
    }

    /// An error that quotes the current token.
    pub fn error_near(&mut self, message: impl AsRef<[u8]>) -> CompileError {
        let near = match self.token {
            // PUC Lua quotes no token of value zero, which a zero byte is.
            Token::Byte(0) => Near::Nothing,
            Token::Name(_) | Token::Int(_) | Token::Float(_) => Near::Source,
            Token::Str(_) => Near::Buffer,
            other => Near::Token(other),
        };
        self.compose(&[message.as_ref()], near)
    }

    /// How messages show a token that was expected: quoted, or `<name>`, `<eof>`.
    pub fn expected_text(token: Token) -> String {
        match token {
            Token::Eof => "<eof>".to_string(),
            Token::Name(_) => "<name>".to_string(),
            Token::Str(_) => "<string>".to_string(),
            Token::Int(_) => "<integer>".to_string(),
            Token::Float(_) => "<number>".to_string(),
            Token::Byte(byte) if (0x20..0x7f).contains(&byte) => format!("'{}'", byte as char),
            Token::Byte(byte) => format!("'<\\{byte}>'"),
            other => format!("'{}'", other.text().unwrap_or_default()),
        }
    }

    fn lex_error(&mut self, message: impl AsRef<[u8]>, near: Near) -> CompileError {
        self.compose(&[message.as_ref()], near)
    }

    /// The error with its position; what it quotes may be as long as the source.
    fn compose(&mut self, message: &[&[u8]], near: Near) -> CompileError {
        let position =
            [&chunk_id_bytes(self.chunk_name)[..], format!(":{}: ", self.line).as_bytes()].concat();
        let fixed;
        let (quote, text): (&[u8], &[u8]) = match near {
            Near::Nothing => (b"", b""),
            Near::Buffer => (b"'", up_to_zero(&self.buffer)),
            Near::Source => (b"'", up_to_zero(&self.source[self.start..self.at])),
            Near::Eof => (b"", b"<eof>"),
            Near::Token(token) => {
                fixed = Self::expected_text(token);
                (b"", fixed.as_bytes())
            }
        };
        let near: &[u8] = if text.is_empty() && quote.is_empty() { b"" } else { b" near " };
        let mut full = Vec::new();
        let pieces = [&position[..]].into_iter().chain(message.iter().copied());
        for piece in pieces.chain([near, quote, text, quote]) {
            if let Err(refusal) = self.meter.extend(&mut full, piece) {
                return refusal.into();
            }
        }
        let incomplete = text == b"<eof>" && quote.is_empty();
        SyntaxError { message: full, incomplete, line: self.line }.into()
    }

    fn current(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.current() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Skips the bytes that `f` accepts.
    fn skip_while(&mut self, f: impl Fn(u8) -> bool) -> Result<()> {
        loop {
            let rest = &self.source[self.at..];
            let piece = &rest[..rest.len().min(POLL_BYTES)];
            let count = piece.iter().position(|&byte| !f(byte)).unwrap_or(piece.len());
            self.at += count;
            self.meter.scan(count)?;
            if count < POLL_BYTES {
                return Ok(());
            }
        }
    }

    /// Appends the bytes that `f` accepts to the buffer.
    fn read_while(&mut self, f: impl Fn(u8) -> bool) -> Result<()> {
        loop {
            let rest = &self.source[self.at..];
            let piece = &rest[..rest.len().min(POLL_BYTES)];
            let count = piece.iter().position(|&byte| !f(byte)).unwrap_or(piece.len());
            self.at += count;
            self.meter.extend(&mut self.buffer, &piece[..count])?;
            self.meter.scan(count)?;
            if count < POLL_BYTES {
                return Ok(());
            }
        }
    }

    /// Empties the buffer for a string.
    fn clear_buffer(&mut self) {
        if self.buffer.capacity() > LARGE_BUFFER {
            self.meter.free(std::mem::take(&mut self.buffer));
        }
        self.buffer.clear();
    }

    fn put(&mut self, byte: u8) -> Result<()> {
        Ok(self.meter.push(&mut self.buffer, byte)?)
    }

    /// Skips one line end: any of `\n`, `\r`, `\r\n`, `\n\r`.
    fn skip_line_end(&mut self) {
        let first = self.current();
        self.at += 1;
        if let Some(second @ (b'\n' | b'\r')) = self.current()
            && Some(second) != first
        {
            self.at += 1;
        }
        self.line = self.line.saturating_add(1);
    }

    fn scan(&mut self) -> Result<Token> {
        loop {
            self.start = self.at;
            let Some(byte) = self.current() else {
                return Ok(Token::Eof);
            };
            match byte {
                b'\n' | b'\r' => {
                    self.skip_line_end();
                    self.meter.step()?;
                }
                b' ' | b'\t' | 0x0b | 0x0c => {
                    self.skip_while(|b| matches!(b, b' ' | b'\t' | 0x0b | 0x0c))?;
                }
                b'-' => {
                    self.at += 1;
                    if !self.accept(b'-') {
                        return Ok(Token::Byte(b'-'));
                    }
                    self.comment()?;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => return self.name(),
                b'0'..=b'9' => return self.numeral(),
                b'"' | b'\'' => return self.string(byte),
                b'[' => {
                    return match self.long_bracket()? {
                        LongBracket::Opens(level) => {
                            let body = self.long_text(level, "string")?;
                            Ok(Token::Str(self.strings.intern(&self.buffer[body], self.meter)?))
                        }
                        LongBracket::Single => Ok(Token::Byte(b'[')),
                        LongBracket::Malformed => {
                            Err(self.lex_error("invalid long string delimiter", Near::Source))
                        }
                    };
                }
                _ => return self.symbol(byte),
            }
        }
    }

    fn symbol(&mut self, byte: u8) -> Result<Token> {
        self.at += 1;
        Ok(match byte {
            b'=' if self.accept(b'=') => Token::Eq,
            b'<' if self.accept(b'=') => Token::Le,
            b'<' if self.accept(b'<') => Token::Shl,
            b'>' if self.accept(b'=') => Token::Ge,
            b'>' if self.accept(b'>') => Token::Shr,
            b'/' if self.accept(b'/') => Token::IDiv,
            b'~' if self.accept(b'=') => Token::Ne,
            b':' if self.accept(b':') => Token::DoubleColon,
            b'.' => {
                if self.accept(b'.') {
                    if self.accept(b'.') { Token::Dots } else { Token::Concat }
                } else if self.current().is_some_and(|b| b.is_ascii_digit()) {
                    return self.numeral();
                } else {
                    Token::Byte(b'.')
                }
            }
            other => Token::Byte(other),
        })
    }

    fn name(&mut self) -> Result<Token> {
        self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_')?;
        let name = &self.source[self.start..self.at];
        match keyword(name) {
            Some(token) => Ok(token),
            None => Ok(Token::Name(self.intern(name)?)),
        }
    }

    fn numeral(&mut self) -> Result<Token> {
        let mut exponent = [b'e', b'E'];
        if self.accept(b'0') && (self.accept(b'x') || self.accept(b'X')) {
            exponent = [b'p', b'P'];
        }
        while let Some(byte) = self.current() {
            if exponent.contains(&byte) {
                self.at += 1;
                if !self.accept(b'-') {
                    self.accept(b'+');
                }
            } else if byte.is_ascii_hexdigit() || byte == b'.' {
                self.skip_while(|b| {
                    (b.is_ascii_hexdigit() || b == b'.') && !exponent.contains(&b)
                })?;
            } else {
                break;
            }
        }
        if self.current().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') {
            self.at += 1; // a numeral that touches a letter is an error
        }
        match parse_number(&self.source[self.start..self.at]) {
            Some(Number::Int(value)) => Ok(Token::Int(value)),
            Some(Number::Float(value)) => Ok(Token::Float(value)),
            None => Err(self.lex_error("malformed number", Near::Source)),
        }
    }

    fn comment(&mut self) -> Result<()> {
        if self.current() == Some(b'[')
            && let LongBracket::Opens(level) = self.long_bracket()?
        {
            return self.long_comment(level);
        }
        self.skip_while(|b| b != b'\n' && b != b'\r')
    }

    /// At `[`: consumes an opening long bracket, or as much as it has of one.
    fn long_bracket(&mut self) -> Result<LongBracket> {
        self.at += 1;
        let from = self.at;
        self.skip_while(|b| b == b'=')?;
        let level = self.at - from;
        Ok(if self.accept(b'[') {
            LongBracket::Opens(level)
        } else if level == 0 {
            LongBracket::Single
        } else {
            LongBracket::Malformed
        })
    }

    fn unfinished(&mut self, what: &str, first_line: u32) -> CompileError {
        let message = format!("unfinished long {what} (starting at line {first_line})");
        self.lex_error(message, Near::Eof)
    }

    /// Skips to behind the closing long bracket of `level`.
    fn long_comment(&mut self, level: usize) -> Result<()> {
        let first_line = self.line;
        loop {
            self.skip_while(|b| !matches!(b, b'\n' | b'\r' | b']'))?;
            self.meter.step()?;
            match self.current() {
                None => return Err(self.unfinished("comment", first_line)),
                Some(b']') => {
                    let from = self.at;
                    self.at += 1;
                    self.skip_while(|b| b == b'=')?;
                    if self.at - from == level + 1 && self.accept(b']') {
                        return Ok(());
                    }
                }
                Some(_) => self.skip_line_end(),
            }
        }
    }

    /// The text up to the closing long bracket of `level`, with line ends
    /// made `\n` and a first one dropped: where it is in `buffer`.
    fn long_text(&mut self, level: usize, what: &str) -> Result<Range<usize>> {
        let first_line = self.line;
        self.clear_buffer();
        self.meter.reserve(&mut self.buffer, level + 2)?;
        self.buffer.push(b'[');
        self.buffer.resize(level + 1, b'=');
        self.buffer.push(b'[');
        if matches!(self.current(), Some(b'\n' | b'\r')) {
            self.skip_line_end();
        }
        loop {
            self.read_while(|b| !matches!(b, b'\n' | b'\r' | b']'))?;
            self.meter.step()?;
            match self.current() {
                None => return Err(self.unfinished(what, first_line)),
                Some(b']') => {
                    let from = self.at;
                    self.put(b']')?;
                    self.at += 1;
                    self.read_while(|b| b == b'=')?;
                    if self.at - from == level + 1 && self.accept(b']') {
                        self.put(b']')?;
                        let margin = level + 2;
                        return Ok(margin..self.buffer.len() - margin);
                    }
                }
                Some(_) => {
                    self.skip_line_end();
                    self.put(b'\n')?;
                }
            }
        }
    }

    fn string(&mut self, quote: u8) -> Result<Token> {
        self.clear_buffer();
        self.put(quote)?;
        self.at += 1;
        loop {
            self.read_while(|b| b != quote && !matches!(b, b'\\' | b'\n' | b'\r'))?;
            self.meter.step()?;
            match self.current() {
                None => return Err(self.lex_error("unfinished string", Near::Eof)),
                Some(b'\n' | b'\r') => {
                    return Err(self.lex_error("unfinished string", Near::Buffer));
                }
                Some(b'\\') => self.escape()?,
                Some(_) => break,
            }
        }
        self.at += 1;
        self.put(quote)?;
        let text = &self.buffer[1..self.buffer.len() - 1];
        Ok(Token::Str(self.strings.intern(text, self.meter)?))
    }

    /// At `\`: appends what the escape sequence means.
    fn escape(&mut self) -> Result<()> {
        let from = self.at;
        self.at += 1;
        let Some(kind) = self.current() else {
            return Ok(()); // the caller finds the end of the source
        };
        let byte = match kind {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' | b'"' | b'\'' => kind,
            b'\n' | b'\r' => {
                self.skip_line_end();
                return self.put(b'\n');
            }
            b'z' => {
                self.at += 1;
                while let Some(byte) = self.current().filter(|&b| is_space(b)) {
                    self.meter.step()?;
                    if matches!(byte, b'\n' | b'\r') {
                        self.skip_line_end();
                    } else {
                        self.at += 1;
                    }
                }
                return Ok(());
            }
            b'x' => {
                let high = self.hex_digit(from)?;
                let low = self.hex_digit(from)?;
                (high << 4 | low) as u8
            }
            b'u' => return self.utf8_escape(from),
            b'0'..=b'9' => {
                let mut value = 0;
                let mut count = 0;
                while let Some(digit) = self.current().filter(|b| b.is_ascii_digit() && count < 3) {
                    value = value * 10 + u32::from(digit - b'0');
                    self.at += 1;
                    count += 1;
                }
                self.escape_check(value <= 255, from, "decimal escape too large")?;
                return self.put(value as u8);
            }
            _ => {
                self.escape_check(false, from, "invalid escape sequence")?;
                return Ok(());
            }
        };
        self.at += 1;
        self.put(byte)
    }

    /// Steps to the next byte, which must be a hexadecimal digit.
    fn hex_digit(&mut self, from: usize) -> Result<u32> {
        self.at += 1;
        let value = self.current().and_then(hex_value);
        self.escape_check(value.is_some(), from, "hexadecimal digit expected")?;
        Ok(value.unwrap_or(0))
    }

    /// `\u{XXX}`, up to 2^31: UTF-8 in its original form of up to six bytes.
    fn utf8_escape(&mut self, from: usize) -> Result<()> {
        self.at += 1;
        self.escape_check(self.current() == Some(b'{'), from, "missing '{'")?;
        let mut value = self.hex_digit(from)?;
        loop {
            self.meter.step()?;
            self.at += 1;
            let Some(digit) = self.current().and_then(hex_value) else {
                break;
            };
            self.escape_check(value <= 0x7FFF_FFFF >> 4, from, "UTF-8 value too large")?;
            value = value << 4 | digit;
        }
        self.escape_check(self.current() == Some(b'}'), from, "missing '}'")?;
        self.at += 1;
        self.meter.reserve(&mut self.buffer, MAX_UTF8)?;
        push_utf8(&mut self.buffer, value);
        Ok(())
    }

    /// Fails with the escape shown as written, up to and with the current byte.
    fn escape_check(&mut self, holds: bool, from: usize, message: &str) -> Result<()> {
        if holds {
            return Ok(());
        }
        let end = (self.at + 1).min(self.source.len());
        self.meter.extend(&mut self.buffer, &self.source[from..end])?;
        Err(self.lex_error(message, Near::Buffer))
    }
}

enum LongBracket {
    Opens(usize),
    Single,
    Malformed,
}

/// `text` up to a zero byte, where C's strings end.
fn up_to_zero(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
    &text[..end]
}

/// Bytes of the longest character.
const MAX_UTF8: usize = 6;

fn push_utf8(out: &mut Vec<u8>, value: u32) {
    if value < 0x80 {
        out.push(value as u8);
        return;
    }
    let mut rest = value;
    let mut tail = [0u8; MAX_UTF8];
    let mut count = 0;
    let mut first_max = 0x3f; // the largest value the first byte can hold
    while rest > first_max {
        tail[count] = 0x80 | (rest & 0x3f) as u8;
        count += 1;
        rest >>= 6;
        first_max >>= 1;
    }
    out.push(((!first_max << 1) | rest) as u8);
    out.extend(tail[..count].iter().rev());
}

#[cfg(test)]
mod tests {
    use perilune_ir::budget::Unlimited;

    use super::*;

    fn all(source: &[u8]) -> std::result::Result<Vec<Token>, String> {
        let mut budget = Unlimited;
        let mut meter = Meter::new(&mut budget);
        let mut lexer = Lexer::new(source, b"=x", &mut meter).unwrap();
        let mut tokens = Vec::new();
        loop {
            lexer.next().map_err(|e| e.to_string())?;
            if lexer.token == Token::Eof {
                return Ok(tokens);
            }
            tokens.push(lexer.token);
        }
    }

    fn string(source: &[u8]) -> Vec<u8> {
        let mut budget = Unlimited;
        let mut meter = Meter::new(&mut budget);
        let mut lexer = Lexer::new(source, b"=x", &mut meter).unwrap();
        lexer.next().unwrap();
        match lexer.token {
            Token::Str(id) => lexer.strings.get(id).to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn operators() {
        use Token::*;
        assert_eq!(
            all(b"// / ... .. . == = >= > <= < ~= ~ << >> :: :").unwrap(),
            [
                IDiv,
                Byte(b'/'),
                Dots,
                Concat,
                Byte(b'.'),
                Eq,
                Byte(b'='),
                Ge,
                Byte(b'>'),
                Le,
                Byte(b'<'),
                Ne,
                Byte(b'~'),
                Shl,
                Shr,
                DoubleColon,
                Byte(b':')
            ]
        );
        assert_eq!(all(b"-- x\n--[==[ ]] \n]==] 3 --").unwrap(), [Int(3)]);
        assert_eq!(all(b".5 5. 0x.8p1 3").unwrap(), [Float(0.5), Float(5.0), Float(1.0), Int(3)]);
    }

    #[test]
    fn strings() {
        assert_eq!(
            string(br#""a\n\t\\\"\'\065\x41\z   b\u{20AC}\0""#),
            b"a\n\t\\\"'AAb\xE2\x82\xAC\0"
        );
        assert_eq!(string(b"'\\\r\nx\\\n'"), b"\nx\n");
        assert_eq!(string(b"[[\r\nab\r\n\n\rc]]"), b"ab\n\nc");
        assert_eq!(string(b"[==[]]]=]==]]==]"), b"]]]=");
        assert_eq!(string(br"'\u{7FFFFFFF}'"), b"\xFD\xBF\xBF\xBF\xBF\xBF");
        assert_eq!(
            string(br"'\u{7FF}\u{FFFF}\u{10FFFF}\u{7f}'"),
            b"\xDF\xBF\xEF\xBF\xBF\xF4\x8F\xBF\xBF\x7f"
        );
        assert_eq!(string(b"'\xff\x00'"), b"\xff\x00");
    }

    #[test]
    fn errors() {
        for (source, expected) in [
            (&b"'abc"[..], "x:1: unfinished string near <eof>"),
            (b"'abc\ndef'", "x:1: unfinished string near ''abc'"),
            (br"'\q'", r"x:1: invalid escape sequence near ''\q'"),
            (br"'\xZZ'", r"x:1: hexadecimal digit expected near ''\xZ'"),
            (br"'a\xA'", r"x:1: hexadecimal digit expected near ''a\xA''"),
            (br"'\400'", r"x:1: decimal escape too large near ''\400''"),
            (br"'\u{80000000}'", r"x:1: UTF-8 value too large near ''\u{80000000'"),
            (br"'\u{110000000000}'", r"x:1: UTF-8 value too large near ''\u{110000000'"),
            (br"'\u{'", r"x:1: hexadecimal digit expected near ''\u{''"),
            (br"'\u12'", r"x:1: missing '{' near ''\u1'"),
            (br"'\u{12'", r"x:1: missing '}' near ''\u{12''"),
            (b"\n[[abc\n", "x:3: unfinished long string (starting at line 2) near <eof>"),
            (b"--[==[abc", "x:1: unfinished long comment (starting at line 1) near <eof>"),
            (b"[=abc", "x:1: invalid long string delimiter near '[='"),
            (b"3x", "x:1: malformed number near '3x'"),
            (b"08e  ", "x:1: malformed number near '08e'"),
            (b"0x", "x:1: malformed number near '0x'"),
            (b".0x1p4", "x:1: malformed number near '.0x1p4'"),
            (b"1..2", "x:1: malformed number near '1..2'"),
            (b"'a\\z  \n\n q\\", "x:3: unfinished string near <eof>"),
        ] {
            assert_eq!(all(source).unwrap_err(), expected);
        }
    }
}
