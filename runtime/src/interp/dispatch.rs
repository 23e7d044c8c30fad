//! The dispatch loop.
//!
//! Hot state lives in locals: `ip` (the current instruction, not the next one), `base`, `proto` and
//! `k`. Each handler has the cases that matter inline and leaves the rest to a function outside; it
//! ends by moving `ip`. The loop is instantiated for plain runs, for runs that collect a profile for
//! the tier, and for runs with hooks.

use perilune_ir::bytecode::{NO_FEEDBACK, Op, Word};
use std::sync::atomic::Ordering;

use super::align_code;
use super::arith::{NO_NUMBER, float_mod, float_pow, floor_div, floor_mod};
use super::calls::{self, CallStep, LoopStep, TailStep};
use super::number_macros;
use super::quick::*;
use super::separate;
use super::{
    Outcome, access, arith, compare, concat, decode, forloop, frame_ops, metaframe, operators, poll,
};
use super::{closure_of, proto_of, return_link};
use crate::hooks;
use crate::object::{
    CacheKind, Feedback, Kind, LuaClosure, LuaString, Proto, Table, Types, WideInt, table_flags,
};
use crate::proto::upvalue;
use crate::table::kind_of;
use crate::tier;
use crate::value::{TAG_INT, TAG_SHIFT, Value};
use crate::vm::{Link, POLL_HOOK, Throw, Vm};

