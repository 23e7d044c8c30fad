-- Read by `cargo run --example config`.
name = "lunar lander"
port = 8000 + 80
verbose = name:find("lander") ~= nil

paths = {}
for _, dir in ipairs { "maps", "sounds", "ships" } do
  paths[#paths + 1] = "/usr/share/lander/" .. dir
end

limits = { ships = 4, fuel = math.floor(1e3 / 3) }
