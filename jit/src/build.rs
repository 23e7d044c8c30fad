//! From a prototype and its profile to Cranelift functions.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use perilune_ir::encoding::types;
use perilune_ir::exits::ExitReason;
use perilune_ir::profile::{Callee, FieldAccess, Profile};
use perilune_ir::ssa::build::{Options as BuildOptions, build as build_graph, typed_entry};
use perilune_ir::ssa::passes::{Passes, optimize};
use perilune_ir::ssa::{Entry, Graph, Opcode};
use perilune_runtime::object::{Header, LuaClosure, Types};
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

use crate::collect::collect;
use crate::cost;
use crate::lower::{Input, lower};
use crate::tier::Jit;
use crate::units::{Draft, Refused, UnitKind};

/// Fills the draft's functions, exits and roots.
///
/// # Errors
/// The function can't be compiled.
pub fn build(jit: &Jit, vm: &mut Vm, draft: &mut Draft, base: *mut Value) -> Result<(), Refused> {
    #[cfg(test)]
    if let Some(fake) = FAKE.get() {
        return fake(jit, vm, draft, base);
    }
    // SAFETY: the draft's prototype is live.
    if cost::words(unsafe { &(*draft.proto).function }, draft.kind) > cost::MOST_WORDS {
        return Err(Refused::new("too long"));
    }
    let profile = collect(vm, &jit.blocked.borrow(), draft.proto);
    let (entry, slot_types) = entry(jit, draft, &profile, base);
    let options = BuildOptions {
        locals_in_memory: vm.heap.locals_observed.get(),
        own_upvalue: own_upvalue(draft, &profile, base),
        mark: Some(draft.mark),
        ..BuildOptions::default()
    };
    let mut graph = build_graph(&profile, &entry, &slot_types, &options);
    jit.dump(draft, "ssa", || graph.to_string());
    optimize(&mut graph, &passes(jit));
    jit.dump(draft, "ssa-opt", || graph.to_string());
    if cost::lowering(&graph) > cost::MOST_LOWERING {
        return Err(Refused::new("too costly"));
    }
    roots(&graph, &profile, &mut draft.roots);
    draft.relied = std::mem::take(&mut graph.relied);
    // SAFETY: the draft's prototype is live.
    let (num_params, is_vararg) =
        unsafe { (u32::from((*draft.proto).num_params), (*draft.proto).is_vararg) };
    let mut compiler = jit.compiler.borrow_mut();
    let compiler = compiler.as_mut().expect("prepared");
    let config = compiler.isa().frontend_config();
    let input = Input {
        graph: &graph,
        exits: &mut draft.exits,
        entry_checks: &mut draft.entry_checks,
        vm: &raw const *vm,
        num_params,
        is_vararg,
        config,
        force_exits: jit.options.borrow().force_exits.is_some(),
    };
    draft.functions = lower(&mut compiler.builder_context, input);
    Ok(())
}

/// How the unit is entered, and for loops the types that its registers hold now, or held when a unit
/// was made before.
fn entry(jit: &Jit, draft: &Draft, profile: &Profile, base: *mut Value) -> (Entry, Vec<u16>) {
    match draft.kind {
        UnitKind::Function => (typed_entry(profile).unwrap_or(Entry::Function), vec![]),
        UnitKind::Osr { pc } => {
            // SAFETY: `base` is a frame of the function: all its registers can be read. Words that
            // are stale are guarded like all others.
            let types = (0..profile.function.max_stack as usize)
                .map(|i| unsafe { stale_type(*base.add(i)) });
            let mut units = jit.units.borrow_mut();
            // SAFETY: the draft's prototype is live.
            let version = unsafe { units.of(draft.proto) }.version(draft.kind);
            let before = std::mem::take(&mut version.entry_types);
            let before = before.into_iter().chain(std::iter::repeat(0));
            version.entry_types = types.zip(before).map(|(now, then)| now | then).collect();
            (Entry::Loop { pc }, version.entry_types.clone())
        }
    }
}

