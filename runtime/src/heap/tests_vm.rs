//! Lua programs under a collector that runs at every safepoint and checks the heap each time.

use crate::native::Registration;
use crate::state::Options;
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

fn set_metatable(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let t = args.check_table(vm, 1)?;
    let meta = args.get(2).as_table().unwrap_or(std::ptr::null_mut());
    // SAFETY: arguments are live.
    unsafe {
        if (*t).set_metatable(&mut vm.heap, meta) {
            vm.heap.register_finalizer(t);
        }
    }
    args.ret1(args.get(1))
}

fn collect(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    super::collect(vm);
    args.ret0()
}

fn step(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let n = args.opt_int(vm, 1, 0)? as usize;
    let done = super::step(vm, n);
    args.ret1(done.map_or(Value::NIL, Value::bool))
}

fn count(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let n = vm.heap.count();
    let v = vm.int(n as i64);
    args.ret1(v)
}

fn next(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    let t = args.check_table(vm, 1)?;
    // SAFETY: arguments are live.
    match unsafe { (*t).next(&mut vm.heap, args.get(2)) } {
        Ok(Some((k, v))) => args.ret2(k, v),
        Ok(None) => args.ret1(Value::NIL),
        Err(_) => Err(vm.error("invalid key to 'next'")),
    }
}

fn fail(vm: &mut Vm, args: Args) -> Result<u32, Throw> {
    Err(vm.throw(args.get(1)))
}

const FUNCTIONS: &[Registration] = &[
    ("setmetatable", set_metatable, 0),
    ("collect", collect, 0),
    ("step", step, 0),
    ("count", count, 0),
    ("next", next, 0),
    ("error", fail, 0),
    ("pcall", crate::call::native_pcall, 0),
];

fn state() -> Box<Vm> {
    let mut vm = Vm::new(Options::default());
    let globals = vm.globals;
    vm.register(globals, FUNCTIONS);
    let g = Value::table(globals);
    vm.set_field_raw(globals, "_G", g);
    vm
}

fn run(vm: &mut Vm, source: &str) -> Value {
    let env = Value::table(vm.globals);
    let f = vm.load(source.as_bytes(), b"=test", env).expect("compiles");
    match vm.call1(f, &[]) {
        Ok(v) => v,
        Err(Throw) => {
            let text = vm.thrown.as_string().map(|s| vm.heap.str_bytes(s).to_vec());
            panic!("{:?}: {:?}", vm.thrown, String::from_utf8_lossy(&text.unwrap_or_default()));
        }
    }
}

/// A bit of everything: closures, open and closed upvalues, varargs, strings, metatables, errors.
const MIX: &str = r#"
    local n, N = 0, ...
    local kept = {}
    local Class = {} Class.__index = Class
    function Class.new(x) return setmetatable({x = x, name = "object " .. x}, Class) end
    function Class:get() return self.x, self.name end
    local function varargs(...) local a, b = ... return {...}, a, b, ... end
    local function counter()
        local c = 0
        return function() c = c + 1 return c end, function(v) c = v end
    end
    for i = 1, 60 do
        local o = Class.new(i)
        local x, name = o:get()
        local get, set = counter()
        get() get() set(i)
        if get() ~= i + 1 then error("upvalue") end
        local list, a, b = varargs(i, {i}, "v" .. i, get)
        if list[1] ~= i or a ~= i or b[1] ~= i then error("varargs") end
        kept[i % 7 + 1] = {o, get, list, name .. x}
        kept["key" .. i % 5] = function() return o, kept end
        kept[o] = i
        local big = 0x7fffffffffff0000 + i
        kept[big] = big
        if kept[0x7fffffffffff0000 + i] ~= big then error("wide") end
        local ok, e = pcall(function() local t = {i} error({t, name}) end)
        if ok or e[1][1] ~= i then error("error value") end
        local s = ""
        for j = 1, 30 do s = s .. "some text " .. j end
        kept.s = s
        n = n + #s
    end
    local live = 0
    for k, v in next, kept do live = live + 1 end
    return n * 1000 + live
"#;

