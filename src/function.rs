//! Functions.

use std::sync::atomic::Ordering;

use perilune_runtime::heap::RootId;
use perilune_runtime::value::Value as Raw;
use perilune_runtime::vm::{Args, Throw, Vm};

use crate::error::{Error, Result};
use crate::lua::Lua;
use crate::multi::{FromLuaMulti, IntoLuaMulti, MultiValue};
use crate::names::{full_name, name_of};
use crate::state::Handle;
use crate::value::{Value, handle_type};

/// A function of Lua's or of the host's.
///
/// # Examples
///
/// ```
/// use perilune::{Function, Lua};
///
/// let lua = Lua::new();
/// let max: Function = lua.globals().get::<perilune::Table>("math").unwrap().get("max").unwrap();
/// assert_eq!(max.call::<i64>((3, 9, 4)).unwrap(), 9);
/// ```
#[derive(Clone)]
pub struct Function(pub(crate) Handle);

handle_type!(Function);

/// Calls any value.
pub(crate) fn call_value<R: FromLuaMulti>(lua: &Lua, f: &Value, args: MultiValue) -> Result<R> {
    call_handled(lua, f, args, lua.0.handler.get())
}

/// Calls any value with a rooted message handler.
fn call_handled<R: FromLuaMulti>(
    lua: &Lua,
    f: &Value,
    args: MultiValue,
    handler: Option<RootId>,
) -> Result<R> {
    lua.check(f)?;
    lua.check_all(args.as_slice())?;
    let results = lua.run_handled(handler, |vm| {
        if vm.poll.load(Ordering::Relaxed) != 0 {
            // A request that waits for the next code that runs means this, however short it is.
            vm.safepoint()?;
        }
        let function = lua.push_in(vm, f);
        let results = match args.as_slice() {
            [] => vm.call(function, &[])?,
            [a] => {
                let a = lua.push_in(vm, a);
                vm.call(function, &[a])?
            }
            args => {
                let args: Vec<Raw> = args.iter().map(|v| lua.push_in(vm, v)).collect();
                vm.call(function, &args)?
            }
        };
        Ok(results.slice().iter().map(|&raw| lua.pull(vm, raw)).collect::<MultiValue>())
    })?;
    R::from_lua_multi(results, lua).map_err(Error::of_results)
}

/// What [`Function::bind`] makes: calls its first upvalue with the others and its own arguments.
fn call_bound(vm: &mut Vm, args: Args) -> std::result::Result<u32, Throw> {
    let bound = (1..args.upvalue_count()).map(|i| args.upvalue(i));
    let values: Vec<Raw> = bound.chain(args.slice().iter().copied()).collect();
    let results = vm.call(args.upvalue(0), &values)?;
    args.ret_results(vm, results)
}

impl Function {
    /// Calls the function.
    ///
    /// # Errors
    /// What it throws, or its results are no `R`.
    pub fn call<R: FromLuaMulti>(&self, args: impl IntoLuaMulti) -> Result<R> {
        let lua = &self.0.lua;
        let args = args.into_lua_multi(lua)?;
        call_value(lua, &Value::Function(self.clone()), args)
    }

    /// Calls the function with a message handler, as `xpcall` does: where an error is thrown, `handler`
    /// is called with its value, and what it returns is thrown in its place. Without one, the error
    /// value stays, and its traceback is noted ([`Error::traceback`](crate::Error::traceback)).
    ///
    /// # Errors
    /// What it throws, or its results are no `R`.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Function, Lua};
    ///
    /// let lua = Lua::new();
    /// let handler = lua.create_function(|_, message: String| Ok(message + ", sorry")).unwrap();
    /// let f: Function = lua.load("function() error('no', 0) end").eval().unwrap();
    /// let error = f.call_with_handler::<()>(&handler, ()).unwrap_err();
    /// assert_eq!(error.message(), "no, sorry");
    /// ```
    pub fn call_with_handler<R: FromLuaMulti>(
        &self,
        handler: &Function,
        args: impl IntoLuaMulti,
    ) -> Result<R> {
        let lua = &self.0.lua;
        lua.with(|vm| handler.0.raw_for(lua, vm))?;
        let args = args.into_lua_multi(lua)?;
        call_handled(lua, &Value::Function(self.clone()), args, Some(handler.0.id))
    }

    /// A function that calls this one with `args` before its own arguments.
    ///
    /// # Errors
    /// An argument cannot become a Lua value, or memory is short.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Function, Lua};
    ///
    /// let lua = Lua::new();
    /// let sub: Function = lua.load("function(a, b) return a - b end").eval().unwrap();
    /// let from_ten = sub.bind(10).unwrap();
    /// assert_eq!(from_ten.call::<i64>(4).unwrap(), 6);
    /// ```
    pub fn bind(&self, args: impl IntoLuaMulti) -> Result<Function> {
        let lua = &self.0.lua;
        let args = args.into_lua_multi(lua)?;
        // A native function with upvalues: a host closure would hold handles, which keep the state alive.
        lua.allocate(|vm| {
            let mut upvalues = vec![self.0.raw(vm)];
            upvalues.extend(args.iter().map(|arg| lua.push_in(vm, arg)));
            let function = vm.native_with(call_bound, 0, &upvalues);
            Function(lua.handle(vm, function))
        })
    }

    /// The listing of its bytecode and of all functions in it; `None` for host functions.
    ///
    /// With `filter`, only functions whose name contains it. The name is `fib script.lua:12`: what the
    /// definition stores the function in (if that can be seen), chunk, and line.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    ///
    /// let lua = Lua::new();
    /// let chunk = lua.load("local function inc(x) return x + 1 end").into_function().unwrap();
    /// assert!(chunk.bytecode(Some("inc")).unwrap().contains("ADDK"));
    /// ```
    pub fn bytecode(&self, filter: Option<&str>) -> Option<String> {
        let function = self.0.lua.with(|vm| {
            let closure = self.0.raw(vm).as_closure()?;
            // SAFETY: rooted, and so is its prototype.
            Some(unsafe { std::sync::Arc::clone(&(*(*closure).proto).function) })
        })?;
        let mut text = String::new();
        let mut pending = vec![(&*function, None)];
        while let Some((function, name)) = pending.pop() {
            let name = full_name(function, name.as_deref());
            if filter.is_none_or(|filter| name.contains(filter)) {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&format!("; {name}\n"));
                text.push_str(&perilune_ir::listing::listing_one(function));
            }
            let inner = function.functions.iter().enumerate();
            pending.extend(inner.rev().map(|(i, inner)| (&**inner, name_of(function, i))));
        }
        Some(text)
    }
}
