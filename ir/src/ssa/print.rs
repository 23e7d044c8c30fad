//! The textual form of a graph, as dumps and goldens show it.

use std::fmt::{Display, Formatter, Result};

use super::{Graph, Opcode, SlotValue, Snapshot, Target, Terminator, Value};

fn list(values: &[Value]) -> String {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}

fn target(t: &Target) -> String {
    if t.args.is_empty() { t.block.to_string() } else { format!("{}({})", t.block, list(&t.args)) }
}

impl Display for Snapshot {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "pc {}", self.pc)?;
        if self.base != 0 {
            write!(f, " base {}", self.base)?;
        }
        write!(f, " {}", self.reason.label())?;
        for (slot, value) in &self.slots {
            match value {
                SlotValue::Value(v) => write!(f, " [{slot}]={v}")?,
                SlotValue::Bits(_) => write!(f, " [{slot}]=const")?,
            }
        }
        Ok(())
    }
}

impl Graph {
    fn fmt_inst(&self, f: &mut Formatter<'_>, v: Value) -> Result {
        let inst = self.inst(v);
        write!(f, "    {v}: {:?} = {}", inst.ty, inst.op.mnemonic())?;
        match inst.op {
            Opcode::ConstFloat => write!(f, " {:?}", f64::from_bits(inst.imm))?,
            Opcode::ConstInt => write!(f, " {}", inst.imm as i64)?,
            _ if inst.imm > 0xFFFF_FFFF => write!(f, " #")?,
            _ => {
                if !inst.args.is_empty() {
                    write!(f, " {}", list(&inst.args))?;
                }
                if inst.imm != 0 {
                    write!(f, " imm {}", inst.imm)?;
                }
            }
        }
        if inst.imm > 0xFFFF_FFFF && !inst.args.is_empty() {
            write!(f, " {}", list(&inst.args))?;
        }
        if inst.aux != 0 {
            write!(f, " aux {}", inst.aux as i32)?;
        }
        if let Some(s) = inst.snapshot {
            write!(f, " ({s})")?;
        }
        writeln!(f)
    }
}

impl Display for Graph {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "entry {:?}, {} slots", self.entry, self.frame_slots)?;
        for (i, block) in self.blocks.iter().enumerate() {
            let cold = if block.cold { " (cold)" } else { "" };
            writeln!(f, "  b{i}({}):{cold}", list(&block.params))?;
            for &v in &block.insts {
                self.fmt_inst(f, v)?;
            }
            match &block.terminator {
                Terminator::Open => writeln!(f, "    open")?,
                Terminator::Jump(t) => writeln!(f, "    jump {}", target(t))?,
                Terminator::Branch { cond, then, other } => {
                    writeln!(f, "    branch {cond} ? {} : {}", target(then), target(other))?;
                }
                Terminator::Return(values) => writeln!(f, "    return {}", list(values))?,
                Terminator::TailCall { callee, args, .. } => {
                    writeln!(f, "    tail_call {callee}({})", list(args))?;
                }
                Terminator::ReturnOpen(from) => writeln!(f, "    return open {from}")?,
                Terminator::TailCallOpen { callee, from, .. } => {
                    writeln!(f, "    tail_call {callee} open {from}")?;
                }
                Terminator::Exit(s) => writeln!(f, "    exit {s}")?,
            }
        }
        for (i, s) in self.snapshots.iter().enumerate() {
            writeln!(f, "  s{i}: {s}")?;
        }
        Ok(())
    }
}
