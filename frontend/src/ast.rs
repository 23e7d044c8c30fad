//! The resolved syntax tree of a chunk.
//!
//! Expressions live in one arena and name each other by [`ExprId`]: a chain
//! such as `a.b.c…` or `1 + 1 + …` makes a tree as deep as the source is long,
//! and neither dropping nor walking it may recurse that deep. Statements, table
//! fields and lists of expressions are runs in arenas of their own, written when
//! they are complete. So the tree is a dozen growing vectors, whose memory a
//! [`Meter`] counts: 20 bytes for an expression, 24 for a statement.
//!
//! Names are resolved (the parser keeps the scopes, so that errors come in
//! source order) and constants folded: a reference to a compile-time constant
//! is the constant. Lines are those to which PUC Lua attributes the code.

use perilune_ir::budget::{Meter, Refusal};

use crate::strings::{StrId, Strings};

type Result<T> = std::result::Result<T, Refusal>;

/// Names an expression of its chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExprId(pub u32);

/// Names a local variable of its function, in order of declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalId(pub u32);

/// Names a label of its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelId(pub u32);

/// Names a function of its chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuncId(pub u32);

/// Names a list of expressions of its chunk: where its length is in the arena
/// of lists, with the expressions behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List(u32);

impl List {
    /// The list without expressions.
    pub const EMPTY: List = List(u32::MAX);
}

/// A run of items in one of the arenas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    start: u32,
    len: u32,
}

impl Run {
    fn of<T>(self, arena: &[T]) -> &[T] {
        &arena[self.start as usize..(self.start + self.len) as usize]
    }
}

/// Operators of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum UnOp {
    Minus,
    BNot,
    Not,
    Len,
}

/// Operators of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    IDiv,
    BAnd,
    BOr,
    BXor,
    Shl,
    Shr,
    Concat,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
}

/// An expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expr {
    /// `nil`
    Nil,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Str(StrId),
    /// `...`
    Vararg,
    /// A function body.
    Function(FuncId),
    /// A local variable of the function itself.
    Local(LocalId),
    /// A variable of an enclosing function.
    Upvalue(u8),
    /// `object[key]`, `object.key`, and `_ENV.key` for a global `key`.
    Index {
        #[allow(missing_docs)]
        object: ExprId,
        #[allow(missing_docs)]
        key: ExprId,
    },
    /// `callee(args)`
    Call {
        #[allow(missing_docs)]
        callee: ExprId,
        #[allow(missing_docs)]
        args: List,
    },
    /// `object:name(args)`
    Method {
        #[allow(missing_docs)]
        object: ExprId,
        #[allow(missing_docs)]
        name: StrId,
        #[allow(missing_docs)]
        args: List,
    },
    /// An operator applied to one operand.
    Unary(UnOp, ExprId),
    /// An operator applied to two operands.
    Binary(BinOp, ExprId, ExprId),
    /// An expression in parentheses, where they matter: it is adjusted to one
    /// value, and is no variable to assign to.
    Paren(ExprId),
    /// A table constructor, an index into [`Ast::tables`].
    Table(u32),
}

impl Expr {
    /// Whether it can stand for any number of values.
    pub fn is_multi(self) -> bool {
        matches!(self, Expr::Call { .. } | Expr::Method { .. } | Expr::Vararg)
    }

    /// Whether it is a literal value, known when compiled.
    pub fn is_constant(self) -> bool {
        matches!(self, Expr::Nil | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_))
    }
}

/// One field of a table constructor.
#[derive(Clone, Copy, Debug)]
pub enum Field {
    /// `value`
    Item(ExprId),
    /// `[key] = value` or `key = value`, and the line its assignment is on.
    Pair(ExprId, ExprId, u32),
}

/// A table constructor.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its fields in order: see [`Ast::fields`].
    pub fields: Run,
    /// The line of its closing brace.
    pub end_line: u32,
}

/// A sequence of statements with its own scope.
#[derive(Clone, Copy, Debug, Default)]
pub struct Block {
    /// The statements in order: see [`Ast::statements`].
    pub statements: Run,
    /// The line of the last token before the one that ends the block.
    pub end_line: u32,
}

