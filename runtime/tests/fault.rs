//! The door for memory refuses the n-th request while a state is made: it is whole, and says so or works.

use perilune_runtime::heap;
use perilune_runtime::state::Options;
use perilune_runtime::stdlib;
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

/// A state with all libraries, for which `count` requests from the `after`-th on are refused.
fn state(after: u64, count: u64) -> Box<Vm> {
    let fault = Some((after, count));
    let mut vm = Vm::new(Options { seed: Some(1), fault, ..Options::default() });
    stdlib::open(&mut vm, |_| true);
    vm
}

#[test]
fn creation() {
    let requests = state(u64::MAX / 2, 1).heap.requests();
    assert!(requests > 100, "{requests}");
    // Where addresses decide how full a table is, a few requests more or less are made.
    let mut unnoticed = 0;
    for n in (1..=requests).step_by(3) {
        let mut vm = state(n, 1 + n % 2 * 5);
        vm.heap.set_fault(u64::MAX, 0);
        heap::verify(&mut vm).unwrap_or_else(|problem| panic!("{n}: {problem}"));
        unnoticed += u32::from(vm.settled().is_ok());
        let env = Value::table(vm.globals);
        let chunk = vm.load(
            b"local s = 0 for i = 1, 100 do local t = {i} s = s + t[1] end return s",
            b"=c",
            env,
        );
        let function = chunk.expect("memory for a small chunk");
        let result = vm.call1(function, &[]).expect("memory for a small loop");
        assert_eq!(result, Value::small_int(5050), "{n}");
        heap::collect(&mut vm);
        heap::verify(&mut vm).unwrap_or_else(|problem| panic!("{n}, collected: {problem}"));
    }
    assert!(unnoticed <= 4, "{unnoticed} refusals went unnoticed");
}
