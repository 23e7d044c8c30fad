//! Random statements.

use super::program::Node;
use super::{Callable, Generator, KINDS, Kind};

fn line(text: impl Into<String>) -> Node {
    Node::Line(text.into())
}

impl Generator {
    /// A declaration of a variable of `kind`.
    pub(super) fn local(&mut self, kind: Kind) -> Node {
        let value = self.of_kind(kind, 2);
        let name = self.fresh("v");
        self.declare(&name, kind, true);
        line(format!("local {name} = {value}"))
    }

    fn assignable(&mut self, kind: Kind) -> Option<String> {
        let found: Vec<String> = self
            .variables
            .iter()
            .filter(|v| v.assignable && v.kind == kind)
            .map(|v| v.name.clone())
            .collect();
        if found.is_empty() { None } else { Some(self.random.pick(&found).clone()) }
    }

    fn block(&mut self, least: i64, most: i64) -> Vec<Node> {
        let count = self.random.between(least, most);
        (0..count).map(|_| self.statement()).collect()
    }

    /// A statement of any sort.
    pub(super) fn statement(&mut self) -> Node {
        // Deep inside only simple statements are made, and loops stay few.
        let simple = self.depth >= 5 || self.loops >= 3;
        match self.random.below(if simple { 52 } else { 100 }) {
            0..=15 => self.assignment(),
            16..=22 => {
                let kind = *self.random.pick(&KINDS);
                self.local(kind)
            }
            23..=34 => self.table_statement(),
            35..=38 => self.show(),
            39..=42 => self.event(),
            43..=45 => self.object_statement(),
            46..=48 if self.protected => self.chaos(),
            49 | 50 if self.in_coroutine => self.yield_statement(),
            46..=51 => self.assignment(),
            52..=60 => self.branch(),
            61..=80 => self.any_loop(),
            81..=85 if !self.in_function || self.depth < 3 => self.function(),
            86 | 87 => self.redefinition(),
            88..=91 => self.protected_block(),
            92..=94 if !self.in_function => self.coroutine(),
            95 | 96 => self.closures(),
            97 => self.closing_block(),
            _ => self.recursion(),
        }
    }

    fn assignment(&mut self) -> Node {
        let kind =
            *self.random.pick(&[Kind::Int, Kind::Int, Kind::Number, Kind::Number, Kind::String]);
        let Some(target) = self.assignable(kind) else { return self.local(kind) };
        let value = self.of_kind(kind, 3);
        if self.random.chance(12)
            && let Some(other) = self.assignable(kind).filter(|o| *o != target)
        {
            return line(format!("{target}, {other} = {other}, {value}"));
        }
        match kind {
            Kind::Int if self.random.chance(40) => line(format!("{target} = {target} + {value}")),
            Kind::Number if self.random.chance(40) => {
                line(format!("{target} = {target} + {value}"))
            }
            _ => line(format!("{target} = {value}")),
        }
    }

    fn table_statement(&mut self) -> Node {
        let value = self.number(2);
        if self.random.chance(50) {
            let Some(array) = self.variable(&[Kind::Array]) else { return self.local(Kind::Array) };
            return match self.random.below(7) {
                0 | 1 => line(format!("if #{array} < 60 then {array}[#{array} + 1] = {value} end")),
                2 | 3 => {
                    let at = self.int(1);
                    line(format!("if #{array} > 0 then {array}[{at} % #{array} + 1] = {value} end"))
                }
                4 => line(format!("{array}[#{array}] = nil")),
                5 => line(format!("if #{array} < 60 then table.insert({array}, 1, {value}) end")),
                _ => match self.assignable(Kind::Number) {
                    Some(target) => line(format!("{target} = table.remove({array}) or {value}")),
                    None => line(format!("table.remove({array}, 1)")),
                },
            };
        }
        let Some(record) = self.variable(&[Kind::Record]) else { return self.local(Kind::Record) };
        let field = self.field();
        match self.random.below(6) {
            0..=2 => line(format!("{record}.{field} = {value}")),
            3 => line(format!("{record}.{field} = nil")),
            4 => line(format!("{record}.{field} = ({record}.{field} or 1) + {value}")),
            _ => {
                let key = self.random.between(1, 6);
                line(format!("{record}['f' .. {key}] = {value}"))
            }
        }
    }

