//! Value numbering over the dominator tree: equal pure computations and guards are done once, loads
//! once as long as nothing writes their alias class, and stores of record slots are forwarded.
//!
//! Holds before and after: the graph is in SSA form; guards only disappear where an equal guard
//! dominates.

use std::collections::HashMap;

use rapidhash::quality::RandomState;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::Flow;
use super::fold::{Folded, always_holds, fold, is_shareable};
use crate::ssa::{Args, Block, Graph, Inst, Opcode, Type, Value, effect};

/// Alias classes refined: record slots by number modulo 16.
pub const CLASSES: usize = effect::COUNT + 16;

/// What an instruction reads, as a mask of refined classes.
pub fn reads(inst: &Inst) -> u32 {
    refine(inst, inst.op.reads())
}

/// What an instruction writes, as a mask of refined classes.
pub fn writes(inst: &Inst) -> u32 {
    refine(inst, inst.op.writes())
}

fn refine(inst: &Inst, classes: u16) -> u32 {
    let all_records = 0xFFFFu32 << effect::COUNT;
    let plain = (classes & !effect::RECORD) as u32;
    if classes & effect::RECORD == 0 {
        return plain;
    }
    match inst.op {
        Opcode::LoadRecord | Opcode::LoadRecordHere | Opcode::StoreRecord => {
            plain | 1 << (effect::COUNT as u32 + (inst.aux & 15))
        }
        _ => plain | all_records,
    }
}

type Versions = [u32; CLASSES];
type Key = (Opcode, Type, Args, u64, u32, SmallVec<[u32; 4]>);

/// Runs the pass.
pub fn run(graph: &mut Graph, Flow { doms, nest }: &Flow) {
    let loop_writes: FxHashMap<u32, u32> = nest
        .loops
        .iter()
        .map(|l| {
            let mut mask = 0;
            for (b, _) in l.members.iter().enumerate().filter(|(_, m)| **m) {
                for &v in &graph.blocks[b].insts {
                    mask |= writes(graph.inst(v));
                }
            }
            (l.header, mask)
        })
        .collect();
    let mut counter = 0;
    let mut fresh = || {
        counter += 1;
        counter
    };
    let mut exit_versions: Vec<Option<Versions>> = vec![None; graph.blocks.len()];
    // Keyed by constants of the program, which chooses them.
    let mut table: HashMap<Key, SmallVec<[(u32, Value); 1]>, RandomState> = HashMap::default();
    let mut map: Vec<Value> = (0..graph.insts.len() as u32).map(Value).collect();
    for &b in &doms.order {
        let known =
            doms.preds[b as usize].iter().filter_map(|&p| exit_versions[p as usize].as_ref());
        let clobbered = loop_writes.get(&b).copied().unwrap_or(0);
        let mut versions = meet(known, clobbered, &mut fresh);
        let old = std::mem::take(&mut graph.blocks[b as usize].insts);
        let mut kept = Vec::with_capacity(old.len());
        for v in old {
            let mut inst = graph.inst(v).clone();
            inst.args.iter_mut().for_each(|a| *a = map[a.0 as usize]);
            if always_holds(graph, &inst) {
                graph.insts[v.0 as usize] = inst;
                continue_guard(graph, v, &mut kept);
                continue;
            }
            if let Some(folded) = fold(graph, &inst) {
                match folded {
                    Folded::Value(same) => {
                        map[v.0 as usize] = same;
                        continue;
                    }
                    Folded::Inst(op, args, imm) => {
                        inst = Inst { op, ty: result_type(op), args, imm, aux: 0, snapshot: None };
                    }
                }
            }
            graph.insts[v.0 as usize] = inst.clone();
            if is_shareable(graph, &inst) {
                let key = key(&inst, &versions);
                let found = table.get(&key).and_then(|entries| {
                    entries.iter().find(|(block, _)| doms.dominates(*block, b)).map(|e| e.1)
                });
                if let Some(same) = found {
                    map[v.0 as usize] = same;
                    continue;
                }
                table.entry(key).or_default().push((b, v));
            }
            let mask = writes(&inst);
            if mask != 0 {
                for (class, version) in versions.iter_mut().enumerate() {
                    if mask >> class & 1 != 0 {
                        *version = fresh();
                    }
                }
            }
            for (load, known) in forwards(&inst, v) {
                let known = match known {
                    Known::Value(known) => known,
                    Known::Word(word) => {
                        let op =
                            if load.ty == Type::Int { Opcode::ConstInt } else { Opcode::ConstRaw };
                        graph.insts.push(Inst { op, ty: load.ty, imm: word, ..Inst::default() });
                        let constant = Value(graph.insts.len() as u32 - 1);
                        map.push(constant);
                        kept.push(constant);
                        constant
                    }
                };
                table.entry(key(&load, &versions)).or_default().push((b, known));
            }
            kept.push(v);
        }
        graph.blocks[b as usize].insts = kept;
        exit_versions[b as usize] = Some(versions);
        let resolve = |v: Value| map[v.0 as usize];
        graph.map_terminator(Block(b), resolve);
    }
    super::rewrite(graph, |v| map[v.0 as usize]);
}

