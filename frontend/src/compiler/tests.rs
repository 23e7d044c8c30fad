//! Compiler tests: every snippet verifies, and the code is what it should be.

use perilune_ir::budget::{Meter, Unlimited};
use perilune_ir::bytecode::{Function, Op};
use perilune_ir::listing::{listing, listing_one};
use perilune_ir::verify::verify;

use crate::CompileError;

fn compile(source: &[u8], name: &[u8]) -> Result<Function, CompileError> {
    crate::compile(source, name, &mut Unlimited)
}

fn compiled(source: &str) -> Function {
    let function = match compile(source.as_bytes(), b"=x") {
        Ok(function) => function,
        Err(error) => panic!("{error}\n{source}"),
    };
    if let Err(error) = verify(&function, &mut Meter::new(&mut Unlimited)) {
        panic!("{error}\n{source}\n{}", listing(&function));
    }
    function
}

/// The instructions of `function`, without `VARARGPREP` and the final return;
/// words are joined by one space.
fn instructions(function: &Function) -> Vec<String> {
    let text = listing_one(function);
    let lines = text.lines().filter_map(|line| line.split_once("] "));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found: Vec<_> = lines.map(|(_, text)| words(text)).collect();
    if found[0].starts_with("VARARGPREP") {
        found.remove(0);
    }
    let last = found.pop();
    assert!(matches!(last.as_deref(), Some("RETURN0" | "RETURN r0 1 1")), "{last:?}");
    found
}

#[track_caller]
fn expect(source: &str, expected: &[&str]) {
    assert_eq!(instructions(&compiled(source)), expected, "{source}");
}

#[test]
fn expressions_compute_into_their_variable() {
    expect(
        "local a, b local x = a + b * 2 - 1",
        &["LOADNIL r0 1", "MULK r3 r1 2", "ADD r2 r0 r3", "SUBK r2 r2 1"],
    );
    expect(
        "local a, b a = a.b.c + b",
        &["LOADNIL r0 1", "GETFIELD r2 r0 \"b\"", "GETFIELD r2 r2 \"c\"", "ADD r0 r2 r1"],
    );
    expect(
        "local a a = a[1][a][300]",
        &["LOADNIL r0 0", "GETI r1 r0 1", "GETTABLE r1 r1 r0", "LOADI r2 300", "GETTABLE r0 r1 r2"],
    );
    expect(
        "local a a = -a a = not a a = #a.b",
        &["LOADNIL r0 0", "UNM r0 r0", "NOT r0 r0", "GETFIELD r1 r0 \"b\"", "LEN r0 r1"],
    );
    expect(
        "local a = 1 local s = 'x' .. a .. 'y' .. 'z'",
        &[
            "LOADI r0 1",
            "LOADK r1 \"x\"",
            "MOVE r2 r0",
            "LOADK r3 \"y\"",
            "LOADK r4 \"z\"",
            "CONCAT r1 4",
        ],
    );
}

#[test]
fn constants_fold() {
    expect(
        "local a = 2 * 3 + 1 local b = 7 // 2.0 local c = 1 << 62 local d = -(-3)",
        &["LOADI r0 7", "LOADK r1 3.0", "LOADK r2 4611686018427387904", "LOADI r3 3"],
    );
    expect(
        "local a = 1 // 0 local b = 0.0 * 1",
        &["LOADI r0 1", "IDIVK r0 r0 0", "LOADK r1 0.0", "MULK r1 r1 1"],
    );
    expect(
        "local k <const> = 10 local s <const> = 'f' local t t = t[s] + k t = k and 2 or t",
        &["LOADNIL r0 0", "GETFIELD r1 r0 \"f\"", "ADDK r0 r1 10", "LOADI r0 2"],
    );
    // A string in front of `or` is no constant of the whole: messages must not name it.
    expect(
        "local s <const> = 'f' local t t = s or t",
        &["LOADNIL r0 0", "LOADK r0 \"f\"", "JMP -> 0004"],
    );
    expect(
        "local debug <const> = false if debug then f() elseif nil then g() else x = 1 end",
        &["JMP -> 0003", "JMP -> 0003", "LOADI r0 1", "SETTABUP u0 r0 \"x\""],
    );
}

