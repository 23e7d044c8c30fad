//! The bytecode compiler: resolved tree to [`Function`].
//!
//! Destination-driven: an expression is compiled *to* a register, so that
//! `local x = a + b` computes into `x`. Active local variables occupy the
//! registers `0..active_regs`; above them, temporaries are a stack whose top
//! is `free`. Invariants:
//!
//! * Between statements `free == active_regs`.
//! * An instruction sequence writes to the register of an *active* local only
//!   by its last write: intermediate results go to temporaries, since the rest
//!   of the expression may still read the local.
//! * An open upvalue or to-be-closed variable exists only for an active local:
//!   every way out of a block with such locals passes a closing instruction.
//!
//! Chains that the parser reads in a loop are compiled in a loop (`chain.rs`);
//! all other recursion is bounded by the parser's nesting limit.

mod chain;
mod expr;
mod logic;
mod stat;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use perilune_ir::budget::Meter;
use perilune_ir::bytecode::{
    self, Constant, Extra, LocalVar, MAX_REGISTERS, NO_FEEDBACK, Op, UpvalueDesc, Word,
};

use crate::ast::{self, Ast, Attrib, Expr, FuncId, LocalId, UpvalueSource};
use crate::error::{CompileError, SyntaxError, chunk_id_bytes};
use crate::strings::{KeyedMap, StrId};

type Result<T> = std::result::Result<T, CompileError>;
type Reg = u8;

/// Word indices of forward jumps that wait for their target.
type Jumps = Vec<u32>;

/// The register of a local variable that has none: a compile-time constant,
/// or one that is not active.
const NO_REGISTER: Reg = u8::MAX;

/// A compiled function without the functions in it.
struct Compiled {
    function: bytecode::Function,
    /// The functions in it, in the order of their indices.
    children: Vec<FuncId>,
    /// The register that each of its variables had.
    registers: Vec<Reg>,
}

/// Compiles a chunk.
pub(crate) fn compile(
    ast: &Ast,
    chunk_name: &[u8],
    meter: &mut Meter,
) -> Result<bytecode::Function> {
    // Functions are numbered outer ones first: going up finds an enclosing
    // function's registers, going down its inner functions. No recursion.
    let source: Arc<[u8]> = meter.shared(chunk_name)?;
    let count = ast.functions.len();
    let mut compiled: Vec<Option<Compiled>> = Vec::new();
    meter.reserve(&mut compiled, count)?;
    compiled.resize_with(count, || None);
    let mut reached = meter.filled(false, count)?;
    reached[Ast::MAIN.0 as usize] = true;
    for id in (0..count as u32).map(FuncId) {
        meter.step()?;
        if !reached[id.0 as usize] {
            continue; // in code that control never reaches
        }
        let parent =
            ast.function(id).parent.and_then(|parent| compiled[parent.0 as usize].as_ref());
        let outer = parent.map_or(&[][..], |parent| &parent.registers);
        let mut compiler = Compiler::new(ast, id, &source, meter)?;
        compiler.upvalues = compiler.upvalue_descriptors(outer)?;
        compiler.function_body()?;
        let finished = compiler.finish()?;
        for child in &finished.children {
            reached[child.0 as usize] = true;
        }
        compiled[id.0 as usize] = Some(finished);
    }
    for index in (0..count).rev() {
        meter.step()?;
        let Some(children) = compiled[index].as_mut().map(|c| std::mem::take(&mut c.children))
        else {
            continue;
        };
        let mut functions = Vec::new();
        meter.reserve(&mut functions, children.len())?;
        for child in children.iter().filter_map(|id| compiled[id.0 as usize].take()) {
            meter.charge(size_of::<bytecode::Function>() + 16)?;
            functions.push(Arc::new(child.function));
        }
        if let Some(outer) = &mut compiled[index] {
            outer.function.functions = meter.boxed(functions)?;
        }
    }
    let main = compiled[0].take().expect("the main function is always compiled").function;
    #[cfg(debug_assertions)]
    if let Err(error) = perilune_ir::verify::verify(&main, meter) {
        match error {
            perilune_ir::verify::VerifyError::Refused(refusal) => return Err(refusal.into()),
            perilune_ir::verify::VerifyError::Broken { .. } => panic!(
                "the compiler made invalid bytecode: {error}\n{}",
                perilune_ir::listing::listing(&main)
            ),
        }
    }
    Ok(main)
}

