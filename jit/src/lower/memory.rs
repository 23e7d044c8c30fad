//! Loads and stores of objects.

use core::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use perilune_runtime::heap::block::Room;
use perilune_runtime::heap::{BLACK, GRANULE, Heap, class_of};
use perilune_runtime::meta::Metamethod;
use perilune_runtime::object::{
    Function as FunctionObject, Header, Kind, LuaClosure, LuaString, Shape, Table, Upvalue,
    element_kind, table_flags,
};
use perilune_runtime::table::InlineLayout;

use super::*;

impl Lower<'_, '_> {
    /// An instruction that reads or writes an object.
    pub(super) fn memory(&mut self, value: Value) -> Option<V> {
        let inst = self.graph.inst(value);
        let arg = |l: &Self, i: usize| l.v(inst.args[i]);
        let aux = inst.aux as usize;
        Some(match inst.op {
            Opcode::TableShape => {
                let t = arg(self, 0);
                self.load(types::I64, t, offset_of!(Table, shape))
            }
            Opcode::TableSlots => {
                let t = arg(self, 0);
                self.load(types::I64, t, offset_of!(Table, slots))
            }
            Opcode::TableArr => {
                let t = arg(self, 0);
                self.load(types::I64, t, offset_of!(Table, arr))
            }
            Opcode::TableArrLen => {
                let t = arg(self, 0);
                self.load_u32(t, offset_of!(Table, arr_len))
            }
            Opcode::TableKind => {
                let t = arg(self, 0);
                self.load_u8(t, offset_of!(Table, header) + offset_of!(Header, aux))
            }
            Opcode::TableFlags => {
                let t = arg(self, 0);
                self.load_u8(t, offset_of!(Table, header) + offset_of!(Header, flags))
            }
            Opcode::TableHash => {
                let t = arg(self, 0);
                self.load(types::I64, t, offset_of!(Table, hash))
            }
            Opcode::TableLen => {
                let t = arg(self, 0);
                let len = self.load_u32(t, offset_of!(Table, arr_len));
                let none = self.icmp_imm(IntCC::Equal, len, 0);
                let snapshot = inst.snapshot.expect("a guard");
                self.if_rare(none, &[], &[], |l| {
                    let hash = l.load(types::I64, t, offset_of!(Table, hash));
                    l.leave_if(hash, snapshot);
                    vec![]
                });
                len
            }
            Opcode::ShapeMeta => {
                let s = arg(self, 0);
                self.load_const(types::I64, s, offset_of!(Shape, meta))
            }
            Opcode::StringLen => {
                let s = arg(self, 0);
                self.load_const(types::I64, s, offset_of!(LuaString, len))
            }
            Opcode::StringByte => {
                let (s, i) = (arg(self, 0), arg(self, 1));
                let data = self.load(types::I64, s, offset_of!(LuaString, data));
                let rope = self.icmp_imm(IntCC::Equal, data, 0);
                self.leave_if(rope, inst.snapshot.expect("a guard"));
                let at = self.b.ins().iadd(data, i);
                self.load_u8(at, 0)
            }
            Opcode::FuncProto => {
                let f = arg(self, 0);
                self.load_const(types::I64, f, offset_of!(FunctionObject, code))
            }
            Opcode::LoadConstUpval => {
                let upvalue = self.const_upvalue(inst.args[0], aux);
                let location = self.load(types::I64, upvalue, offset_of!(Upvalue, location));
                self.load(types::I64, location, 0)
            }
            Opcode::LoadUpval => {
                let upvalue = self.upvalue(inst.args[0], aux);
                let location = self.load(types::I64, upvalue, offset_of!(Upvalue, location));
                self.load(types::I64, location, 0)
            }
            Opcode::StoreUpval => {
                self.store_upvalue(value);
                return None;
            }
            Opcode::LoadEpoch => self.method_epoch(),
            Opcode::LoadPoll => self.load_u32(self.vm, offset_of!(Vm, poll) + Poll::WORD),
            Opcode::LoadRecord | Opcode::LoadRecordHere => {
                let slots = arg(self, 0);
                self.load(types::I64, slots, 8 * aux)
            }
            Opcode::StoreRecord => {
                let (slots, v) = (arg(self, 0), arg(self, 1));
                self.store(v, slots, 8 * aux as i32);
                return None;
            }
            Opcode::LoadElem | Opcode::LoadElemHere => {
                let (at, offset) = self.element_of(inst.args[0], inst.args[1]);
                self.b.ins().load(types::I64, trusted(), at, offset)
            }
            Opcode::StoreElem => {
                let (at, offset) = self.element_of(inst.args[0], inst.args[1]);
                let v = arg(self, 2);
                self.store(v, at, offset);
                return None;
            }
            Opcode::StoreShape => {
                let t = arg(self, 0);
                let shape = self.iconst(inst.imm);
                self.store(shape, t, offset_of!(Table, shape) as i32);
                return None;
            }
            Opcode::NewTable => self.new_table(inst.imm, aux >> 16, aux & 0xFFFF),
            Opcode::FillArray => {
                let t = arg(self, 0);
                let len = self.iconst(inst.imm);
                self.effect(|l| {
                    l.b.ins().istore32(trusted(), len, t, offset_of!(Table, arr_len) as i32)
                });
                let kind = self.iconst(inst.aux.into());
                let at = offset_of!(Table, header) + offset_of!(Header, aux);
                self.effect(|l| l.b.ins().istore8(trusted(), kind, t, at as i32));
                return None;
            }
            Opcode::SetMetatable => {
                let (t, meta) = (arg(self, 0), arg(self, 1));
                self.set_metatable(t, meta)
            }
            Opcode::StringSub => {
                let args = [self.vm, arg(self, 0), arg(self, 1), arg(self, 2)];
                self.call_native(Helper::StringSub, &args)[0]
            }
            Opcode::StringChar => {
                let byte = arg(self, 0);
                let offset = self.ishl_imm(byte, 3);
                let at = self.b.ins().iadd(self.vm, offset);
                let known = offset_of!(Vm, heap) + offset_of!(Heap, byte_strings);
                let known = self.load(types::I64, at, known);
                let absent = self.icmp_imm(IntCC::Equal, known, 0);
                self.if_rare(absent, &[known], &[types::I64], |l| {
                    vec![l.call_keep(Helper::StringChar, &[byte]).expect("an address")]
                })[0]
            }
            Opcode::GetString => {
                let args = [self.vm, arg(self, 0), arg(self, 1)];
                self.call_native(Helper::GetString, &args)[0]
            }
            Opcode::SetString => {
                let args = [self.vm, arg(self, 0), arg(self, 1), arg(self, 2)];
                let done = self.call_native(Helper::SetString, &args)[0];
                let full = self.icmp_imm(IntCC::Equal, done, 0);
                self.leave_if(full, inst.snapshot.expect("a guard"));
                return None;
            }
            Opcode::TableRemove => {
                let t = arg(self, 0);
                self.call_native(Helper::TableRemove, &[self.vm, t])[0]
            }
            Opcode::HasSlot => {
                let t = arg(self, 0);
                let cap = self.load_u32(t, offset_of!(Table, slot_cap));
                self.icmp_imm(IntCC::UnsignedGreaterThan, cap, aux as i64)
            }
            Opcode::Barrier => {
                let t = arg(self, 0);
                self.barrier(t);
                return None;
            }
            Opcode::AppendElem => {
                self.append(value);
                return None;
            }
            Opcode::NextKey => self.next_key(value),
            Opcode::Scratch => self.b.ins().load(types::I64, trusted(), self.vm, scratch(aux)),
            Opcode::GetIndex => {
                let (t, key) = (arg(self, 0), arg(self, 1));
                let hash = self.load(types::I64, t, offset_of!(Table, hash));
                let nil = self.iconst(encoding::NIL);
                self.if_rare(hash, &[nil], &[types::I64], |l| {
                    vec![l.call_keep(Helper::GetInt, &[t, key]).expect("a value")]
                })[0]
            }
            other => unreachable!("{other:?} touches no object"),
        })
    }

