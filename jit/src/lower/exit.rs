//! Guards and exits.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use perilune_ir::exits::SlotKind;
use perilune_ir::ssa::SlotValue;
use perilune_runtime::object::{Header, Kind, Proto, WideInt};

use super::*;
use crate::exits::{ExitDescriptor, ExitSpec};

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

    /// Leaves by `snapshot` unless `ok`.
    pub(super) fn guard_that(&mut self, ok: V, snapshot: SnapshotId) {
        let exit = self.exit_block(snapshot);
        let next = self.block_like_this();
        if self.force_exits {
            let counted = self.b.create_block();
            self.b.ins().brif(ok, counted, &[], exit, &[]);
            self.b.switch_to_block(counted);
            let forced = self.descriptor(snapshot);
            let at = self.iconst(forced as u64);
            let offset = core::mem::offset_of!(ExitDescriptor, countdown) as i32;
            let left = self.b.ins().load(types::I32, trusted(), at, offset);
            let left = self.b.ins().iadd_imm_s(left, -1);
            self.b.ins().store(trusted(), left, at, offset);
            let go_on = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, left, 0);
            self.b.ins().brif(go_on, next, &[], exit, &[]);
        } else {
            self.b.ins().brif(ok, next, &[], exit, &[]);
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
                let block = self.cold_block();
                self.b.append_block_param(block, types::I64);
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
        self.leave_by(descriptor);
    }

    /// Ends the current block by leaving through a descriptor whose slots are stored.
    pub(super) fn leave_by(&mut self, descriptor: *const ExitDescriptor) {
        let exit = self.iconst(descriptor as u64);
        let leave = self.leave_block();
        self.b.ins().jump(leave, &[BlockArg::from(exit)]);
    }

    /// The block that all exits end in; it takes the descriptor.
    fn leave_block(&mut self) -> ClifBlock {
        match self.leave_block {
            Some(block) => block,
            None => {
                let block = self.cold_block();
                self.b.append_block_param(block, types::I64);
                self.leave_block = Some(block);
                block
            }
        }
    }

    /// Leaves through the descriptor `exit`.
    pub(super) fn leave_unit(&mut self, exit: V) {
        match &self.graph.entry {
            Entry::Loop { .. } => {
                let outcome = self.iconst(-1i64 as u64);
                self.effect(|l| l.b.ins().return_(&[outcome, exit]));
            }
            Entry::Function => {
                let sig = self.tail_signature();
                let stub = self.iconst(Helper::Deopt.address() as u64);
                self.effect(|l| l.b.ins().return_call_indirect(sig, stub, &[l.vm, l.base, exit]));
            }
            Entry::Typed { .. } => {
                let sig = self.tail_signature();
                let stub = self.iconst(Helper::Deopt.address() as u64);
                let call =
                    self.effect(|l| l.b.ins().call_indirect(sig, stub, &[l.vm, l.base, exit]));
                let first = self.b.inst_results(call)[1];
                let convert = self.convert_block();
                self.b.ins().jump(convert, &[BlockArg::from(first)]);
            }
        }
    }

    pub(super) fn convert_block(&mut self) -> ClifBlock {
        match self.convert_block {
            Some(block) => block,
            None => {
                let block = self.cold_block();
                self.b.append_block_param(block, types::I64);
                self.convert_block = Some(block);
                block
            }
        }
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
        if let Some(block) = self.convert_block {
            self.b.switch_to_block(block);
            let boxed = self.b.block_params(block)[0];
            let Entry::Typed { result, .. } = self.graph.entry else {
                unreachable!("only typed units convert results")
            };
            let zero = self.iconst(0);
            let one = self.iconst(1);
            let tag = self.b.ins().ushr_imm_u(boxed, i64::from(TAG_SHIFT));
            match result {
                Type::Int => {
                    let is_int =
                        self.b.ins().icmp_imm_u(IntCC::Equal, tag, encoding::TAG_INT as i64);
                    let up = self.b.ins().ishl_imm_u(boxed, 16);
                    let int = self.b.ins().sshr_imm_u(up, 16);
                    let payload = self.b.ins().select(is_int, int, boxed);
                    let kind = self.b.ins().select(is_int, zero, one);
                    self.b.ins().return_(&[payload, kind]);
                }
                Type::Float => {
                    let limit = encoding::TAG_IMMEDIATE as i64;
                    let is_float = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, tag, limit);
                    let payload = self.b.ins().bitcast(types::F64, MemFlagsData::new(), boxed);
                    let kind = self.b.ins().select(is_float, zero, one);
                    self.b.ins().return_(&[payload, kind]);
                }
                _ => {
                    self.b.ins().return_(&[boxed, zero]);
                }
            }
        }
        if let Some(block) = self.throw_block {
            self.b.switch_to_block(block);
            self.call_native(Helper::Throw, &[self.vm]);
            self.trap();
        }
    }

    /// A guard instruction.
    pub(super) fn guard(&mut self, value: Value) -> Option<V> {
        let inst = self.graph.inst(value);
        let x = self.v(inst.args[0]);
        let snapshot = inst.snapshot;
        let tag = |l: &mut Self| l.b.ins().ushr_imm_u(x, i64::from(TAG_SHIFT));
        let pointer = |l: &mut Self, expected: u64| {
            if inst.aux == 0 {
                let tag = tag(l);
                let ok = l.b.ins().icmp_imm_u(IntCC::Equal, tag, expected as i64);
                l.guard_that(ok, snapshot.expect("a guard"));
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
            Opcode::GuardInt => {
                let tag = tag(self);
                let ok = self.b.ins().icmp_imm_u(IntCC::Equal, tag, encoding::TAG_INT as i64);
                if inst.aux != 0 {
                    return Some(self.guard_any_int(x, ok, s));
                }
                self.guard_that(ok, s);
                Some(self.payload(x))
            }
            Opcode::GuardFloat => {
                let ok = self.is_float(x);
                self.guard_that(ok, s);
                Some(self.b.ins().bitcast(types::F64, MemFlagsData::new(), x))
            }
            Opcode::GuardNumber => {
                let is_float = self.is_float(x);
                let float = self.b.ins().bitcast(types::F64, MemFlagsData::new(), x);
                let joined = self.unless(is_float, &[float], &[types::F64], |l| {
                    let tag = l.b.ins().ushr_imm_u(x, i64::from(TAG_SHIFT));
                    let ok = l.b.ins().icmp_imm_u(IntCC::Equal, tag, encoding::TAG_INT as i64);
                    let ok = match inst.args.get(1) {
                        Some(&other) => {
                            let other = l.v(other);
                            let float = l.is_float(other);
                            l.b.ins().band(ok, float)
                        }
                        None => ok,
                    };
                    l.guard_that(ok, s);
                    let int = l.payload(x);
                    vec![l.b.ins().fcvt_from_sint(types::F64, int)]
                });
                Some(joined[0])
            }
            Opcode::GuardBool => {
                // false is …2, true …3
                let low = self.iconst(encoding::FALSE);
                let bits = self.b.ins().bxor(x, low);
                let ok = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, bits, 1);
                self.guard_that(ok, s);
                Some(self.b.ins().ireduce(types::I8, bits))
            }
            Opcode::GuardBits | Opcode::GuardRaw => {
                let expected = self.iconst(inst.imm);
                let ok = self.b.ins().icmp(IntCC::Equal, x, expected);
                self.guard_that(ok, s);
                None
            }
            Opcode::GuardNotNil => {
                let nil = self.iconst(encoding::NIL);
                let ok = self.b.ins().icmp(IntCC::NotEqual, x, nil);
                self.guard_that(ok, s);
                None
            }
            Opcode::GuardTrue => {
                self.guard_that(x, s);
                None
            }
            Opcode::GuardBounds => {
                let y = self.v(inst.args[1]);
                let ok = self.b.ins().icmp(IntCC::UnsignedLessThan, x, y);
                self.guard_that(ok, s);
                None
            }
            Opcode::GuardInt48 => {
                let back = self.payload(x);
                let ok = self.b.ins().icmp(IntCC::Equal, back, x);
                self.guard_that(ok, s);
                None
            }
            Opcode::GuardKind => {
                let bits = self.b.ins().band_imm_u(x, i64::from(inst.aux));
                let ok = self.b.ins().icmp_imm_u(IntCC::Equal, bits, inst.imm as i64);
                self.guard_that(ok, s);
                None
            }
            Opcode::FloatToInt => {
                let int = self.b.ins().fcvt_to_sint_sat(types::I64, x);
                let back = self.b.ins().fcvt_from_sint(types::F64, int);
                let same = self.b.ins().fcmp(FloatCC::Equal, back, x);
                let below = self.b.ins().icmp_imm_s(IntCC::NotEqual, int, i64::MAX);
                let ok = self.b.ins().band(same, below);
                self.guard_that(ok, s);
                Some(int)
            }
            other => unreachable!("{other:?} is no guard"),
        }
    }

    /// The payload of a word as a signed integer.
    pub(super) fn payload(&mut self, x: V) -> V {
        let up = self.b.ins().ishl_imm_u(x, 16);
        self.b.ins().sshr_imm_u(up, 16)
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

    /// The integer in `x`, inline (`small` says so) or in a cell.
    fn guard_any_int(&mut self, x: V, small: V, snapshot: SnapshotId) -> V {
        let int = self.payload(x);
        self.unless(small, &[int], &[types::I64], |l| {
            let tag = l.b.ins().ushr_imm_u(x, i64::from(TAG_SHIFT));
            let other = l.b.ins().icmp_imm_u(IntCC::Equal, tag, encoding::TAG_OTHER as i64);
            l.guard_that(other, snapshot);
            let pointer = l.untagged(x);
            let kind = l.load_u8(pointer, core::mem::offset_of!(Header, kind));
            let wide = l.b.ins().icmp_imm_u(IntCC::Equal, kind, Kind::WideInt as i64);
            l.guard_that(wide, snapshot);
            vec![l.load(types::I64, pointer, core::mem::offset_of!(WideInt, value))]
        })[0]
    }

    /// Whether the boxed `x` is a double.
    pub(super) fn is_float(&mut self, x: V) -> V {
        let limit = self.iconst(encoding::TAG_IMMEDIATE << TAG_SHIFT);
        self.b.ins().icmp(IntCC::UnsignedLessThan, x, limit)
    }
}
