//! Throwing: error values, positions, and the messages of failing operations.
//!
//! [`Vm::throw`] is the one door: it runs the message handler in force at the point of the error, and
//! leaves the value in `Vm::thrown`. Operations of Lua code report with the position of the
//! instruction ([`Vm::runtime_error`]); library functions with that of their caller ([`Vm::error`]).

use crate::frame::Frame;
use crate::heap::ByteBuffer;
use crate::state::MAX_C_DEPTH_IN_ERROR;
use crate::table::KeyError;
use crate::value::Value;
use crate::varinfo;
use crate::vm::{Throw, Vm};

/// An operand of the current instruction, for naming it in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A register.
    Register(u8),
    /// A constant of the function.
    Constant(u32),
    /// An upvalue.
    Upvalue(u8),
    /// Nothing that has a name.
    None,
}

impl Vm {
    /// Throws `value` as it is; runs the message handler, if one is set.
    #[cold]
    #[inline(never)]
    pub fn throw(&mut self, value: Value) -> Throw {
        if let Err(throw) = self.check_stop() {
            return throw;
        }
        if self.heap.lacks_memory() {
            // What lacks may be the reason for this error.
            return crate::heap::out_of_memory(self);
        }
        self.thrown = value;
        self.detail.stack.thrown_at = Some((self.base, self.top, self.pc));
        let handler = self.detail.stack.handler;
        if !handler.is_nil() {
            if self.c_depth >= MAX_C_DEPTH_IN_ERROR {
                self.thrown = self.string(b"error in error handling");
                return Throw;
            }
            if let Ok(value) = self.call1(handler, &[value]) {
                self.thrown = value;
            }
        }
        Throw
    }

    /// Throws `message` with the position of the calling Lua function in front
    /// (`chunk:line: message`), as library functions do.
    #[cold]
    pub fn error(&mut self, message: &str) -> Throw {
        self.error_bytes(message.as_bytes())
    }

    /// As [`Vm::error`], for messages that need not be UTF-8.
    #[cold]
    pub fn error_bytes(&mut self, message: &[u8]) -> Throw {
        let position = self.position(1);
        self.throw_message(&position, message)
    }

    fn throw_message(&mut self, position: &[u8], message: &[u8]) -> Throw {
        let text = ByteBuffer::concat(self, &[position, message]);
        match text.and_then(|text| self.try_string(&text)) {
            Ok(value) => self.throw(value),
            Err(throw) => throw,
        }
    }

    /// Throws a failing operation's message: with position where the current frame is a Lua
    /// function's.
    #[cold]
    #[inline(never)]
    pub fn runtime_error(&mut self, message: &[u8]) -> Throw {
        let position = self.position(0);
        self.throw_message(&position, message)
    }

    /// Throws for a key that a table does not take.
    #[cold]
    pub fn key_error(&mut self, error: KeyError) -> Throw {
        match error {
            KeyError::Nil | KeyError::Nan | KeyError::Overflow => {
                self.runtime_error(error.message().as_bytes())
            }
            KeyError::Memory => crate::heap::out_of_memory(self),
        }
    }

    /// To be called after tables were given keys by functions that do not answer whether they took them.
    ///
    /// # Errors
    /// `table overflow`, `not enough memory`
    #[inline]
    pub fn settled(&mut self) -> Result<(), Throw> {
        self.heap.settled().map_err(|error| self.key_error(error))
    }

    /// `chunk:line: ` of the frame at `level` (0 the current one), empty where it is not Lua.
    pub fn position(&self, level: usize) -> Vec<u8> {
        match self.frames().nth(level) {
            // Library functions say nothing of a line that is not known.
            Some(frame) if level > 0 && frame.line().is_none() => Vec::new(),
            Some(frame) => position_of(&frame),
            None => Vec::new(),
        }
    }

    /// Throws `bad argument #n to 'function' (message)` for the running native function.
    #[cold]
    pub fn argument_error(&mut self, mut n: usize, message: &[u8]) -> Throw {
        let name = match self.frames().next() {
            Some(frame) => match self.call_site_name(&frame) {
                Some(("method", name)) => {
                    n -= 1;
                    if n == 0 {
                        let text = [b"calling '", &name[..], b"' on bad self (", message, b")"];
                        return self.error_bytes(&text.concat());
                    }
                    name
                }
                Some((_, name)) => name,
                None => self.global_name(frame.callee).unwrap_or_else(|| b"?".to_vec()),
            },
            None => b"?".to_vec(),
        };
        let head = format!("bad argument #{n} to '");
        let text = [head.as_bytes(), &name, b"' (", message, b")"].concat();
        self.error_bytes(&text)
    }

    /// ` (local 'x')` for an operand of the current Lua frame's instruction, or nothing.
    fn operand_info(&self, operand: Operand) -> Vec<u8> {
        match self.operand_name(operand) {
            Some((kind, name)) => [b" (", kind.as_bytes(), b" '", name.as_slice(), b"')"].concat(),
            None => Vec::new(),
        }
    }

    fn operand_name(&self, operand: Operand) -> Option<(&'static str, Vec<u8>)> {
        let frame = self.frames().next()?;
        let function = frame.function()?;
        match operand {
            Operand::Register(r) => varinfo::register_name(function, frame.pc, r),
            Operand::Upvalue(u) => {
                Some(("upvalue", function.upvalues.get(usize::from(u))?.name.to_vec()))
            }
            Operand::Constant(k) => varinfo::constant_name(function, k),
            Operand::None => None,
        }
    }

