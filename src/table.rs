//! Tables.

use std::marker::PhantomData;

use perilune_runtime::meta::Metamethod;
use perilune_runtime::object::Table as RawTable;
use perilune_runtime::value::Value as Raw;
use perilune_runtime::vm::{Throw, Vm};

use crate::convert::{FromLua, IntoLua};
use crate::error::{Error, Result};
use crate::lua::Lua;
use crate::mismatch::type_of;
use crate::multi::{FromLuaMulti, IntoLuaMulti};
use crate::state::Handle;
use crate::value::{Value, handle_type};

/// A Lua table.
///
/// # Examples
///
/// ```
/// use perilune::Lua;
///
/// let lua = Lua::new();
/// let table = lua.create_table().unwrap();
/// table.set("name", "moon").unwrap();
/// table.push(10).unwrap();
/// table.push(20).unwrap();
/// assert_eq!(table.get::<String>("name").unwrap(), "moon");
/// assert_eq!(table.len().unwrap(), 2);
/// let all: Vec<i64> = table.sequence_values().collect::<Result<_, _>>().unwrap();
/// assert_eq!(all, [10, 20]);
/// ```
#[derive(Clone)]
pub struct Table(pub(crate) Handle);

handle_type!(Table);

/// Throws for a key that cannot be set.
fn raw_set(vm: &mut Vm, t: *mut RawTable, k: Raw, v: Raw) -> std::result::Result<(), Throw> {
    // SAFETY: a rooted table.
    unsafe { (*t).set(&mut vm.heap, k, v) }.map_err(|error| vm.key_error(error))
}

impl Table {
    fn lua(&self) -> &Lua {
        &self.0.lua
    }

    /// The rooted table.
    fn raw(&self, vm: &Vm) -> *mut RawTable {
        self.0.raw(vm).ptr()
    }

    /// Reads a field; runs `__index`.
    ///
    /// # Errors
    /// What `__index` throws, or the value is no `V`.
    pub fn get<V: FromLua>(&self, key: impl IntoLua) -> Result<V> {
        let lua = self.lua();
        let key = key.into_lua(lua)?;
        lua.check(&key)?;
        // Nearly always no metamethod is asked.
        let found = lua.with(|vm| {
            let k = lua.push_in(vm, &key);
            let t = self.raw(vm);
            // SAFETY: a rooted table.
            let v = unsafe { (*t).get(&mut vm.heap, k) };
            // SAFETY: as above.
            if v.is_nil() && unsafe { !(*t).meta().is_null() } {
                return None;
            }
            Some(lua.pull(vm, v))
        });
        let value = match found {
            Some(value) => value,
            None => lua.run(|vm| {
                let k = lua.push_in(vm, &key);
                let v = vm.index(self.0.raw(vm), k)?;
                Ok(lua.pull(vm, v))
            })?,
        };
        V::from_lua(value, lua).map_err(|error| error.at_key(&key))
    }

    /// Writes a field; runs `__newindex`.
    ///
    /// # Errors
    /// What `__newindex` throws; the key is nil or a NaN; a value belongs to another state.
    pub fn set(&self, key: impl IntoLua, value: impl IntoLua) -> Result<()> {
        let lua = self.lua();
        let (key, value) = (key.into_lua(lua)?, value.into_lua(lua)?);
        lua.check(&key)?;
        lua.check(&value)?;
        lua.run(|vm| {
            let (k, v) = (lua.push_in(vm, &key), lua.push_in(vm, &value));
            vm.set_index(self.0.raw(vm), k, v)
        })
    }

    /// Reads a field without metamethods.
    ///
    /// # Errors
    /// The value is no `V`.
    pub fn raw_get<V: FromLua>(&self, key: impl IntoLua) -> Result<V> {
        let lua = self.lua();
        let key = key.into_lua(lua)?;
        lua.check(&key)?;
        let value = lua.with(|vm| {
            let k = lua.push_in(vm, &key);
            // SAFETY: a rooted table.
            let v = unsafe { (*self.raw(vm)).get(&mut vm.heap, k) };
            lua.pull(vm, v)
        });
        V::from_lua(value, lua).map_err(|error| error.at_key(&key))
    }

