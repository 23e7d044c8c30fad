//! Functions from chunks, within the means of the state that loads them.
//!
//! The parser, the compiler and the reader of precompiled chunks know no state: they ask a [`Budget`]. Here
//! that is the state: what they take counts for its limit until they are done, and their polls are safepoints. So a
//! collection, finalizers, and requests from outside happen in the middle of a compilation; a source or a name
//! that is a Lua string has to be reachable meanwhile.

use std::sync::Arc;

use perilune_frontend::{CompileError, SyntaxError};
use perilune_ir::budget::{Budget, Refusal};
use perilune_ir::bytecode::Function;
use perilune_ir::dump::UndumpError;

use crate::heap::{OutOfMemory, out_of_memory, relieve};
use crate::value::Value;
use crate::vm::{Throw, Vm};

/// Why a chunk was not loaded.
#[derive(Debug)]
pub enum LoadError {
    /// The source is not valid.
    Syntax(SyntaxError),
    /// The precompiled chunk is not valid.
    Binary(&'static str),
    /// There was no memory, or a request came from outside: `Vm::thrown` is the error.
    Thrown(Throw),
}

/// The state as a budget.
struct StateBudget<'v>(&'v mut Vm);

impl Budget for StateBudget<'_> {
    fn charge(&mut self, bytes: usize) -> Result<(), Refusal> {
        let vm = &mut *self.0;
        if vm.heap.admit(bytes).is_err() {
            relieve(vm);
            vm.heap.admit(bytes).map_err(|OutOfMemory| Refusal::Memory)?;
        }
        vm.heap.outside.add(bytes);
        Ok(())
    }

    fn release(&mut self, bytes: usize) {
        self.0.heap.outside.subtract(bytes);
    }

    fn poll(&mut self) -> Result<(), Refusal> {
        crate::stdlib::poll(self.0).map_err(|Throw| Refusal::Stopped)
    }
}

fn refused(vm: &mut Vm, refusal: Refusal) -> LoadError {
    LoadError::Thrown(match refusal {
        Refusal::Memory => out_of_memory(vm),
        Refusal::Stopped => Throw,
    })
}

/// Compiles a source. To be called where a safepoint may be.
///
/// # Errors
/// See [`LoadError`].
pub fn compile(vm: &mut Vm, source: &[u8], name: &[u8]) -> Result<Arc<Function>, LoadError> {
    match perilune_frontend::compile(source, name, &mut StateBudget(vm)) {
        Ok(function) => Ok(Arc::new(function)),
        Err(CompileError::Syntax(error)) => Err(LoadError::Syntax(error)),
        Err(CompileError::Refused(refusal)) => Err(refused(vm, refusal)),
    }
}

/// Reads a precompiled chunk. To be called where a safepoint may be.
///
/// # Errors
/// See [`LoadError`].
pub fn undump(vm: &mut Vm, chunk: &[u8]) -> Result<Arc<Function>, LoadError> {
    match perilune_ir::dump::undump(chunk, &mut StateBudget(vm)) {
        Ok(function) => Ok(function),
        Err(UndumpError::Invalid(problem)) => Err(LoadError::Binary(problem)),
        Err(UndumpError::Refused(refusal)) => Err(refused(vm, refusal)),
    }
}

impl Vm {
    /// Compiles a chunk and makes its closure with `env` as its first upvalue. To be called where a safepoint
    /// may be; `env` is reachable.
    ///
    /// # Errors
    /// The compiler's message as a string value, or what was thrown.
    pub fn load(&mut self, source: &[u8], name: &[u8], env: Value) -> Result<Value, Value> {
        match compile(self, source, name) {
            Ok(function) => self.new_chunk(&function, env),
            Err(LoadError::Syntax(error)) => Err(self.string(&error.message)),
            Err(LoadError::Binary(problem)) => Err(self.string(problem.as_bytes())),
            Err(LoadError::Thrown(Throw)) => Err(self.thrown),
        }
    }

    /// The closure of a new chunk, unless there was no memory for all of it.
    ///
    /// # Errors
    /// `not enough memory` as a string value.
    pub(crate) fn new_chunk(
        &mut self,
        function: &Arc<Function>,
        env: Value,
    ) -> Result<Value, Value> {
        let closure = self.new_main_closure(function, env);
        match self.settled() {
            Ok(()) => Ok(Value::closure(closure)),
            Err(Throw) => Err(self.thrown),
        }
    }
}