#[test]
fn conditions_jump() {
    expect(
        "local a, b if a < b and b <= 3 or not a then f() elseif a == nil then g() end",
        &[
            "LOADNIL r0 1",
            "LT r0 r1 0 -> 0006",
            "LEK r1 3 1 -> 0008",
            "TEST r0 1 -> 0013",
            "GETTABUP r2 u0 \"f\"",
            "CALL r2 1 1",
            "JMP -> 0019",
            "EQK r0 nil 0 -> 0019",
            "GETTABUP r2 u0 \"g\"",
            "CALL r2 1 1",
        ],
    );
    expect(
        "local a while 1 < a do if a ~= 'x' then break end end",
        &["LOADNIL r0 0", "GTK r0 1 0 -> 0007", "EQK r0 \"x\" 0 -> 0007", "LOOP -> 0002"],
    );
    expect(
        "local a, b = 1, 2 local c = a > b local d = a >= b and a or b",
        &[
            "LOADI r0 1",
            "LOADI r1 2",
            "LT r1 r0 1 -> 0006",
            "LFALSESKIP r2",
            "LOADTRUE r2",
            "LE r1 r0 0 -> 0011",
            "TESTSET r3 r0 1 -> 0012",
            "MOVE r3 r1",
        ],
    );
    expect(
        "local x x = x and x.y x = x or {}",
        &[
            "LOADNIL r0 0",
            "TEST r0 0 -> 0006",
            "GETFIELD r0 r0 \"y\"",
            "TEST r0 1 -> 0010",
            "NEWTABLE r0 array 0",
        ],
    );
}

#[test]
fn jumps_to_jumps() {
    expect(
        "local a, b if a then if b then a = 1 else a = 2 end else a = 3 end",
        &[
            "LOADNIL r0 1",
            "TEST r0 0 -> 0010",
            "TEST r1 0 -> 0008",
            "LOADI r0 1",
            "JMP -> 0011",
            "LOADI r0 2",
            "JMP -> 0011",
            "LOADI r0 3",
        ],
    );
}

#[test]
fn calls() {
    expect(
        "local a a(1, a):m(a())",
        &[
            "LOADNIL r0 0",
            "MOVE r1 r0",
            "LOADI r3 1",
            "MOVE r4 r0",
            "CALL r1 3 2",
            "SELF r1 r1 \"m\"",
            "MOVE r4 r0",
            "CALL r4 1 0",
            "CALL r1 0 1",
        ],
    );
    expect(
        "local a, b = ..., f() local c, d, e = f(...)",
        &[
            "VARARG r0 2",
            "GETTABUP r1 u0 \"f\"",
            "CALL r1 1 2",
            "GETTABUP r2 u0 \"f\"",
            "VARARG r4 0",
            "CALL r2 0 4",
        ],
    );
    expect(
        "local f do return f(1) end",
        &["LOADNIL r0 0", "MOVE r1 r0", "LOADI r3 1", "TAILCALL r1 2"],
    );
    expect(
        "local f do return (f(1)) end",
        &["LOADNIL r0 0", "MOVE r1 r0", "LOADI r3 1", "CALL r1 2 2", "RETURN1 r1"],
    );
    expect(
        "local a, b do return b, a end",
        &["LOADNIL r0 1", "MOVE r2 r1", "MOVE r3 r0", "RETURN r2 3 0"],
    );
}

#[test]
fn assignments() {
    expect("local a, b a, b = b, a", &["LOADNIL r0 1", "MOVE r2 r1", "MOVE r1 r0", "MOVE r0 r2"]);
    expect(
        "local i, t i, t[i] = 1, 2",
        &[
            "LOADNIL r0 1",
            "MOVE r2 r0",
            "LOADI r3 1",
            "LOADI r4 2",
            "SETTABLE r1 r2 r4",
            "MOVE r0 r3",
        ],
    );
    expect(
        "local a, b, c = 1 a, b = f()",
        &[
            "LOADI r0 1",
            "LOADNIL r1 1",
            "GETTABUP r3 u0 \"f\"",
            "CALL r3 1 3",
            "MOVE r1 r4",
            "MOVE r0 r3",
        ],
    );
    expect(
        "_ENV, x = 1, 2",
        &["GETUPVAL r0 u0", "LOADI r1 1", "LOADI r2 2", "SETFIELD r0 r2 \"x\"", "SETUPVAL r1 u0"],
    );
}