    /// Writes a field without metamethods.
    ///
    /// # Errors
    /// The key is nil or a NaN; a value belongs to another state.
    pub fn raw_set(&self, key: impl IntoLua, value: impl IntoLua) -> Result<()> {
        let lua = self.lua();
        let (key, value) = (key.into_lua(lua)?, value.into_lua(lua)?);
        lua.check(&key)?;
        lua.check(&value)?;
        lua.run(|vm| {
            let (k, v) = (lua.push_in(vm, &key), lua.push_in(vm, &value));
            raw_set(vm, self.raw(vm), k, v)
        })
    }

    /// Whether the field is not nil; runs `__index`.
    ///
    /// # Errors
    /// What `__index` throws.
    pub fn contains_key(&self, key: impl IntoLua) -> Result<bool> {
        self.get::<Value>(key).map(|v| !v.is_nil())
    }

    /// The length; runs `__len`.
    ///
    /// # Errors
    /// What `__len` throws, or its answer is no integer.
    pub fn len(&self) -> Result<i64> {
        self.lua().run(|vm| self.length(vm))
    }

    fn length(&self, vm: &mut Vm) -> std::result::Result<i64, Throw> {
        let n = vm.length(self.0.raw(vm))?;
        match vm.to_integer(n) {
            Some(n) => Ok(n),
            None => Err(vm.error("object length is not an integer")),
        }
    }

    /// The length without metamethods: the number of elements of a sequence.
    pub fn raw_len(&self) -> usize {
        // SAFETY: a rooted table.
        self.lua().with(|vm| unsafe { (*self.raw(vm)).len() } as usize)
    }

    /// Whether the table has no entries; without metamethods.
    pub fn is_empty(&self) -> bool {
        // SAFETY: a rooted table.
        self.lua().with(|vm| unsafe { (*self.raw(vm)).has_no_entries() })
    }

    /// Appends a value: `t[#t + 1] = value`; runs `__len` and `__newindex`.
    ///
    /// # Errors
    /// What these throw; the value belongs to another state; memory is short.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Lua, Table};
    ///
    /// let lua = Lua::new();
    /// let log: Table = lua.load("setmetatable({}, { __newindex = function(t, k, v) rawset(t, k, v .. '!') end })").eval().unwrap();
    /// log.push("a").unwrap();
    /// log.raw_push("b").unwrap();
    /// assert_eq!(log.sequence_values::<String>().collect::<Result<Vec<_>, _>>().unwrap(), ["a!", "b"]);
    /// ```
    pub fn push(&self, value: impl IntoLua) -> Result<()> {
        let lua = self.lua();
        let value = value.into_lua(lua)?;
        lua.check(&value)?;
        lua.run(|vm| {
            // SAFETY: a rooted table.
            if unsafe { (*self.raw(vm)).meta().is_null() } {
                return self.append(vm, &value);
            }
            let n = self.length(vm)?;
            let (k, v) = (vm.int(n.wrapping_add(1)), lua.push_in(vm, &value));
            vm.set_index(self.0.raw(vm), k, v)
        })
    }

    /// Appends a value without metamethods.
    ///
    /// # Errors
    /// The value belongs to another state, or memory is short.
    pub fn raw_push(&self, value: impl IntoLua) -> Result<()> {
        let lua = self.lua();
        let value = value.into_lua(lua)?;
        lua.check(&value)?;
        lua.run(|vm| self.append(vm, &value))
    }

    fn append(&self, vm: &mut Vm, value: &Value) -> std::result::Result<(), Throw> {
        let v = self.lua().push_in(vm, value);
        let t = self.raw(vm);
        // SAFETY: a rooted table.
        unsafe {
            let n = (*t).len();
            (*t).set_int(&mut vm.heap, n.wrapping_add(1), v);
        }
        vm.settled()
    }

