//! The tier of one state: decides what to compile, enters compiled code, owns all of it.
//!
//! Everything is behind `&self`: compiled code calls the interpreter, which calls the tier again. No
//! `RefCell` is borrowed while Lua code or a collector step may run.

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;

use rustc_hash::{FxHashMap, FxHashSet};

use perilune_ir::exits::ExitReason;
use perilune_runtime::object::{Header, LuaClosure, Proto, Types};
use perilune_runtime::tier::{CALL_HEAT, COMPILED, LOOPS, LoopOutcome, REFUSED, Tier};
use perilune_runtime::value::Value;
use perilune_runtime::vm::{Throw, Vm};

use crate::calls::original_base;
use crate::compile::Compiler;
use crate::entry::{self, Returned};
use crate::exits::{ExitDescriptor, SiteKey, UnitId};
use crate::guard::take_panic;
use crate::helpers::Helper;
use crate::memory::Arena;
use crate::options::{Dump, Options};
use crate::policy::{EAGER_ENDS, LOOP_ENDS, WARM};
use crate::seam;
use crate::stats::{Counters, SiteStats, Stats, add};
use crate::units::{UnitKind, Units};

/// The compiler and all it made for one state.
pub struct Jit {
    pub(crate) options: RefCell<Options>,
    pub(crate) enabled: Cell<bool>,
    pub(crate) compiler: RefCell<Option<Compiler>>,
    pub(crate) arena: RefCell<Option<Arena>>,
    pub(crate) units: RefCell<Units>,
    pub(crate) blocked: RefCell<FxHashSet<SiteKey>>,
    /// Sites whose guards failed too often once, and were built anew from a wider profile.
    /// From which unit on they are.
    pub(crate) warned: RefCell<FxHashMap<SiteKey, u64>>,
    /// Units made so far.
    pub(crate) serial: Cell<u64>,
    pub(crate) counters: Counters,
    pub(crate) dumps: RefCell<Vec<Dump>>,
    /// Protected entries that have neither returned nor thrown, on all native stacks.
    pub(crate) depth: Cell<u32>,
    /// There are retired units.
    pub(crate) retired: Cell<bool>,
    /// The mark that the last unit got; see [`crate::stale`].
    pub(crate) last_mark: Cell<u8>,
}

impl Jit {
    /// Gives a state a compiler. Nothing is generated before the first function is hot. To be
    /// called before any Lua function is loaded.
    pub fn install(vm: &mut Vm, options: Options) {
        let jit = Jit {
            enabled: Cell::new(options.enabled),
            options: RefCell::new(options),
            compiler: RefCell::new(None),
            arena: RefCell::new(None),
            units: RefCell::default(),
            blocked: RefCell::default(),
            warned: RefCell::default(),
            serial: Cell::new(0),
            counters: Counters::default(),
            dumps: RefCell::default(),
            depth: Cell::new(0),
            retired: Cell::new(false),
            last_mark: Cell::new(0),
        };
        vm.interpreter_entry = Helper::Interpret.address() as *const u8;
        vm.native_code.jit_entry.set(Helper::Native.address() as *const u8);
        seam::set_initial_hotness(vm, jit.initial_hotness());
        vm.detail.profiling = jit.enabled.get();
        vm.tier = Some(Box::new(jit));
    }

    /// The tier of a state whose compiled code is running.
    ///
    /// # Panics
    /// When there is none.
    pub fn of(vm: &Vm) -> &Jit {
        Jit::find(vm).expect("compiled code has a tier")
    }

    /// The tier of a state, if it is this one.
    pub fn find(vm: &Vm) -> Option<&Jit> {
        vm.tier.as_ref()?.as_any().downcast_ref()
    }

    /// The `hotness` that prototypes start from.
    pub fn initial_hotness(&self) -> i32 {
        let calls = self.options.borrow().threshold.clamp(1, 100_000_000) as i32;
        (calls - 1) * CALL_HEAT
    }

