//! Tests of the collector on its own, with roots in a vector and no state.

use std::ptr;

use super::cycle::stop;
use super::*;
use crate::object::{LuaClosure, NativeFunction, Upvalue, Userdata};
use std::sync::atomic::Ordering;

/// Roots for tests.
#[derive(Default)]
pub(super) struct Vector(pub(super) Vec<Value>);

impl Roots for Vector {
    fn visit(&mut self, visit: &mut dyn FnMut(*mut Header)) {
        self.0.iter().filter(|v| v.is_heap()).for_each(|v| visit(v.header()));
    }
    fn visit_thread(&mut self, _: *mut Thread, _: bool, _: &mut dyn FnMut(*mut Header)) -> usize {
        0
    }
    fn finish_thread(&mut self, _: *mut Thread, _: bool) {}
    fn visit_code(&mut self, _: *mut Proto, _: &mut dyn FnMut(*mut Header)) {}
    fn forget_code(&mut self, _: *mut Proto) {}
}

/// A userdata with user values, as a general container.
fn container(heap: &mut Heap, values: &[Value]) -> *mut Userdata {
    let header = heap.header(Kind::Userdata);
    heap.alloc_with(
        Kind::Userdata,
        0,
        Userdata { header, meta: ptr::null_mut(), data: None, user_values: values.into() },
    )
}

pub(super) fn full(heap: &mut Heap, roots: &mut Vector) {
    heap.full_cycle(roots);
    heap.verify(roots).unwrap();
    let (counted, found) = heap.audit();
    assert_eq!(counted, found);
}

#[test]
fn sizes_and_classes() {
    assert_eq!(class_of(1), 1);
    assert_eq!(class_of(16), 1);
    assert_eq!(class_of(17), 2);
    assert_eq!(class_of(MAX_SMALL), CLASSES - 1);
    assert_eq!(size_of::<LuaClosure>(), 16);
    assert_eq!(size_of::<WideInt>(), 16);
    assert_eq!(size_of::<Upvalue>(), 32);
}

#[test]
fn unreachable_objects_are_freed() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    let kept = heap.int(i64::MAX);
    roots.0.push(kept);
    full(&mut heap, &mut roots);
    let before = heap.count();
    for i in 0..100_000 {
        heap.int(i64::MAX - i);
        heap.str_value(format!("string number {i}").as_bytes());
    }
    assert!(heap.count() > before + 1_000_000);
    full(&mut heap, &mut roots);
    assert_eq!(heap.count(), before);
    assert_eq!(kept.as_int(), Some(i64::MAX));
}

#[test]
fn interning_and_resurrection_while_sweeping() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    // Of more than one byte: shorter ones stay.
    let own = heap.strings.count;
    let old: Vec<_> = (0..10_000).map(|i| heap.str_value(format!("n{i}").as_bytes())).collect();
    assert_eq!(heap.strings.count, own + 10_000);
    heap.full_cycle(&mut roots);
    assert_eq!(heap.strings.count, own);
    let old_len = old.len();
    let new: Vec<_> = (0..old_len).map(|i| heap.str_value(format!("n{i}").as_bytes())).collect();
    // Mark with none rooted, then ask for half of them while the sweep goes on.
    while heap.phase != Phase::Sweep {
        heap.single_step(&mut roots, 1);
    }
    for (i, &s) in new.iter().take(old_len / 2).enumerate() {
        assert_eq!(heap.str_value(format!("n{i}").as_bytes()), s);
    }
    while heap.phase == Phase::Sweep {
        heap.single_step(&mut roots, 1);
    }
    assert_eq!(heap.strings.count, own + old_len / 2);
    heap.verify(&mut roots).unwrap();
}

#[test]
fn barriers_keep_the_invariant() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    let many: Vec<Value> = (0..20_000).map(|i| heap.int(i64::MIN + i)).collect();
    let parent = container(&mut heap, &many);
    roots.0.push(Value::userdata(parent));
    heap.single_step(&mut roots, 1);
    while !heap.gray.is_empty() {
        heap.single_step(&mut roots, 1);
    }
    assert_eq!(heap.phase, Phase::Mark);
    // SAFETY: the parent is rooted.
    unsafe {
        assert_eq!((*parent).header.color, BLACK);
        for i in 0..many.len() {
            (&mut (*parent).user_values)[i] = heap.int(i64::MAX - i as i64);
        }
        heap.barrier_back(parent);
        assert_eq!((*parent).header.color, GRAY);
    }
    while !heap.single_step(&mut roots, 1 << 14) {
        heap.verify(&mut roots).unwrap();
    }
    // SAFETY: the parent is rooted.
    let values = unsafe { &(*parent).user_values };
    for (i, v) in values.iter().enumerate() {
        assert_eq!(v.as_int(), Some(i64::MAX - i as i64));
    }
}