#[test]
fn everything_at_every_safepoint() {
    let expected = run(&mut state(), MIX);
    let mut vm = state();
    vm.heap.set_stress(1, true);
    assert_eq!(run(&mut vm, MIX), expected);
    assert!(vm.heap.cycles > 1000, "{}", vm.heap.cycles);
    super::verify(&mut vm).unwrap();
}

#[test]
fn everything_incrementally() {
    let expected = run(&mut state(), MIX);
    let mut vm = state();
    // Small steps at every safepoint, the heap checked often.
    vm.heap.set_stress(u32::MAX, false);
    let env = Value::table(vm.globals);
    let f = vm.load(MIX.as_bytes(), b"=test", env).unwrap();
    let handle = vm.heap.handles.root(f);
    for _ in 0..20 {
        let f = vm.heap.handles.get(handle).unwrap();
        assert_eq!(vm.call1(f, &[]).unwrap(), expected);
        for _ in 0..10 {
            super::step(&mut vm, 1).unwrap();
            super::verify(&mut vm).unwrap();
        }
    }
    assert!(vm.heap.cycles > 1);
}

#[test]
fn finalizers_run() {
    let mut vm = state();
    let source = r#"
        order = {}
        local function object(name)
            return setmetatable({}, {__gc = function(o) order[#order + 1] = name saved = o end})
        end
        for i = 1, 5 do object(i) end
        collect()
        local s = ""
        for i = 1, #order do s = s .. order[i] end
        if s ~= "54321" then error("order " .. s) end
        saved = nil
        -- An error in a finalizer does not stop the others.
        setmetatable({}, {__gc = function() order.last = true end})
        setmetatable({}, {__gc = function() error("ignored") end})
        collect()
        if not order.last then error("stopped") end
        -- A loop that allocates gets them called sooner or later.
        local done
        setmetatable({}, {__gc = function() done = true end})
        local n = 0
        while not done do local t = {} n = n + 1 if n > 10000000 then error("never") end end
        -- At the end.
        keep = object("closing")
        return order
    "#;
    run(&mut vm, source);
    let globals = vm.globals;
    let order = vm.get_field_raw(globals, "order");
    super::close(&mut vm);
    let n = order.as_table().map_or(0, |t| {
        // SAFETY: a global; nothing was collected since.
        unsafe { (*t).len() }
    });
    assert_eq!(n, 6);
}

#[test]
fn variables_live_and_temporaries_do_not() {
    let source = r#"
        local function object(f) return setmetatable({}, {__gc = f}) end
        local sum = 0
        local list = {{1}, {2}, {3}}
        for i, v in next, list do
            local held = {i}
            for j = 1.0, 3 do
                local inner = {j}
                local k = 0
                while k < 3 do
                    k = k + 1
                    local t = {k}
                    if t[1] == 2 then goto continue end
                    sum = sum + t[1] + inner[1] + held[1] + v[1]
                    ::continue::
                end
                repeat local r = {k} k = k - r[1] / r[1] until k == 0
            end
        end
        do
            local n = {0}
            ::again::
            local m = {n[1] + 1}
            n = m
            if n[1] < 5 then goto again end
            sum = sum + n[1]
        end
        local function params(a, b, ...)
            local t = {}
            for i = 1, 3 do t[i] = {a, b, ...} end
            return t[3][1][1] + t[3][2][1] + t[3][3][1]
        end
        sum = sum + params({1}, {2}, {3})
        local u
        local b
        local finish = false
        u = object(function() finish = true end)
        b = {34}
        repeat u = {} until finish
        if b[1] ~= 34 then error("lost") end
        finish = false
        local i = 1
        u = object(function() finish = true end)
        repeat i = i + 1 u = i .. i until finish
        finish = false
        u = object(function() finish = true end)
        repeat local i u = function() return i end until finish
        return sum
    "#;
    let expected = run(&mut state(), source);
    let mut vm = state();
    vm.heap.set_stress(1, true);
    assert_eq!(run(&mut vm, source), expected);
}

#[test]
fn weak_tables_in_programs() {
    let mut vm = state();
    let source = r#"
        local cache = setmetatable({}, {__mode = "v"})
        local strong = {}
        for i = 1, 100 do
            cache[i] = {i}
            if i % 10 == 0 then strong[#strong + 1] = cache[i] end
        end
        collect()
        local n = 0
        for k, v in next, cache do n = n + 1 if v[1] ~= k then error("wrong") end end
        if n ~= 10 then error("weak values") end
        local attached = setmetatable({}, {__mode = "k"})
        for i = 1, 10 do attached[strong[i]] = {strong[i]} end
        strong[1] = nil strong[3] = false
        collect()
        n = 0
        for k in next, attached do n = n + 1 end
        if n ~= 8 then error("weak keys") end
        -- The mode may be set later.
        local meta = {}
        local later = setmetatable({}, meta)
        later[1] = {}
        meta.__mode = "v"
        collect()
        if later[1] then error("late mode") end
    "#;
    run(&mut vm, source);
}

#[test]
fn limits_throw_and_leave_the_state_usable() {
    let mut vm = state();
    let source = r#"
        local t = {}
        local ok, e = pcall(function() for i = 1, 1e9 do t[i] = {i} end end)
        if ok or e ~= "not enough memory" then error("no limit") end
        t = nil
        local sum = 0
        for i = 1, 100 do local u = {i} sum = sum + u[1] end
        return sum
    "#;
    vm.heap.set_limit(20 << 20);
    assert_eq!(run(&mut vm, source), Value::small_int(5050));
    assert!(vm.heap.bytes < 21 << 20, "{}", vm.heap.bytes);
    assert!(vm.heap.admit(30 << 20).is_err());
    assert!(vm.heap.admit(1 << 20).is_ok());
}

#[test]
fn accounts_are_exact() {
    let mut vm = state();
    run(&mut vm, MIX);
    super::collect(&mut vm);
    let (counted, found) = vm.heap.audit();
    assert_eq!(counted, found);
}

#[test]
fn memory_stays_flat() {
    let mut vm = state();
    let chunk = |i: u32| {
        format!(
            "local t = {{}} for i = 1, 200 do t['k{i}' .. i] = {{i, function() return t end}} end"
        )
    };
    for i in 0..20 {
        run(&mut vm, &chunk(i));
    }
    super::collect(&mut vm);
    let before = vm.heap.count();
    for i in 0..500 {
        run(&mut vm, &chunk(i + 100));
    }
    super::collect(&mut vm);
    let after = vm.heap.count();
    assert!(after < before + 2048, "{before} {after}");
}

/// Prints how long programs that mostly allocate take: `cargo test --release -- --ignored --nocapture programs`.
#[test]
#[ignore = "a measurement"]
fn programs() {
    let programs = [
        (
            "trees",
            "local function tree(d) if d == 0 then return {} end return {tree(d - 1), tree(d - 1)} end
             local function check(t) if t[1] then return 1 + check(t[1]) + check(t[2]) end return 1 end
             local long = tree(16) local n = 0
             for i = 1, 400 do n = n + check(tree(10)) end",
        ),
        (
            "records",
            "local last for i = 1, 3000000 do last = {x = i, y = i + 1, z = last and last.x} end",
        ),
        (
            "closures",
            "local f for i = 1, 3000000 do f = function() return i end end",
        ),
        (
            "append",
            "for j = 1, 20 do local s = '' for i = 1, 50000 do s = s .. 'x' end end",
        ),
        (
            "short strings",
            "local s for i = 1, 2000000 do s = 'k' .. i end",
        ),
        (
            "wide integers",
            "local x = 0x123456789abcdef for i = 1, 5000000 do x = x * 6364136223846793005 + 1442695040888963407 end",
        ),
    ];
    let only = std::env::var("PROGRAM").ok();
    for (name, source) in programs.into_iter().filter(|p| only.as_ref().is_none_or(|o| p.0 == o)) {
        let mut vm = state();
        let start = std::time::Instant::now();
        run(&mut vm, source);
        println!(
            "{name}: {:.0} ms, {} cycles",
            start.elapsed().as_secs_f64() * 1e3,
            vm.heap.cycles
        );
    }
}
