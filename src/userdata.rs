//! Host values in Lua: userdata.
//!
//! The value lives in a reference-counted cell with its own borrow count; the heap's object holds
//! one reference, each borrow another. So a borrow outlives even the collection of the object.

use std::any::{Any, TypeId};
use std::cell::{Cell, UnsafeCell};
use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use perilune_runtime::object::{Kind, Table as RawTable, Userdata};
use perilune_runtime::value::Value as Raw;
use perilune_runtime::vm::Vm;

use crate::convert::{FromLua, IntoLua};
use crate::error::{Error, Result};
use crate::function::Function;
use crate::lua::Lua;
use crate::mismatch::{host_type, mismatch, short_name};
use crate::multi::{FromLuaMulti, IntoLuaMulti, MultiValue};
use crate::state::{Handle, HostBox};
use crate::table::Table;
use crate::value::{Value, handle_type};

/// A host type whose values Lua code can use.
///
/// What it declares is fixed: scripts reach neither the metatable (`getmetatable` returns false) nor the
/// table of methods. The exception is the `debug` library, for states that are given it
/// ([`StdLib`](crate::StdLib)): `debug.getmetatable` and `debug.setmetatable` heed no protection.
///
/// # Examples
///
/// ```
/// use perilune::{Lua, UserData, UserDataFields, UserDataMethods};
///
/// struct Counter(i64);
///
/// impl UserData for Counter {
///     fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
///         fields.add_field_method_get("value", |_, this| Ok(this.0));
///     }
///     fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
///         methods.add_method_mut("add", |_, this, n: i64| {
///             this.0 += n;
///             Ok(())
///         });
///     }
/// }
///
/// let lua = Lua::new();
/// let counter = lua.create_userdata(Counter(1)).unwrap();
/// lua.globals().set("counter", &counter).unwrap();
/// lua.load("counter:add(4); assert(counter.value == 5)").exec().unwrap();
/// assert_eq!(counter.borrow::<Counter>().unwrap().0, 5);
/// ```
pub trait UserData: Sized + 'static {
    /// Declares fields.
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        let _ = fields;
    }
    /// Declares methods.
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        let _ = methods;
    }
}

/// Where [`UserData::add_fields`] declares fields.
pub trait UserDataFields<T> {
    /// A field that is read by a function.
    fn add_field_method_get<R: IntoLua, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &T) -> Result<R> + 'static;
    /// A field that is written by a function.
    fn add_field_method_set<A: FromLua, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &mut T, A) -> Result<()> + 'static;
}

/// Where [`UserData::add_methods`] declares methods.
pub trait UserDataMethods<T> {
    /// A method that borrows the value.
    fn add_method<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &T, A) -> Result<R> + 'static;
    /// A method that borrows the value mutably.
    fn add_method_mut<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &mut T, A) -> Result<R> + 'static;
    /// A function without a receiver.
    fn add_function<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, A) -> Result<R> + 'static;
    /// A metamethod (`__add`, `__tostring`, …) whose first operand is the value.
    fn add_meta_method<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &T, A) -> Result<R> + 'static;
    /// A metamethod that gets all operands as they are.
    fn add_meta_function<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, A) -> Result<R> + 'static;
}

/// A value with its borrow count.
struct UserCell<T> {
    /// -1: mutably borrowed; else the number of shared borrows.
    borrows: Cell<isize>,
    value: UnsafeCell<Option<T>>,
}

/// A userdata of any type.
#[derive(Clone)]
pub struct AnyUserData(pub(crate) Handle);

handle_type!(AnyUserData);