    fn object_statement(&mut self) -> Node {
        let Some(object) = self.variable(&[Kind::Object]) else { return self.local(Kind::Object) };
        let value = self.number(1);
        match self.random.below(6) {
            0 | 1 => line(format!("{object}:m2({value})")),
            2 => line(format!("{object}.n = num({value})")),
            3 => {
                let class = *self.random.pick(&["Obj", "Sub"]);
                line(format!("setmetatable({object}, {class})"))
            }
            4 => {
                let class = *self.random.pick(&["Obj", "Sub"]);
                let op = *self.random.pick(&["+", "-", "*"]);
                line(format!("{class}.m1 = function(self, x) return self.n {op} num(x) end"))
            }
            _ => line(format!("show({object}({value}), {object} == {object}, {object} < {value})")),
        }
    }

    fn show(&mut self) -> Node {
        let mut parts = Vec::new();
        for _ in 0..self.random.between(1, 3) {
            let kind = *self.random.pick(&KINDS);
            let text = match self.variable(&[kind]) {
                Some(name) if self.random.chance(70) => name,
                _ => self.of_kind(kind, 2),
            };
            parts.push(text);
        }
        let text = format!("show({})", parts.join(", "));
        match self.counters.last() {
            Some(counter) => {
                let every = *self.random.pick(&[3, 16, 50, 100]);
                line(format!("if {counter} % {every} == 0 then {text} end"))
            }
            None => line(text),
        }
    }

    /// Something that happens in one turn of the loop around.
    fn event(&mut self) -> Node {
        let Some(counter) = self.counters.last().cloned() else { return self.assignment() };
        let at = self.random.between(1, 120);
        let body = self.scoped(|g| {
            let first = match g.random.below(4) {
                0 => g.redefinition(),
                1 => g.object_statement(),
                _ => g.assignment(),
            };
            vec![first]
        });
        Node::block(format!("if {counter} == {at} then"), body, "end")
    }

    fn branch(&mut self) -> Node {
        let mut parts = Vec::new();
        let condition = self.condition(2);
        let body = self.scoped(|g| g.block(1, 3));
        parts.push((format!("if {condition} then"), body));
        while self.random.chance(25) {
            let condition = self.condition(1);
            let body = self.scoped(|g| g.block(1, 2));
            parts.push((format!("elseif {condition} then"), body));
        }
        if self.random.chance(50) {
            let body = self.scoped(|g| g.block(1, 2));
            parts.push(("else".to_owned(), body));
        }
        Node::Block(parts, "end".to_owned())
    }

    /// How many turns a loop here may make.
    fn turns(&mut self) -> i64 {
        match (self.in_function, self.loops) {
            (false, 0) => self.random.between(40, 300),
            (true, 0) => self.random.between(2, 25),
            _ => self.random.between(1, 6),
        }
    }

    /// The body of a loop: statements, perhaps a `break` or a `goto continue`.
    fn loop_body(&mut self) -> Vec<Node> {
        self.loops += 1;
        let mut body = self.scoped(|g| {
            let mut body = g.block(1, 4);
            if g.random.chance(20) {
                let at = g.random.below(body.len() + 1);
                // A label at the end of a block of its own may be jumped to over declarations.
                let label = g.fresh("continue");
                let condition = g.condition(1);
                let condition = condition_at(&condition, at, body.len());
                body.insert(at, line(format!("if {condition} then goto {label} end")));
                body.push(line(format!("::{label}::")));
                body = vec![Node::block("do", body, "end")];
            }
            body
        });
        if self.random.chance(15) {
            let condition = self.condition(1);
            body.push(line(format!("if {condition} then break end")));
        }
        self.loops -= 1;
        body
    }

    fn any_loop(&mut self) -> Node {
        let turns = self.turns();
        self.scoped(|g| match g.random.below(12) {
            0..=5 => g.numeric_loop(turns),
            6 | 7 => {
                let counter = g.fresh("w");
                g.declare(&counter, Kind::Int, false);
                g.counters.push(counter.clone());
                let condition =
                    if g.random.chance(30) { g.condition(1) } else { "true".to_owned() };
                let mut body = vec![line(format!("{counter} = {counter} + 1"))];
                body.extend(g.loop_body());
                let head = format!("while {counter} < {turns} and {condition} do");
                counted(&counter, Node::block(head, body, "end"))
            }
            8 | 9 => {
                let counter = g.fresh("w");
                g.declare(&counter, Kind::Int, false);
                g.counters.push(counter.clone());
                let condition =
                    if g.random.chance(30) { g.condition(1) } else { "false".to_owned() };
                let mut body = vec![line(format!("{counter} = {counter} + 1"))];
                body.extend(g.loop_body());
                let end = format!("until {counter} >= {turns} or {condition}");
                counted(&counter, Node::block("repeat", body, end))
            }
            10 => {
                let (counter, label) = (g.fresh("w"), g.fresh("top"));
                g.declare(&counter, Kind::Int, false);
                g.counters.push(counter.clone());
                g.loops += 1;
                let body = g.scoped(|g| g.block(1, 3));
                g.loops -= 1;
                let nodes = vec![
                    line(format!("local {counter} = 0")),
                    line(format!("::{label}::")),
                    line(format!("{counter} = {counter} + 1")),
                    Node::block("do", body, "end"),
                    line(format!("if {counter} < {turns} then goto {label} end")),
                ];
                Node::block("do", nodes, "end")
            }
            _ => g.generic_loop(),
        })
    }

