//! What the front end takes of a budget: every refusal ends the work cleanly, polls come often enough, all is given
//! back, and nothing takes time that grows faster than the source.

use std::time::{Duration, Instant};

use perilune_frontend::{CompileError, compile};
use perilune_ir::budget::{Budget, POLL_BYTES, Refusal, Unlimited};
use perilune_ir::dump::{UndumpError, dump, undump};

/// Refuses the request or the poll of some number, and counts.
#[derive(Default)]
struct Counting {
    charges: usize,
    polls: usize,
    bytes: usize,
    peak: usize,
    refused_charge: Option<usize>,
    refused_poll: Option<usize>,
}

impl Budget for Counting {
    fn charge(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.charges += 1;
        if self.refused_charge.is_some_and(|n| self.charges >= n) {
            return Err(Refusal::Memory);
        }
        self.bytes += bytes;
        self.peak = self.peak.max(self.bytes);
        Ok(())
    }

    fn release(&mut self, bytes: usize) {
        self.bytes = self.bytes.checked_sub(bytes).expect("more is released than was charged");
    }

    fn poll(&mut self) -> Result<(), Refusal> {
        self.polls += 1;
        if self.refused_poll == Some(self.polls) { Err(Refusal::Stopped) } else { Ok(()) }
    }
}

/// A program with everything in it, several times.
fn program() -> Vec<u8> {
    let part = br#"
        do local a <const>, b = 0x1p4, 'x\65\u{48}\z y' -- [[
        goto l; do local t <close> = nil; while a do break end end ::l::
        for i = 1, 2 do for k, v in next, {} do t[i], k = function(...) return ... end, k end end
        repeat local x = a.b[1]:c "s" {1; x = 2, [3] = 4} until x or not (b ~= c) and -b // 2 << 3 == [==[z]==]
        if a < 1 then elseif #b >= 2 .. 3 then else function m.n:o() return self, f(b, a) end end end
    "#;
    let mut source = part.repeat(60);
    for n in 0..400 {
        source.extend_from_slice(format!("x{n} = {{y{n} = {n}.5, 'z{n}'}} ").as_bytes());
    }
    source
}

#[test]
fn every_refusal_of_memory_ends_cleanly() {
    let source = program();
    for n in 1.. {
        let mut budget = Counting { refused_charge: Some(n), ..Counting::default() };
        let result = compile(&source, b"=x", &mut budget);
        assert_eq!(budget.bytes, 0);
        match result {
            Ok(_) => {
                assert!(n > 50, "{n} requests");
                break;
            }
            Err(error) => assert_eq!(error, CompileError::Refused(Refusal::Memory)),
        }
    }
}

#[test]
fn every_poll_can_end_the_work() {
    let source = program();
    for n in 1.. {
        let mut budget = Counting { refused_poll: Some(n), ..Counting::default() };
        match compile(&source, b"=x", &mut budget) {
            Ok(_) => {
                assert!(n > 5, "{n} polls");
                break;
            }
            Err(error) => assert_eq!(error, CompileError::Refused(Refusal::Stopped)),
        }
        assert_eq!(budget.bytes, 0);
    }
}

#[test]
fn precompiled_chunks_are_charged_and_polled() {
    let chunk = dump(&compile(&program(), b"=x", &mut Unlimited).unwrap(), false);
    let mut whole = Counting::default();
    undump(&chunk, &mut whole).unwrap();
    assert!(whole.peak > chunk.len(), "{} {}", whole.peak, chunk.len());
    for n in 1..=whole.charges {
        let mut budget = Counting { refused_charge: Some(n), ..Counting::default() };
        let error = undump(&chunk, &mut budget).unwrap_err();
        assert_eq!(error, UndumpError::Refused(Refusal::Memory));
        assert_eq!(budget.bytes, 0);
    }
    for n in 1..=whole.polls {
        let mut budget = Counting { refused_poll: Some(n), ..Counting::default() };
        let error = undump(&chunk, &mut budget).unwrap_err();
        assert_eq!(error, UndumpError::Refused(Refusal::Stopped));
    }
}

/// However little of a source is a token, polls come with its bytes.
#[test]
fn polls_come_with_bytes() {
    let size = 8 * POLL_BYTES;
    for (before, part, after) in [
        ("", " ", ""),
        ("", "\n", ""),
        ("", ";", ""),
        ("--", "x", ""),
        ("--[[", "x", "]]"),
        ("--[[", "]\n", "]]"),
        ("x = '", "y", "'"),
        ("x = [[", "y", "]]"),
        ("x = [[", "\n]", "]]"),
        ("x = '", "\\65", "'"),
        ("x = '\\z", "\n", "'"),
        ("", "x", "= 1"),
        ("x =", "1", ""),
        ("x = 0x", "f", ""),
        ("x = '\\u{", "0", "}'"),
        ("x = [", "=", "[]"),
        ("x = [[]", "=", "]]"),
        ("return {", "1,", "}"),
        ("return a", ".b", ""),
        ("return a", "+b", ""),
    ] {
        let source = [before, &part.repeat(size / part.len()), after].concat();
        let mut budget = Counting::default();
        let _ = compile(source.as_bytes(), b"=x", &mut budget);
        assert!(budget.polls >= 7, "{before}{part}: {} polls", budget.polls);
        assert_eq!(budget.bytes, 0, "{before}{part}");
    }
}

/// Sources whose handling would take minutes if any list in it was searched from end to end.
#[test]
fn time_is_linear() {
    const N: usize = 300_000;
    let numbered = |part: &dyn Fn(usize) -> String| (0..N).map(part).collect::<String>();
    let cases: [(&str, String); 14] = [
        ("labels", numbered(&|n| format!("::a{n}:: f() "))),
        ("gotos back", numbered(&|n| format!("::a{n}:: f() if x then goto a{n} end "))),
        (
            "gotos forward",
            numbered(&|n| format!("if x then goto a{n} end "))
                + &numbered(&|n| format!("::a{n}:: f() ")),
        ),
        ("one label", numbered(&|_| "if x then goto a end ".to_owned()) + "::a::"),
        ("unknown labels", numbered(&|n| format!("do goto a{n} end "))),
        ("breaks", format!("while x do {} end", numbered(&|_| "if x then break end ".to_owned()))),
        ("names", numbered(&|n| format!("a{n} = a{n} "))),
        ("constants", format!("return {{{}}}", numbered(&|n| format!("{n}.5,")))),
        ("strings", format!("return {{{}}}", numbered(&|n| format!("'{n}',")))),
        ("records", numbered(&|n| format!("x = {{a{n} = 1}} "))),
        ("one record", format!("return {{{}}}", numbered(&|n| format!("a{n} = 1,")))),
        ("locals", numbered(&|n| format!("do local a{n} = 1 f(a{n}) end "))),
        ("branches", format!("if x then {} end", numbered(&|n| format!("elseif x == {n} then ")))),
        (
            "functions",
            (0..250)
                .map(|_| {
                    format!("f = function() {} end ", "f = function() return f end ".repeat(800))
                })
                .collect(),
        ),
    ];
    for (name, source) in cases {
        let start = Instant::now();
        let result = compile(source.as_bytes(), b"=x", &mut Counting::default());
        match name {
            "unknown labels" => {
                let error = result.unwrap_err().to_string();
                assert_eq!(error, "x:1: no visible label 'a0' for <goto> at line 1");
            }
            _ => drop(result.unwrap_or_else(|error| panic!("{name}: {error}"))),
        }
        let time = start.elapsed();
        assert!(time < Duration::from_secs(20), "{name}: {time:?}");
    }
}
