//! Tests of weak tables, ephemerons, finalizers and shapes under collection.

use super::tests::{Vector, full};
use super::*;
use crate::object::table_flags;
use crate::table;
use std::sync::atomic::Ordering;

fn new_table(heap: &mut Heap) -> *mut Table {
    table::new_empty(heap)
}

fn set(heap: &mut Heap, t: *mut Table, k: Value, v: Value) {
    // SAFETY: the tests use live tables.
    unsafe { (*t).set(heap, k, v).unwrap() };
}

fn get(heap: &mut Heap, t: *mut Table, k: Value) -> Value {
    // SAFETY: the tests use live tables.
    unsafe { (*t).get(heap, k) }
}

/// A table with that `__mode`.
fn weak(heap: &mut Heap, mode: &str) -> *mut Table {
    let (meta, t) = (new_table(heap), new_table(heap));
    let (k, v) = (heap.str_value(b"__mode"), heap.str_value(mode.as_bytes()));
    set(heap, meta, k, v);
    // SAFETY: both are live.
    assert!(!unsafe { (*t).set_metatable(heap, meta) });
    t
}

fn entries(t: *mut Table) -> usize {
    let (mut at, mut n) = (0, 0);
    // SAFETY: the tests use live tables.
    while let Some((next, _, _)) = unsafe { (*t).next_from(at) } {
        (at, n) = (next, n + 1);
    }
    n
}

#[test]
fn weak_values() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    let t = weak(&mut heap, "v");
    roots.0.push(Value::table(t));
    for i in 1..=100 {
        let v = Value::table(new_table(&mut heap));
        set(&mut heap, t, Value::small_int(i), v);
        let key = heap.str_value(format!("key{i}").as_bytes());
        set(&mut heap, t, key, v);
        set(&mut heap, t, Value::float(i as f64 + 0.5), v);
        if i % 10 == 0 {
            roots.0.push(v);
        }
    }
    let text = heap.str_value(b"strings are values");
    set(&mut heap, t, Value::TRUE, text);
    let wide = heap.int(i64::MAX);
    set(&mut heap, t, Value::FALSE, wide);
    full(&mut heap, &mut roots);
    assert_eq!(entries(t), 32);
    for i in 1..=100 {
        assert_eq!(get(&mut heap, t, Value::small_int(i)).is_nil(), i % 10 != 0);
    }
    roots.0.truncate(1);
    full(&mut heap, &mut roots);
    assert_eq!(entries(t), 2);
    // It can be filled again.
    for i in 1..=100 {
        set(&mut heap, t, Value::small_int(i), Value::TRUE);
    }
    full(&mut heap, &mut roots);
    assert_eq!(entries(t), 102);
}

#[test]
fn weak_keys_are_ephemerons() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    let t = weak(&mut heap, "k");
    roots.0.push(Value::table(t));
    // A chain: each value is the next key. Rooted by its first key.
    let n = 1000;
    let links: Vec<Value> = (0..n).map(|_| Value::table(new_table(&mut heap))).collect();
    for i in (0..n - 1).rev() {
        set(&mut heap, t, links[i], links[i + 1]);
    }
    // Values that refer to their own keys do not keep them.
    for _ in 0..100 {
        let k = new_table(&mut heap);
        set(&mut heap, k, Value::TRUE, Value::table(k));
        set(&mut heap, t, Value::table(k), Value::table(k));
    }
    roots.0.push(links[0]);
    full(&mut heap, &mut roots);
    assert_eq!(entries(t), n - 1);
    roots.0[1] = links[n / 2];
    full(&mut heap, &mut roots);
    assert_eq!(entries(t), n - 1 - n / 2);
    roots.0.truncate(1);
    full(&mut heap, &mut roots);
    assert_eq!(entries(t), 0);
}

#[test]
fn weak_keys_and_values() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    let t = weak(&mut heap, "kv");
    let (a, b, c) = (new_table(&mut heap), new_table(&mut heap), new_table(&mut heap));
    roots.0.extend([t, a, b].map(|t| Value::table(t)));
    set(&mut heap, t, Value::table(a), Value::table(b));
    set(&mut heap, t, Value::table(b), Value::table(c));
    set(&mut heap, t, Value::table(c), Value::table(a));
    full(&mut heap, &mut roots);
    assert_eq!(entries(t), 1);
    assert_eq!(get(&mut heap, t, Value::table(a)), Value::table(b));
}

