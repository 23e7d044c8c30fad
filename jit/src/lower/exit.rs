//! Guards and exits.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use perilune_ir::exits::SlotKind;
use perilune_ir::ssa::{Inst, SlotValue};
use perilune_runtime::object::{Header, Kind, Proto, WideInt};

use super::*;
use crate::exits::{EntryCheck, ExitDescriptor, ExitSpec};

/// How a value of this type is stored in a slot.
fn slot_kind(ty: Type) -> SlotKind {
    match ty {
        Type::Any => SlotKind::Boxed,
        Type::Int => SlotKind::RawInt,
        Type::Float => SlotKind::RawFloat,
        Type::Bool => SlotKind::RawBool,
        Type::Table => SlotKind::RawTable,
        Type::Str => SlotKind::RawString,
        Type::Func => SlotKind::RawFunction,
        Type::Raw | Type::None => unreachable!("no Lua value"),
    }
}

impl Lower<'_, '_> {
    /// The block that leaves by `snapshot`.
    pub(super) fn exit_block(&mut self, snapshot: SnapshotId) -> ClifBlock {
        if let Some(&block) = self.exit_blocks.get(&snapshot) {
            return block;
        }
        let block = self.cold_block();
        self.exit_blocks.insert(snapshot, block);
        self.pending.push((block, snapshot));
        block
    }

    /// Leaves by `snapshot` if `wrong`. The exit is the first target: Cranelift looks at the second one first,
    /// and hoists nothing out of a loop any more when it has seen a block outside.
    pub(super) fn leave_if(&mut self, wrong: V, snapshot: SnapshotId) {
        let exit = self.exit_block(snapshot);
        let next = self.block_like_this();
        if self.force_exits {
            let counted = self.b.create_block();
            self.b.ins().brif(wrong, exit, &[], counted, &[]);
            self.b.switch_to_block(counted);
            let forced = self.descriptor(snapshot);
            let at = self.iconst(forced as u64);
            let offset = core::mem::offset_of!(ExitDescriptor, countdown) as i32;
            let left = self.b.ins().load(types::I32, trusted(), at, offset);
            let left = self.iadd_imm(left, -1);
            self.b.ins().store(trusted(), left, at, offset);
            let over = self.icmp_imm(IntCC::SignedLessThan, left, 0);
            self.b.ins().brif(over, exit, &[], next, &[]);
        } else {
            self.b.ins().brif(wrong, exit, &[], next, &[]);
        }
        self.b.switch_to_block(next);
    }

    /// The exit descriptor of a snapshot; each use of a snapshot shares one.
    pub(super) fn descriptor(&mut self, snapshot: SnapshotId) -> *const ExitDescriptor {
        if let Some(&d) = self.descriptors.get(&snapshot) {
            return d;
        }
        let spec = self.spec(snapshot, None);
        // SAFETY: the builder names slots of the unit's frames, which its entry checks for room.
        let d = unsafe { self.exits.add(spec) };
        self.descriptors.insert(snapshot, d);
        d
    }

    /// What the exit at `snapshot` is; `extra` is a slot that the code stores besides, boxed.
    fn spec(&self, snapshot: SnapshotId, extra: Option<i32>) -> ExitSpec {
        let s = &self.graph.snapshots[snapshot.0 as usize];
        let mut slots: Vec<(i32, SlotKind)> = s
            .slots
            .iter()
            .map(|&(slot, value)| match value {
                SlotValue::Bits(bits) => (slot, SlotKind::ConstBits(bits)),
                SlotValue::Value(v) => (slot, slot_kind(self.graph.ty(v))),
            })
            .collect();
        slots.extend(extra.map(|slot| (slot, SlotKind::Boxed)));
        ExitSpec {
            proto: s.proto as *mut Proto,
            pc: s.pc,
            frame: s.base as u32,
            reason: s.reason,
            site_proto: s.site_proto as *mut Proto,
            site_pc: s.site_pc,
            top: s.top,
            slots: slots.into_boxed_slice(),
        }
    }

