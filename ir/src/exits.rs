//! Why compiled code is left, and how a live value is found again: the words shared by the SSA's
//! snapshots, the lowering and the runtime of exits.
//!
//! A *snapshot* names a place in the bytecode and says, for each slot of the frames alive there,
//! where its value is. When a guard fails, compiled code stores the dirty slots raw; the slot kinds
//! tell how to turn those words into values, and the bytecode at the snapshot is executed again.

/// What an exit does to the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitPolicy {
    /// A wrong assumption: enough of them at one site block it, and the function is recompiled.
    Widen,
    /// Part of normal work: counted, and nothing else.
    Keep,
}

/// The table of exit reasons: `Name, label, policy, "meaning"`.
#[macro_export]
macro_rules! for_each_exit_reason {
    ($m:ident) => {
        $m! {
            TypeGuard,   "type",      Widen, "a value has not the type the profile showed";
            EntryGuard,  "entry",     Widen, "a register has not the type at the entry that it had before";
            ResultGuard, "result",    Widen, "a value that was read or returned has not the type the profile showed";
            ShapeGuard,  "shape",     Widen, "a table has another shape";
            KindGuard,   "kind",      Widen, "an array holds elements of another kind, or holes";
            EpochGuard,  "epoch",     Widen, "an inherited field may have been overridden (`Heap::method_epoch` moved)";
            BoundsGuard, "bounds",    Widen, "an index is not within the array part";
            CalleeGuard, "callee",    Widen, "a call reaches another function than the one assumed";
            ValueGuard,  "value",     Widen, "a value is not the constant it was assumed to be";
            MetaGuard,   "metatable", Widen, "a metatable or metamethod appeared where none was";
            Overflow,    "overflow",  Widen, "an integer left the range the code was narrowed to";
            Conversion,  "convert",   Widen, "a float has no exact integer representation";
            Mixed,       "mixed",     Widen, "two integers, where at least one operand was assumed to be a float";
            ForLoop,     "for",       Widen, "a numeric loop's start, limit or step is not as assumed";
            NotCompiled, "uncommon",  Widen, "a path that the profile showed as never taken";
            LoopEnd,     "loop end",  Keep,  "the loop that the unit consists of has ended";
            InnerEnd,    "inner end", Keep,  "the loop that the unit consists of has ended, inside another loop";
            Cold,        "cold",      Keep,  "a rare path that was left out of the unit on purpose";
            Poll,        "poll",      Keep,  "a safepoint ran code that may have invalidated assumptions";
            Stack,       "stack",     Keep,  "the VM stack or the native stack is about to end";
        }
    };
}

macro_rules! define_exit_reasons {
    ($($name:ident, $label:literal, $policy:ident, $doc:literal;)*) => {
        /// Why compiled code was left. See [`for_each_exit_reason!`](crate::for_each_exit_reason) for the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum ExitReason { $(#[doc = $doc] $name,)* }

        impl ExitReason {
            /// Every reason, in order of discriminants.
            pub const ALL: &'static [ExitReason] = &[$(ExitReason::$name,)*];

            /// The word used in dumps and statistics.
            pub const fn label(self) -> &'static str {
                match self { $(ExitReason::$name => $label,)* }
            }
            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(ExitReason::$name => $doc,)* }
            }
            /// What it does to the profile.
            pub const fn policy(self) -> ExitPolicy {
                match self { $(ExitReason::$name => ExitPolicy::$policy,)* }
            }
        }
    };
}

for_each_exit_reason!(define_exit_reasons);

impl std::fmt::Display for ExitReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.label())
    }
}

/// What the word in a VM slot is at an exit, and so how it becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotKind {
    /// A proper value already.
    Boxed,
    /// An `i64`.
    RawInt,
    /// The bits of an `f64`, any NaN possible.
    RawFloat,
    /// 0 or 1 (the low byte counts).
    RawBool,
    /// The address of a table.
    RawTable,
    /// The address of a string.
    RawString,
    /// The address of a function of either kind.
    RawFunction,
    /// The code did not store it: the value (or frame link) is this word.
    ConstBits(u64),
}

impl std::fmt::Display for SlotKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self {
            SlotKind::Boxed => "boxed",
            SlotKind::RawInt => "int",
            SlotKind::RawFloat => "float",
            SlotKind::RawBool => "bool",
            SlotKind::RawTable => "table",
            SlotKind::RawString => "string",
            SlotKind::RawFunction => "function",
            SlotKind::ConstBits(bits) => return write!(f, "={bits:#x}"),
        };
        f.pad(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_dense_and_labels_unique() {
        let mut labels = std::collections::HashSet::new();
        for (i, reason) in ExitReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, i);
            assert!(labels.insert(reason.label()));
        }
    }
}