#[test]
fn removed_keys_do_not_keep_objects() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    let t = new_table(&mut heap);
    roots.0.push(Value::table(t));
    let mut keys = Vec::new();
    for _ in 0..100 {
        let k = Value::table(new_table(&mut heap));
        keys.push(k);
        set(&mut heap, t, k, Value::TRUE);
    }
    full(&mut heap, &mut roots);
    let before = heap.count();
    for &k in &keys[..50] {
        set(&mut heap, t, k, Value::NIL);
    }
    full(&mut heap, &mut roots);
    assert!(heap.count() + 50 * 64 <= before);
    for _ in 0..1000 {
        let k = Value::table(new_table(&mut heap));
        set(&mut heap, t, k, Value::TRUE);
    }
    full(&mut heap, &mut roots);
    assert_eq!(entries(t), 1050);
    assert!(keys[50..].iter().all(|&k| get(&mut heap, t, k) == Value::TRUE));
}

#[test]
fn finalizers_in_reverse_order_and_resurrection() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    let weak_values = weak(&mut heap, "v");
    let weak_keys = weak(&mut heap, "k");
    roots.0.extend([weak_values, weak_keys].map(|t| Value::table(t)));
    let objects: Vec<_> = (0..10).map(|_| new_table(&mut heap)).collect();
    for (i, &o) in objects.iter().enumerate() {
        // SAFETY: live tables.
        unsafe {
            heap.register_finalizer(o);
            heap.register_finalizer(o);
        }
        set(&mut heap, weak_values, Value::small_int(i as i64 + 1), Value::table(o));
        set(&mut heap, weak_keys, Value::table(o), Value::TRUE);
    }
    roots.0.push(Value::table(objects[3]));
    full(&mut heap, &mut roots);
    assert_eq!(heap.finalizable.len(), 1);
    let order: Vec<_> = heap.pending.iter().map(|o| o.addr()).collect();
    let expected: Vec<_> =
        objects.iter().rev().filter(|&&o| o != objects[3]).map(|o| o.addr()).collect();
    assert_eq!(order, expected);
    // Gone from weak values, still there as weak keys until finalized.
    assert_eq!(entries(weak_values), 1);
    assert_eq!(entries(weak_keys), 10);
    full(&mut heap, &mut roots);
    assert_eq!(heap.pending.len(), 9);
    // "Finalized": the flag goes with the queue; they can be registered again.
    while let Some(o) = heap.pending.pop_front() {
        // SAFETY: pending objects are valid.
        unsafe { (*o).flags &= !table_flags::FINALIZER };
    }
    full(&mut heap, &mut roots);
    assert_eq!(entries(weak_keys), 1);
}

#[test]
fn shapes_die_with_their_tables() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    full(&mut heap, &mut roots);
    let before = heap.count();
    for round in 0..50 {
        let meta = new_table(&mut heap);
        for i in 0..20 {
            let t = new_table(&mut heap);
            // SAFETY: both are live.
            let _ = unsafe { (*t).set_metatable(&mut heap, meta) };
            for k in 0..i {
                let key = heap.str_value(format!("field{}", (k * round) % 17).as_bytes());
                set(&mut heap, t, key, Value::table(meta));
            }
            roots.0.push(Value::table(t));
        }
        if round % 10 == 0 {
            full(&mut heap, &mut roots);
        }
    }
    full(&mut heap, &mut roots);
    roots.0.clear();
    full(&mut heap, &mut roots);
    assert!(heap.count() < before + 4096, "{} {before}", heap.count());
}

