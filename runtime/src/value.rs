//! The 8-byte value.
//!
//! Doubles are stored as they are; every other type lives in the negative quiet-NaN space above
//! x86's default NaN. The top 16 bits are the tag (`perilune_ir::encoding` has the constants):
//!
//! ```text
//!   0x0000 … 0xFFF8   double (NaNs are 0x7FF8_0000_0000_0000 or 0xFFF8_0000_0000_0000 only)
//!   0xFFF9            immediate: payload 0 nil, 2 false, 3 true
//!   0xFFFA            integer, 48 bits, sign-extended payload
//!   0xFFFB            string
//!   0xFFFC            table
//!   0xFFFD            function (Lua closure or native function; see the object's kind)
//!   0xFFFE            other heap object: wide integer, userdata, thread
//!   0xFFFF            light userdata
//! ```
//!
//! Invariant: an integer that fits 48 bits is always inline, so two inline integers are equal
//! exactly when their bits are; wide integers are immutable heap cells that Lua cannot see.

use perilune_ir::encoding;
pub use perilune_ir::encoding::{
    MAX_DOUBLE, PAYLOAD, TAG_FUNCTION, TAG_IMMEDIATE, TAG_INT, TAG_LIGHT, TAG_OTHER, TAG_SHIFT,
    TAG_STRING, TAG_TABLE,
};

use crate::object::{
    Function, Header, Kind, LuaClosure, LuaString, NativeFunction, Table, Thread, Userdata, WideInt,
};

/// A Lua value. Heap values are unrooted: they stay valid until the next safepoint unless reachable.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Value(pub u64);

/// The basic types as a script sees them, with `Integer` and `Float` told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `nil`
    Nil,
    /// `boolean`
    Boolean,
    /// `userdata` without metatable
    LightUserdata,
    /// `number`, integer subtype
    Integer,
    /// `number`, float subtype
    Float,
    /// `string`
    String,
    /// `table`
    Table,
    /// `function`
    Function,
    /// `userdata`
    Userdata,
    /// `thread`
    Thread,
}

impl Type {
    /// What `type` answers.
    pub const NAMES: [&'static str; 8] =
        ["nil", "boolean", "userdata", "number", "string", "table", "function", "thread"];

    /// The number of its name in [`Type::NAMES`].
    pub const fn name_number(self) -> usize {
        match self {
            Type::Nil => 0,
            Type::Boolean => 1,
            Type::LightUserdata | Type::Userdata => 2,
            Type::Integer | Type::Float => 3,
            Type::String => 4,
            Type::Table => 5,
            Type::Function => 6,
            Type::Thread => 7,
        }
    }

    /// The name that `type` answers.
    pub fn name(self) -> &'static str {
        Type::NAMES[self.name_number()]
    }
}

impl Value {
    /// `nil`
    pub const NIL: Value = Value(TAG_IMMEDIATE << TAG_SHIFT);
    /// `false`
    pub const FALSE: Value = Value(TAG_IMMEDIATE << TAG_SHIFT | 2);
    /// `true`
    pub const TRUE: Value = Value(TAG_IMMEDIATE << TAG_SHIFT | 3);

    /// The tag: the top 16 bits. Below `TAG_IMMEDIATE` the value is a double.
    #[inline(always)]
    pub const fn tag(self) -> u64 {
        self.0 >> TAG_SHIFT
    }
    /// A boolean.
    #[inline(always)]
    pub const fn bool(b: bool) -> Value {
        Value(TAG_IMMEDIATE << TAG_SHIFT | 2 | b as u64)
    }
    /// A float; a NaN becomes the canonical one of its sign (see [`encoding::float`]).
    #[inline(always)]
    pub const fn float(x: f64) -> Value {
        Value(encoding::float(x))
    }
    /// The inline form of `i`, or `None` when it needs a heap cell (see `Vm::int`).
    #[inline(always)]
    pub const fn inline_int(i: i64) -> Option<Value> {
        if (i << 16) >> 16 == i { Some(Value::small_int(i)) } else { None }
    }
    /// An integer known to fit 48 bits.
    #[inline(always)]
    pub const fn small_int(i: i64) -> Value {
        debug_assert!((i << 16) >> 16 == i);
        Value(i as u64 & PAYLOAD | TAG_INT << TAG_SHIFT)
    }
    /// Light userdata; `p` must fit 48 bits.
    pub const fn light(p: u64) -> Value {
        Value(p & PAYLOAD | TAG_LIGHT << TAG_SHIFT)
    }
    /// The payload of a pointer-tagged or light value.
    #[inline(always)]
    pub const fn payload(self) -> u64 {
        self.0 & PAYLOAD
    }

