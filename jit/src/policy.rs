//! What exits lead to, and the end of units.
//!
//! A site whose exits reach the limit is *blocked*: the guard is given up, the unit retired, and its
//! function compiled anew at the next occasion. Sites are only ever added and recompilations are
//! counted per function and loop, so the process ends: it never oscillates.

use rustc_hash::{FxHashMap, FxHashSet};

use perilune_ir::bytecode::{Function, Op, Word};
use perilune_ir::exits::{ExitPolicy, ExitReason};
use perilune_ir::profile::ANYWHERE;
use perilune_ir::ssa::build::for_loop_to;
use perilune_runtime::object::{LuaClosure, Proto};
use perilune_runtime::tier::{COMPILED, LOOP_HEAT, REFUSED};
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

use crate::exits::{ExitDescriptor, SiteKey, UnitId};
use crate::options::Options;
use crate::seam;
use crate::stats::add;
use crate::tier::{Jit, site_name};
use crate::units::{Unit, UnitKind};

/// Exits by a path that was left out on purpose after which a function may be given up.
const TOO_COLD: u32 = 2000;
/// Bytes of code that take as long to make as the limit's number of exits.
const CHEAP_CODE: usize = 400;
/// The same for loops.
const CHEAP_LOOP: usize = 4000;
/// Loops whose exits have taught the interpreter something are made anew after this part of the limit.
const LEARNT: u32 = 3;
/// Words of bytecode of a small function.
const SMALL: usize = 80;
/// Sites of units that are gone, for statistics: at most this many.
const OLD_SITES: usize = 2000;

/// A small function without loops is hot after as many times the calls: it is likely to be inlined where
/// it is called, and then needs no unit.
const SMALL_FACTOR: i32 = 24;
/// What is left of the count of a function with units for its loops.
pub(crate) const WARM: i32 = 16;
/// How often the loops of a function come to their ends in units of their own before it gets one for
/// calls: each time the interpreter runs a few turns, which costs a hundredth of making a unit.
pub(crate) const LOOP_ENDS: u32 = 32;
/// The same where everything is to be compiled early.
pub(crate) const EAGER_ENDS: u32 = 1;
/// How often the count of a function with units for its loops runs out at another loop before that gets
/// a unit, too: a thousand times cost as much as making one.
const WARM_EVENTS: u32 = 400;
/// Words of bytecode that are interpreted in a fraction of the time it takes to compile a loop.
const SHORT_RUN: i64 = 40_000;
/// How often a loop that is short of its end is left alone, at most.
const MOST_PUT_OFF: u32 = 50;

/// Blocks a site, or only warns it where the interpreter's feedback has learnt from the exits: the
/// next version is built from a wider profile, and only if that fails again the guard is given up.
/// `serial` is that of the unit whose exit it is, `next` that of the next unit made.
fn strike(
    warned: &mut FxHashMap<SiteKey, u64>,
    blocked: &mut FxHashSet<SiteKey>,
    key: SiteKey,
    (serial, next): (u64, u64),
) {
    let learns = match key.reason {
        ExitReason::TypeGuard
        | ExitReason::EntryGuard
        | ExitReason::ResultGuard
        | ExitReason::ShapeGuard
        | ExitReason::BoundsGuard
        | ExitReason::CalleeGuard
        | ExitReason::EpochGuard
        | ExitReason::NotCompiled => true,
        ExitReason::KindGuard
        | ExitReason::ValueGuard
        | ExitReason::MetaGuard
        | ExitReason::Overflow
        | ExitReason::Conversion
        | ExitReason::Mixed
        | ExitReason::ForLoop
        | ExitReason::LoopEnd
        | ExitReason::InnerEnd
        | ExitReason::Cold
        | ExitReason::Poll
        | ExitReason::Stack => false,
    };
    match warned.get(&key) {
        // Another unit, made before the warning, fails in the same way.
        Some(&since) if learns && serial < since => {}
        None if learns => {
            warned.insert(key, next);
        }
        Some(_) | None => {
            blocked.insert(key);
        }
    }
}

/// Whether there is a back-edge in `code`.
fn has_loops(function: &Function, code: std::ops::Range<usize>) -> bool {
    let mut pc = code.start;
    while pc < code.end {
        let op = function.op(pc);
        if matches!(op, Op::Loop | Op::ForLoop | Op::TForLoop) {
            return true;
        }
        pc += op.words();
    }
    false
}

/// Whether a function is small and has no loops.
fn is_small(function: &Function) -> bool {
    let len = function.code.len();
    len <= SMALL && !has_loops(function, 0..len)
}

