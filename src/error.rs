//! Errors, and how they cross the border in both directions.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use perilune_runtime::heap::RootId;
use perilune_runtime::meta::Metamethod;
use perilune_runtime::object::Userdata;
use perilune_runtime::stop::{self, Stop};
use perilune_runtime::thread::KILL;
use perilune_runtime::value::Value as Raw;
use perilune_runtime::vm::{Throw, Vm};

use crate::lua::Lua;
use crate::state::{ForeignReleases, HostBox, Noted};
use crate::value::Value;

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something failed. `Send`, `Sync` and cheap to clone.
///
/// # Examples
///
/// ```
/// use perilune::{Error, Lua};
///
/// let lua = Lua::new();
/// match lua.load("local x = ").exec() {
///     Err(Error::Syntax { message, incomplete_input }) => {
///         assert!(incomplete_input);
///         assert!(message.ends_with("unexpected symbol near <eof>"));
///     }
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A chunk does not compile.
    Syntax {
        /// The message, with position.
        message: String,
        /// The chunk ends too early: more lines could make it valid.
        incomplete_input: bool,
    },
    /// Lua code threw, or a callback returned [`Error::runtime`].
    Runtime(RuntimeError),
    /// The memory limit was reached.
    Memory,
    /// All running code was stopped: an interrupt, or the time limit.
    Stopped(Stopped),
    /// A callback returned an error (of another kind than [`Error::Runtime`]), and Lua code did not
    /// catch it.
    Callback {
        /// Where, in Lua's words; empty where it is not known.
        traceback: String,
        /// The callback's error.
        cause: Arc<Error>,
    },
    /// A callback got an argument that it cannot use.
    BadArgument {
        /// Its number, from 1.
        position: usize,
        /// What is wrong with it.
        cause: Arc<Error>,
    },
    /// A Lua function returned what its caller in Rust cannot use.
    BadResult {
        /// The result's number, from 1.
        position: usize,
        /// What is wrong with it.
        cause: Arc<Error>,
    },
    /// A table holds what Rust code cannot use.
    BadField {
        /// Where, in Lua's notation: `name`, `[2]`, `servers[2].port`.
        path: String,
        /// What is wrong with it.
        cause: Arc<Error>,
    },
    /// A Lua value is not what Rust code asked for.
    FromLuaConversion {
        /// What it is: the type, for userdata (and tables) by the `__name` of the metatable; of a number
        /// that does not fit, the number.
        from: Cow<'static, str>,
        /// What it was to become, in Lua's terms.
        to: Cow<'static, str>,
        /// Details.
        message: Option<String>,
    },
    /// A Rust value cannot become a Lua value.
    IntoLuaConversion {
        /// The Rust type.
        from: &'static str,
        /// Details.
        message: String,
    },
    /// A value of one state was used with another.
    OtherState,
    /// A userdata is borrowed in a way that excludes this use.
    UserDataBorrow,
    /// A userdata's value was taken out ([`AnyUserData::take`](crate::AnyUserData::take)).
    UserDataTaken,
    /// The coroutine that a callback runs on is being closed: the callback should return.
    CoroutineClosed,
    /// An error of the host's.
    External(Arc<dyn StdError + Send + Sync>),
}

/// An error value that Lua code threw.
#[derive(Clone)]
pub struct RuntimeError {
    message: String,
    traceback: String,
    value: Option<Arc<ErrorValue>>,
}

/// What asked for a stop.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StopReason {
    /// An [`InterruptHandle`](crate::InterruptHandle).
    Interrupt,
    /// The time limit ([`Lua::set_time_limit`]) has passed.
    TimeLimit,
    /// The function set by [`Lua::set_interrupt`] returned this error.
    Refused(Arc<Error>),
}