    /// The pair after a key: inline from element to element of the array part, else by a helper.
    fn next_key(&mut self, value: Value) -> V {
        let inst = self.graph.inst(value);
        let (t, key) = (self.v(inst.args[0]), self.v(inst.args[1]));
        let (there, fast, slow, join) = (
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
        );
        let next = self.b.append_block_param(join, types::I64);
        // The index of the next element is the integer key, or 0 after nil.
        let nil = self.iconst(encoding::NIL);
        let begins = self.b.ins().icmp(IntCC::Equal, key, nil);
        let tag = self.iconst(encoding::TAG_INT << TAG_SHIFT);
        let zero = self.iconst(0);
        let payload = self.b.ins().bxor(key, tag);
        // The key 0, which no array has, is not the beginning.
        let own = self.icmp_imm(IntCC::Equal, payload, 0);
        let payload = self.b.ins().select(own, key, payload);
        let index = self.b.ins().select(begins, zero, payload);
        // Another tag makes this greater than any length.
        let len = self.load_u32(t, offset_of!(Table, arr_len));
        let within = self.b.ins().icmp(IntCC::UnsignedLessThan, index, len);
        self.b.ins().brif(within, there, &[], slow, &[]);

        self.b.switch_to_block(there);
        let arr = self.load(types::I64, t, offset_of!(Table, arr));
        let at = self.element(arr, index);
        let v = self.load(types::I64, at, 0);
        let hole = self.b.ins().icmp(IntCC::Equal, v, nil);
        self.b.ins().brif(hole, slow, &[], fast, &[]);

        self.b.switch_to_block(fast);
        self.store(v, self.vm, scratch(1));
        let after = self.iadd_imm(index, 1);
        let after = self.b.ins().bor(after, tag);
        self.b.ins().jump(join, &[BlockArg::from(after)]);

        self.b.switch_to_block(slow);
        let hint = self.iconst(inst.imm);
        let found = self.call_native(Helper::NextKey, &[self.vm, t, key, hint])[0];
        self.b.ins().jump(join, &[BlockArg::from(found)]);
        self.b.switch_to_block(join);
        next
    }

