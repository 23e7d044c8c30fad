//! The main type.

use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use perilune_jit::tier::Jit;
use perilune_runtime::heap;
use perilune_runtime::stdlib;
use perilune_runtime::stop::StopReason;
use perilune_runtime::value::Value as Raw;
use perilune_runtime::vm::{POLL_INTERRUPT, Vm};

use crate::chunk::{AsChunk, Chunk};
use crate::convert::{FromLua, IntoLua};
use crate::error::{Error, Result};
use crate::function::Function;
use crate::interrupt::InterruptHandle;
use crate::multi::{FromLuaMulti, IntoLuaMulti};
use crate::state::{Border, State};
use crate::stdlib::StdLib;
use crate::string::LuaString;
use crate::table::Table;
use crate::thread::Thread;
use crate::userdata::{self, AnyUserData, UserData};
use crate::value::Value;
use crate::{JitDump, JitOptions, JitStats};

/// A Lua state.
///
/// Cloning is cheap and gives the same state. Any number of states can exist in a process; they
/// share nothing. A state stays on its thread. It lives as long as any clone or handle ([`Table`],
/// [`Function`], …) of it; then pending finalizers run and buffered output is written.
///
/// A host function that captures a clone or handle of its own state keeps that state alive for
/// ever: use the `&Lua` it is called with, or a [`WeakLua`].
///
/// # Examples
///
/// ```
/// use perilune::Lua;
///
/// let lua = Lua::new();
/// lua.globals().set("who", "moon").unwrap();
/// let greeting: String = lua.load("'hello, ' .. who").eval().unwrap();
/// assert_eq!(greeting, "hello, moon");
/// ```
#[derive(Clone)]
pub struct Lua(pub(crate) Rc<State>);

impl Drop for Lua {
    fn drop(&mut self) {
        self.close_if_last();
    }
}

impl Default for Lua {
    fn default() -> Lua {
        Lua::new()
    }
}

impl std::fmt::Debug for Lua {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lua({:p})", Rc::as_ptr(&self.0))
    }
}

/// A reference to a state that does not keep it alive; for host functions that must know it.
///
/// ```
/// use perilune::Lua;
///
/// let lua = Lua::new();
/// let weak = lua.weak();
/// assert!(weak.upgrade().is_some());
/// drop(lua);
/// assert!(weak.upgrade().is_none());
/// ```
#[derive(Clone)]
pub struct WeakLua(Weak<State>);

impl WeakLua {
    /// The state, if it still exists.
    pub fn upgrade(&self) -> Option<Lua> {
        self.0.upgrade().map(Lua)
    }
}

impl std::fmt::Debug for WeakLua {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WeakLua")
    }
}

/// Options of a new state, for [`Lua::new_with`].
///
/// ```
/// use perilune::{JitOptions, Lua, LuaOptions, StdLib};
///
/// let options = LuaOptions { jit: JitOptions { enabled: false, ..JitOptions::default() }, ..LuaOptions::default() };
/// let lua = Lua::new_with(StdLib::ALL_SAFE, options).unwrap();
/// assert!(!lua.jit_enabled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct LuaOptions {
    /// The JIT's.
    pub jit: JitOptions,
    /// `package.path` and `package.cpath` start from their defaults, whatever the environment says.
    pub ignore_environment: bool,
    /// Seed of the state's hashes and of `math.random`. By default each state has a random one, so that nobody
    /// can prepare keys that slow its tables down. Replays need it fixed; that of a state that runs
    /// untrusted programs must be a secret. It changes no order: `pairs` never depends on hashes.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Lua, LuaOptions, StdLib};
    ///
    /// let draw = |seed| {
    ///     let options = LuaOptions { seed, ..LuaOptions::default() };
    ///     let lua = Lua::new_with(StdLib::ALL_SAFE, options).unwrap();
    ///     lua.load("return math.random(0)").eval::<i64>().unwrap()
    /// };
    /// assert_eq!(draw(Some(7)), draw(Some(7)));
    /// assert_ne!(draw(None), draw(None));
    /// ```
    pub seed: Option<u64>,
    /// The most values on the stack of each coroutine, which limits the depth of calls: a call takes as many as its
    /// function has variables at a time, and two. Code that needs more gets the error `stack overflow`. At least
    /// 512, at most a million; `None`: a million.
    ///
    /// ```
    /// use perilune::{Lua, LuaOptions, StdLib};
    ///
    /// let options = LuaOptions { max_stack: Some(1000), ..LuaOptions::default() };
    /// let lua = Lua::new_with(StdLib::ALL_SAFE, options).unwrap();
    /// lua.load("function down(n) return n == 0 and 0 or 1 + down(n - 1) end").exec().unwrap();
    /// assert_eq!(lua.load("down(50)").eval::<i64>().unwrap(), 50);
    /// let error = lua.load("down(5000)").eval::<i64>().unwrap_err();
    /// assert!(error.message().contains("stack overflow"));
    /// ```
    pub max_stack: Option<usize>,
}