/// A shared borrow of a userdata's value; as an argument of a host function, of a userdata that must have this type.
///
/// # Examples
///
/// ```
/// use perilune::{Lua, UserData, UserDataRef};
///
/// struct Vector(f64, f64);
/// impl UserData for Vector {}
///
/// let lua = Lua::new();
/// let norm = lua.create_function(|_, v: UserDataRef<Vector>| Ok(v.0.hypot(v.1))).unwrap();
/// assert_eq!(norm.call::<f64>(lua.create_userdata(Vector(3.0, 4.0)).unwrap()).unwrap(), 5.0);
/// lua.globals().set("norm", norm).unwrap();
/// let error = lua.load("norm({})").set_name("=x").exec().unwrap_err();
/// assert_eq!(error.message(), "x:1: bad argument #1 to 'norm' (Vector expected, got table)");
/// ```
pub struct UserDataRef<T: 'static>(Rc<UserCell<T>>);

impl<T> Deref for UserDataRef<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the borrow count is positive as long as this lives, so nobody has a mutable
        // reference or takes the value out; it was there at the start of the borrow.
        unsafe { (*self.0.value.get()).as_ref().unwrap_unchecked() }
    }
}

impl<T> Drop for UserDataRef<T> {
    fn drop(&mut self) {
        self.0.borrows.set(self.0.borrows.get() - 1);
    }
}

/// A mutable borrow of a userdata's value; as an argument of a host function like [`UserDataRef`].
pub struct UserDataRefMut<T: 'static>(Rc<UserCell<T>>);

impl<T> Deref for UserDataRefMut<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: as in `deref_mut`.
        unsafe { (*self.0.value.get()).as_ref().unwrap_unchecked() }
    }
}

impl<T> DerefMut for UserDataRefMut<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the borrow count is -1 as long as this lives, so nobody else has a reference;
        // the value was there at the start of the borrow.
        unsafe { (*self.0.value.get()).as_mut().unwrap_unchecked() }
    }
}

impl<T> Drop for UserDataRefMut<T> {
    fn drop(&mut self) {
        self.0.borrows.set(0);
    }
}

impl<T: fmt::Debug> fmt::Debug for UserDataRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for UserDataRefMut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: 'static> FromLua for UserDataRef<T> {
    fn from_lua(value: Value, lua: &Lua) -> Result<UserDataRef<T>> {
        lua.check(&value)?;
        match value {
            Value::UserData(userdata) => userdata.borrow(),
            other => Err(mismatch(&other, lua, host_type::<T>(lua))),
        }
    }
}

impl<T: 'static> FromLua for UserDataRefMut<T> {
    fn from_lua(value: Value, lua: &Lua) -> Result<UserDataRefMut<T>> {
        lua.check(&value)?;
        match value {
            Value::UserData(userdata) => userdata.borrow_mut(),
            other => Err(mismatch(&other, lua, host_type::<T>(lua))),
        }
    }
}

impl<T> UserCell<T> {
    /// Fails where the value is not there, or cannot be borrowed as asked.
    fn check(&self, exclusive: bool) -> Result<()> {
        let borrows = self.borrows.get();
        if borrows < 0 || (borrows > 0 && exclusive) {
            return Err(Error::UserDataBorrow);
        }
        // SAFETY: without a mutable borrow nobody writes.
        if unsafe { (*self.value.get()).is_none() } {
            return Err(Error::UserDataTaken);
        }
        Ok(())
    }
}

