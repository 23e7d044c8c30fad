//! Taking a profile: from a prototype's feedback cells to plain data.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use perilune_ir::bytecode::{NO_FEEDBACK, Op};
use perilune_ir::profile::{
    Callee, FieldAccess, FieldCase, LUA_TYPES, Library, OperatorCase, OperatorSite, Profile, Site,
    Variable,
};
use perilune_runtime::meta::Metamethod;
use perilune_runtime::object::{
    CacheKind, Feedback, FieldEntry, Function as FunctionObject, Kind, LuaClosure, NativeFunction,
    Proto, Shape, Table,
};
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

use crate::exits::SiteKey;

/// How deep profiles of callees are taken.
const DEPTH: usize = 4;

/// The profile of `proto` and, some levels deep, of the functions it calls.
///
/// `proto` must be live.
pub fn collect(vm: &mut Vm, blocked: &FxHashSet<SiteKey>, proto: *mut Proto) -> Arc<Profile> {
    let library = library(vm);
    // SAFETY: the tier passes live prototypes only.
    unsafe { profile(vm, &library, blocked, proto, &mut vec![]) }
}

fn library(vm: &mut Vm) -> Library {
    let a_string = vm.string(b"");
    let methods = vm.metamethod(a_string, Metamethod::Index);
    Library {
        string_methods: methods.as_table().map_or(0, |t| t as u64),
        native_code: &raw const vm.native_code as u64,
        plain_shape: vm.heap.shapes.plain as u64,
        type_names: LUA_TYPES.map(|(_, name)| vm.string(name.as_bytes()).0),
    }
}

/// # Safety
/// `proto` is live.
unsafe fn profile(
    vm: &Vm,
    library: &Library,
    blocked: &FxHashSet<SiteKey>,
    proto: *mut Proto,
    callers: &mut Vec<*mut Proto>,
) -> Arc<Profile> {
    // SAFETY: the caller's contract.
    let p = unsafe { &*proto };
    callers.push(proto);
    let epoch = vm.heap.method_epoch.get();
    let calls = call_cells(p);
    let mut sites = Vec::with_capacity(p.feedback.len());
    for (i, cell) in p.feedback.iter().enumerate() {
        let callee = if calls[i] {
            // SAFETY: feedback names live objects: the collector clears what dies.
            unsafe { callee(vm, library, blocked, cell, callers) }
        } else {
            Callee::Never
        };
        let (fields, megamorphic) = if calls[i] {
            (vec![], false)
        } else {
            // SAFETY: as above.
            unsafe { fields(cell, epoch) }
        };
        sites.push(Site {
            types: cell.types.get(),
            flags: cell.sites.get(),
            fields,
            megamorphic,
            callee,
            hint: &raw const cell.slot as u64,
        });
    }
    // SAFETY: the caller's contract.
    let operators = unsafe { operators(vm, library, blocked, p, callers) };
    callers.pop();
    Arc::new(Profile {
        operators,
        function: p.function.clone(),
        proto: proto as u64,
        constants: p.constants.iter().map(|v| v.0).collect(),
        sites,
        upvalues: p
            .upvalue_variables
            .iter()
            .zip(&p.function.upvalues)
            .map(|(&number, up)| Variable {
                number,
                constant: up.constant && vm.detail.variables.is_pristine(number),
            })
            .collect(),
        captured: p
            .captured
            .iter()
            .map(|&(register, number)| {
                let constant = vm.detail.variables.is_pristine(number);
                (register, Variable { number, constant })
            })
            .collect(),
        arg_types: p.arg_types.iter().map(|t| t.get()).collect(),
        blocked: blocked
            .iter()
            .filter(|key| key.proto == proto as usize)
            .map(|key| (key.pc, key.reason))
            .collect(),
        // SAFETY: a prototype's templates live as long as it does.
        templates: p.templates.iter().map(|&s| (s as u64, unsafe { (*s).len })).collect(),
        method_epoch: epoch,
        library: *library,
    })
}

/// What is known of operators that called metamethods.
///
/// # Safety
/// The cells' objects are live.
unsafe fn operators(
    vm: &Vm,
    library: &Library,
    blocked: &FxHashSet<SiteKey>,
    p: &Proto,
    callers: &mut Vec<*mut Proto>,
) -> FxHashMap<u32, OperatorSite> {
    let mut found = FxHashMap::default();
    for (pc, cell) in p.metamethods.borrow().iter() {
        let mut site = OperatorSite { types: cell.types.get(), cases: vec![] };
        let entries = std::iter::once(cell.first()).chain(cell.further().iter().copied());
        for entry in entries.filter(|e| !e.shape.is_null()) {
            let current = entry.epoch == vm.heap.method_epoch.get();
            if entry.cache != CacheKind::Holder || !current {
                continue;
            }
            let function: *mut FunctionObject = entry.holder.cast();
            // SAFETY: the caller's contract.
            let callee = unsafe { lua_callee(vm, library, blocked, function, callers) };
            if let Some((_, profile)) = callee {
                let handler = Value::closure(function.cast()).0;
                let (shape, operand) = (entry.shape as u64, entry.slot);
                site.cases.push(OperatorCase { shape, operand, handler, profile });
            }
        }
        found.insert(*pc, site);
    }
    found
}

