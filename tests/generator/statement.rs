//! Random statements.

use super::program::Node;
use super::{Generator, KINDS, Kind};

pub(super) fn line(text: impl Into<String>) -> Node {
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

    pub(super) fn assignable(&mut self, kind: Kind) -> Option<String> {
        let found: Vec<String> = self
            .variables
            .iter()
            .filter(|v| v.assignable && v.kind == kind)
            .map(|v| v.name.clone())
            .collect();
        if found.is_empty() { None } else { Some(self.random.pick(&found).clone()) }
    }

    pub(super) fn block(&mut self, least: i64, most: i64) -> Vec<Node> {
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
            92 if !self.in_function => self.coroutine(),
            93 if !self.in_function => self.text_variable(),
            94 | 95 if !self.in_function && self.loops == 0 => self.idiom(),
            94..=96 => self.closures(),
            97 => self.closing_block(),
            _ => self.recursion(),
        }
    }

    pub(super) fn assignment(&mut self) -> Node {
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
        // Evaluated before the length is asked: a call may change the array, and then it had holes.
        let value = self.number(2);
        if self.random.chance(50) {
            let Some(array) = self.variable(&[Kind::Array]) else { return self.local(Kind::Array) };
            return match self.random.below(7) {
                0 | 1 => line(format!(
                    "if #{array} < 60 then local x = {value} {array}[#{array} + 1] = x end"
                )),
                2 | 3 => {
                    let at = self.int(1);
                    line(format!(
                        "do local x = {value} if #{array} > 0 then {array}[{at} % #{array} + 1] = x end end"
                    ))
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

    pub(super) fn object_statement(&mut self) -> Node {
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
}
