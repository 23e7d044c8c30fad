//! Parser tests: messages as PUC Lua 5.4 words them, and hostile sources.

use perilune_ir::budget::Unlimited;
use perilune_ir::bytecode::Function;

use crate::CompileError;

fn compile(source: &[u8], name: &[u8]) -> Result<Function, CompileError> {
    crate::compile(source, name, &mut Unlimited)
}

fn error(source: &str) -> String {
    match compile(source.as_bytes(), b"@x.lua") {
        Ok(_) => "no error".to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn unexpected_tokens() {
    for (source, expected) in [
        ("x = = 2", "x.lua:1: unexpected symbol near '='"),
        ("x = $", "x.lua:1: unexpected symbol near '$'"),
        ("x = \u{1}", "x.lua:1: unexpected symbol near '<\\1>'"),
        ("x = \0", "x.lua:1: unexpected symbol"),
        ("x = }\n", "x.lua:1: unexpected symbol near '}'"),
        ("f(", "x.lua:1: unexpected symbol near <eof>"),
        ("x = \n", "x.lua:2: unexpected symbol near <eof>"),
        ("a = b.1", "x.lua:1: unexpected symbol near '.1'"),
        ("return return", "x.lua:1: unexpected symbol near 'return'"),
        ("x = 'a' 'b'", "x.lua:1: unexpected symbol near ''b''"),
        ("x = a and b) ", "x.lua:1: unexpected symbol near ')'"),
        ("a", "x.lua:1: syntax error near <eof>"),
        ("a.b.c d", "x.lua:1: syntax error near 'd'"),
        ("a = 'x\\0y' z", "x.lua:1: syntax error near <eof>"),
        ("(a) = 1", "x.lua:1: syntax error near '='"),
        ("f() = 1", "x.lua:1: syntax error near '='"),
        ("a, b() = 1", "x.lua:1: syntax error near '='"),
        ("local c <const> = 1; (c) = 2", "x.lua:1: syntax error near '='"),
        ("a:b", "x.lua:1: function arguments expected near <eof>"),
        ("a.b:c = 1", "x.lua:1: function arguments expected near '='"),
        ("for 1", "x.lua:1: <name> expected near '1'"),
        ("goto", "x.lua:1: <name> expected near <eof>"),
        ("for i do end", "x.lua:1: '=' or 'in' expected near 'do'"),
        ("for i = 1 do end", "x.lua:1: ',' expected near 'do'"),
        ("local function f.x() end", "x.lua:1: '(' expected near '.'"),
        ("function f(a,) end", "x.lua:1: <name> or '...' expected near ')'"),
        ("::a", "x.lua:1: '::' expected near <eof>"),
        ("return 1 2", "x.lua:1: <eof> expected near '2'"),
        ("; ; return ; x", "x.lua:1: <eof> expected near 'x'"),
        ("a = {[1]}", "x.lua:1: '=' expected near '}'"),
        (
            "function f() return ... end",
            "x.lua:1: cannot use '...' outside a vararg function near '...'",
        ),
    ] {
        assert_eq!(error(source), expected, "{source}");
    }
}

#[test]
fn unclosed() {
    for (source, expected) in [
        ("if x then\n\n y = 1", "x.lua:3: 'end' expected (to close 'if' at line 1) near <eof>"),
        ("while true do\n\nif x then", "x.lua:3: 'end' expected near <eof>"),
        ("x = function() \n", "x.lua:2: 'end' expected (to close 'function' at line 1) near <eof>"),
        ("repeat\n", "x.lua:2: 'until' expected (to close 'repeat' at line 1) near <eof>"),
        ("for i = 1, 2 do\n", "x.lua:2: 'end' expected (to close 'for' at line 1) near <eof>"),
        ("x = {1,2", "x.lua:1: '}' expected near <eof>"),
        ("x = {\n1,2", "x.lua:2: '}' expected (to close '{' at line 1) near <eof>"),
        ("f(\n1", "x.lua:2: ')' expected (to close '(' at line 1) near <eof>"),
    ] {
        assert_eq!(error(source), expected, "{source}");
    }
}

#[test]
fn incomplete() {
    let incomplete = |source: &str| match compile(source.as_bytes(), b"=stdin") {
        Err(CompileError::Syntax(error)) => error.incomplete,
        other => panic!("{other:?}"),
    };
    for source in [
        "f(",
        "x = 'abc",
        "x = [[a\n",
        "--[[",
        "if x then",
        "function f()",
        "return 1 +",
        "a.",
        "local",
    ] {
        assert!(incomplete(source), "{source}");
    }
    for source in ["x = = ", "f)", "x = 'a\n", "break", "goto x", "a b"] {
        assert!(!incomplete(source), "{source}");
    }
}

#[test]
fn attributes() {
    for (source, expected) in [
        ("local x <const> = 1; x = 2", "attempt to assign to const variable 'x'"),
        ("local x <const> = {}; function f() x = 1 end", "attempt to assign to const variable 'x'"),
        ("local x <const> = 1; function f() x = 1 end", "attempt to assign to const variable 'x'"),
        ("local x <close> = nil; x = 1", "attempt to assign to const variable 'x'"),
        ("local x <const> = 1; function x() end", "attempt to assign to const variable 'x'"),
        ("local x <const> = 1; a, x = 1", "attempt to assign to const variable 'x'"),
        ("local x <foo> = 1", "unknown attribute 'foo'"),
        ("local a <close>, b <close> = 1", "multiple to-be-closed variables in local list"),
    ] {
        assert_eq!(error(source), format!("x.lua:1: {expected}"), "{source}");
    }
    assert_eq!(error("local x <const> = 1; local x = x; x = 2"), "no error");
}

#[test]
fn labels() {
    for (source, expected) in [
        ("goto x", "x.lua:1: no visible label 'x' for <goto> at line 1"),
        ("do ::x:: end goto x", "x.lua:1: no visible label 'x' for <goto> at line 1"),
        ("\nfunction f() goto x end ::x::", "x.lua:2: no visible label 'x' for <goto> at line 2"),
        ("break\n", "x.lua:2: break outside loop at line 1"),
        ("while x do function f() break end end", "x.lua:1: break outside loop at line 1"),
        ("::a:: ::a::", "x.lua:1: label 'a' already defined on line 1"),
        ("\n::a::\n do ::a:: end", "x.lua:3: label 'a' already defined on line 2"),
        (
            "goto x; local y; ::x:: print(y)",
            "x.lua:1: <goto x> at line 1 jumps into the scope of local 'y'",
        ),
        (
            "repeat local x; goto c; local y; ::c:: until y",
            "x.lua:1: <goto c> at line 1 jumps into the scope of local 'y'",
        ),
        ("goto x; local y; ::x:: ; ::z::", "no error"),
        ("do goto x end ::x:: goto x", "no error"),
        ("function f() ::a:: end ::a::", "no error"),
        ("do ::a:: end do ::a:: goto a end", "no error"),
    ] {
        assert_eq!(error(source), expected, "{source}");
    }
}

#[test]
fn limits() {
    let names = |prefix: &str, count: usize| {
        let names: Vec<_> = (0..count).map(|i| format!("{prefix}{i}")).collect();
        names.join(",")
    };
    assert_eq!(error(&format!("local {}", names("a", 200))), "no error");
    assert_eq!(
        error(&format!("\nlocal {}", names("a", 201))),
        "x.lua:2: too many local variables (limit is 200) in main function near <eof>"
    );
    assert_eq!(
        error(&format!("\nfunction f() local {},b end", names("a", 200))),
        "x.lua:2: too many local variables (limit is 200) in function at line 2 near 'end'"
    );
    let upvalues = |extra: &str| {
        let (a, b) = (names("a", 150), names("b", 150));
        let uses = |names: &str, count: usize| {
            names.split(',').take(count).map(|n| format!("x = {n};")).collect::<String>()
        };
        format!(
            "local {a} function f() local {b}\nfunction g() {} {} {extra} end end",
            uses(&a, 150),
            uses(&b, 104)
        )
    };
    assert_eq!(error(&upvalues("")), "no error"); // 254 and _ENV
    assert_eq!(
        error(&upvalues("x = b149")),
        "x.lua:2: too many upvalues (limit is 255) in function at line 2 near 'end'"
    );
    let call = format!("f({}1)", "1,".repeat(253));
    assert_eq!(error(&call), "x.lua:1: function or expression needs too many registers");
}

/// Sources whose tree is deep: refused as too deep, or handled without
/// recursion, on a small native stack.
#[test]
fn deep_sources() {
    const TOO_DEEP: &str = "C stack overflow";
    let repeat = |before: &str, part: &str, middle: &str, close: &str, after: &str| {
        let count = 100_000;
        format!("{before}{}{middle}{}{after}", part.repeat(count), close.repeat(count))
    };
    let cases = [
        (repeat("return ", "(", "1", ")", ""), TOO_DEEP),
        (repeat("return ", "{", "", "}", ""), TOO_DEEP),
        (repeat("return ", "a(", "", ")", ""), TOO_DEEP),
        (repeat("return ", "a[", "1", "]", ""), TOO_DEEP),
        (repeat("return ", "- ", "1", "", ""), TOO_DEEP),
        (repeat("return ", "not ", "1", "", ""), TOO_DEEP),
        (repeat("return ", "a..", "a", "", ""), TOO_DEEP),
        (repeat("return ", "a^", "a", "", ""), TOO_DEEP),
        (repeat("return ", "function() return ", "1", " end", ""), TOO_DEEP),
        (repeat("", "do ", "", " end", ""), TOO_DEEP),
        (repeat("", "while x do ", "", " end", ""), TOO_DEEP),
        (repeat("", "if x then else ", "", " end", ""), TOO_DEEP),
        (repeat("", "::a::", "", "", ""), TOO_DEEP),
        (repeat("a", ",a", "= 1", "", ""), TOO_DEEP),
        (repeat("return a", ".b", "", "", ""), "no error"),
        (repeat("return a", "()", "", "", ""), "no error"),
        (repeat("return a", ":b()", "", "", ""), "no error"),
        (repeat("return a", "{}''", "", "", ""), "no error"),
        (repeat("return a", "+a", "", "", ""), "no error"),
        (repeat("return a", "<a", "", "", ""), "no error"),
        (repeat("return a", " and a", "", "", ""), "no error"),
        (repeat("return a", " or a", "", "", ""), "no error"),
        (repeat("if a", " or a<b and c", "", "", " then end"), "no error"),
        (repeat("if x then", " elseif x then", "", "", " end"), "no error"),
        (repeat("", ";", "", "", ""), "no error"),
        (
            repeat("return ", "{},", "1", "", ""),
            "x.lua:1: function or expression needs too many registers",
        ),
        (repeat("return {", "{},", "", "", "}"), "no error"),
        (
            repeat("x = ", "[", "", "", ""),
            "x.lua:1: unfinished long string (starting at line 1) near <eof>",
        ),
    ];
    let on_small_stack = std::thread::Builder::new().stack_size(384 << 10).spawn(move || {
        for (source, expected) in cases {
            assert_eq!(error(&source), expected, "{}…", &source[..40]);
        }
    });
    on_small_stack.unwrap().join().unwrap();
}

/// The deepest sources that are allowed.
#[test]
fn allowed_depth() {
    for (before, part, middle, close) in [
        ("return ", "(", "2", ")"),
        ("return ", "{", "", "}"),
        ("return ", "a(", "1", ")"),
        ("return ", "- ", "a", ""),
        ("local a = ''; return ", "a..", "''", ""),
        ("", "do ", "", " end"),
        ("", "if a then else ", "", " end"),
        ("", "function foo () ", "", " end"),
        ("local a; a", ",a", "= 1", ""),
    ] {
        let source = format!("{before}{}{middle}{}", part.repeat(100), close.repeat(100));
        assert_eq!(error(&source), "no error", "{source}");
    }
}

/// Any prefix and any one-byte change of a program gives an answer.
#[test]
fn mangled_sources() {
    let source = br#"local a <const>, b = 0x1p4, 'x\65\u{48}\z y' -- [[
        goto l; do local t <close> = nil; while a do break end end ::l::
        for i = 1, 2 do for k, v in next, {} do t[i], k = function(...) return ... end, k end end
        repeat local x = a.b[1]:c "s" {1; x = 2, [3] = 4} until x or not (a ~= b) and -a // 2 << 3 == [==[z]==]
        if a < 1 then elseif #b >= 2 .. 3 then else function m.n:o() return self, f() end end return f(a)"#;
    for end in 0..source.len() {
        let _ = compile(&source[..end], b"=x");
        for byte in *b"\0\"'[]()=,.:-1a\xff\n\\{}" {
            let mut changed = source.to_vec();
            changed[end] = byte;
            let _ = compile(&changed, b"=x");
        }
    }
}
