//! Rooted handles: how a host keeps values alive outside of the VM stack.

use crate::value::Value;

/// Names a rooted value. Stale ids (released, then reused) are recognised by their generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RootId {
    index: u32,
    generation: u32,
}

/// A slab of rooted values.
#[derive(Default)]
pub struct RootSet {
    values: Vec<Value>,
    /// Per entry: the generation; in a free entry, with the number of the next free one.
    generations: Vec<u32>,
    free: Vec<u32>,
}

impl RootSet {
    /// Roots `value` until it is released.
    pub fn root(&mut self, value: Value) -> RootId {
        match self.free.pop() {
            Some(index) => {
                self.values[index as usize] = value;
                RootId { index, generation: self.generations[index as usize] }
            }
            None => {
                let index = u32::try_from(self.values.len()).expect("too many handles");
                self.values.push(value);
                self.generations.push(0);
                RootId { index, generation: 0 }
            }
        }
    }

    /// The rooted value; `None` when the id was released.
    #[inline]
    pub fn get(&self, id: RootId) -> Option<Value> {
        let index = id.index as usize;
        (*self.generations.get(index)? == id.generation).then(|| self.values[index])
    }

    /// Replaces the rooted value; false when the id was released.
    pub fn set(&mut self, id: RootId, value: Value) -> bool {
        let valid = self.get(id).is_some();
        if valid {
            self.values[id.index as usize] = value;
        }
        valid
    }

    /// Releases a value; releasing twice does nothing.
    pub fn release(&mut self, id: RootId) {
        let index = id.index as usize;
        if self.generations.get(index) == Some(&id.generation) {
            self.values[index] = Value::NIL;
            self.generations[index] = id.generation.wrapping_add(1);
            self.free.push(id.index);
        }
    }

    /// Values rooted now.
    pub fn live(&self) -> usize {
        self.values.len() - self.free.len()
    }

    /// Entries, free ones included.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The value of an entry, nil for a free one.
    pub(super) fn at(&self, i: usize) -> Value {
        self.values[i]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_ids_are_recognised() {
        let mut set = RootSet::default();
        let a = set.root(Value::small_int(1));
        let b = set.root(Value::small_int(2));
        set.release(a);
        set.release(a);
        let c = set.root(Value::small_int(3));
        assert_eq!(set.get(a), None);
        assert_eq!(set.get(b), Some(Value::small_int(2)));
        assert_eq!(set.get(c), Some(Value::small_int(3)));
        assert!(!set.set(a, Value::TRUE));
        assert_eq!(set.live(), 2);
    }
}