    /// Takes the last element of a sequence off (nil when it is empty): runs `__len`, `__index` and
    /// `__newindex`.
    ///
    /// # Errors
    /// What these throw, or the value is no `V`.
    pub fn pop<V: FromLua>(&self) -> Result<V> {
        let lua = self.lua();
        // SAFETY: a rooted table.
        if lua.with(|vm| unsafe { (*self.raw(vm)).meta().is_null() }) {
            return self.raw_pop();
        }
        let (n, value) = lua.run(|vm| {
            let n = self.length(vm)?;
            if n == 0 {
                return Ok((n, Value::Nil));
            }
            let k = vm.int(n);
            let v = vm.index(self.0.raw(vm), k)?;
            let value = lua.pull(vm, v);
            let k = vm.int(n);
            vm.set_index(self.0.raw(vm), k, Raw::NIL)?;
            Ok((n, value))
        })?;
        V::from_lua(value, lua).map_err(|error| error.at_key(&Value::Integer(n)))
    }

    /// Takes the last element of a sequence off (nil when it is empty); without metamethods.
    ///
    /// # Errors
    /// The value is no `V`.
    pub fn raw_pop<V: FromLua>(&self) -> Result<V> {
        let lua = self.lua();
        let (n, value) = lua.with(|vm| {
            let t = self.raw(vm);
            // SAFETY: a rooted table.
            unsafe {
                let n = (*t).len();
                if n == 0 {
                    return (n, Value::Nil);
                }
                let v = (*t).get_int(n);
                let value = lua.pull(vm, v);
                (*t).set_int(&mut vm.heap, n, Raw::NIL);
                (n, value)
            }
        });
        V::from_lua(value, lua).map_err(|error| error.at_key(&Value::Integer(n)))
    }

    /// Removes all entries; without metamethods.
    ///
    /// # Errors
    /// Never; the signature allows for limits.
    pub fn clear(&self) -> Result<()> {
        for pair in self.pairs::<Value, Value>() {
            self.raw_set(pair?.0, Value::Nil)?;
        }
        Ok(())
    }

    /// The metatable.
    pub fn metatable(&self) -> Option<Table> {
        let lua = self.lua();
        lua.with(|vm| {
            // SAFETY: a rooted table.
            let meta = unsafe { (*self.raw(vm)).meta() };
            (!meta.is_null()).then(|| Table(lua.handle(vm, Raw::table(meta))))
        })
    }

    /// Sets or removes the metatable. `__metatable` does not hinder the host.
    ///
    /// # Errors
    /// The metatable belongs to another state.
    pub fn set_metatable(&self, metatable: Option<Table>) -> Result<()> {
        let lua = self.lua();
        lua.with(|vm| {
            let meta = match &metatable {
                Some(meta) => meta.0.raw_for(lua, vm)?.ptr(),
                None => std::ptr::null_mut(),
            };
            let t = self.raw(vm);
            // SAFETY: rooted tables.
            unsafe {
                if (*t).set_metatable(&mut vm.heap, meta) {
                    vm.heap.register_finalizer(t);
                }
            }
            Ok(())
        })
    }

    /// All entries, without metamethods. Setting existing fields meanwhile is fine; new ones are an
    /// error that the iterator may report.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Lua, Table};
    ///
    /// let lua = Lua::new();
    /// let table: Table = lua.load("{ x = 1, y = 2 }").eval().unwrap();
    /// let mut sum = 0;
    /// for pair in table.pairs::<String, i64>() {
    ///     sum += pair.unwrap().1;
    /// }
    /// assert_eq!(sum, 3);
    /// ```
    pub fn pairs<K: FromLua, V: FromLua>(&self) -> TablePairs<K, V> {
        TablePairs { table: self.clone(), key: Some(Value::Nil), position: 0, types: PhantomData }
    }

    /// The elements 1, 2, … up to the first nil, without metamethods.
    pub fn sequence_values<V: FromLua>(&self) -> TableSequence<V> {
        TableSequence { table: self.clone(), next: 1, types: PhantomData }
    }

    /// Calls the function in a field with these arguments.
    ///
    /// # Errors
    /// What it throws, or it is not callable.
    pub fn call_function<R: FromLuaMulti>(
        &self,
        name: impl IntoLua,
        args: impl IntoLuaMulti,
    ) -> Result<R> {
        let lua = self.lua();
        let f = self.callee("field", name.into_lua(lua)?)?;
        crate::function::call_value(lua, &f, args.into_lua_multi(lua)?)
    }