#[derive(PartialEq, Eq, Hash)]
enum ConstantKey {
    Nil,
    Bool(bool),
    Int(i64),
    Float(u64),
    Str(StrId),
}

/// A label of the function: its position once known, and the jumps to it.
#[derive(Default)]
struct LabelState {
    position: Option<u32>,
    pending: Jumps,
}

/// A loop being compiled.
struct LoopState {
    breaks: Jumps,
    /// Active variables that a `break` leaves are those from here on.
    active: usize,
    /// The code after the loop closes them anyhow.
    closes_at_exit: bool,
}

struct Compiler<'a, 'b> {
    meter: &'a mut Meter<'b>,
    /// Bytes that the meter had counted before.
    outside: usize,
    ast: &'a Ast,
    function: &'a ast::Function,
    source: &'a Arc<[u8]>,
    code: Vec<u32>,
    lines: Vec<u32>,
    constants: Vec<Constant>,
    constant_index: KeyedMap<ConstantKey, u32>,
    children: Vec<FuncId>,
    upvalues: Vec<UpvalueDesc>,
    templates: Vec<Arc<[u16]>>,
    template_index: KeyedMap<Arc<[u16]>, u16>,
    debug_locals: Vec<LocalVar>,
    /// Active variables; the parser counted them in the same order.
    active: Vec<LocalId>,
    /// The index in `debug_locals` of each active variable with a register.
    active_debug: Vec<usize>,
    registers: Vec<Reg>,
    active_regs: usize,
    free: usize,
    max_stack: usize,
    feedback: u16,
    labels: Vec<LabelState>,
    loops: Vec<LoopState>,
}

impl<'a, 'b> Compiler<'a, 'b> {
    fn new(
        ast: &'a Ast,
        id: FuncId,
        source: &'a Arc<[u8]>,
        meter: &'a mut Meter<'b>,
    ) -> Result<Self> {
        let function = ast.function(id);
        let outside = meter.used();
        let registers = meter.filled(NO_REGISTER, function.locals.len())?;
        let mut labels = Vec::new();
        meter.reserve(&mut labels, function.labels.len())?;
        labels.resize_with(function.labels.len(), LabelState::default);
        Ok(Compiler {
            meter,
            outside,
            ast,
            function,
            source,
            code: Vec::new(),
            lines: Vec::new(),
            constants: Vec::new(),
            constant_index: KeyedMap::default(),
            children: Vec::new(),
            upvalues: Vec::new(),
            templates: Vec::new(),
            template_index: KeyedMap::default(),
            debug_locals: Vec::new(),
            active: Vec::new(),
            active_debug: Vec::new(),
            registers,
            active_regs: 0,
            free: 0,
            max_stack: 2,
            feedback: 0,
            labels,
            loops: Vec::new(),
        })
    }

    fn function_body(&mut self) -> Result<()> {
        let function = self.function;
        let params = function.params;
        self.reserve(params as usize, function.line)?;
        self.activate(LocalId(0), params)?;
        if function.is_vararg {
            self.emit_abc(Op::VarargPrep, params as u8, 0, 0, function.line.max(1))?;
        }
        self.statements(&function.body)?;
        let closes = self.close_from(0).is_some();
        self.deactivate(0);
        if closes {
            self.emit_abc(Op::Return, 0, 1, 1, function.end_line)?;
        } else {
            self.emit_abc(Op::Return0, 0, 0, 0, function.end_line)?;
        }
        Ok(())
    }

