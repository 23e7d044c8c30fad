//! Expectations are what the reference implementation answers.

use super::*;
use crate::text::pattern_compile::PatternCache;

/// `string.find` without the plain shortcut: start and end counted from 1 as in Lua, then captures.
fn find(subject: &str, pattern: &str) -> String {
    let pattern = Pattern::new(pattern.as_bytes());
    let mut m = Matcher::new(subject.as_bytes(), &pattern);
    let all = |m: &mut Matcher| -> Result<String, PatternError> {
        let Some((start, end)) = m.find(0)? else {
            return Ok("nil".to_string());
        };
        let mut out = format!("{} {}", start + 1, end);
        for i in 0..m.capture_count() {
            match m.capture(i, start, end)? {
                Capture::Bytes(b) => out += &format!(" [{}]", String::from_utf8_lossy(b)),
                Capture::Position(p) => out += &format!(" {}", p + 1),
            }
        }
        Ok(out)
    };
    all(&mut m).unwrap_or_else(|e| e.to_string())
}

#[test]
fn items() {
    for (s, p, e) in [
        ("hello world", "wor", "7 9"),
        ("hello", "l+", "3 4"),
        ("hello", "l-o", "3 5"),
        ("hello", "xl*", "nil"),
        ("hello", "h?e", "1 2"),
        ("hello", "x?e", "2 2"),
        ("hello", "^e", "nil"),
        ("hello", "^h", "1 1"),
        ("hello", "o$", "5 5"),
        ("hello", "l$", "nil"),
        ("a$b", "a$b", "1 3"),
        ("hello", "", "1 0"),
        ("", "$", "1 0"),
        ("", "", "1 0"),
        ("", ".", "nil"),
        ("key = value", "^(%w+)%s*=%s*(%w+)$", "1 11 [key] [value]"),
        ("hello", "()ll()", "3 4 3 5"),
        ("THE (quick) fox", "%((%a+)%)", "5 11 [quick]"),
        ("f(a(b)c)d", "%b()", "2 8"),
        ("((", "%b()", "nil"),
        ("xaxbx", "%bxx", "1 3"),
        ("THE (quick) fox", "%f[%a]%a+", "1 3"),
        ("  word", "%f[%w]%w+", "3 6"),
        ("abc", "%f[\0]", "4 3"),
        ("", "%f[^a]", "nil"),
        ("\"it's\" 'x'", "([\"'])(.-)%1", "1 6 [\"] [it's]"),
        ("abcabc", "(abc)%1", "1 6 [abc]"),
        ("xab", "()%1", "nil"),
        ("a]-z9(b)*$^", "[]]", "2 2"),
        ("a]-z9(b)*$^", "[a-%z]", "4 4"),
        ("a]-z9(b)*$^", "[^]]", "1 1"),
        ("a]-z9(b)*$^", "[]-a]", "1 1"),
        ("a-", "[a-]+", "1 2"),
        ("b-", "[+--]", "2 2"),
        ("a]-z9(b)*$^", "*", "9 9"),
        ("^x", "[%^x]", "1 1"),
        ("x^", "[x^]+", "1 2"),
        ("a1 b2", "%a%d%s%a%d", "1 5"),
        ("abc123", "%D+", "1 3"),
        ("\u{e9}", "%a", "nil"),
        ("\u{e9}", "%A+", "1 2"),
        ("0xfF", "%x+", "1 1"),
        ("z\0", "%z", "2 2"),
        ("a\nb", "a.b", "1 3"),
        ("aXb", "%u", "2 2"),
        ("..--", "[%.%-]+", "1 4"),
        ("aaab", "a-b", "1 4"),
        ("aaa", "^(a-)$", "1 3 [aaa]"),
        (
            "0123456789",
            "(%d)(%d)(%d)(%d)(%d)(%d)(%d)(%d)(%d)(%d)",
            "1 10 [0] [1] [2] [3] [4] [5] [6] [7] [8] [9]",
        ),
        ("alo xyzK", "(%w+)K", "5 8 [xyz]"),
        ("  x y  ", "^%s*(.-)%s*$", "1 7 [x y]"),
        ("x", "((((x))))", "1 1 [x] [x] [x] [x]"),
        ("abXabY", "(ab)Y", "4 6 [ab]"),
        ("aab", "a*ab", "1 3"),
        ("aaaa", "a*a*a*aaaa", "1 4"),
    ] {
        assert_eq!(find(s, p), e, "{s:?} {p:?}");
    }
}

