//! Tables against a model, and the invariants after every step.

use std::collections::HashMap;

use super::cache::{get_field, set_field};
use super::metatable::metamethod;
use super::*;
use crate::meta::Metamethod;
use crate::object::{CacheKind, Feedback, table_flags};
use crate::shape;

struct Random(u64);

impl Random {
    fn next(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

fn check(t: &Table) {
    check_with(t, false);
}

/// [`check`]; `full`: there may have been no room for a larger array.
fn check_with(t: &Table, full: bool) {
    let cap = t.arr_cap as i64;
    assert!(t.arr_len <= t.arr_cap);
    let mut kinds = 0;
    for at in 0..t.arr_cap as usize {
        // SAFETY: within the capacity.
        let v = unsafe { *t.arr.add(at) };
        if at >= t.arr_len as usize {
            assert!(v.is_nil());
        } else if v.is_nil() {
            kinds |= element_kind::HOLES;
        } else {
            kinds |= kind_of(v);
        }
    }
    assert_eq!(kinds & !t.header.aux, 0, "kinds");
    if t.arr_len == 0 {
        assert_eq!(t.header.aux, 0);
    } else {
        assert!(!t.elements().last().unwrap().is_nil());
    }
    assert!(t.shape().len <= t.slot_cap || t.shape().len == 0);
    if let Some(hash) = t.hash() {
        let mut live = 0;
        for (e, (k, v)) in hash.entries.iter().enumerate() {
            if v.is_nil() {
                continue;
            }
            live += 1;
            assert!(e as u32 >= hash.first);
            if let Some(i) = k.as_int() {
                assert!(hash.has_int_keys);
                assert!(i < 1 || i > cap, "key {i} in hash, capacity {cap}");
                assert!(i != t.arr_len as i64 + 1 || full, "{i} follows the array");
            }
            if let Some(s) = k.as_string() {
                // SAFETY: nothing is collected here.
                assert!(t.shape().is_dictionary() || unsafe { !(*s).is_interned() });
            }
        }
        assert_eq!(live, hash.live);
    }
}

/// Canonical text of a key, for the model.
fn name(heap: &mut Heap, k: Value) -> String {
    match k.as_string() {
        Some(s) => format!("s{}", String::from_utf8_lossy(heap.str_bytes(s))),
        None => format!("{k:?}"),
    }
}

struct Bench {
    heap: Heap,
    random: Random,
    tables: Vec<*mut Table>,
}

impl Bench {
    fn new(seed: u64) -> Bench {
        let mut heap = Heap::new(seed);
        let tables = (0..4).map(|_| new_empty(&mut heap)).collect();
        Bench { heap, random: Random(seed * 0x9E37_79B9 + 77), tables }
    }

    fn key(&mut self, profile: u64) -> Value {
        let r = &mut self.random;
        let small = r.next(40) as i64;
        match (r.next(10) + profile) % 14 {
            0..=3 => Value::small_int(small + 1),
            4 => Value::small_int(r.next(1000) as i64 - 100),
            5 => Value::float(small as f64),
            6 => Value::float(small as f64 + 0.5),
            7 | 8 => self.heap.str_value(format!("k{}", small % 12).as_bytes()),
            9 => self.heap.str_value(format!("k{}", r.next(100)).as_bytes()),
            10 => self.heap.str_value("long ".repeat(20 + small as usize).as_bytes()),
            11 => self.heap.int(i64::MAX - small),
            12 => Value::bool(small % 2 == 0),
            _ => Value::table(self.tables[small as usize % 4]),
        }
    }

    fn value(&mut self) -> Value {
        match self.random.next(6) {
            0 | 1 => Value::NIL,
            2 => Value::float(self.random.next(100) as f64),
            3 => self.heap.str_value(format!("v{}", self.random.next(10)).as_bytes()),
            _ => Value::small_int(self.random.next(1000) as i64),
        }
    }
}

#[test]
fn agrees_with_model() {
    for seed in 1..120 {
        let mut b = Bench::new(seed);
        let t = new_empty(&mut b.heap);
        // SAFETY: nothing is collected in this test.
        let t = unsafe { &mut *t };
        let mut model: HashMap<String, (Value, Value)> = HashMap::new();
        let profile = seed % 14;
        for step in 0..600 {
            let k = b.key(profile);
            let v = b.value();
            t.set(&mut b.heap, k, v).unwrap();
            let canonical = match k.as_float().and_then(float_to_int) {
                Some(i) => Value::small_int(i),
                None => k,
            };
            let n = name(&mut b.heap, canonical);
            if v.is_nil() {
                model.remove(&n);
            } else {
                model.insert(n, (canonical, v));
            }
            check(t);
            let k = b.key(profile);
            let canonical = match k.as_float().and_then(float_to_int) {
                Some(i) => Value::small_int(i),
                None => k,
            };
            let n = name(&mut b.heap, canonical);
            let expected = model.get(&n).map_or(Value::NIL, |e| e.1);
            assert_eq!(t.get(&mut b.heap, k), expected, "seed {seed} step {step} key {n}");
            let len = t.len();
            assert!(len == 0 || !t.get_int(len).is_nil());
            assert!(t.get_int(len + 1).is_nil());
            if step % 50 == 49 {
                traverse(&mut b, t, &mut model);
            }
        }
    }
}

/// Visits everything by `next` and by position; in one run out of two, removing as it goes.
fn traverse(b: &mut Bench, t: &mut Table, model: &mut HashMap<String, (Value, Value)>) {
    let mut by_position = Vec::new();
    let mut at = 0;
    while let Some((after, k, v)) = t.next_from(at) {
        by_position.push((k, v));
        at = after;
    }
    assert_eq!(by_position.len(), model.len());
    let remove = b.random.next(2) == 0;
    let mut seen = Vec::new();
    let mut key = Value::NIL;
    while let Some((k, v)) = t.next(&mut b.heap, key).unwrap() {
        let n = name(&mut b.heap, k);
        assert_eq!(model[&n].1, v);
        seen.push((k, v));
        if remove && b.random.next(3) != 0 {
            t.set(&mut b.heap, k, Value::NIL).unwrap();
            model.remove(&n);
            check(t);
        } else {
            t.set(&mut b.heap, k, v).unwrap();
        }
        key = k;
    }
    assert!(seen == by_position);
}

/// A table that has no room takes no key, keeps all others, and goes on when keys were removed.
#[test]
fn full_tables_refuse_keys() {
    let (mut refused, mut taken) = (0, 0);
    for seed in 1..120 {
        let mut b = Bench::new(seed);
        b.heap.max_table = 32;
        let t = new_empty(&mut b.heap);
        // SAFETY: nothing is collected in this test.
        let t = unsafe { &mut *t };
        let mut model: HashMap<String, (Value, Value)> = HashMap::new();
        for step in 0..800 {
            let k = b.key(seed % 14);
            let v = if step % 200 < 150 { b.value() } else { Value::NIL };
            let canonical = match k.as_float().and_then(float_to_int) {
                Some(i) => Value::small_int(i),
                None => k,
            };
            let n = name(&mut b.heap, canonical);
            let pos = b.random.next(t.len() as u64 + 1) as i64 + 1;
            let insert =
                seed % 3 == 0 && step % 5 == 0 && !v.is_nil() && t.get_int(t.len() + 1).is_nil();
            let result = if insert {
                let moved: Vec<Value> = (pos..=t.len()).map(|i| t.get_int(i)).collect();
                t.insert_element(&mut b.heap, pos, v);
                let result = b.heap.settled();
                if result.is_ok() {
                    for (i, v) in std::iter::once(v).chain(moved).enumerate() {
                        let k = Value::small_int(pos + i as i64);
                        let n = name(&mut b.heap, k);
                        match v.is_nil() {
                            true => model.remove(&n),
                            false => model.insert(n, (k, v)),
                        };
                    }
                } else {
                    // Some elements may have been moved; none is gone.
                    for (i, v) in moved.iter().enumerate() {
                        let at = pos + i as i64;
                        assert!([at, at + 1].iter().any(|i| t.get_int(*i) == *v));
                        for i in [at, at + 1] {
                            let (k, v) = (Value::small_int(i), t.get_int(i));
                            let n = name(&mut b.heap, k);
                            match v.is_nil() {
                                true => model.remove(&n),
                                false => model.insert(n, (k, v)),
                            };
                        }
                    }
                }
                result
            } else {
                let result = t.set(&mut b.heap, k, v);
                if v.is_nil() {
                    assert_eq!(result, Ok(()));
                    model.remove(&n);
                } else if result.is_ok() {
                    model.insert(n, (canonical, v));
                }
                result
            };
            assert!(matches!(result, Ok(()) | Err(KeyError::Overflow)));
            refused += u32::from(result.is_err());
            taken += u32::from(result.is_ok());
            check_with(t, true);
            for (k, v) in model.values() {
                assert_eq!(t.get(&mut b.heap, *k), *v, "seed {seed} step {step}");
            }
            let mut count = 0;
            let mut at = 0;
            while let Some((after, _, _)) = t.next_from(at) {
                (at, count) = (after, count + 1);
            }
            assert_eq!(count, model.len(), "seed {seed} step {step}");
        }
    }
    assert!(refused > 1000 && taken > 10_000, "{refused} refused, {taken} taken");
}

#[test]
fn keys_that_cannot_be_set() {
    let mut heap = Heap::new(1);
    let t = new_empty(&mut heap);
    // SAFETY: nothing is collected in this test.
    let t = unsafe { &mut *t };
    assert_eq!(t.set(&mut heap, Value::NIL, Value::TRUE), Err(KeyError::Nil));
    assert_eq!(t.set(&mut heap, Value::float(f64::NAN), Value::TRUE), Err(KeyError::Nan));
    assert_eq!(t.get(&mut heap, Value::NIL), Value::NIL);
    assert!(t.next(&mut heap, Value::TRUE).is_err());
}

#[test]
fn arrays_filled_in_any_direction_are_arrays() {
    let mut heap = Heap::new(1);
    for mode in 0..4 {
        let t = new_empty(&mut heap);
        // SAFETY: nothing is collected in this test.
        let t = unsafe { &mut *t };
        let n = 1000;
        for i in 0..n {
            let key = match mode {
                0 => i + 1,
                1 => n - i,
                2 => i,
                _ => (i * 617) % n + 1,
            };
            t.set_int(&mut heap, key, Value::small_int(i));
            check(t);
        }
        assert_eq!(t.len(), if mode == 2 { n - 1 } else { n });
        assert!(t.arr_cap as i64 >= n - 1, "mode {mode}");
        for i in (1..=n).rev() {
            t.set_int(&mut heap, i, Value::NIL);
            check(t);
        }
        assert_eq!(t.len(), 0);
    }
}

#[test]
fn a_moving_queue_stays_small() {
    let mut heap = Heap::new(1);
    let t = new_empty(&mut heap);
    // SAFETY: nothing is collected in this test.
    let t = unsafe { &mut *t };
    for i in 1..100_000 {
        t.set_int(&mut heap, i, Value::TRUE);
        if i > 10 {
            assert_eq!(t.get_int(i - 10), Value::TRUE);
            t.set_int(&mut heap, i - 10, Value::NIL);
        }
    }
    check(t);
    assert!(t.outside_bytes() < 4096, "{}", t.outside_bytes());
}

#[test]
fn insert_and_remove_shift() {
    let mut random = Random(99);
    for _ in 0..200 {
        let mut heap = Heap::new(1);
        let t = new_empty(&mut heap);
        // SAFETY: nothing is collected in this test.
        let t = unsafe { &mut *t };
        let mut model: Vec<Value> = Vec::new();
        for i in 0..200 {
            if random.next(3) != 0 {
                let pos = random.next(model.len() as u64 + 1) as usize;
                t.insert_element(&mut heap, pos as i64 + 1, Value::small_int(i));
                model.insert(pos, Value::small_int(i));
            } else if !model.is_empty() {
                let pos = random.next(model.len() as u64) as usize;
                assert_eq!(t.remove_element(pos as i64 + 1), model.remove(pos));
            }
            check(t);
            assert_eq!(t.elements(), &model[..]);
        }
        t.set_range(&mut heap, 3.min(t.len() + 1), &[Value::TRUE, Value::NIL, Value::NIL]);
        check(t);
        let n = t.len();
        assert!(n < 1 || t.copy_elements(&mut heap, 1, n as usize, n + 1));
        check(t);
        assert_eq!(t.len(), 2 * n);
    }
}

#[test]
fn shapes_are_shared_whatever_the_order_of_metatable_and_keys() {
    let mut heap = Heap::new(1);
    let (x, y) = (heap.intern(b"x"), heap.intern(b"y"));
    let meta = new_empty(&mut heap);
    let template = shape::for_keys(&mut heap, &[x, y]);
    // SAFETY: nothing is collected in this test.
    unsafe {
        let a = &mut *new_table(&mut heap, 0, template);
        let b = &mut *new_empty(&mut heap);
        a.set_field(&mut heap, x, Value::TRUE);
        a.set_field(&mut heap, y, Value::TRUE);
        b.set_field(&mut heap, x, Value::TRUE);
        b.set_field(&mut heap, y, Value::TRUE);
        assert_eq!(a.shape, b.shape);
        assert!(!a.set_metatable(&mut heap, meta));
        let c = &mut *new_empty(&mut heap);
        assert!(!c.set_metatable(&mut heap, meta));
        c.set_field(&mut heap, x, Value::TRUE);
        c.set_field(&mut heap, y, Value::TRUE);
        assert_eq!(a.shape, c.shape);
        assert_ne!(a.shape, b.shape);
        let _ = a.set_metatable(&mut heap, ptr::null_mut());
        assert_eq!(a.shape, b.shape);
    }
}

#[test]
fn maps_become_dictionaries_and_records_do_not() {
    let mut heap = Heap::new(1);
    let (map, record) = (new_empty(&mut heap), new_empty(&mut heap));
    // SAFETY: nothing is collected in this test.
    let (map, record) = unsafe { (&mut *map, &mut *record) };
    for i in 0..300 {
        let key = heap.intern(format!("key{i}").as_bytes());
        map.set_str(&mut heap, key, Value::small_int(i));
        record.set_field(&mut heap, key, Value::small_int(i));
        check(map);
        check(record);
    }
    assert!(map.shape().is_dictionary());
    assert!(!record.shape().is_dictionary());
    for i in 0..300 {
        let key = heap.intern(format!("key{i}").as_bytes());
        assert_eq!(map.get_short(key), Value::small_int(i));
        assert_eq!(record.get_short(key), Value::small_int(i));
    }
    let key = heap.intern(b"key7");
    map.set_short(&mut heap, key, Value::NIL, true);
    assert!(!map.promote(&mut heap));
}

#[test]
fn method_caches_follow_changes() {
    let mut heap = Heap::new(1);
    let fb = Feedback::new();
    let names: Vec<_> =
        ["m", "n", "__index", "a"].iter().map(|n| heap.intern(n.as_bytes())).collect();
    let [m, n, index, a] = names[..] else { unreachable!() };
    let (class, base, object) = (new_empty(&mut heap), new_empty(&mut heap), new_empty(&mut heap));
    // SAFETY: nothing is collected in this test.
    unsafe {
        (*class).set_field(&mut heap, index, Value::table(class));
        (*base).set_field(&mut heap, index, Value::table(base));
        (*base).set_field(&mut heap, m, Value::small_int(1));
        let _ = (*object).set_metatable(&mut heap, class);
        (*object).set_field(&mut heap, a, Value::TRUE);
        let get = |heap: &mut Heap| get_field(heap, &fb, object, m).unwrap();
        assert_eq!(get(&mut heap), Value::NIL);
        assert_eq!(fb.cache.get(), CacheKind::Absent);
        let _ = (*class).set_metatable(&mut heap, base);
        assert_eq!(get(&mut heap), Value::small_int(1));
        assert_eq!(fb.cache.get(), CacheKind::Holder);
        assert_eq!(fb.holder.get(), base);
        (*base).set_field(&mut heap, m, Value::small_int(2));
        assert_eq!(fb.epoch.get(), heap.method_epoch.get());
        assert_eq!(get(&mut heap), Value::small_int(2));
        (*class).set_field(&mut heap, m, Value::small_int(3));
        assert_eq!(get(&mut heap), Value::small_int(3));
        (*class).set_field(&mut heap, m, Value::NIL);
        assert_eq!(get(&mut heap), Value::small_int(2));
        (*base).make_dictionary(&mut heap);
        assert_eq!(get(&mut heap), Value::small_int(2));
        assert!(!(*base).shape().is_dictionary());
        let epoch = heap.method_epoch.get();
        (*base).set_field(&mut heap, n, Value::TRUE);
        assert_ne!(epoch, heap.method_epoch.get());
        (*class).set_field(&mut heap, index, Value::NIL);
        assert_eq!(get(&mut heap), Value::NIL);
        (*object).set_field(&mut heap, m, Value::small_int(4));
        assert_eq!(get(&mut heap), Value::small_int(4));
        assert_eq!(fb.further()[0].cache, CacheKind::Own);
        assert!(metamethod(&mut heap, (*object).shape(), Metamethod::Len).is_nil());
        let len = heap.intern(b"__len");
        (*class).set_str(&mut heap, len, Value::TRUE);
        assert_eq!(metamethod(&mut heap, (*object).shape(), Metamethod::Len), Value::TRUE);
    }
    fb.release();
}

#[test]
fn field_sets_are_cached() {
    let mut heap = Heap::new(1);
    let (fx, fy) = (Feedback::new(), Feedback::new());
    let (x, y) = (heap.intern(b"x"), heap.intern(b"y"));
    for i in 0..10 {
        let t = new_empty(&mut heap);
        assert!(set_field(&mut heap, &fx, t, x, Value::small_int(i)));
        assert!(set_field(&mut heap, &fy, t, y, Value::small_int(i)));
        assert_eq!((fx.cache.get(), fy.cache.get()), (CacheKind::Add, CacheKind::Add));
        // SAFETY: nothing is collected in this test.
        unsafe {
            check(&*t);
            assert_eq!((*t).get_short(y), Value::small_int(i));
        }
        assert!(set_field(&mut heap, &fx, t, x, Value::NIL));
        assert!(set_field(&mut heap, &fx, t, x, Value::TRUE));
    }
    assert!(fx.misses.get() < 5);
    // Very many shapes at one site.
    for i in 0..200 {
        let t = new_empty(&mut heap);
        let key = heap.intern(format!("first{i}").as_bytes());
        // SAFETY: as above.
        unsafe { (*t).set_field(&mut heap, key, Value::TRUE) };
        assert!(set_field(&mut heap, &fx, t, x, Value::small_int(i)));
        // SAFETY: as above.
        assert_eq!(unsafe { (*t).get_short(x) }, Value::small_int(i));
    }
    assert_eq!(fx.cache.get(), CacheKind::Megamorphic);
    fx.release();
    fy.release();
}

#[test]
fn weak_modes_and_finalizers_are_noticed() {
    let mut heap = Heap::new(1);
    let (t, meta) = (new_empty(&mut heap), new_empty(&mut heap));
    let (mode, gc) = (heap.intern(b"__mode"), heap.intern(b"__gc"));
    let kv = heap.str_value(b"kv");
    // SAFETY: nothing is collected in this test.
    unsafe {
        (*meta).set_field(&mut heap, mode, kv);
        assert!(!(*t).set_metatable(&mut heap, meta));
        let weak = table_flags::WEAK_KEYS | table_flags::WEAK_VALUES;
        assert_eq!((*t).header.flags & weak, weak);
        (*meta).set_field(&mut heap, gc, Value::TRUE);
        assert!((*t).set_metatable(&mut heap, meta));
        assert!(!(*t).set_metatable(&mut heap, ptr::null_mut()));
        assert_eq!((*t).header.flags & weak, 0);
    }
}

#[test]
fn release_balances_the_account() {
    let mut heap = Heap::new(1);
    let plain = heap.shapes.plain;
    let t = new_table(&mut heap, 100, plain);
    // SAFETY: the table is not used after its release.
    unsafe {
        for i in 0..1000 {
            let key = heap.str_value(format!("key{i}").as_bytes());
            (*t).set(&mut heap, key, Value::TRUE).unwrap();
            (*t).set_int(&mut heap, i * i, Value::TRUE);
        }
        let (total, outside) = (heap.bytes, (*t).outside_bytes());
        release(&mut heap, t);
        assert_eq!(heap.bytes, total - outside);
    }
}
