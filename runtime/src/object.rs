//! Heap object layouts: what the interpreter, the collector and compiled code agree on.
//!
//! Every object starts with an 8-byte [`Header`]. All structs are `repr(C)`; compiled code takes
//! field offsets from `core::mem::offset_of!` only. Objects never move.
//!
//! Pointers between objects are raw. They are valid because collection happens only at safepoints
//! (`Vm::safepoint`), where everything reachable from the roots is kept.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// What a heap object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A free cell of a block.
    Free,
    /// [`LuaString`]
    String,
    /// [`Table`]
    Table,
    /// [`LuaClosure`]
    LuaClosure,
    /// [`NativeFunction`]
    NativeFunction,
    /// [`Upvalue`]
    Upvalue,
    /// [`Proto`]
    Proto,
    /// [`Shape`]
    Shape,
    /// [`Userdata`]
    Userdata,
    /// [`Thread`]
    Thread,
    /// [`WideInt`]
    WideInt,
}

/// The first 8 bytes of every heap object.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub struct Header {
    /// What the object is.
    pub kind: Kind,
    /// Collector colour; see `heap`.
    pub color: u8,
    /// Bits by kind. Table: [`table_flags`]. String: bit 0 interned.
    pub flags: u8,
    /// By kind. Table: the element kind ([`element_kind`]).
    pub aux: u8,
    /// By kind. Closure, native function: number of upvalues. Cells in blocks leave it alone otherwise.
    pub extra: u32,
}

/// A string.
///
/// Strings of at most [`LuaString::MAX_SHORT`] bytes are interned: equal bytes, equal address.
/// A longer one is flat (`data` points to its bytes: inline, or a buffer it owns) or a rope
/// (`data` is null), which `Heap::flatten` turns into a flat one in place.
#[repr(C)]
pub struct LuaString {
    /// Header; `flags`: the constants below.
    pub header: Header,
    /// Length in bytes.
    pub len: usize,
    /// The bytes, or null for a rope.
    pub data: *const u8,
    /// Hash of the bytes, when `flags` says so.
    pub hash: u32,
    /// Depth of the rope, else 0.
    pub depth: u32,
    /// Start of the inline bytes; for a rope the two halves (`[*mut LuaString; 2]`).
    pub tail: [u64; 0],
}

impl LuaString {
    /// Longest interned string.
    pub const MAX_SHORT: usize = 40;
    /// `Header::flags`: interned.
    pub const INTERNED: u8 = 1;
    /// `Header::flags`: `hash` is valid.
    pub const HASHED: u8 = 2;
    /// `Header::flags`: `data` is an allocation owned by this string (its capacity in the tail).
    pub const OUTSIDE: u8 = 4;
    /// `Header::flags`: `data` is a prefix of a buffer shared with other strings (in the tail).
    pub const SHARED: u8 = 8;
    /// `Header::flags`: a flat result of a concatenation.
    pub const CONCAT: u8 = 16;
}

/// An integer that does not fit 48 bits. Immutable.
#[repr(C)]
pub struct WideInt {
    /// Header.
    pub header: Header,
    /// The integer.
    pub value: i64,
}

/// Bits of a table's `Header::flags`.
pub mod table_flags {
    /// The table is some table's metatable: writes of new keys or to metamethod keys must clear its
    /// shapes' `absent` caches (by `Heap::method_epoch`).
    pub const IS_METATABLE: u8 = 1;
    /// Has a `__gc` finalizer registered.
    pub const FINALIZER: u8 = 2;
    /// Weak keys (`__mode` contains `k`), set when the metatable is installed.
    pub const WEAK_KEYS: u8 = 4;
    /// Weak values.
    pub const WEAK_VALUES: u8 = 8;
    /// A compiled function or inline cache relies on the contents (method lookups through
    /// `__index` chains): writes to string keys of this table bump `Heap::method_epoch`.
    pub const CACHED_METHODS: u8 = 16;
    /// Writes of string keys to such tables may invalidate caches.
    pub const WATCHED: u8 = IS_METATABLE | CACHED_METHODS;
}