    /// Stores the raw words of a snapshot's slots.
    pub(super) fn store_slots(&mut self, snapshot: SnapshotId) {
        let graph = self.graph;
        for &(slot, value) in &graph.snapshots[snapshot.0 as usize].slots {
            if let SlotValue::Value(v) = value {
                let word = match graph.ty(v) {
                    Type::Bool => {
                        let v = self.v(v);
                        self.b.ins().uextend(types::I64, v)
                    }
                    _ => self.stored_word(v),
                };
                self.store(word, self.base, Self::slot(slot));
            }
        }
    }

    /// Ends the current (cold) block by leaving through `snapshot`. Snapshots that store the same
    /// values share the code that does.
    pub(super) fn leave_shared(&mut self, snapshot: SnapshotId) {
        let graph = self.graph;
        let stored: Vec<(i32, Value)> = graph.snapshots[snapshot.0 as usize]
            .slots
            .iter()
            .filter_map(|&(slot, value)| match value {
                SlotValue::Value(v) => Some((slot, v)),
                SlotValue::Bits(_) => None,
            })
            .collect();
        if stored.is_empty() {
            return self.leave(snapshot, None);
        }
        let exit = self.descriptor(snapshot);
        let exit = self.iconst(exit as u64);
        let block = match self.store_blocks.get(&stored) {
            Some(&block) => block,
            None => {
                let block = self.cold_block_of_word();
                self.store_blocks.insert(stored, block);
                self.unfilled.push((block, snapshot));
                block
            }
        };
        self.b.ins().jump(block, &[BlockArg::from(exit)]);
    }

    /// Ends the current (cold) block by leaving through `snapshot`; `extra` is one more slot with
    /// its boxed value.
    pub(super) fn leave(&mut self, snapshot: SnapshotId, extra: Option<(i32, V)>) {
        self.store_slots(snapshot);
        let descriptor = match extra {
            Some((slot, v)) => {
                self.store(v, self.base, Self::slot(slot));
                let spec = self.spec(snapshot, Some(slot));
                // SAFETY: as in `descriptor`.
                unsafe { self.exits.add(spec) }
            }
            None => self.descriptor(snapshot),
        };
        let exit = self.iconst(descriptor as u64);
        let leave = self.leave_block();
        self.b.ins().jump(leave, &[BlockArg::from(exit)]);
    }

    /// A cold block that takes a word.
    fn cold_block_of_word(&mut self) -> ClifBlock {
        let block = self.cold_block();
        self.b.append_block_param(block, types::I64);
        block
    }

    /// The block that all exits end in; it takes the descriptor.
    pub(super) fn leave_block(&mut self) -> ClifBlock {
        if self.leave_block.is_none() {
            self.leave_block = Some(self.cold_block_of_word());
        }
        self.leave_block.expect("just made")
    }

    /// Leaves through the descriptor `exit`.
    pub(super) fn leave_unit(&mut self, exit: V) {
        let (way_out, signature) = match self.graph.entry {
            Entry::Loop { .. } => {
                let outcome = self.iconst(-1i64 as u64);
                self.effect(|l| l.b.ins().return_(&[outcome, exit]));
                return;
            }
            Entry::Function => (Helper::Deopt, self.tail_signature()),
            Entry::Typed { result, .. } => {
                let helper = match result {
                    Type::Int => Helper::DeoptInt,
                    Type::Float => Helper::DeoptFloat,
                    _ => Helper::DeoptAny,
                };
                (helper, self.helper_signature(helper))
            }
        };
        let way_out = self.iconst(way_out.address() as u64);
        self.effect(|l| l.b.ins().return_call_indirect(signature, way_out, &[l.vm, l.base, exit]));
    }

    /// Fills the blocks that all exits and throws share.
    pub(super) fn finish_cold_blocks(&mut self) {
        while let Some((block, snapshot)) = self.unfilled.pop() {
            self.b.switch_to_block(block);
            self.store_slots(snapshot);
            let exit = self.b.block_params(block)[0];
            let leave = self.leave_block();
            self.b.ins().jump(leave, &[BlockArg::from(exit)]);
        }
        if let Some(block) = self.leave_block {
            self.b.switch_to_block(block);
            let exit = self.b.block_params(block)[0];
            self.leave_unit(exit);
        }
        if let Some(block) = self.throw_block {
            self.b.switch_to_block(block);
            self.call_native(Helper::Throw, &[self.vm]);
            self.trap();
        }
    }

