//! Host functions: the way from Lua into Rust closures.

use std::mem::ManuallyDrop;
use std::rc::Rc;

use perilune_runtime::meta::Metamethod;
use perilune_runtime::object::NativeFn;
use perilune_runtime::value::Value as Raw;
use perilune_runtime::vm::{Args, Throw, Vm};

use crate::arguments::{Arguments, Results};
use crate::error::Result;
use crate::function::Function;
use crate::lua::Lua;
use crate::multi::{FromLuaMulti, IntoLuaMulti, MultiValue};
use crate::state::{Border, HostBox, NOBODY, Noted, State};

/// A callback with the conversion of its arguments and results.
type Callback = Box<dyn Fn(&Lua, &mut Arguments<'_>, &mut Results) -> Result<()>>;

/// Makes a function value of a callback.
pub(crate) fn create<A, R, F>(lua: &Lua, function: F) -> Result<Function>
where
    A: FromLuaMulti,
    R: IntoLuaMulti,
    F: Fn(&Lua, A) -> Result<R> + 'static,
{
    create_converted(
        lua,
        Box::new(move |lua, args, results| {
            function(lua, A::from_arguments(args)?)?.into_results(lua, results)
        }),
    )
}

/// A callback on lists of values.
type ListCallback = Box<dyn Fn(&Lua, MultiValue) -> Result<MultiValue>>;

/// What a native function of this crate carries.
struct Host<F> {
    /// The state in whose heap the function is.
    state: *const State,
    function: F,
}

/// Makes a native function with a host's value.
fn new_native<F: 'static>(lua: &Lua, vm: &mut Vm, run: NativeFn, function: F) -> Raw {
    let host = Host { state: Rc::as_ptr(&lua.0), function };
    let host = HostBox::boxed(host, &lua.0.trash);
    let native = vm.new_native(run, 0, &[]);
    // SAFETY: just made.
    unsafe { (*native).host = Some(host) };
    Raw::native(native)
}

/// Makes the message handler of calls from the host.
pub(crate) fn error_handler(lua: &Lua, vm: &mut Vm) -> Raw {
    new_native(lua, vm, on_error, ())
}

/// Makes a function value of a callback that works on lists of values.
pub(crate) fn create_raw(lua: &Lua, callback: ListCallback) -> Result<Function> {
    create_converted(
        lua,
        Box::new(move |lua, args, results| {
            *results = Results::Many(callback(lua, args.rest())?);
            Ok(())
        }),
    )
}

fn create_converted(lua: &Lua, callback: Callback) -> Result<Function> {
    lua.allocate(|vm| {
        let native = new_native(lua, vm, trampoline, callback);
        Function(lua.handle(vm, native))
    })
}

/// The running function's state and host value.
///
/// The state is not a new handle: it is not dropped. Whoever called into the engine holds one for as
/// long.
fn host_of<'a, F: 'static>(args: Args) -> Option<(ManuallyDrop<Lua>, &'a F)> {
    // SAFETY: the callee is in the frame until results are stored, which is the last thing done.
    let host = unsafe { (*args.callee()).host.as_ref() }?;
    let host = host.downcast_ref::<HostBox>()?.get::<Host<F>>()?;
    // SAFETY: the function is in the heap of this state, whose address was stored when a handle
    // existed; while it runs, a caller below holds a handle (`Lua::run` borrows one).
    let lua = ManuallyDrop::new(Lua(unsafe { Rc::from_raw(host.state) }));
    Some((lua, &host.function))
}

/// What every callback runs in.
fn trampoline(vm: &mut Vm, args: Args) -> std::result::Result<u32, Throw> {
    let Some((lua, callback)) = host_of::<Callback>(args) else {
        return Err(vm.error("host function without a host"));
    };
    let mut results = Results::None;
    let outcome = {
        let _border = Border::enter(&lua.0, vm);
        let mut arguments = Arguments::new(&lua, args.slice());
        callback(&lua, &mut arguments, &mut results)
            .and_then(|()| lua.check_all(results.as_slice()))
    };
    if let Err(throw) = vm.check_stop() {
        lua.0.killed.set(NOBODY);
        return Err(throw);
    }
    if lua.0.killed.get().0 == vm.current {
        // The coroutine is being closed, whatever the callback made of that.
        lua.0.killed.set(NOBODY);
        vm.thrown = perilune_runtime::thread::KILL;
        return Err(Throw);
    }
    match outcome {
        Ok(()) => match results.as_slice() {
            [] => args.ret0(),
            [value] => {
                let raw = lua.push_in(vm, value);
                args.ret1(raw)
            }
            values => {
                let raws: Vec<Raw> = values.iter().map(|v| lua.push_in(vm, v)).collect();
                args.ret_slice(vm, &raws)
            }
        },
        Err(error) => Err(lua.throw(vm, error)),
    }
}

/// The message handler of calls from the host: notes at the point of the error what the host is told.
fn on_error(vm: &mut Vm, args: Args) -> std::result::Result<u32, Throw> {
    let Some((lua, ())) = host_of(args) else { return args.ret1(args.get(1)) };
    let value = args.get(1);
    let plain = value.is_string() || value.is_number();
    let noted = if !plain && !vm.metamethod(value, Metamethod::ToString).is_nil() {
        let text = vm.to_display(value)?;
        // Just made; nothing is collected before it is copied.
        let text = vm.heap.str_bytes(text);
        let message = String::from_utf8_lossy(text).into_owned();
        Noted { message: Some(message), traceback: traceback(vm) }
    } else {
        Noted { message: None, traceback: traceback(vm) }
    };
    lua.0.noted.replace(Some(noted));
    args.ret1(value)
}

fn traceback(vm: &mut Vm) -> String {
    let text = vm.traceback(None, 1);
    String::from_utf8_lossy(&text).into_owned()
}