/// Element kinds of array parts: a bit set of what non-hole elements may be. Metadata only: a
/// slot's bits never depend on it. Bits are only ever added while the array has elements.
pub mod element_kind {
    /// No element yet.
    pub const EMPTY: u8 = 0;
    /// Inline integers.
    pub const INT: u8 = 1;
    /// Floats.
    pub const FLOAT: u8 = 2;
    /// Anything else that is not nil.
    pub const OTHER: u8 = 4;
    /// There may be nils below `arr_len`.
    pub const HOLES: u8 = 8;
}

/// A table.
///
/// * Record slots: string keys of `shape`, values in `slots`. A nil slot is an absent key.
/// * Array: keys `1 ..= arr_len` at `arr[0 .. arr_len]`. Invariant: `arr_len == 0` or the last
///   element is not nil, and the hash part does not hold the key `arr_len + 1`; so `#t` is `arr_len`.
///   Slots from `arr_len` to `arr_cap` are nil.
/// * Hash: everything else, in insertion order; null when never used.
///
/// A constructor may place the first slots and elements behind the struct ("inline"); `slots` and
/// `arr` then point there and are not freed.
#[repr(C)]
pub struct Table {
    /// Header; `flags`: [`table_flags`], `aux`: [`element_kind`].
    pub header: Header,
    /// The layout and metatable; never null.
    pub shape: *mut Shape,
    /// Record slots, `slot_cap` of them; the first `shape.len` are in use.
    pub slots: *mut Value,
    /// Array elements.
    pub arr: *mut Value,
    /// Number of elements.
    pub arr_len: u32,
    /// Capacity of `arr`.
    pub arr_cap: u32,
    /// The hash part or null.
    pub hash: *mut HashPart,
    /// Capacity of `slots`.
    pub slot_cap: u32,
    /// Values stored inline behind this struct (slots first, then elements).
    pub inline_values: u32,
    /// Start of the inline values.
    pub inline: [Value; 0],
}

pub use crate::table::hash::HashPart;

/// A hidden class: which string key is in which slot, and the metatable.
///
/// Shapes form trees by transitions: `add key`, and `set metatable`. Children are weak.
#[repr(C)]
pub struct Shape {
    /// Header; `flags` bit 0: dictionary (no transitions: string keys beyond `keys` live in the hash
    /// part; there is one dictionary shape without keys per metatable).
    pub header: Header,
    /// The metatable or null.
    pub meta: *mut Table,
    /// Number of slots.
    pub len: u32,
    /// Metamethods known to be absent from `meta`: bit `1 << Metamethod as u32`; 0 = unknown.
    /// Only meaningful while `absent_epoch` equals the method epoch.
    pub absent: Cell<u32>,
    /// The shape this one extends by its last key, or null.
    pub parent: *mut Shape,
    /// The last key, or null for a root.
    pub key: *mut LuaString,
    /// `Heap::method_epoch` at which `absent` was true: at any other epoch it means nothing.
    pub absent_epoch: Cell<u32>,
    /// Shift of the key index; see `crate::shape`.
    pub index_shift: u32,
    /// What the index hashes with.
    pub multiplier: crate::hash::Multiplier,
    /// The keys in slot order, `len` of them (owned by `detail`, shared with other shapes).
    pub keys: *const Cell<*mut LuaString>,
    /// Index from key to slot; null for few keys.
    pub index: *const Cell<u32>,
    /// The metatable that tables of this shape, which has none, got last, or null.
    pub last_meta: Cell<*mut Table>,
    /// The shape that they got with it.
    pub last_child: Cell<*mut Shape>,
    /// Ownership of the keys, and transitions; not read by compiled code.
    pub detail: Box<ShapeDetail>,
}

pub use crate::shape::ShapeDetail;

impl Shape {
    /// `Header::flags`: dictionary.
    pub const DICTIONARY: u8 = 1;
}

/// An upvalue: open while it points into a VM stack, closed when it points to its own `closed`.
#[repr(C)]
pub struct Upvalue {
    /// Header.
    pub header: Header,
    /// Where the value is.
    pub location: *mut Value,
    /// The value once closed.
    pub closed: Value,
    /// Next open upvalue of the same thread, by falling stack address.
    pub next_open: *mut Upvalue,
}

/// What Lua closures and native functions have in common.
#[repr(C)]
pub struct Function {
    /// Header; `extra`: number of upvalues.
    pub header: Header,
    /// How to call it natively.
    pub code: *const CodeHead,
}

