//! Operations with metamethods on values: what the interpreter, compiled code and library functions
//! share. None of them names variables in errors; the interpreter's own slow paths do that.

use crate::heap::Heap;
use crate::meta::Metamethod;
use crate::object::{Kind, LuaString, Table};
use crate::table::metatable::{MAX_CHAIN, mark_metatable, metamethod, metatable_field};
use crate::text::number::{NumBuf, Number, float_to_int, str2number};
use crate::value::{TAG_OTHER, Type, Value};
use crate::vm::{Throw, Vm};

/// Index into `Vm::type_metatables`; both number types share one entry.
#[inline]
fn type_index(ty: Type) -> usize {
    if ty == Type::Float { Type::Integer as usize } else { ty as usize }
}

impl Vm {
    /// The metatable of any value, or null.
    #[inline]
    pub fn metatable(&self, v: Value) -> *mut Table {
        if let Some(t) = v.as_table() {
            // SAFETY: a value in use is live.
            return unsafe { (*t).meta() };
        }
        if v.tag() == TAG_OTHER && v.kind() == Kind::Userdata {
            // SAFETY: as above.
            return unsafe { (*v.as_userdata().unwrap_unchecked()).meta };
        }
        self.type_metatables[type_index(v.ty())]
    }

    /// Sets the metatable of a basic type (null: none).
    pub fn set_type_metatable(&mut self, ty: Type, meta: *mut Table) {
        mark_metatable(meta);
        self.type_metatables[type_index(ty)] = meta;
        let epoch = &self.heap.method_epoch;
        epoch.set(epoch.get().wrapping_add(1));
    }

    /// The metamethod `m` of any value, or nil.
    #[inline]
    pub fn metamethod(&mut self, v: Value, m: Metamethod) -> Value {
        match v.as_table() {
            // SAFETY: a value in use is live, and so is its shape.
            Some(t) => unsafe { metamethod(&mut self.heap, (*t).shape(), m) },
            None => metatable_field(&self.heap, self.metatable(v), m),
        }
    }

    /// The `__name` of a value's metatable, if it is a string.
    pub fn type_name_meta(&mut self, v: Value) -> Option<Vec<u8>> {
        let name = self.metamethod(v, Metamethod::Name).as_string()?;
        Some(self.heap.str_bytes(name).to_vec())
    }

    /// The type name that messages use: `__name` of a table or userdata, else the basic name.
    pub fn type_name(&mut self, v: Value) -> Vec<u8> {
        match v.ty() {
            Type::Table | Type::Userdata => match self.type_name_meta(v) {
                Some(name) => name,
                None => v.ty().name().into(),
            },
            ty => ty.name().into(),
        }
    }

    /// A number, or a string that reads as one, as number.
    #[inline]
    pub fn to_number(&mut self, v: Value) -> Option<Value> {
        if v.is_number() {
            return Some(v);
        }
        match str2number(self.heap.str_bytes(v.as_string()?))? {
            Number::Int(i) => Some(self.int(i)),
            Number::Float(x) => Some(Value::float(x)),
        }
    }

    /// The integer equal to a number, or to the number that a string reads as.
    #[inline]
    pub fn to_integer(&mut self, v: Value) -> Option<i64> {
        if let Some(i) = v.as_int() {
            return Some(i);
        }
        match self.to_number(v)? {
            n if n.is_float() => float_to_int(n.as_float()?),
            n => n.as_int(),
        }
    }

    /// A number as `tostring` prints it.
    ///
    /// # Errors
    /// None at present; memory limits will come here.
    pub fn number_to_string(&mut self, v: Value) -> Result<*mut LuaString, Throw> {
        Ok(number_to_string(&mut self.heap, v))
    }

    /// `t[k]` with metamethods.
    ///
    /// # Errors
    /// As the operation.
    #[inline]
    pub fn index(&mut self, t: Value, k: Value) -> Result<Value, Throw> {
        if let Some(table) = t.as_table() {
            // SAFETY: a value in use is live.
            let v = unsafe { (*table).get(&mut self.heap, k) };
            if !v.is_nil() {
                return Ok(v);
            }
        }
        self.index_slow(t, k)
    }

