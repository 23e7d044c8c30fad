//! Compilations end soon: large functions are refused before work starts, whatever makes them large.

use std::time::Duration;

use perilune::{JitOptions, Lua, LuaOptions, StdLib};

/// `n` lines.
fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(line).collect::<Vec<_>>().join("\n")
}

/// A function `f(a, b, c)` of a certain shape, with `n` parts.
fn function(shape: &str, n: usize) -> String {
    let body = match shape {
        "branches" => lines(n, |i| format!("if a == {i} then s = s + b * {i} else s = s - c end")),
        "sums" => lines(n, |i| format!("s = s + a * {i} + b")),
        "calls" => lines(n, |_| "s = s + g(a)".to_owned()),
        "tables" => lines(n, |_| "s = s + #{ a }".to_owned()),
        "loops" => lines(n, |_| "for i = 1, 3 do s = s + i end".to_owned()),
        "while loops" => lines(n, |_| "c = 0 while c < 3 do s = s + c c = c + 1 end".to_owned()),
        "nested loops" => {
            let n = n.min(40);
            let open = lines(n, |i| format!("for i{i} = 1, 2 do if a % 5 < {i} then break end"));
            format!("{open} s = s + 1 {}", "end ".repeat(n))
        }
        "gotos" => {
            let jumps = lines(n, |i| {
                let to = i * 7 % n;
                format!(
                    "::l{i}:: s = s + 1 if s == {} then goto l{to} end if s > {n} then goto e end",
                    2 * i
                )
            });
            format!("{jumps} do return s end ::e::")
        }
        "constructor" => format!("s = #{{ {} }}", lines(n, |i| format!("a + {i},"))),
        "fields" => format!("s = {{ {} }}", lines(n, |i| format!("k{i} = a,"))),
        "closures" => lines(n, |i| format!("s = function() return a + {i} end")),
        "upvalues" => lines(n, |i| format!("u = v + a v = u - {i}")),
        "mixed" => lines(n, |i| {
            format!(
                "for i = 1, 2 do if a > {i} then s = s + i t.x = s elseif b then t[i] = s end end"
            )
        }),
        other => unreachable!("{other}"),
    };
    format!(
        "function g(x) return x end local u, v = 1, 2
         local function f(a, b, c) local s, t = 0, {{}} {body} return s end
         local r for i = 1, 200 do r = f(i, 2, 3) end return type(r) == 'number' and tostring(r) or type(r)"
    )
}

const SHAPES: [&str; 13] = [
    "branches",
    "sums",
    "calls",
    "tables",
    "loops",
    "while loops",
    "nested loops",
    "gotos",
    "constructor",
    "fields",
    "closures",
    "upvalues",
    "mixed",
];

fn run(shape: &str, n: usize, enabled: bool) -> (String, perilune::JitStats) {
    let jit = JitOptions { enabled, ..JitOptions::default() };
    let lua = Lua::new_with(StdLib::ALL, LuaOptions { jit, ..LuaOptions::default() }).unwrap();
    let result = lua.load(function(shape, n)).call::<String>(()).unwrap();
    (result, lua.jit_stats())
}

/// Of a build for release, `PERILUNE_STRICT_TIMES` asks for 50 ms (on a machine that does nothing else).
#[test]
fn no_compilation_takes_long() {
    let strict = std::env::var_os("PERILUNE_STRICT_TIMES").is_some();
    let bound = Duration::from_millis(if strict { 50 } else { 3000 });
    for shape in SHAPES {
        let mut refused = false;
        for n in [20, 100, 300, 2500] {
            let (expected, _) = run(shape, n, false);
            let (result, stats) = run(shape, n, true);
            assert_eq!(result, expected, "{shape}, {n}");
            assert!(stats.compile_max < bound, "{shape}, {n}: {:?}", stats.compile_max);
            refused |= stats.refused.iter().any(|(why, _)| why.starts_with("too "));
            if n == 20 {
                assert!(!refused, "{shape}: {:?}", stats.refused);
            }
        }
        // Loops get units of their own.
        let whole = ["branches", "sums", "calls", "tables", "constructor", "upvalues", "gotos"];
        assert!(refused || !whole.contains(&shape), "{shape}: nothing was refused");
    }
}
