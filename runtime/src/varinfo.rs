//! Names of values for messages, by symbolic execution of bytecode.
//!
//! A register's name is that of the local variable that lives there, or follows from the instruction
//! that loaded it last (a global, field, upvalue, constant or method). An instruction that may have
//! been jumped over says nothing.

use perilune_ir::bytecode::{Constant, Extra, Function, Op, Operand as Kind, Word};

use crate::error::Operand;
use crate::meta::Metamethod;

/// Kind (`local`, `global`, `field`, …) and name.
pub type Name = (&'static str, Vec<u8>);

/// The name of the local variable in `register` at `pc`.
pub fn local_at(function: &Function, pc: u32, register: u8) -> Option<Vec<u8>> {
    function
        .locals
        .iter()
        .rev()
        .find(|v| v.register == register && v.start_pc <= pc && pc < v.end_pc)
        .map(|v| v.name.to_vec())
}

/// The name of a string constant.
pub fn constant_name(function: &Function, k: u32) -> Option<Name> {
    match function.constants.get(k as usize)? {
        Constant::Str(s) => Some(("constant", s.to_vec())),
        Constant::Nil | Constant::Bool(_) | Constant::Int(_) | Constant::Float(_) => None,
    }
}

fn key_text(function: &Function, k: u32) -> Vec<u8> {
    match constant_name(function, k) {
        Some((_, name)) => name,
        None => b"?".to_vec(),
    }
}

fn upvalue_name(function: &Function, u: u8) -> Vec<u8> {
    match function.upvalues.get(usize::from(u)) {
        Some(up) if !up.name.is_empty() => up.name.to_vec(),
        _ => b"?".to_vec(),
    }
}

/// Whether the instruction at `pc` writes `register`.
fn writes(function: &Function, pc: u32, register: u8) -> bool {
    let word = Word(function.code[pc as usize]);
    let op = function.op(pc as usize);
    let a = word.a();
    match op {
        Op::LoadNil => {
            register >= a && usize::from(register) <= usize::from(a) + usize::from(word.b())
        }
        Op::TForCall => usize::from(register) >= usize::from(a) + 4,
        Op::Call | Op::TailCall | Op::Vararg => register >= a,
        Op::SelfField => register == a || usize::from(register) == usize::from(a) + 2,
        Op::ForPrep | Op::ForLoop => register >= a && usize::from(register) <= usize::from(a) + 3,
        Op::TForLoop => usize::from(register) == usize::from(a) + 2,
        Op::Concat => register == a,
        Op::SetList | Op::Return | Op::TForPrep => false,
        Op::Move
        | Op::LoadI
        | Op::LoadK
        | Op::LoadKX
        | Op::LoadFalse
        | Op::LFalseSkip
        | Op::LoadTrue
        | Op::GetUpval
        | Op::SetUpval
        | Op::GetTabUp
        | Op::SetTabUp
        | Op::GetTable
        | Op::GetI
        | Op::GetField
        | Op::SetTable
        | Op::SetI
        | Op::SetField
        | Op::NewTable
        | Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Mod
        | Op::Pow
        | Op::IDiv
        | Op::BAnd
        | Op::BOr
        | Op::BXor
        | Op::Shl
        | Op::Shr
        | Op::AddK
        | Op::SubK
        | Op::MulK
        | Op::DivK
        | Op::ModK
        | Op::PowK
        | Op::IDivK
        | Op::BAndK
        | Op::BOrK
        | Op::BXorK
        | Op::ShlK
        | Op::ShrK
        | Op::Unm
        | Op::BNot
        | Op::Not
        | Op::Len
        | Op::Close
        | Op::Tbc
        | Op::Jmp
        | Op::Loop
        | Op::Eq
        | Op::Lt
        | Op::Le
        | Op::EqK
        | Op::LtK
        | Op::LeK
        | Op::GtK
        | Op::GeK
        | Op::Test
        | Op::TestSet
        | Op::Return0
        | Op::Return1
        | Op::Closure
        | Op::VarargPrep => op.info().operands[0] == Kind::Def && register == a,
    }
}

/// The instruction before `pc` that last wrote `register`, if that is certain.
fn find_set(function: &Function, last: u32, register: u8) -> Option<u32> {
    let mut found = None;
    // Instructions before this target may be jumped over.
    let mut target = 0u32;
    let mut pc = 0u32;
    while pc < last {
        let op = function.op(pc as usize);
        let next = pc + op.words() as u32;
        let jump = match op.info().extra {
            Extra::Jump => function.code[pc as usize + 1] as i32,
            Extra::None if op == Op::Jmp => Word(function.code[pc as usize]).j(),
            Extra::None | Extra::KeyFeedback | Extra::Feedback | Extra::Table | Extra::Word => 0,
        };
        if jump > 0 {
            let dest = next + jump as u32;
            if dest <= last && dest > target {
                target = dest;
            }
        }
        if writes(function, pc, register) {
            found = if pc < target { None } else { Some(pc) };
        }
        pc = next;
    }
    found
}

/// The name of the value in `register` when the instruction at `pc` runs.
pub fn register_name(function: &Function, pc: u32, register: u8) -> Option<Name> {
    if let Some(name) = local_at(function, pc, register) {
        return Some(("local", name));
    }
    let pc = find_set(function, pc, register)?;
    let word = Word(function.code[pc as usize]);
    let key = || u32::from(function.code[pc as usize + 1] as u16);
    match function.op(pc as usize) {
        Op::Move if word.b() < word.a() => register_name(function, pc, word.b()),
        Op::Move => None,
        Op::GetTabUp => {
            let global = upvalue_name(function, word.b()) == b"_ENV";
            Some((if global { "global" } else { "field" }, key_text(function, key())))
        }
        Op::GetTable => {
            let name = match register_name(function, pc, word.c()) {
                Some(("constant", name)) => name,
                _ => b"?".to_vec(),
            };
            Some((global_or_field(function, pc, word.b()), name))
        }
        Op::GetI => Some(("field", b"integer index".to_vec())),
        Op::GetField => Some((global_or_field(function, pc, word.b()), key_text(function, key()))),
        Op::GetUpval => Some(("upvalue", upvalue_name(function, word.b()))),
        Op::LoadK => constant_name(function, u32::from(word.d())),
        Op::LoadKX => constant_name(function, function.code[pc as usize + 1]),
        Op::SelfField => Some(("method", key_text(function, key()))),
        Op::LoadI
        | Op::LoadNil
        | Op::LoadFalse
        | Op::LFalseSkip
        | Op::LoadTrue
        | Op::SetUpval
        | Op::SetTabUp
        | Op::SetTable
        | Op::SetI
        | Op::SetField
        | Op::NewTable
        | Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Mod
        | Op::Pow
        | Op::IDiv
        | Op::BAnd
        | Op::BOr
        | Op::BXor
        | Op::Shl
        | Op::Shr
        | Op::AddK
        | Op::SubK
        | Op::MulK
        | Op::DivK
        | Op::ModK
        | Op::PowK
        | Op::IDivK
        | Op::BAndK
        | Op::BOrK
        | Op::BXorK
        | Op::ShlK
        | Op::ShrK
        | Op::Unm
        | Op::BNot
        | Op::Not
        | Op::Len
        | Op::Concat
        | Op::Close
        | Op::Tbc
        | Op::Jmp
        | Op::Loop
        | Op::Eq
        | Op::Lt
        | Op::Le
        | Op::EqK
        | Op::LtK
        | Op::LeK
        | Op::GtK
        | Op::GeK
        | Op::Test
        | Op::TestSet
        | Op::Call
        | Op::TailCall
        | Op::Return
        | Op::Return0
        | Op::Return1
        | Op::ForPrep
        | Op::ForLoop
        | Op::TForPrep
        | Op::TForCall
        | Op::TForLoop
        | Op::SetList
        | Op::Closure
        | Op::Vararg
        | Op::VarargPrep => None,
    }
}

fn global_or_field(function: &Function, pc: u32, table: u8) -> &'static str {
    match register_name(function, pc, table) {
        // Not a field of that name.
        Some(("local" | "upvalue", name)) if name == b"_ENV" => "global",
        _ => "field",
    }
}