/// The head of everything callable from compiled code: [`Proto`] starts with it, and native
/// functions share one (`Vm::native_code`).
#[repr(C)]
pub struct CodeHead {
    /// Header (of the prototype; unused in the shared native one).
    pub header: Header,
    /// Generic entry in Cranelift's `tail` convention:
    /// `(vm, base, nargs) -> (count, first)`; see ARCHITECTURE.md, "Calls". Always callable once a
    /// tier is installed; null without one.
    pub jit_entry: Cell<*const u8>,
}

/// A Lua function with its upvalues.
#[repr(C)]
pub struct LuaClosure {
    /// Header; `extra`: number of upvalues.
    pub header: Header,
    /// The prototype, at the offset of [`Function::code`].
    pub proto: *mut Proto,
    /// `header.extra` upvalues.
    pub upvalues: [*mut Upvalue; 0],
}

/// The Rust side of a native function. Arguments are in `args`; results are stored by the `ret*`
/// functions of [`Args`], and their count returned.
pub type NativeFn = fn(&mut Vm, Args) -> Result<u32, Throw>;

/// A function written in Rust.
#[repr(C)]
pub struct NativeFunction {
    /// Header; `extra`: number of upvalues.
    pub header: Header,
    /// Points to `Vm::native_code`, the shared stub that calls `function`.
    pub code: *const CodeHead,
    /// The function.
    pub function: NativeFn,
    /// Which library function this is, for intrinsics in interpreter and compiler; 0 for others. From
    /// [`SWITCHES`](crate::stdlib::coroutine::SWITCHES) on: it switches coroutines.
    pub intrinsic: u32,
    /// Bytes that `host` is accounted for.
    pub outside: u32,
    /// A host callback (`create_function`); dropped with the object.
    pub host: Option<Box<dyn std::any::Any>>,
    /// `header.extra` upvalues.
    pub upvalues: [Value; 0],
}

/// Full userdata.
#[repr(C)]
pub struct Userdata {
    /// Header; `flags` as for tables (FINALIZER).
    pub header: Header,
    /// The metatable or null.
    pub meta: *mut Table,
    /// The host's value.
    pub data: Option<Box<dyn std::any::Any>>,
    /// User values.
    pub user_values: Box<[Value]>,
}

/// A function prototype: the mutable side of a compiled function within one state.
#[repr(C)]
pub struct Proto {
    /// Header and generic native entry; must come first (`Function::code` points here).
    pub head: CodeHead,
    /// Bytecode words (owned by `function`).
    pub code: *const u32,
    /// Constants as values, same indices as `function.constants`.
    pub constants: Box<[Value]>,
    /// Inline caches and type feedback, `function.feedback_count` cells.
    pub feedback: Box<[Feedback]>,
    /// Operators that called metamethods, by word index: for each shape of the operand that had it
    /// (its number in `slot`), the handler (in `holder`).
    pub metamethods: RefCell<Vec<(u32, Feedback)>>,
    /// Observed argument types: [`Types`] of the first parameters.
    pub arg_types: Box<[Cell<u16>]>,
    /// Counts down to compilation; reset by the tier.
    pub hotness: Cell<i32>,
    /// Parameters.
    pub num_params: u8,
    /// `...`
    pub is_vararg: bool,
    /// Registers.
    pub max_stack: u8,
    /// Bits for the tier: 1 = compiled, 2 = do not compile (hopeless or disabled).
    pub tier_flags: Cell<u8>,
    /// Index into the tier's own table of units; `u32::MAX` when it has none.
    pub tier_id: Cell<u32>,
    /// Bytecode and names.
    pub function: Arc<perilune_ir::bytecode::Function>,
    /// Prototypes of nested functions.
    pub protos: Box<[*mut Proto]>,
    /// Template shape of each table constructor (rooted here).
    pub templates: Box<[*mut Shape]>,
    /// The variable behind each upvalue; see [`crate::variables`].
    pub upvalue_variables: Box<[u32]>,
    /// Registers that closures made here capture, and the variable of each.
    pub captured: Box<[(u8, u32)]>,
}

/// A set of observed types, as bits of a `u16`.
pub struct Types;