    /// Lets forward jumps that lead to an unconditional one go to its target.
    fn thread_jumps(&mut self) -> Result<()> {
        let mut jumps = Vec::new();
        let mut pc = 0;
        while pc < self.code.len() {
            let op = Op::decode(self.code[pc]).expect("the compiler writes whole instructions");
            self.meter.step()?;
            match (op, op.info().extra) {
                // Loops keep the shape that the bytecode demands of them.
                (Op::ForPrep | Op::ForLoop | Op::TForPrep | Op::TForLoop, _) => {}
                (Op::Jmp, _) | (_, Extra::Jump) => self.meter.push(&mut jumps, (pc as u32, op))?,
                _ => {}
            }
            pc += op.words();
        }
        // Later ones first: each target is then final, and one step is enough.
        for &(pc, op) in jumps.iter().rev() {
            let pc = pc as usize;
            let next = pc + op.words();
            let distance = |at: usize| Word(self.code[at]).j() as usize;
            let target =
                next + if op == Op::Jmp { distance(pc) } else { self.code[pc + 1] as usize };
            if self.code.get(target).copied().and_then(Op::decode) != Some(Op::Jmp) {
                continue;
            }
            let threaded = target + 1 + distance(target) - next;
            if op != Op::Jmp {
                self.code[pc + 1] = threaded as u32;
            } else if threaded < 1 << 23 {
                self.code[pc] = Word::sj(Op::Jmp, threaded as i32).0;
            }
        }
        self.meter.free(jumps);
        Ok(())
    }

    fn finish(mut self) -> Result<Compiled> {
        self.thread_jumps()?;
        let Compiler { meter, function, .. } = self;
        // The templates are no longer shared with their index.
        drop(self.template_index);
        let mut templates = Vec::new();
        meter.reserve(&mut templates, self.templates.len())?;
        for keys in &self.templates {
            let mut copy = Vec::new();
            meter.extend(&mut copy, keys)?;
            templates.push(meter.boxed(copy)?);
        }
        let function = bytecode::Function {
            upvalues: meter.boxed(self.upvalues)?,
            code: meter.boxed(self.code)?,
            constants: meter.boxed(self.constants)?,
            functions: [].into(),
            templates: meter.boxed(templates)?,
            lines: meter.boxed(self.lines)?,
            locals: meter.boxed(self.debug_locals)?,
            source: self.source.clone(),
            line_defined: function.line,
            last_line_defined: if function.parent.is_some() { function.end_line } else { 0 },
            num_params: function.params as u8,
            is_vararg: function.is_vararg,
            max_stack: self.max_stack as u8,
            feedback_count: self.feedback,
        };
        let lists = self.children.capacity() * size_of::<FuncId>() + self.registers.capacity();
        meter.settle(self.outside + function.size() + lists);
        Ok(Compiled { function, children: self.children, registers: self.registers })
    }

    fn upvalue_descriptors(&mut self, outer: &[Reg]) -> Result<Vec<UpvalueDesc>> {
        let mut descriptors = Vec::new();
        self.meter.reserve(&mut descriptors, self.function.upvalues.len())?;
        for upvalue in &self.function.upvalues {
            let (in_stack, index) = match upvalue.source {
                UpvalueSource::Local(id) => (true, outer[id.0 as usize]),
                UpvalueSource::Upvalue(index) => (false, index),
                UpvalueSource::Host => (true, 0),
            };
            let name = self.ast.strings.shared(upvalue.name);
            let constant = self.is_constant(upvalue)?;
            descriptors.push(UpvalueDesc { name, in_stack, index, constant });
        }
        Ok(descriptors)
    }

    /// Whether nothing assigns to the variable behind an upvalue.
    fn is_constant(&mut self, upvalue: &ast::Upvalue) -> Result<bool> {
        let mut source = upvalue.source;
        let mut parent = self.function.parent;
        let mut host_assigned = upvalue.assigned;
        while let Some(id) = parent {
            let outer = self.ast.function(id);
            self.meter.step()?;
            match source {
                UpvalueSource::Local(id) => return Ok(!outer.locals[id.0 as usize].assigned),
                UpvalueSource::Upvalue(index) => {
                    source = outer.upvalues[usize::from(index)].source;
                    host_assigned = outer.upvalues[usize::from(index)].assigned;
                }
                UpvalueSource::Host => break,
            }
            parent = outer.parent;
        }
        Ok(!host_assigned)
    }

    // ---- code ----

    fn pc(&self) -> usize {
        self.code.len()
    }