/// How the instruction at `pc`, which made a call, names the function.
pub fn call_name(function: &Function, pc: u32) -> Option<Name> {
    let op = function.op(pc as usize);
    let word = Word(function.code[pc as usize]);
    let event = match op {
        Op::Call | Op::TailCall => return register_name(function, pc, word.a()),
        Op::TForCall => return Some(("for iterator", b"for iterator".to_vec())),
        Op::SelfField | Op::GetTabUp | Op::GetTable | Op::GetI | Op::GetField => Metamethod::Index,
        Op::SetTabUp | Op::SetTable | Op::SetI | Op::SetField => Metamethod::NewIndex,
        Op::Add | Op::AddK => Metamethod::Add,
        Op::Sub | Op::SubK => Metamethod::Sub,
        Op::Mul | Op::MulK => Metamethod::Mul,
        Op::Div | Op::DivK => Metamethod::Div,
        Op::Mod | Op::ModK => Metamethod::Mod,
        Op::Pow | Op::PowK => Metamethod::Pow,
        Op::IDiv | Op::IDivK => Metamethod::IDiv,
        Op::BAnd | Op::BAndK => Metamethod::BAnd,
        Op::BOr | Op::BOrK => Metamethod::BOr,
        Op::BXor | Op::BXorK => Metamethod::BXor,
        Op::Shl | Op::ShlK => Metamethod::Shl,
        Op::Shr | Op::ShrK => Metamethod::Shr,
        Op::Unm => Metamethod::Unm,
        Op::BNot => Metamethod::BNot,
        Op::Len => Metamethod::Len,
        Op::Concat => Metamethod::Concat,
        Op::Eq => Metamethod::Eq,
        Op::Lt | Op::LtK | Op::GtK => Metamethod::Lt,
        Op::Le | Op::LeK | Op::GeK => Metamethod::Le,
        Op::Close | Op::Return => Metamethod::Close,
        Op::Move
        | Op::LoadI
        | Op::LoadK
        | Op::LoadKX
        | Op::LoadNil
        | Op::LoadFalse
        | Op::LFalseSkip
        | Op::LoadTrue
        | Op::GetUpval
        | Op::SetUpval
        | Op::NewTable
        | Op::Not
        | Op::Tbc
        | Op::Jmp
        | Op::Loop
        | Op::EqK
        | Op::Test
        | Op::TestSet
        | Op::Return0
        | Op::Return1
        | Op::ForPrep
        | Op::ForLoop
        | Op::TForPrep
        | Op::TForLoop
        | Op::SetList
        | Op::Closure
        | Op::Vararg
        | Op::VarargPrep => return None,
    };
    Some(("metamethod", event.event().as_bytes().to_vec()))
}

