//! What of the official tests cannot hold here, and why. Two lists: edits of the fetched copy, and
//! the parts that the suite leaves out by itself.

/// A replacement in the fetched copy: `old` must be there exactly once.
pub struct Edit {
    /// The file.
    pub file: &'static str,
    /// What is replaced.
    pub old: &'static str,
    /// By what.
    pub new: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// The length of [`EDITS`], so that it does not grow unnoticed.
pub const EDIT_COUNT: usize = 5;

/// All edits.
pub const EDITS: &[Edit] = &[
    Edit {
        file: "coroutine.lua",
        old: "assert(not pcall(table.sort,{1,2,3}, coroutine.yield))",
        new: "assert(pcall(string.gsub, 'a', '.', function () end))",
        reason: "expects that a library function's callback cannot yield; here it can",
    },
    Edit {
        file: "coroutine.lua",
        old: "assert(not coroutine.isyieldable())\n          return c .. c",
        new: "assert(coroutine.isyieldable())\n          return c .. c",
        reason: "expects that a library function's callback cannot yield; here it can",
    },
    Edit {
        file: "errors.lua",
        old: "checkerr(\"yield across\", f)",
        new: "assert(select('#', f()) == 2)",
        reason: "expects that a library function's callback cannot yield; here it can: the \
                 comparator's two arguments come out",
    },
    Edit {
        file: "main.lua",
        old: "RUN(\"env LUA_CPATH='./libs/?.so' lua -l lib2-v2 -e 'print(lib2.id())' > %s\",\n    out)\ncheckout(\"true\\n\")",
        new: "",
        reason: "loads a module written in C",
    },
    Edit {
        file: "main.lua",
        old: "string.format('%s -e \"%s\" & echo $!', progname, luaprg)",
        new: "string.format('(sleep 1; exec %s -e \"%s\") & echo $!', progname, luaprg)",
        reason: "takes it that the shell writes the process's id before the process starts to write",
    },
];

/// A part that the suite leaves out by itself.
pub struct Skipped {
    /// The file.
    pub file: &'static str,
    /// The lines that ask whether to.
    pub lines: &'static [u32],
    /// What is left out, and why.
    pub reason: &'static str,
}

/// The number of lines in [`SKIPPED_BY_THE_SUITE`], so that it does not grow unnoticed.
pub const SKIPPED_COUNT: usize = 38;

/// All of these parts. Most need `T`, the test library for the C API.
pub const SKIPPED_BY_THE_SUITE: &[Skipped] = &[
    Skipped { file: "all.lua", lines: &[106], reason: "memory figures of T" },
    Skipped { file: "api.lua", lines: &[4], reason: "the whole file drives the C API through T" },
    Skipped {
        file: "attrib.lua",
        lines: &[270],
        reason: "modules written in C: package.loadlib answers that there is no loading of them",
    },
    Skipped {
        file: "code.lua",
        lines: &[4],
        reason: "the whole file reads PUC's opcodes through T",
    },
    Skipped {
        file: "coroutine.lua",
        lines: &[530, 991],
        reason: "yields in C hooks, and the coroutine functions of the C API",
    },
    Skipped { file: "cstack.lua", lines: &[146], reason: "stack sizes through T" },
    Skipped {
        file: "errors.lua",
        lines: &[92, 256],
        reason: "allocation failures and messages in C functions made by T; luaL_tolstring",
    },
    Skipped {
        file: "events.lua",
        lines: &[319, 378],
        reason: "userdata made by T; an allocation failure made by T",
    },
    Skipped {
        file: "gc.lua",
        lines: &[359, 397, 482, 562, 605, 618, 656],
        reason: "userdata, colours, warnings and allocation failures through T",
    },
    Skipped {
        file: "gengc.lua",
        lines: &[20, 24, 28, 33, 46, 48, 50, 66, 75, 77, 112, 114, 116, 118, 126],
        reason: "ages and colours of objects through T; userdata made by T",
    },
    Skipped {
        file: "main.lua",
        lines: &[489],
        reason: "the test library's warning function and memory limit",
    },
    Skipped {
        file: "nextvar.lua",
        lines: &[13, 83, 539],
        reason: "sizes of tables through T; table functions on userdata made by T",
    },
    Skipped { file: "strings.lua", lines: &[463], reason: "lua_pushfstring through T" },
];
