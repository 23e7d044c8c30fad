//! Lua values as the host sees them.

use std::fmt;

use perilune_runtime::meta::Metamethod;
use perilune_runtime::object::Kind;
use perilune_runtime::value::{Type, Value as Raw};
use perilune_runtime::vm::Vm;

use crate::error::{Error, Result};
use crate::function::Function;
use crate::lua::Lua;
use crate::state::Handle;
use crate::string::LuaString;
use crate::table::Table;
use crate::thread::Thread;
use crate::userdata::AnyUserData;

/// Any Lua value. Those that live on Lua's heap are handles: they keep it alive.
///
/// # Examples
///
/// ```
/// use perilune::{Lua, Value};
///
/// let lua = Lua::new();
/// let value: Value = lua.load("1 << 62").eval().unwrap();
/// assert_eq!(value, Value::Integer(1 << 62));
/// assert_eq!(value.type_name(), "integer");
/// ```
#[derive(Clone, Default)]
pub enum Value {
    /// `nil`
    #[default]
    Nil,
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A float.
    Number(f64),
    /// A string.
    String(LuaString),
    /// A table.
    Table(Table),
    /// A function of Lua's or the host's.
    Function(Function),
    /// A coroutine.
    Thread(Thread),
    /// A host value.
    UserData(AnyUserData),
    /// An address without meaning to Lua.
    LightUserData(LightUserData),
}

/// An address (48 bits of it) that Lua code can pass around and compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LightUserData(pub usize);

impl Value {
    /// The type's name; `integer` and `number` (for floats) are told apart.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Boolean(_) => "boolean",
            Value::Integer(_) => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Table(_) => "table",
            Value::Function(_) => "function",
            Value::Thread(_) => "thread",
            Value::UserData(_) => "userdata",
            Value::LightUserData(_) => "light userdata",
        }
    }

    /// The type's name as Lua's `type` answers it.
    pub(crate) fn lua_type(&self) -> &'static str {
        match self {
            Value::Integer(_) | Value::Number(_) => "number",
            Value::LightUserData(_) => "userdata",
            _ => self.type_name(),
        }
    }

    /// True for `nil`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// The boolean.
    pub fn as_boolean(&self) -> Option<bool> {
        if let Value::Boolean(b) = self { Some(*b) } else { None }
    }

    /// The integer, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        if let Value::Integer(i) = self { Some(*i) } else { None }
    }

    /// The number as a float; integers are converted.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Integer(i) => Some(*i as f64),
            Value::Number(x) => Some(*x),
            _ => None,
        }
    }

    /// The string.
    pub fn as_string(&self) -> Option<&LuaString> {
        if let Value::String(s) = self { Some(s) } else { None }
    }

    /// The table.
    pub fn as_table(&self) -> Option<&Table> {
        if let Value::Table(t) = self { Some(t) } else { None }
    }

    /// The function.
    pub fn as_function(&self) -> Option<&Function> {
        if let Value::Function(f) = self { Some(f) } else { None }
    }

    /// The coroutine.
    pub fn as_thread(&self) -> Option<&Thread> {
        if let Value::Thread(t) = self { Some(t) } else { None }
    }

    /// The userdata.
    pub fn as_userdata(&self) -> Option<&AnyUserData> {
        if let Value::UserData(u) = self { Some(u) } else { None }
    }

    /// The value as text, as Lua's `tostring` makes it: runs `__tostring`.
    ///
    /// # Errors
    /// What `__tostring` throws.
    pub fn to_display_string(&self, lua: &Lua) -> Result<String> {
        lua.check(self)?;
        lua.run(|vm| {
            let raw = lua.push_in(vm, self);
            let s = vm.to_display(raw)?;
            // Just made or part of the value; nothing is collected before it is copied.
            Ok(String::from_utf8_lossy(vm.heap.str_bytes(s)).into_owned())
        })
    }

    /// The text of a string or number, whatever the metatables of these say.
    pub(crate) fn plain_text(&self, lua: &Lua) -> Result<String> {
        lua.check(self)?;
        lua.run(|vm| {
            let raw = lua.push_in(vm, self);
            let s = vm.text_of(raw)?;
            // Just made or part of the value; nothing is collected before it is copied.
            Ok(String::from_utf8_lossy(vm.heap.str_bytes(s)).into_owned())
        })
    }

    /// What the value's `__tostring` metamethod answers, if there is one and it is a string.
    ///
    /// # Errors
    /// What `__tostring` throws.
    pub fn metamethod_text(&self, lua: &Lua) -> Result<Option<LuaString>> {
        lua.check(self)?;
        let value = lua.run(|vm| {
            let raw = lua.push_in(vm, self);
            let handler = vm.metamethod(raw, Metamethod::ToString);
            if handler.is_nil() {
                return Ok(Value::Nil);
            }
            let result = vm.call1(handler, &[raw])?;
            Ok(lua.pull(vm, result))
        })?;
        Ok(if let Value::String(text) = value { Some(text) } else { None })
    }

    /// The handle of a heap value.
    #[inline]
    fn handle(&self) -> Option<&Handle> {
        match self {
            Value::String(s) => Some(&s.0),
            Value::Table(t) => Some(&t.0),
            Value::Function(f) => Some(&f.0),
            Value::Thread(t) => Some(&t.0),
            Value::UserData(u) => Some(&u.0),
            Value::Nil
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::Number(_)
            | Value::LightUserData(_) => None,
        }
    }
}

