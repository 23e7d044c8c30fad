//! `debug.getinfo`.

use super::Outcome;
use super::debug::{frame_at, thread_argument};
use crate::frame::Frame;
use crate::object::Table;
use crate::value::Value;
use crate::vm::{Args, Vm};

/// All options.
const OPTIONS: &[u8] = b"SlnrutLf";

pub(super) fn getinfo(vm: &mut Vm, a: Args) -> Outcome {
    let (thread, skip) = thread_argument(vm, a);
    let options = a.opt_bytes(vm, skip + 2)?.unwrap_or(b"flnSrtu");
    if options.first() == Some(&b'>') {
        return Err(a.error(vm, skip + 2, "invalid option '>'"));
    }
    let subject = a.get(skip + 1);
    let (function, frame) = if subject.is_function() {
        (subject, None)
    } else {
        let level = a.check_int(vm, skip + 1)?;
        match frame_at(vm, thread, level) {
            Some(frame) => (frame.callee, Some(frame)),
            None => return a.ret1(Value::NIL),
        }
    };
    if options.iter().any(|c| !OPTIONS.contains(c)) {
        return Err(a.error(vm, skip + 2, "invalid option"));
    }
    let info = super::new_table(vm);
    let mut collect = Info { vm, info, function, frame };
    for option in options {
        match option {
            b'S' => collect.source(),
            b'l' => collect.current_line(),
            b'u' => collect.counts(),
            b'n' => collect.name(),
            b'r' => collect.transfer(),
            b't' => {
                let tail = collect.frame.is_some_and(|f| f.is_tail());
                collect.set("istailcall", Value::bool(tail));
            }
            b'L' => collect.active_lines(),
            _ => collect.set("func", collect.function),
        }
    }
    a.ret1(Value::table(info))
}

/// Fills the table that `getinfo` answers. Nothing collects meanwhile.
struct Info<'a> {
    vm: &'a mut Vm,
    info: *mut Table,
    function: Value,
    frame: Option<Frame>,
}

impl Info<'_> {
    fn set(&mut self, name: &str, value: Value) {
        self.vm.set_field_raw(self.info, name, value);
    }

    fn set_text(&mut self, name: &str, text: &[u8]) {
        let text = self.vm.string(text);
        self.set(name, text);
    }

    fn compiled(&self) -> Option<std::sync::Arc<perilune_ir::bytecode::Function>> {
        // SAFETY: the function is an argument or a frame's callee.
        self.function.as_closure().map(|f| unsafe { (*(*f).proto).function.clone() })
    }

    fn source(&mut self) {
        let (source, short, first, last, what) = match self.compiled() {
            Some(f) => {
                let main = f.line_defined == 0;
                let source = f.source.to_vec();
                let short = perilune_frontend::chunk_id_bytes(&source);
                let what: &[u8] = if main { b"main" } else { b"Lua" };
                (source, short, i64::from(f.line_defined), i64::from(f.last_line_defined), what)
            }
            None => (b"=[C]".to_vec(), b"[C]".to_vec(), -1, -1, &b"C"[..]),
        };
        self.set_text("source", &source);
        self.set_text("short_src", &short);
        self.set("linedefined", Value::small_int(first));
        self.set("lastlinedefined", Value::small_int(last));
        self.set_text("what", what);
    }

    fn current_line(&mut self) {
        let line = self.frame.and_then(|f| f.line()).map_or(-1, i64::from);
        self.set("currentline", Value::small_int(line));
    }

    fn counts(&mut self) {
        // SAFETY: a live function.
        let upvalues = unsafe { (*self.function.header()).extra };
        let (params, vararg) = match self.compiled() {
            Some(f) => (f.num_params, f.is_vararg),
            None => (0, true),
        };
        self.set("nups", Value::small_int(upvalues.into()));
        self.set("nparams", Value::small_int(params.into()));
        self.set("isvararg", Value::bool(vararg));
    }

    fn name(&mut self) {
        let named = match self.frame {
            Some(frame) => self.vm.call_site_name(&frame),
            None => None,
        };
        match named {
            Some((kind, name)) => {
                self.set_text("name", &name);
                self.set_text("namewhat", kind.as_bytes());
            }
            None => {
                self.set("name", Value::NIL);
                self.set_text("namewhat", b"");
            }
        }
    }

    fn transfer(&mut self) {
        let hook = self.vm.hook();
        let hooked = hook.running && self.frame.is_some_and(|f| f.base as usize == hook.last_base);
        let (first, count) = if hooked { hook.transfer } else { (0, 0) };
        self.set("ftransfer", Value::small_int(first.into()));
        self.set("ntransfer", Value::small_int(count.into()));
    }

    fn active_lines(&mut self) {
        let Some(f) = self.compiled() else {
            return;
        };
        let lines = super::new_table(self.vm);
        // The instruction that sorts out the arguments of a vararg function is on no line.
        for line in f.lines.iter().skip(usize::from(f.is_vararg)) {
            // SAFETY: just made.
            unsafe { (*lines).set_int(&mut self.vm.heap, i64::from(*line), Value::TRUE) };
        }
        self.set("activelines", Value::table(lines));
    }
}