/// Which feedback cells belong to calls.
fn call_cells(p: &Proto) -> Vec<bool> {
    let mut calls = vec![false; p.feedback.len()];
    let code = &p.function.code;
    let mut pc = 0;
    while pc < code.len() {
        let op = p.function.op(pc);
        if matches!(op, Op::Call | Op::TailCall | Op::TForCall) {
            let index = (code[pc + 1] >> 16) as u16;
            if index != NO_FEEDBACK {
                calls[index as usize] = true;
            }
        }
        pc += op.words();
    }
    calls
}

/// # Safety
/// The cell's callee is live.
unsafe fn callee(
    vm: &Vm,
    library: &Library,
    blocked: &FxHashSet<SiteKey>,
    cell: &Feedback,
    callers: &mut Vec<*mut Proto>,
) -> Callee {
    /// Several closures of a prototype.
    const CLOSURES: u8 = 1;
    let flags = cell.sites.get();
    if flags & !CLOSURES != 0 {
        return Callee::Mixed;
    }
    let others: [*mut FunctionObject; 2] = [cell.shape.get().cast(), cell.next_shape.get().cast()];
    let first: *mut FunctionObject = cell.holder.get().cast();
    if first.is_null() {
        return Callee::Never;
    }
    // SAFETY: the caller's contract.
    unsafe {
        if others.iter().any(|f| !f.is_null()) {
            let mut profiles = vec![];
            for f in [first, others[0], others[1]].into_iter().filter(|f| !f.is_null()) {
                match lua_callee(vm, library, blocked, f, callers) {
                    Some((_, Some(profile))) => profiles.push(profile),
                    _ => return Callee::Mixed,
                }
            }
            return Callee::Several(profiles);
        }
        let bits = Value::closure(first.cast()).0;
        match lua_callee(vm, library, blocked, first, callers) {
            Some((proto, profile)) => {
                let single = flags & CLOSURES == 0;
                Callee::Lua { bits, single, profile, proto: proto as u64 }
            }
            None => {
                let native: *mut NativeFunction = first.cast();
                let upvalue = if (*native).header.extra > 0 {
                    (*(&raw const (*native).upvalues).cast::<Value>()).0
                } else {
                    0
                };
                Callee::Native { bits, intrinsic: (*native).intrinsic, upvalue }
            }
        }
    }
}

/// Prototype and profile of a Lua function; no profile beyond the depth or in recursion.
///
/// # Safety
/// `function` is live.
unsafe fn lua_callee(
    vm: &Vm,
    library: &Library,
    blocked: &FxHashSet<SiteKey>,
    function: *mut FunctionObject,
    callers: &mut Vec<*mut Proto>,
) -> Option<(*mut Proto, Option<Arc<Profile>>)> {
    // SAFETY: the caller's contract; the kind says what the object is.
    unsafe {
        if (*function).header.kind == Kind::NativeFunction {
            return None;
        }
        let proto = (*function.cast::<LuaClosure>()).proto;
        let deeper = callers.len() < DEPTH && !callers.contains(&proto);
        Some((proto, deeper.then(|| profile(vm, library, blocked, proto, callers))))
    }
}

/// The usable cases of a field cache, and whether there were others.
///
/// # Safety
/// The cell's objects are live.
unsafe fn fields(cell: &Feedback, epoch: u32) -> (Vec<FieldCase>, bool) {
    let first = FieldEntry {
        shape: cell.shape.get(),
        holder: cell.holder.get(),
        next_shape: cell.next_shape.get(),
        slot: cell.slot.get(),
        epoch: cell.epoch.get(),
        cache: cell.cache.get(),
    };
    let mut cases = vec![];
    let mut megamorphic = false;
    let more = cell.more.get();
    // SAFETY: a non-null list belongs to the cell.
    let more: &[FieldEntry] = if more.is_null() { &[] } else { unsafe { &*more } };
    for entry in std::iter::once(&first).chain(more) {
        match entry.cache {
            CacheKind::Empty => {}
            CacheKind::Megamorphic => megamorphic = true,
            // SAFETY: the caller's contract.
            CacheKind::Own | CacheKind::Holder | CacheKind::Add | CacheKind::Absent => unsafe {
                if let Some(case) = case(entry, epoch) {
                    cases.push(case);
                } else {
                    megamorphic = true;
                }
            },
        }
    }
    (cases, megamorphic)
}

/// # Safety
/// The entry's objects are live.
unsafe fn case(entry: &FieldEntry, epoch: u32) -> Option<FieldCase> {
    let shape: *mut Shape = entry.shape;
    if shape.is_null() {
        return None;
    }
    // SAFETY: the caller's contract.
    let has_meta = unsafe { !(*shape).meta.is_null() };
    let slot = entry.slot;
    let access = match entry.cache {
        CacheKind::Own => FieldAccess::Own { slot },
        CacheKind::Holder if entry.epoch == epoch => {
            let holder: *mut Table = entry.holder;
            // SAFETY: as above; the slot exists while the epoch stands.
            let value = unsafe { *(*holder).slots.add(slot as usize) };
            FieldAccess::Holder { holder: holder as u64, slot, value: value.0 }
        }
        CacheKind::Absent if !has_meta || entry.epoch == epoch => FieldAccess::Absent,
        CacheKind::Add if !has_meta || entry.epoch == epoch => {
            FieldAccess::Add { next: entry.next_shape as u64, slot }
        }
        CacheKind::Holder
        | CacheKind::Add
        | CacheKind::Empty
        | CacheKind::Absent
        | CacheKind::Megamorphic => {
            return None;
        }
    };
    Some(FieldCase { shape: shape as u64, has_meta, access })
}