/// The libraries of a new state.
#[derive(Clone, Copy)]
pub(crate) enum Libraries {
    Parts(StdLib),
    /// See [`Lua::sandboxed`].
    Sandboxed,
}

/// A host's answer to interrupts.
type Interrupt = dyn Fn(&Lua) -> Result<()>;

/// What answers interrupts by a host's function.
fn ask_host(weak: WeakLua, function: Rc<Interrupt>) -> perilune_runtime::stop::InterruptFn {
    Rc::new(move |vm| {
        let lua = weak.upgrade()?;
        let _border = Border::enter(&lua.0, vm);
        function(&lua).err().map(|error| StopReason::Host(Arc::new(error)))
    })
}

/// Memory.
impl Lua {
    /// Does a full collection, finalizers included.
    ///
    /// # Errors
    /// An interrupt, or the memory limit.
    pub fn gc_collect(&self) -> Result<()> {
        self.run(|vm| {
            heap::collect(vm);
            Ok(())
        })?;
        self.empty_trash();
        Ok(())
    }

    /// Does a step of collection as for `kilobytes` of allocation; true when it ended a cycle.
    ///
    /// # Errors
    /// As [`Lua::gc_collect`].
    pub fn gc_step(&self, kilobytes: usize) -> Result<bool> {
        self.run(|vm| Ok(heap::step(vm, kilobytes).unwrap_or(false)))
    }

    /// Stops the collector.
    pub fn gc_stop(&self) {
        self.with(|vm| vm.heap.stop());
    }

    /// Restarts the collector.
    pub fn gc_restart(&self) {
        self.with(|vm| vm.heap.restart());
    }

    /// Whether the collector runs.
    pub fn gc_is_running(&self) -> bool {
        self.with(|vm| vm.heap.is_running())
    }

    /// For tests: collects at every `period`-th allocation (0: as usual), and checks all invariants
    /// of the heap after each collection if `verify` says so.
    pub fn gc_stress(&self, period: u32, verify: bool) {
        self.with(|vm| vm.heap.set_stress(period, verify));
    }

    /// For tests: refuses `count` requests for memory, from the `after`-th on that follows (1: the next one),
    /// as a machine without memory would. Until then each object is a request.
    #[doc(hidden)]
    pub fn fail_allocations(&self, after: u64, count: u64) {
        self.with(|vm| vm.heap.set_fault(after, count));
    }

    /// For tests: the requests for memory so far.
    #[doc(hidden)]
    pub fn allocation_requests(&self) -> u64 {
        self.with(|vm| vm.heap.requests())
    }

    /// For tests: checks all invariants of the heap.
    #[doc(hidden)]
    pub fn verify_heap(&self) -> std::result::Result<(), String> {
        self.with(perilune_runtime::heap::verify)
    }