impl Types {
    /// nil
    pub const NIL: u16 = 1;
    /// false
    pub const FALSE: u16 = 2;
    /// true
    pub const TRUE: u16 = 4;
    /// integer, inline
    pub const INT: u16 = 8;
    /// float
    pub const FLOAT: u16 = 16;
    /// string
    pub const STRING: u16 = 32;
    /// table
    pub const TABLE: u16 = 64;
    /// Lua or native function
    pub const FUNCTION: u16 = 128;
    /// wide integer, userdata, thread
    pub const OTHER: u16 = 256;
    /// light userdata
    pub const LIGHT: u16 = 512;

    /// The bit of `v`'s type.
    #[inline(always)]
    pub fn of(v: Value) -> u16 {
        const BY_TAG: [u16; 8] = [
            Types::FLOAT,
            Types::NIL,
            Types::INT,
            Types::STRING,
            Types::TABLE,
            Types::FUNCTION,
            Types::OTHER,
            Types::LIGHT,
        ];
        let tag = v.tag();
        if tag == crate::value::TAG_IMMEDIATE {
            return 1 << [0, 0, 1, 2][(v.payload() & 3) as usize];
        }
        BY_TAG[(tag.max(0xFFF8) - 0xFFF8) as usize]
    }
}

/// How a cached field access is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CacheKind {
    /// Nothing cached yet.
    Empty,
    /// Get/set: the key is in the receiver's slot `slot` (receiver has shape `shape`). A get that
    /// finds nil there, and a set that finds or stores nil, must take the slow path. Never cached for
    /// sets of keys that start with `__`.
    Own,
    /// Get: the receiver (shape `shape`) lacks the key, the value is in `holder.slots[slot]`;
    /// valid while `Heap::method_epoch` equals `epoch`.
    Holder,
    /// Set: the key is new: the receiver goes from `shape` to `next_shape`, slot `slot`. The receiver
    /// must not be flagged `CACHED_METHODS`; valid while `Heap::method_epoch` equals `epoch`.
    Add,
    /// Get: neither the receiver (shape `shape`) nor its `__index` chain has the key: the result is
    /// nil; valid while `Heap::method_epoch` equals `epoch`.
    Absent,
    /// Too many shapes were seen here.
    Megamorphic,
}

/// One inline cache with type feedback. What it holds depends on the instruction.
///
/// Field access uses all; table access by computed key `types` and `kinds`; calls `callee`.
#[repr(C)]
pub struct Feedback {
    /// The receiver's shape, unrooted: cleared when the collector frees the shape.
    pub shape: Cell<*mut Shape>,
    /// See [`CacheKind::Holder`]. Calls: the callee seen (`*mut Function`), null = none yet.
    pub holder: Cell<*mut Table>,
    /// See [`CacheKind::Add`].
    pub next_shape: Cell<*mut Shape>,
    /// Slot number.
    pub slot: Cell<u32>,
    /// `Heap::method_epoch` at the time of caching.
    pub epoch: Cell<u32>,
    /// [`Types`] of the results seen (gets, calls, upvalues) or values stored (sets).
    pub types: Cell<u16>,
    /// How the access is resolved.
    pub cache: Cell<CacheKind>,
    /// GETTABLE/SETTABLE: bit set of what was seen: 1 array hit, 2 string key, 4 other key, 8 out of
    /// bounds / append, 16 not a table. CALL: 1 = several closures of a prototype,
    /// 4 = more than three functions, or none. Up to three callees are in `holder`, `shape` and `next_shape`.
    pub sites: Cell<u8>,
    /// Number of times the cache was replaced.
    pub misses: Cell<u8>,
    /// Further shapes seen (field access), at most 7 more; null when monomorphic.
    pub more: Cell<*mut [FieldEntry; 7]>,
}

/// A further entry of a polymorphic field cache; same meaning as the fields of [`Feedback`].
#[derive(Clone, Copy)]
#[repr(C)]
pub struct FieldEntry {
    /// The receiver's shape or null.
    pub shape: *mut Shape,
    /// See [`CacheKind::Holder`].
    pub holder: *mut Table,
    /// See [`CacheKind::Add`].
    pub next_shape: *mut Shape,
    /// Slot number.
    pub slot: u32,
    /// `Heap::method_epoch` at the time of caching.
    pub epoch: u32,
    /// How the access is resolved.
    pub cache: CacheKind,
}

/// A coroutine: its VM stack, native stack and state. Owned by `coroutine.rs`.
#[repr(C)]
pub struct Thread {
    /// Header.
    pub header: Header,
    /// Everything else.
    pub detail: Box<crate::thread::ThreadDetail>,
}
