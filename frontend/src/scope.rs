//! The resolver: which variable a name means, and which label a `goto` reaches
//! (manual §3.3.4 and §3.5).
//!
//! The parser drives it as it reads declarations and names, so that its errors
//! appear in source order and at PUC Lua's positions. Its only result is in
//! the tree: resolved names, captured variables, upvalues, labels.
//!
//! Labels and pending `goto`s are found by name in maps, since a function may
//! have any number of them; variables by looking through them, since there are
//! at most [`MAX_LOCALS`] and [`MAX_UPVALUES`] (each look counts as a step).

use crate::ast::{
    Attrib, Expr, ExprId, FuncId, Function, Label, LabelId, Local, LocalId, Upvalue, UpvalueSource,
};
use perilune_ir::budget::{Meter, Refusal};

use crate::strings::{KeyedMap, StrId};

/// Variables that can be active at once in a function.
pub(crate) const MAX_LOCALS: usize = 200;
/// Upvalues of a function.
pub(crate) const MAX_UPVALUES: usize = 255;

/// A block that is being read. Its lists are the tails of those of [`Scopes`].
struct BlockScope {
    /// Variables active outside.
    active: usize,
    /// Labels visible outside.
    labels: usize,
    /// `goto`s noted outside.
    gotos: usize,
    /// In a loop of its function.
    inside_loop: bool,
    /// In the scope of a to-be-closed variable.
    inside_close: bool,
}

struct VisibleLabel {
    name: StrId,
    line: u32,
    id: LabelId,
}

/// A jump; `goto_index` is absent for a `break` outside of loops.
#[derive(Clone, Copy)]
pub(crate) struct PendingGoto {
    pub name: StrId,
    pub line: u32,
    active: u32,
    goto_index: Option<u32>,
    /// The one before it that waits for the same label, in [`Scopes::gotos`].
    before: u32,
    /// Its label has been read.
    found: bool,
}

/// There is no jump before this one.
const NO_GOTO: u32 = u32::MAX;

/// A function that is being read. Its lists are the tails of those of
/// [`Scopes`].
struct FunctionScope {
    id: FuncId,
    function: Function,
    /// Variables active in enclosing functions.
    active: usize,
    /// Blocks of enclosing functions.
    blocks: usize,
}

/// What a name means.
pub(crate) enum Variable {
    Local(LocalId),
    Upvalue(u8),
    Constant(ExprId),
    Global,
}

/// Why the resolver refuses; the parser words the message.
pub(crate) enum ScopeError {
    TooManyUpvalues {
        line: u32,
    },
    /// `goto` into the scope of a variable.
    JumpsIntoScope {
        name: StrId,
        line: u32,
        local: StrId,
    },
    Refused(Refusal),
}

impl From<Refusal> for ScopeError {
    fn from(refusal: Refusal) -> ScopeError {
        ScopeError::Refused(refusal)
    }
}

/// A name in the function at that depth.
type NameIn = (u32, StrId);

type Result<T> = std::result::Result<T, ScopeError>;

/// The functions being read, innermost last, and what is visible in them.
#[derive(Default)]
pub(crate) struct Scopes {
    stack: Vec<FunctionScope>,
    active: Vec<LocalId>,
    blocks: Vec<BlockScope>,
    labels: Vec<VisibleLabel>,
    gotos: Vec<PendingGoto>,
    /// The index in `labels` of each.
    visible: KeyedMap<NameIn, u32>,
    /// The index in `gotos` of the last of those that wait for a label.
    waiting: KeyedMap<NameIn, u32>,
}

impl Scopes {
    fn top(&mut self) -> &mut FunctionScope {
        self.stack.last_mut().expect("a function is open")
    }

    fn top_ref(&self) -> &FunctionScope {
        self.stack.last().expect("a function is open")
    }

    /// `name` in the innermost function.
    fn here(&self, name: StrId) -> NameIn {
        (self.stack.len() as u32, name)
    }

    /// Starts function `id`.
    pub fn open_function(&mut self, id: FuncId, line: u32, meter: &mut Meter) -> Result<()> {
        let parent = self.stack.last().map(|scope| scope.id);
        let function = Function { parent, line, ..Function::default() };
        let (active, blocks) = (self.active.len(), self.blocks.len());
        meter.push(&mut self.stack, FunctionScope { id, function, active, blocks })?;
        self.open_block(false, meter)
    }

    /// Ends the innermost function, whose outermost block is closed.
    pub fn close_function(&mut self) -> (FuncId, Function) {
        let scope = self.stack.pop().expect("a function is open");
        (scope.id, scope.function)
    }

    /// The function being read.
    pub fn function(&mut self) -> &mut Function {
        &mut self.top().function
    }

    /// The line of the function being read; 0 for the main one.
    pub fn function_line(&self) -> u32 {
        self.top_ref().function.line
    }

    /// Whether `...` can be used here.
    pub fn is_vararg(&self) -> bool {
        self.top_ref().function.is_vararg
    }