    /// Bytes in use.
    pub fn used_memory(&self) -> usize {
        self.with(|vm| vm.heap.bytes)
    }

    /// Limits the bytes that the state takes of the machine (`None`: no limit): objects, buffers, stacks of
    /// coroutines; not machine code and the compiler's memory, which are bounded by the size of functions. Code
    /// that needs more gets the error `not enough memory`, and the state stays usable. Garbage may pile up to a
    /// quarter above the limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Error, Lua};
    ///
    /// let lua = Lua::new();
    /// lua.set_memory_limit(Some(lua.used_memory() + (1 << 20)));
    /// let error = lua.load("local t = {} while true do t[#t + 1] = {} end").exec().unwrap_err();
    /// assert!(matches!(error, Error::Memory));
    /// lua.set_memory_limit(None);
    /// assert_eq!(lua.load("1 + 1").eval::<i64>().unwrap(), 2);
    /// ```
    pub fn set_memory_limit(&self, bytes: Option<usize>) {
        self.with(|vm| vm.heap.set_limit(bytes.unwrap_or(usize::MAX)));
    }
}

/// The JIT.
impl Lua {
    fn with_jit<R>(&self, f: impl FnOnce(&Jit, &mut Vm) -> R) -> Option<R> {
        self.with(|vm| {
            let jit: *const Jit = Jit::find(vm)?;
            // SAFETY: the tier is boxed and stays installed as long as the state lives; its methods
            // take `&self`.
            Some(f(unsafe { &*jit }, vm))
        })
    }

    /// What the JIT has done so far.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// lua.load("local s = 0 for i = 1, 1e6 do s = s + i end").exec().unwrap();
    /// println!("{}", lua.jit_stats().table());
    /// ```
    pub fn jit_stats(&self) -> JitStats {
        self.with_jit(|jit, _| jit.stats()).unwrap_or_default()
    }

    /// Whether compiled code is made and run.
    pub fn jit_enabled(&self) -> bool {
        self.with_jit(|jit, _| jit.options().enabled).unwrap_or(false)
    }

    /// Turns the JIT on or off. Compiled code that is running goes on; later calls obey.
    pub fn set_jit_enabled(&self, enabled: bool) {
        self.with_jit(|jit, vm| {
            jit.update_options(|options| options.enabled = enabled);
            jit.set_enabled(vm, enabled);
        });
    }

    /// Changes options of the JIT; what is compiled already stays as it is. ([`JitOptions::enabled`] is
    /// changed by [`Lua::set_jit_enabled`].)
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// lua.update_jit_options(|options| options.max_recompiles = 2);
    /// ```
    pub fn update_jit_options(&self, change: impl FnOnce(&mut JitOptions)) {
        let Some(mut options) = self.with_jit(|jit, _| jit.options().clone()) else { return };
        change(&mut options);
        self.with_jit(|jit, _| {
            jit.update_options(|old| {
                options.enabled = old.enabled;
                *old = options;
            });
        });
    }

    /// Takes the texts that [`JitOptions::dump`] asked for.
    pub fn take_jit_dumps(&self) -> Vec<JitDump> {
        self.with_jit(|jit, _| jit.take_dumps()).unwrap_or_default()
    }
}

impl Lua {
    /// A state with the JIT and the standard library without `debug` ([`StdLib::ALL_SAFE`]).
    ///
    /// Scripts can read and write files and start programs, as the process can. For scripts that are not trusted
    /// there is [`Lua::sandboxed`]; for other selections of libraries, [`Lua::new_with`].
    ///
    /// # Panics
    /// The system has no memory for it.
    pub fn new() -> Lua {
        Lua::new_with(StdLib::ALL_SAFE, LuaOptions::default()).expect("memory for a state")
    }

