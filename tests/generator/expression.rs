//! Random expressions, by the kind of value they have.

use super::{Generator, Kind};

const INTS: [&str; 22] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "31",
    "-1",
    "-2",
    "255",
    "65536",
    "2147483647",
    "-2147483648",
    "140737488355327",
    "140737488355328",
    "-140737488355328",
    "-140737488355329",
    "281474976710656",
    "0x7fffffffffffffff",
    "math.mininteger",
    "0x123456789abcdef",
    "-99",
];
const FLOATS: [&str; 12] = [
    "0.5", "1.0", "-0.0", "2.25", "1e10", "-3.5", "0.1", "1e300", "(1/0)", "(0/0)", "1e-5", "2^53",
];
const STRINGS: [&str; 8] = ["''", "'a'", "'xyz'", "'10'", "'0x10'", "'b c'", "'1.5'", "'key'"];

impl Generator {
    fn sub(&mut self, depth: usize) -> usize {
        if depth == 0 { 0 } else { depth - 1 - self.random.below(2).min(depth - 1) }
    }

    /// The name of a visible variable of one of `kinds`.
    pub(super) fn variable(&mut self, kinds: &[Kind]) -> Option<String> {
        let found: Vec<usize> = (0..self.variables.len())
            .filter(|&i| kinds.contains(&self.variables[i].kind))
            .collect();
        // The newest are the most interesting: they are in registers of this function.
        let recent = found.len().min(6);
        let at = if self.random.chance(70) {
            found.len() - recent + self.random.below(recent)
        } else {
            self.random.below(found.len())
        };
        found.get(at).map(|&i| self.variables[i].name.clone())
    }

    fn literal_int(&mut self) -> String {
        if self.random.chance(60) {
            self.random.between(-20, 100).to_string()
        } else {
            (*self.random.pick(&INTS)).to_owned()
        }
    }

    /// An expression whose value is an integer.
    pub(super) fn int(&mut self, depth: usize) -> String {
        if depth == 0 || self.random.chance(20) {
            return match self.variable(&[Kind::Int]) {
                Some(name) if self.random.chance(70) => name,
                _ => self.literal_int(),
            };
        }
        let d = self.sub(depth);
        let (a, b) = (self.int(d), self.int(d));
        match self.random.below(24) {
            0..=3 => format!("({a} + {b})"),
            4 | 5 => format!("({a} - {b})"),
            6 | 7 => format!("({a} * {b})"),
            8 => format!("({a} // {})", self.random.pick(&["2", "3", "-7", "1024", "-1"])),
            9 | 10 => format!("({a} % {})", self.random.pick(&["2", "3", "-5", "16", "1000003"])),
            11 => format!("({a} & {b})"),
            12 => format!("({a} | {b})"),
            13 => format!("({a} ~ {b})"),
            14 => format!("({a} << {})", self.random.between(-3, 64)),
            15 => format!("({a} >> {})", self.random.between(-3, 64)),
            16 => format!("(- {a})"),
            17 => format!("(~{a})"),
            18 => format!("toint({})", self.number(d)),
            19 => format!("({} and {a} or {b})", self.condition(d)),
            20 => format!("math.{}({a}, {b})", self.random.pick(&["max", "min"])),
            21 => format!("#{}", self.string(0)),
            22 => match self.variable(&[Kind::Array]) {
                Some(array) => format!("#{array}"),
                None => format!("math.abs({a})"),
            },
            _ if self.vararg => "select('#', ...)".to_owned(),
            _ => format!("({a} // 1 | {b})"),
        }
    }

    /// An expression whose value works as a number: an integer, a float, or an object whose
    /// metatable has the arithmetic.
    pub(super) fn number(&mut self, depth: usize) -> String {
        if depth == 0 || self.random.chance(15) {
            return match self.random.below(10) {
                0..=5 => match self.variable(&[Kind::Number, Kind::Int]) {
                    Some(name) => name,
                    None => self.literal_int(),
                },
                6 | 7 => (*self.random.pick(&FLOATS)).to_owned(),
                8 => self.literal_int(),
                _ => match self.variable(&[Kind::Object]) {
                    Some(name) => name,
                    None => "1.5".to_owned(),
                },
            };
        }
        let d = self.sub(depth);
        let (a, b) = (self.number(d), self.number(d));
        match self.random.below(24) {
            0..=4 => format!("({a} + {b})"),
            5 | 6 => format!("({a} - {b})"),
            7 | 8 => format!("({a} * {b})"),
            9 => format!("({a} / {})", self.random.pick(&["2", "3", "0.5", "-4"])),
            10 => format!("({a} // {})", self.random.pick(&["2", "3.0", "-0.5"])),
            11 => format!("({a} % {})", self.random.pick(&["2", "7", "-3", "2.5"])),
            12 => format!("(- {a})"),
            13 => format!("({} and {a} or {b})", self.condition(d)),
            14 => format!("math.floor(num({a}))"),
            15 => self.call(d).unwrap_or(a),
            16 => self.call(d).unwrap_or(b),
            17 => match self.variable(&[Kind::Object]) {
                Some(object) => format!("{object}:m1({a})"),
                None => format!("({a} + 1)"),
            },
            18 | 19 => match self.variable(&[Kind::Array]) {
                Some(array) => format!("({array}[{}] or {b})", self.index(&array)),
                None => self.int(d),
            },
            20 | 21 => match self.variable(&[Kind::Record]) {
                Some(record) => {
                    let field = self.field();
                    format!("({record}.{field} or {b})")
                }
                None => self.int(d),
            },
            22 if self.vararg => {
                format!("((select({}, ...)) or {a})", self.random.between(1, 3))
            }
            _ => self.int(d),
        }
    }