/// Random work on a graph of tables, with steps of all sizes between; everything checked.
#[test]
fn random_tables_under_steps() {
    let mut heap = Heap::new(3);
    let mut roots = Vector::default();
    let mut x = 88172645463325252u64;
    let mut random = move |n: u64| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x % n
    };
    let modes = ["k", "v", "kv"];
    for _ in 0..30 {
        let t = new_table(&mut heap);
        roots.0.push(Value::table(t));
    }
    for mode in modes {
        let t = weak(&mut heap, mode);
        roots.0.push(Value::table(t));
    }
    for round in 0..150_000u32 {
        let pick = random(roots.0.len() as u64) as usize;
        let t: *mut Table = roots.0[pick].ptr();
        let key = match random(6) {
            0 => Value::small_int(random(50) as i64),
            1 => Value::float(random(20) as f64 / 2.0),
            2 => heap.str_value(format!("k{}", random(40)).as_bytes()),
            3 => {
                let text = format!("a long key that is not interned, number {}", random(40));
                heap.str_value(text.as_bytes())
            }
            4 => heap.int(i64::MAX - random(20) as i64),
            _ => roots.0[random(roots.0.len() as u64) as usize],
        };
        let value = match random(6) {
            0 => Value::NIL,
            1 => Value::small_int(1),
            2 => heap.str_value(format!("v{}", random(1000)).as_bytes()),
            3 => roots.0[random(roots.0.len() as u64) as usize],
            4 => {
                let old = get(&mut heap, t, key);
                let fresh = new_table(&mut heap);
                set(&mut heap, fresh, key, old);
                Value::table(fresh)
            }
            _ => Value::table(new_table(&mut heap)),
        };
        set(&mut heap, t, key, value);
        if random(500) == 0 && pick < 30 {
            roots.0[pick] = Value::table(new_table(&mut heap));
        }
        if random(20) == 0 {
            heap.single_step(&mut roots, 1 + random(5000) as isize);
        }
        if round.is_multiple_of(3000) {
            heap.verify(&mut roots).unwrap();
        }
        if round.is_multiple_of(20_000) {
            full(&mut heap, &mut roots);
        }
    }
    full(&mut heap, &mut roots);
    roots.0.clear();
    full(&mut heap, &mut roots);
    assert!(heap.count() < 100_000, "{}", heap.count());
}

/// Prints what the collector costs binary trees: `cargo test --release -- --ignored --nocapture trees`.
#[test]
#[ignore = "a measurement"]
fn trees() {
    fn tree(heap: &mut Heap, depth: u32) -> Value {
        let plain = heap.shapes.plain;
        let t = table::new_table(heap, 2, plain);
        if depth > 0 {
            for i in 1..=2 {
                let child = tree(heap, depth - 1);
                // SAFETY: just made.
                unsafe { (*t).set_int(heap, i, child) };
            }
        }
        Value::table(t)
    }
    let poll = Poll::new(0);
    let mut heap = Heap::new(1);
    // SAFETY: `poll` outlives the heap's use.
    unsafe { heap.attach(&poll) };
    let mut roots = Vector::default();
    let long = tree(&mut heap, 18);
    roots.0.push(long);
    full(&mut heap, &mut roots);
    let (mut most, mut steps, mut collecting) = (0, 0, 0);
    let start = std::time::Instant::now();
    let (rounds, depth) = (4000, 10);
    for _ in 0..rounds {
        std::hint::black_box(tree(&mut heap, depth));
        let asked = poll.load(Ordering::Relaxed) != 0;
        poll.lower(POLL_GC, 0);
        if asked {
            let start = std::time::Instant::now();
            most = most.max(heap.bytes);
            steps += 1;
            heap.allocation_step(&mut roots);
            collecting += start.elapsed().as_nanos();
        }
    }
    let nodes = rounds << (depth + 1);
    println!(
        "{:.1} ns per node, {:.1} of it in steps; {} cycles, {steps} steps, live {} kB, most {} kB",
        start.elapsed().as_nanos() as f64 / f64::from(nodes),
        collecting as f64 / f64::from(nodes),
        heap.cycles,
        heap.live_estimate >> 10,
        most >> 10,
    );
    full(&mut heap, &mut roots);
    for what in ["full, live", "full, dead"] {
        let start = std::time::Instant::now();
        heap.full_cycle(&mut roots);
        println!(
            "{what}: {:.1} ns per node",
            start.elapsed().as_nanos() as f64 / f64::from(1 << 19)
        );
        roots.0.clear();
    }
}