    /// A state with these parts of the standard library, and these options.
    ///
    /// # Errors
    /// The system has no memory for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Lua, LuaOptions, StdLib};
    ///
    /// let lua = Lua::new_with(StdLib::ALL, LuaOptions::default()).unwrap();
    /// assert!(lua.load("debug.traceback()").eval::<String>().unwrap().starts_with("stack traceback:"));
    /// ```
    pub fn new_with(libraries: StdLib, options: LuaOptions) -> Result<Lua> {
        Lua::with_libraries(Libraries::Parts(libraries), options)
    }

    pub(crate) fn with_libraries(libraries: Libraries, options: LuaOptions) -> Result<Lua> {
        let mut vm = Vm::new(perilune_runtime::state::Options {
            seed: options.seed,
            max_stack: options.max_stack,
            fault: None,
        });
        Jit::install(&mut vm, options.jit);
        if options.ignore_environment {
            let registry = vm.registry;
            vm.set_field_raw(registry, "LUA_NOENV", Raw::TRUE);
        }
        match libraries {
            Libraries::Parts(parts) => stdlib::open(&mut vm, |name| parts.has(name)),
            Libraries::Sandboxed => stdlib::sandbox::open(&mut vm),
        }
        let lua = Lua(State::new(vm));
        lua.0.sandboxed.set(matches!(libraries, Libraries::Sandboxed));
        let handler = lua.with(|vm| {
            let handler = crate::callback::error_handler(&lua, vm);
            vm.heap.handles.root(handler)
        });
        lua.0.handler.set(Some(handler));
        if lua.with(perilune_runtime::vm::Vm::settled).is_err() {
            return Err(Error::Memory);
        }
        Ok(lua)
    }

    /// A reference that does not keep the state alive.
    pub fn weak(&self) -> WeakLua {
        WeakLua(Rc::downgrade(&self.0))
    }