    /// The options.
    pub fn options(&self) -> std::cell::Ref<'_, Options> {
        self.options.borrow()
    }

    /// Changes options; what is compiled already stays as it is.
    pub fn update_options(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.options.borrow_mut());
    }

    /// Whether a guard was given up.
    pub fn is_blocked(&self, key: &SiteKey) -> bool {
        self.blocked.borrow().contains(key)
    }

    /// Number of sites whose guards failed too often, once or again.
    fn given_up(&self) -> u64 {
        let (blocked, warned) = (self.blocked.borrow(), self.warned.borrow());
        let only_blocked = blocked.iter().filter(|key| !warned.contains_key(key)).count();
        (only_blocked + warned.len()) as u64
    }

    /// The guards of a function that were given up.
    pub fn blocked_sites(&self, proto: *const Proto) -> FxHashSet<(u32, ExitReason)> {
        let blocked = self.blocked.borrow();
        let of_proto = blocked.iter().filter(|key| key.proto == proto as usize);
        of_proto.map(|key| (key.pc, key.reason)).collect()
    }

    /// Takes the texts kept so far.
    pub fn take_dumps(&self) -> Vec<Dump> {
        self.dumps.take()
    }

    /// Calls a generic entry on a frame that is set up.
    ///
    /// # Safety
    /// `code` is a live entry; see [`entry::enter`].
    pub(crate) unsafe fn enter(
        &self,
        vm: &mut Vm,
        base: *mut Value,
        nargs: u64,
        code: *const u8,
    ) -> Result<Returned, Throw> {
        let mut out = Returned::default();
        self.depth.set(self.depth.get() + 1);
        // SAFETY: the caller's contract; nothing else.
        let status = unsafe { entry::enter(vm, base, nargs, code, &raw mut out) };
        self.depth.set(self.depth.get() - 1);
        if self.depth.get() == 0 && self.retired.get() {
            self.free_retired();
            self.clear_marks(vm);
        }
        if status == 0 {
            return Ok(out);
        }
        if let Some(payload) = take_panic() {
            resume_unwind(payload);
        }
        Err(Throw)
    }

    /// Turns compiled code on or off. What is running goes on; later calls obey.
    pub fn set_enabled(&self, vm: &mut Vm, enabled: bool) {
        let enabled = enabled && !self.arena.borrow().as_ref().is_some_and(Arena::is_lost);
        self.enabled.set(enabled);
        vm.detail.profiling = enabled;
        let units = self.units.borrow();
        for entry in units.protos.iter() {
            let unit = entry.function.unit.and_then(|id| units.unit(id));
            // SAFETY: prototypes in the table are live: `forget` takes them out.
            let proto = unsafe { &*entry.proto };
            match unit {
                Some(unit) if enabled => {
                    proto.head.jit_entry.set(unit.entries[0]);
                    proto.tier_flags.set(proto.tier_flags.get() | COMPILED);
                }
                _ => {
                    proto.head.jit_entry.set(vm.interpreter_entry);
                    proto.tier_flags.set(proto.tier_flags.get() & !COMPILED);
                }
            }
            proto.hotness.set(self.initial_hotness());
        }
    }

    /// The system has made pages of code memory unusable that hold code. Where none of it is running, it is
    /// not entered any more; else the process cannot go on, for a frame would return there.
    #[cold]
    pub(crate) fn lose_code(&self, vm: &mut Vm) {
        if self.depth.get() > 0 {
            eprintln!("perilune: the system does not let code memory be executable again");
            std::process::abort();
        }
        self.options.borrow_mut().enabled = false;
        self.set_enabled(vm, false);
    }

    /// What was done so far.
    pub fn stats(&self) -> Stats {
        let c = &self.counters;
        let units = self.units.borrow();
        let arena = self.arena.borrow();
        let mut sites = c.old_sites.borrow().clone();
        for unit in units.units.iter() {
            for exit in unit.exits.iter().filter(|exit| exit.count.get() > 0) {
                *sites.entry(site_name(exit)).or_default() += u64::from(exit.count.get());
            }
        }
        let sites = sites.into_iter().map(|((function, line, reason), count)| SiteStats {
            function,
            line,
            reason,
            count,
        });
        let mut sites: Vec<SiteStats> = sites.collect();
        sites.sort_by_key(|site| std::cmp::Reverse(site.count));
        Stats {
            functions: c.functions.get(),
            loops: c.loops.get(),
            refused: c.refused.borrow().iter().map(|(why, n)| (why.clone(), *n)).collect(),
            recompiles: c.recompiles.get(),
            blocked_sites: self.given_up(),
            code_bytes: c.code_bytes.get(),
            live_code_bytes: arena.as_ref().map_or(0, |a| a.live_bytes() as u64),
            code_memory: arena.as_ref().map_or(0, |a| a.committed_bytes() as u64),
            live_units: (units.units.iter().count() - units.retired.len()) as u64,
            retired_units: units.retired.len() as u64,
            compile_time: c.compile_time.get(),
            compile_max: c.compile_max.get(),
            cranelift_time: c.cranelift_time.get(),
            entries: c.entries.get(),
            loop_entries: c.loop_entries.get(),
            exits: ExitReason::ALL.iter().map(|&r| (r, c.exits[r as usize].get())).collect(),
            sites,
        }
    }

    /// Runs the loop's unit on the frame, and says where the interpreter goes on.
    ///
    /// # Safety
    /// `unit` is that of a loop of `proto`; `base` is a frame of it, at the loop's header.
    unsafe fn run_loop(
        &self,
        vm: &mut Vm,
        proto: *mut Proto,
        base: *mut Value,
        unit: UnitId,
    ) -> Result<LoopOutcome, Throw> {
        add(&self.counters.loop_entries, 1);
        // SAFETY: the caller's contract; an OSR unit that leaves returns one of its exits, which live
        // as long as the unit; a unit is freed at the end of an outermost entry only when
        // it was retired during it, which is why an exit of a retired unit is read first.
        unsafe {
            let original = original_base(base);
            // Keeps a unit that is retired meanwhile, and its exits, until the exit is read.
            let _kept = Deeper::new(&self.depth);
            let entered = {
                let units = self.units.borrow();
                let unit = units.unit(unit).expect("the caller's unit");
                match unit.entry_checks.iter().find(|check| !check.holds(base)) {
                    Some(check) => Err(check.exit),
                    None => Ok(unit.entries[0]),
                }
            };
            let returned = match entered {
                Ok(code) => self.enter(vm, base, 0, code)?,
                Err(exit) => Returned { count: -1, first: exit as u64 },
            };
            if returned.count >= 0 {
                *original.sub(2) = Value(returned.first);
                self.end_loop(proto);
                return Ok(LoopOutcome::Returned(returned.count as u32));
            }
            let exit = &*(returned.first as *const ExitDescriptor);
            exit.materialise(vm, base);
            let outcome = LoopOutcome::Resume { base: exit.frame_base(base), pc: exit.spec.pc };
            // A loop that leaves again and again is entered more and more rarely, unless it was made
            // to leave.
            let forced = self.options.borrow().force_exits.is_some();
            let again = if forced { 0 } else { (exit.count.get() / 8).min(9) };
            match exit.spec.reason {
                // The loop around it is hot as well.
                ExitReason::InnerEnd => (*proto).hotness.set(0),
                ExitReason::LoopEnd => self.end_loop(proto),
                _ => (*proto).hotness.set(WARM << again),
            }
            if let Some(unit) = self.units.borrow().unit(exit.unit) {
                unit.ended.set(exit.spec.reason == ExitReason::LoopEnd);
            }
            self.learn_result(vm, exit, exit.frame_base(base));
            self.count_exit(vm, exit);
            Ok(outcome)
        }
    }

    /// Compiles a function whose loops have come to their ends often, if that was not done.
    ///
    /// # Safety
    /// As for [`Jit::compile_function`].
    unsafe fn compile_called_often(&self, vm: &mut Vm, proto: *mut Proto, base: *mut Value) {
        let wanted = if self.is_eager() { EAGER_ENDS } else { LOOP_ENDS };
        // SAFETY: the caller's contract.
        unsafe {
            let ends = self.units.borrow_mut().of(proto).loop_ends;
            if ends >= wanted && (*proto).tier_flags.get() & (COMPILED | REFUSED) == 0 {
                self.compile_function(vm, proto, base, 0);
            }
        }
    }

    /// Compiles a function for calls.
    ///
    /// # Safety
    /// `proto` is live, and the frame at `base` calls it with `nargs` arguments.
    unsafe fn compile_function(
        &self,
        vm: &mut Vm,
        proto: *mut Proto,
        base: *mut Value,
        nargs: u32,
    ) {
        // SAFETY: the caller's contract.
        unsafe {
            // The call at hand counts, too: at threshold 1 it is all there is.
            for (i, seen) in (*proto).arg_types.iter().take(nargs as usize).enumerate() {
                seen.set(seen.get() | Types::of(*base.add(i)));
            }
            if self.compile(vm, proto, UnitKind::Function, base).is_err() {
                (*proto).tier_flags.set((*proto).tier_flags.get() | REFUSED);
            }
        }
    }
}