    #[inline(never)]
    fn index_slow(&mut self, mut t: Value, k: Value) -> Result<Value, Throw> {
        for step in 0..MAX_CHAIN {
            let handler;
            if let Some(table) = t.as_table() {
                // SAFETY: a value in use is live, and so is its shape.
                unsafe {
                    let v = (*table).get(&mut self.heap, k);
                    if !v.is_nil() {
                        return Ok(v);
                    }
                    handler = metamethod(&mut self.heap, (*table).shape(), Metamethod::Index);
                }
                if handler.is_nil() {
                    return Ok(Value::NIL);
                }
            } else {
                handler = self.metamethod(t, Metamethod::Index);
                if handler.is_nil() {
                    return Err(self.index_error(t, k, step == 0));
                }
            }
            if handler.is_function() {
                return self.call1(handler, &[t, k]);
            }
            t = handler;
        }
        Err(self.runtime_error(b"'__index' chain too long; possible loop"))
    }

    /// `t[k] = v` with metamethods.
    ///
    /// # Errors
    /// As the operation.
    pub fn set_index(&mut self, mut t: Value, k: Value, v: Value) -> Result<(), Throw> {
        for step in 0..MAX_CHAIN {
            let handler;
            if let Some(table) = t.as_table() {
                // SAFETY: a value in use is live, and so is its shape.
                unsafe {
                    let table = &mut *table;
                    handler = if table.meta().is_null() {
                        Value::NIL
                    } else if table.get(&mut self.heap, k).is_nil() {
                        metamethod(&mut self.heap, table.shape(), Metamethod::NewIndex)
                    } else {
                        Value::NIL
                    };
                    if handler.is_nil() {
                        return match table.set(&mut self.heap, k, v) {
                            Ok(()) => Ok(()),
                            Err(error) => Err(self.key_error(error)),
                        };
                    }
                }
            } else {
                handler = self.metamethod(t, Metamethod::NewIndex);
                if handler.is_nil() {
                    return Err(self.index_error(t, k, step == 0));
                }
            }
            if handler.is_function() {
                return self.call(handler, &[t, k, v]).map(|_| ());
            }
            t = handler;
        }
        Err(self.runtime_error(b"'__newindex' chain too long; possible loop"))
    }

    /// `a == b` without metamethods.
    #[inline]
    pub fn raw_equals(&mut self, a: Value, b: Value) -> bool {
        if a.is_float() || b.is_float() {
            return match (a.as_float(), b.as_float()) {
                (Some(x), Some(y)) => x == y,
                (Some(x), None) => b.as_int().is_some_and(|i| float_to_int(x) == Some(i)),
                (None, Some(y)) => a.as_int().is_some_and(|i| float_to_int(y) == Some(i)),
                (None, None) => false,
            };
        }
        if a == b {
            return true;
        }
        match (a.as_string(), b.as_string()) {
            (Some(x), Some(y)) => self.heap.str_eq(x, y),
            _ => match (a.as_wide_int(), b.as_wide_int()) {
                (Some(x), Some(y)) => x == y,
                _ => false,
            },
        }
    }

    /// `a == b` with metamethods.
    ///
    /// # Errors
    /// As the metamethod.
    #[inline]
    pub fn equals(&mut self, a: Value, b: Value) -> Result<bool, Throw> {
        let tables = a.is_table() && b.is_table();
        if a == b && !a.is_float() {
            return Ok(true);
        }
        if tables || a.as_userdata().is_some() && b.as_userdata().is_some() {
            return self.equals_by_metamethod(a, b);
        }
        Ok(self.raw_equals(a, b))
    }

    fn equals_by_metamethod(&mut self, a: Value, b: Value) -> Result<bool, Throw> {
        let mut handler = self.metamethod(a, Metamethod::Eq);
        if handler.is_nil() {
            handler = self.metamethod(b, Metamethod::Eq);
        }
        if handler.is_nil() {
            return Ok(false);
        }
        self.call1(handler, &[a, b]).map(Value::is_truthy)
    }