    fn emit(&mut self, word: Word, line: u32) -> Result<()> {
        self.meter.step()?;
        self.meter.push(&mut self.code, word.0)?;
        Ok(self.meter.push(&mut self.lines, line)?)
    }

    fn emit_extra(&mut self, word: Word, extra: u32, line: u32) -> Result<()> {
        self.emit(word, line)?;
        self.meter.push(&mut self.code, extra)?;
        Ok(self.meter.push(&mut self.lines, line)?)
    }

    fn emit_abc(&mut self, op: Op, a: Reg, b: u8, c: u8, line: u32) -> Result<()> {
        self.emit(Word::abc(op, a, b, c), line)
    }

    /// The second word of a cached site, with `low` in its low half.
    fn feedback_word(&mut self, low: u16) -> u32 {
        let index = if self.feedback == NO_FEEDBACK {
            NO_FEEDBACK
        } else {
            self.feedback += 1;
            self.feedback - 1
        };
        Word::pair(low, index)
    }

    fn error(&self, message: &str, line: u32) -> CompileError {
        let mut full = chunk_id_bytes(self.source);
        full.extend_from_slice(format!(":{line}: {message}").as_bytes());
        SyntaxError { message: full, incomplete: false, line }.into()
    }

    // ---- jumps ----

    /// An unconditional forward jump.
    fn jump(&mut self, line: u32) -> Result<u32> {
        let at = self.pc();
        self.emit(Word::sj(Op::Jmp, 0), line)?;
        Ok(at as u32)
    }

    /// A conditional forward jump: `word` and its distance.
    fn branch(&mut self, word: Word, line: u32) -> Result<u32> {
        let at = self.pc();
        self.emit_extra(word, 0, line)?;
        Ok(at as u32)
    }

    /// Adds to the jumps that wait for a target.
    fn wait(&mut self, jumps: &mut Jumps, at: u32) -> Result<()> {
        Ok(self.meter.push(jumps, at)?)
    }

    /// Puts an indexing instruction just emitted on `line`.
    fn index_on_line(&mut self, line: u32) {
        if let [.., first, second] = &mut self.lines[..] {
            *first = line;
            *second = line;
        }
    }

    /// Puts a test just emitted, which cannot fail, on `line`.
    fn decide_at(&mut self, line: u32) {
        if let [.., word, _] = self.code[..]
            && Op::decode(word) == Some(Op::Test)
            && let [.., first, second] = &mut self.lines[..]
        {
            *first = line;
            *second = line;
        }
    }

    /// Lets the jump at `at` lead to the current position.
    fn patch_one(&mut self, at: u32) -> Result<()> {
        let at = at as usize;
        let target = self.pc();
        if Word(self.code[at]).0 & 0xFF == Op::Jmp as u32 {
            let distance = target - (at + 1);
            if distance >= 1 << 23 {
                return Err(self.error("control structure too long", self.lines[at]));
            }
            self.code[at] = Word::sj(Op::Jmp, distance as i32).0;
        } else {
            self.code[at + 1] = (target - (at + 2)) as u32;
        }
        Ok(())
    }

    fn patch_here(&mut self, jumps: Jumps) -> Result<()> {
        for &at in &jumps {
            self.meter.step()?;
            self.patch_one(at)?;
        }
        self.meter.free(jumps);
        Ok(())
    }

    /// A back-edge to `target`.
    fn loop_to(&mut self, target: usize, line: u32) -> Result<()> {
        let distance = self.pc() + 1 - target;
        if distance >= 1 << 23 {
            return Err(self.error("control structure too long", line));
        }
        self.emit(Word::sj(Op::Loop, -(distance as i32)), line)
    }

    // ---- registers and variables ----

    /// Takes `count` registers; the first of them is returned.
    fn reserve(&mut self, count: usize, line: u32) -> Result<Reg> {
        let first = self.free;
        self.require(first + count, line)?;
        self.free = first + count;
        Ok(first as Reg)
    }

    /// Makes the frame at least `size` registers large.
    fn require(&mut self, size: usize, line: u32) -> Result<()> {
        if size > MAX_REGISTERS {
            return Err(self.error("function or expression needs too many registers", line));
        }
        self.max_stack = self.max_stack.max(size);
        Ok(())
    }