    /// True for `nil`.
    #[inline(always)]
    pub const fn is_nil(self) -> bool {
        self.0 == Value::NIL.0
    }
    /// True for `nil` and `false`.
    #[inline(always)]
    pub const fn is_falsy(self) -> bool {
        self.0 == Value::NIL.0 || self.0 == Value::FALSE.0
    }
    /// True for everything but `nil` and `false`.
    #[inline(always)]
    pub const fn is_truthy(self) -> bool {
        !self.is_falsy()
    }
    /// True for booleans.
    pub const fn is_bool(self) -> bool {
        self.0 == Value::FALSE.0 || self.0 == Value::TRUE.0
    }
    /// True for floats.
    #[inline(always)]
    pub const fn is_float(self) -> bool {
        self.0 <= MAX_DOUBLE
    }
    /// True for inline integers only.
    #[inline(always)]
    pub const fn is_small_int(self) -> bool {
        self.tag() == TAG_INT
    }
    /// True for strings.
    #[inline(always)]
    pub const fn is_string(self) -> bool {
        self.tag() == TAG_STRING
    }
    /// True for tables.
    #[inline(always)]
    pub const fn is_table(self) -> bool {
        self.tag() == TAG_TABLE
    }
    /// True for functions of both kinds.
    #[inline(always)]
    pub const fn is_function(self) -> bool {
        self.tag() == TAG_FUNCTION
    }
    /// True when the payload points to a heap object.
    #[inline(always)]
    pub const fn is_heap(self) -> bool {
        self.tag() >= TAG_STRING && self.tag() <= TAG_OTHER
    }

    /// The float, without conversion.
    #[inline(always)]
    pub const fn as_float(self) -> Option<f64> {
        if self.is_float() { Some(f64::from_bits(self.0)) } else { None }
    }
    /// The payload of an inline integer, unchecked.
    #[inline(always)]
    pub const fn small_int_payload(self) -> i64 {
        (self.0 << 16) as i64 >> 16
    }
    /// The integer (inline or wide), without conversion.
    #[inline(always)]
    pub fn as_int(self) -> Option<i64> {
        if self.is_small_int() { Some(self.small_int_payload()) } else { self.as_wide_int() }
    }
    /// The integer of a wide cell.
    #[inline]
    pub fn as_wide_int(self) -> Option<i64> {
        if self.tag() == TAG_OTHER && self.kind() == Kind::WideInt {
            // SAFETY: the kind says so, and a reachable heap value is live.
            Some(unsafe { (*self.ptr::<WideInt>()).value })
        } else {
            None
        }
    }
    /// A number as float (integers are converted), strings not.
    #[inline(always)]
    pub fn to_float(self) -> Option<f64> {
        if self.is_float() { self.as_float() } else { self.as_int().map(|i| i as f64) }
    }
    /// True for integers and floats.
    #[inline(always)]
    pub fn is_number(self) -> bool {
        self.is_float() || self.is_small_int() || self.as_wide_int().is_some()
    }