    /// `a < b` with metamethods.
    ///
    /// # Errors
    /// As the operation.
    pub fn less_than(&mut self, a: Value, b: Value) -> Result<bool, Throw> {
        if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
            return Ok(x < y);
        }
        if let Some(result) = self.compare(a, b, false) {
            return Ok(result);
        }
        self.order_by_metamethod(a, b, Metamethod::Lt)
    }

    /// `a <= b` with metamethods.
    ///
    /// # Errors
    /// As the operation.
    pub fn less_equal(&mut self, a: Value, b: Value) -> Result<bool, Throw> {
        if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
            return Ok(x <= y);
        }
        if let Some(result) = self.compare(a, b, true) {
            return Ok(result);
        }
        self.order_by_metamethod(a, b, Metamethod::Le)
    }

    /// Order of numbers or strings; `None` for anything else.
    fn compare(&mut self, a: Value, b: Value, or_equal: bool) -> Option<bool> {
        if let (Some(x), Some(y)) = (a.as_string(), b.as_string()) {
            let order = self.heap.str_cmp(x, y);
            return Some(if or_equal { order.is_le() } else { order.is_lt() });
        }
        compare_numbers(a, b, or_equal)
    }

    fn order_by_metamethod(&mut self, a: Value, b: Value, m: Metamethod) -> Result<bool, Throw> {
        let mut handler = self.metamethod(a, m);
        if handler.is_nil() {
            handler = self.metamethod(b, m);
        }
        if !handler.is_nil() {
            return self.call1(handler, &[a, b]).map(Value::is_truthy);
        }
        if m == Metamethod::Le {
            // As PUC Lua with LUA_COMPAT_LT_LE: not (b < a).
            handler = self.metamethod(b, Metamethod::Lt);
            if handler.is_nil() {
                handler = self.metamethod(a, Metamethod::Lt);
            }
            if !handler.is_nil() {
                return self.call1(handler, &[b, a]).map(Value::is_falsy);
            }
        }
        Err(self.compare_error(a, b))
    }

    /// `#v` with metamethods, as a value.
    ///
    /// # Errors
    /// As the operation.
    pub fn length(&mut self, v: Value) -> Result<Value, Throw> {
        if let Some(s) = v.as_string() {
            // SAFETY: a value in use is live.
            return Ok(self.int(unsafe { (*s).len } as i64));
        }
        let handler = self.metamethod(v, Metamethod::Len);
        if !handler.is_nil() {
            return self.call1(handler, &[v, v]);
        }
        match v.as_table() {
            // SAFETY: as above.
            Some(t) => Ok(Value::small_int(unsafe { (*t).len() })),
            None => Err(self.operand_error(v, "get length of")),
        }
    }

    /// `a .. b` with metamethods.
    ///
    /// # Errors
    /// As the operation.
    pub fn concat(&mut self, a: Value, b: Value) -> Result<Value, Throw> {
        crate::interp::concat::concat_values(self, &mut [a, b])
    }

    /// Whether `tostring` of strings and numbers asks no metamethod. Known per method epoch, so that
    /// printing costs no lookup.
    #[inline]
    pub fn displays_plainly(&mut self) -> bool {
        self.detail.plain_display == Some(self.heap.method_epoch.get()) || self.check_display()
    }

    #[inline(never)]
    fn check_display(&mut self) -> bool {
        let plain = [Type::String, Type::Integer].into_iter().all(|ty| {
            let meta = self.type_metatables[type_index(ty)];
            metatable_field(&self.heap, meta, Metamethod::ToString).is_nil()
        });
        self.detail.plain_display = plain.then(|| self.heap.method_epoch.get());
        plain
    }

    /// A string, or a number's digits, whatever their metatables say.
    ///
    /// # Errors
    /// As [`Vm::number_to_string`].
    #[inline]
    pub fn text_of(&mut self, v: Value) -> Result<*mut LuaString, Throw> {
        match v.as_string() {
            Some(s) => Ok(s),
            None => self.number_to_string(v),
        }
    }

    /// What `tostring` answers: `__tostring`, `__name`, or the plain form.
    ///
    /// # Errors
    /// As the metamethod, or `'__tostring' must return a string`.
    pub fn to_display(&mut self, v: Value) -> Result<*mut LuaString, Throw> {
        if (v.is_string() || v.is_number()) && self.displays_plainly() {
            return self.text_of(v);
        }
        let handler = self.metamethod(v, Metamethod::ToString);
        if !handler.is_nil() {
            let result = self.call1(handler, &[v])?;
            if result.is_string() || result.is_number() {
                return self.text_of(result);
            }
            return Err(self.error("'__tostring' must return a string"));
        }
        Ok(match v.ty() {
            Type::String | Type::Integer | Type::Float => self.text_of(v)?,
            Type::Nil => self.heap.new_string(b"nil"),
            Type::Boolean if v.is_truthy() => self.heap.new_string(b"true"),
            Type::Boolean => self.heap.new_string(b"false"),
            ty => {
                let mut text = match self.type_name_meta(v) {
                    Some(name) => name,
                    None => ty.name().into(),
                };
                text.extend_from_slice(format!(": {:#x}", v.payload()).as_bytes());
                self.heap.new_string(&text)
            }
        })
    }

    /// The interned string of a name.
    #[inline]
    pub fn name(&mut self, name: &str) -> *mut LuaString {
        self.heap.new_string(name.as_bytes())
    }

    /// `table[name] = value`, raw.
    pub fn set_field_raw(&mut self, table: *mut Table, name: &str, value: Value) {
        let key = self.name(name);
        // SAFETY: the caller's table is live.
        unsafe { (*table).set_field(&mut self.heap, key, value) }
    }

    /// `table[name]`, raw.
    pub fn get_field_raw(&mut self, table: *mut Table, name: &str) -> Value {
        let key = self.name(name);
        // SAFETY: the caller's table is live.
        unsafe { (*table).get_str(&mut self.heap, key) }
    }
}