/// A stop: the end of all running Lua code at the host's wish.
///
/// It is no error of Lua's, and no Lua code sees it: `pcall`, `xpcall` and its handler, `coroutine.resume`,
/// `coroutine.close` and finalizers cannot catch it, nor can a callback that calls Lua and passes over the error.
/// The state *is stopping* until the host's outermost call returns, with [`Error::Stopped`]: each
/// call of Lua that a callback makes meanwhile fails at once with the same.
///
/// Afterwards the state is as usable as before. The coroutines that were running are dead. Hooks of the main
/// coroutine and of those are removed. Variables to be closed (`local x <close>`) in the functions that
/// were running are *not* closed, since closing is Lua code; their values are collected like others, finalizers
/// included.
///
/// Returned by a callback of another state, it is an error like others there.
///
/// # Examples
///
/// ```
/// use perilune::{Error, Lua, StopReason};
/// use std::time::Duration;
///
/// let lua = Lua::new();
/// lua.set_time_limit(Some(Duration::from_millis(20)));
/// let endless = "while true do pcall(function() while true do end end) end";
/// let Err(Error::Stopped(stop)) = lua.load(endless).set_name("=endless").exec() else { panic!() };
/// assert!(matches!(stop.reason(), StopReason::TimeLimit));
/// assert_eq!(stop.message(), "endless:1: time limit exceeded");
/// ```
#[derive(Clone, Debug)]
pub struct Stopped {
    reason: StopReason,
    message: String,
    traceback: String,
}

impl Stopped {
    pub(crate) fn new(stop: &Stop) -> Stopped {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let reason = match &stop.reason {
            stop::StopReason::TimeLimit => StopReason::TimeLimit,
            stop::StopReason::Host(error) => match Arc::clone(error).downcast() {
                Ok(error) => StopReason::Refused(error),
                Err(_) => StopReason::Interrupt,
            },
            _ => StopReason::Interrupt,
        };
        let what = match &reason {
            StopReason::Interrupt => "interrupted!".to_owned(),
            StopReason::TimeLimit => "time limit exceeded".to_owned(),
            StopReason::Refused(error) => error.message(),
        };
        let message = text(&stop.position) + &what;
        Stopped { reason, message, traceback: text(&stop.traceback) }
    }

    /// What asked for it.
    pub fn reason(&self) -> &StopReason {
        &self.reason
    }

    /// `interrupted!`, `time limit exceeded`, or the message of the error of [`Lua::set_interrupt`]'s function,
    /// with the position of the code that ran.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The traceback of the code that ran, beginning with `stack traceback:`.
    pub fn traceback(&self) -> &str {
        &self.traceback
    }
}

/// Roots an error value without being bound to a thread.
struct ErrorValue {
    id: RootId,
    releases: Arc<ForeignReleases>,
}

impl Drop for ErrorValue {
    fn drop(&mut self) {
        self.releases.push(self.id);
    }
}

impl RuntimeError {
    /// The message: the error value as text, or what `lua` prints for values without one.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The traceback, beginning with `stack traceback:`; empty where there is none.
    pub fn traceback(&self) -> &str {
        &self.traceback
    }

    /// The error value itself; nil for errors that did not come out of `lua`.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Error, Lua, Value};
    ///
    /// let lua = Lua::new();
    /// let Err(Error::Runtime(error)) = lua.load("error({ code = 7 })").exec() else { panic!() };
    /// let Value::Table(table) = error.value(&lua) else { panic!() };
    /// assert_eq!(table.get::<i64>("code").unwrap(), 7);
    /// ```
    pub fn value(&self, lua: &Lua) -> Value {
        lua.with(|vm| match self.raw(lua, vm) {
            Some(raw) => lua.pull(vm, raw),
            None => Value::Nil,
        })
    }

    fn raw(&self, lua: &Lua, vm: &Vm) -> Option<Raw> {
        let value = self.value.as_ref()?;
        if !Arc::ptr_eq(&value.releases, &lua.0.foreign) {
            return None;
        }
        vm.heap.handles.get(value.id)
    }
}

impl fmt::Debug for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeError")
            .field("message", &self.message)
            .field("traceback", &self.traceback)
            .finish_non_exhaustive()
    }
}

impl Error {
    /// An error with a message. Thrown by a callback it becomes a string with the position of the
    /// calling Lua code in front, as library functions throw.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Error, Lua};
    ///
    /// let lua = Lua::new();
    /// let f = lua.create_function(|_, ()| Err::<(), _>(Error::runtime("no luck"))).unwrap();
    /// lua.globals().set("try", f).unwrap();
    /// let error = lua.load("try()").set_name("@game.lua").exec().unwrap_err();
    /// assert!(error.to_string().starts_with("game.lua:1: no luck\nstack traceback:"));
    /// ```
    pub fn runtime(message: impl fmt::Display) -> Error {
        Error::Runtime(RuntimeError {
            message: message.to_string(),
            traceback: String::new(),
            value: None,
        })
    }

