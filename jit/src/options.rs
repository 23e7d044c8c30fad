//! What can be set of the JIT.

/// Which texts a compilation leaves behind; see [`Options::dump`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DumpStages {
    /// The SSA as built.
    pub ssa: bool,
    /// The SSA after all passes.
    pub ssa_opt: bool,
    /// The Cranelift IR.
    pub clif: bool,
    /// The machine code.
    pub asm: bool,
    /// The exits.
    pub exits: bool,
}

impl DumpStages {
    /// Whether nothing is wanted.
    pub fn is_empty(self) -> bool {
        self == DumpStages::default()
    }
    /// Whether the stage of this name is on.
    pub fn has(self, name: &str) -> bool {
        match name {
            "ssa" => self.ssa,
            "ssa-opt" => self.ssa_opt,
            "clif" => self.clif,
            "asm" => self.asm,
            "exits" => self.exits,
            _ => false,
        }
    }
    /// Turns on the stage of this name (`ssa`, `ssa-opt`, `clif`, `asm`, `exits`); false for others.
    pub fn enable(&mut self, name: &str) -> bool {
        let stage = match name {
            "ssa" => &mut self.ssa,
            "ssa-opt" => &mut self.ssa_opt,
            "clif" => &mut self.clif,
            "asm" => &mut self.asm,
            "exits" => &mut self.exits,
            _ => return false,
        };
        *stage = true;
        true
    }
}

/// One text of a compilation.
#[derive(Clone, Debug)]
pub struct Dump {
    /// The unit's name.
    pub unit: String,
    /// The stage.
    pub stage: &'static str,
    /// The text.
    pub text: String,
}

/// Options of the JIT of one state.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether functions are compiled and compiled code is run.
    pub enabled: bool,
    /// Calls after which a function is compiled; a back-edge counts as a fifth of a call. 1: at once.
    /// From the default on, small functions wait longer, and loops that are soon over are left alone.
    pub threshold: u32,
    /// Guards fail on every n-th run. For tests.
    pub force_exits: Option<u32>,
    /// Exits at one site after which a function is compiled anew without that guard.
    pub exit_limit: u32,
    /// The same for units entered at loops.
    pub loop_exit_limit: u32,
    /// How often one function (or one loop) is compiled anew at most.
    pub max_recompiles: u32,
    /// Runs Cranelift's verifier.
    pub verify: bool,
    /// Texts to keep.
    pub dump: DumpStages,
    /// Keeps them only of units whose name contains this.
    pub dump_filter: Option<String>,
    /// Prints them to standard error at once, where a crash cannot lose them.
    pub dump_now: bool,
    /// Prints each exit taken to standard error.
    pub trace_exits: bool,
    /// Writes `/tmp/perf-PID.map` for `perf`.
    pub perf_map: bool,
    /// Compiles only functions whose name contains this. For bisecting.
    pub only: Option<String>,
    /// Names of optimiser passes to leave out. For bisecting.
    pub disabled_passes: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            enabled: true,
            threshold: 100,
            force_exits: None,
            exit_limit: 50,
            loop_exit_limit: 10,
            max_recompiles: 12,
            verify: cfg!(debug_assertions),
            dump: DumpStages::default(),
            dump_filter: None,
            dump_now: false,
            trace_exits: false,
            perf_map: false,
            only: None,
            disabled_passes: Vec::new(),
        }
    }
}
