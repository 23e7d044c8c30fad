//! Prototypes and closures: making them from compiled functions.
//!
//! A prototype tree is built whole when a chunk is loaded. All of it is live while any of it is:
//! an inner prototype is kept by the outer one, and by its closures.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;

use perilune_ir::bytecode::{Constant, Function};

use crate::object::{
    CodeHead, Feedback, Kind, LuaClosure, LuaString, NativeFn, NativeFunction, Proto, Shape,
    Upvalue,
};
use crate::shape;
use crate::value::Value;
use crate::vm::Vm;

/// Parameters whose types are observed.
const OBSERVED_PARAMETERS: usize = 16;

impl Vm {
    /// Builds the prototype of `function` and of everything nested in it.
    pub fn new_proto(&mut self, function: &Arc<Function>) -> *mut Proto {
        let variables = function.upvalues.iter().map(|_| self.detail.variables.add()).collect();
        self.build_proto(function, variables, &mut HashMap::new())
    }

    /// As [`Vm::new_proto`]; `variables` are those behind its upvalues. Equal long strings of a chunk become one
    /// object, by `long`.
    fn build_proto<'f>(
        &mut self,
        function: &'f Arc<Function>,
        variables: Box<[u32]>,
        long: &mut HashMap<&'f [u8], Value>,
    ) -> *mut Proto {
        let mut captured: Vec<(u8, u32)> = Vec::new();
        let mut protos = Vec::with_capacity(function.functions.len());
        for inner in &function.functions {
            let mut inner_variables = Vec::with_capacity(inner.upvalues.len());
            for upvalue in &inner.upvalues {
                inner_variables.push(if !upvalue.in_stack {
                    variables[usize::from(upvalue.index)]
                } else if let Some(known) = captured.iter().find(|c| c.0 == upvalue.index) {
                    known.1
                } else {
                    let variable = self.detail.variables.add();
                    captured.push((upvalue.index, variable));
                    variable
                });
            }
            protos.push(self.build_proto(inner, inner_variables.into(), long));
        }
        let protos: Box<[*mut Proto]> = protos.into();
        let constants: Box<[Value]> = function
            .constants
            .iter()
            .map(|constant| match constant {
                Constant::Nil => Value::NIL,
                Constant::Bool(b) => Value::bool(*b),
                Constant::Int(i) => self.int(*i),
                Constant::Float(x) => Value::float(*x),
                Constant::Str(s) if s.len() <= LuaString::MAX_SHORT => {
                    if matches!(&s[..], b"getlocal" | b"setlocal" | b"sethook") {
                        self.heap.locals_observed.set(true);
                    }
                    self.string(s)
                }
                Constant::Str(s) => *long.entry(s).or_insert_with(|| self.string(s)),
            })
            .collect();
        let templates: Box<[*mut Shape]> = function
            .templates
            .iter()
            .map(|keys| {
                let keys: Vec<*mut LuaString> =
                    keys.iter().map(|&k| constants[k as usize].ptr()).collect();
                shape::for_keys(&mut self.heap, &keys)
            })
            .collect();
        let feedback: Box<[Feedback]> =
            (0..function.feedback_count).map(|_| Feedback::new()).collect();
        let observed = usize::from(function.num_params).min(OBSERVED_PARAMETERS);
        let header = self.heap.header(Kind::Proto);
        let proto = self.heap.alloc_with(
            Kind::Proto,
            0,
            Proto {
                head: CodeHead { header, jit_entry: Cell::new(self.interpreter_entry) },
                code: function.code.as_ptr(),
                constants,
                feedback,
                metamethods: RefCell::default(),
                arg_types: vec![Cell::new(0); observed].into_boxed_slice(),
                hotness: Cell::new(self.detail.hot_threshold),
                num_params: function.num_params,
                is_vararg: function.is_vararg,
                max_stack: function.max_stack,
                tier_flags: Cell::new(0),
                tier_id: Cell::new(u32::MAX),
                function: Arc::clone(function),
                protos,
                templates,
                upvalue_variables: variables,
                captured: captured.into(),
            },
        );
        // SAFETY: just made.
        let outside = unsafe { crate::heap::sweep::proto_bytes(proto) };
        // What the frontend made of a source is charged there.
        self.heap.admit_small(outside);
        self.heap.account(outside as isize);
        proto
    }

    /// A closure of `proto` with its upvalues still null; the caller fills them before the next
    /// safepoint.
    #[inline]
    pub fn new_closure(&mut self, proto: *mut Proto, upvalues: usize) -> *mut LuaClosure {
        let size = size_of::<LuaClosure>() + upvalues * size_of::<*mut Upvalue>();
        let closure: *mut LuaClosure = self.heap.alloc(Kind::LuaClosure, size);
        // SAFETY: a fresh cell of that size.
        unsafe {
            (*closure).header.extra = upvalues as u32;
            (*closure).proto = proto;
            let cells = (&raw mut (*closure).upvalues).cast::<*mut Upvalue>();
            for i in 0..upvalues {
                cells.add(i).write(ptr::null_mut());
            }
        }
        closure
    }

    /// A closed upvalue holding `v`.
    pub fn new_upvalue(&mut self, v: Value) -> *mut Upvalue {
        let up: *mut Upvalue = self.heap.alloc(Kind::Upvalue, size_of::<Upvalue>());
        // SAFETY: a fresh cell of that size.
        unsafe {
            (*up).closed = v;
            (*up).location = &raw mut (*up).closed;
            (*up).next_open = ptr::null_mut();
        }
        up
    }

    /// The closure of a loaded chunk: its first upvalue is `env`, further ones are nil.
    pub fn new_main_closure(&mut self, function: &Arc<Function>, env: Value) -> *mut LuaClosure {
        let proto = self.new_proto(function);
        let count = function.upvalues.len();
        let closure = self.new_closure(proto, count);
        for i in 0..count {
            let up = self.new_upvalue(if i == 0 { env } else { Value::NIL });
            // SAFETY: the closure has `count` upvalue cells, and is new: no barrier.
            unsafe { (&raw mut (*closure).upvalues).cast::<*mut Upvalue>().add(i).write(up) };
        }
        closure
    }

    /// A native function object.
    pub fn new_native(
        &mut self,
        function: NativeFn,
        intrinsic: u32,
        upvalues: &[Value],
    ) -> *mut NativeFunction {
        let mut header = self.heap.header(Kind::NativeFunction);
        header.extra = upvalues.len() as u32;
        let native = NativeFunction {
            header,
            code: &raw const self.native_code,
            function,
            intrinsic,
            outside: 0,
            host: None,
            upvalues: [],
        };
        let tail = size_of_val(upvalues);
        let f = self.heap.alloc_with(Kind::NativeFunction, tail, native);
        // SAFETY: `tail` bytes follow the struct.
        unsafe {
            let cells = (&raw mut (*f).upvalues).cast::<Value>();
            ptr::copy_nonoverlapping(upvalues.as_ptr(), cells, upvalues.len());
        }
        f
    }
}

/// Upvalue `i` of a closure.
///
/// # Safety
/// `closure` must be live with more than `i` upvalues.
#[inline(always)]
pub unsafe fn upvalue(closure: *mut LuaClosure, i: usize) -> *mut Upvalue {
    // SAFETY: the caller's contract.
    unsafe { *(&raw const (*closure).upvalues).cast::<*mut Upvalue>().add(i) }
}