/// Counts one more protected entry while it lives, so that no unit is freed.
struct Deeper<'a>(&'a Cell<u32>);

impl<'a> Deeper<'a> {
    fn new(depth: &'a Cell<u32>) -> Deeper<'a> {
        depth.set(depth.get() + 1);
        Deeper(depth)
    }
}

impl Drop for Deeper<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// The function, line and reason under which an exit is counted.
pub(crate) fn site_name(exit: &ExitDescriptor) -> (String, u32, ExitReason) {
    let line = exit.function.line(exit.spec.site_pc as usize);
    (crate::make::place_name(&exit.function), line, exit.spec.reason)
}

// The trait's contract says what the pointers are.
#[expect(clippy::not_unsafe_ptr_arg_deref)]
impl Tier for Jit {
    fn function_hot(&self, vm: &mut Vm, proto: *mut Proto, base: *mut Value, nargs: u32) {
        // SAFETY: the caller's prototype is live, and the frame at `base` calls it.
        unsafe {
            (*proto).hotness.set(self.initial_hotness().max(CALL_HEAT));
            if !self.enabled.get() || (*proto).tier_flags.get() & (COMPILED | REFUSED) != 0 {
                return;
            }
            if !self.put_off_function(proto) {
                self.compile_function(vm, proto, base, nargs);
            }
        }
    }

