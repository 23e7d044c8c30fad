//! Random branches and loops.

use super::program::Node;
use super::statement::line;
use super::{Generator, Kind};

impl Generator {
    pub(super) fn branch(&mut self) -> Node {
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
    pub(super) fn turns(&mut self) -> i64 {
        match (self.in_function, self.loops) {
            (false, 0) => self.random.between(40, 300),
            (true, 0) => self.random.between(2, 25),
            _ => self.random.between(1, 6),
        }
    }

    /// The body of a loop: statements, perhaps a `break` or a `goto continue`.
    pub(super) fn loop_body(&mut self) -> Vec<Node> {
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

    pub(super) fn any_loop(&mut self) -> Node {
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

    pub(super) fn numeric_loop(&mut self, turns: i64) -> Node {
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
    pub(super) fn generic_loop(&mut self) -> Node {
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
}

/// Names declared after the jump's place are not visible there: a plain condition serves then.
fn condition_at(condition: &str, at: usize, length: usize) -> String {
    if at == length { condition.to_owned() } else { "calls % 3 == 1".to_owned() }
}

/// A loop with its counter declared before it.
fn counted(counter: &str, node: Node) -> Node {
    Node::block("do", vec![line(format!("local {counter} = 0")), node], "end")
}
