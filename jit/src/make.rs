//! Making a unit: build, compile, place, install.

use std::cell::Cell;
use std::io::Write;
use std::time::{Duration, Instant};

use perilune_ir::bytecode;
use perilune_runtime::object::Proto;
use perilune_runtime::tier::COMPILED;
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

use crate::build::build;
use crate::compile::{CompileError, Compiler, Keep, place};
use crate::exits::{ExitTable, UnitId};
use crate::memory::Arena;
use crate::options::Dump;
use crate::seam;
use crate::stats::add;
use crate::tier::Jit;
use crate::units::{Draft, Refused, Unit, UnitKind};

/// `chunk:line` of a function.
pub fn place_name(function: &bytecode::Function) -> String {
    let source = String::from_utf8_lossy(&function.source);
    let chunk = source.strip_prefix(['@', '=']).unwrap_or("[string]");
    format!("{chunk}:{}", function.line_defined)
}

impl From<CompileError> for Refused {
    fn from(error: CompileError) -> Refused {
        Refused::new(error.to_string())
    }
}

impl Jit {
    /// Makes compiler and arena if there are none yet.
    pub(crate) fn prepare(&self) -> Result<(), Refused> {
        if self.arena.borrow().is_some() {
            return Ok(());
        }
        *self.compiler.borrow_mut() = Some(Compiler::new(self.options.borrow().verify)?);
        *self.arena.borrow_mut() = Some(Arena::new().map_err(CompileError::Memory)?);
        Ok(())
    }

    /// Compiles a function or loop and makes it current.
    ///
    /// # Safety
    /// `proto` is live; `base` is a frame of it.
    ///
    /// # Errors
    /// It can't be compiled: noted in its version, never to be tried again.
    pub(crate) unsafe fn compile(
        &self,
        vm: &mut Vm,
        proto: *mut Proto,
        kind: UnitKind,
        base: *mut Value,
    ) -> Result<UnitId, Refused> {
        let start = Instant::now();
        // SAFETY: the caller's contract.
        let result = unsafe { self.compile_unit(vm, proto, kind, base) };
        let time = start.elapsed();
        let counters = &self.counters;
        counters.compile_time.set(counters.compile_time.get() + time);
        counters.compile_max.set(counters.compile_max.get().max(time));
        match result {
            // SAFETY: `proto` is live.
            Ok(mut unit) => unsafe {
                let id = unit.id;
                unit.time = time;
                add(&counters.code_bytes, unit.code_len as u64);
                match kind {
                    UnitKind::Function => add(&counters.functions, 1),
                    UnitKind::Osr { .. } => add(&counters.loops, 1),
                }
                let entry = unit.entries[0];
                let mut units = self.units.borrow_mut();
                units.units.set(id.0, unit);
                let owner = units.of(proto);
                owner.all.push(id);
                let version = owner.version(kind);
                version.unit = Some(id);
                if version.recompiles > 0 {
                    add(&counters.recompiles, 1);
                }
                if kind == UnitKind::Function {
                    (*proto).head.jit_entry.set(entry);
                    (*proto).tier_flags.set((*proto).tier_flags.get() | COMPILED);
                }
                drop(units);
                // The unit is reached from the prototype, which may have been scanned already.
                vm.barrier_back(proto);
                Ok(id)
            },
            Err(refused) => {
                *counters.refused.borrow_mut().entry(refused.0.clone()).or_default() += 1;
                let mut units = self.units.borrow_mut();
                // SAFETY: as above.
                unsafe { units.of(proto) }.version(kind).refused = true;
                drop(units);
                if self.arena.borrow().as_ref().is_some_and(Arena::is_lost) {
                    self.lose_code(vm);
                }
                Err(refused)
            }
        }
    }

