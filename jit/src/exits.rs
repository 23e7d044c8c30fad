//! Exit descriptors: how a frame of compiled code becomes frames of the interpreter.
//!
//! A unit owns one [`ExitDescriptor`] per snapshot and reason; its address is baked into the code.
//! Before the deopt or poll stub is reached, the code has stored the raw words of dirty slots;
//! [`ExitDescriptor::materialise`] makes a proper [`Value`] of each. Inlined frames are slots like
//! others: their callee values and links are constants. Afterwards the stack looks as if the
//! interpreter had come to `pc` by itself.

use std::cell::Cell;
use std::ops::RangeInclusive;
use std::sync::Arc;

use perilune_ir::bytecode;
use perilune_ir::encoding::TAG_SHIFT;
use perilune_ir::exits::{ExitReason, SlotKind};
use perilune_runtime::object::{LuaClosure, LuaString, Proto, Table};
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

/// A unit's number: its place in the tier's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitId(pub u32);

impl std::fmt::Display for UnitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "u{}", self.0)
    }
}

/// A place in the bytecode where an assumption failed too often. The profile's collector asks for
/// these, and the builder emits generic code there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SiteKey {
    /// Address of the prototype.
    pub proto: usize,
    /// Word index.
    pub pc: u32,
    /// What failed.
    pub reason: ExitReason,
}

/// What an exit is, before it has an address.
#[derive(Clone, Debug)]
pub struct ExitSpec {
    /// The innermost frame's function.
    pub proto: *mut Proto,
    /// The instruction to execute again, in the innermost frame.
    pub pc: u32,
    /// Slots from the unit's base to the innermost frame's base.
    pub frame: u32,
    /// Why.
    pub reason: ExitReason,
    /// The function of the instruction whose assumption failed: a hoisted guard leaves elsewhere.
    pub site_proto: *mut Proto,
    /// That instruction.
    pub site_pc: u32,
    /// Where `Vm::top` is, in slots from the unit's base; `None`: it is as the code left it, or
    /// does not matter at `pc`.
    pub top: Option<i32>,
    /// What is in which slot, relative to the unit's base. Slots not named are proper values.
    pub slots: Box<[(i32, SlotKind)]>,
}

/// One exit of a unit.
#[derive(Debug)]
#[repr(C)]
pub struct ExitDescriptor {
    /// Guards under forced exits count this down, and fail when it goes below zero.
    pub countdown: Cell<i32>,
    /// Times this exit was taken.
    pub count: Cell<u32>,
    /// The unit.
    pub unit: UnitId,
    /// The exit's number within the unit.
    pub site: u32,
    /// What it is.
    pub spec: ExitSpec,
    /// The function of the site, for messages.
    pub function: Arc<bytecode::Function>,
    /// 1: the unit relies on what holds no more, so its callers must leave as well.
    pub stale: Cell<u8>,
    /// The slots are values already: a poll materialised them and asked to leave by this exit.
    materialised: Cell<bool>,
}

impl ExitDescriptor {
    /// The key under which this site is blocked.
    pub fn key(&self) -> SiteKey {
        SiteKey {
            proto: self.spec.site_proto as usize,
            pc: self.spec.site_pc,
            reason: self.spec.reason,
        }
    }

    /// The innermost frame's base, given the unit's.
    ///
    /// # Safety
    /// `base` is the base of a frame of this descriptor's unit.
    pub unsafe fn frame_base(&self, base: *mut Value) -> *mut Value {
        // SAFETY: inlined frames lie within the extent that the unit checked at its entry.
        unsafe { base.add(self.spec.frame as usize) }
    }

    /// Makes every slot of the frames at `base` a proper value, and sets `Vm::top` if the
    /// descriptor says so. Never collects.
    ///
    /// # Safety
    /// `base` is the base of a frame of this descriptor's unit, whose dirty slots are stored raw.
    pub unsafe fn materialise(&self, vm: &mut Vm, base: *mut Value) {
        if self.materialised.replace(false) {
            return;
        }
        for &(offset, kind) in &self.spec.slots {
            // SAFETY: the lowering names slots of the unit's frames only.
            unsafe {
                let slot = base.offset(offset as isize);
                *slot = value_of(vm, (*slot).0, kind);
            }
        }
        if let Some(top) = self.spec.top {
            // SAFETY: as above.
            vm.top = unsafe { base.offset(top as isize) };
        }
    }