/// The constant upvalue of the function at hand that holds the function itself.
fn own_upvalue(draft: &Draft, profile: &Profile, base: *mut Value) -> Option<u32> {
    if draft.kind != UnitKind::Function || profile.is_blocked(0, ExitReason::CalleeGuard) {
        return None;
    }
    let upvalues = profile.upvalues.iter().enumerate().filter(|(_, u)| u.constant);
    // SAFETY: `base` is the frame of a call of the function.
    let mut own = upvalues.filter(|(i, _)| unsafe {
        let callee = *base.sub(2);
        let closure: *mut LuaClosure = callee.ptr();
        let upvalue = *(*closure).upvalues.as_ptr().add(*i);
        !upvalue.is_null() && *(*upvalue).location == callee
    });
    own.next().map(|(i, _)| i as u32)
}

/// The type of a word that may be stale: looks at no object. Among the other objects, wide integers
/// are what loops are hot with.
fn stale_type(v: Value) -> u16 {
    match Types::of(v) {
        types::OTHER => types::INT | types::OTHER,
        seen => seen,
    }
}

fn passes(jit: &Jit) -> Passes {
    let off: FxHashSet<String> = jit.options.borrow().disabled_passes.iter().cloned().collect();
    let on = |name: &str| !off.contains(name);
    Passes {
        phis: on("phis"),
        widen: on("widen"),
        gvn: on("gvn"),
        licm: on("licm"),
        bounds: on("bounds"),
        guards: on("guards"),
        polls: on("polls"),
        dce: on("dce"),
    }
}

/// Every object whose address may be in the code.
fn roots(graph: &Graph, profile: &Arc<Profile>, roots: &mut Vec<*mut Header>) {
    roots.push(graph.proto as *mut Header);
    if profile.library.string_methods != 0 {
        roots.push(profile.library.string_methods as *mut Header);
    }
    roots.extend(graph.inlined.iter().map(|&p| p as *mut Header));
    let mut seen = FxHashSet::default();
    from_profile(profile, roots, &mut seen);
    for inst in &graph.insts {
        if inst.op == Opcode::ConstBits || inst.op == Opcode::GuardBits {
            let header = Value(inst.imm).header();
            if !header.is_null() {
                roots.push(header);
            }
        }
    }
}

fn from_profile(profile: &Profile, roots: &mut Vec<*mut Header>, seen: &mut FxHashSet<u64>) {
    if !seen.insert(profile.proto) {
        return;
    }
    roots.push(profile.proto as *mut Header);
    for case in profile.operators.values().flat_map(|site| &site.cases) {
        roots.push(case.shape as *mut Header);
        roots.push(Value(case.handler).header());
        if let Some(callee) = &case.profile {
            from_profile(callee, roots, seen);
        }
    }
    for site in &profile.sites {
        for case in &site.fields {
            roots.push(case.shape as *mut Header);
            match case.access {
                FieldAccess::Own { .. } | FieldAccess::Absent => {}
                FieldAccess::Holder { holder, .. } => roots.push(holder as *mut Header),
                FieldAccess::Add { next, .. } => roots.push(next as *mut Header),
            }
        }
        match &site.callee {
            Callee::Lua { profile: Some(callee), .. } => from_profile(callee, roots, seen),
            Callee::Several(callees) => callees.iter().for_each(|c| from_profile(c, roots, seen)),
            Callee::Lua { profile: None, .. }
            | Callee::Native { .. }
            | Callee::Never
            | Callee::Mixed => {}
        }
    }
}

#[cfg(test)]
type Build = fn(&Jit, &mut Vm, &mut Draft, *mut Value) -> Result<(), Refused>;

#[cfg(test)]
thread_local! {
    /// Stands in for the builder in this crate's own tests.
    pub static FAKE: std::cell::Cell<Option<Build>> = const { std::cell::Cell::new(None) };
}

const _: () = {
    // The runtime's and the builder's sets of types are the same.
    assert!(Types::INT == types::INT && Types::FLOAT == types::FLOAT);
    assert!(Types::NIL == types::NIL && Types::FALSE == types::FALSE && Types::TRUE == types::TRUE);
    assert!(Types::STRING == types::STRING && Types::TABLE == types::TABLE);
    assert!(Types::FUNCTION == types::FUNCTION && Types::OTHER == types::OTHER);
    assert!(Types::LIGHT == types::LIGHT);
};
