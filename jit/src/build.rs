//! From a prototype and its profile to Cranelift functions (to be written).

use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

use crate::tier::Jit;
use crate::units::{Draft, Refused};

/// Fills the draft's functions, exits and roots.
///
/// # Errors
/// The function can't be compiled.
pub fn build(jit: &Jit, vm: &mut Vm, draft: &mut Draft, base: *mut Value) -> Result<(), Refused> {
    #[cfg(test)]
    if let Some(fake) = FAKE.get() {
        return fake(jit, vm, draft, base);
    }
    let _ = (jit, vm, draft, base);
    Err(Refused::new("no lowering"))
}

#[cfg(test)]
type Build = fn(&Jit, &mut Vm, &mut Draft, *mut Value) -> Result<(), Refused>;

#[cfg(test)]
thread_local! {
    /// Stands in for the builder in this crate's own tests.
    pub static FAKE: std::cell::Cell<Option<Build>> = const { std::cell::Cell::new(None) };
}