    /// The number of active variables.
    pub fn active(&self) -> usize {
        self.active.len() - self.top_ref().active
    }

    /// Says that the innermost block has a to-be-closed variable.
    pub fn mark_close(&mut self) {
        if let Some(block) = self.blocks.last_mut() {
            block.inside_close = true;
        }
    }

    /// Starts a block.
    pub fn open_block(&mut self, is_loop: bool, meter: &mut Meter) -> Result<()> {
        let outer = self.blocks[self.top_ref().blocks..].last();
        let inside_close = outer.is_some_and(|block| block.inside_close);
        let inside_loop = is_loop || outer.is_some_and(|block| block.inside_loop);
        let block = BlockScope {
            active: self.active.len(),
            labels: self.labels.len(),
            gotos: self.gotos.len(),
            inside_loop,
            inside_close,
        };
        Ok(meter.push(&mut self.blocks, block)?)
    }

    /// Ends the innermost block. When it is a function's outermost, the first
    /// jump that has found no label is returned.
    pub fn close_block(&mut self, meter: &mut Meter) -> Result<Option<PendingGoto>> {
        let block = self.blocks.pop().expect("a block is open");
        self.active.truncate(block.active);
        while self.labels.len() > block.labels
            && let Some(label) = self.labels.pop()
        {
            self.visible.remove(&self.here(label.name));
        }
        while self.gotos.len() > block.gotos
            && self.gotos.last().is_some_and(|pending| pending.found)
        {
            self.gotos.pop();
        }
        let pending = &mut self.gotos[block.gotos..];
        meter.steps(pending.len() / 8)?;
        if self.blocks.len() == self.stack.last().map_or(0, |scope| scope.blocks) {
            let lost = pending.iter().find(|pending| !pending.found).copied();
            self.gotos.truncate(block.gotos);
            return Ok(lost);
        }
        let active = (block.active - self.top_ref().active) as u32;
        for pending in &mut self.gotos[block.gotos..] {
            pending.active = pending.active.min(active);
        }
        Ok(None)
    }

    /// Declares a variable, which [`Scopes::activate`] makes visible. The
    /// caller has checked the limit.
    pub fn declare(&mut self, name: StrId, attrib: Attrib, meter: &mut Meter) -> Result<LocalId> {
        let locals = &mut self.top().function.locals;
        let local = Local { name, attrib, captured: false, assigned: false, value: None };
        meter.push(locals, local)?;
        Ok(LocalId(locals.len() as u32 - 1))
    }

    /// Makes `count` declared variables from `first` on visible.
    pub fn activate(&mut self, first: LocalId, count: u32, meter: &mut Meter) -> Result<()> {
        meter.reserve(&mut self.active, count as usize)?;
        self.active.extend((first.0..first.0 + count).map(LocalId));
        Ok(())
    }

    /// Finds what `name` means here, capturing it where needed.
    pub fn resolve(&mut self, name: StrId, meter: &mut Meter) -> Result<Variable> {
        // Innermost function first, out to the one that knows the name.
        let mut level = self.stack.len();
        let mut end = self.active.len();
        let mut found = loop {
            if level == 0 {
                return Ok(Variable::Global);
            }
            level -= 1;
            let scope = &self.stack[level];
            let active = &self.active[scope.active..end];
            if let Some(variable) = scope.lookup(name, active) {
                break variable;
            }
            meter.steps((active.len() + scope.function.upvalues.len()) / 8)?;
            end = scope.active;
        };
        // Then back in, adding an upvalue to each function on the way.
        for inner in level + 1..self.stack.len() {
            let outer = &mut self.stack[inner - 1].function;
            let (source, attrib) = match found {
                Variable::Local(id) => {
                    let local = &mut outer.locals[id.0 as usize];
                    local.captured = true;
                    (UpvalueSource::Local(id), local.attrib)
                }
                Variable::Upvalue(index) => {
                    (UpvalueSource::Upvalue(index), outer.upvalues[usize::from(index)].attrib)
                }
                Variable::Constant(_) | Variable::Global => return Ok(found),
            };
            let function = &mut self.stack[inner].function;
            if function.upvalues.len() >= MAX_UPVALUES {
                return Err(ScopeError::TooManyUpvalues { line: function.line });
            }
            let upvalue = Upvalue { name, source, attrib, assigned: false };
            meter.push(&mut function.upvalues, upvalue)?;
            found = Variable::Upvalue(function.upvalues.len() as u8 - 1);
        }
        Ok(found)
    }

