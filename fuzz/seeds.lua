-- Seeds for the fuzz targets, written to fuzz/corpus: the given sources, precompiled.
for _, path in ipairs(arg) do
  local f = loadfile(path)
  local chunk = f and string.dump(f, true)
  if chunk and #chunk < 4000 then
    local file <close> = assert(io.open("fuzz/corpus/load/" .. path:match("([^/]+)%.lua$"), "wb"))
    file:write(chunk)
  end
end