/// One `if` or `elseif` arm.
#[derive(Clone, Copy, Debug)]
pub struct Arm {
    /// The condition.
    pub condition: ExprId,
    /// The line of `then`, where the decision falls.
    pub then_line: u32,
    /// What runs when it is true.
    pub block: Block,
}

/// `if`, `elseif` … `else`
#[derive(Clone, Copy, Debug)]
pub struct Branches {
    /// The arms in order: see [`Ast::arms`].
    pub arms: Run,
    /// What runs when no condition is true.
    pub otherwise: Option<Block>,
}

/// `for variable = start, limit, step do`; three hidden variables from `state`
/// on come before `variable`.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct NumericFor {
    pub state: LocalId,
    pub start: ExprId,
    pub limit: ExprId,
    pub step: Option<ExprId>,
    pub body: Block,
    pub do_line: u32,
}

/// `for names in values do`; four hidden variables from `state` on come before
/// the `count` declared ones.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct GenericFor {
    pub state: LocalId,
    pub count: u32,
    pub values: List,
    pub body: Block,
    pub do_line: u32,
    pub end_line: u32,
}

/// A statement and the line of its code.
#[derive(Clone, Copy, Debug)]
pub struct Stat {
    /// What it does.
    pub kind: StatKind,
    /// The line of the code that is its own (a store, a jump, a loop).
    pub line: u32,
}

/// The kinds of statements.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum StatKind {
    /// A call, for its effects.
    Call(ExprId),
    /// `targets = values`
    Assign { targets: List, values: List },
    /// `local first, … = values`: `count` variables from `first` on.
    Local { first: LocalId, count: u32, values: List },
    /// `local function`
    LocalFunction { local: LocalId, function: ExprId },
    /// `function target() …`
    Function { target: ExprId, function: ExprId },
    /// `do … end`
    Do(Block),
    /// `while condition do body end`
    While { condition: ExprId, body: Block },
    /// `repeat body until condition`; the condition sees the body's variables.
    Repeat { body: Block, condition: ExprId },
    /// `if`, an index into [`Ast::branches`].
    If(u32),
    /// A numeric `for`, an index into [`Ast::numeric_fors`].
    ForNum(u32),
    /// A generic `for`, an index into [`Ast::generic_fors`].
    ForIn(u32),
    /// `return values`
    Return(List),
    /// `break` out of the innermost loop
    Break,
    /// `goto`, an index into [`Function::gotos`].
    Goto(u32),
    /// `::name::`
    Label(LabelId),
}

// A statement may be as short as two bytes of source.
const _: () = assert!(size_of::<Stat>() == 24 && size_of::<Expr>() == 16);

/// What a declaration says about a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attrib {
    /// Nothing.
    Regular,
    /// `<const>`
    Const,
    /// `<close>`, and the closing value of a generic `for`.
    Close,
}

/// A local variable.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name.
    pub name: StrId,
    /// Its attribute.
    pub attrib: Attrib,
    /// Whether an inner function uses it.
    pub captured: bool,
    /// Whether anything assigns to it after its declaration.
    pub assigned: bool,
    /// The value of a compile-time constant, which takes no register.
    pub value: Option<ExprId>,
}

/// A variable of an enclosing function.
#[derive(Clone, Debug)]
pub struct Upvalue {
    /// Its name.
    pub name: StrId,
    /// Where the enclosing function has it.
    pub source: UpvalueSource,
    /// The attribute of the variable.
    pub attrib: Attrib,
    /// Whether anything assigns to it, when its source is the host.
    pub assigned: bool,
}

/// Where a closure finds an upvalue when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpvalueSource {
    /// The enclosing function's local variable.
    Local(LocalId),
    /// The enclosing function's upvalue.
    Upvalue(u8),
    /// The host: the `_ENV` of a main chunk.
    Host,
}

/// A label that a `goto` can reach.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// How many of the active variables stay active at the label.
    pub active: u32,
}