    /// The name of the variable `expr` when it can not be assigned to. When it
    /// can, the variable it stands for is marked as assigned.
    pub fn assign(&mut self, expr: Expr) -> Option<StrId> {
        match expr {
            Expr::Local(id) => {
                let local = &mut self.top().function.locals[id.0 as usize];
                local.assigned = true;
                (local.attrib != Attrib::Regular).then_some(local.name)
            }
            Expr::Upvalue(index) => {
                let upvalue = &self.top().function.upvalues[usize::from(index)];
                if upvalue.attrib != Attrib::Regular {
                    return Some(upvalue.name);
                }
                let mut source = UpvalueSource::Upvalue(index);
                for scope in self.stack.iter_mut().rev() {
                    match source {
                        UpvalueSource::Local(id) => {
                            scope.function.locals[id.0 as usize].assigned = true;
                            break;
                        }
                        UpvalueSource::Upvalue(index) => {
                            let upvalue = &mut scope.function.upvalues[usize::from(index)];
                            source = upvalue.source;
                            upvalue.assigned |= source == UpvalueSource::Host;
                        }
                        UpvalueSource::Host => break,
                    }
                }
                None
            }
            _ => None,
        }
    }

    /// Notes a `break`: outside of a loop it is an error when its function ends.
    pub fn add_break(&mut self, name: StrId, line: u32, meter: &mut Meter) -> Result<()> {
        if self.blocks.last().is_some_and(|block| block.inside_loop) {
            return Ok(());
        }
        self.wait(name, line, None, meter)
    }

    /// Notes a `goto`; the result indexes [`Function::gotos`].
    pub fn add_goto(&mut self, name: StrId, line: u32, meter: &mut Meter) -> Result<u32> {
        let label = self.visible.get(&self.here(name)).map(|&label| self.labels[label as usize].id);
        let gotos = &mut self.top().function.gotos;
        let index = gotos.len() as u32;
        meter.push(gotos, label.unwrap_or(LabelId(u32::MAX)))?;
        if label.is_none() {
            self.wait(name, line, Some(index), meter)?;
        }
        Ok(index)
    }

    fn wait(
        &mut self,
        name: StrId,
        line: u32,
        goto_index: Option<u32>,
        meter: &mut Meter,
    ) -> Result<()> {
        let active = self.active() as u32;
        let key = self.here(name);
        let at = self.gotos.len() as u32;
        let before = match self.waiting.get_mut(&key) {
            Some(last) => std::mem::replace(last, at),
            None => {
                meter.insert(&mut self.waiting, key, at)?;
                NO_GOTO
            }
        };
        let pending = PendingGoto { name, line, active, goto_index, before, found: false };
        Ok(meter.push(&mut self.gotos, pending)?)
    }

    /// The line of the visible label `name`.
    pub fn find_label(&self, name: StrId) -> Option<u32> {
        self.visible.get(&self.here(name)).map(|&label| self.labels[label as usize].line)
    }

    /// Declares a label, to which pending `goto`s of its block then lead. A
    /// label that ends its block counts as outside its variables' scope.
    pub fn add_label(
        &mut self,
        name: StrId,
        line: u32,
        ends_block: bool,
        meter: &mut Meter,
    ) -> Result<LabelId> {
        let key = self.here(name);
        let top = self.stack.last_mut().expect("a function is open");
        let block = self.blocks.last().expect("a block is open");
        let active = if ends_block { block.active } else { self.active.len() };
        let active = (active - top.active) as u32;
        let id = LabelId(top.function.labels.len() as u32);
        meter.push(&mut top.function.labels, Label { active })?;
        meter.insert(&mut self.visible, key, self.labels.len() as u32)?;
        meter.push(&mut self.labels, VisibleLabel { name, line, id })?;
        // Those of the block are the last ones that wait.
        let Some(&last) = self.waiting.get(&key) else {
            return Ok(id);
        };
        let mut at = last;
        let mut wrong = None;
        while at != NO_GOTO && at as usize >= block.gotos {
            let pending = &mut self.gotos[at as usize];
            if let Some(goto_index) = pending.goto_index {
                top.function.gotos[goto_index as usize] = id;
            }
            if pending.active < active {
                wrong = Some(*pending);
            }
            pending.found = true;
            at = pending.before;
            meter.step()?;
        }
        if at == NO_GOTO {
            self.waiting.remove(&key);
        } else {
            self.waiting.insert(key, at);
        }
        match wrong {
            None => Ok(id),
            Some(pending) => {
                let local = self.active[top.active + pending.active as usize];
                let local = top.function.locals[local.0 as usize].name;
                Err(ScopeError::JumpsIntoScope { name, line: pending.line, local })
            }
        }
    }
}

impl FunctionScope {
    /// `name` among the function's active variables and known upvalues.
    fn lookup(&self, name: StrId, active: &[LocalId]) -> Option<Variable> {
        for &id in active.iter().rev() {
            let local = &self.function.locals[id.0 as usize];
            if local.name == name {
                return Some(match local.value {
                    Some(value) => Variable::Constant(value),
                    None => Variable::Local(id),
                });
            }
        }
        let index = self.function.upvalues.iter().position(|u| u.name == name)?;
        Some(Variable::Upvalue(index as u8))
    }
}
