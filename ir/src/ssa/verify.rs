//! The graph verifier: runs between passes in debug builds.

use crate::encoding;

use super::{Graph, Opcode, SlotValue, Target, Terminator, Type, Value};

/// Checks that every use is dominated by its definition, that jumps pass as many arguments of the
/// right type as the target has parameters, and that guards have snapshots.
///
/// # Errors
/// A description of the first fault.
pub fn verify(graph: &Graph) -> Result<(), String> {
    let doms = super::passes::Dominators::new(graph);
    let mut defined_in = vec![None; graph.insts.len()];
    let mut position = vec![0usize; graph.insts.len()];
    for (b, block) in graph.blocks.iter().enumerate() {
        for (i, &v) in block.params.iter().chain(&block.insts).enumerate() {
            if defined_in[v.0 as usize].is_some() {
                return Err(format!("{v} is defined twice"));
            }
            defined_in[v.0 as usize] = Some(b as u32);
            position[v.0 as usize] = i;
        }
    }
    let check = |v: Value, block: usize, at: usize| -> Result<(), String> {
        let Some(def) = defined_in[v.0 as usize] else {
            return Err(format!("b{block}: {v} is used but not placed"));
        };
        let ok = if def as usize == block {
            position[v.0 as usize] < at
        } else {
            doms.dominates(def, block as u32)
        };
        if ok { Ok(()) } else { Err(format!("b{block}: use of {v} is not dominated by b{def}")) }
    };
    for (b, block) in graph.blocks.iter().enumerate() {
        if !doms.is_reachable(b as u32) {
            continue;
        }
        let params = block.params.len();
        for (i, &v) in block.insts.iter().enumerate() {
            let inst = graph.inst(v);
            let at = params + i;
            for &arg in &inst.args {
                check(arg, b, at)?;
                let guards = &graph.inst(arg).op;
                if graph.ty(arg) == Type::None && !guards.is_guard() {
                    return Err(format!("b{b}: {v} uses {arg}, which has no value"));
                }
            }
            let double = match inst.op {
                Opcode::ConstFloat => true,
                Opcode::ConstBits => inst.imm <= encoding::MAX_DOUBLE,
                _ => false,
            };
            if double && !encoding::is_canonical(inst.imm) {
                return Err(format!("b{b}: {v} is the NaN {:#x}", inst.imm));
            }
            if inst.op == Opcode::Param {
                return Err(format!("b{b}: parameter {v} among the instructions"));
            }
            let known = inst.op == Opcode::GuardFunction && inst.aux == 1;
            if inst.op.is_guard() && !known && inst.snapshot.is_none() {
                return Err(format!("b{b}: guard {v} has no snapshot"));
            }
            if let Some(s) = inst.snapshot {
                for (_, value) in &graph.snapshots[s.0 as usize].slots {
                    if let SlotValue::Value(x) = value {
                        check(*x, b, at).map_err(|e| format!("{e} (snapshot {s})"))?;
                    }
                }
            }
        }
        let at = params + block.insts.len();
        let target = |t: &Target| -> Result<(), String> {
            let params = &graph.blocks[t.block.0 as usize].params;
            if params.len() != t.args.len() {
                return Err(format!("b{b}: {} arguments for {}", t.args.len(), t.block));
            }
            for (&arg, &param) in t.args.iter().zip(params) {
                check(arg, b, at)?;
                if graph.ty(arg) != graph.ty(param) {
                    return Err(format!("b{b}: {arg} has another type than {param}"));
                }
            }
            Ok(())
        };
        match &block.terminator {
            Terminator::Open => return Err(format!("b{b} has no end")),
            Terminator::Jump(t) => target(t)?,
            Terminator::Branch { cond, then, other } => {
                check(*cond, b, at)?;
                if graph.ty(*cond) != Type::Bool {
                    return Err(format!("b{b}: branch on {cond}, no boolean"));
                }
                target(then)?;
                target(other)?;
            }
            Terminator::Return(values) => {
                for &v in values {
                    check(v, b, at)?;
                }
            }
            Terminator::TailCall { callee, pointer, args } => {
                for &v in args.iter().chain([callee, pointer]) {
                    check(v, b, at)?;
                }
            }
            Terminator::ReturnOpen(_) => {}
            Terminator::TailCallOpen { callee, pointer, .. } => {
                check(*callee, b, at)?;
                check(*pointer, b, at)?;
            }
            Terminator::Exit(s) => {
                for (_, value) in &graph.snapshots[s.0 as usize].slots {
                    if let SlotValue::Value(x) = value {
                        check(*x, b, at).map_err(|e| format!("{e} (snapshot {s})"))?;
                    }
                }
            }
        }
    }
    Ok(())
}
