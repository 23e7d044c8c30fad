//! No bits from outside become anything but a number: doubles of all classes of NaN, by every door, through every
//! operation, interpreted and compiled. A value is a reference by its bits alone, so a NaN that keeps its own is a
//! pointer of the script's choice.
//!
//! Each float that comes out is a number or one of the two canonical NaNs (`perilune_ir::encoding::float`), and the
//! ways agree (but for the sign of a NaN, which depends on the order of operands).
//! `PERILUNE_FUZZ_SECONDS=3600` goes on for that long, with random patterns and random expressions
//! (`PERILUNE_FUZZ_SEED` sets the first).

use perilune::{
    Function, JitOptions, Lua, LuaOptions, LuaString, MultiValue, StdLib, Table, Thread, UserData,
    UserDataFields, Value,
};
use perilune_ir::encoding;
use std::time::{Duration, Instant};

/// Doors and operations.
const OPERATIONS: &str = include_str!("nan/operations.lua");

/// A small generator of pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[(self.next() >> 8) as usize % items.len()]
    }

    /// A NaN of any class.
    fn nan(&mut self) -> u64 {
        let payload = match self.next() % 3 {
            0 => self.next(),
            1 => 1 << (self.next() % 52),
            _ => self.pick(&[0x7F55_0000_1230, 0x1000, 0xFFFF_8000_0000_0000]),
        };
        let bits = self.next() & (1 << 63 | 1 << 51) | 0x7FF << 52 | payload & ((1 << 51) - 1);
        if f64::from_bits(bits).is_nan() { bits } else { bits | 1 }
    }

    /// An expression of `x`, `y`, constants and everything that makes floats.
    fn expression(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&["x", "y", "z", "t[1]", "t[2]", "p.x", "1.5", "2", "0.0"])
                .to_owned();
        }
        let a = self.expression(depth - 1);
        let depth = self.next() as u32 % depth;
        let b = self.expression(depth);
        let op = self.pick(&[
            "+", "-", "*", "/", "%", "^", "//", "u", "u", "abs", "sqrt", "max", "min", "sin",
            "floor", "if", "f",
        ]);
        match op {
            "u" => format!("-({a})"),
            "abs" | "sqrt" | "sin" => format!("math.{op}({a})"),
            "max" | "min" => format!("math.{op}({a}, {b})"),
            "floor" => format!("(({a}) // 1.0)"),
            "if" => format!("(({a}) < ({b}) and ({b}) or -({a}))"),
            "f" => format!("f({a}, {b})"),
            _ => format!("(({a}) {op} ({b} + 0.0))"),
        }
    }

    /// A function of two floats, with the places where floats are kept.
    fn function(&mut self) -> String {
        let mut body = String::new();
        for _ in 0..3 {
            let (place, value) =
                (self.pick(&["z", "t[1]", "t[2]", "p.x", "x"]), self.expression(3));
            body.push_str(&format!("{place} = {value}\n"));
        }
        format!(
            "local x, y = ...
             local z, t, p = -x, {{ y, x }}, {{ x = y }}
             local function f(a, b) return a - b end
             for i = 1, 3 do\n{body}end
             return x, z, t[1], t[2], p.x"
        )
    }
}

/// The patterns at the borders of each class, and one number of each kind.
fn borders() -> Vec<u64> {
    let mut all: Vec<u64> = [0.0, -0.0, 1.5, -2.5, 3.0, f64::INFINITY, f64::NEG_INFINITY, 1e300]
        .map(f64::to_bits)
        .to_vec();
    // The payloads that would read as tags, with what looks like nothing, something and an address.
    for sign in [0, 1 << 63] {
        for top in 0..16 {
            for low in [0, 1, 0x7F55_0000_1230, (1 << 48) - 1] {
                let bits = sign | 0x7FF << 52 | top << 48 | low;
                all.extend(f64::from_bits(bits).is_nan().then_some(bits));
            }
        }
        all.extend([sign | 0x7FF << 52 | 1 << 50, sign | 0x7FF << 52 | 1 << 32]);
    }
    all
}

/// Userdata with a float.
struct Point {
    x: f64,
}

impl UserData for Point {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("x", |_, this| Ok(this.x));
        fields.add_field_method_set("x", |_, this, x| {
            this.x = x;
            Ok(())
        });
    }
}

fn double(bytes: &LuaString) -> f64 {
    f64::from_le_bytes(bytes.as_bytes()[..].try_into().expect("8 bytes"))
}