/// A function body.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// The enclosing function.
    pub parent: Option<FuncId>,
    /// All variables it declares; the parameters come first.
    pub locals: Vec<Local>,
    /// The variables it takes from enclosing functions.
    pub upvalues: Vec<Upvalue>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// The label of each of its `goto`s.
    pub gotos: Vec<LabelId>,
    /// How many parameters it has.
    pub params: u32,
    /// Whether it takes `...`.
    pub is_vararg: bool,
    /// Its statements.
    pub body: Block,
    /// The line of `function`; 0 for a main chunk.
    pub line: u32,
    /// The line of its `end`.
    pub end_line: u32,
}

/// A whole chunk.
#[derive(Debug, Default)]
pub struct Ast {
    exprs: Vec<Expr>,
    lines: Vec<u32>,
    lists: Vec<ExprId>,
    fields: Vec<Field>,
    statements: Vec<Stat>,
    arms: Vec<Arm>,
    /// Table constructors.
    pub tables: Vec<Table>,
    /// What `if` statements are.
    pub branches: Vec<Branches>,
    /// What numeric `for` statements are.
    pub numeric_fors: Vec<NumericFor>,
    /// What generic `for` statements are.
    pub generic_fors: Vec<GenericFor>,
    /// Functions; the main one is [`Ast::MAIN`].
    pub functions: Vec<Function>,
    /// All names and strings.
    pub strings: Strings,
}

impl Ast {
    /// The main function of a chunk.
    pub const MAIN: FuncId = FuncId(0);
    /// Bytes of the longest source: no arena then has more items than `u32`
    /// counts, since two bytes make three expressions at most.
    pub const MAX_SOURCE: usize = 1 << 31;

    /// Adds an expression whose code is on `line`.
    ///
    /// # Errors
    /// There is no memory for it.
    #[inline]
    pub fn add(&mut self, expr: Expr, line: u32, meter: &mut Meter) -> Result<ExprId> {
        meter.push(&mut self.exprs, expr)?;
        meter.push(&mut self.lines, line)?;
        Ok(ExprId(self.exprs.len() as u32 - 1))
    }

    /// The expression `id`.
    pub fn expr(&self, id: ExprId) -> Expr {
        self.exprs[id.0 as usize]
    }

    /// The line of the code of `id`.
    pub fn line(&self, id: ExprId) -> u32 {
        self.lines[id.0 as usize]
    }

    /// Stores a list of expressions.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn add_list(&mut self, items: &[ExprId], meter: &mut Meter) -> Result<List> {
        if items.is_empty() {
            return Ok(List::EMPTY);
        }
        let list = List(self.lists.len() as u32);
        meter.push(&mut self.lists, ExprId(items.len() as u32))?;
        meter.extend(&mut self.lists, items)?;
        Ok(list)
    }

    /// The expressions of `list`.
    pub fn list(&self, list: List) -> &[ExprId] {
        match self.lists.get(list.0 as usize..) {
            Some([len, rest @ ..]) => &rest[..len.0 as usize],
            _ => &[],
        }
    }

    /// Stores the fields of a table constructor.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn add_fields(&mut self, items: &[Field], meter: &mut Meter) -> Result<Run> {
        add_run(&mut self.fields, items, meter)
    }

    /// The fields of a table constructor.
    pub fn fields(&self, run: Run) -> &[Field] {
        run.of(&self.fields)
    }

    /// Stores the statements of a block.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn add_statements(&mut self, items: &[Stat], meter: &mut Meter) -> Result<Run> {
        add_run(&mut self.statements, items, meter)
    }

    /// The statements of a block.
    pub fn statements(&self, run: Run) -> &[Stat] {
        run.of(&self.statements)
    }

    /// Stores the arms of an `if`.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn add_arms(&mut self, items: &[Arm], meter: &mut Meter) -> Result<Run> {
        add_run(&mut self.arms, items, meter)
    }

    /// The arms of an `if`.
    pub fn arms(&self, run: Run) -> &[Arm] {
        run.of(&self.arms)
    }

    /// The function `id`.
    pub fn function(&self, id: FuncId) -> &Function {
        &self.functions[id.0 as usize]
    }
}

fn add_run<T: Copy>(arena: &mut Vec<T>, items: &[T], meter: &mut Meter) -> Result<Run> {
    let run = Run { start: arena.len() as u32, len: items.len() as u32 };
    meter.extend(arena, items)?;
    Ok(run)
}
