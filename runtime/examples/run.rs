//! Runs a Lua file with all libraries in the interpreter alone, and reports an error as `lua` does.
//! `--stress=N` collects at every N-th safepoint and verifies the heap.

use perilune_runtime::state::Options;
use perilune_runtime::stdlib;
use perilune_runtime::stdlib::base_load;
use perilune_runtime::value::Value;
use perilune_runtime::vm::Vm;

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let stress = arguments.next_if(|a| a.starts_with("--stress=")).map(|a| {
        let period = a["--stress=".len()..].parse();
        period.unwrap_or(1)
    });
    let Some(file) = arguments.next() else {
        eprintln!("usage: run [--stress=N] file [arguments]");
        std::process::exit(1);
    };
    let mut vm = Vm::new(Options::default());
    stdlib::open_all(&mut vm);
    if let Some(period) = stress {
        vm.heap.set_stress(period, true);
    }
    let script = vm.string(file.as_bytes());
    let rest: Vec<Value> = arguments.map(|a| vm.string(a.as_bytes())).collect();
    let arg = vm.heap.new_table(0, 0);
    // SAFETY: just made; nothing collects yet.
    unsafe {
        (*arg).set_int(&mut vm.heap, 0, script);
        (*arg).set_range(&mut vm.heap, 1, &rest);
    }
    let globals = vm.globals;
    vm.set_field_raw(globals, "arg", Value::table(arg));
    let env = Value::table(globals);
    let result = base_load::load_file(&mut vm, Some(file.as_bytes()), None, env).and_then(|main| {
        let handler = vm.native(|vm, a| {
            let error = a.get(1);
            let has_text = vm.metatable(error);
            let has_text =
                !has_text.is_null() && !vm.get_field_raw(has_text, "__tostring").is_nil();
            if !error.is_string() && !error.is_number() && !has_text {
                let text = format!("(error object is a {} value)", error.ty().name());
                let text = vm.string(text.as_bytes());
                return a.ret1(text);
            }
            let s = vm.to_display(error)?;
            // Nothing collects before the bytes are copied.
            let message = vm.heap.str_bytes(s).to_vec();
            let text = vm.traceback(Some(&message), 1);
            let text = vm.string(&text);
            a.ret1(text)
        });
        // As in `lua`, the script's caller is a native function.
        let host = vm.native_with(
            |vm, a| {
                vm.call(a.upvalue(0), a.slice())?;
                a.ret0()
            },
            0,
            &[main],
        );
        vm.protect(handler, |vm| vm.call(host, &rest)).map(|_| ())
    });
    let status = match result {
        Ok(()) => 0,
        Err(error) => {
            let text = match vm.to_display(error) {
                // Nothing collects before the bytes are copied.
                Ok(s) => vm.heap.str_bytes(s).to_vec(),
                Err(_) => b"(error object)".to_vec(),
            };
            stdlib::flush_all(&mut vm);
            eprintln!("perilune: {}", String::from_utf8_lossy(&text));
            1
        }
    };
    perilune_runtime::heap::finalize::close(&mut vm);
    stdlib::flush_all(&mut vm);
    std::process::exit(status);
}