/// What the host has for the doors and operations.
fn host(lua: &Lua) -> perilune::Result<Table> {
    let host = lua.create_table()?;
    host.set("convert", lua.create_function(|_, s: LuaString| Ok(double(&s)))?)?;
    host.set("three", lua.create_function(|_, s: LuaString| Ok((1, double(&s), true)))?)?;
    host.set(
        "list",
        lua.create_function(|lua, s: LuaString| lua.create_sequence_from([0.5, double(&s)]))?,
    )?;
    let record = |lua: &Lua, s: LuaString| lua.create_table_from([("x", double(&s))]);
    host.set("record", lua.create_function(record)?)?;
    host.set("userdata", lua.create_userdata(Point { x: 0.0 })?)?;
    let global = |lua: &Lua, s: LuaString| lua.globals().set("from_host", double(&s));
    host.set("global", lua.create_function(global)?)?;
    host.set("identity", lua.create_function(|_, x: f64| Ok(x))?)?;
    host.set("difference", lua.create_function(|_, (x, y): (f64, f64)| Ok(x - y))?)?;
    let resume = |lua: &Lua, s: LuaString| {
        let thread: Thread = lua.create_thread(lua.load("return ...").into_function()?)?;
        thread.resume::<Value>(double(&s))
    };
    host.set("resume", lua.create_function(resume)?)?;
    Ok(host)
}

/// A state that runs everything in one way.
struct Way {
    name: &'static str,
    lua: Lua,
    /// Applies an operation to what comes through a door twice.
    apply: Function,
    doors: Vec<(String, Function)>,
    operations: Vec<(String, Function)>,
}

fn pairs(list: &Table) -> Vec<(String, Function)> {
    (1..=list.raw_len())
        .map(|i| {
            let pair: Table = list.get(i).expect("a pair");
            (pair.get(1).expect("a name"), pair.get(2).expect("a function"))
        })
        .collect()
}

fn way(name: &'static str, jit: JitOptions, verify: bool) -> Way {
    let options = LuaOptions { jit, ..LuaOptions::default() };
    let lua = Lua::new_with(StdLib::ALL, options).expect("memory");
    if verify {
        lua.gc_stress(400, true);
    }
    let host = host(&lua).expect("the host's functions");
    let (doors, operations): (Table, Table) =
        lua.load(OPERATIONS).set_name("=operations").call(host).expect("it loads");
    let apply = "local door, operation, a, b, m, n = ... return operation(door(a, m), door(b, n))";
    let apply = lua.load(apply).into_function().expect("it loads");
    let (doors, operations) = (pairs(&doors), pairs(&operations));
    let way = Way { name, lua, apply, doors, operations };
    // As compiled code expects floats: what is hot has seen them.
    for i in 0..way.operations.len() {
        for _ in 0..3 {
            way.apply(0, &way.operations[i].1, 1.5f64.to_bits(), 2.25f64.to_bits());
        }
    }
    way
}

impl Way {
    /// The results of an operation, each as bits or as text; a NaN without its sign.
    fn apply(&self, door: usize, operation: &Function, x: u64, y: u64) -> Vec<String> {
        let (bytes, others) = (x.to_le_bytes(), y.to_le_bytes());
        let text = |bytes: [u8; 8]| self.lua.create_string(bytes).expect("memory");
        let (m, n) = (f64::from_bits(x), f64::from_bits(y));
        let door = &self.doors[door].1;
        let results: Result<MultiValue, _> =
            self.apply.call((door, operation, text(bytes), text(others), m, n));
        let show = |value: Value| match value {
            Value::Number(x) if encoding::is_canonical(x.to_bits()) => {
                if x.is_nan() {
                    "nan".to_owned()
                } else {
                    format!("{x:?}")
                }
            }
            Value::Number(x) => panic!("the NaN {:#x} got in", x.to_bits()),
            Value::Nil | Value::Boolean(_) | Value::Integer(_) => format!("{value:?}"),
            other => panic!("a {} was forged", other.type_name()),
        };
        match results {
            Ok(results) => results.into_iter().map(show).collect(),
            Err(error) => vec![error.to_string().lines().next().unwrap_or_default().to_owned()],
        }
    }
}

fn ways() -> Vec<Way> {
    let interpreter = JitOptions { enabled: false, ..JitOptions::default() };
    let eager = JitOptions { threshold: 1, ..JitOptions::default() };
    let forced = JitOptions { force_exits: Some(3), ..eager.clone() };
    vec![
        way("interpreter", interpreter, false),
        way("threshold 1", eager.clone(), false),
        way("forced exits", forced, false),
        way("gc stress", eager, true),
    ]
}

/// All operations on `x` and `y` in all ways.
fn check(ways: &[Way], door: usize, operation: usize, x: u64, y: u64) {
    let mut all = ways.iter().map(|way| {
        let (name, function) = &way.operations[operation];
        (way, name, way.apply(door, function, x, y))
    });
    let (first, name, expected) = all.next().expect("a way");
    for (way, _, found) in all {
        assert_eq!(
            expected, found,
            "{} and {}: {name} on {x:#x} and {y:#x} by {}",
            first.name, way.name, first.doors[door].0
        );
    }
}

