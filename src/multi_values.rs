//! [`MultiValue`]: arguments and results as a list that mostly needs no allocation.

use std::fmt;
use std::mem::take;

use crate::value::Value;

/// Values kept in place. Calls with more are rare.
const IN_PLACE: usize = 4;

/// Arguments or results: any number of values.
#[derive(Clone)]
pub struct MultiValue(Repr);

/// Unused places hold nil.
#[derive(Clone)]
enum Repr {
    Few { len: usize, values: [Value; IN_PLACE] },
    Many(Vec<Value>),
}

const NONE: [Value; IN_PLACE] = [const { Value::Nil }; IN_PLACE];

impl MultiValue {
    /// No values.
    #[inline]
    pub fn new() -> MultiValue {
        MultiValue(Repr::Few { len: 0, values: NONE })
    }
    /// One value.
    #[inline]
    pub(crate) fn one(value: Value) -> MultiValue {
        let mut values = NONE;
        values[0] = value;
        MultiValue(Repr::Few { len: 1, values })
    }
    /// Puts a value in front.
    pub fn push_front(&mut self, value: Value) {
        self.push_back(value);
        match &mut self.0 {
            Repr::Few { len, values } => values[..*len].rotate_right(1),
            Repr::Many(values) => values.rotate_right(1),
        }
    }
    /// Puts a value at the end.
    #[inline]
    pub fn push_back(&mut self, value: Value) {
        match &mut self.0 {
            Repr::Few { len, values } if *len < IN_PLACE => {
                values[*len] = value;
                *len += 1;
            }
            Repr::Few { values, .. } => {
                let mut many = Vec::with_capacity(2 * IN_PLACE);
                many.extend(values.iter_mut().map(take));
                many.push(value);
                self.0 = Repr::Many(many);
            }
            Repr::Many(values) => values.push(value),
        }
    }
    /// These values, then those of `more`.
    #[inline]
    pub(crate) fn followed_by(mut self, more: MultiValue) -> MultiValue {
        if self.is_empty() {
            return more;
        }
        self.extend(more);
        self
    }
    /// The values.
    #[inline]
    pub fn as_slice(&self) -> &[Value] {
        match &self.0 {
            Repr::Few { len, values } => &values[..*len],
            Repr::Many(values) => values,
        }
    }
    /// Number of values.
    #[inline]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The values in order.
    #[inline]
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.as_slice().iter()
    }
}

impl Default for MultiValue {
    fn default() -> MultiValue {
        MultiValue::new()
    }
}

impl fmt::Debug for MultiValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MultiValue").field(&self.as_slice()).finish()
    }
}

impl PartialEq for MultiValue {
    fn eq(&self, other: &MultiValue) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Extend<Value> for MultiValue {
    #[inline]
    fn extend<I: IntoIterator<Item = Value>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push_back(value));
    }
}

impl FromIterator<Value> for MultiValue {
    #[inline]
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> MultiValue {
        let mut list = MultiValue::new();
        list.extend(values);
        list
    }
}

impl From<Vec<Value>> for MultiValue {
    fn from(values: Vec<Value>) -> MultiValue {
        MultiValue(Repr::Many(values))
    }
}

impl IntoIterator for MultiValue {
    type Item = Value;
    type IntoIter = IntoValues;

    #[inline]
    fn into_iter(self) -> IntoValues {
        let len = self.len();
        IntoValues { values: self, next: 0, end: len }
    }
}

/// The values of a [`MultiValue`], one by one.
#[derive(Debug)]
pub struct IntoValues {
    values: MultiValue,
    next: usize,
    end: usize,
}

impl IntoValues {
    #[inline]
    fn take(&mut self, i: usize) -> Value {
        match &mut self.values.0 {
            Repr::Few { values, .. } => take(&mut values[i]),
            Repr::Many(values) => take(&mut values[i]),
        }
    }
}

impl Iterator for IntoValues {
    type Item = Value;

    #[inline]
    fn next(&mut self) -> Option<Value> {
        let i = self.next;
        (i < self.end).then(|| {
            self.next += 1;
            self.take(i)
        })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.next, Some(self.end - self.next))
    }
}

impl DoubleEndedIterator for IntoValues {
    fn next_back(&mut self) -> Option<Value> {
        (self.next < self.end).then(|| {
            self.end -= 1;
            self.take(self.end)
        })
    }
}

impl ExactSizeIterator for IntoValues {}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(n: i64) -> MultiValue {
        (1..=n).map(Value::Integer).collect()
    }

    #[test]
    fn lists_of_any_length() {
        for n in 0..10 {
            let mut values = list(n);
            assert_eq!(values.len(), n as usize);
            assert_eq!(values.is_empty(), n == 0);
            values.push_front(Value::Integer(0));
            values.push_back(Value::Integer(n + 1));
            let whole: Vec<_> = (0..=n + 1).map(Value::Integer).collect();
            assert_eq!(values.as_slice(), whole);
            assert_eq!(values, MultiValue::from(whole.clone()));
            assert_eq!(values.clone().into_iter().collect::<Vec<_>>(), whole);
            let backwards: Vec<_> = values.into_iter().rev().collect();
            assert!(backwards.iter().eq(whole.iter().rev()));
        }
    }

    #[test]
    fn from_both_ends() {
        let mut values = list(6).into_iter();
        assert_eq!(values.next(), Some(Value::Integer(1)));
        assert_eq!(values.next_back(), Some(Value::Integer(6)));
        assert_eq!(values.len(), 4);
        assert_eq!(values.collect::<MultiValue>().as_slice()[3], Value::Integer(5));
    }
}
