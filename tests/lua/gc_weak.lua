-- Weak keys and values; strings and numbers are never removed; ephemerons.
local function scrub() local a, b, c, d, e, f, g, h, i, j, k, l = {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {} return select("#", a, b, c, d, e, f, g, h, i, j, k, l) end
local function collect() scrub() collectgarbage() collectgarbage() end
local function count(t) local n = 0 for _ in pairs(t) do n = n + 1 end return n end
local keep = {}
local wv = setmetatable({}, { __mode = "v" })
local function fillv() for i = 1, 20 do wv[i] = { i } if i % 4 == 0 then keep[#keep + 1] = wv[i] end end wv.s = "string" .. 1 wv.n = 5 wv.f = 1.5 wv.b = true end
fillv() collect()
print(count(wv), wv[4] and wv[4][1], wv[5], wv.s, wv.n)
local wk = setmetatable({}, { __mode = "k" })
local function fillk() for i = 1, 20 do local key = { i } wk[key] = i if i % 5 == 0 then keep[#keep + 1] = key end end wk.str = 1 wk[7] = 2 end
fillk() collect()
print(count(wk), wk[keep[#keep]], wk.str, wk[7])
local eph = setmetatable({}, { __mode = "k" })
local function fille() for i = 1, 10 do local key = {} eph[key] = { back = key } end local live = {} keep[#keep + 1] = live eph[live] = { chain = {} } eph[eph[live].chain] = "via" end
fille() collect()
print(count(eph))
local both = setmetatable({}, { __mode = "kv" })
local function fillb() both[{}] = 1 both[1] = {} both[keep] = keep end
fillb() collect()
print(count(both), both[keep] == keep)
keep = nil
collect()
print(count(wv), count(wk) )

--[[expect
9	4	nil	string1	5
6	20	1	2
2
1	true
4	2
]]