    /// Builds, compiles and places a unit.
    ///
    /// # Safety
    /// As [`Jit::compile`].
    unsafe fn compile_unit(
        &self,
        vm: &mut Vm,
        proto: *mut Proto,
        kind: UnitKind,
        base: *mut Value,
    ) -> Result<Box<Unit>, Refused> {
        // SAFETY: `proto` is live.
        let mut name = place_name(unsafe { &(*proto).function });
        if let Some(called) = seam::call_site_name(vm, base) {
            name = format!("{called} {name}");
        }
        if let UnitKind::Osr { pc } = kind {
            // SAFETY: `proto` is live.
            let line = unsafe { (*proto).function.line(pc as usize) };
            name = format!("{name} loop at line {line}");
        }
        let (keep, dumped, force) = {
            let options = self.options.borrow();
            if options.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
                return Err(Refused::new("not selected"));
            }
            let wanted = options.dump_filter.as_ref().is_none_or(|f| name.contains(f.as_str()));
            let dumped = wanted && !options.dump.is_empty();
            let keep = Keep { clif: dumped && options.dump.clif, asm: dumped && options.dump.asm };
            (keep, dumped, options.force_exits)
        };
        self.prepare()?;
        let id = UnitId(self.units.borrow_mut().units.reserve());
        let mut draft = Draft {
            id,
            kind,
            proto,
            name,
            dumped,
            functions: Vec::new(),
            exits: ExitTable::new(id, force),
            entry_checks: Vec::new(),
            roots: Vec::new(),
            mark: self.next_mark(vm),
            relied: Vec::new(),
        };
        let made = build(self, vm, &mut draft, base).and_then(|()| self.finish(draft, keep));
        if made.is_err() {
            self.units.borrow_mut().units.remove(id.0);
        }
        made
    }

    /// Compiles and places what was built.
    fn finish(&self, mut draft: Draft, keep: Keep) -> Result<Box<Unit>, Refused> {
        let mut compiler = self.compiler.borrow_mut();
        let compiler = compiler.as_mut().expect("prepared");
        let mut machines = Vec::with_capacity(draft.functions.len());
        let mut time = Duration::ZERO;
        for function in std::mem::take(&mut draft.functions) {
            let mut machine = compiler.compile(function, keep)?;
            time += machine.time;
            if let Some(text) = machine.clif.take() {
                self.dump(&draft, "clif", || text);
            }
            if let Some(text) = machine.asm.take() {
                self.dump(&draft, "asm", || text);
            }
            debug_assert!(machine.cold_code_is_last(), "cold code before hot code: {}", draft.name);
            machines.push(machine);
        }
        self.dump(&draft, "exits", || draft.exits.to_string());
        self.counters.cranelift_time.set(self.counters.cranelift_time.get() + time);
        let mut arena = self.arena.borrow_mut();
        let placed = place(arena.as_mut().expect("prepared"), &machines)?;
        let code_len = machines.iter().map(|m| m.len()).sum();
        if self.options.borrow().perf_map {
            for (machine, &entry) in machines.iter().zip(&placed.entries) {
                perf_map(entry, machine.len(), &draft.name);
            }
        }
        Ok(Box::new(Unit {
            id: draft.id,
            kind: draft.kind,
            proto: draft.proto,
            name: draft.name,
            entries: placed.entries,
            exits: draft.exits,
            entry_checks: draft.entry_checks,
            roots: draft.roots,
            mark: draft.mark,
            relied: draft.relied,
            code_len,
            time,
            entered: Cell::new(0),
            ended: Cell::new(false),
            serial: self.serial.replace(self.serial.get() + 1),
            block: placed.block,
        }))
    }

    /// Keeps or prints a text of a compilation, if texts of this unit are wanted.
    pub fn dump(&self, draft: &Draft, stage: &'static str, text: impl FnOnce() -> String) {
        if !draft.dumped || !self.options.borrow().dump.has(stage) {
            return;
        }
        let text = text();
        if self.options.borrow().dump_now {
            eprintln!("--- {stage} of {} ({})\n{text}", draft.name, draft.id);
        } else {
            self.dumps.borrow_mut().push(Dump { unit: draft.name.clone(), stage, text });
        }
    }
}

/// Tells `perf` the name of a function. A profiler's convenience: failures are ignored.
fn perf_map(start: *const u8, len: usize, name: &str) {
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    if let Ok(mut file) = file {
        let _ = writeln!(file, "{:x} {len:x} {}", start as usize, name.replace('\n', " "));
    }
}