/// Runs the frame at `entry` from `start` until it returns, with every Lua function that is called.
///
/// # Safety
/// `entry` is a complete frame of a Lua function (registers up to its parameters set), `start` an
/// instruction of it.
#[allow(clippy::cognitive_complexity)]
pub(super) unsafe fn execute<const PROFILE: bool, const HOOKS: bool>(
    vm: &mut Vm,
    entry: *mut Value,
    start: *const u32,
) -> Result<Outcome, Throw> {
    // SAFETY: bytecode is verified: registers, constants, upvalues, functions and feedback cells named
    // by it exist, control never leaves the code, and windows are within the frame. Frames are
    // complete by the call protocol, and values in them are live: collection happens only at
    // safepoints, with frames up to date.
    unsafe {
        let mut base = entry;
        let mut ip = start;
        let mut proto: *mut Proto = proto_of(base);
        let mut k: *const Value = (*proto).constants.as_ptr();

        // Ends a handler. The comment differs from handler to handler, which keeps the compiler from
        // merging their ends (each would then pay a jump).
        macro_rules! done {
            ($words:literal) => {{
                ip = ip.add($words);
                separate!();
                continue;
            }};
        }
        macro_rules! reg {
            ($i:expr) => {
                *base.add($i as usize)
            };
        }
        // The constant that operand `C` or `B` names.
        macro_rules! konst {
            ($i:expr) => {
                *k.add($i as usize)
            };
        }
        // The target of the jump in the second word.
        macro_rules! target {
            () => {
                ip.offset(*ip.add(1) as i32 as isize + 2)
            };
        }
        // Enters the Lua function that handles the operator at `ip` if `$prepared` made its frame.
        macro_rules! metamethod_frame {
            ($nargs:literal, $prepared:expr) => {
                if !PROFILE && !HOOKS && $prepared {
                    let frame = metaframe::above(base);
                    enter_frame!(closure_of(frame), frame, $nargs)
                }
            };
        }
        macro_rules! slow_access {
            ($function:ident, $nargs:literal) => {
                if PROFILE || HOOKS {
                    slow!(access::$function::<false>(vm, base, ip));
                } else {
                    match access::$function::<true>(vm, base, ip) {
                        Ok(prepared) => metamethod_frame!($nargs, prepared),
                        Err(throw) => return Err(throw),
                    }
                }
            };
        }
        macro_rules! slow {
            ($call:expr) => {
                if $call.is_err() {
                    return Err(Throw);
                }
            };
        }
        macro_rules! cell {
            ($index:expr) => {
                (*proto).feedback.as_ptr().add($index as usize)
            };
        }
        macro_rules! note {
            ($cell:expr, $v:expr) => {
                if PROFILE {
                    let cell: *const Feedback = $cell;
                    let bits = Types::of($v);
                    let seen = (*cell).types.get();
                    if seen & bits == 0 {
                        (*cell).types.set(seen | bits);
                    }
                }
            };
        }
        macro_rules! note_at {
            ($index:expr, $v:expr) => {
                if PROFILE && $index != u32::from(NO_FEEDBACK) {
                    note!(cell!($index), $v);
                }
            };
        }
        macro_rules! note_site {
            ($bit:expr) => {
                if PROFILE {
                    let index = *ip.add(1) >> 16;
                    if index != u32::from(NO_FEEDBACK) {
                        let cell: *const Feedback = cell!(index);
                        let seen = (*cell).sites.get();
                        if seen & $bit == 0 {
                            (*cell).sites.set(seen | $bit);
                        }
                    }
                }
            };
        }
        // Continues at `$base`, `$ip` of another frame.
        macro_rules! switch_to {
            ($base:expr, $ip:expr) => {{
                base = $base;
                ip = $ip;
                proto = proto_of(base);
                k = (*proto).constants.as_ptr();
            }};
        }
        macro_rules! test_jump {
            ($word:expr, $cond:expr) => {{
                let offset = *ip.add(1) as i32 as isize;
                let holds: bool = $cond;
                ip = ip.offset(if holds == ($word.c() != 0) { offset + 2 } else { 2 });
                separate!();
                continue;
            }};
        }
        // Goes on in compiled code of the loop at `ip`, if the function called says so.
        macro_rules! compiled_loop {
            ($enter:path) => {{
                let (original, link) = return_link(base);
                match $enter(vm, base, ip) {
                    Ok(LoopStep::Go) => {}
                    Ok(LoopStep::Resume(b, i)) => switch_to!(b, i),
                    Ok(LoopStep::Returned(n)) => break (original.sub(2), n, original, link),
                    Err(throw) => return Err(throw),
                }
            }};
        }
        // `ip` is a loop's header, where a unit for the loop may be entered.
        macro_rules! loop_header {
            () => {
                if PROFILE {
                    let heat = (*proto).hotness.get() - tier::LOOP_HEAT;
                    (*proto).hotness.set(heat);
                    if heat < 0 {
                        compiled_loop!(calls::loop_hot)
                    }
                }
            };
        }
        // `ip` is the target of a back-edge just taken.
        macro_rules! safepoint {
            () => {
                if !likely(vm.poll.load(Ordering::Relaxed) == 0) {
                    slow!(poll(vm, base, ip));
                    if HOOKS != (vm.poll.load(Ordering::Relaxed) & POLL_HOOK != 0) {
                        return Ok(Outcome::Switch { base, ip });
                    }
                }
            };
        }
        macro_rules! back_edge {
            () => {{
                // First, for compiled code may resume elsewhere than at a back-edge.
                safepoint!();
                loop_header!();
                separate!();
                continue;
            }};
        }
        number_macros!($ vm base ip);
        // `$obj[K]` with the instruction's cache: the first entry inline.
        macro_rules! get_field {
            ($t:expr, $store:expr) => {{
                let t: Value = $t;
                let index = *ip.add(1) >> 16;
                if likely(tag(t) == TABLE && index != u32::from(NO_FEEDBACK)) {
                    let table: *mut Table = t.ptr();
                    let cell: *const Feedback = cell!(index);
                    if likely((*table).shape == (*cell).shape.get()) {
                        let slot = (*cell).slot.get() as usize;
                        if likely((*cell).cache.get() == CacheKind::Own) {
                            let v = *(*table).slots.add(slot);
                            if likely(!v.is_nil()) {
                                note!(cell, v);
                                $store(v);
                                done!(2)
                            }
                        } else if (*cell).epoch.get() == vm.heap.method_epoch.get() {
                            if likely((*cell).cache.get() == CacheKind::Holder) {
                                let v = *(*(*cell).holder.get()).slots.add(slot);
                                note!(cell, v);
                                $store(v);
                                done!(2)
                            }
                            if (*cell).cache.get() == CacheKind::Absent {
                                note!(cell, Value::NIL);
                                $store(Value::NIL);
                                done!(2)
                            }
                        }
                    }
                }
                slow_access!(get_field_slow, 2);
            }};
        }
        macro_rules! set_field {
            ($t:expr, $v:expr) => {{
                let (t, v): (Value, Value) = ($t, $v);
                let index = *ip.add(1) >> 16;
                if likely(tag(t) == TABLE && index != u32::from(NO_FEEDBACK)) {
                    let table: *mut Table = t.ptr();
                    let cell: *const Feedback = cell!(index);
                    note!(cell, v);
                    if likely((*table).shape == (*cell).shape.get() && !v.is_nil()) {
                        if likely((*cell).cache.get() == CacheKind::Own) {
                            let slot = (*table).slots.add((*cell).slot.get() as usize);
                            // A field that is absent (fresh from a constructor, say) is set as
                            // one that is there, where nobody watches.
                            if likely(!(*slot).is_nil())
                                || (*(*table).shape).meta.is_null()
                                    && (*table).header.flags & table_flags::WATCHED == 0
                            {
                                *slot = v;
                                vm.heap.barrier_back(table);
                                done!(2)
                            }
                        } else if (*cell).cache.get() == CacheKind::Add
                            && (*cell).epoch.get() == vm.heap.method_epoch.get()
                            && (*table).header.flags & table_flags::CACHED_METHODS == 0
                            && (*cell).slot.get() < (*table).slot_cap
                        {
                            *(*table).slots.add((*cell).slot.get() as usize) = v;
                            (*table).shape = (*cell).next_shape.get();
                            vm.heap.barrier_back(table);
                            done!(2)
                        }
                    }
                }
                slow_access!(set_field_slow, 3);
                done!(2)
            }};
        }
        // `$word.b[$key]`, where `$is_int` tells whether the key is an inline integer.
        macro_rules! get_element {
            ($word:expr, $key:expr, $is_int:expr) => {{
                let (t, key): (Value, Value) = (reg!($word.b()), $key);
                if likely(tag(t) == TABLE && $is_int) {
                    let table: *mut Table = t.ptr();
                    let at = (key.small_int_payload() as u64).wrapping_sub(1);
                    if likely(at < u64::from((*table).arr_len)) {
                        let v = *(*table).arr.add(at as usize);
                        if likely(!v.is_nil()) {
                            note_site!(1);
                            note_at!(*ip.add(1) >> 16, v);
                            reg!($word.a()) = v;
                            done!(2)
                        }
                    }
                }
                if PROFILE {
                    calls::note_table_site(proto, ip, t, key);
                }
                slow_access!(get_table_slow, 2);
                note_at!(*ip.add(1) >> 16, reg!($word.a()));
                done!(2)
            }};
        }
        macro_rules! set_element {
            ($key:expr) => {{
                let word = Word(*ip);
                let (t, v, key): (Value, Value, Value) = (reg!(word.a()), reg!(word.c()), $key);
                note_at!(*ip.add(1) >> 16, v);
                if likely(tag(t) == TABLE && tag(key) == INT && !v.is_nil()) {
                    let table: *mut Table = t.ptr();
                    let at = (key.small_int_payload() as u64).wrapping_sub(1);
                    if likely(at < u64::from((*table).arr_len)) {
                        let element = (*table).arr.add(at as usize);
                        if likely(!(*element).is_nil()) {
                            *element = v;
                            let kind = kind_of(v);
                            if !likely((*table).header.aux & kind != 0) {
                                (*table).header.aux |= kind;
                            }
                            vm.heap.barrier_back(table);
                            note_site!(1);
                            done!(2)
                        }
                    } else if at == u64::from((*table).arr_len)
                        && at + 1 < u64::from((*table).arr_cap)
                        && (*table).meta().is_null()
                    {
                        // One more, with room behind it: the hash part is not concerned.
                        *(*table).arr.add(at as usize) = v;
                        (*table).arr_len += 1;
                        (*table).header.aux |= kind_of(v);
                        vm.heap.barrier_back(table);
                        note_site!(8);
                        done!(2)
                    }
                }
                if PROFILE {
                    calls::note_table_site(proto, ip, t, key);
                }
                slow_access!(set_table_slow, 3);
                done!(2)
            }};
        }
        // Results `$count` at `$first` for a call instruction with the given C: nil to the wanted
        // number, or the top. Enough for C = 1 and C = 2, by the result protocol: nothing.
        macro_rules! deliver {
            ($c:expr, $first:expr, $count:expr) => {{
                let c = usize::from($c);
                if !likely(c.wrapping_sub(1) <= 1) {
                    if c == 0 {
                        vm.top = $first.add($count as usize);
                    } else {
                        for i in $count as usize..c - 1 {
                            *$first.add(i) = Value::NIL;
                        }
                    }
                }
            }};
        }
        // Results of a `TFORCALL`: nil from `$count` up to the wanted number.
        macro_rules! fill {
            ($first:expr, $count:expr, $wanted:expr) => {
                for i in $count as usize..$wanted as usize {
                    *$first.add(i) = Value::NIL;
                }
            };
        }
        // What a return to something else than `CALL` does; answers where the frame goes on.
        macro_rules! returned {
            ($word:expr, $link:expr, $first:expr, $count:expr) => {
                if decode($word.0) == Op::TForCall {
                    note_at!(*ip.add(1) >> 16, *$first);
                    fill!($first, $count, $word.c());
                    ip.add(2)
                } else {
                    vm.c_depth -= u32::from($link.is_counted());
                    operators::finish(base, ip, *$first)
                }
            };
        }
        // Counts a call of `$closure`, and makes it by the tier if that is compiled.
        macro_rules! try_tier {
            ($closure:expr, $base:expr, $nargs:expr, |$count:ident| $deliver:expr) => {
                if PROFILE {
                    let callee = (*$closure).proto;
                    let heat = (*callee).hotness.get() - tier::CALL_HEAT;
                    (*callee).hotness.set(heat);
                    if heat < 0 || (*callee).tier_flags.get() & tier::COMPILED != 0 {
                        match calls::try_compiled(vm, base, ip, $base, $nargs as u32) {
                            Ok(Some($count)) => {
                                note_at!(*ip.add(1) >> 16, *$base.sub(2));
                                $deliver;
                                done!(2)
                            }
                            Ok(None) => {}
                            Err(throw) => return Err(throw),
                        }
                    }
                }
            };
        }
        // Enters the Lua function whose frame header and arguments are at `$base`.
        macro_rules! enter_frame {
            ($closure:expr, $base:expr, $nargs:expr) => {{
                let (closure, new_base, nargs): (*mut LuaClosure, *mut Value, usize) =
                    ($closure, $base, $nargs);
                let callee = (*closure).proto;
                let end = new_base.add((*callee).max_stack as usize);
                if !likely(end <= vm.stack_limit) {
                    slow!(calls::grow_for_call(vm, base, ip, end));
                }
                let params = (*callee).num_params as usize;
                for i in nargs..params {
                    *new_base.add(i) = Value::NIL;
                }
                if PROFILE {
                    let observed = &(*callee).arg_types;
                    for (i, seen) in observed.iter().enumerate() {
                        let bits = Types::of(*new_base.add(i));
                        if seen.get() & bits == 0 {
                            seen.set(seen.get() | bits);
                        }
                    }
                }
                base = new_base;
                proto = callee;
                k = (*callee).constants.as_ptr();
                ip = (*callee).code;
                if (*callee).is_vararg {
                    vm.top = new_base.add(nargs);
                    continue;
                }
                if HOOKS {
                    slow!(hooks::on_call(vm, base, ip));
                }
                if !likely(vm.poll.load(Ordering::Relaxed) == 0) {
                    slow!(poll(vm, base, ip));
                }
                separate!();
                continue;
            }};
        }

        align_code!();
        loop {
            let (from, count, original, link): (*mut Value, u32, *mut Value, Link) = loop {
                if HOOKS && hooks::on_instruction(vm, base, ip).is_err() {
                    return Err(Throw);
                }
                let word = Word(*ip);
                match decode(word.0) {
                    Op::Move => {
                        reg!(word.a()) = reg!(word.b());
                        done!(1)
                    }
                    Op::LoadI => {
                        reg!(word.a()) = Value::small_int(i64::from(word.sd()));
                        done!(1)
                    }
                    Op::LoadK => {
                        reg!(word.a()) = *k.add(word.d() as usize);
                        done!(1)
                    }
                    Op::LoadKX => {
                        reg!(word.a()) = *k.add(*ip.add(1) as usize);
                        done!(2)
                    }
                    Op::LoadNil => {
                        let first = base.add(word.a() as usize);
                        for i in 0..=word.b() as usize {
                            *first.add(i) = Value::NIL;
                        }
                        done!(1)
                    }
                    Op::LoadFalse => {
                        reg!(word.a()) = Value::FALSE;
                        done!(1)
                    }
                    Op::LFalseSkip => {
                        reg!(word.a()) = Value::FALSE;
                        done!(2)
                    }
                    Op::LoadTrue => {
                        reg!(word.a()) = Value::TRUE;
                        done!(1)
                    }
                    Op::GetUpval => {
                        let up = upvalue(closure_of(base), word.b() as usize);
                        let v = *(*up).location;
                        note_at!(*ip.add(1) >> 16, v);
                        reg!(word.a()) = v;
                        done!(2)
                    }
                    Op::SetUpval => {
                        access::set_upvalue(vm, base, ip);
                        done!(1)
                    }
                    Op::GetTabUp => {
                        let up = upvalue(closure_of(base), word.b() as usize);
                        get_field!(*(*up).location, |v| reg!(word.a()) = v);
                        note_at!(*ip.add(1) >> 16, reg!(word.a()));
                        done!(2)
                    }
                    Op::SetTabUp => {
                        let up = upvalue(closure_of(base), word.a() as usize);
                        set_field!(*(*up).location, reg!(word.b()))
                    }
                    Op::GetTable => {
                        let key = reg!(word.c());
                        get_element!(word, key, tag(key) == INT)
                    }
                    Op::GetI => {
                        get_element!(word, Value::small_int(i64::from(word.c())), true)
                    }
                    Op::GetField => {
                        get_field!(reg!(word.b()), |v| reg!(word.a()) = v);
                        note_at!(*ip.add(1) >> 16, reg!(word.a()));
                        done!(2)
                    }
                    Op::SetTable => set_element!(reg!(word.b())),
                    Op::SetI => set_element!(Value::small_int(i64::from(word.b()))),
                    Op::SetField => set_field!(reg!(word.a()), reg!(word.b())),
                    Op::NewTable => {
                        frame_ops::new_table(vm, base, ip);
                        done!(2)
                    }
                    Op::SelfField => {
                        let object = reg!(word.b());
                        get_field!(object, |v| {
                            reg!(word.a() as usize + 2) = object;
                            reg!(word.a()) = v;
                        });
                        note_at!(*ip.add(1) >> 16, reg!(word.a()));
                        done!(2)
                    }
                    Op::Add => add!(word, reg!(word.c())),
                    Op::AddK => add!(word, konst!(word.c())),
                    Op::Sub => sub!(word, reg!(word.c())),
                    Op::SubK => sub_constant!(word, konst!(word.c())),
                    Op::Mul => mul!(word, reg!(word.c())),
                    Op::MulK => mul!(word, konst!(word.c())),
                    Op::Div => float_only!(word, reg!(word.c()), x, y, computed(x / y)),
                    Op::DivK => float_only!(word, konst!(word.c()), x, y, computed(x / y)),
                    Op::Pow => {
                        float_only!(word, reg!(word.c()), x, y, Value::float(float_pow(x, y)))
                    }
                    Op::PowK => {
                        float_only!(word, konst!(word.c()), x, y, Value::float(float_pow(x, y)))
                    }
                    Op::Mod => modulo!(word, reg!(word.c())),
                    Op::ModK => modulo!(word, konst!(word.c())),
                    Op::IDiv => divide!(word, reg!(word.c())),
                    Op::IDivK => divide!(word, konst!(word.c())),
                    Op::BAnd => bits!(word, reg!(word.c()), &, 0, and_numbers),
                    Op::BAndK => bits!(word, konst!(word.c()), &, 0, and_numbers),
                    Op::BOr => bits!(word, reg!(word.c()), |, 0, or_numbers),
                    Op::BOrK => bits!(word, konst!(word.c()), |, 0, or_numbers),
                    Op::BXor => bits!(word, reg!(word.c()), ^, TAG_INT << TAG_SHIFT, xor_numbers),
                    Op::BXorK => {
                        bits!(word, konst!(word.c()), ^, TAG_INT << TAG_SHIFT, xor_numbers)
                    }
                    Op::Shl => shift!(word, reg!(word.c()), shift_left, shl_numbers),
                    Op::ShlK => shift!(word, konst!(word.c()), shift_left, shl_numbers),
                    Op::Shr => shift!(word, reg!(word.c()), shift_right, shr_numbers),
                    Op::ShrK => shift!(word, konst!(word.c()), shift_right, shr_numbers),
                    Op::Unm => {
                        let v = reg!(word.b());
                        if tag(v) < IMMEDIATE {
                            reg!(word.a()) = Value::float(-f64::from_bits(v.0));
                            done!(1)
                        }
                        if tag(v) == INT
                            && let Some(v) = Value::inline_int(-v.small_int_payload())
                        {
                            reg!(word.a()) = v;
                            done!(1)
                        }
                        arith_slow!()
                    }
                    Op::BNot => {
                        let v = reg!(word.b());
                        if tag(v) == INT {
                            reg!(word.a()) = Value::small_int(!v.small_int_payload());
                            done!(1)
                        }
                        arith_slow!()
                    }
                    Op::Not => {
                        reg!(word.a()) = Value::bool(is_falsy(reg!(word.b())));
                        done!(1)
                    }
                    Op::Len => {
                        let v = reg!(word.b());
                        if tag(v) == TABLE {
                            let table: *mut Table = v.ptr();
                            if (*(*table).shape).meta.is_null() {
                                let len = i64::from((*table).arr_len);
                                reg!(word.a()) = Value::small_int(len);
                                done!(1)
                            }
                        }
                        if tag(v) == STRING {
                            let len = (*v.ptr::<LuaString>()).len as i64;
                            reg!(word.a()) = Value::small_int(len);
                            done!(1)
                        }
                        slow!(access::length_slow(vm, base, ip));
                        done!(1)
                    }
                    Op::Concat => {
                        slow!(concat::concat(vm, base, ip));
                        done!(1)
                    }
                    Op::Close => {
                        slow!(frame_ops::close(vm, base, ip));
                        done!(1)
                    }
                    Op::Tbc => {
                        let slot = base.add(word.a() as usize);
                        slow!(frame_ops::to_be_closed(vm, base, ip, slot));
                        done!(1)
                    }
                    Op::Jmp => ip = ip.offset(word.j() as isize + 1),
                    Op::Loop => {
                        ip = ip.offset(word.j() as isize + 1);
                        back_edge!()
                    }
                    Op::Eq => equal!(word, reg!(word.b())),
                    Op::EqK => equal!(word, konst!(word.b())),
                    Op::Lt => order!(word, reg!(word.b()), <),
                    Op::Le => order!(word, reg!(word.b()), <=),
                    Op::LtK => order!(word, konst!(word.b()), <),
                    Op::LeK => order!(word, konst!(word.b()), <=),
                    Op::GtK => order!(word, konst!(word.b()), >),
                    Op::GeK => order!(word, konst!(word.b()), >=),
                    Op::Test => test_jump!(word, !is_falsy(reg!(word.a()))),
                    Op::TestSet => {
                        let v = reg!(word.b());
                        if is_falsy(v) == (word.c() == 0) {
                            reg!(word.a()) = v;
                            ip = target!();
                        } else {
                            ip = ip.add(2);
                        }
                    }
                    Op::Call => {
                        let func = base.add(word.a() as usize);
                        let new_base = func.add(2);
                        let nargs = match word.b() {
                            0 => vm.top.offset_from(new_base) as usize,
                            b => b as usize - 1,
                        };
                        let f = *func;
                        if PROFILE {
                            calls::note_callee(proto, ip, f);
                        }
                        let mut nargs = nargs;
                        if likely(tag(f) == FUNCTION) {
                            let pc = ip.offset_from((*proto).code) as u32;
                            let delta = word.a() as usize + 2;
                            *new_base.sub(1) = Value(Link::new(pc, delta, Link::INTERPRETED).0);
                            if f.kind() != Kind::LuaClosure {
                                let link = Value(Link::new(pc, delta, Link::INTERPRETED).0);
                                let called =
                                    calls::call_native::<HOOKS>(vm, base, ip, link, func, nargs);
                                let Ok((count, hooked)) = called else { return Err(Throw) };
                                note_at!(*ip.add(1) >> 16, *func);
                                deliver!(word.c(), func, count);
                                if HOOKS != hooked {
                                    return Ok(Outcome::Switch { base, ip: ip.add(2) });
                                }
                                done!(2)
                            }
                        } else {
                            match calls::call_other(vm, base, ip, func, nargs as u32) {
                                Ok(CallStep::Enter(n)) => nargs = n as usize,
                                Ok(CallStep::Done(count)) => {
                                    deliver!(word.c(), func, count);
                                    done!(2)
                                }
                                Err(throw) => return Err(throw),
                            }
                        }
                        let closure: *mut LuaClosure = (*func).ptr();
                        try_tier!(closure, new_base, nargs, |count| deliver!(
                            word.c(),
                            func,
                            count
                        ));
                        enter_frame!(closure, new_base, nargs)
                    }
                    Op::TailCall => match calls::tail_call::<PROFILE, HOOKS>(vm, base, ip) {
                        Ok(TailStep::Enter(original, nargs)) => {
                            // The frame there is complete, so errors are reported from it.
                            base = original;
                            let closure = closure_of(base);
                            ip = (*(*closure).proto).code;
                            enter_frame!(closure, original, nargs)
                        }
                        Ok(TailStep::Done(from, count, original, link)) => {
                            break (from, count, original, link);
                        }
                        Ok(TailStep::Leave(outcome)) => return Ok(outcome),
                        Err(throw) => return Err(throw),
                    },
                    Op::Return => {
                        let first = base.add(word.a() as usize);
                        let count = match word.b() {
                            0 => vm.top.offset_from(first) as usize,
                            b => b as usize - 1,
                        };
                        if word.c() != 0 {
                            let end = first.add(count);
                            slow!(frame_ops::close_for_return(vm, base, ip, end));
                            // A closing function may have set a hook.
                            if !HOOKS && vm.poll.load(Ordering::Relaxed) & POLL_HOOK != 0 {
                                slow!(hooks::on_return(vm, base, ip, first, count as u32));
                            }
                        }
                        if HOOKS {
                            slow!(hooks::on_return(vm, base, ip, first, count as u32));
                        }
                        let (original, link) = return_link(base);
                        break (first, count as u32, original, link);
                    }
                    Op::Return0 => {
                        if HOOKS {
                            slow!(hooks::on_return(vm, base, ip, base, 0));
                        }
                        let (original, link) = return_link(base);
                        break (base, 0, original, link);
                    }
                    Op::Return1 => {
                        let first = base.add(word.a() as usize);
                        if HOOKS {
                            slow!(hooks::on_return(vm, base, ip, first, 1));
                        }
                        let link = Link((*base.sub(1)).0);
                        if likely(link.kind() == Link::INTERPRETED) {
                            // The common case of what follows this loop.
                            let dest = base.sub(2);
                            let v = *first;
                            *dest = v;
                            base = base.sub(link.delta());
                            proto = proto_of(base);
                            k = (*proto).constants.as_ptr();
                            ip = (*proto).code.add(link.pc() as usize);
                            let call = Word(*ip);
                            if likely(decode(call.0) == Op::Call) {
                                note_at!(*ip.add(1) >> 16, v);
                                deliver!(call.c(), dest, 1);
                                done!(2)
                            }
                            ip = returned!(call, link, dest, 1);
                            continue;
                        }
                        let (original, link) = return_link(base);
                        break (first, 1, original, link);
                    }
                    Op::ForPrep => match forloop::for_prep(vm, base, ip) {
                        Ok(true) => {
                            ip = ip.add(2);
                            if PROFILE && (*proto).tier_flags.get() & tier::LOOPS != 0 && !HOOKS {
                                compiled_loop!(calls::enter_loop)
                            }
                        }
                        Ok(false) => ip = target!(),
                        Err(throw) => return Err(throw),
                    },
                    Op::ForLoop => {
                        let ra = base.add(word.a() as usize);
                        let (i, step) = (*ra, *ra.add(2));
                        if likely(tag(i) == INT && tag(step) == INT) {
                            if !likely(i.0 != (*ra.add(1)).0) {
                                done!(2)
                            }
                            let (sum, overflow) =
                                ((i.0 << 16) as i64).overflowing_add((step.0 << 16) as i64);
                            if likely(!overflow) {
                                let v = Value(sum as u64 >> 16 | TAG_INT << TAG_SHIFT);
                                *ra = v;
                                *ra.add(3) = v;
                                ip = target!();
                                back_edge!()
                            }
                        }
                        if forloop::for_loop_slow(vm, base, ip) {
                            ip = target!();
                            back_edge!()
                        }
                        done!(2)
                    }
                    Op::TForPrep => {
                        let slot = base.add(word.a() as usize + 3);
                        if !(*slot).is_nil() {
                            slow!(frame_ops::to_be_closed(vm, base, ip, slot));
                        }
                        ip = target!();
                    }
                    Op::TForCall => {
                        // The header of a generic loop: `TFORPREP` and the end of the body lead here.
                        let here = (base, ip);
                        loop_header!();
                        if PROFILE && here != (base, ip) {
                            continue; // where compiled code has left
                        }
                        let ra = base.add(word.a() as usize);
                        let f = *ra;
                        let index = *ip.add(1) >> 16;
                        if PROFILE {
                            calls::note_callee(proto, ip, f);
                        }
                        if tag(f) == FUNCTION
                            && f.kind() == Kind::NativeFunction
                            && index != u32::from(NO_FEEDBACK)
                            && !HOOKS
                            && forloop::fast_iterator(
                                vm,
                                ra,
                                word.c() as usize,
                                f.ptr(),
                                cell!(index),
                            )
                        {
                            // The value if it is wanted, else the key; the end says nothing.
                            if PROFILE && !(*ra.add(4)).is_nil() {
                                let noted = if word.c() >= 2 { 5 } else { 4 };
                                note!(cell!(index), *ra.add(noted));
                            }
                            done!(2)
                        }
                        let func = ra.add(4);
                        *func = f;
                        *func.add(2) = *ra.add(1);
                        *func.add(3) = *ra.add(2);
                        let new_base = func.add(2);
                        let mut nargs = 2;
                        if tag(f) != FUNCTION || f.kind() != Kind::LuaClosure {
                            match calls::call_other(vm, base, ip, func, 2) {
                                Ok(CallStep::Enter(n)) => nargs = n,
                                Ok(CallStep::Done(count)) => {
                                    note_at!(index, *func);
                                    fill!(func, count, word.c());
                                    ip = ip.add(2);
                                    if HOOKS != (vm.poll.load(Ordering::Relaxed) & POLL_HOOK != 0) {
                                        return Ok(Outcome::Switch { base, ip });
                                    }
                                    continue;
                                }
                                Err(throw) => return Err(throw),
                            }
                        }
                        let pc = ip.offset_from((*proto).code) as u32;
                        let delta = word.a() as usize + 6;
                        *new_base.sub(1) = Value(Link::new(pc, delta, Link::INTERPRETED).0);
                        let closure: *mut LuaClosure = (*func).ptr();
                        try_tier!(closure, new_base, nargs, |count| fill!(func, count, word.c()));
                        enter_frame!(closure, new_base, nargs as usize)
                    }
                    Op::TForLoop => {
                        let ra = base.add(word.a() as usize);
                        let control = *ra.add(4);
                        if control.is_nil() {
                            done!(2)
                        }
                        *ra.add(2) = control;
                        ip = target!();
                        safepoint!();
                        separate!();
                        continue;
                    }
                    Op::SetList => {
                        slow!(frame_ops::set_list(vm, base, ip));
                        done!(2)
                    }
                    Op::Closure => {
                        frame_ops::closure(vm, base, ip);
                        done!(1)
                    }
                    Op::Vararg => {
                        slow!(frame_ops::vararg(vm, base, ip));
                        done!(1)
                    }
                    Op::VarargPrep => {
                        let nargs = vm.top.offset_from(base) as usize;
                        match frame_ops::vararg_prep(vm, base, nargs) {
                            Ok(moved) => base = moved,
                            Err(throw) => return Err(throw),
                        }
                        ip = ip.add(1);
                        if HOOKS {
                            slow!(hooks::on_call(vm, base, ip));
                        }
                        if !likely(vm.poll.load(Ordering::Relaxed) == 0) {
                            slow!(poll(vm, base, ip));
                        }
                    }
                }
            };
            // A return: `count` values at `from` go to the frame's place, and the caller goes on.
            let dest = original.sub(2);
            match count {
                0 => *dest = Value::NIL,
                1 => *dest = *from,
                _ => std::ptr::copy(from, dest, count as usize),
            }
            if link.kind() == Link::BOUNDARY {
                return Ok(Outcome::Returned(count));
            }
            base = original.sub(link.delta());
            proto = proto_of(base);
            k = (*proto).constants.as_ptr();
            ip = (*proto).code.add(link.pc() as usize);
            let call = Word(*ip);
            if likely(decode(call.0) == Op::Call) {
                note_at!(*ip.add(1) >> 16, *dest);
                deliver!(call.c(), dest, count);
                ip = ip.add(2);
            } else {
                ip = returned!(call, link, dest, count);
            }
        }
    }
}