#[test]
fn loops() {
    expect(
        "for i = 1, 10 do f(i) end",
        &[
            "LOADI r0 1",
            "LOADI r1 10",
            "LOADI r2 1",
            "FORPREP r0 -> 0013",
            "GETTABUP r4 u0 \"f\"",
            "MOVE r6 r3",
            "CALL r4 2 1",
            "FORLOOP r0 -> 0006",
        ],
    );
    expect(
        "for k, v in t do if v then break end end",
        &[
            "GETTABUP r0 u0 \"t\"",
            "LOADNIL r1 2",
            "TFORPREP r0 -> 0008",
            "TEST r5 1 -> 0012",
            "TFORCALL r0 2",
            "TFORLOOP r0 -> 0006",
            "CLOSE r3",
        ],
    );
    expect(
        "repeat local x = f() until x",
        &["GETTABUP r0 u0 \"f\"", "CALL r0 1 2", "TEST r0 1 -> 0008", "LOOP -> 0001"],
    );
    expect("while true do end", &["LOOP -> 0001"]);
    expect(
        "::top:: if x then goto top end goto done do f() end ::done::",
        &[
            "GETTABUP r0 u0 \"x\"",
            "TEST r0 0 -> 0011",
            "LOOP -> 0001",
            "JMP -> 0011",
            "GETTABUP r0 u0 \"f\"",
            "CALL r0 1 1",
        ],
    );
}

#[test]
fn captured_variables_close() {
    expect(
        "while x do local a; f = function() return a end if a then break end end",
        &[
            "GETTABUP r0 u0 \"x\"",
            "TEST r0 0 -> 0015",
            "LOADNIL r0 0",
            "CLOSURE r1 f0",
            "SETTABUP u0 r1 \"f\"",
            "TEST r0 0 -> 0013",
            "CLOSE r0",
            "JMP -> 0015",
            "CLOSE r0",
            "LOOP -> 0001",
        ],
    );
    expect(
        "local a; f = function() a = 1 end do return a end",
        &["LOADNIL r0 0", "CLOSURE r1 f0", "SETTABUP u0 r1 \"f\"", "RETURN r0 2 1"],
    );
    let function = compiled(
        "local a, b = 1, 2; local function f() b = a; return function() return a, b, f, _ENV end end",
    );
    let upvalues = |function: &Function| {
        let describe = |u: &perilune_ir::bytecode::UpvalueDesc| {
            (String::from_utf8_lossy(&u.name).into_owned(), u.in_stack, u.index, u.constant)
        };
        function.upvalues.iter().map(describe).collect::<Vec<_>>()
    };
    let outer = &function.functions[0];
    let own = |name: &str, in_stack, index, constant| (name.to_string(), in_stack, index, constant);
    assert_eq!(
        upvalues(outer),
        [
            own("b", true, 1, false),
            own("a", true, 0, true),
            own("f", true, 2, true),
            own("_ENV", false, 0, true)
        ]
    );
    assert_eq!(
        upvalues(&outer.functions[0]),
        [
            own("a", false, 1, true),
            own("b", false, 0, false),
            own("f", false, 2, true),
            own("_ENV", false, 3, true)
        ]
    );
}

/// Falling off the end of a function closes its variables too.
#[test]
fn final_return_closes() {
    let last = |source: &str| {
        let text = listing_one(&compiled(source));
        text.lines()
            .last()
            .and_then(|line| line.split_once("] "))
            .map(|(_, text)| text.trim_end().to_string())
    };
    assert_eq!(last("local a = 1").as_deref(), Some("RETURN0"));
    assert_eq!(last("local a; function f() return a end").as_deref(), Some("RETURN     r0 1 1"));
    assert_eq!(last("local a <close> = nil").as_deref(), Some("RETURN     r0 1 1"));
    assert_eq!(last("do local a; function f() return a end end").as_deref(), Some("RETURN0"));
}