/// Collects everywhere, with a look at the whole heap.
fn verify(ways: &[Way]) {
    for way in ways {
        way.lua.gc_stress(0, true);
        way.lua.gc_collect().expect("no finalizers");
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn every_door_and_operation_keeps_nans_canonical() {
    let ways = ways();
    let borders = borders();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (doors, operations) = (ways[0].doors.len(), ways[0].operations.len());
    for (i, &x) in borders.iter().enumerate() {
        for operation in 0..operations {
            // Each pattern meets each operation, by one door or another, and each door each operation.
            let (door, y) = ((i + operation) % doors, random.pick(&borders));
            check(&ways, door, operation, x, y);
        }
    }
    verify(&ways);
}

#[test]
fn every_pattern_comes_through_every_door() {
    let ways = ways();
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let sum = ways[0].operations.iter().position(|(name, _)| name == "x + 1.5").expect("a sum");
    let negation = ways[0].operations.iter().position(|(name, _)| name == "-x + 1").expect("it");
    let mut patterns = borders();
    patterns.extend((0..100).map(|_| random.nan()));
    for &x in &patterns {
        for door in 0..ways[0].doors.len() {
            check(&ways, door, sum, x, x);
            check(&ways, door, negation, x, x);
        }
    }
}

#[test]
fn random_expressions_keep_nans_canonical() {
    let seconds = number("PERILUNE_FUZZ_SECONDS");
    let mut random =
        Random(number("PERILUNE_FUZZ_SEED").unwrap_or(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(0));
    let mut count = 0;
    while count < 60 || Instant::now() < end {
        let mut ways = ways();
        for _ in 0..60 {
            let source = random.function();
            for way in &mut ways {
                let function = way.lua.load(source.as_str()).set_name("=random").into_function();
                way.operations.push((source.clone(), function.expect("it is valid")));
            }
            let operation = ways[0].operations.len() - 1;
            for k in 0..12 {
                let door = random.next() as usize % ways[0].doors.len();
                let (x, y) = (random.nan(), random.nan());
                match k {
                    0..4 => check(&ways, door, operation, 1.5f64.to_bits(), 0.25f64.to_bits()),
                    4..6 => check(&ways, door, operation, x, 2.5f64.to_bits()),
                    _ => check(&ways, door, operation, x, y),
                }
            }
            count += 1;
        }
        verify(&ways);
    }
    println!("{count} functions");
}

#[test]
fn constants_of_chunks_are_numbers() {
    for way in ways() {
        let lua = &way.lua;
        let function = lua.load("local x = 1234.5678 return x, -x, x + 1, 1 - x").into_function();
        let chunk = function.expect("it is valid").dump(true).expect("Lua code");
        let constant = 1234.5678f64.to_le_bytes();
        let at = chunk.windows(8).position(|bytes| bytes == constant).expect("the constant");
        for bits in borders() {
            let mut changed = chunk.clone();
            changed[at..at + 8].copy_from_slice(&bits.to_le_bytes());
            assert!(perilune_ir::dump::seal(&mut changed));
            match lua.load(&changed[..]).into_function() {
                Ok(function) => {
                    for _ in 0..3 {
                        let results: MultiValue = function.call(()).expect("arithmetic");
                        for value in results {
                            let Value::Number(x) = value else { panic!("{value:?}") };
                            assert!(encoding::is_canonical(x.to_bits()), "{:#x}", x.to_bits());
                        }
                    }
                }
                Err(error) => assert!(error.to_string().contains("bad constant"), "{error}"),
            }
        }
    }
}

#[test]
fn texts_make_no_other_nan() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("nan.txt");
    let texts = [
        "nan",
        "-nan",
        "NaN",
        "nan(0xfff)",
        "-nan(1)",
        "inf",
        "-inf",
        "0x7ff4000000000000",
        "1e999",
        "-1e999",
        "0x1p9999",
        "0xfff4p0",
        "1e-999",
        "0x.p1",
        "infinity",
    ];
    std::fs::write(&path, texts.join("\n")).expect("a file");
    for way in ways() {
        let results: MultiValue = way
            .lua
            .load(
                "local path = ...
                 local all = {}
                 for line in io.lines(path) do
                   all[#all + 1] = tonumber(line) or false
                   local f <close> = io.open(path)
                   for i = 1, 20 do
                     local n = f:read('n')
                     all[#all + 1] = n or false
                     if not n then f:read('l') end
                   end
                   local ok, sum = pcall(function() return line - line end)
                   all[#all + 1] = ok and sum
                   all[#all + 1] = ok and -sum + 1
                 end
                 return table.unpack(all)",
            )
            .call(path.to_str())
            .expect("it runs");
        let mut numbers = 0;
        for value in results {
            match value {
                Value::Number(x) => {
                    numbers += 1;
                    assert!(encoding::is_canonical(x.to_bits()), "{:#x}", x.to_bits());
                }
                Value::Integer(_) | Value::Boolean(false) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(numbers > 20, "{numbers}");
    }
}