    /// Wraps an error of the host's. Lua code that catches it gets a value whose `tostring` is its
    /// message; uncaught it comes back as the cause of an [`Error::Callback`].
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Error, Lua};
    ///
    /// let lua = Lua::new();
    /// let open = lua.create_function(|_, path: String| {
    ///     std::fs::read_to_string(path).map_err(Error::external)
    /// }).unwrap();
    /// let error = open.call::<String>("/no/such/file").unwrap_err();
    /// assert!(error.downcast_ref::<std::io::Error>().is_some());
    /// ```
    pub fn external(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::External(error.into().into())
    }

    /// The host's error of this type that is behind this one.
    pub fn downcast_ref<T: StdError + 'static>(&self) -> Option<&T> {
        match self {
            Error::External(error) => error.downcast_ref(),
            Error::Callback { cause, .. }
            | Error::BadArgument { cause, .. }
            | Error::BadResult { cause, .. }
            | Error::BadField { cause, .. }
            | Error::Stopped(Stopped { reason: StopReason::Refused(cause), .. }) => {
                cause.downcast_ref()
            }
            _ => None,
        }
    }

    /// The traceback, where there is one.
    pub fn traceback(&self) -> Option<&str> {
        match self {
            Error::Runtime(error) => Some(error.traceback()),
            Error::Stopped(stop) => Some(stop.traceback()),
            Error::Callback { traceback, .. } => Some(traceback.as_str()),
            _ => None,
        }
        .filter(|text| !text.is_empty())
    }

    /// The message without traceback.
    pub fn message(&self) -> String {
        match self {
            Error::Syntax { message, .. } => message.clone(),
            Error::Runtime(error) => error.message.clone(),
            Error::Memory => "not enough memory".to_owned(),
            Error::Stopped(stop) => stop.message.clone(),
            Error::Callback { cause, .. } => cause.message(),
            Error::BadArgument { position, cause } => {
                format!("bad argument #{position} ({})", cause.message())
            }
            Error::BadResult { position, cause } => {
                format!("bad result #{position} ({})", cause.message())
            }
            Error::BadField { path, cause } => format!("field '{path}': {}", cause.message()),
            Error::FromLuaConversion { from, to, message } => match message {
                Some(message) => format!("{to} expected, got {from} ({message})"),
                None => format!("{to} expected, got {from}"),
            },
            Error::IntoLuaConversion { from, message } => {
                format!("{from} cannot become a Lua value ({message})")
            }
            Error::OtherState => "value of another Lua state".to_owned(),
            Error::UserDataBorrow => "userdata is in use".to_owned(),
            Error::UserDataTaken => "userdata has no value any more".to_owned(),
            Error::CoroutineClosed => "coroutine is being closed".to_owned(),
            Error::External(error) => error.to_string(),
        }
    }
}

impl fmt::Display for Error {
    /// The message, and in further lines the traceback.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        match self.traceback() {
            Some(traceback) => write!(f, "\n{traceback}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::External(error) => Some(&**error),
            Error::Callback { cause, .. }
            | Error::BadArgument { cause, .. }
            | Error::BadResult { cause, .. }
            | Error::BadField { cause, .. }
            | Error::Stopped(Stopped { reason: StopReason::Refused(cause), .. }) => Some(&**cause),
            _ => None,
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::external(error)
    }
}

impl From<std::fmt::Error> for Error {
    fn from(error: std::fmt::Error) -> Error {
        Error::external(error)
    }
}

impl From<std::str::Utf8Error> for Error {
    fn from(error: std::str::Utf8Error) -> Error {
        Error::external(error)
    }
}

