//! Arithmetic on strings: the metamethods by which strings that read as numbers are numbers
//! (manual §3.4.3).

use crate::interp::arith::Arith;
use crate::meta::Metamethod;
use crate::object::Table;
use crate::value::Value;
use crate::vm::{Args, Vm};

use super::Outcome;

/// Stores the metamethods in the metatable of strings.
pub(super) fn register(vm: &mut Vm, meta: *mut Table) {
    vm.register(
        meta,
        &[
            ("__add", |vm, a| arith(vm, a, Arith::Add), 0),
            ("__sub", |vm, a| arith(vm, a, Arith::Sub), 0),
            ("__mul", |vm, a| arith(vm, a, Arith::Mul), 0),
            ("__mod", |vm, a| arith(vm, a, Arith::Mod), 0),
            ("__pow", |vm, a| arith(vm, a, Arith::Pow), 0),
            ("__div", |vm, a| arith(vm, a, Arith::Div), 0),
            ("__idiv", |vm, a| arith(vm, a, Arith::IDiv), 0),
            ("__unm", |vm, a| arith(vm, a, Arith::Unm), 0),
        ],
    );
}

fn arith(vm: &mut Vm, a: Args, op: Arith) -> Outcome {
    let (x, y) = (a.get(1), a.get(2));
    if let (Some(x), Some(y)) = (vm.to_number(x), vm.to_number(y)) {
        let r = vm.arith(op, x, y)?;
        return a.ret1(r);
    }
    // The second operand may have a metamethod that the string's hid.
    let event = op.metamethod();
    let handler = if y.is_string() { Value::NIL } else { vm.metamethod(y, event) };
    if handler.is_nil() {
        let message = format!(
            "attempt to {} a '{}' with a '{}'",
            Metamethod::event(event),
            x.ty().name(),
            y.ty().name()
        );
        return Err(vm.error(&message));
    }
    let r = vm.call1(handler, &[x, y])?;
    a.ret1(r)
}