    /// Tells the next [`ExitDescriptor::materialise`] that a poll has done its work.
    pub fn leave_after_poll(&self) {
        self.materialised.set(true);
    }
}

/// The value that a raw word stands for.
fn value_of(vm: &mut Vm, word: u64, kind: SlotKind) -> Value {
    match kind {
        SlotKind::Boxed => Value(word),
        SlotKind::RawInt => vm.int(word as i64),
        SlotKind::RawFloat => Value::float(f64::from_bits(word)),
        SlotKind::RawBool => Value::bool(word & 0xFF != 0),
        SlotKind::RawTable => Value::table(word as *const Table),
        SlotKind::RawString => Value::string(word as *const LuaString),
        SlotKind::RawFunction => Value::closure(word as *const LuaClosure),
        SlotKind::ConstBits(bits) => Value(bits),
    }
}

/// What a loop's unit expects of a slot, checked before it is entered: the code starts without.
#[derive(Clone, Debug)]
pub struct EntryCheck {
    /// The slot, relative to the frame's base.
    pub slot: i32,
    /// The tags that the word there may have.
    pub tags: RangeInclusive<u64>,
    /// The exit to leave by if it has another one. Nothing is stored at that point.
    pub exit: *const ExitDescriptor,
}

impl EntryCheck {
    /// Whether the frame at `base` is as expected.
    ///
    /// # Safety
    /// `base` is the base of a frame of the unit's function.
    pub unsafe fn holds(&self, base: *const Value) -> bool {
        // SAFETY: the slot is one of the frame's. Its word may be stale: only its tag is looked at.
        let word = unsafe { (*base.offset(self.slot as isize)).0 };
        self.tags.contains(&(word >> TAG_SHIFT))
    }
}

/// The exits of a unit while it is being lowered, and afterwards.
#[derive(Debug)]
pub struct ExitTable {
    unit: UnitId,
    /// First value of [`ExitDescriptor::countdown`].
    countdown: i32,
    #[expect(clippy::vec_box, reason = "code refers to descriptors by address")]
    exits: Vec<Box<ExitDescriptor>>,
}

impl ExitTable {
    /// No exits yet. With `force`, guards of the unit fail on their n-th run.
    pub fn new(unit: UnitId, force: Option<u32>) -> ExitTable {
        let countdown = force.map_or(i32::MAX, |n| i32::try_from(n).unwrap_or(i32::MAX));
        ExitTable { unit, countdown, exits: Vec::new() }
    }

    /// Adds an exit; the address stays valid as long as the unit.
    ///
    /// # Safety
    /// `spec.proto` and `spec.site_proto` are live.
    pub unsafe fn add(&mut self, spec: ExitSpec) -> *const ExitDescriptor {
        let site = self.exits.len() as u32;
        // SAFETY: the caller's contract.
        let function = unsafe { Arc::clone(&(*spec.site_proto).function) };
        self.exits.push(Box::new(ExitDescriptor {
            countdown: Cell::new(self.countdown),
            count: Cell::new(0),
            unit: self.unit,
            site,
            spec,
            function,
            stale: Cell::new(0),
            materialised: Cell::new(false),
        }));
        &raw const **self.exits.last().expect("just pushed")
    }

    /// The number of exits.
    pub fn len(&self) -> usize {
        self.exits.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.exits.is_empty()
    }
    /// All exits, by site number.
    pub fn iter(&self) -> impl Iterator<Item = &ExitDescriptor> {
        self.exits.iter().map(|e| &**e)
    }
}

/// The listing of goldens and `--dump`: one exit per line.
impl std::fmt::Display for ExitTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for exit in self.iter() {
            let spec = &exit.spec;
            write!(f, "exit {} {} pc={} frame={}", exit.site, spec.reason, spec.pc, spec.frame)?;
            if let Some(top) = spec.top {
                write!(f, " top={top}")?;
            }
            for (offset, kind) in &spec.slots {
                write!(f, " {offset}:{kind}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
