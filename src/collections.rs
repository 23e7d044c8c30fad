//! Conversions of collections: sequences, records, sets.
//!
//! Tables are read and made without metamethods. Errors name the key of what does not fit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use crate::convert::{FromLua, IntoLua};
use crate::error::{Error, Result};
use crate::lua::Lua;
use crate::table::Table;
use crate::value::Value;

fn sequence<T: IntoLua>(lua: &Lua, values: impl IntoIterator<Item = T>) -> Result<Value> {
    let table = lua.create_table()?;
    for (i, value) in values.into_iter().enumerate() {
        table.raw_set(i as i64 + 1, value)?;
    }
    Ok(Value::Table(table))
}

impl<T: IntoLua> IntoLua for Vec<T> {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        sequence(lua, self)
    }
}

impl<T: IntoLua + Clone> IntoLua for &[T] {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        sequence(lua, self.iter().cloned())
    }
}

impl<T: IntoLua, const N: usize> IntoLua for [T; N] {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        sequence(lua, self)
    }
}

impl<T: FromLua> FromLua for Vec<T> {
    fn from_lua(value: Value, lua: &Lua) -> Result<Vec<T>> {
        Table::from_lua(value, lua)?.sequence_values().collect()
    }
}

impl<T: FromLua, const N: usize> FromLua for [T; N] {
    fn from_lua(value: Value, lua: &Lua) -> Result<[T; N]> {
        let values: Vec<T> = Vec::from_lua(value, lua)?;
        let found = values.len();
        values.try_into().map_err(|_| Error::FromLuaConversion {
            from: format!("table of {found}").into(),
            to: format!("table of {N} elements").into(),
            message: None,
        })
    }
}

fn record<K: IntoLua, V: IntoLua>(
    lua: &Lua,
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<Value> {
    let table = lua.create_table()?;
    for (key, value) in pairs {
        table.raw_set(key, value)?;
    }
    Ok(Value::Table(table))
}

impl<K: IntoLua, V: IntoLua, S> IntoLua for HashMap<K, V, S> {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        record(lua, self)
    }
}

impl<K: FromLua + Eq + Hash, V: FromLua, S: BuildHasher + Default> FromLua for HashMap<K, V, S> {
    fn from_lua(value: Value, lua: &Lua) -> Result<HashMap<K, V, S>> {
        Table::from_lua(value, lua)?.pairs().collect()
    }
}

impl<K: IntoLua, V: IntoLua> IntoLua for BTreeMap<K, V> {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        record(lua, self)
    }
}

impl<K: FromLua + Ord, V: FromLua> FromLua for BTreeMap<K, V> {
    fn from_lua(value: Value, lua: &Lua) -> Result<BTreeMap<K, V>> {
        Table::from_lua(value, lua)?.pairs().collect()
    }
}

/// The elements of a set; see the implementation for `HashSet`.
fn elements<K: FromLua, C: FromIterator<K>>(value: Value, lua: &Lua) -> Result<C> {
    let table = Table::from_lua(value, lua)?;
    let keys_only = |pair: Result<(Value, Value)>| matches!(pair, Ok((_, Value::Boolean(true))));
    if table.raw_len() > 0 && !table.pairs().all(keys_only) {
        return table.sequence_values().collect();
    }
    table.pairs::<K, Value>().map(|pair| pair.map(|(key, _)| key)).collect()
}

impl<K: IntoLua, S> IntoLua for HashSet<K, S> {
    /// A table with the elements as keys and `true` as values.
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        record(lua, self.into_iter().map(|key| (key, true)))
    }
}

impl<K: FromLua + Eq + Hash, S: BuildHasher + Default> FromLua for HashSet<K, S> {
    /// The elements of a sequence (`{ "a", "b" }`); of other tables, and where all values are `true`, the
    /// keys (`{ a = true, b = true }`, as sets become Lua values).
    ///
    /// # Examples
    ///
    /// ```
    /// use perilune::Lua;
    /// use std::collections::HashSet;
    ///
    /// let lua = Lua::new();
    /// let list: HashSet<String> = lua.load("{ 'red', 'green', 'red' }").eval().unwrap();
    /// let keys: HashSet<String> = lua.load("{ red = true, green = true }").eval().unwrap();
    /// assert_eq!(list, keys);
    /// ```
    fn from_lua(value: Value, lua: &Lua) -> Result<HashSet<K, S>> {
        elements(value, lua)
    }
}

impl<K: IntoLua> IntoLua for BTreeSet<K> {
    /// A table with the elements as keys and `true` as values.
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        record(lua, self.into_iter().map(|key| (key, true)))
    }
}

impl<K: FromLua + Ord> FromLua for BTreeSet<K> {
    /// As for `HashSet`.
    fn from_lua(value: Value, lua: &Lua) -> Result<BTreeSet<K>> {
        elements(value, lua)
    }
}
