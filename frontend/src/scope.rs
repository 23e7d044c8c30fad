//! The resolver: which variable a name means, and which label a `goto` reaches
//! (manual §3.3.4 and §3.5).
//!
//! The parser drives it as it reads declarations and names, so that its errors
//! appear in source order and at PUC Lua's positions. Its only result is in
//! the tree: resolved names, captured variables, upvalues, labels.

use crate::ast::{
    Attrib, Expr, FuncId, Function, Label, LabelId, Local, LocalId, Upvalue, UpvalueSource,
};
use crate::strings::StrId;

/// Variables that can be active at once in a function.
pub(crate) const MAX_LOCALS: usize = 200;
/// Upvalues of a function.
pub(crate) const MAX_UPVALUES: usize = 255;

/// A block that is being read.
struct BlockScope {
    /// Variables active outside.
    active: usize,
    /// Labels visible outside.
    labels: usize,
    /// `goto`s pending outside.
    gotos: usize,
    is_loop: bool,
    /// In the scope of a to-be-closed variable.
    inside_close: bool,
}

struct VisibleLabel {
    name: StrId,
    line: u32,
    id: LabelId,
}

/// A jump whose label has not been read yet; `goto_index` is absent for `break`.
#[derive(Clone, Copy)]
pub(crate) struct PendingGoto {
    pub name: StrId,
    pub line: u32,
    active: usize,
    goto_index: Option<u32>,
}

/// A function that is being read.
pub(crate) struct FunctionScope {
    id: FuncId,
    function: Function,
    active: Vec<LocalId>,
    blocks: Vec<BlockScope>,
    labels: Vec<VisibleLabel>,
    gotos: Vec<PendingGoto>,
}

/// What a name means.
pub(crate) enum Variable {
    Local(LocalId),
    Upvalue(u8),
    Constant(Expr),
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
}

/// The functions being read, innermost last.
#[derive(Default)]
pub(crate) struct Scopes {
    stack: Vec<FunctionScope>,
}

impl Scopes {
    fn top(&mut self) -> &mut FunctionScope {
        self.stack.last_mut().expect("a function is open")
    }

    fn top_ref(&self) -> &FunctionScope {
        self.stack.last().expect("a function is open")
    }

    /// Starts function `id`.
    pub fn open_function(&mut self, id: FuncId, line: u32) {
        let parent = self.stack.last_mut().map(|scope| {
            scope.function.children.push(id);
            scope.id
        });
        let function = Function { parent, line, ..Function::default() };
        self.stack.push(FunctionScope {
            id,
            function,
            active: Vec::new(),
            blocks: Vec::new(),
            labels: Vec::new(),
            gotos: Vec::new(),
        });
        self.open_block(false);
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
        self.top_ref().active.len()
    }

    /// Whether a to-be-closed variable is in scope.
    pub fn inside_close(&self) -> bool {
        self.top_ref().blocks.last().is_some_and(|b| b.inside_close)
    }

    /// Says that the innermost block has a to-be-closed variable.
    pub fn mark_close(&mut self) {
        if let Some(block) = self.top().blocks.last_mut() {
            block.inside_close = true;
        }
    }

    /// Starts a block.
    pub fn open_block(&mut self, is_loop: bool) {
        let inside_close = self.inside_close();
        let top = self.top();
        top.blocks.push(BlockScope {
            active: top.active.len(),
            labels: top.labels.len(),
            gotos: top.gotos.len(),
            is_loop,
            inside_close,
        });
    }

    /// Ends the innermost block. When it is a function's outermost, the first
    /// jump that has found no label is returned.
    pub fn close_block(&mut self, break_name: StrId) -> Option<PendingGoto> {
        let top = self.top();
        let block = top.blocks.pop().expect("a block is open");
        if block.is_loop {
            let mut index = block.gotos;
            while index < top.gotos.len() {
                if top.gotos[index].name == break_name {
                    top.gotos.remove(index);
                } else {
                    index += 1;
                }
            }
        }
        top.active.truncate(block.active);
        top.labels.truncate(block.labels);
        if top.blocks.is_empty() {
            return top.gotos.get(block.gotos).copied();
        }
        for pending in &mut top.gotos[block.gotos..] {
            pending.active = pending.active.min(block.active);
        }
        None
    }

    /// Declares a variable, which [`Scopes::activate`] makes visible. The
    /// caller has checked the limit.
    pub fn declare(&mut self, name: StrId, attrib: Attrib) -> LocalId {
        let locals = &mut self.top().function.locals;
        locals.push(Local { name, attrib, captured: false, assigned: false, value: None });
        LocalId(locals.len() as u32 - 1)
    }

    /// Makes `count` declared variables from `first` on visible.
    pub fn activate(&mut self, first: LocalId, count: u32) {
        self.top().active.extend((first.0..first.0 + count).map(LocalId));
    }

    /// Finds what `name` means here, capturing it where needed.
    pub fn resolve(&mut self, name: StrId) -> Result<Variable, ScopeError> {
        // Innermost function first, out to the one that knows the name.
        let mut level = self.stack.len();
        let mut found = loop {
            if level == 0 {
                return Ok(Variable::Global);
            }
            level -= 1;
            if let Some(variable) = self.stack[level].lookup(name) {
                break variable;
            }
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
            function.upvalues.push(Upvalue { name, source, attrib, assigned: false });
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

    /// Notes a `break` or `goto`; the result indexes [`Function::gotos`].
    pub fn add_goto(&mut self, name: StrId, line: u32, is_break: bool) -> u32 {
        let top = self.top();
        let active = top.active.len();
        if is_break {
            top.gotos.push(PendingGoto { name, line, active, goto_index: None });
            return 0;
        }
        let index = top.function.gotos.len() as u32;
        match top.labels.iter().find(|label| label.name == name) {
            Some(label) => top.function.gotos.push(label.id),
            None => {
                top.function.gotos.push(LabelId(u32::MAX));
                top.gotos.push(PendingGoto { name, line, active, goto_index: Some(index) });
            }
        }
        index
    }

    /// The line of the visible label `name`.
    pub fn find_label(&self, name: StrId) -> Option<u32> {
        self.top_ref().labels.iter().find(|label| label.name == name).map(|label| label.line)
    }

    /// Declares a label, to which pending `goto`s of its block then lead. A
    /// label that ends its block counts as outside its variables' scope.
    pub fn add_label(
        &mut self,
        name: StrId,
        line: u32,
        ends_block: bool,
    ) -> Result<LabelId, ScopeError> {
        let top = self.top();
        let id = LabelId(top.function.labels.len() as u32);
        let block = top.blocks.last().expect("a block is open");
        let active = if ends_block { block.active } else { top.active.len() };
        top.labels.push(VisibleLabel { name, line, id });
        top.function.labels.push(Label { active: active as u32 });
        let first = block.gotos;
        let mut index = first;
        while index < top.gotos.len() {
            let pending = top.gotos[index];
            match pending.goto_index {
                Some(goto_index) if pending.name == name => {
                    if pending.active < active {
                        let local = top.active[pending.active];
                        let local = top.function.locals[local.0 as usize].name;
                        return Err(ScopeError::JumpsIntoScope { name, line: pending.line, local });
                    }
                    top.function.gotos[goto_index as usize] = id;
                    top.gotos.remove(index);
                }
                _ => index += 1,
            }
        }
        Ok(id)
    }
}

impl FunctionScope {
    /// `name` among the function's active variables and known upvalues.
    fn lookup(&self, name: StrId) -> Option<Variable> {
        for &id in self.active.iter().rev() {
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
