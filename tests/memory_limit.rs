//! Scripts that ask for more memory than they may have: each gets a Lua error that `pcall` sees, and the
//! process has never had more than 1.3 times the limit and 16 MB resident. Linux tells.

#![cfg(target_os = "linux")]

mod harness;

use harness::{End, INTERPRETER, THRESHOLD_1, Way, perilune, root, run};

/// The limit: 64 MiB.
const LIMIT: usize = 64 << 20;
/// Most that may ever be resident.
const RESIDENT: usize = LIMIT / 10 * 13 + (16 << 20);

/// What each script begins with: `refused(f)` runs `f` and says whether the error was the right one.
const HEAD: &str = r#"
    function refused(f, ...)
        local ok, e = pcall(f, ...)
        if ok then error("no error", 2) end
        if e ~= "not enough memory" then error("another error: " .. tostring(e), 2) end
        resident()
    end
    function resident()
        for line in io.lines("/proc/self/status") do
            local n = line:match("^VmHWM:%s*(%d+) kB")
            if n then print(debug.getinfo(3, "l").currentline, n) return n end
        end
    end
"#;

/// What each script ends with: the state is usable, and most memory ever resident is printed.
const TAIL: &str = r#"
    collectgarbage()
    local t = {}
    for i = 1, 1000 do t[i] = {i, name = "n" .. i} end
    assert(#t == 1000 and t[500].name == "n500")
    ;(function() print(resident()) end)()
"#;

/// Runs a program in one way.
fn check_way(name: &str, program: &str, way: Way, options: &[&str]) {
    let path = std::env::temp_dir().join(format!("perilune-{}-{name}.lua", std::process::id()));
    std::fs::write(&path, format!("{HEAD} do {program} end {TAIL}")).expect("a scratch file");
    let options: Vec<&str> = way.args.iter().chain(options).copied().collect();
    let output = run(perilune(), root(), &options, &[&path.to_string_lossy()]);
    let _ = std::fs::remove_file(&path);
    assert_eq!(output.end, End::Status(0), "{name}, {}: {}", way.name, output.stderr);
    let resident = output.stdout.lines().last().and_then(|n| n.parse::<usize>().ok());
    let resident = resident.expect("what was resident") * 1024;
    let steps = &output.stdout;
    assert!(resident <= RESIDENT, "{name}, {}: {} MB\n{steps}", way.name, resident >> 20);
}

/// Runs a program interpreted and compiled, within the limit.
fn check(name: &str, program: &str) {
    for way in [INTERPRETER, THRESHOLD_1] {
        check_way(name, program, way, &[&format!("--memory-limit={LIMIT}")]);
    }
}

#[test]
fn doubled_by_concatenation() {
    check(
        "doubled",
        r#"
        local s
        refused(function()
            s = ("x"):rep(2000)
            for i = 1, 35 do s = s .. s end
            return #s:upper()
        end)
        s = nil
        "#,
    );
}

#[test]
fn ropes_are_charged_when_they_become_flat() {
    check(
        "ropes",
        r#"
        refused(function()
            local kept = {}
            for i = 1, 2000 do
                local s = ("x"):rep(2000) .. ("y"):rep(2000)
                for j = 1, 8 do s = s .. "z" .. s end
                kept[i] = s
                assert(s:byte(-1) == 121)
            end
        end)
        local function big(n)
            local s = ("x"):rep(2000)
            for i = 1, 13 do s = s .. "," .. s end
            return s .. (n or "")
        end
        refused(function() local t = {} for i = 1, 9 do t[big(i)] = i end end)
        local a = big()
        refused(function() local l = {} for i = 1, 9 do l[i] = {[a .. i] = i} end end)
        refused(function() local l = {} for i = 1, 9 do l[i] = big() end
            for i = 2, 9 do if l[i] ~= l[1] then error("differs") end end end)
        refused(function() local l = {} for i = 1, 9 do l[i] = big() end
            for i = 2, 9 do if l[i] < l[1] then error("differs") end end end)
        refused(function() local l = {} for i = 1, 9 do l[i] = big(i) end table.sort(l) end)
        "#,
    );
}

#[test]
fn buffers_of_the_string_library() {
    check(
        "buffers",
        r#"
        local long = ("x"):rep(1000000)
        local many = {} for i = 1, 240 do many[i] = long end
        refused(function() return ("%s"):rep(240):format(table.unpack(many)) end)
        refused(function() return ("%q"):rep(240):format(table.unpack(many)) end)
        refused(function() return ("%-99s"):rep(240):format(table.unpack(many)) end)
        refused(function() return ("s8"):rep(240):pack(table.unpack(many)) end)
        refused(function() return ("z"):rep(240):pack(table.unpack(many)) end)
        refused(string.pack, "c2000000000", "x")
        refused(string.pack, ("c100000000"):rep(20), table.unpack(many))
        refused(string.rep, long, 200)
        refused(string.rep, "x", 2000000000)
        refused(string.rep, "x", 30000000, ", ")
        refused(table.concat, many, ",")
        refused(function() return (long:gsub("x", long)) end)
        refused(function() return (long:gsub("x", ("%0"):rep(100))) end)
        refused(function() return (long:gsub("x", function() return long end)) end)
        refused(function() return (long:gsub("x", {x = long})) end)
        refused(function() local t = {} for i = 1, 100 do t[i] = long:upper() end end)
        refused(function() local t = {} for i = 1, 100 do t[i] = long:reverse() end end)
        refused(function() local t = {} for i = 1, 100 do t[i] = long:sub(2) end end)
        refused(function() local t = {} for i = 1, 100 do t[i] = long:match("x+") .. i end end)
        refused(function() local t = {} for i = 1, 1000 do t[i] = string.char(long:byte(1, 200000)) end end)
        refused(function() local t = {} for i = 1, 1000 do t[i] = utf8.char(utf8.codepoint(long, 1, 200000)) end end)
        refused(function() local t = {} for i = 1, 100 do t[i] = os.date(long) end end)
        refused(function() error(("x"):rep(50000000)) end)
        refused(function() return package.searchpath(("x"):rep(10000), ("?;"):rep(100000)) end)
        refused(function() return debug.traceback(("x"):rep(45000000)) end)
        "#,
    );
}

#[test]
fn results_and_temporary_copies() {
    check(
        "copies",
        r#"
        local long = ("x"):rep(1000000)
        refused(function()
            local t = {}
            for i = 1, 100 do t[i] = string.unpack(("s8"):rep(1), string.pack("s8", long)) end
        end)
        refused(function() local t = {} for i = 1, 1e9 do t[i] = i end end)
        refused(function() local t = {} for i = 1, 1e9 do t[i * 7] = i end end)
        refused(function() local t = {} for i = 1, 1e9 do t["k" .. i] = i end end)
        refused(function() local t = {} for i = 1, 1e9 do t[i] = {i} end end)
        refused(function() local t = {} for i = 1, 1e9 do t[i] = function() return t end end end)
        refused(function()
            local t = {}
            for i = 1, 4000000 do t[i] = i % 1000 end
            for i = 1, 100 do table.sort(t) local u = {} for j = 1, #t do u[j] = t[j] end t[#t + 1] = 1 end
            error("?")
        end)
        "#,
    );
}

#[test]
fn lengths_that_lie() {
    check(
        "lengths",
        r#"
        local function liar(n, v)
            return setmetatable({}, {__len = function() return n end, __index = function() return v end,
                __newindex = function() end})
        end
        refused(table.concat, liar(1e15 // 1 | 0, ("x"):rep(1000)))
        pcall(table.sort, liar(1 << 29))
        pcall(table.unpack, liar(1 << 29, 1))
        pcall(table.insert, liar(math.maxinteger, 1), 1)
        "#,
    );
}

#[test]
fn coroutines() {
    check(
        "coroutines",
        r#"
        refused(function()
            local t = {}
            for i = 1, 1e9 do t[i] = coroutine.create(print) end
        end)
        refused(function()
            local t = {}
            for i = 1, 1e9 do t[i] = coroutine.wrap(function() coroutine.yield() end) t[i]() end
        end)
        refused(function()
            local t = {}
            for i = 1, 1e9 do
                t[i] = coroutine.create(function() error("dead") end)
                coroutine.resume(t[i])
            end
        end)
        refused(function()
            local t = {}
            local function deep(n) if n == 0 then error("dead") end return 1 + deep(n - 1) end
            for i = 1, 1e9 do
                t[i] = coroutine.create(deep)
                local ok, e = coroutine.resume(t[i], 10000)
                if e == "not enough memory" then error(e, 0) end
            end
        end)
        refused(function()
            local t = {}
            local function deep(n) if n == 0 then coroutine.yield() return 0 end return 1 + deep(n - 1) end
            for i = 1, 1e9 do
                t[i] = coroutine.create(deep)
                local ok, e = coroutine.resume(t[i], 20000)
                if not ok then error(e, 0) end
            end
        end)
        refused(function()
            local t = {}
            local function deep(n)
                if n == 0 then coroutine.yield() return 0 end
                return select(2, pcall(deep, n - 1))
            end
            for i = 1, 1e9 do
                t[i] = coroutine.create(deep)
                local ok, e = coroutine.resume(t[i], 150)
                if not ok then error(e, 0) end
            end
        end)
        -- Those that are dead and forgotten take nothing.
        for round = 1, 20 do
            local t = {}
            for i = 1, 400 do t[i] = coroutine.wrap(function() coroutine.yield() end) t[i]() end
            for i = 1, 400 do t[i]() end
        end
        "#,
    );
}

#[test]
fn patterns_that_are_kept() {
    check(
        "patterns",
        r#"
        refused(function()
            local t = {}
            for i = 1, 1e9 do t[i] = ("x"):gmatch(("[^a-z]%d*"):rep(100) .. i) end
        end)
        refused(function()
            local t = {}
            for i = 1, 1e9 do t[i] = ("x"):gmatch(("[^a-z]%d*"):rep(10000) .. i) end
        end)
        refused(string.find, "x", (".?"):rep(10000000))
        "#,
    );
}

#[test]
fn endless_input() {
    check(
        "input",
        r#"
        local f = io.open("/dev/zero")
        refused(f.read, f, "a")
        refused(f.read, f, "l")
        refused(f.read, f, 1 << 40)
        refused(function() for l in f:lines("L") do end end)
        assert(select(2, load(function() return ("x"):rep(100000) end)) == "not enough memory")
        assert(select(2, loadfile("/dev/zero")) == "not enough memory")
        refused(dofile, "/dev/zero")
        -- Writing a long string keeps nothing.
        local out = io.open("/dev/null", "w")
        for i = 1, 10 do out:setvbuf("full", 1 << 30) out:write(("x"):rep(10000000)) end
        "#,
    );
}

#[test]
fn fragments() {
    check(
        "fragments",
        r#"
        -- Few of many objects of one size are kept, then as many of the next.
        local kept = {}
        pcall(function()
            for size = 1, 30 do
                local t = {}
                for i = 1, 40000 do
                    local s = ("%d "):format(i) .. ("x"):rep(size * 16)
                    t[i] = s
                    if i % 400 == 0 then kept[#kept + 1] = s end
                end
            end
        end)
        pcall(function()
            for size = 1, 20 do
                local t = {}
                for i = 1, 20000 do
                    local s = ("%d "):format(i) .. ("x"):rep(size * 100 + 500)
                    t[i] = s
                    if i % 400 == 0 then kept[#kept + 1] = s end
                end
            end
        end)
        "#,
    );
}

#[test]
fn without_a_limit_the_system_refuses() {
    for way in [INTERPRETER, THRESHOLD_1] {
        check_system(
            way,
            r#"
            local s
            refused(function()
                s = ("x"):rep(2000)
                for i = 1, 35 do s = s .. s end
                return #s:upper()
            end)
            s = nil
            refused(string.pack, "c2000000000", "x")
            refused(string.rep, "x", 2000000000)
            refused(function() local t = {} for i = 1, 1e9 do t[i] = i end end)
            refused(function() local t = {} for i = 1, 1e9 do t[i * 7] = i end end)
            refused(function() local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1000000) .. i end end)
            refused(function() local t = {} for i = 1, 1e9 do t[i] = {i} end end)
            "#,
        );
    }
}

/// Runs a program in an address space of 1 GB.
fn check_system(way: Way, program: &str) {
    // The JIT reserves a part of the address space for code.
    let path = std::env::temp_dir().join(format!("perilune-{}-system.lua", std::process::id()));
    std::fs::write(&path, format!("{HEAD} do {program} end {TAIL}")).expect("a scratch file");
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 1000000; exec \"$0\" \"$@\""])
        .arg(perilune())
        .args(way.args)
        .arg(&path)
        .output()
        .expect("a shell");
    let _ = std::fs::remove_file(&path);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {:?} {stderr}", way.name, output.status);
}