/// Turns left of the numeric loop with its header at `header`, where these, their bodies being straight
/// code, are soon over.
///
/// # Safety
/// `base` is a frame of `function` that is at the loop's header.
unsafe fn turns_left(function: &Function, header: usize, base: *const Value) -> Option<i32> {
    let end = for_loop_to(function, header)?;
    if has_loops(function, header..end) {
        return None;
    }
    let a = Word(function.code[end]).a() as usize;
    // SAFETY: the verifier has checked that the loop's three registers are in the frame.
    let [i, last, step] = [0, 1, 2].map(|k| unsafe { *base.add(a + k) }.as_int());
    let turns = last?.checked_sub(i?)?.checked_div(step?)?;
    let words = turns.checked_mul((end - header) as i64)?;
    (0..SHORT_RUN).contains(&words).then_some(turns as i32)
}

impl Jit {
    /// Whether everything is to be compiled early: the threshold is lower than usual.
    pub(crate) fn is_eager(&self) -> bool {
        self.options.borrow().threshold < Options::default().threshold
    }

    /// Whether to compile a function that is hot only later, when it is that many times hotter.
    ///
    /// # Safety
    /// `proto` is live.
    pub(crate) unsafe fn put_off_function(&self, proto: *mut Proto) -> bool {
        let threshold = self.initial_hotness();
        if self.is_eager() {
            return false;
        }
        // SAFETY: the caller's contract.
        let (function, hotness) = unsafe { (&(*proto).function, &(*proto).hotness) };
        let mut units = self.units.borrow_mut();
        // SAFETY: as above.
        let owner = unsafe { units.of(proto) };
        if owner.has_loops {
            hotness.set(WARM);
            // Calls that run no loop hot count as well.
            owner.loop_ends += 1;
            return owner.loop_ends < LOOP_ENDS;
        }
        if !is_small(function) {
            return false;
        }
        let version = owner.version(UnitKind::Function);
        version.put_off += 1;
        if version.put_off > 1 || version.recompiles > 0 {
            return false;
        }
        hotness.set(threshold.saturating_mul(SMALL_FACTOR - 1));
        true
    }

    /// Whether a loop is not as hot as it seems: the function's count was left low for the sake of its
    /// other loops' units, or of its own, which is to be made anew.
    ///
    /// # Safety
    /// `proto` is live.
    pub(crate) unsafe fn is_lukewarm(&self, proto: *mut Proto, pc: u32) -> bool {
        let mut units = self.units.borrow_mut();
        // SAFETY: the caller's contract.
        let owner = unsafe { units.of(proto) };
        let is_low = owner.has_loops || owner.function.recompiles > 0;
        if self.is_eager() || !is_low {
            return false;
        }
        let version = owner.version(UnitKind::Osr { pc });
        version.warmth += 1;
        // What had a unit that was given up is hot.
        if version.warmth < WARM_EVENTS && version.recompiles == 0 {
            // SAFETY: as above.
            unsafe { &(*proto).hotness }.set(WARM);
            return true;
        }
        false
    }

    /// Whether to leave a hot loop to the interpreter, because it is soon over: the loop around it, or the
    /// function, compiled with it inside, is a better unit.
    ///
    /// # Safety
    /// `base` is a frame of `proto`, which is live, at the loop's header at word `pc`.
    pub(crate) unsafe fn put_off_loop(
        &self,
        proto: *mut Proto,
        base: *const Value,
        pc: u32,
    ) -> bool {
        if self.is_eager() {
            return false;
        }
        // SAFETY: the caller's contract.
        let (function, hotness) = unsafe { (&(*proto).function, &(*proto).hotness) };
        // SAFETY: as above.
        let Some(turns) = (unsafe { turns_left(function, pc as usize, base) }) else {
            return false;
        };
        let mut units = self.units.borrow_mut();
        // SAFETY: as above.
        let owner = unsafe { units.of(proto) };
        let most = if owner.has_loops { WARM_EVENTS } else { MOST_PUT_OFF };
        let version = owner.version(UnitKind::Osr { pc });
        version.put_off += 1;
        if version.put_off > most {
            return false;
        }
        // Runs out at the next back-edge after those, which is that of the loop around, or the next call.
        hotness.set(turns * LOOP_HEAT);
        true
    }

    /// The loop of a unit has come to its end.
    ///
    /// # Safety
    /// `proto` is live.
    pub(crate) unsafe fn end_loop(&self, proto: *mut Proto) {
        // SAFETY: the caller's contract.
        unsafe {
            self.units.borrow_mut().of(proto).loop_ends += 1;
            let left = if self.is_eager() { self.initial_hotness().max(WARM) } else { WARM };
            (*proto).hotness.set(left);
        }
    }