    fn numeric_loop(&mut self, turns: i64) -> Node {
        let counter = self.fresh("i");
        let head = match self.random.below(10) {
            0..=4 => format!("for {counter} = 1, {turns} do"),
            5 => format!("for {counter} = {turns}, 1, -1 do"),
            6 => {
                let step = self.random.between(2, 9);
                format!("for {counter} = 0, {}, {step} do", turns * step)
            }
            7 => {
                let from = self.random.pick(&["(1 << 47)", "-(1 << 47)", "(1 << 53)"]).to_string();
                format!("for {counter} = {from} - {}, {from} + {} do", turns / 2, turns / 2)
            }
            8 => format!("for {counter} = math.maxinteger - {turns}, math.maxinteger do"),
            _ => {
                let from = self.int(1);
                format!("for {counter} = {from} & 1023, ({from} & 1023) + {turns} do")
            }
        };
        self.declare(&counter, Kind::Int, false);
        self.counters.push(counter);
        let body = self.loop_body();
        Node::block(head, body, "end")
    }

    /// A loop over a table; what it adds up does not depend on the order.
    fn generic_loop(&mut self) -> Node {
        let target = self.assignable(Kind::Int);
        let table = self.variable(&[Kind::Array]);
        let (Some(target), Some(table)) = (target, table) else { return self.numeric_loop(5) };
        match self.random.below(3) {
            0 => {
                let body = vec![line(format!("{target} = {target} + toint(x) * k"))];
                Node::block(format!("for k, x in pairs({table}) do"), body, "end")
            }
            1 => {
                let body = vec![line(format!("{target} = {target} ~ (toint(x) + k * 31)"))];
                Node::block(format!("for k, x in next, {table} do"), body, "end")
            }
            _ => {
                let (k, x) = (self.fresh("k"), self.fresh("x"));
                self.declare(&k, Kind::Int, false);
                self.declare(&x, Kind::Number, false);
                self.loops += 1;
                let body = self.scoped(|g| g.block(1, 3));
                self.loops -= 1;
                let mut all = vec![line(format!("if {k} > 40 then break end"))];
                all.extend(body);
                Node::block(format!("for {k}, {x} in ipairs({table}) do"), all, "end")
            }
        }
    }

    /// The body of a function with `arity` parameters that returns a number.
    fn function_body(&mut self, arity: usize, vararg: bool) -> (String, Vec<Node>) {
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
    fn redefinition(&mut self) -> Node {
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

    fn protected_block(&mut self) -> Node {
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
    fn chaos(&mut self) -> Node {
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

    fn yield_statement(&mut self) -> Node {
        let value = self.number(1);
        match self.assignable(Kind::Number) {
            Some(target) => line(format!("{target} = coroutine.yield({value}) or 1")),
            None => line(format!("coroutine.yield({value})")),
        }
    }

    fn coroutine(&mut self) -> Node {
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
    fn closures(&mut self) -> Node {
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

    fn closing_block(&mut self) -> Node {
        let (name, value) = (self.fresh("c"), self.int(0));
        let mut body = vec![line(format!("local {name} <close> = closer({value})"))];
        body.extend(self.scoped(|g| g.block(1, 3)));
        Node::block("do", body, "end")
    }

    /// A function that calls itself a bounded number of times, and its call.
    fn recursion(&mut self) -> Node {
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

/// Names declared after the jump's place are not visible there: a plain condition serves then.
fn condition_at(condition: &str, at: usize, length: usize) -> String {
    if at == length { condition.to_owned() } else { "calls % 3 == 1".to_owned() }
}

/// A loop with its counter declared before it.
fn counted(counter: &str, node: Node) -> Node {
    Node::block("do", vec![line(format!("local {counter} = 0")), node], "end")
}
