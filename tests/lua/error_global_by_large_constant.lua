-- Names in messages where the key or the constant does not fit an instruction.
local filler = {}
for i = 1, 70000 do filler[i] = i + 0.5 end
local source = "local t = {" .. table.concat(filler, ",") .. "} "
local function fails(code)
  local _, message = pcall(assert(load(source .. code, "=chunk")))
  print(message)
end
fails("return undefined.field")
fails("undefined()")
fails("local u = {} return u.missing.field")
fails("local _ENV = {} return other.field")

--[[expect
chunk:1: attempt to index a nil value (global 'undefined')
chunk:1: attempt to call a nil value (global 'undefined')
chunk:1: attempt to index a nil value (field 'missing')
chunk:1: attempt to index a nil value (global 'other')
]]