    /// A function left its unit: what is left of its loops is interpreted, and worth a unit of its own
    /// only if it runs long this time.
    ///
    /// # Safety
    /// `base` is the frame that left, and `frame` the innermost one inlined into it, or the same.
    pub(crate) unsafe fn cool(&self, base: *mut Value, frame: *mut Value) {
        if self.is_eager() {
            return;
        }
        let mut units = self.units.borrow_mut();
        for frame in [base, frame] {
            // SAFETY: the callee of a frame of compiled code is a Lua closure.
            unsafe {
                let closure: *mut LuaClosure = (*frame.sub(2)).ptr();
                let proto = (*closure).proto;
                let has_loops = units.of(proto).has_loops;
                let left = if has_loops { WARM } else { self.initial_hotness() };
                (*proto).hotness.set(left);
            }
        }
    }

    /// Compiled code left behind a call because of the type of its result: notes that type, as the
    /// interpreter, which goes on behind the call, can not.
    ///
    /// # Safety
    /// `frame` is the frame in which the interpreter goes on, its slots are values.
    pub(crate) unsafe fn learn_result(&self, vm: &Vm, exit: &ExitDescriptor, frame: *mut Value) {
        if exit.spec.reason != ExitReason::ResultGuard {
            return;
        }
        // SAFETY: the unit's prototypes are live while a frame of it is.
        let function = unsafe { &(*exit.spec.proto).function };
        if let Some(call) = function.before(exit.spec.pc as usize) {
            // SAFETY: the interpreter would go on behind the instruction at `call` of that function.
            unsafe { seam::note_result(vm, frame, call) };
        }
    }

    /// Counts an exit, and gives its guard up when it failed too often.
    pub(crate) fn count_exit(&self, vm: &mut Vm, exit: &ExitDescriptor) {
        let count = exit.count.get().saturating_add(1);
        exit.count.set(count);
        add(&self.counters.exits[exit.spec.reason as usize], 1);
        let options = self.options.borrow();
        if options.trace_exits {
            let (function, line, reason) = site_name(exit);
            eprintln!("exit {}.{} {reason} in {function} line {line}", exit.unit, exit.site);
        }
        if let Some(n) = options.force_exits {
            // Forced exits say nothing of the guards.
            exit.countdown.set(i32::try_from(n).unwrap_or(i32::MAX));
            return;
        }
        if exit.spec.reason == ExitReason::Cold && count == TOO_COLD {
            drop(options);
            return self.refuse_cold(vm, exit);
        }
        let least = options.exit_limit.min(options.loop_exit_limit.div_ceil(LEARNT));
        if exit.spec.reason.policy() == ExitPolicy::Keep || count < least {
            return;
        }
        let (limit, loop_limit) = (options.exit_limit, options.loop_exit_limit);
        let most = options.max_recompiles;
        drop(options);
        self.widen(vm, exit, limit, loop_limit, most);
    }

    /// A small function without loops that leaves for the interpreter again and again is better
    /// interpreted from the start.
    #[cold]
    fn refuse_cold(&self, vm: &mut Vm, exit: &ExitDescriptor) {
        let mut units = self.units.borrow_mut();
        let units = &mut *units;
        let Some(unit) = units.units.get(exit.unit.0) else { return };
        // SAFETY: a unit's prototype is live: `forget` takes its units out.
        let proto = unsafe { &*unit.proto };
        if unit.kind != UnitKind::Function || !is_small(&proto.function) {
            return;
        }
        let Some(version) = units.protos.get_mut(proto.tier_id.get()) else { return };
        let version = version.version(UnitKind::Function);
        if version.unit != Some(exit.unit) {
            return;
        }
        version.unit = None;
        version.refused = true;
        proto.head.jit_entry.set(vm.interpreter_entry);
        proto.tier_flags.set(proto.tier_flags.get() & !COMPILED | REFUSED);
        units.retired.push(exit.unit);
        self.retired.set(true);
    }

