//! Captured variables, as the text of a program has them: each register of a prototype that closures capture
//! has a number, which all prototypes know under which it is an upvalue.
//!
//! A variable that no instruction assigns once closures have it is *constant*: compiled code reads it once.
//! `debug.setupvalue` and `debug.upvaluejoin` can change it all the same. What they touch is constant no
//! more, for good: a number is noted here, and the tier is told, which gives up what relied on it.

use crate::object::LuaClosure;
use crate::vm::Vm;

/// The variables of a state.
#[derive(Debug, Default)]
pub struct Variables {
    /// Numbers given away.
    count: u32,
    /// By number: it was changed behind the back of the program's text.
    changed: Vec<bool>,
}

impl Variables {
    /// A number for one more variable.
    pub fn add(&mut self) -> u32 {
        self.count += 1;
        self.count - 1
    }

    /// Whether nothing but the program's own instructions has changed the variable.
    pub fn is_pristine(&self, variable: u32) -> bool {
        !self.changed.get(variable as usize).copied().unwrap_or(false)
    }

    /// Notes a change; true for the first one.
    fn change(&mut self, variable: u32) -> bool {
        let at = variable as usize;
        if at >= self.changed.len() {
            self.changed.resize(at + 1, false);
        }
        !std::mem::replace(&mut self.changed[at], true)
    }
}

impl Vm {
    /// The variable behind upvalue `i` of a closure gets a value, or the upvalue another variable, from outside
    /// of the program's text.
    ///
    /// # Safety
    /// The closure is live.
    pub unsafe fn change_variable(&mut self, closure: *mut LuaClosure, i: usize) {
        // SAFETY: the caller's contract; a live closure's prototype is live.
        let proto = unsafe { &*(*closure).proto };
        let variable = proto.upvalue_variables.get(i).copied();
        if let Some(variable) = variable
            && self.detail.variables.change(variable)
        {
            // Compiled code that is at a safepoint does not go on.
            self.heap.disturbances += 1;
            if let Some(tier) = self.tier.take() {
                tier.variable_changed(self, variable);
                self.tier = Some(tier);
            }
        }
    }
}