    /// Whether `reg` is a temporary, which nothing but the expression that is
    /// being compiled to it reads.
    fn is_temporary(&self, reg: Reg) -> bool {
        usize::from(reg) >= self.active_regs
    }

    fn register(&self, local: LocalId) -> Reg {
        self.registers[local.0 as usize]
    }

    fn local(&self, id: LocalId) -> &'a ast::Local {
        &self.function.locals[id.0 as usize]
    }

    /// Makes `count` variables from `first` on active, in the registers from
    /// `active_regs` on, which hold their values.
    fn activate(&mut self, first: LocalId, count: u32) -> Result<()> {
        for id in (first.0..first.0 + count).map(LocalId) {
            self.meter.push(&mut self.active, id)?;
            let local = self.local(id);
            if local.value.is_some() {
                continue;
            }
            let register = self.active_regs as Reg;
            self.registers[id.0 as usize] = register;
            self.active_regs += 1;
            self.meter.push(&mut self.active_debug, self.debug_locals.len())?;
            let variable = LocalVar {
                name: self.ast.strings.shared(local.name),
                start_pc: self.pc() as u32,
                end_pc: 0,
                register,
            };
            self.meter.push(&mut self.debug_locals, variable)?;
        }
        debug_assert!(self.active_regs <= self.free);
        Ok(())
    }

    /// Ends the scope of all but the first `active` variables.
    fn deactivate(&mut self, active: usize) {
        for id in self.active.drain(active..) {
            if self.function.locals[id.0 as usize].value.is_none() {
                let index = self
                    .active_debug
                    .pop()
                    .expect("every variable with a register has debug information");
                self.debug_locals[index].end_pc = self.code.len() as u32;
                self.active_regs -= 1;
            }
        }
        self.free = self.active_regs;
    }

    /// The first register to close when all but the first `active` variables
    /// go out of scope, if any of them needs it.
    fn close_from(&self, active: usize) -> Option<Reg> {
        let needs = |&&id: &&LocalId| {
            let local = self.local(id);
            local.value.is_none() && (local.captured || local.attrib == Attrib::Close)
        };
        self.active[active..].iter().find(needs).map(|&id| self.register(id))
    }

    fn emit_close(&mut self, active: usize, line: u32) -> Result<()> {
        if let Some(register) = self.close_from(active) {
            self.emit_abc(Op::Close, register, 0, 0, line)?;
        }
        Ok(())
    }

    // ---- constants ----

    fn constant(&mut self, value: Expr) -> Result<u32> {
        let key = match value {
            Expr::Nil => ConstantKey::Nil,
            Expr::Bool(value) => ConstantKey::Bool(value),
            Expr::Int(value) => ConstantKey::Int(value),
            Expr::Float(value) => ConstantKey::Float(value.to_bits()),
            Expr::Str(id) => ConstantKey::Str(id),
            other => unreachable!("{other:?} is no constant"),
        };
        if let Some(&index) = self.constant_index.get(&key) {
            return Ok(index);
        }
        let index = self.constants.len() as u32;
        let constant = match key {
            ConstantKey::Nil => Constant::Nil,
            ConstantKey::Bool(value) => Constant::Bool(value),
            ConstantKey::Int(value) => Constant::Int(value),
            ConstantKey::Float(bits) => Constant::Float(f64::from_bits(bits)),
            ConstantKey::Str(id) => Constant::Str(self.ast.strings.shared(id)),
        };
        self.meter.push(&mut self.constants, constant)?;
        self.meter.insert(&mut self.constant_index, key, index)?;
        Ok(index)
    }

    /// The index of a constant, when it fits eight bits.
    fn constant8(&mut self, value: Expr) -> Result<Option<u8>> {
        Ok(u8::try_from(self.constant(value)?).ok())
    }

    /// The index of a string constant, when it fits sixteen bits.
    fn constant16(&mut self, name: StrId) -> Result<Option<u16>> {
        Ok(u16::try_from(self.constant(Expr::Str(name))?).ok())
    }
}