    /// Calls the function in a field with the table itself and these arguments: `t:name(…)`.
    ///
    /// # Errors
    /// What it throws, or it is not callable.
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::{Lua, Table};
    ///
    /// let lua = Lua::new();
    /// let t: Table = lua.load("{ n = 1, add = function(self, x) return self.n + x end }").eval().unwrap();
    /// assert_eq!(t.call_method::<i64>("add", 2).unwrap(), 3);
    /// ```
    pub fn call_method<R: FromLuaMulti>(
        &self,
        name: impl IntoLua,
        args: impl IntoLuaMulti,
    ) -> Result<R> {
        let lua = self.lua();
        let f = self.callee("method", name.into_lua(lua)?)?;
        let mut args = args.into_lua_multi(lua)?;
        args.push_front(Value::Table(self.clone()));
        crate::function::call_value(lua, &f, args)
    }

    /// What a field holds, for a call.
    fn callee(&self, kind: &str, name: Value) -> Result<Value> {
        let lua = self.lua();
        let value: Value = self.get(&name)?;
        let callable = matches!(value, Value::Function(_))
            || lua.with(|vm| {
                let raw = lua.push_in(vm, &value);
                !vm.metamethod(raw, Metamethod::Call).is_nil()
            });
        if callable {
            return Ok(value);
        }
        let (found, name) = (type_of(&value, lua), name.to_display_string(lua)?);
        Err(Error::runtime(format!("attempt to call a {found} value ({kind} '{name}')")))
    }

    /// Whether both are equal as `==` says; runs `__eq`.
    ///
    /// # Errors
    /// What `__eq` throws, or the other belongs to another state.
    pub fn equals(&self, other: &Table) -> Result<bool> {
        let lua = self.lua();
        let b = lua.with(|vm| other.0.raw_for(lua, vm))?;
        lua.run(|vm| vm.equals(self.0.raw(vm), b))
    }
}

/// Iterator of [`Table::pairs`].
pub struct TablePairs<K, V> {
    table: Table,
    key: Option<Value>,
    position: u32,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: FromLua, V: FromLua> Iterator for TablePairs<K, V> {
    type Item = Result<(K, V)>;

    fn next(&mut self) -> Option<Result<(K, V)>> {
        let key = self.key.take()?;
        let lua = self.table.lua();
        let found = lua.with(|vm| {
            let k = lua.push_in(vm, &key);
            let t = self.table.raw(vm);
            // SAFETY: a rooted table.
            match unsafe { (*t).next_hinted(&mut vm.heap, k, self.position) } {
                Ok(Some((position, k, v))) => {
                    self.position = position;
                    Ok(Some((lua.pull(vm, k), lua.pull(vm, v))))
                }
                Ok(None) => Ok(None),
                Err(_) => Err(Error::runtime("invalid key to 'next'")),
            }
        });
        let (k, v) = match found {
            Ok(Some(pair)) => pair,
            Ok(None) => return None,
            Err(error) => return Some(Err(error)),
        };
        self.key = Some(k.clone());
        let value = V::from_lua(v, lua);
        let pair = match K::from_lua(k, lua) {
            Ok(key) => value.map(|value| (key, value)),
            Err(Error::FromLuaConversion { from, to, .. }) => {
                Err(Error::FromLuaConversion { from, to, message: Some("as key".to_owned()) })
            }
            Err(error) => Err(error),
        };
        Some(pair.map_err(|error| match &self.key {
            Some(key) => error.at_key(key),
            None => error,
        }))
    }
}

/// Iterator of [`Table::sequence_values`].
pub struct TableSequence<V> {
    table: Table,
    next: i64,
    types: PhantomData<fn() -> V>,
}

impl<V: FromLua> Iterator for TableSequence<V> {
    type Item = Result<V>;

    fn next(&mut self) -> Option<Result<V>> {
        match self.table.raw_get::<Value>(self.next) {
            Ok(Value::Nil) => None,
            Ok(value) => {
                let key = Value::Integer(self.next);
                self.next += 1;
                Some(V::from_lua(value, self.table.lua()).map_err(|error| error.at_key(&key)))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
