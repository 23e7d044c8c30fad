//! Random small programs for differential tests.
//!
//! A program is made from a seed alone. It ends (loops are bounded, functions call only earlier
//! functions, and a counter stops what is left), prints many intermediate values, and prints
//! nothing that may differ between correct implementations: no addresses, no sign of a NaN, no
//! order of `pairs`, no length of a table with holes. Values are typed loosely so that most
//! statements work; a *number* may be an integer, a float or an object with metamethods, which is
//! what unsettles compiled code. Errors are provoked inside `pcall` and their messages printed.

#![allow(dead_code, reason = "each test binary uses its own part")]

mod expression;
mod flow;
mod function;
mod idiom;
mod library;
pub mod program;
mod random;
mod statement;
mod system;

use program::Node;
use random::Random;

/// The definitions every program starts with.
pub const PRELUDE: &str = include_str!("prelude.lua");

/// The kind of value a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An integer, always.
    Int,
    /// An integer, a float, or an object with arithmetic.
    Number,
    String,
    /// A sequence of numbers without holes.
    Array,
    /// A table with some of the fields `f1` to `f6`.
    Record,
    /// An object with the metamethods and methods of the prelude.
    Object,
}

const KINDS: [Kind; 6] =
    [Kind::Int, Kind::Number, Kind::String, Kind::Array, Kind::Record, Kind::Object];

#[derive(Clone, Debug)]
struct Variable {
    name: String,
    kind: Kind,
    /// Loop variables are not assigned to.
    assignable: bool,
}

/// A function that may be called here: it calls only those with a smaller `id`.
#[derive(Clone, Debug)]
struct Callable {
    name: String,
    arity: usize,
    id: usize,
}

/// The state of the generation of one program.
#[derive(Debug)]
struct Generator {
    random: Random,
    variables: Vec<Variable>,
    callable: Vec<Callable>,
    /// The integer variables of the loops around, innermost last.
    counters: Vec<String>,
    names: usize,
    /// Blocks around the statement.
    depth: usize,
    /// Loops around it within the function.
    loops: usize,
    in_function: bool,
    vararg: bool,
    in_coroutine: bool,
    /// Within a `pcall`: errors may be provoked.
    protected: bool,
}

/// The statements of the program of `seed` (the prelude not among them).
pub fn generate(seed: u64) -> Vec<Node> {
    generate_with(Random::new(seed))
}

/// The statements of the program that `bytes` decide.
pub fn generate_from(bytes: &[u8]) -> Vec<Node> {
    generate_with(Random::from_bytes(bytes))
}

fn generate_with(random: Random) -> Vec<Node> {
    let mut generator = Generator {
        random,
        variables: Vec::new(),
        callable: Vec::new(),
        counters: Vec::new(),
        names: 0,
        depth: 0,
        loops: 0,
        in_function: false,
        vararg: false,
        in_coroutine: false,
        protected: false,
    };
    generator.program()
}

impl Generator {
    fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn declare(&mut self, name: &str, kind: Kind, assignable: bool) {
        self.variables.push(Variable { name: name.to_owned(), kind, assignable });
    }

    /// Generates what `body` generates, in a scope of its own.
    fn scoped<T>(&mut self, body: impl FnOnce(&mut Generator) -> T) -> T {
        let (variables, callable) = (self.variables.len(), self.callable.len());
        let counters = self.counters.len();
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        self.variables.truncate(variables);
        self.callable.truncate(callable);
        self.counters.truncate(counters);
        result
    }

    /// Generates what `body` generates, as the body of a new function.
    fn function_scope<T>(&mut self, body: impl FnOnce(&mut Generator) -> T) -> T {
        let saved = (self.loops, self.in_function, self.vararg, self.in_coroutine, self.protected);
        let counters = std::mem::take(&mut self.counters);
        (self.loops, self.in_function, self.vararg) = (0, true, false);
        let result = self.scoped(body);
        self.counters = counters;
        (self.loops, self.in_function, self.vararg, self.in_coroutine, self.protected) = saved;
        result
    }

    fn program(&mut self) -> Vec<Node> {
        let mut nodes = Vec::new();
        // Something of each kind to start with; some numbers are globals.
        for kind in KINDS {
            nodes.push(self.local(kind));
        }
        for _ in 0..self.random.below(3) {
            let name = self.fresh("g");
            let value = self.number(1);
            nodes.push(Node::Line(format!("{name} = {value}")));
            self.declare(&name, Kind::Number, true);
        }
        for _ in 0..self.random.between(1, 3) {
            nodes.push(self.function());
        }
        for _ in 0..self.random.between(5, 12) {
            nodes.push(if self.random.chance(25) { self.idiom() } else { self.statement() });
        }
        let names: Vec<String> = self.variables.iter().map(|v| v.name.clone()).collect();
        nodes.push(Node::Line("shown = 0".to_owned()));
        for some in names.chunks(6) {
            nodes.push(Node::Line(format!("show({})", some.join(", "))));
        }
        nodes.push(Node::Line("show(calls, closed)".to_owned()));
        nodes
    }
}