/// A number as `tostring` prints it.
pub fn number_to_string(heap: &mut Heap, v: Value) -> *mut LuaString {
    let text = print_number(v);
    heap.new_string(text.as_bytes())
}

/// The digits of a number value.
#[inline]
pub fn print_number(v: Value) -> NumBuf {
    match v.as_float() {
        Some(x) => NumBuf::float(x),
        None => NumBuf::int(v.as_int().unwrap_or_default()),
    }
}

/// Order of two numbers, exact across integers and floats; `None` if one is no number.
#[inline]
pub fn compare_numbers(a: Value, b: Value, or_equal: bool) -> Option<bool> {
    Some(match (a.as_float(), b.as_float()) {
        (Some(x), Some(y)) => {
            if or_equal {
                x <= y
            } else {
                x < y
            }
        }
        (Some(x), None) => float_before_int(x, b.as_int()?, or_equal),
        (None, Some(y)) => int_before_float(a.as_int()?, y, or_equal),
        (None, None) => {
            let (x, y) = (a.as_int()?, b.as_int()?);
            if or_equal { x <= y } else { x < y }
        }
    })
}

const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// `i < f`, or `i <= f`, exactly.
pub fn int_before_float(i: i64, f: f64, or_equal: bool) -> bool {
    if f.is_nan() || f < -TWO_63 {
        false
    } else if f >= TWO_63 {
        true
    } else if or_equal {
        i <= f.floor() as i64
    } else {
        // i < f <=> i < ceil(f); the ceiling of a float below 2^63 is at most 2^63 - 1024.
        i < f.ceil() as i64
    }
}

/// `f < i`, or `f <= i`, exactly.
pub fn float_before_int(f: f64, i: i64, or_equal: bool) -> bool {
    if f.is_nan() || f >= TWO_63 {
        false
    } else if f < -TWO_63 {
        true
    } else if or_equal {
        f.ceil() as i64 <= i
    } else {
        (f.floor() as i64) < i
    }
}
