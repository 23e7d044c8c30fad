//! The parts of a state that compiled code never touches (to be written).
/// See the module.
pub struct Detail {}
