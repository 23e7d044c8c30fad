//! A program as a tree of statements, so that a failing one can be made smaller.

use std::fmt::Write as _;

/// One statement.
#[derive(Clone, Debug)]
pub enum Node {
    /// A statement of one line.
    Line(String),
    /// A statement with blocks: each part is its heading (`if x then`, `else`, …) and a body;
    /// the last text closes the statement.
    Block(Vec<(String, Vec<Node>)>, String),
}

impl Node {
    /// A statement with one block.
    pub fn block(head: impl Into<String>, body: Vec<Node>, end: impl Into<String>) -> Node {
        Node::Block(vec![(head.into(), body)], end.into())
    }

    fn render(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        match self {
            Node::Line(text) => _ = writeln!(out, "{indent}{text}"),
            Node::Block(parts, end) => {
                for (head, body) in parts {
                    let _ = writeln!(out, "{indent}{head}");
                    for node in body {
                        node.render(out, depth + 1);
                    }
                }
                let _ = writeln!(out, "{indent}{end}");
            }
        }
    }
}

/// The text of a program.
pub fn render(prelude: &str, nodes: &[Node]) -> String {
    let mut out = String::from(prelude);
    for node in nodes {
        node.render(&mut out, 0);
    }
    out
}

/// The number of statements.
pub fn size(nodes: &[Node]) -> usize {
    let of = |node: &Node| match node {
        Node::Line(_) => 1,
        Node::Block(parts, _) => 1 + parts.iter().map(|(_, body)| size(body)).sum::<usize>(),
    };
    nodes.iter().map(of).sum()
}

/// How a statement is made smaller.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// The statement and this many of those that follow it go.
    Remove(usize),
    /// A statement with blocks is replaced by its blocks' statements.
    Unwrap,
}

/// Applies `cut` at the `at`-th statement (counted in the order of the text).
/// Gives nothing when there is no such statement or the cut does not fit it.
fn apply(nodes: &[Node], at: usize, cut: Cut) -> Option<Vec<Node>> {
    let mut seen = 0;
    for (i, node) in nodes.iter().enumerate() {
        if seen == at {
            let mut out = nodes[..i].to_vec();
            match (cut, node) {
                (Cut::Remove(more), _) => {
                    if more > 0 && i + more >= nodes.len() {
                        return None;
                    }
                    out.extend_from_slice(&nodes[i + 1 + more..]);
                }
                (Cut::Unwrap, Node::Line(_)) => return None,
                (Cut::Unwrap, Node::Block(parts, _)) => {
                    out.extend(parts.iter().flat_map(|(_, body)| body.iter().cloned()));
                    out.extend_from_slice(&nodes[i + 1..]);
                }
            }
            return Some(out);
        }
        seen += 1;
        if let Node::Block(parts, end) = node {
            for (p, (_, body)) in parts.iter().enumerate() {
                let inside = size(body);
                if at < seen + inside {
                    let smaller = apply(body, at - seen, cut)?;
                    let mut parts = parts.clone();
                    parts[p].1 = smaller;
                    let mut out = nodes.to_vec();
                    out[i] = Node::Block(parts, end.clone());
                    return Some(out);
                }
                seen += inside;
            }
        }
    }
    None
}

/// Makes `nodes` as small as it can while `still_fails` holds, with at most `budget` questions.
///
/// Statements go in runs that halve, then singly, then blocks are replaced by their bodies; what
/// does not parse any more simply does not fail in the same way.
pub fn shrink(
    nodes: &[Node],
    budget: usize,
    mut still_fails: impl FnMut(&[Node]) -> bool,
) -> Vec<Node> {
    let mut best = nodes.to_vec();
    let mut left = budget;
    let mut run = size(&best) / 2;
    loop {
        let mut progress = false;
        let mut at = 0;
        while at < size(&best) {
            let cuts: &[Cut] =
                if run == 0 { &[Cut::Remove(0), Cut::Unwrap] } else { &[Cut::Remove(run)] };
            let mut shrunk = false;
            for &cut in cuts {
                let Some(candidate) = apply(&best, at, cut) else { continue };
                if left == 0 {
                    return best;
                }
                left -= 1;
                if still_fails(&candidate) {
                    best = candidate;
                    shrunk = true;
                    progress = true;
                    break;
                }
            }
            if !shrunk {
                at += 1;
            }
        }
        if run > 0 {
            run /= 2;
        } else if !progress {
            return best;
        }
    }
}