    /// The heap address; meaningful when [`Value::is_heap`].
    #[inline(always)]
    pub const fn ptr<T>(self) -> *mut T {
        self.payload() as *mut T
    }
    /// The kind of the heap object; the value must satisfy [`Value::is_heap`].
    #[inline(always)]
    pub fn kind(self) -> Kind {
        debug_assert!(self.is_heap());
        // SAFETY: heap values point to a live object, whose header comes first.
        unsafe { (*self.ptr::<Header>()).kind }
    }
    /// The heap object's header, or null.
    #[inline(always)]
    pub fn header(self) -> *mut Header {
        if self.is_heap() { self.ptr() } else { std::ptr::null_mut() }
    }
    /// Makes a heap value.
    #[inline(always)]
    fn tagged<T>(tag: u64, p: *const T) -> Value {
        debug_assert!(p as u64 & !PAYLOAD == 0 && !p.is_null());
        Value(p as u64 | tag << TAG_SHIFT)
    }
    /// A string value.
    #[inline(always)]
    pub fn string(p: *const LuaString) -> Value {
        Value::tagged(TAG_STRING, p)
    }
    /// A table value.
    #[inline(always)]
    pub fn table(p: *const Table) -> Value {
        Value::tagged(TAG_TABLE, p)
    }
    /// A Lua function value.
    #[inline(always)]
    pub fn closure(p: *const LuaClosure) -> Value {
        Value::tagged(TAG_FUNCTION, p)
    }
    /// A native function value.
    #[inline(always)]
    pub fn native(p: *const NativeFunction) -> Value {
        Value::tagged(TAG_FUNCTION, p)
    }
    /// A userdata value.
    pub fn userdata(p: *const Userdata) -> Value {
        Value::tagged(TAG_OTHER, p)
    }
    /// A thread (coroutine) value.
    pub fn thread(p: *const Thread) -> Value {
        Value::tagged(TAG_OTHER, p)
    }
    /// A wide integer value.
    pub fn wide_int(p: *const WideInt) -> Value {
        Value::tagged(TAG_OTHER, p)
    }

    /// The string, if it is one.
    #[inline(always)]
    pub fn as_string(self) -> Option<*mut LuaString> {
        if self.is_string() { Some(self.ptr()) } else { None }
    }
    /// The table, if it is one.
    #[inline(always)]
    pub fn as_table(self) -> Option<*mut Table> {
        if self.is_table() { Some(self.ptr()) } else { None }
    }
    /// The function head, if it is a function of either kind.
    #[inline(always)]
    pub fn as_function(self) -> Option<*mut Function> {
        if self.is_function() { Some(self.ptr()) } else { None }
    }
    /// The Lua closure, if it is one.
    #[inline(always)]
    pub fn as_closure(self) -> Option<*mut LuaClosure> {
        if self.is_function() && self.kind() == Kind::LuaClosure { Some(self.ptr()) } else { None }
    }
    /// The native function, if it is one.
    #[inline(always)]
    pub fn as_native(self) -> Option<*mut NativeFunction> {
        if self.is_function() && self.kind() == Kind::NativeFunction {
            Some(self.ptr())
        } else {
            None
        }
    }
    /// The userdata, if it is one.
    pub fn as_userdata(self) -> Option<*mut Userdata> {
        if self.tag() == TAG_OTHER && self.kind() == Kind::Userdata {
            Some(self.ptr())
        } else {
            None
        }
    }
    /// The thread, if it is one.
    pub fn as_thread(self) -> Option<*mut Thread> {
        if self.tag() == TAG_OTHER && self.kind() == Kind::Thread { Some(self.ptr()) } else { None }
    }

    /// The type.
    pub fn ty(self) -> Type {
        match self.tag() {
            TAG_IMMEDIATE => {
                if self.is_nil() {
                    Type::Nil
                } else {
                    Type::Boolean
                }
            }
            TAG_INT => Type::Integer,
            TAG_STRING => Type::String,
            TAG_TABLE => Type::Table,
            TAG_FUNCTION => Type::Function,
            TAG_LIGHT => Type::LightUserdata,
            TAG_OTHER => match self.kind() {
                Kind::WideInt => Type::Integer,
                Kind::Thread => Type::Thread,
                Kind::Userdata
                | Kind::String
                | Kind::Table
                | Kind::LuaClosure
                | Kind::NativeFunction
                | Kind::Upvalue
                | Kind::Proto
                | Kind::Shape
                | Kind::Free => Type::Userdata,
            },
            _ => Type::Float,
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.ty() {
            Type::Nil => f.write_str("nil"),
            Type::Boolean => write!(f, "{}", *self == Value::TRUE),
            Type::Integer => write!(f, "{}", self.as_int().unwrap_or_default()),
            Type::Float => write!(f, "{:?}", f64::from_bits(self.0)),
            other => write!(f, "{}: {:#x}", other.name(), self.payload()),
        }
    }
}