impl PartialEq for Value {
    /// Equality without metamethods, as Lua's `rawequal`.
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Integer(a), Value::Integer(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Integer(i), Value::Number(x)) | (Value::Number(x), Value::Integer(i)) => {
                perilune_runtime::table::float_to_int(*x) == Some(*i)
            }
            (Value::String(a), Value::String(b)) => a == b,
            (Value::LightUserData(a), Value::LightUserData(b)) => a == b,
            (Value::Table(a), Value::Table(b)) => a == b,
            (Value::Function(a), Value::Function(b)) => a == b,
            (Value::Thread(a), Value::Thread(b)) => a == b,
            (Value::UserData(a), Value::UserData(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("Nil"),
            Value::Boolean(b) => write!(f, "Boolean({b})"),
            Value::Integer(i) => write!(f, "Integer({i})"),
            Value::Number(x) => write!(f, "Number({x:?})"),
            Value::String(s) => write!(f, "String({s:?})"),
            Value::Table(t) => t.fmt(f),
            Value::Function(x) => x.fmt(f),
            Value::Thread(t) => t.fmt(f),
            Value::UserData(u) => u.fmt(f),
            Value::LightUserData(p) => write!(f, "LightUserData({:#x})", p.0),
        }
    }
}

/// What handle types have in common: identity, `Debug`.
macro_rules! handle_type {
    ($name:ident) => {
        impl $name {
            /// The address: equal for handles of one value, and for no others while both live.
            pub fn to_pointer(&self) -> *const std::ffi::c_void {
                (self.0.bits() & perilune_runtime::value::PAYLOAD) as *const _
            }
        }

        impl PartialEq for $name {
            /// Whether both are handles of the same value.
            fn eq(&self, other: &$name) -> bool {
                self.0.bits() == other.0.bits()
            }
        }

        impl Eq for $name {}

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.0.bits().hash(state);
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({:p})"), self.to_pointer())
            }
        }
    };
}
pub(crate) use handle_type;

impl Lua {
    /// The host's view of a value, which is rooted if it lives on the heap.
    pub(crate) fn pull(&self, vm: &mut Vm, raw: Raw) -> Value {
        match raw.ty() {
            Type::Nil => Value::Nil,
            Type::Boolean => Value::Boolean(raw == Raw::TRUE),
            Type::Integer => Value::Integer(raw.as_int().unwrap_or_default()),
            Type::Float => Value::Number(raw.as_float().unwrap_or_default()),
            Type::LightUserdata => Value::LightUserData(LightUserData(raw.payload() as usize)),
            Type::String => Value::String(LuaString(self.handle(vm, raw))),
            Type::Table => Value::Table(Table(self.handle(vm, raw))),
            Type::Function => Value::Function(Function(self.handle(vm, raw))),
            Type::Thread => Value::Thread(Thread(self.handle(vm, raw))),
            Type::Userdata => {
                debug_assert!(raw.kind() == Kind::Userdata);
                Value::UserData(AnyUserData(self.handle(vm, raw)))
            }
        }
    }

    /// Fails where the value is of another state.
    #[inline]
    pub(crate) fn check(&self, value: &Value) -> Result<()> {
        match value.handle() {
            Some(handle) if !handle.lua.same_state(self) => Err(Error::OtherState),
            _ => Ok(()),
        }
    }

    /// [`Lua::check`] of a list.
    #[inline]
    pub(crate) fn check_all(&self, values: &[Value]) -> Result<()> {
        values.iter().try_for_each(|value| self.check(value))
    }

    /// The engine's view of a value that was checked. It is rooted by `value`, or new (a wide
    /// integer): so to be called where nothing is collected before it is used.
    pub(crate) fn push_in(&self, vm: &mut Vm, value: &Value) -> Raw {
        match value {
            Value::Nil => Raw::NIL,
            Value::Boolean(b) => Raw::bool(*b),
            Value::Integer(i) => vm.int(*i),
            Value::Number(x) => Raw::float(*x),
            Value::LightUserData(p) => Raw::light(p.0 as u64),
            Value::String(LuaString(handle))
            | Value::Table(Table(handle))
            | Value::Function(Function(handle))
            | Value::Thread(Thread(handle))
            | Value::UserData(AnyUserData(handle)) => handle.raw(vm),
        }
    }
}