    /// The name of the current Lua frame's local variable in a register.
    pub fn local_name(&self, register: u8) -> Option<Vec<u8>> {
        let frame = self.frames().next()?;
        varinfo::local_at(frame.function()?, frame.pc, register)
    }

    /// `attempt to <what> a <type> value (variable)`
    #[cold]
    #[inline(never)]
    pub fn type_error(&mut self, v: Value, what: &str, operand: Operand) -> Throw {
        let name = self.type_name(v);
        let info = self.operand_info(operand);
        let text = [b"attempt to ", what.as_bytes(), b" a ", &name, b" value", &info].concat();
        self.runtime_error(&text)
    }

    /// [`Vm::type_error`] where the operand has no name.
    #[cold]
    pub fn operand_error(&mut self, v: Value, what: &str) -> Throw {
        let operand = self.find_operand(v);
        self.type_error(v, what, operand)
    }

    /// `attempt to index a … value`; `named`: the value is the instruction's own operand.
    #[cold]
    pub fn index_error(&mut self, v: Value, key: Value, named: bool) -> Throw {
        let _ = key;
        let operand = if named { self.find_operand(v) } else { Operand::None };
        self.type_error(v, "index", operand)
    }

    /// The operand of the current instruction that an operation failed on, where the frame is
    /// Lua's: see [`varinfo::failing_operand`].
    fn find_operand(&self, v: Value) -> Operand {
        let Some(frame) = self.frames().next() else { return Operand::None };
        let Some(function) = frame.function() else { return Operand::None };
        varinfo::failing_operand(function, frame.pc, |register| {
            // SAFETY: a register of the frame.
            unsafe { *frame.base.add(usize::from(register)) == v }
        })
    }

    /// The error of calling the value at `func`.
    #[cold]
    pub fn call_error(&mut self, func: *mut Value) -> Throw {
        // SAFETY: the caller's window.
        let v = unsafe { *func };
        let frame = self.frames().next();
        let (mut kind_name, mut text) = (None, Vec::new());
        if let Some(frame) = frame
            && let Some(function) = frame.function()
        {
            kind_name = varinfo::called_name(function, frame.pc, |register| {
                // SAFETY: a register's address in the frame.
                std::ptr::eq(unsafe { frame.base.add(usize::from(register)) }, func)
            });
        }
        if let Some((kind, name)) = kind_name {
            text = [b" (", kind.as_bytes(), b" '", name.as_slice(), b"')"].concat();
        }
        let name = self.type_name(v);
        let text = [b"attempt to call a ", &name[..], b" value", &text].concat();
        self.runtime_error(&text)
    }

    /// `attempt to compare two … values`, `attempt to compare … with …`
    #[cold]
    pub fn compare_error(&mut self, a: Value, b: Value) -> Throw {
        let (x, y) = (self.type_name(a), self.type_name(b));
        let text = if x == y {
            [b"attempt to compare two ", &x[..], b" values"].concat()
        } else {
            [b"attempt to compare ", &x[..], b" with ", &y[..]].concat()
        };
        self.runtime_error(&text)
    }

    /// The error of an arithmetic or bitwise operation on `a` and `b`.
    #[cold]
    pub fn arith_error(&mut self, bitwise: bool, a: Value, b: Value) -> Throw {
        if bitwise {
            if a.is_number() && b.is_number() {
                let culprit = if self.to_integer(a).is_none() { a } else { b };
                let operand = self.find_operand(culprit);
                let info = self.operand_info(operand);
                let text = [b"number", &info[..], b" has no integer representation"].concat();
                return self.runtime_error(&text);
            }
            let culprit = if a.is_number() { b } else { a };
            return self.operand_error(culprit, "perform bitwise operation on");
        }
        let culprit = if a.is_number() { b } else { a };
        self.operand_error(culprit, "perform arithmetic on")
    }

    /// The error of concatenating `a` and `b`.
    #[cold]
    pub fn concat_error(&mut self, a: Value, b: Value, ra: Operand, rb: Operand) -> Throw {
        if a.is_string() || a.is_number() {
            self.type_error(b, "concatenate", rb)
        } else {
            self.type_error(a, "concatenate", ra)
        }
    }

    /// `bad 'for' what (number expected, got …)`
    #[cold]
    pub fn for_error(&mut self, v: Value, what: &str) -> Throw {
        let name = self.type_name(v);
        let head = format!("bad 'for' {what} (number expected, got ");
        self.runtime_error(&[head.as_bytes(), &name, b")"].concat())
    }
}

/// `chunk:line: ` of a frame, empty where it is not Lua's.
fn position_of(frame: &Frame) -> Vec<u8> {
    match frame.function() {
        Some(function) => {
            let mut text = perilune_frontend::chunk_id_bytes(&function.source);
            match function.lines.get(frame.pc as usize) {
                Some(line) => text.extend_from_slice(format!(":{line}: ").as_bytes()),
                None => text.extend_from_slice(b":-1: "),
            }
            text
        }
        None => Vec::new(),
    }
}