    /// Whether the guard is checked before the loop is entered: it is for a slot's tag alone.
    fn is_entry_check(&mut self, inst: &Inst) -> bool {
        let read = self.graph.inst(inst.args[0]);
        let Some(snapshot) = inst.snapshot else { return false };
        let stored = !self.graph.snapshots[snapshot.0 as usize].slots.is_empty();
        if !self.at_entry || stored || read.op != Opcode::LoadSlot || inst.aux != 0 {
            return false;
        }
        let tags = match inst.op {
            Opcode::GuardInt => encoding::TAG_INT..=encoding::TAG_INT,
            Opcode::GuardFloat => 0..=encoding::TAG_IMMEDIATE - 1,
            Opcode::GuardTable => encoding::TAG_TABLE..=encoding::TAG_TABLE,
            Opcode::GuardString => encoding::TAG_STRING..=encoding::TAG_STRING,
            Opcode::GuardFunction => encoding::TAG_FUNCTION..=encoding::TAG_FUNCTION,
            _ => return false,
        };
        let exit = self.descriptor(snapshot);
        self.entry_checks.push(EntryCheck { slot: read.aux as i32, tags, exit });
        true
    }

    /// A guard instruction.
    pub(super) fn guard(&mut self, value: Value) -> Option<V> {
        let inst = self.graph.inst(value);
        let x = self.v(inst.args[0]);
        let checked = self.is_entry_check(inst);
        let snapshot = inst.snapshot;
        let tag = |l: &mut Self| l.ushr_imm(x, i64::from(TAG_SHIFT));
        let pointer = |l: &mut Self, expected: u64| {
            if inst.aux == 0 && !checked {
                let tag = tag(l);
                let wrong = l.icmp_imm(IntCC::NotEqual, tag, expected as i64);
                l.leave_if(wrong, snapshot.expect("a guard"));
            }
            Some(l.untagged(x))
        };
        match inst.op {
            Opcode::GuardTable => return pointer(self, encoding::TAG_TABLE),
            Opcode::GuardString => return pointer(self, encoding::TAG_STRING),
            Opcode::GuardFunction => return pointer(self, encoding::TAG_FUNCTION),
            _ => {}
        }
        let s = snapshot.expect("a guard");
        match inst.op {
            Opcode::GuardInt if checked => Some(self.payload(x)),
            Opcode::GuardFloat if checked => {
                Some(self.b.ins().bitcast(types::F64, MemFlagsData::new(), x))
            }
            Opcode::GuardInt => {
                let tag = tag(self);
                let wrong = self.icmp_imm(IntCC::NotEqual, tag, encoding::TAG_INT as i64);
                if inst.aux != 0 {
                    return Some(self.guard_any_int(x, wrong, s));
                }
                self.leave_if(wrong, s);
                Some(self.payload(x))
            }
            Opcode::GuardFloat => {
                let wrong = self.is_no_float(x);
                self.leave_if(wrong, s);
                Some(self.b.ins().bitcast(types::F64, MemFlagsData::new(), x))
            }
            Opcode::GuardNumber => {
                let other = self.is_no_float(x);
                let float = self.b.ins().bitcast(types::F64, MemFlagsData::new(), x);
                let joined = self.if_rare(other, &[float], &[types::F64], |l| {
                    let tag = l.ushr_imm(x, i64::from(TAG_SHIFT));
                    let tag_int = encoding::TAG_INT as i64;
                    let wrong = l.icmp_imm(IntCC::NotEqual, tag, tag_int);
                    let wrong = match inst.args.get(1) {
                        Some(&other) => {
                            let other = l.v(other);
                            let no_float = l.is_no_float(other);
                            l.b.ins().bor(wrong, no_float)
                        }
                        None => wrong,
                    };
                    l.leave_if(wrong, s);
                    let int = l.payload(x);
                    vec![l.b.ins().fcvt_from_sint(types::F64, int)]
                });
                Some(joined[0])
            }
            Opcode::GuardBool => {
                // false is …2, true …3
                let low = self.iconst(encoding::FALSE);
                let bits = self.b.ins().bxor(x, low);
                let wrong = self.icmp_imm(IntCC::UnsignedGreaterThan, bits, 1);
                self.leave_if(wrong, s);
                Some(self.b.ins().ireduce(types::I8, bits))
            }
            Opcode::GuardBits | Opcode::GuardRaw => {
                let expected = self.iconst(inst.imm);
                let wrong = self.b.ins().icmp(IntCC::NotEqual, x, expected);
                self.leave_if(wrong, s);
                None
            }
            Opcode::GuardNotNil => {
                let nil = self.iconst(encoding::NIL);
                let wrong = self.b.ins().icmp(IntCC::Equal, x, nil);
                self.leave_if(wrong, s);
                None
            }
            Opcode::GuardTrue => {
                let wrong = self.inverse(inst.args[0]);
                let wrong = wrong.unwrap_or_else(|| self.icmp_imm(IntCC::Equal, x, 0));
                self.leave_if(wrong, s);
                None
            }
            Opcode::GuardBounds => {
                let y = self.v(inst.args[1]);
                let wrong = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, x, y);
                self.leave_if(wrong, s);
                None
            }
            Opcode::GuardInt48 => {
                let back = self.payload(x);
                let wrong = self.b.ins().icmp(IntCC::NotEqual, back, x);
                self.leave_if(wrong, s);
                None
            }
            Opcode::GuardKind => {
                let bits = self.band_imm(x, i64::from(inst.aux));
                let wrong = self.icmp_imm(IntCC::NotEqual, bits, inst.imm as i64);
                self.leave_if(wrong, s);
                None
            }
            Opcode::FloatToInt => {
                let int = self.b.ins().fcvt_to_sint_sat(types::I64, x);
                let back = self.b.ins().fcvt_from_sint(types::F64, int);
                let part = self.b.ins().fcmp(FloatCC::NotEqual, back, x);
                let above = self.icmp_imm(IntCC::Equal, int, i64::MAX);
                let wrong = self.b.ins().bor(part, above);
                self.leave_if(wrong, s);
                Some(int)
            }
            other => unreachable!("{other:?} is no guard"),
        }
    }

    /// The payload of a word as a signed integer.
    pub(super) fn payload(&mut self, x: V) -> V {
        let up = self.ishl_imm(x, 16);
        self.sshr_imm(up, 16)
    }

    /// The address in a boxed pointer. Shifts, because Cranelift computes an operation with a mask anew in
    /// each block that uses it; where programs have addresses with bit 47 set, there is no way around.
    fn untagged(&mut self, x: V) -> V {
        if cfg!(target_arch = "x86_64") {
            self.payload(x)
        } else {
            let mask = self.iconst(encoding::PAYLOAD);
            self.b.ins().band(x, mask)
        }
    }

    /// The integer in `x`, inline or in a cell (`other` than inline).
    fn guard_any_int(&mut self, x: V, other: V, snapshot: SnapshotId) -> V {
        let int = self.payload(x);
        self.if_rare(other, &[int], &[types::I64], |l| {
            let tag = l.ushr_imm(x, i64::from(TAG_SHIFT));
            let wrong = l.icmp_imm(IntCC::NotEqual, tag, encoding::TAG_OTHER as i64);
            l.leave_if(wrong, snapshot);
            let pointer = l.untagged(x);
            let kind = l.load_u8(pointer, core::mem::offset_of!(Header, kind));
            let wrong = l.icmp_imm(IntCC::NotEqual, kind, Kind::WideInt as i64);
            l.leave_if(wrong, snapshot);
            vec![l.load(types::I64, pointer, core::mem::offset_of!(WideInt, value))]
        })[0]
    }

    /// Whether the boxed `x` is no double.
    fn is_no_float(&mut self, x: V) -> V {
        let limit = self.iconst(encoding::TAG_IMMEDIATE << TAG_SHIFT);
        self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, x, limit)
    }
}