    /// Gives up the guard of an exit and retires its unit, unless its function was compiled anew
    /// too often.
    #[cold]
    fn widen(&self, vm: &mut Vm, exit: &ExitDescriptor, limit: u32, loop_limit: u32, most: u32) {
        let mut units = self.units.borrow_mut();
        let units = &mut *units;
        let Some(unit) = units.units.get(exit.unit.0) else { return };
        // To make large code anew takes as long as many exits. A loop that was left is interpreted for
        // a while, so its exits cost more.
        let (limit, bytes) = match unit.kind {
            UnitKind::Function => (limit, CHEAP_CODE),
            UnitKind::Osr { .. } => (loop_limit, CHEAP_LOOP),
        };
        // The interpreter has learnt what else there is: no need to see it often.
        let learnt = matches!(
            exit.spec.reason,
            ExitReason::TypeGuard | ExitReason::EntryGuard | ExitReason::ResultGuard
        );
        let often = if learnt && matches!(unit.kind, UnitKind::Osr { .. }) { LEARNT } else { 1 };
        let limit = limit.div_ceil(often) * (1 + (unit.code_len / bytes) as u32);
        if exit.count.get() < limit {
            return;
        }
        let (kind, proto, serial) = (unit.kind, unit.proto, unit.serial);
        // SAFETY: a unit's prototype is live: `forget` takes its units out.
        let version = unsafe { units.protos.get_mut((*proto).tier_id.get()) };
        let Some(version) = version.map(|entry| entry.version(kind)) else { return };
        if version.unit != Some(exit.unit) || version.recompiles >= most {
            return;
        }
        version.recompiles += 1;
        version.unit = None;
        // Sites that are on their way to the limit go with it: one recompilation for all.
        let on_their_way = unit.exits.iter().filter(|other| {
            let widens = other.spec.reason.policy() == ExitPolicy::Widen;
            widens && other.count.get() >= limit.div_ceil(4)
        });
        let mut keys: FxHashSet<SiteKey> =
            on_their_way.map(ExitDescriptor::key).chain([exit.key()]).collect();
        // A function that works on integers where floats were expected does so throughout: the result
        // of one operation is an operand of the next.
        // And so do those that are inlined with it.
        if keys.iter().any(|key| key.reason == ExitReason::Mixed) {
            let reason = ExitReason::Mixed;
            let sites = unit.exits.iter().map(ExitDescriptor::key);
            keys.extend(sites.map(|key| SiteKey { pc: ANYWHERE, reason, ..key }));
        }
        for key in &keys {
            // An entry in the table, so that `forget` is called for it and its sites go.
            // SAFETY: the prototypes of a current unit are traced with it.
            unsafe { units.of(key.proto as *mut Proto) };
        }
        let (mut warned, mut blocked) = (self.warned.borrow_mut(), self.blocked.borrow_mut());
        let made = (serial, self.serial.get());
        keys.into_iter().for_each(|key| strike(&mut warned, &mut blocked, key, made));
        // SAFETY: as above.
        let proto = unsafe { &*proto };
        if kind == UnitKind::Function {
            proto.head.jit_entry.set(vm.interpreter_entry);
            proto.tier_flags.set(proto.tier_flags.get() & !COMPILED);
        }
        proto.hotness.set(0);
        units.retired.push(exit.unit);
        self.retired.set(true);
    }

    /// Frees retired units: no compiled code is active.
    #[cold]
    pub(crate) fn free_retired(&self) {
        let retired = std::mem::take(&mut self.units.borrow_mut().retired);
        self.retired.set(false);
        for id in retired {
            let unit = {
                let mut units = self.units.borrow_mut();
                let unit = units.units.remove(id.0);
                if let Some(unit) = &unit {
                    // SAFETY: a unit's prototype is live.
                    let tier_id = unsafe { (*unit.proto).tier_id.get() };
                    if let Some(entry) = units.protos.get_mut(tier_id) {
                        entry.all.retain(|&other| other != id);
                    }
                }
                unit
            };
            if let Some(unit) = unit {
                self.free_unit(*unit);
            }
        }
    }

    /// Frees everything that belongs to a prototype, which has no frame any more.
    pub(crate) fn free_proto(&self, proto: *mut Proto) {
        // SAFETY: the collector passes a prototype that it is about to free.
        let tier_id = unsafe { (*proto).tier_id.replace(u32::MAX) };
        if tier_id == u32::MAX {
            return;
        }
        let mut freed: Vec<Box<Unit>> = Vec::new();
        {
            let mut units = self.units.borrow_mut();
            let Some(entry) = units.protos.remove(tier_id) else { return };
            let all: Vec<UnitId> = entry.all;
            freed.extend(all.iter().filter_map(|id| units.units.remove(id.0)));
            units.retired.retain(|id| !all.contains(id));
        }
        self.blocked.borrow_mut().retain(|key| key.proto != proto as usize);
        self.warned.borrow_mut().retain(|key, _| key.proto != proto as usize);
        for unit in freed {
            self.free_unit(*unit);
        }
    }

    /// Gives back a unit's code memory.
    fn free_unit(&self, unit: Unit) {
        let mut old = self.counters.old_sites.borrow_mut();
        for exit in unit.exits.iter().filter(|exit| exit.count.get() > 0) {
            let name = site_name(exit);
            if old.len() < OLD_SITES || old.contains_key(&name) {
                *old.entry(name).or_default() += u64::from(exit.count.get());
            }
        }
        if let Some(arena) = self.arena.borrow_mut().as_mut() {
            arena.free(unit.block);
        }
    }
}
