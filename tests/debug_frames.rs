//! What scripts do by `debug` to frames of library functions, to what the library keeps, and to frames of
//! compiled code, harms nobody: each program ends as if it had not been done, in every way of running.

mod harness;

use harness::{End, Way};

/// Ways of running, with the heap verified after each collection.
const WAYS: [Way; 5] = [
    Way { name: "interpreter", args: &["--no-jit", "--gc-verify"] },
    Way { name: "threshold 1", args: &["--jit-threshold=1", "--gc-verify"] },
    Way { name: "forced exits", args: &["--jit-threshold=1", "--jit-force-exits=3"] },
    Way { name: "gc stress", args: &["--no-jit", "--gc-stress=7", "--gc-verify"] },
    Way { name: "compiled, gc stress", args: &["--jit-threshold=1", "--gc-stress=7"] },
];

/// Overwrites everything in all frames of native functions, changes tables that it finds there, and has
/// everything collected that nobody keeps. (No names of functions of `debug` as constants.)
const ATTACK: &str = r##"
local set, get = debug["set" .. ("local"):lower()], debug["get" .. ("local"):lower()]
local known = {}
local function attack()
    for level = 1, 12 do
        if not debug.getinfo(level, "f") then break end
        for n = 1, 60 do
            local name, v = get(level, n)
            if not name then break end
            if name == "(C temporary)" then
                if type(v) == "table" and not known[v] then
                    for i = 1, 200 do rawset(v, #v + 1, i) end
                    for k in next, v do rawset(v, k, nil) end
                end
                set(level, n, {})
            end
        end
    end
    collectgarbage()
    for i = 1, 50 do local s = ("filler"):rep(i) end
end
local function proxy(t)
    known[t] = true
    local p = setmetatable({}, {
        __index = function(_, k) attack() return t[k] end,
        __newindex = function(_, k, v) attack() t[k] = v end,
        __len = function() attack() return #t end,
    })
    known[p] = true
    return p
end
local function list(n)
    local t = {}
    known[t] = true
    for i = 1, n do t[i] = "element " .. (i * 7919 % n) end
    return t
end
"##;

fn check(name: &str, program: &str, expected: &str) {
    let program = format!("{ATTACK}\n{program}");
    for way in WAYS {
        let mut args: Vec<&str> = way.args.to_vec();
        args.extend(["-e", &program]);
        let out = harness::run(harness::perilune(), harness::root(), &[], &args);
        assert_eq!(out.end, End::Status(0), "{name}, {}: {}", way.name, out.stderr);
        assert_eq!(out.stdout, expected, "{name}, {}", way.name);
    }
}

#[test]
fn frames_of_string_functions() {
    let program = r##"
        local subject = ("word "):rep(20) .. "end"
        local n = 0
        local a = subject:gsub("%w+", function(w) n = n + 1 if n % 5 == 0 then attack() end return w .. n end)
        local b = subject:gsub("(%w)(%w+)", proxy({w = "W", e = "E"}))
        local text = setmetatable({}, {__tostring = function() attack() return ("long text "):rep(9) end, __name = "x"})
        local c = ("%s|%5s|%-4d|%q"):format(text, "ab", 7, "quoted\n") .. tostring(text)
        local count = 0
        for w in (subject .. subject):gmatch("%a+") do count = count + 1 if count % 10 == 0 then attack() end end
        local d = setmetatable({}, {__concat = function(x, y) attack() return "joined" end}) .. subject .. count
        print(#a, a:sub(1, 20), #b, #c, count, d)
    "##;
    check("strings", program, "136\tword1 word2 word3 wo\t41\t202\t41\tjoined\n");
}

#[test]
fn frames_of_table_functions() {
    let program = r##"
        local t = list(30)
        local a = table.concat(proxy(t), ", ", 1, 30)
        local b = select("#", table.unpack(proxy(t)))
        local moved = table.move(proxy(t), 1, 30, 5, proxy(list(3)))
        local p = proxy(list(9))
        table.insert(p, 3, "inserted")
        local removed = table.remove(p, 1)
        local function sorted(n, every)
            local t, calls = list(n), 0
            table.sort(t, function(x, y)
                calls = calls + 1
                if calls % every == 0 then attack() end
                return x < y
            end)
            for i = 2, n do if t[i - 1] > t[i] then return "unsorted" end end
            return #t
        end
        local q = list(12)
        table.sort(proxy(q))
        local ok = #q == 12
        for i = 2, 12 do ok = ok and q[i - 1] <= q[i] end
        print(#a, b, moved[34] == t[30], removed, p[2], sorted(40, 10), sorted(2500, 20000), ok)
    "##;
    check("tables", program, "348\t30\ttrue\telement 8\tinserted\t40\t2500\ttrue\n");
}

#[test]
fn frames_of_other_functions() {
    let program = r##"
        local object = setmetatable({}, {
            __index = function(_, k) attack() return k <= 5 and k * 10 or nil end,
            __pairs = function(t) attack() return function(_, k) attack() return not k and "key" or nil, 1 end, t, nil end,
            __close = function() attack() end,
            __eq = function() attack() return true end,
            __lt = function() attack() return true end,
        })
        known[object] = true
        local sum = 0
        for i, v in ipairs(object) do sum = sum + v end
        for k, v in pairs(object) do sum = sum + v end
        local ok, message = pcall(function() local x <close> = object attack() error("out") end)
        local handled = select(2, xpcall(error, function(m) attack() return m .. "!" end, "message", 0))
        local pieces = {"return ", "...", " + 1"}
        local i = 0
        local f = load(function() attack() i = i + 1 return pieces[i] end, "=chunk")
        package.searchers[#package.searchers + 1] = function(name)
            attack()
            return function(n, extra) attack() return {name = n, extra = extra} end, "data"
        end
        local loaded = require("some.module")
        local co = coroutine.wrap(function(...) attack() local y = coroutine.yield(...) attack() return y end)
        local first, second = co(1, 2), co("resumed")
        attack()
        local stopped = coroutine.create(function() local c <close> = object coroutine.yield() end)
        coroutine.resume(stopped)
        print(sum, ok, message:match("out$"), handled, f(1), loaded.name, loaded.extra, first, second,
            coroutine.close(stopped), object == setmetatable({}, getmetatable(object)), object < object)
    "##;
    let expected =
        "151\tfalse\tout\tmessage!\t2\tsome.module\tdata\t1\tresumed\ttrue\ttrue\ttrue\n";
    check("others", program, expected);
}

/// What the registry holds is a script's to change: the library keeps what it needs by itself.
#[test]
fn the_registry_is_emptied() {
    let program = r##"
        local loaded
        package.searchers[#package.searchers + 1] = function(name)
            local registry = debug.getregistry()
            local write, type, tostring = io.write, io.type, tostring
            for k in pairs(registry) do registry[k] = nil end
            package.loaded, io.stdout, io.stdin, io.stderr = nil, nil, nil, nil
            debug.sethook(function() end, "r")
            debug.sethook()
            for i = 1, 3 do collectgarbage() for j = 1, 200 do local t = {j, name = ("x"):rep(j)} end end
            return function() return "module" end
        end
        print((require("anything")))
        for i = 1, 20 do io.write("") end
        local file = io.tmpfile()
        file:write("text"):seek("set")
        print(io.type(file), io.type(io.output()), file:read("a"), tostring(file):match("^file"))
        io.output(file)
        file = nil
        collectgarbage()
        io.write("more")
        io.output():seek("set")
        local text = io.output():read("a")
        io.output():close()
        assert(text == "textmore")
    "##;
    check("registry", program, "module\nfile\tfile\ttext\tfile\n");
}

/// Values of running compiled functions, replaced and collected.
#[test]
fn frames_of_lua_functions() {
    let program = r##"
        local function replace(level, new)
            for n = 1, 20 do
                local name, v = get(level, n)
                if not name then break end
                if type(v) == "table" or type(v) == "string" and #v > 40 then set(level, n, new) end
            end
            collectgarbage()
            for i = 1, 50 do local t, s = {i, i}, ("filler"):rep(i) end
        end
        local function work(every, n)
            local object, text, sum = {value = 1, 2, 3}, ("text"):rep(20) .. n, 0
            for i = 1, n do
                if i == every then replace(2, {value = 1, 2, 3}) end
                sum = sum + object.value + object[1] + #object
            end
            return sum
        end
        local function call(...) local t, s = {...}, ("x"):rep(50) replace(2, nil) return type(t), type(s) end
        for i = 1, 30 do call(i) end
        -- As `work`, but with nothing else that keeps the values.
        local function once(n)
            local object, text = {value = n, 2, 3}, ("text"):rep(20) .. n
            replace(2, {value = n, 2, 3})
            return object.value + object[1] + #object
        end
        local sum = 0
        for i = 1, 200 do sum = sum + once(i) end
        print(work(-1, 300), work(150, 300), work(299, 300), sum)
        local co = coroutine.wrap(function()
            local kept, sum = {1, 2, 3}, 0
            for i = 1, 100 do
                sum = sum + #kept
                if i % 10 == 0 then coroutine.yield(sum) end
            end
            return sum
        end)
        local last
        for i = 1, 11 do last = co() end
        print(last)
    "##;
    check("frames", program, "1500\t1500\t1500\t20900\n300\n");
}