#[test]
fn incremental_cycles_with_mutation_stay_valid() {
    let mut heap = Heap::new(7);
    let mut roots = Vector::default();
    let width = 64;
    let top = container(&mut heap, &vec![Value::NIL; width]);
    roots.0.push(Value::userdata(top));
    let mut x = 12345u64;
    for round in 0..60_000 {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (x >> 33) as usize % width;
        // SAFETY: everything reached from the rooted container is live.
        unsafe {
            let old = (&(*top).user_values)[at];
            let child = if x >> 60 < 8 {
                let text =
                    heap.str_value(format!("a somewhat longer text, {}", x >> 40).as_bytes());
                container(&mut heap, &[old, text])
            } else {
                container(&mut heap, &[Value::NIL])
            };
            (&mut (*top).user_values)[at] = Value::userdata(child);
            heap.barrier_back(top);
        }
        if round % 7 == 0 {
            heap.single_step(&mut roots, 2000);
        }
        if round % 1000 == 0 {
            heap.verify(&mut roots).unwrap();
        }
    }
    assert!(heap.cycles > 2);
    full(&mut heap, &mut roots);
}

#[test]
fn host_values_are_dropped_later() {
    struct Probe(std::rc::Rc<std::cell::Cell<u32>>);
    impl Drop for Probe {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let dropped = std::rc::Rc::new(std::cell::Cell::new(0));
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    for i in 0..10 {
        let u = container(&mut heap, &[]);
        // SAFETY: just allocated.
        unsafe { (*u).data = Some(Box::new(Probe(dropped.clone()))) };
        if i < 3 {
            roots.0.push(Value::userdata(u));
        }
    }
    full(&mut heap, &mut roots);
    assert_eq!(dropped.get(), 0);
    heap.graveyard.clear();
    assert_eq!(dropped.get(), 7);
    drop(heap);
    assert_eq!(dropped.get(), 10);
}

#[test]
fn memory_returns_after_peaks() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    for i in 0..1_000_000 {
        let v = heap.int(i64::MAX - i);
        roots.0.push(v);
    }
    let chunks = heap.store.chunk_count();
    roots.0.clear();
    full(&mut heap, &mut roots);
    assert!(heap.store.chunk_count() < chunks / 2, "{} of {chunks}", heap.store.chunk_count());
}

#[test]
fn stopping_and_limits() {
    let poll = Poll::new(0);
    let mut heap = Heap::new(1);
    // SAFETY: `poll` outlives the heap's use.
    unsafe { heap.attach(&poll) };
    heap.stop();
    assert!(!heap.is_running() && heap.stopped == stop::USER);
    heap.account(100 << 20);
    assert_eq!(poll.load(Ordering::Relaxed), 0);
    heap.set_limit(150 << 20);
    heap.account(60 << 20);
    assert_eq!(poll.load(Ordering::Relaxed), POLL_GC);
    heap.restart();
    assert!(heap.is_running());
}

#[test]
fn stress_takes_the_slow_path() {
    let poll = Poll::new(0);
    let mut heap = Heap::new(1);
    // SAFETY: `poll` outlives the heap's use.
    unsafe { heap.attach(&poll) };
    heap.int(i64::MAX);
    heap.set_stress(1, true);
    poll.lower(POLL_GC, 0);
    heap.int(i64::MAX);
    assert_eq!(poll.load(Ordering::Relaxed), POLL_GC);
    full(&mut heap, &mut Vector::default());
}

#[test]
fn large_objects() {
    let mut heap = Heap::new(1);
    let mut roots = Vector::default();
    let before = heap.count();
    for i in 0..100 {
        let size = size_of::<NativeFunction>() + 1000 * 8;
        let f: *mut NativeFunction = heap.alloc(Kind::NativeFunction, size);
        // SAFETY: just allocated with that size.
        unsafe {
            (*f).header.extra = 1000;
            (*f).outside = 0;
            (&raw mut (*f).host).write(None);
            fill_nil((&raw mut (*f).upvalues).cast(), 1000);
        }
        if i % 10 == 0 {
            roots.0.push(Value::native(f));
        }
    }
    assert_eq!(heap.store.large.len(), 100);
    full(&mut heap, &mut roots);
    assert_eq!(heap.store.large.len(), 10);
    roots.0.clear();
    full(&mut heap, &mut roots);
    assert_eq!(heap.count(), before);
}