/// The versions on entry to a block, from those that arrive there: a new one where they differ, or the
/// class is `clobbered`.
fn meet<'a>(
    mut known: impl Iterator<Item = &'a Versions>,
    clobbered: u32,
    fresh: &mut impl FnMut() -> u32,
) -> Versions {
    let first = known.next();
    let mut differ = if first.is_some() { clobbered } else { u32::MAX };
    let mut versions = first.copied().unwrap_or([0; CLASSES]);
    for other in known {
        for class in 0..CLASSES {
            differ |= u32::from(other[class] != versions[class]) << class;
        }
    }
    for (class, version) in versions.iter_mut().enumerate() {
        if differ >> class & 1 != 0 {
            *version = fresh();
        }
    }
    versions
}

/// A guard that always holds stays only as a name for those that depend on it.
fn continue_guard(graph: &mut Graph, v: Value, kept: &mut Vec<Value>) {
    let inst = &mut graph.insts[v.0 as usize];
    *inst = Inst {
        op: Opcode::ConstBool,
        ty: Type::Bool,
        args: Args::new(),
        imm: 1,
        aux: 0,
        snapshot: None,
    };
    kept.push(v);
}

fn result_type(op: Opcode) -> Type {
    match op {
        Opcode::ConstInt => Type::Int,
        Opcode::ConstBool => Type::Bool,
        Opcode::ConstBits => Type::Any,
        Opcode::ConstFloat | Opcode::IntToFloat => Type::Float,
        other => unreachable!("{other:?} is no result of folding"),
    }
}

/// What a load is known to answer.
enum Known {
    Value(Value),
    Word(u64),
}

/// Loads whose answer is known behind the instruction `inst`, whose value is `v`.
fn forwards(inst: &Inst, v: Value) -> Vec<(Inst, Known)> {
    let load = |op, ty, args: &[Value], aux| Inst {
        op,
        ty,
        args: Args::from_slice(args),
        aux,
        ..Inst::default()
    };
    match inst.op {
        Opcode::NewTable => vec![
            (load(Opcode::TableShape, Type::Raw, &[v], 0), Known::Word(inst.imm)),
            (load(Opcode::TableFlags, Type::Raw, &[v], 0), Known::Word(0)),
            (load(Opcode::TableKind, Type::Raw, &[v], 0), Known::Word(0)),
            (load(Opcode::TableArrLen, Type::Int, &[v], 0), Known::Word(0)),
        ],
        Opcode::FillArray => {
            let t = &inst.args[..1];
            vec![
                (load(Opcode::TableArrLen, Type::Int, t, 0), Known::Word(inst.imm)),
                (load(Opcode::TableKind, Type::Raw, t, 0), Known::Word(u64::from(inst.aux))),
            ]
        }
        Opcode::StoreShape => {
            vec![(load(Opcode::TableShape, Type::Raw, &inst.args[..1], 0), Known::Word(inst.imm))]
        }
        Opcode::StoreRecord => {
            let slots = &inst.args[..1];
            let stored = inst.args[1];
            vec![
                (load(Opcode::LoadRecord, Type::Any, slots, inst.aux), Known::Value(stored)),
                (load(Opcode::LoadRecordHere, Type::Any, slots, inst.aux), Known::Value(stored)),
            ]
        }
        Opcode::StoreElem => {
            let at = &inst.args[..2];
            let stored = inst.args[2];
            vec![
                (load(Opcode::LoadElem, Type::Any, at, 0), Known::Value(stored)),
                (load(Opcode::LoadElemHere, Type::Any, at, 0), Known::Value(stored)),
            ]
        }
        Opcode::StoreUpval => {
            let closure = &inst.args[..1];
            vec![(
                load(Opcode::LoadUpval, Type::Any, closure, inst.aux),
                Known::Value(inst.args[1]),
            )]
        }
        _ => vec![],
    }
}

fn key(inst: &Inst, versions: &Versions) -> Key {
    let mask = reads(inst);
    // A check that a load depends on says where it may be, not what it answers.
    let args = match inst.op {
        Opcode::LoadRecord => &inst.args[..1],
        Opcode::LoadElem => &inst.args[..2],
        _ => &inst.args[..],
    };
    let seen = versions
        .iter()
        .enumerate()
        .filter(|(class, _)| mask >> class & 1 != 0)
        .map(|(_, v)| *v)
        .collect();
    (inst.op, inst.ty, Args::from_slice(args), inst.imm, inst.aux, seen)
}