    /// Whether both are the same state.
    pub fn same_state(&self, other: &Lua) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// A chunk to be run: source text, or the path of a file. Precompiled chunks are accepted too (but by
    /// sandboxed states).
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// lua.load("x = ...").set_name("=setup").call::<()>(5).unwrap();
    /// assert_eq!(lua.globals().get::<i64>("x").unwrap(), 5);
    /// ```
    pub fn load(&self, chunk: impl AsChunk) -> Chunk<'_> {
        Chunk::new(self, chunk)
    }

    /// The table of globals; in a sandboxed state, what each chunk gets a copy of ([`Lua::sandboxed`]).
    pub fn globals(&self) -> Table {
        self.with(|vm| {
            let globals = Raw::table(vm.globals);
            Table(self.handle(vm, globals))
        })
    }

    /// A new empty table.
    ///
    /// # Errors
    /// The memory limit.
    pub fn create_table(&self) -> Result<Table> {
        self.allocate(|vm| {
            let table = perilune_runtime::table::new_empty(&mut vm.heap);
            Table(self.handle(vm, Raw::table(table)))
        })
    }

    /// A new table with these elements.
    ///
    /// # Errors
    /// An element cannot become a Lua value.
    pub fn create_sequence_from<T: IntoLua>(
        &self,
        values: impl IntoIterator<Item = T>,
    ) -> Result<Table> {
        let table = self.create_table()?;
        for value in values {
            table.raw_push(value)?;
        }
        Ok(table)
    }

    /// A new table with these fields.
    ///
    /// # Errors
    /// A key or value cannot become a Lua value.
    pub fn create_table_from<K: IntoLua, V: IntoLua>(
        &self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Table> {
        let table = self.create_table()?;
        for (key, value) in pairs {
            table.raw_set(key, value)?;
        }
        Ok(table)
    }

    /// A string of these bytes.
    ///
    /// # Errors
    /// The memory limit.
    pub fn create_string(&self, bytes: impl AsRef<[u8]>) -> Result<LuaString> {
        self.allocate(|vm| {
            let string = vm.string(bytes.as_ref());
            LuaString(self.handle(vm, string))
        })
    }

    /// Makes a Rust closure a Lua function. Its arguments are what [`FromLuaMulti`] can make of Lua's,
    /// its results what [`IntoLuaMulti`] can make values of; an error is thrown in Lua.
    ///
    /// The closure may call Lua code, which may call host functions, and so on. A panic in it
    /// cannot be caught by Lua code: it goes on in the Rust code that called into Lua.
    ///
    /// # Errors
    /// The memory limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Lua, Error};
    ///
    /// let lua = Lua::new();
    /// let div = lua.create_function(|_, (a, b): (i64, i64)| {
    ///     a.checked_div(b).ok_or_else(|| Error::runtime("division by zero"))
    /// }).unwrap();
    /// lua.globals().set("div", div).unwrap();
    /// assert_eq!(lua.load("div(7, 2)").eval::<i64>().unwrap(), 3);
    /// let caught: String = lua.load("select(2, pcall(div, 1, 0))").eval().unwrap();
    /// assert_eq!(caught, "division by zero");
    /// let wrong = lua.load("div(1, {})").exec().unwrap_err();
    /// assert!(wrong.to_string().contains("bad argument #2 to 'div' (number expected, got table)"));
    /// ```
    pub fn create_function<A, R, F>(&self, function: F) -> Result<Function>
    where
        A: FromLuaMulti,
        R: IntoLuaMulti,
        F: Fn(&Lua, A) -> Result<R> + 'static,
    {
        crate::callback::create(self, function)
    }

    /// Runs `body` on the thread's own stack: for host functions that need much stack, since one that
    /// a coroutine calls runs on the coroutine's. That has 2 MiB, of which a host function finds at
    /// least 400 KiB left, or Lua gets the error `stack overflow`.
    ///
    /// The coroutine cannot yield until `body` ends: Lua code that `body` calls and that tries gets the
    /// error `attempt to yield across a C-call boundary`. Where the thread's own stack is in use,
    /// this just calls `body`.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// fn deep(n: u64) -> u64 {
    ///     let frame = std::hint::black_box([n; 512]);
    ///     if n == 0 { 0 } else { frame[0] + deep(n - 1) }
    /// }
    ///
    /// # std::thread::Builder::new().stack_size(32 << 20).spawn(|| {
    /// let lua = Lua::new();
    /// let sum = lua.create_function(|lua, n: u64| Ok(lua.on_thread_stack(|| deep(n)))).unwrap();
    /// lua.globals().set("sum", sum).unwrap();
    /// let code = "coroutine.wrap(function() return sum(1000) end)()";
    /// assert_eq!(lua.load(code).eval::<u64>().unwrap(), 500_500);
    /// # }).unwrap().join().unwrap();
    /// ```
    pub fn on_thread_stack<R>(&self, body: impl FnOnce() -> R) -> R {
        // SAFETY: the pointer of the innermost border, as in `with`; the callee does not use the state while
        // `body` runs, which may take the pointer again.
        unsafe { perilune_runtime::stack::on_thread_stack(self.0.innermost(), body) }
    }

    /// As [`Lua::create_function`] for closures that change what they captured. Calling it from
    /// within itself is an error.
    ///
    /// # Errors
    /// The memory limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// let mut n = 0;
    /// let next = lua.create_function_mut(move |_, ()| { n += 1; Ok(n) }).unwrap();
    /// next.call::<i64>(()).unwrap();
    /// assert_eq!(next.call::<i64>(()).unwrap(), 2);
    /// ```
    pub fn create_function_mut<A, R, F>(&self, function: F) -> Result<Function>
    where
        A: FromLuaMulti,
        R: IntoLuaMulti,
        F: FnMut(&Lua, A) -> Result<R> + 'static,
    {
        let function = std::cell::RefCell::new(function);
        self.create_function(move |lua, args: A| match function.try_borrow_mut() {
            Ok(mut function) => function(lua, args),
            Err(_) => Err(Error::runtime("mutable callback called recursively")),
        })
    }

    /// A coroutine that will run this function.
    ///
    /// # Errors
    /// The function belongs to another state, or the memory limit.
    pub fn create_thread(&self, function: Function) -> Result<Thread> {
        crate::thread::create(self, &function)
    }

    /// Gives a host value to Lua; what Lua code can do with it says its [`UserData`] implementation.
    ///
    /// # Errors
    /// The memory limit.
    pub fn create_userdata<T: UserData>(&self, value: T) -> Result<AnyUserData> {
        let meta = userdata::metatable_of::<T>(self)?;
        userdata::create(self, value, Some(&meta))
    }

    /// Gives any host value to Lua, which can only pass it around.
    ///
    /// # Errors
    /// The memory limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{AnyUserData, Lua};
    ///
    /// let lua = Lua::new();
    /// let token = lua.create_any_userdata(vec![1, 2, 3]).unwrap();
    /// let same: AnyUserData = lua.load("return ...").call(&token).unwrap();
    /// assert_eq!(same.borrow::<Vec<i32>>().unwrap().len(), 3);
    /// ```
    pub fn create_any_userdata<T: 'static>(&self, value: T) -> Result<AnyUserData> {
        userdata::create(self, value, None)
    }

    /// Whether `warn` prints its messages (to standard error), as `warn("@on")` decides too.
    pub fn set_warnings(&self, on: bool) {
        self.with(|vm| vm.detail.warnings = on);
    }

    /// Makes a Lua value.
    ///
    /// # Errors
    /// As [`IntoLua::into_lua`]; the value belongs to another state.
    pub fn pack(&self, value: impl IntoLua) -> Result<Value> {
        let value = value.into_lua(self)?;
        self.check(&value)?;
        Ok(value)
    }

    /// Makes a Rust value.
    ///
    /// # Errors
    /// As [`FromLua::from_lua`]; the value belongs to another state.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Error, Lua};
    ///
    /// let (lua, other) = (Lua::new(), Lua::new());
    /// let text = lua.pack("12").unwrap();
    /// assert_eq!(lua.unpack::<i64>(text.clone()).unwrap(), 12);
    /// assert!(matches!(other.unpack::<i64>(text), Err(Error::OtherState)));
    /// ```
    pub fn unpack<T: FromLua>(&self, value: Value) -> Result<T> {
        self.check(&value)?;
        T::from_lua(value, self)
    }

    /// A way to interrupt running code from another thread or a signal handler.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle(Arc::clone(&self.0.interrupt))
    }

    /// Takes back an interrupt that running code has not noticed yet.
    pub fn clear_interrupt(&self) {
        self.with(|vm| vm.poll.lower(POLL_INTERRUPT, vm.native_limit));
    }

    /// Sets what happens at an interrupt, in place of a stop: the code goes on when the function returns `Ok`,
    /// and is [stopped](crate::Stopped) with the error otherwise
    /// ([`StopReason::Refused`](crate::StopReason::Refused)). Further interrupts wait while the function runs. As a
    /// host function, it should not capture handles of this state.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Error, Lua};
    /// use std::cell::Cell;
    ///
    /// let lua = Lua::new();
    /// let asked = Cell::new(0);
    /// lua.set_interrupt(move |lua| {
    ///     asked.set(asked.get() + 1);
    ///     if asked.get() == 3 { return Err(Error::runtime("out of patience")) }
    ///     lua.interrupt_handle().interrupt();
    ///     Ok(())
    /// });
    /// lua.interrupt_handle().interrupt();
    /// let error = lua.load("while true do end").exec().unwrap_err();
    /// assert!(matches!(error, Error::Stopped(_)));
    /// assert!(error.to_string().contains("out of patience"));
    /// ```
    pub fn set_interrupt(&self, function: impl Fn(&Lua) -> Result<()> + 'static) {
        let ask = ask_host(self.weak(), Rc::new(function));
        let old = self.with(|vm| vm.detail.stopping.on_interrupt.replace(ask));
        drop(old);
    }

    /// Has `function` called by `os.exit`, right before the process ends: for what a host does at its
    /// end, which it will not reach. The state's streams are written out by then, and where the script
    /// asked for that, the state is closed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// lua.on_exit(|_| eprintln!("the script ended the process"));
    /// lua.load("os.exit()").exec().unwrap();
    /// ```
    pub fn on_exit(&self, function: impl FnOnce(&Lua) + 'static) {
        let weak = self.weak();
        let last = move |vm: &mut Vm| {
            if let Some(lua) = weak.upgrade() {
                let _border = Border::enter(&lua.0, vm);
                function(&lua);
            }
        };
        let old = self.with(|vm| vm.detail.on_exit.replace(Box::new(last)));
        drop(old);
    }

    /// Puts the default answer to interrupts back: a stop.
    pub fn remove_interrupt(&self) {
        let old = self.with(|vm| vm.detail.stopping.on_interrupt.take());
        drop(old);
    }

    /// Limits the time that each of the host's calls may take: from where it enters Lua to its return, calls back and
    /// forth between Lua and host functions included. Code that takes longer is
    /// [stopped](crate::Stopped), with [`StopReason::TimeLimit`](crate::StopReason::TimeLimit). `None`, as it is at first, is no limit.
    ///
    /// Set by a host function, it also holds for the call that is running, from now on.
    ///
    /// What counts is time on the clock. Host functions are not stopped, nor are library functions that
    /// wait for the system (a read from a terminal, say); the code is stopped when they return.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Error, Lua};
    /// use std::time::Duration;
    ///
    /// let lua = Lua::new();
    /// lua.set_time_limit(Some(Duration::from_millis(20)));
    /// for _ in 0..2 {
    ///     let error = lua.load("repeat until false").exec().unwrap_err();
    ///     assert!(matches!(error, Error::Stopped(_)));
    ///     assert_eq!(lua.load("return 6 * 7").eval::<i32>().unwrap(), 42);
    /// }
    /// ```
    pub fn set_time_limit(&self, limit: Option<Duration>) {
        self.0.time_limit.set(limit);
        if self.0.depth.get() > 0 {
            self.with(|vm| self.set_deadline(vm, limit, true));
        }
    }

    /// Limits the time that all finalizers together may take when the state is dropped: one second, unless this
    /// is called. The finalizer that is running then is stopped, those that have not been called are not called.
    /// `None` waits for as long as they take.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    /// use std::time::Duration;
    ///
    /// let lua = Lua::new();
    /// lua.set_closing_limit(Some(Duration::from_millis(20)));
    /// lua.load("setmetatable({}, { __gc = function() while true do end end })").exec().unwrap();
    /// drop(lua); // ends
    /// ```
    pub fn set_closing_limit(&self, limit: Option<Duration>) {
        self.0.closing_limit.set(limit);
    }

    /// The traceback of the running code, after `message` if there is one; `level` frames are left out:
    /// with 1 in a host function, it begins with that function's caller.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// let here = lua.create_function(|lua, ()| Ok(lua.traceback(Some("here"), 1))).unwrap();
    /// lua.globals().set("here", here).unwrap();
    /// let text: String = lua.load("local t = here() return t").set_name("=x").eval().unwrap();
    /// assert_eq!(text, "here\nstack traceback:\n\tx:1: in main chunk");
    /// ```
    pub fn traceback(&self, message: Option<&str>, level: usize) -> String {
        self.with(|vm| {
            let text = vm.traceback(message.map(str::as_bytes), level);
            String::from_utf8_lossy(&text).into_owned()
        })
    }

    /// Writes out what the standard library's files and standard streams still buffer.
    pub fn flush(&self) {
        self.with(perilune_runtime::stdlib::flush_all);
    }
}