impl AnyUserData {
    fn cell<T: 'static>(&self) -> Result<Rc<UserCell<T>>> {
        let found = self.0.lua.with(|vm| {
            let userdata: *mut Userdata = self.0.raw(vm).as_userdata()?;
            // SAFETY: a rooted userdata.
            let data = unsafe { (*userdata).data.as_ref() }?;
            data.downcast_ref::<HostBox>()?.get::<Rc<UserCell<T>>>().cloned()
        });
        found.ok_or_else(|| {
            let lua = &self.0.lua;
            mismatch(&Value::UserData(self.clone()), lua, host_type::<T>(lua))
        })
    }

    /// Whether the value has this type.
    pub fn is<T: 'static>(&self) -> bool {
        self.cell::<T>().is_ok()
    }

    /// Borrows the value.
    ///
    /// # Errors
    /// It has another type, is mutably borrowed, or was taken.
    pub fn borrow<T: 'static>(&self) -> Result<UserDataRef<T>> {
        let cell = self.cell::<T>()?;
        cell.check(false)?;
        cell.borrows.set(cell.borrows.get() + 1);
        Ok(UserDataRef(cell))
    }

    /// Borrows the value mutably.
    ///
    /// # Errors
    /// It has another type, is borrowed, or was taken.
    pub fn borrow_mut<T: 'static>(&self) -> Result<UserDataRefMut<T>> {
        let cell = self.cell::<T>()?;
        cell.check(true)?;
        cell.borrows.set(-1);
        Ok(UserDataRefMut(cell))
    }

    /// Takes the value out; later uses fail.
    ///
    /// # Errors
    /// It has another type, is borrowed, or was taken.
    pub fn take<T: 'static>(&self) -> Result<T> {
        let cell = self.cell::<T>()?;
        cell.check(true)?;
        // SAFETY: not borrowed, and the reference ends here.
        let value = unsafe { (*cell.value.get()).take() };
        value.ok_or(Error::UserDataTaken)
    }

    /// The metatable.
    pub fn metatable(&self) -> Option<Table> {
        let lua = &self.0.lua;
        lua.with(|vm| {
            let meta = vm.metatable(self.0.raw(vm));
            (!meta.is_null()).then(|| Table(lua.handle(vm, Raw::table(meta))))
        })
    }
}

/// A new userdata object.
pub(crate) fn new_raw(vm: &mut Vm, meta: *mut RawTable, data: Box<dyn Any>) -> Raw {
    let header = vm.heap.header(Kind::Userdata);
    let userdata = Userdata { header, meta, data: Some(data), user_values: Box::default() };
    let userdata = vm.heap.alloc_with(Kind::Userdata, 0, userdata);
    Raw::userdata(userdata)
}

/// Key of the metatable of wrapped errors.
struct WrappedError;

/// The metatable of wrapped errors, made at its first use.
pub(crate) fn error_metatable(lua: &Lua, vm: &mut Vm) -> *mut RawTable {
    let key = TypeId::of::<WrappedError>();
    let known = lua.0.metatables.borrow().get(&key).and_then(|&id| vm.heap.handles.get(id));
    if let Some(meta) = known {
        return meta.ptr();
    }
    let meta = perilune_runtime::table::new_empty(&mut vm.heap);
    let name = vm.string(b"error");
    vm.set_field_raw(meta, "__name", name);
    let text = vm.native(crate::error::wrapped_message);
    vm.set_field_raw(meta, "__tostring", text);
    vm.set_field_raw(meta, "__metatable", Raw::FALSE);
    perilune_runtime::table::metatable::mark_metatable(meta);
    let id = vm.heap.handles.root(Raw::table(meta));
    lua.0.metatables.borrow_mut().insert(key, id);
    meta
}

/// A userdata with a metatable.
pub(crate) fn create<T: 'static>(lua: &Lua, value: T, meta: Option<&Table>) -> Result<AnyUserData> {
    let cell = UserCell { borrows: Cell::new(0), value: UnsafeCell::new(Some(value)) };
    let data = HostBox::boxed(Rc::new(cell), &lua.0.trash);
    lua.allocate(|vm| {
        let meta = meta.map_or(std::ptr::null_mut(), |meta| meta.0.raw(vm).ptr());
        let raw = new_raw(vm, meta, data);
        AnyUserData(lua.handle(vm, raw))
    })
}

