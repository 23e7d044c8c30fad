-- package.preload, loaded, searchpath, errors of require.
package.preload.mymod = function(...) print("loading", ...) return { v = 1 } end
print(require("mymod").v, select(2, require("mymod")), package.loaded.mymod == require("mymod"))
package.preload.noret = function() end
print(require("noret"), package.loaded.noret)
package.preload.bad = function() error("load error", 0) end
print(pcall(require, "bad"))
print((select(2, pcall(require, "no.such.module")):gsub("\n.*", "")))
print(package.searchpath("x.y", "./?.none;/nowhere/?/init.none"))
print(package.config:sub(1, 1), #package.searchers, type(package.path), type(package.cpath), package.loaded._G == _G, package.loaded.string == string)

--[[expect
loading	mymod	:preload:
1	nil	true
true	true
false	load error
module 'no.such.module' not found:
nil	no file './x/y.none'
	no file '/nowhere/x/y/init.none'
/	4	string	string	true	true
]]
