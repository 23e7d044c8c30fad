//! Units that rely on what holds no more: a variable that they take for constant was changed by
//! `debug.setupvalue` or `debug.upvaluejoin`.
//!
//! Each unit has one of the marks of `Vm::stale`, and looks at it behind its calls (see `ssa::build::constants`).
//! Setting a mark makes activations of its units leave, wherever they are. Marks are shared; so all units of a mark
//! are retired with those that were meant, and new units get marks that are not set.

use perilune_runtime::tier::COMPILED;
use perilune_runtime::vm::{STALE_MARKS, Vm};

use crate::tier::Jit;
use crate::units::UnitKind;

impl Jit {
    /// A mark for a new unit: the next that is not set. When all are, units leave behind each of their calls.
    pub(crate) fn next_mark(&self, vm: &Vm) -> u8 {
        let last = usize::from(self.last_mark.get());
        let marks = (1..=STALE_MARKS).map(|i| (last + i) % STALE_MARKS);
        let mark = marks.clone().find(|&mark| vm.stale[mark] == 0).unwrap_or(last);
        self.last_mark.set(mark as u8);
        mark as u8
    }

    /// Retires all units that rely on the variable, and has those that run leave.
    pub(crate) fn give_up_variable(&self, vm: &mut Vm, variable: u32) {
        let mut units = self.units.borrow_mut();
        let units = &mut *units;
        let stale = units.units.iter().filter(|unit| unit.relied.contains(&variable));
        let marks: Vec<u8> = stale.map(|unit| unit.mark).collect();
        if marks.is_empty() {
            return;
        }
        marks.iter().for_each(|&mark| vm.stale[usize::from(mark)] = 1);
        for unit in units.units.iter().filter(|unit| marks.contains(&unit.mark)) {
            unit.exits.iter().for_each(|exit| exit.stale.set(1));
            // SAFETY: a unit's prototype is live: `forget` takes its units out.
            let proto = unsafe { &*unit.proto };
            let Some(entry) = units.protos.get_mut(proto.tier_id.get()) else { continue };
            let version = entry.version(unit.kind);
            if version.unit != Some(unit.id) {
                continue;
            }
            version.unit = None;
            if unit.kind == UnitKind::Function {
                proto.head.jit_entry.set(vm.interpreter_entry);
                proto.tier_flags.set(proto.tier_flags.get() & !COMPILED);
            }
            proto.hotness.set(0);
            units.retired.push(unit.id);
            self.retired.set(true);
        }
    }

    /// No compiled code is active: units that relied on what holds no more are gone, and their marks free.
    pub(crate) fn clear_marks(&self, vm: &mut Vm) {
        vm.stale = [0; STALE_MARKS];
    }
}