/// Prints what allocation and collection cost: `cargo test --release -- --ignored --nocapture cost`.
#[test]
#[ignore = "a measurement"]
fn cost() {
    let poll = Poll::new(0);
    let mut heap = Heap::new(1);
    // SAFETY: `poll` outlives the heap's use.
    unsafe { heap.attach(&poll) };
    let mut roots = Vector::default();
    let time = |what: &str, n: u64, f: &mut dyn FnMut()| {
        let start = std::time::Instant::now();
        f();
        println!("{what}: {:.2} ns", start.elapsed().as_nanos() as f64 / n as f64);
    };
    let n = 10_000_000u64;
    time("wide integer, collected by steps", n, &mut || {
        for i in 0..n {
            std::hint::black_box(heap.int(i64::MAX - i as i64));
            if poll.load(Ordering::Relaxed) != 0 {
                poll.lower(POLL_GC, 0);
                heap.allocation_step(&mut roots);
            }
        }
    });
    println!("cycles: {}, bytes {}", heap.cycles, heap.bytes);
    time("intern a known string", n, &mut || {
        for _ in 0..n {
            std::hint::black_box(heap.intern(std::hint::black_box(b"identifier")));
        }
    });
    time("intern a known character", n, &mut || {
        for i in 0..n {
            std::hint::black_box(heap.intern(&[i as u8]));
        }
    });
    time("new short string", n / 10, &mut || {
        for i in 0..n / 10 {
            std::hint::black_box(heap.intern(&i.to_le_bytes()));
            if poll.load(Ordering::Relaxed) != 0 {
                poll.lower(POLL_GC, 0);
                heap.allocation_step(&mut roots);
            }
        }
    });
    let x = heap.new_string(b"x");
    time("s = s .. x", n / 10, &mut || {
        let mut s = heap.new_string(b"");
        for _ in 0..n / 10 {
            s = heap.concat(s, x).unwrap();
            roots.0 = vec![Value::string(s), Value::string(x)];
            if poll.load(Ordering::Relaxed) != 0 {
                poll.lower(POLL_GC, 0);
                heap.allocation_step(&mut roots);
            }
        }
        assert_eq!(heap.str_bytes(s).len() as u64, n / 10);
    });
    time("s = x .. s", n / 10, &mut || {
        let mut s = heap.new_string(b"");
        for _ in 0..n / 10 {
            s = heap.concat(x, s).unwrap();
            roots.0 = vec![Value::string(s), Value::string(x)];
            if poll.load(Ordering::Relaxed) != 0 {
                poll.lower(POLL_GC, 0);
                heap.allocation_step(&mut roots);
            }
        }
        assert_eq!(heap.str_bytes(s).len() as u64, n / 10);
    });
    roots.0.clear();
    heap.full_cycle(&mut roots);
    let count = 1_000_000;
    let mut top = container(&mut heap, &[]);
    for _ in 0..count / 2 {
        let leaf = container(&mut heap, &[]);
        top = container(&mut heap, &[Value::userdata(top), Value::userdata(leaf)]);
    }
    roots.0.push(Value::userdata(top));
    time("full cycle, per live object", count, &mut || heap.full_cycle(&mut roots));
    roots.0.clear();
    time("full cycle, per dead object", count, &mut || heap.full_cycle(&mut roots));
}
#[test]
fn pacing_keeps_garbage_in_bounds() {
    let poll = Poll::new(0);
    let mut heap = Heap::new(1);
    // SAFETY: `poll` outlives the heap's use.
    unsafe { heap.attach(&poll) };
    let mut roots = Vector::default();
    let mut most = 0;
    for i in 0..1_000_000 {
        heap.int(i64::MAX - i);
        let asked = poll.load(Ordering::Relaxed) != 0;
        poll.lower(POLL_GC, 0);
        if asked {
            most = most.max(heap.bytes);
            heap.allocation_step(&mut roots);
        }
    }
    assert!(most < 2 << 20, "{most}");
    assert!(heap.cycles > 8 && heap.cycles < 40, "{}", heap.cycles);
}
