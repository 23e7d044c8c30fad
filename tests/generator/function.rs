//! Random functions: local, protected, recursive, coroutines, closures.

use super::program::Node;
use super::statement::line;
use super::{Callable, Generator, Kind};

impl Generator {
    /// The body of a function with `arity` parameters that returns a number.
    pub(super) fn function_body(&mut self, arity: usize, vararg: bool) -> (String, Vec<Node>) {
        let mut parameters: Vec<String> = (0..arity).map(|_| self.fresh("p")).collect();
        let body = self.function_scope(|g| {
            g.vararg = vararg;
            g.in_coroutine = false;
            g.protected = false;
            for p in &parameters {
                g.declare(p, Kind::Number, true);
            }
            let mut body = vec![line("tick()")];
            body.extend(g.block(0, 4));
            if g.random.chance(25) {
                let (condition, early) = (g.condition(1), g.number(1));
                body.push(line(format!("if {condition} then return {early} end")));
            }
            let result = g.number(3);
            match g.call(1) {
                // A proper tail call.
                Some(call) if g.random.chance(20) => {
                    body.push(line(format!("return {}", &call[1..call.len() - 1])));
                }
                _ if g.random.chance(20) => {
                    let second = g.number(1);
                    body.push(line(format!("return {result}, {second}")));
                }
                _ => body.push(line(format!("return {result}"))),
            }
            body
        });
        if vararg {
            parameters.push("...".to_owned());
        }
        (parameters.join(", "), body)
    }

    /// A new local function.
    pub(super) fn function(&mut self) -> Node {
        let (arity, vararg) = (self.random.below(4), self.random.chance(20));
        let (parameters, body) = self.function_body(arity, vararg);
        let name = self.fresh("f");
        self.callable.push(Callable { name: name.clone(), arity, id: self.names });
        Node::block(format!("local function {name}({parameters})"), body, "end")
    }

    /// A visible function replaced by another of the same arity.
    pub(super) fn redefinition(&mut self) -> Node {
        if self.callable.is_empty() || self.in_function {
            return self.assignment();
        }
        let at = self.random.below(self.callable.len());
        let old = self.callable[at].clone();
        let all = self.callable.clone();
        self.callable.retain(|c| c.id < old.id);
        let (parameters, body) = self.function_body(old.arity, false);
        self.callable = all;
        Node::block(format!("{} = function({parameters})", old.name), body, "end")
    }

    pub(super) fn protected_block(&mut self) -> Node {
        let body = self.function_scope(|g| {
            g.protected = true;
            let mut body = g.block(1, 4);
            let (a, b) = (g.number(2), g.string(1));
            body.push(line(format!("return {a}, {b}")));
            body
        });
        let call = if self.random.chance(80) {
            ("show(pcall(function()", "end))")
        } else {
            ("show(xpcall(function()", "end, function(m) return 'H:' .. str(m) end))")
        };
        match self.counters.last() {
            Some(counter) => {
                let every = *self.random.pick(&[2, 10, 40]);
                let inner = Node::block(call.0, body, call.1);
                Node::block(format!("if {counter} % {every} == 0 then"), vec![inner], "end")
            }
            None => Node::block(call.0, body, call.1),
        }
    }

    /// A statement that raises an error.
    pub(super) fn chaos(&mut self) -> Node {
        let (n, s) = (self.number(1), self.string(1));
        let table = self.variable(&[Kind::Record, Kind::Array]).unwrap_or("FIELDS".to_owned());
        let name = self.fresh("z");
        let text = match self.random.below(15) {
            0 => format!("error('e' .. {})", self.int(1)),
            1 => format!("error({{ n = {n} }})"),
            2 => format!("local {name} = nil; {name}.x = {n}"),
            3 => format!("local {name} = {n} + {table}.missing"),
            4 => format!("local {name} = {s} < {}", self.int(1)),
            5 => format!("undefined{name}({n})"),
            6 => format!("{table}.x.y = 1"),
            7 => format!("local {name} = {table}.{name}.z"),
            8 => format!("local {name} = {{}}; {name}({n})"),
            9 => format!("for {name} = 1, 'x' do end"),
            10 => format!("{table}:nomethod({n})"),
            11 => format!("local {name} = {s} .. {{}}"),
            12 => format!("local {name} = {} | 1.5", self.int(1)),
            13 => format!("local {name} = {} // (calls - calls)", self.int(1)),
            _ => "error()".to_owned(),
        };
        match self.counters.last() {
            Some(counter) => {
                let at = self.random.between(1, 40);
                line(format!("if {counter} == {at} then {text} end"))
            }
            None => {
                let condition = self.condition(1);
                line(format!("if {condition} then {text} end"))
            }
        }
    }