    /// Address and offset of an element: a constant in the index becomes part of the offset.
    fn element_of(&mut self, arr: Value, index: Value) -> (V, i32) {
        let (root, by) = self.graph.offset(index);
        let (arr, root) = (self.v(arr), self.v(root));
        (self.element(arr, root), 8 * by as i32)
    }

    /// A table with all its slots nil, cut off the room of its size class: see `heap`. Where there is none
    /// left, and for large tables, the runtime does it.
    fn new_table(&mut self, shape: u64, slots: usize, elements: usize) -> V {
        let shape_word = self.iconst(shape);
        let by_helper = |l: &mut Self| {
            let (elements, slots) = (l.iconst(elements as u64), l.iconst(slots as u64));
            l.call_keep(Helper::AllocTable, &[shape_word, elements, slots]).expect("an address")
        };
        let Some(layout) = InlineLayout::of(slots, elements).filter(|_| shape != 0) else {
            return by_helper(self);
        };
        let class = class_of(layout.size);
        let room = offset_of!(Vm, heap) + offset_of!(Heap, room) + class * size_of::<Room>();
        let next = room + offset_of!(Room, next);
        let t = self.load(types::I64, self.vm, next);
        let end = self.load(types::I64, self.vm, room + offset_of!(Room, end));
        let after = self.iadd_imm(t, (class * GRANULE) as i64);
        let fits = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, after, end);
        let (fast, join) = (self.b.create_block(), self.b.create_block());
        let slow = self.cold_block();
        let result = self.b.append_block_param(join, types::I64);
        self.b.ins().brif(fits, fast, &[], slow, &[]);

        self.b.switch_to_block(slow);
        let made = by_helper(self);
        self.b.ins().jump(join, &[BlockArg::from(made)]);

