//! Hashes are keyed by a seed of the state: no result depends on it but `math.random`.

use perilune::{JitOptions, Lua, LuaOptions, StdLib};

fn state(seed: Option<u64>, jit: bool) -> Lua {
    let jit = JitOptions { enabled: jit, threshold: 1, ..JitOptions::default() };
    let options = LuaOptions { jit, seed, ..LuaOptions::default() };
    Lua::new_with(StdLib::ALL_SAFE, options).unwrap()
}

/// What traversals of tables with all kinds of keys meet, in order.
const ORDER: &str = r#"
    local function names(t)
        local out = {}
        for k, v in pairs(t) do
            if type(k) == "table" then k = k.name end
            out[#out + 1] = tostring(k) .. "=" .. tostring(v)
        end
        return table.concat(out, " ")
    end
    local t = {}
    for i = 1, 300 do
        t["key" .. i * 7 % 301] = i
        t[i * 1.5] = i
        t[i << 40] = i
        t[{name = "object" .. i}] = i
        t[("long"):rep(20) .. i] = i
        if i % 3 == 0 then t["key" .. i * 7 // 3] = nil end
    end
    t[true], t[false], t[-0.25], t[1 << 63] = 1, 2, 3, 4
    local record = {}
    for i = 1, 40 do record["field" .. i] = i end
    record.field7 = nil
    return names(t) .. "\n" .. names(record) .. "\n" .. names({x = 1, y = 2, ["a long field" .. ("!"):rep(60)] = 3})
"#;

#[test]
fn no_order_depends_on_the_seed() {
    let expected: String = state(Some(0), false).load(ORDER).eval().unwrap();
    assert!(expected.starts_with("1.5=1 ") && expected.contains("key14=260 "));
    for seed in [Some(0), Some(1), Some(u64::MAX), None, None] {
        for jit in [false, true] {
            let order: String = state(seed, jit).load(ORDER).eval().unwrap();
            assert!(order == expected, "another order with seed {seed:?}, jit {jit}");
        }
    }
}

#[test]
fn a_fixed_seed_replays_random_numbers() {
    let draw = |seed| -> String {
        let chunk = "local a = math.random(0) math.randomseed() return a .. ' ' .. math.random(0)";
        state(seed, true).load(chunk).eval().unwrap()
    };
    assert_eq!(draw(Some(3)), draw(Some(3)));
    assert_ne!(draw(Some(3)), draw(Some(4)));
    assert_ne!(draw(None), draw(None));
    // As `math.randomseed(3)` does it.
    let chunk = "local a = math.random(0) math.randomseed(3) return a == math.random(0)";
    assert!(state(Some(3), false).load(chunk).eval::<bool>().unwrap());
}
