//! The units of a state: what was compiled, from which prototype, and what became of it.
//!
//! ```text
//!   Proto::tier_id ──→ ProtoUnits { function: Version, loops: [(pc, Version)], all: [UnitId] }
//!                                     └ unit: Option<UnitId> ──→ Unit
//! ```
//!
//! A unit is *current* while a [`Version`] names it, and *retired* after it was replaced. Retired units
//! stay until no compiled code is active at all, or until their prototype is freed.

use std::cell::Cell;
use std::time::Duration;

use cranelift_codegen::ir::Function;
use perilune_ir::exits::SlotKind;
use perilune_runtime::object::{Header, Proto};
use perilune_runtime::value::Value;

use crate::exits::{EntryCheck, ExitTable, UnitId};
use crate::memory::Block;

/// What a unit is entered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnitKind {
    /// Calls.
    Function,
    /// The interpreter, at the loop header at this word index.
    Osr {
        /// Target of the back-edge.
        pc: u32,
    },
}

/// A function that cannot be compiled, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl Refused {
    /// Because of `reason`.
    pub fn new(reason: impl Into<String>) -> Refused {
        Refused(reason.into())
    }
}

/// A unit on its way: what the builder fills in.
#[derive(Debug)]
pub struct Draft {
    /// Its number.
    pub id: UnitId,
    /// What it is entered by.
    pub kind: UnitKind,
    /// Its function.
    pub proto: *mut Proto,
    /// Its name in dumps and statistics.
    pub name: String,
    /// Whether texts of it are wanted; see [`crate::options::Options::dump`].
    pub dumped: bool,
    /// The code: number 0 is the generic entry (or the OSR entry), others are called by it.
    pub functions: Vec<Function>,
    /// The exits.
    pub exits: ExitTable,
    /// What is checked before a loop is entered.
    pub entry_checks: Vec<EntryCheck>,
    /// Objects that the code refers to, constants in exits aside.
    pub roots: Vec<*mut Header>,
    /// Which of the marks of `Vm::stale` it looks at.
    pub mark: u8,
    /// Variables that it takes for constant.
    pub relied: Vec<u32>,
}

/// Compiled code of one function or loop.
#[derive(Debug)]
pub struct Unit {
    /// Its number.
    pub id: UnitId,
    /// What it is entered by.
    pub kind: UnitKind,
    /// Its function.
    pub proto: *mut Proto,
    /// Its name.
    pub name: String,
    /// The address of each of its functions.
    pub entries: Vec<*const u8>,
    /// Its exits.
    pub exits: ExitTable,
    /// What is checked before a loop is entered.
    pub entry_checks: Vec<EntryCheck>,
    /// Objects that the code refers to.
    pub roots: Vec<*mut Header>,
    /// Which of the marks of `Vm::stale` it looks at.
    pub mark: u8,
    /// Variables that it takes for constant.
    pub relied: Vec<u32>,
    /// Length of the code.
    pub code_len: usize,
    /// Time it took to make.
    pub time: Duration,
    /// Times it was entered from Rust.
    pub entered: Cell<u64>,
    /// For a loop: it came to its end when it was entered last.
    pub ended: Cell<bool>,
    /// How many units were made before it.
    pub serial: u64,
    pub(crate) block: Block,
}

impl Unit {
    /// Calls `mark` for every object that the code refers to.
    pub fn trace(&self, mark: &mut dyn FnMut(*mut Header)) {
        self.roots.iter().for_each(|&object| mark(object));
        for exit in self.exits.iter() {
            mark(exit.spec.proto.cast());
            mark(exit.spec.site_proto.cast());
            for &(_, kind) in &exit.spec.slots {
                if let SlotKind::ConstBits(bits) = kind {
                    let header = Value(bits).header();
                    if !header.is_null() {
                        mark(header);
                    }
                }
            }
        }
    }
}