        self.b.switch_to_block(fast);
        self.store(after, self.vm, next as i32);
        let color = self.load_u8(self.vm, offset_of!(Vm, heap) + offset_of!(Heap, alloc_color));
        let color = self.ishl_imm(color, 8 * offset_of!(Header, color) as i64);
        let header = self.bor_imm(color, Kind::Table as i64);
        let inline = size_of::<Table>() as i64;
        let at_slots = self.iadd_imm(t, inline);
        let at_arr = self.iadd_imm(t, inline + 8 * layout.slot_cap as i64);
        let zero = self.iconst(0);
        let lengths = self.iconst((elements as u64) << 32);
        let caps = self.iconst(layout.slot_cap as u64 | (layout.values as u64) << 32);
        for (offset, word) in [
            (offset_of!(Table, header), header),
            (offset_of!(Table, shape), shape_word),
            (offset_of!(Table, slots), at_slots),
            (offset_of!(Table, arr), at_arr),
            (offset_of!(Table, arr_len), lengths),
            (offset_of!(Table, hash), zero),
            (offset_of!(Table, slot_cap), caps),
        ] {
            self.store(word, t, offset as i32);
        }
        let nil = self.iconst(encoding::NIL);
        for i in 0..layout.values {
            self.store(nil, t, (size_of::<Table>() + 8 * i) as i32);
        }
        self.b.ins().jump(join, &[BlockArg::from(t)]);
        self.b.switch_to_block(join);
        result
    }

    fn element(&mut self, arr: V, index: V) -> V {
        let offset = self.ishl_imm(index, 3);
        self.b.ins().iadd(arr, offset)
    }

    /// An upvalue of a closure, which `debug.upvaluejoin` may replace.
    fn upvalue(&mut self, closure: Value, index: usize) -> V {
        let closure = self.v(closure);
        self.load(types::I64, closure, offset_of!(LuaClosure, upvalues) + 8 * index)
    }

    /// The same of a variable that the unit takes for constant: it leaves when that is replaced.
    fn const_upvalue(&mut self, closure: Value, index: usize) -> V {
        let closure = self.v(closure);
        self.load_const(types::I64, closure, offset_of!(LuaClosure, upvalues) + 8 * index)
    }

    fn store_upvalue(&mut self, value: Value) {
        let inst = self.graph.inst(value);
        let upvalue = self.upvalue(inst.args[0], inst.aux as usize);
        let location = self.load(types::I64, upvalue, offset_of!(Upvalue, location));
        let v = self.v(inst.args[1]);
        self.store(v, location, 0);
        let color = self.load_u8(upvalue, offset_of!(Header, color));
        let black = i64::from(BLACK);
        let black = self.icmp_imm(IntCC::UnsignedGreaterThanOrEqual, color, black);
        self.if_rare(black, &[], &[], |l| {
            l.call_keep(Helper::BarrierForward, &[upvalue, v]);
            vec![]
        });
    }

    fn barrier(&mut self, object: V) {
        let color = self.load_u8(object, offset_of!(Header, color));
        let black = i64::from(BLACK);
        let black = self.icmp_imm(IntCC::UnsignedGreaterThanOrEqual, color, black);
        self.if_rare(black, &[], &[], |l| {
            l.call_keep(Helper::Barrier, &[object]);
            vec![]
        });
    }

    fn method_epoch(&mut self) -> V {
        self.load_u32(self.vm, offset_of!(Vm, heap) + offset_of!(Heap, method_epoch))
    }

    /// A table's first metatable: inline where a table of its shape got the same one last, and that one
    /// asks for nothing at this occasion. Answers whether it was done.
    fn set_metatable(&mut self, t: V, meta: V) -> V {
        let slow = self.cold_block();
        let [second, fast, join] = std::array::from_fn(|_| self.block_like_this());
        let done = self.b.append_block_param(join, types::I8);
        let shape = self.load(types::I64, t, offset_of!(Table, shape));
        let last = self.load(types::I64, shape, offset_of!(Shape, last_meta));
        let same = self.b.ins().icmp(IntCC::Equal, last, meta);
        self.b.ins().brif(same, second, &[], slow, &[]);

        self.b.switch_to_block(second);
        let child = self.load(types::I64, shape, offset_of!(Shape, last_child));
        let asks = i64::from(Metamethod::Gc.bit() | Metamethod::Mode.bit());
        let absent = self.load_u32(child, offset_of!(Shape, absent));
        let present = self.b.ins().bnot(absent);
        let present = self.band_imm(present, asks);
        let known = self.load_u32(child, offset_of!(Shape, absent_epoch));
        let epoch = self.method_epoch();
        let stale = self.b.ins().bxor(known, epoch);
        let flags = self.load_u8(t, offset_of!(Table, header) + offset_of!(Header, flags));
        let watched = self.band_imm(flags, i64::from(table_flags::CACHED_METHODS));
        let any = self.b.ins().bor(present, stale);
        let any = self.b.ins().bor(any, watched);
        self.b.ins().brif(any, slow, &[], fast, &[]);

        self.b.switch_to_block(fast);
        self.store(child, t, offset_of!(Table, shape) as i32);
        self.barrier(t);
        let yes = self.b.ins().iconst(types::I8, 1);
        self.b.ins().jump(join, &[BlockArg::from(yes)]);

        self.b.switch_to_block(slow);
        let status = self.call_native(Helper::SetMetatable, &[self.vm, t, meta])[0];
        let status = self.b.ins().ireduce(types::I8, status);
        self.b.ins().jump(join, &[BlockArg::from(status)]);
        self.b.switch_to_block(join);
        done
    }

    /// `t[key] := v` inside the array, or right behind it while there is room; else by a helper.
    fn append(&mut self, value: Value) {
        let inst = self.graph.inst(value);
        let (t, key, v) = (self.v(inst.args[0]), self.v(inst.args[1]), self.v(inst.args[2]));
        let bit = inst.imm as i64;
        let holes = i64::from(element_kind::HOLES);
        let index = self.iadd_imm(key, -1);
        let len = self.load_u32(t, offset_of!(Table, arr_len));
        let kind = self.load_u8(t, offset_of!(Table, header) + offset_of!(Header, aux));
        let kind = self.band_imm(kind, bit | holes);
        let plain = self.icmp_imm(IntCC::Equal, kind, bit);
        let (fits, inside, behind, store, join) = (
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
        );
        let slow = self.cold_block();
        self.b.ins().brif(plain, fits, &[], slow, &[]);
        self.b.switch_to_block(fits);
        let within = self.b.ins().icmp(IntCC::UnsignedLessThan, index, len);
        self.b.ins().brif(within, store, &[], behind, &[]);

        self.b.switch_to_block(behind);
        let next = self.b.ins().icmp(IntCC::Equal, index, len);
        let cap = self.load_u32(t, offset_of!(Table, arr_cap));
        let room = self.b.ins().icmp(IntCC::UnsignedLessThan, len, cap);
        let hash = self.load(types::I64, t, offset_of!(Table, hash));
        let no_hash = self.icmp_imm(IntCC::Equal, hash, 0);
        let ok = self.b.ins().band(next, room);
        let ok = self.b.ins().band(ok, no_hash);
        self.b.ins().brif(ok, inside, &[], slow, &[]);

        self.b.switch_to_block(inside);
        let longer = self.iadd_imm(len, 1);
        self.b.ins().istore32(trusted(), longer, t, offset_of!(Table, arr_len) as i32);
        self.b.ins().jump(store, &[]);

        self.b.switch_to_block(store);
        let arr = self.load(types::I64, t, offset_of!(Table, arr));
        let at = self.element(arr, index);
        self.store(v, at, 0);
        self.b.ins().jump(join, &[]);

        self.b.switch_to_block(slow);
        self.call_keep(Helper::SetInt, &[t, key, v]);
        self.b.ins().jump(join, &[]);
        self.b.switch_to_block(join);
    }
}