#[test]
fn malformed() {
    for (p, e) in [
        ("%", "malformed pattern (ends with '%')"),
        ("[", "malformed pattern (missing ']')"),
        ("[a", "malformed pattern (missing ']')"),
        ("[^", "malformed pattern (missing ']')"),
        ("[]", "malformed pattern (missing ']')"),
        ("[^]", "malformed pattern (missing ']')"),
        ("[%", "malformed pattern (missing ']')"),
        ("[%a", "malformed pattern (missing ']')"),
        ("[a-%]", "malformed pattern (missing ']')"),
        ("[a-", "malformed pattern (missing ']')"),
        ("%f", "missing '[' after '%f' in pattern"),
        ("%fa", "missing '[' after '%f' in pattern"),
        ("%f[", "malformed pattern (missing ']')"),
        ("%b", "malformed pattern (missing arguments to '%b')"),
        ("%bx", "malformed pattern (missing arguments to '%b')"),
        ("%1", "invalid capture index %1"),
        ("(%1)", "invalid capture index %1"),
        ("%0", "invalid capture index %0"),
        ("(a)%2", "invalid capture index %2"),
        ("(", "unfinished capture"),
        ("a(", "unfinished capture"),
        ("(()", "unfinished capture"),
        (")", "invalid pattern capture"),
        ("a.)", "invalid pattern capture"),
    ] {
        assert_eq!(find("abc", p), e, "{p:?}");
    }
    // Only what is reached is an error.
    assert_eq!(find("a", "b["), "nil");
    assert_eq!(find("a", "ab%"), "nil");
    assert_eq!(find("a", &"()".repeat(33)), "too many captures");
    assert_eq!(find(&"x".repeat(300), &"x?".repeat(300)), "pattern too complex");
    assert_eq!(find(&"a".repeat(80), &".?".repeat(80)), "1 80");
    assert_eq!(find(&"a".repeat(5_000), ".-b"), "nil");
}

#[test]
fn global_matching() {
    // gsub("abc d", "%w*", "(%0)") = "(abc) (d)"
    let pattern = Pattern::new(b"%w*");
    let subject = b"abc d";
    let mut m = Matcher::new(subject, &pattern);
    let mut found = Vec::new();
    let (mut at, mut last) = (0, None);
    while at <= subject.len()
        && let Some((start, end)) = m.find_not_ending_at(at, last).unwrap()
    {
        found.push((start, end));
        (at, last) = (end, Some(end));
    }
    assert_eq!(found, [(0, 3), (4, 5)]);
}

#[test]
fn cache_and_plain() {
    let mut cache = PatternCache::default();
    let first = cache.get(b"%d+");
    assert!(std::rc::Rc::ptr_eq(&first, &cache.get(b"%d+")));
    assert!(is_plain(b"a)b]") && !is_plain(b"a.b") && is_plain(b""));
    assert_eq!(find_plain(b"hello", b"l", 3), Some(3));
    assert_eq!(find_plain(b"hello", b"lo", 0), Some(3));
    assert_eq!(find_plain(b"hello", b"", 5), Some(5));
    assert_eq!(find_plain(b"hello", b"x", 0), None);
}

#[test]
fn polls() {
    let pattern = Pattern::new(b".-.-.-.-b");
    let subject = vec![b'a'; 2_000];
    let stop = || true;
    let mut m = Matcher::new(&subject, &pattern).with_poll(&stop);
    assert_eq!(m.find(0), Err(PatternError::Interrupted));
}