/// The history of a function's or a loop's units.
#[derive(Debug, Default)]
pub struct Version {
    /// The current one.
    pub unit: Option<UnitId>,
    /// Times it was replaced.
    pub recompiles: u32,
    /// It can't be compiled.
    pub refused: bool,
    /// For loops: the types that registers had when units were made.
    pub entry_types: Vec<u16>,
    /// Times that its compilation was put off.
    pub put_off: u32,
    /// For loops: times that the count ran out while another loop of the function had a unit.
    pub warmth: u32,
}

/// The units of a prototype.
#[derive(Debug)]
pub struct ProtoUnits {
    /// The prototype.
    pub proto: *mut Proto,
    /// For calls.
    pub function: Version,
    /// By loop header.
    pub loops: Vec<(u32, Version)>,
    /// Times that the units of its loops came to the end of their loop: about as often was it called.
    pub loop_ends: u32,
    /// There are units for its loops, or were.
    pub has_loops: bool,
    /// All that exist, retired ones too.
    pub all: Vec<UnitId>,
}

impl ProtoUnits {
    /// The history of this kind of unit.
    pub fn version(&mut self, kind: UnitKind) -> &mut Version {
        match kind {
            UnitKind::Function => &mut self.function,
            UnitKind::Osr { pc } => {
                let at = match self.loops.iter().position(|l| l.0 == pc) {
                    Some(at) => at,
                    None => {
                        self.loops.push((pc, Version::default()));
                        self.loops.len() - 1
                    }
                };
                &mut self.loops[at].1
            }
        }
    }
}

/// A vector with stable indices and a list of free ones.
#[derive(Debug)]
pub struct Slab<T> {
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Takes an index; it holds nothing yet.
    pub fn reserve(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.items.push(None);
            self.items.len() as u32 - 1
        })
    }
    /// Puts an item at a reserved index.
    pub fn set(&mut self, i: u32, item: T) {
        self.items[i as usize] = Some(item);
    }
    /// Gives the index back.
    pub fn remove(&mut self, i: u32) -> Option<T> {
        self.free.push(i);
        self.items[i as usize].take()
    }
    /// The item at an index.
    pub fn get(&self, i: u32) -> Option<&T> {
        self.items.get(i as usize)?.as_ref()
    }
    /// The item at an index.
    pub fn get_mut(&mut self, i: u32) -> Option<&mut T> {
        self.items.get_mut(i as usize)?.as_mut()
    }
    /// All items.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().flatten()
    }
    /// All items.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut().flatten()
    }
}

/// All units, and their prototypes by `tier_id`.
#[derive(Debug, Default)]
pub struct Units {
    /// By unit number.
    pub units: Slab<Box<Unit>>,
    /// By `Proto::tier_id`.
    pub protos: Slab<ProtoUnits>,
    /// Replaced, but maybe still running.
    pub retired: Vec<UnitId>,
}

impl Units {
    /// The entry of a prototype, made if there is none.
    ///
    /// # Safety
    /// `proto` is live.
    pub unsafe fn of(&mut self, proto: *mut Proto) -> &mut ProtoUnits {
        // SAFETY: the caller's contract.
        let tier_id = unsafe { &(*proto).tier_id };
        if tier_id.get() == u32::MAX {
            let id = self.protos.reserve();
            self.protos.set(
                id,
                ProtoUnits {
                    proto,
                    function: Version::default(),
                    loops: Vec::new(),
                    loop_ends: 0,
                    has_loops: false,
                    all: Vec::new(),
                },
            );
            tier_id.set(id);
        }
        self.protos.get_mut(tier_id.get()).expect("tier_id names an entry")
    }

    /// The entry of a prototype, if there is one.
    ///
    /// # Safety
    /// `proto` is live.
    pub unsafe fn find(&self, proto: *const Proto) -> Option<&ProtoUnits> {
        // SAFETY: the caller's contract.
        self.protos.get(unsafe { (*proto).tier_id.get() })
    }

    /// A unit.
    pub fn unit(&self, id: UnitId) -> Option<&Unit> {
        self.units.get(id.0).map(|unit| &**unit)
    }
}