    pub(super) fn yield_statement(&mut self) -> Node {
        let value = self.number(1);
        match self.assignable(Kind::Number) {
            Some(target) => line(format!("{target} = coroutine.yield({value}) or 1")),
            None => line(format!("coroutine.yield({value})")),
        }
    }

    pub(super) fn coroutine(&mut self) -> Node {
        let (co, parameter, ok, value) =
            (self.fresh("co"), self.fresh("p"), self.fresh("ok"), self.fresh("r"));
        let body = self.function_scope(|g| {
            g.in_coroutine = true;
            g.declare(&parameter, Kind::Number, true);
            let mut body = vec![g.yield_statement()];
            body.push(g.any_loop());
            body.extend(g.block(1, 3));
            body.push(g.yield_statement());
            let result = g.number(2);
            body.push(line(format!("return {result}")));
            body
        });
        let (turns, argument) = (self.random.between(3, 40), self.number(1));
        let resume = vec![
            line(format!("local {ok}, {value} = pcall({co}, {argument})")),
            line(format!("if k % 5 == 1 or not {ok} then show({ok}, {value}) end")),
            line(format!("if not {ok} then break end")),
        ];
        let nodes = vec![
            Node::block(format!("local {co} = coroutine.wrap(function({parameter})"), body, "end)"),
            Node::block(format!("for k = 1, {turns} do"), resume, "end"),
        ];
        Node::block("do", nodes, "end")
    }

    /// Closures made in a loop, sharing some variables, called in another.
    pub(super) fn closures(&mut self) -> Node {
        let (list, own, turns) = (self.fresh("fs"), self.fresh("c"), self.turns().min(60));
        let body = self.scoped(|g| {
            g.declare("k", Kind::Int, false);
            let start = g.number(1);
            let inner = g.function_scope(|g| {
                g.declare(&own, Kind::Number, true);
                g.declare("x", Kind::Number, true);
                let mut inner = vec![line("tick()"), g.assignment()];
                let value = g.number(2);
                inner.push(line(format!("{own} = {value}")));
                inner.push(line(format!("return {own}")));
                inner
            });
            vec![
                line(format!("local {own} = {start}")),
                Node::block(format!("{list}[k] = function(x)"), inner, "end"),
            ]
        });
        let argument = self.int(1);
        let calls = vec![
            line(format!("local r = {list}[(k * 7) % {turns} + 1]({argument} + k)")),
            line("if k % 16 == 0 then show(r) end"),
        ];
        let nodes = vec![
            line(format!("local {list} = {{}}")),
            Node::block(format!("for k = 1, {turns} do"), body, "end"),
            Node::block(format!("for k = 1, {} do", turns * 2), calls, "end"),
        ];
        Node::block("do", nodes, "end")
    }

    pub(super) fn closing_block(&mut self) -> Node {
        let (name, value) = (self.fresh("c"), self.int(0));
        let mut body = vec![line(format!("local {name} <close> = closer({value})"))];
        body.extend(self.scoped(|g| g.block(1, 3)));
        Node::block("do", body, "end")
    }

    /// A function that calls itself a bounded number of times, and its call.
    pub(super) fn recursion(&mut self) -> Node {
        let Some(target) = self.assignable(Kind::Number) else { return self.assignment() };
        let (name, parameter) = (self.fresh("rec"), self.fresh("p"));
        let body = self.function_scope(|g| {
            g.in_coroutine = false;
            g.protected = false;
            g.declare("d", Kind::Int, false);
            g.declare(&parameter, Kind::Number, true);
            let base = g.number(1);
            let mut body = vec![line(format!("if d <= 0 then return {base} end"))];
            body.extend((0..g.random.below(3)).map(|_| g.assignment()));
            let next = g.number(1);
            body.push(match g.random.below(3) {
                0 => line(format!("return {name}(d - 1, {next})")),
                1 => line(format!("return {name}(d - 1, {next}) + {parameter}")),
                _ => {
                    line(format!("return {name}(d - 2, {next}) - {name}(d // 2 - 1, {parameter})"))
                }
            });
            body
        });
        let (depth, start) = (self.random.between(1, 14), self.number(1));
        let nodes = vec![
            line(format!("local {name}")),
            Node::block(format!("function {name}(d, {parameter})"), body, "end"),
            line(format!("{target} = {name}({depth}, {start})")),
        ];
        Node::block("do", nodes, "end")
    }
}