    fn loop_hot(
        &self,
        vm: &mut Vm,
        proto: *mut Proto,
        base: *mut Value,
        pc: u32,
    ) -> Result<Option<LoopOutcome>, Throw> {
        // SAFETY: the caller's prototype is live, and the frame at `base` runs it.
        unsafe {
            (*proto).hotness.set(self.initial_hotness().max(16));
            if !self.enabled.get() {
                return Ok(None);
            }
            let kind = UnitKind::Osr { pc };
            let (unit, refused) = {
                let mut units = self.units.borrow_mut();
                let version = units.of(proto).version(kind);
                (version.unit, version.refused)
            };
            let unit = match unit {
                Some(unit) => unit,
                None if refused => return Ok(None),
                None if self.put_off_loop(proto, base, pc) => return Ok(None),
                None if self.is_lukewarm(proto, pc) => return Ok(None),
                None => match self.compile(vm, proto, kind, base) {
                    Ok(unit) => {
                        (*proto).tier_flags.set((*proto).tier_flags.get() | LOOPS);
                        unit
                    }
                    Err(_) => return Ok(None),
                },
            };
            {
                let mut units = self.units.borrow_mut();
                units.of(proto).has_loops = true;
                let unit = units.unit(unit).expect("versions name units");
                unit.entered.set(unit.entered.get() + 1);
            }
            self.compile_called_often(vm, proto, base);
            if !self.enabled.get() {
                return Ok(None);
            }
            self.run_loop(vm, proto, base, unit).map(Some)
        }
    }

    fn enter_loop(
        &self,
        vm: &mut Vm,
        proto: *mut Proto,
        base: *mut Value,
        pc: u32,
    ) -> Result<Option<LoopOutcome>, Throw> {
        if !self.enabled.get() {
            return Ok(None);
        }
        let unit = {
            let mut units = self.units.borrow_mut();
            // SAFETY: the caller's prototype is live.
            let unit = unsafe { units.of(proto) }.version(UnitKind::Osr { pc }).unit;
            unit.filter(|&id| units.unit(id).is_some_and(|unit| unit.ended.get()))
        };
        let Some(unit) = unit else { return Ok(None) };
        // SAFETY: the caller's frame is at the loop's header, whose current unit this is.
        unsafe {
            self.compile_called_often(vm, proto, base);
            if !self.enabled.get() {
                return Ok(None);
            }
            self.run_loop(vm, proto, base, unit).map(Some)
        }
    }

    fn call(&self, vm: &mut Vm, base: *mut Value, nargs: u32) -> Result<u32, Throw> {
        add(&self.counters.entries, 1);
        // SAFETY: the frame is set up (the caller's contract), its callee a live Lua closure.
        unsafe {
            let closure: *mut LuaClosure = (*base.sub(2)).ptr();
            let code = (*(*closure).proto).head.jit_entry.get();
            let returned = self.enter(vm, base, u64::from(nargs), code)?;
            *base.sub(2) = Value(returned.first);
            Ok(returned.count as u32)
        }
    }

    fn variable_changed(&self, vm: &mut Vm, variable: u32) {
        self.give_up_variable(vm, variable);
    }

    fn forget(&self, proto: *mut Proto) {
        self.free_proto(proto);
    }

    fn trace(&self, proto: *const Proto, mark: &mut dyn FnMut(*mut Header)) {
        let units = self.units.borrow();
        // SAFETY: the collector passes a live prototype.
        let Some(entry) = (unsafe { units.find(proto) }) else { return };
        entry.all.iter().filter_map(|&id| units.unit(id)).for_each(|unit| unit.trace(mark));
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