/// The metatable of a type, made at its first use.
pub(crate) fn metatable_of<T: UserData>(lua: &Lua) -> Result<Table> {
    let key = TypeId::of::<T>();
    let known = lua.0.metatables.borrow().get(&key).copied();
    let known = known.and_then(|id| {
        lua.with(|vm| vm.heap.handles.get(id).map(|raw| Table(lua.handle(vm, raw))))
    });
    if let Some(table) = known {
        return Ok(table);
    }
    let mut registry = Registry::<T> {
        lua: lua.clone(),
        methods: lua.create_table()?,
        meta: lua.create_table()?,
        getters: HashMap::new(),
        setters: HashMap::new(),
        failed: None,
    };
    T::add_fields(&mut registry);
    T::add_methods(&mut registry);
    let meta = registry.finish()?;
    lua.with(|vm| {
        let raw = meta.0.raw(vm);
        perilune_runtime::table::metatable::mark_metatable(raw.ptr());
        let id = vm.heap.handles.root(raw);
        lua.0.metatables.borrow_mut().insert(key, id);
    });
    Ok(meta)
}

type Getter<T> = Box<dyn Fn(&Lua, &T) -> Result<Value>>;
type Setter<T> = Box<dyn Fn(&Lua, &mut T, Value) -> Result<()>>;

/// Collects what a type declares.
struct Registry<T> {
    lua: Lua,
    methods: Table,
    meta: Table,
    getters: HashMap<Vec<u8>, Getter<T>>,
    setters: HashMap<Vec<u8>, Setter<T>>,
    failed: Option<Error>,
}

/// The receiver of a method of `T`, which is its first argument.
fn receiver<T: 'static>(value: Option<Value>, lua: &Lua) -> Result<AnyUserData> {
    let error = match value {
        Some(Value::UserData(userdata)) => match userdata.cell::<T>() {
            Ok(_) => return Ok(userdata),
            Err(error) => error,
        },
        Some(other) => mismatch(&other, lua, host_type::<T>(lua)),
        None => Error::FromLuaConversion {
            from: "no value".into(),
            to: host_type::<T>(lua).into(),
            message: None,
        },
    };
    Err(error.at_position(1))
}

/// Arguments after the receiver, counted as Lua code sees them.
fn rest<A: FromLuaMulti>(values: MultiValue, lua: &Lua) -> Result<A> {
    A::from_lua_multi(values, lua).map_err(|error| error.moved(1))
}

/// The receiver, and the arguments after it.
fn split<T: 'static>(values: MultiValue, lua: &Lua) -> Result<(AnyUserData, MultiValue)> {
    let mut values = values.into_iter();
    let this = receiver::<T>(values.next(), lua)?;
    Ok((this, values.collect()))
}

