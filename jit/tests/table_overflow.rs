//! Tables that cannot take more keys: the Lua error `table overflow` in every tier, and all goes on. The
//! limit is lowered, so that few elements do.

use perilune_jit::options::Options;
use perilune_jit::tier::Jit;
use perilune_runtime::state;
use perilune_runtime::stdlib;
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

const PROGRAM: &str = r#"
local out = {}
local function try(name, f)
  for round = 1, 3 do
    local t = {}
    local ok, e = pcall(f, t)
    assert(not ok, name)
    assert(e:find('table overflow', 1, true), name .. ': ' .. tostring(e))
    -- What is there stays, and the table takes what it has room for.
    local n = #t
    if n > 0 then
      local last = t[n]
      t[n] = nil
      assert(#t == n - 1)
      t[n] = last
      assert(t[n] == last)
    end
    local count = 0
    for k, v in pairs(t) do count = count + 1 end
    out[name] = count
  end
end

try('append', function(t) for i = 1, 1 << 20 do t[#t + 1] = i end end)
try('ascending', function(t) for i = 1, 1 << 20 do t[i] = i * 0.5 end end)
try('descending', function(t) for i = 1 << 20, 1, -1 do t[i] = i end end)
try('sparse', function(t) for i = 1, 1 << 20 do t[i * 7] = i end end)
try('strings', function(t) for i = 1, 1 << 20 do t['k' .. i] = i end end)
try('tables', function(t) for i = 1, 1 << 20 do t[{}] = i end end)
try('rawset', function(t) for i = 1, 1 << 20 do rawset(t, i * 3, i) end end)
try('insert', function(t) for i = 1, 1 << 20 do table.insert(t, i) end end)
try('insert first', function(t) for i = 1, 1 << 20 do table.insert(t, 1, i) end end)
try('move', function(t) t[1] = 1 for i = 0, 30 do table.move(t, 1, 1 << i, (1 << i) + 1) end end)
try('move to another', function(t)
  local from = {}
  for i = 1, 2048 do from[i] = i end
  for i = 0, 20 do table.move(from, 1, 2048, 2048 * i + 1, t) end
end)
try('pack', function(t)
  local from = {}
  for i = 1, 5000 do from[i % 4000 + 1] = i end
  return table.pack(table.unpack(from, 1, 5000))
end)
try('constructor', function(t)
  local from = {}
  for i = 1, 4000 do from[i] = i end
  local made = { table.unpack(from, 1, 5000) }
  for i = 1, 10 do t[i] = made end
end)
try('proxy', function(t)
  local p = setmetatable({}, { __newindex = t })
  for i = 1, 1 << 20 do p[i] = i end
end)
-- The library has its tables, and none has grown.
local t = {}
for i = 1, 1000 do t[i] = -i end
table.sort(t)
assert(t[1] == -1000 and #t == 1000)
local names = {}
for name, count in pairs(out) do names[#names + 1] = name .. ' ' .. count end
table.sort(names)
return table.concat(names, ', ')
"#;

fn run(options: Option<Options>, stress: u32) -> String {
    let mut vm = Vm::new(state::Options::default());
    if let Some(options) = options {
        Jit::install(&mut vm, options);
    }
    stdlib::open_all(&mut vm);
    vm.heap.max_table = 4096;
    vm.heap.set_stress(stress, false);
    let environment = Value::table(vm.globals);
    let f = vm.load(PROGRAM.as_bytes(), b"=t", environment).expect("loads");
    let answer = match vm.pcall(f, &[]) {
        Ok(results) => results.get(0),
        Err(error) => error,
    };
    let text = vm.to_display(answer).expect("a string");
    // SAFETY: nothing collects before the bytes are copied.
    String::from_utf8_lossy(unsafe { vm.string_bytes(text) }.unwrap_or_default()).into_owned()
}

#[test]
fn tables_overflow_in_every_tier() {
    let expected = run(None, 0);
    assert!(expected.starts_with("append 4096, ascending 4096, "), "{expected}");
    assert_eq!(run(None, 1000), expected);
    for threshold in [1, 100] {
        let options = Options { threshold, ..Options::default() };
        assert_eq!(run(Some(options), 0), expected, "threshold {threshold}");
    }
}