    /// An index expression, mostly within the array.
    pub(super) fn index(&mut self, array: &str) -> String {
        let i = self.int(1);
        match self.random.below(5) {
            0 => self.random.between(1, 4).to_string(),
            1 => format!("#{array}"),
            2 => format!("{i} & 7"),
            _ => format!("{i} % (#{array} + 1)"),
        }
    }

    /// A field name of records.
    pub(super) fn field(&mut self) -> String {
        format!("f{}", self.random.between(1, 6))
    }

    /// A call of a visible function, adjusted to one result.
    pub(super) fn call(&mut self, depth: usize) -> Option<String> {
        if self.callable.is_empty() {
            return None;
        }
        let at = self.random.below(self.callable.len());
        let (name, arity) = (self.callable[at].name.clone(), self.callable[at].arity);
        let extra = usize::from(self.random.chance(15));
        let args: Vec<String> = (0..arity + extra).map(|_| self.number(depth.min(1))).collect();
        Some(format!("({name}({}))", args.join(", ")))
    }

    /// An expression whose value is a string of modest length.
    pub(super) fn string(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.variable(&[Kind::String]) {
                Some(name) if self.random.chance(60) => name,
                _ => format!("({})", self.random.pick(&STRINGS)),
            };
        }
        let d = self.sub(depth);
        let a = self.string(d);
        match self.random.below(10) {
            0..=2 => format!("({a} .. {})", self.string(d)),
            3 => format!("({a} .. str({}))", self.number(d)),
            4 => format!("({a} .. {})", self.int(d)),
            5 => {
                let (i, j) = (self.random.between(-4, 4), self.random.between(-3, 8));
                format!("{a}:sub({i}, {j})")
            }
            6 => format!("{a}:{}()", self.random.pick(&["upper", "reverse", "lower"])),
            7 => format!("{a}:rep({})", self.random.between(0, 3)),
            8 => format!("format('%d:%s', {}, {a})", self.int(d)),
            _ => format!("tostring({})", self.int(d)),
        }
    }

    /// A condition.
    pub(super) fn condition(&mut self, depth: usize) -> String {
        let d = self.sub(depth);
        match self.random.below(13) {
            0..=2 => {
                let op = *self.random.pick(&["<", "<=", ">", ">=", "==", "~="]);
                format!("({} {op} {})", self.int(d), self.int(d))
            }
            3..=5 => {
                let op = *self.random.pick(&["<", "<=", ">", ">=", "==", "~="]);
                format!("({} {op} {})", self.number(d), self.number(d))
            }
            6 => format!(
                "({} {} {})",
                self.string(d),
                self.random.pick(&["<", "==", "<="]),
                self.string(d)
            ),
            7 => format!("({} % {} == 0)", self.int(d), self.random.between(2, 5)),
            8 if depth > 0 => format!("(not {})", self.condition(d)),
            9 if depth > 0 => format!("({} and {})", self.condition(d), self.condition(d)),
            10 if depth > 0 => format!("({} or {})", self.condition(d), self.condition(d)),
            11 => format!("(math.type({}) == 'integer')", self.number(d)),
            _ => format!("({} & {} == 0)", self.int(d), self.random.between(1, 7)),
        }
    }

    /// An expression of `kind`, never nil.
    pub(super) fn of_kind(&mut self, kind: Kind, depth: usize) -> String {
        match kind {
            Kind::Int => self.int(depth),
            Kind::Number => self.number(depth),
            Kind::String => format!("cut({})", self.string(depth)),
            Kind::Array => {
                let items: Vec<String> =
                    (0..self.random.below(5)).map(|_| self.number(1)).collect();
                format!("{{ {} }}", items.join(", "))
            }
            Kind::Record => {
                let count = self.random.below(5);
                let items: Vec<String> = (1..=count)
                    .map(|i| {
                        let value = self.number(1);
                        format!("f{i} = {value}")
                    })
                    .collect();
                format!("{{ {} }}", items.join(", "))
            }
            Kind::Object => {
                let class = *self.random.pick(&["obj", "sub"]);
                format!("{class}({})", self.number(1))
            }
        }
    }
}
