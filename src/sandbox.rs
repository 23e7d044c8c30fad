//! States for programs that are not trusted.

use std::time::Duration;

use perilune_runtime::stdlib::sandbox;
use perilune_runtime::value::Value as Raw;

use crate::error::Result;
use crate::lua::{Libraries, Lua, LuaOptions};
use crate::table::Table;

/// What a program may use, for [`Lua::sandboxed`]. `None` is no limit.
///
/// # Examples
///
/// ```
/// use perilune::Limits;
/// use std::time::Duration;
///
/// let limits = Limits::default().memory(16 << 20).time(Duration::from_millis(50));
/// assert_eq!(limits.memory, Some(16 << 20));
/// assert_eq!(Limits::none().time, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes that the state's values take. See [`Lua::set_memory_limit`].
    pub memory: Option<usize>,
    /// Time that a call from the host takes. See [`Lua::set_time_limit`].
    pub time: Option<Duration>,
    /// Values on a coroutine's stack. See [`LuaOptions::max_stack`].
    pub stack: Option<usize>,
}

impl Default for Limits {
    /// 64 MiB of memory, a second for each call, and 200,000 values on a stack.
    fn default() -> Limits {
        Limits { memory: Some(64 << 20), time: Some(Duration::from_secs(1)), stack: Some(200_000) }
    }
}

impl Limits {
    /// No limits but the engine's own.
    pub fn none() -> Limits {
        Limits { memory: None, time: None, stack: None }
    }

    /// With this limit of memory, in bytes.
    #[must_use]
    pub fn memory(self, bytes: usize) -> Limits {
        Limits { memory: Some(bytes), ..self }
    }

    /// With this limit of time for each call.
    #[must_use]
    pub fn time(self, time: Duration) -> Limits {
        Limits { time: Some(time), ..self }
    }

    /// With this limit of values on a stack.
    #[must_use]
    pub fn stack(self, values: usize) -> Limits {
        Limits { stack: Some(values), ..self }
    }
}

impl Lua {
    /// A state for programs that are not trusted, within limits.
    ///
    /// * **Libraries**: the basic functions, `coroutine`, `math`, `string`, `table`, `utf8`, and the clocks of `os`
    ///   (`clock`, `date`, `difftime`, `time`). Nothing reaches files, other processes, the environment or the
    ///   engine's inside: no `io`, `package`, `require`, `debug`, `dofile`, `loadfile`, `string.dump`.
    ///   `print` writes to standard output; give the state another one if that is not wanted. `warn` is silent
    ///   until the host asks for it ([`Lua::set_warnings`]), and `collectgarbage` only collects and counts.
    /// * **Chunks** are source text, for [`Lua::load`] as for `load`.
    /// * **Globals**: each chunk has a table of globals of its own: a copy of the state's ([`Lua::globals`]), made
    ///   when it is loaded, in which libraries are copies too. So what a chunk writes, wherever it writes it, no
    ///   other chunk sees. What the host puts into the state's globals all chunks loaded later have; a table among
    ///   that is shared. Chunks that are to work together are given one environment
    ///   ([`Lua::create_environment`], [`Chunk::set_environment`](crate::Chunk::set_environment)).
    /// * **Limits** hold in host functions that call back into Lua, in coroutines and in finalizers too. They are
    ///   the state's: chunks in one state can use up each other's memory, and share the generator of
    ///   `math.random`. Those that must not have states of their own.
    ///
    /// # Errors
    /// The limit of memory is less than the libraries take.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Limits, Lua};
    ///
    /// let lua = Lua::sandboxed(Limits::default()).unwrap();
    /// lua.globals().set("double", lua.create_function(|_, x: i64| Ok(2 * x)).unwrap()).unwrap();
    /// assert_eq!(lua.load("x = double(21) return x").eval::<i64>().unwrap(), 42);
    /// // Another chunk, other globals.
    /// assert!(lua.load("x == nil and io == nil and os.execute == nil").eval::<bool>().unwrap());
    /// ```
    ///
    /// Chunks that share globals, and a host that reads them:
    ///
    /// ```
    /// use perilune::{Limits, Lua};
    ///
    /// let lua = Lua::sandboxed(Limits::default()).unwrap();
    /// let plugin = lua.create_environment().unwrap();
    /// lua.load("function area(r) return math.pi * r ^ 2 end").set_environment(plugin.clone()).exec().unwrap();
    /// lua.load("result = area(1)").set_environment(plugin.clone()).exec().unwrap();
    /// assert!(plugin.get::<f64>("result").unwrap() > 3.14);
    /// ```
    pub fn sandboxed(limits: Limits) -> Result<Lua> {
        Lua::sandboxed_with(limits, LuaOptions::default())
    }

    /// [`Lua::sandboxed`] with these options.
    ///
    /// # Errors
    /// As there.
    pub fn sandboxed_with(limits: Limits, options: LuaOptions) -> Result<Lua> {
        let options = LuaOptions { max_stack: limits.stack.or(options.max_stack), ..options };
        let lua = Lua::with_libraries(Libraries::Sandboxed, options)?;
        lua.set_memory_limit(limits.memory);
        lua.set_time_limit(limits.time);
        // Tells whether that is enough to begin with.
        lua.create_environment()?;
        Ok(lua)
    }

    /// Whether the state was made by [`Lua::sandboxed`].
    pub fn is_sandboxed(&self) -> bool {
        self.0.sandboxed.get()
    }

    /// A new table of globals: a copy of the state's, with copies of the libraries, and with a `load` whose chunks
    /// have these globals and are source text. In a sandboxed state each chunk that is given no other environment gets one. In others,
    /// where nothing is left out, it keeps well-meaning chunks from each other.
    ///
    /// # Errors
    /// The memory limit.
    pub fn create_environment(&self) -> Result<Table> {
        self.run(|vm| {
            let environment = sandbox::environment(vm);
            vm.settled()?;
            Ok(Table(self.handle(vm, Raw::table(environment))))
        })
    }
}