/// Turns any error into an [`Error`].
///
/// ```
/// use perilune::{ErrorExt, Result};
///
/// fn parse(text: &str) -> Result<i32> {
///     text.parse().into_lua_err()
/// }
/// assert!(parse("x").is_err());
/// ```
pub trait ErrorExt<T> {
    /// Wraps the error by [`Error::external`].
    ///
    /// # Errors
    /// When `self` is one.
    fn into_lua_err(self) -> Result<T>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> ErrorExt<T> for std::result::Result<T, E> {
    fn into_lua_err(self) -> Result<T> {
        self.map_err(Error::external)
    }
}

/// The message of an error value as `lua` prints it, and whether a traceback belongs to it.
fn describe(vm: &mut Vm, value: Raw) -> (Vec<u8>, bool) {
    if value.is_string() || value.is_number() {
        return match vm.text_of(value) {
            // Just made or part of `value`; nothing is collected before it is copied.
            Ok(s) => (vm.heap.str_bytes(s).to_vec(), true),
            Err(Throw) => (b"?".to_vec(), true),
        };
    }
    if !vm.metamethod(value, Metamethod::ToString).is_nil()
        && let Ok(text) = vm.protect(Raw::NIL, |vm| {
            let s = vm.to_display(value)?;
            Ok(vm.heap.str_bytes(s).to_vec())
        })
    {
        return (text, false);
    }
    (format!("(error object is a {} value)", value.ty().name()).into_bytes(), true)
}

/// The Rust error in a userdata made by [`Lua::throw`].
fn wrapped(value: Raw) -> Option<Arc<Error>> {
    let userdata: *mut Userdata = value.as_userdata()?;
    // SAFETY: a live userdata.
    let data = unsafe { (*userdata).data.as_ref() }?;
    data.downcast_ref::<HostBox>()?.get::<Arc<Error>>().cloned()
}

impl Lua {
    /// The error for a value that came out of a protected call.
    #[cold]
    pub(crate) fn error_from_raw(&self, vm: &mut Vm, value: Raw) -> Error {
        let Noted { message, traceback } = self.0.noted.take().unwrap_or_default();
        if let Some(cause) = wrapped(value) {
            return Error::Callback { traceback, cause };
        }
        let id = vm.heap.handles.root(value);
        let releases = Arc::clone(&self.0.foreign);
        let (message, traced) = match message {
            Some(message) => (message.into_bytes(), false),
            None => describe(vm, value),
        };
        if message == b"not enough memory" && traceback.is_empty() {
            vm.heap.handles.release(id);
            return Error::Memory;
        }
        Error::Runtime(RuntimeError {
            message: String::from_utf8_lossy(&message).into_owned(),
            traceback: if traced { traceback } else { String::new() },
            value: Some(Arc::new(ErrorValue { id, releases })),
        })
    }

    /// Throws a callback's error.
    #[cold]
    pub(crate) fn throw(&self, vm: &mut Vm, error: Error) -> Throw {
        match error {
            Error::Runtime(error) => match error.raw(self, vm) {
                Some(raw) => vm.throw(raw),
                None => vm.error(&error.message),
            },
            Error::Syntax { message, .. } => {
                let message = vm.string(message.as_bytes());
                vm.throw(message)
            }
            Error::Memory => perilune_runtime::heap::out_of_memory(vm),
            Error::CoroutineClosed if self.0.killed.get().0 == vm.current => {
                vm.thrown = KILL;
                Throw
            }
            Error::BadArgument { position, cause } if cause.is_conversion() => {
                vm.argument_error(position, cause.message().as_bytes())
            }
            Error::Callback { cause, .. } => self.throw_wrapped(vm, cause),
            error @ (Error::BadArgument { .. }
            | Error::BadResult { .. }
            | Error::BadField { .. }
            | Error::FromLuaConversion { .. }
            | Error::IntoLuaConversion { .. }
            | Error::OtherState
            | Error::UserDataBorrow
            | Error::UserDataTaken
            | Error::CoroutineClosed
            | Error::Stopped(_)
            | Error::External(_)) => self.throw_wrapped(vm, Arc::new(error)),
        }
    }

    fn throw_wrapped(&self, vm: &mut Vm, cause: Arc<Error>) -> Throw {
        let meta = crate::userdata::error_metatable(self, vm);
        let data = HostBox::boxed(cause, &self.0.trash);
        let value = crate::userdata::new_raw(vm, meta, data);
        vm.throw(value)
    }
}

/// `tostring` of a wrapped error.
pub(crate) fn wrapped_message(
    vm: &mut Vm,
    args: perilune_runtime::vm::Args,
) -> std::result::Result<u32, Throw> {
    let text = match wrapped(args.get(1)) {
        Some(error) => error.message(),
        None => "error".to_owned(),
    };
    let text = vm.string(text.as_bytes());
    args.ret1(text)
}