#[test]
fn to_be_closed_variables() {
    expect(
        "do local x <close> = f() g() end",
        &[
            "GETTABUP r0 u0 \"f\"",
            "CALL r0 1 2",
            "TBC r0",
            "GETTABUP r1 u0 \"g\"",
            "CALL r1 1 1",
            "CLOSE r0",
        ],
    );
    // No tail call while something waits to be closed.
    expect(
        "local x <close> = nil do return f() end",
        &["LOADNIL r0 0", "TBC r0", "GETTABUP r1 u0 \"f\"", "CALL r1 1 0", "RETURN r1 0 1"],
    );
}

#[test]
fn constructors() {
    expect(
        "local t = {1, x = 2, 3, ['y'] = nil, [4] = 5, f()}",
        &[
            "NEWTABLE r0 array 3 fields \"x\"",
            "LOADI r1 1",
            "LOADI r2 2",
            "SETFIELD r0 r2 \"x\"",
            "LOADI r2 3",
            "LOADNIL r3 0",
            "SETFIELD r0 r3 \"y\"",
            "LOADI r3 5",
            "SETI r0 4 r3",
            "GETTABUP r3 u0 \"f\"",
            "CALL r3 1 0",
            "SETLIST r0 0 0",
        ],
    );
    let items = "1,".repeat(120);
    let lists: Vec<_> = instructions(&compiled(&format!("t = {{{items}}}")))
        .into_iter()
        .filter(|text| text.starts_with("SETLIST"))
        .collect();
    assert_eq!(lists, ["SETLIST r0 50 0", "SETLIST r0 50 50", "SETLIST r0 20 100"]);
}

/// More constants than short operands can name.
#[test]
fn many_constants() {
    let fill: String = (0..70_000).map(|i| format!("{i}.5,")).collect();
    let function = compiled(&format!(
        "local t = {{{fill}}} local x = t.name + 0.25; t.name = 'end'; t:name(); name = y; return t == 0.125"
    ));
    let has = |op: Op| {
        let mut pc = 0;
        while pc < function.code.len() {
            let found = function.op(pc);
            if found == op {
                return true;
            }
            pc += found.words();
        }
        false
    };
    assert!(has(Op::LoadKX));
    assert!(!has(Op::GetField) && !has(Op::SelfField) && !has(Op::SetTabUp) && !has(Op::EqK));
}

/// The line of each instruction that can fail, as PUC Lua has it.
#[test]
fn lines() {
    let line_of = |source: &str, op: Op| {
        let function = compiled(source);
        let mut pc = 0;
        while function.op(pc) != op {
            pc += function.op(pc).words();
        }
        function.line(pc)
    };
    assert_eq!(line_of("a\n(\n23)", Op::Call), 2);
    assert_eq!(line_of("local a = {x = 13}\na\n.\nx\n(\n23\n)", Op::Call), 5);
    assert_eq!(line_of("a = \na\n+\n{}", Op::Add), 3);
    assert_eq!(line_of("a\n=\n-\n\nprint\n;", Op::Unm), 3);
    assert_eq!(line_of("\n\n for k,v in \n 3 \n do \n print(k) \n end", Op::TForCall), 4);
    assert_eq!(line_of("function a.x.y ()\na=a+1\nend", Op::GetField), 1);
    assert_eq!(line_of("local a\na.b = \n 1", Op::SetField), 3);
    assert_eq!(line_of("while x do\n\ny = 1\nend", Op::Loop), 3);
}

#[test]
fn debug_information() {
    let function =
        compiled("local a = 1 do local b = 2 end local c <const>, d = 3, 4 for i = 1, 2 do end");
    let locals: Vec<_> = function
        .locals
        .iter()
        .map(|l| (String::from_utf8_lossy(&l.name).into_owned(), l.register, l.start_pc, l.end_pc))
        .collect();
    let local = |name: &str, register, start, end| (name.to_string(), register, start, end);
    assert_eq!(
        locals,
        [
            local("a", 0, 2, 12),
            local("b", 1, 3, 3),
            local("c", 1, 5, 12),
            local("d", 2, 5, 12),
            local("(for state)", 3, 8, 12),
            local("(for state)", 4, 8, 12),
            local("(for state)", 5, 8, 12),
            local("i", 6, 10, 10),
        ]
    );
    assert_eq!(function.last_line_defined, 0);
    assert!(function.op(12) == Op::Return0);
}
