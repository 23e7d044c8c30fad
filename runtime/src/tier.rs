//! The seam between the runtime and a compiler.
//!
//! The runtime never names the JIT. It counts (`Proto::hotness`), asks the installed [`Tier`] when a
//! count runs out, and enters compiled code through it. Without a tier it is a complete interpreter.

use crate::object::{Header, Proto};
use crate::value::Value;
use crate::vm::{Throw, Vm};

/// What became of a frame that continued in compiled code from a loop header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopOutcome {
    /// Continue interpreting at this place. `base` may be of a frame above the one that entered the
    /// loop, when the exit lay in an inlined call: the frames between have links of kind
    /// [`Link::INTERPRETED`](crate::vm::Link::INTERPRETED), so that they return into the same
    /// interpreter activation.
    Resume {
        /// The innermost frame's base.
        base: *mut Value,
        /// The word index in that frame's function.
        pc: u32,
    },
    /// The function returned: this many results stand in `base[-2 ..]` of the frame (its original
    /// base, for a vararg function).
    Returned(u32),
}

/// `Proto::tier_flags`: there is native code; call it by [`Tier::call`].
pub const COMPILED: u8 = 1;
/// `Proto::tier_flags`: never ask to compile this function again.
pub const REFUSED: u8 = 2;

/// `Proto::tier_flags`: there is, or was, native code for a loop: ask [`Tier::enter_loop`] where one begins.
pub const LOOPS: u8 = 4;

/// What a call takes from `Proto::hotness`.
pub const CALL_HEAT: i32 = 5;
/// What a back-edge takes from `Proto::hotness`.
pub const LOOP_HEAT: i32 = 1;

/// A compiler of hot functions. All methods take `&self`: compiled code may re-enter.
pub trait Tier {
    /// `proto.hotness` went negative at a call. The tier compiles (then sets [`COMPILED`]) or not, and
    /// resets the count. The frame at `base` with `nargs` arguments is about to run (arguments are
    /// not yet padded or moved).
    fn function_hot(&self, vm: &mut Vm, proto: *mut Proto, base: *mut Value, nargs: u32);

    /// `proto.hotness` went negative at the back-edge whose target is the instruction at `pc`
    /// (registers are up to date; the loop continues). Compiles and runs the loop where it can,
    /// and resets the count. `None`: nothing happened, interpret on.
    ///
    /// # Errors
    /// The compiled loop threw.
    fn loop_hot(
        &self,
        vm: &mut Vm,
        proto: *mut Proto,
        base: *mut Value,
        pc: u32,
    ) -> Result<Option<LoopOutcome>, Throw>;

    /// A numeric loop of a function with [`LOOPS`] begins, its header being the instruction at `pc`. Runs
    /// it if there is code for it that is worth entering. `None`: there is none.
    ///
    /// # Errors
    /// The compiled loop threw.
    fn enter_loop(
        &self,
        vm: &mut Vm,
        proto: *mut Proto,
        base: *mut Value,
        pc: u32,
    ) -> Result<Option<LoopOutcome>, Throw>;

    /// Calls a [`COMPILED`] function on the frame at `base` (callee and [`Link::BOUNDARY`] link are
    /// in place); results as by the result protocol of [`crate::vm`].
    ///
    /// [`Link::BOUNDARY`]: crate::vm::Link::BOUNDARY
    ///
    /// # Errors
    /// The function threw.
    fn call(&self, vm: &mut Vm, base: *mut Value, nargs: u32) -> Result<u32, Throw>;

    /// A captured variable (see [`crate::variables`]) was changed from outside of the program's text for the
    /// first time. Code that took it for constant is entered no more, and left where it runs: at the next
    /// return of a call at the latest.
    fn variable_changed(&self, vm: &mut Vm, variable: u32);

    /// A prototype is about to be freed (its `tier_id` is not `u32::MAX`). No frame of it exists.
    fn forget(&self, proto: *mut Proto);

    /// Objects that `proto`'s compiled code refers to: calls `mark` with the header of each (shapes,
    /// tables, functions, strings, prototypes). The collector calls it when it scans a prototype
    /// whose `tier_id` is not `u32::MAX`, so that code keeps objects alive no longer than its
    /// prototype lives.
    fn trace(&self, proto: *const Proto, mark: &mut dyn FnMut(*mut Header));

    /// For the embedding library's statistics.
    fn as_any(&self) -> &dyn std::any::Any;
}