impl<T: 'static> Registry<T> {
    fn store(&mut self, table: Table, name: &str, function: Result<Function>) {
        if let Err(error) = function.and_then(|function| table.raw_set(name, function)) {
            self.failed.get_or_insert(error);
        }
    }

    fn shared<A: FromLuaMulti, R: IntoLuaMulti, F>(&self, f: F) -> Result<Function>
    where
        F: Fn(&Lua, &T, A) -> Result<R> + 'static,
    {
        crate::callback::create_raw(
            &self.lua,
            Box::new(move |lua, values| {
                let (this, values) = split::<T>(values, lua)?;
                let args = rest(values, lua)?;
                let this = this.borrow::<T>()?;
                f(lua, &this, args)?.into_lua_multi(lua)
            }),
        )
    }

    fn finish(mut self) -> Result<Table> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let meta = self.meta;
        if !meta.contains_key("__name")? {
            meta.raw_set("__name", short_name::<T>())?;
        }
        // No script gets hold of the metatable, and so of the methods: they are the host's.
        if !meta.contains_key("__metatable")? {
            meta.raw_set("__metatable", false)?;
        }
        if self.getters.is_empty() && !meta.contains_key("__index")? {
            meta.raw_set("__index", &self.methods)?;
        } else {
            let getters = self.getters;
            let fallback: Value = meta.raw_get("__index")?;
            // The methods are reached through the metatable, not a captured handle: that would
            // keep the state alive.
            meta.raw_set("__methods", &self.methods)?;
            meta.raw_set("__fallback", fallback)?;
            let index = crate::callback::create_raw(
                &self.lua,
                Box::new(move |lua, values| {
                    let (this, values) = split::<T>(values, lua)?;
                    let key = values.as_slice().first().cloned().unwrap_or(Value::Nil);
                    if let Value::String(name) = &key
                        && let Some(getter) = getters.get(name.as_bytes())
                    {
                        let value = getter(lua, &*this.borrow::<T>()?)?;
                        return value.into_lua_multi(lua);
                    }
                    let Some(meta) = this.metatable() else { return Ok(MultiValue::new()) };
                    let methods: Table = meta.raw_get("__methods")?;
                    match methods.raw_get(key.clone())? {
                        Value::Nil => {}
                        method => return method.into_lua_multi(lua),
                    }
                    match meta.raw_get("__fallback")? {
                        Value::Function(f) => f.call((this, key)),
                        _ => Value::Nil.into_lua_multi(lua),
                    }
                }),
            )?;
            meta.raw_set("__index", index)?;
        }
        if !self.setters.is_empty() {
            let setters = self.setters;
            let new_index = crate::callback::create_raw(
                &self.lua,
                Box::new(move |lua, values| {
                    let (this, values) = split::<T>(values, lua)?;
                    let mut values = values.into_iter();
                    let (key, value) = (values.next(), values.next().unwrap_or(Value::Nil));
                    if let Some(Value::String(name)) = &key
                        && let Some(setter) = setters.get(name.as_bytes())
                    {
                        let result = setter(lua, &mut *this.borrow_mut::<T>()?, value);
                        return match result {
                            Ok(()) => Ok(MultiValue::new()),
                            Err(error) if error.is_conversion() => {
                                Err(Error::runtime(error.at_key(&Value::String(name.clone()))))
                            }
                            Err(error) => Err(error),
                        };
                    }
                    let key = key.unwrap_or(Value::Nil).to_display_string(lua)?;
                    Err(Error::runtime(format!("cannot set field '{key}'")))
                }),
            )?;
            meta.raw_set("__newindex", new_index)?;
        }
        Ok(meta)
    }
}

impl<T: 'static> UserDataFields<T> for Registry<T> {
    fn add_field_method_get<R: IntoLua, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &T) -> Result<R> + 'static,
    {
        let getter: Getter<T> = Box::new(move |lua, this| f(lua, this)?.into_lua(lua));
        self.getters.insert(name.as_bytes().to_vec(), getter);
    }

    fn add_field_method_set<A: FromLua, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &mut T, A) -> Result<()> + 'static,
    {
        let setter: Setter<T> =
            Box::new(move |lua, this, value| f(lua, this, A::from_lua(value, lua)?));
        self.setters.insert(name.as_bytes().to_vec(), setter);
    }
}

impl<T: 'static> UserDataMethods<T> for Registry<T> {
    fn add_method<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &T, A) -> Result<R> + 'static,
    {
        let function = self.shared(f);
        self.store(self.methods.clone(), name, function);
    }

    fn add_method_mut<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &mut T, A) -> Result<R> + 'static,
    {
        let function = crate::callback::create_raw(
            &self.lua,
            Box::new(move |lua, values| {
                let (this, values) = split::<T>(values, lua)?;
                let args = rest(values, lua)?;
                let mut this = this.borrow_mut::<T>()?;
                f(lua, &mut this, args)?.into_lua_multi(lua)
            }),
        );
        self.store(self.methods.clone(), name, function);
    }

    fn add_function<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, A) -> Result<R> + 'static,
    {
        let function = self.lua.create_function(f);
        self.store(self.methods.clone(), name, function);
    }

    fn add_meta_method<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, &T, A) -> Result<R> + 'static,
    {
        let function = self.shared(f);
        self.store(self.meta.clone(), name, function);
    }

    fn add_meta_function<A: FromLuaMulti, R: IntoLuaMulti, F>(&mut self, name: &str, f: F)
    where
        F: Fn(&Lua, A) -> Result<R> + 'static,
    {
        let function = self.lua.create_function(f);
        self.store(self.meta.clone(), name, function);
    }
}