/// The name of the value that the call instruction at `pc` failed to call; `at` tells whether a
/// register is where that value stands.
pub fn called_name(function: &Function, pc: u32, at: impl Fn(u8) -> bool) -> Option<Name> {
    let word = Word(function.code[pc as usize]);
    match function.op(pc as usize) {
        Op::Call | Op::TailCall if at(word.a()) => register_name(function, pc, word.a()),
        Op::TForCall => Some(("for iterator", b"for iterator".to_vec())),
        op => {
            let (kind, name) = call_name(function, pc)?;
            (op != Op::Call && op != Op::TailCall).then_some((kind, name))
        }
    }
}

/// The operand of the instruction at `pc` that an operation failed on; `is` tells whether a register
/// holds the failing value.
pub fn failing_operand(function: &Function, pc: u32, is: impl Fn(u8) -> bool) -> Operand {
    let op = function.op(pc as usize);
    let word = Word(function.code[pc as usize]);
    match op {
        Op::GetTabUp => Operand::Upvalue(word.b()),
        Op::SetTabUp => Operand::Upvalue(word.a()),
        Op::GetTable | Op::GetI | Op::GetField | Op::SelfField => {
            if is(word.b()) {
                Operand::Register(word.b())
            } else {
                Operand::None
            }
        }
        Op::SetTable | Op::SetI | Op::SetField => {
            if is(word.a()) {
                Operand::Register(word.a())
            } else {
                Operand::None
            }
        }
        Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Mod
        | Op::Pow
        | Op::IDiv
        | Op::BAnd
        | Op::BOr
        | Op::BXor
        | Op::Shl
        | Op::Shr => {
            // Of two wrong operands the first is named.
            if is(word.b()) {
                Operand::Register(word.b())
            } else if is(word.c()) {
                Operand::Register(word.c())
            } else {
                Operand::None
            }
        }
        Op::AddK
        | Op::SubK
        | Op::MulK
        | Op::DivK
        | Op::ModK
        | Op::PowK
        | Op::IDivK
        | Op::BAndK
        | Op::BOrK
        | Op::BXorK
        | Op::ShlK
        | Op::ShrK => {
            if is(word.b()) {
                Operand::Register(word.b())
            } else {
                Operand::Constant(u32::from(word.c()))
            }
        }
        Op::Unm | Op::BNot | Op::Len => Operand::Register(word.b()),
        Op::Move
        | Op::LoadI
        | Op::LoadK
        | Op::LoadKX
        | Op::LoadNil
        | Op::LoadFalse
        | Op::LFalseSkip
        | Op::LoadTrue
        | Op::GetUpval
        | Op::SetUpval
        | Op::NewTable
        | Op::Not
        | Op::Concat
        | Op::Close
        | Op::Tbc
        | Op::Jmp
        | Op::Loop
        | Op::Eq
        | Op::Lt
        | Op::Le
        | Op::EqK
        | Op::LtK
        | Op::LeK
        | Op::GtK
        | Op::GeK
        | Op::Test
        | Op::TestSet
        | Op::Call
        | Op::TailCall
        | Op::Return
        | Op::Return0
        | Op::Return1
        | Op::ForPrep
        | Op::ForLoop
        | Op::TForPrep
        | Op::TForCall
        | Op::TForLoop
        | Op::SetList
        | Op::Closure
        | Op::Vararg
        | Op::VarargPrep => Operand::None,
    }
}
