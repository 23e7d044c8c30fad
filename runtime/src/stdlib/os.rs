//! The operating system library (manual §6.9).

use std::path::Path;
use std::process::ExitStatus;

use super::io::failed;
use super::{LibraryState, Outcome};
use crate::object::Table;
use crate::text::civil::Civil;
use crate::text::date::push_date;
use crate::text::localtime::{self, Fields};
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// Makes the library's table.
pub fn open(vm: &mut Vm) -> *mut Table {
    let library = super::new_table(vm);
    vm.register(
        library,
        &[
            ("clock", clock, 0),
            ("date", date, 0),
            ("difftime", difftime, 0),
            ("execute", execute, 0),
            ("exit", exit, 0),
            ("getenv", getenv, 0),
            ("remove", remove, 0),
            ("rename", rename, 0),
            ("setlocale", setlocale, 0),
            ("time", time, 0),
            ("tmpname", tmpname, 0),
        ],
    );
    library
}

/// A file name as a path.
pub(super) fn path(bytes: &[u8]) -> &Path {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Path::new(std::ffi::OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    {
        Path::new(std::str::from_utf8(bytes).unwrap_or("\u{FFFD}"))
    }
}

/// The bytes of an operating system's string.
fn os_bytes(s: &std::ffi::OsStr) -> Vec<u8> {
    s.to_os_string().into_encoded_bytes()
}

/// Processor time used by the process, in seconds.
pub fn processor_time() -> f64 {
    #[cfg(unix)]
    {
        let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a live value of the right type.
        let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
        if status == 0 {
            // As precise as C's clock().
            return t.tv_sec as f64 + (t.tv_nsec / 1000) as f64 * 1e-6;
        }
    }
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64()
}

fn clock(_: &mut Vm, a: Args) -> Outcome {
    a.ret1(Value::float(processor_time()))
}

fn difftime(vm: &mut Vm, a: Args) -> Outcome {
    let (t1, t2) = (a.check_int(vm, 1)?, a.check_int(vm, 2)?);
    a.ret1(Value::float(t1 as f64 - t2 as f64))
}

fn now() -> i64 {
    match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(d) => d.as_secs() as i64,
        Err(e) => -(e.duration().as_secs() as i64),
    }
}

fn date(vm: &mut Vm, a: Args) -> Outcome {
    let format = a.opt_bytes(vm, 1)?.unwrap_or(b"%c");
    let time = if a.is_none_or_nil(2) { now() } else { a.check_int(vm, 2)? };
    let (format, civil) = match format {
        [b'!', rest @ ..] => (rest, Civil::utc(time)),
        _ => (format, localtime::local(time)),
    };
    let Some(civil) = civil else {
        return Err(vm.error("date result cannot be represented in this installation"));
    };
    if format == b"*t" {
        let t = super::new_table(vm);
        set_fields(vm, Value::table(t), &civil)?;
        return a.ret1(Value::table(t));
    }
    let mut out = super::take_buffer(vm);
    // No conversion is longer than this.
    let most = format.len().saturating_mul(24) + 64;
    if let Err(e) = push_date(out.room(vm, most)?, format, &civil) {
        return Err(vm.argument_error(1, &e.message()));
    }
    let s = super::finish_buffer(vm, out)?;
    a.ret1(s)
}

/// Stores the fields of a time into a table, as `os.date("*t")` shows them.
fn set_fields(vm: &mut Vm, t: Value, time: &Civil) -> Result<(), Throw> {
    let fields = [
        ("year", time.year),
        ("month", time.month.into()),
        ("day", time.day.into()),
        ("hour", time.hour.into()),
        ("min", time.minute.into()),
        ("sec", time.second.into()),
        ("yday", i64::from(time.yearday) + 1),
        ("wday", i64::from(time.weekday) + 1),
    ];
    for (name, value) in fields {
        let key = vm.string(name.as_bytes());
        let value = vm.int(value);
        vm.set_index(t, key, value)?;
    }
    if let Some(dst) = time.dst {
        let key = vm.string(b"isdst");
        vm.set_index(t, key, Value::bool(dst))?;
    }
    Ok(())
}

/// A field of the argument of `os.time`, less `delta`.
fn time_field(
    vm: &mut Vm,
    t: Value,
    name: &str,
    default: Option<i32>,
    delta: i32,
) -> Result<i32, Throw> {
    let key = vm.string(name.as_bytes());
    let v = vm.index(t, key)?;
    let Some(value) = vm.to_integer(v) else {
        if !v.is_nil() {
            return Err(vm.error(&format!("field '{name}' is not an integer")));
        }
        return match default {
            Some(value) => Ok(value),
            None => Err(vm.error(&format!("field '{name}' missing in date table"))),
        };
    };
    match value.checked_sub(i64::from(delta)).and_then(|v| i32::try_from(v).ok()) {
        Some(value) => Ok(value),
        None => Err(vm.error(&format!("field '{name}' is out-of-bound"))),
    }
}

fn time(vm: &mut Vm, a: Args) -> Outcome {
    if a.is_none_or_nil(1) {
        let t = vm.int(now());
        return a.ret1(t);
    }
    a.check_table(vm, 1)?;
    let t = a.get(1);
    let year = time_field(vm, t, "year", None, 1900)?;
    let month = time_field(vm, t, "month", None, 1)?;
    let day = time_field(vm, t, "day", None, 0)?;
    let hour = time_field(vm, t, "hour", Some(12), 0)?;
    let minute = time_field(vm, t, "min", Some(0), 0)?;
    let second = time_field(vm, t, "sec", Some(0), 0)?;
    let key = vm.string(b"isdst");
    let dst = match vm.index(t, key)? {
        v if v.is_nil() => None,
        v => Some(v.is_truthy()),
    };
    let fields = Fields { year, month, day, hour, minute, second, dst };
    let unix = localtime::to_unix(&fields);
    let Some((unix, civil)) = unix.and_then(|unix| Some((unix, localtime::local(unix)?))) else {
        return Err(vm.error("time result cannot be represented in this installation"));
    };
    set_fields(vm, t, &civil)?;
    let unix = vm.int(unix);
    a.ret1(unix)
}

/// Results about a finished process: success, `exit` or `signal`, the code.
pub(super) fn status_results(vm: &mut Vm, a: Args, status: ExitStatus) -> Outcome {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let (what, code) = match signal {
        Some(signal) => (&b"signal"[..], signal),
        None => (&b"exit"[..], status.code().unwrap_or(-1)),
    };
    let success = if status.success() { Value::TRUE } else { Value::NIL };
    let what = vm.string(what);
    a.ret3(success, what, Value::small_int(code.into()))
}

fn execute(vm: &mut Vm, a: Args) -> Outcome {
    if a.is_none_or_nil(1) {
        return a.ret1(Value::TRUE);
    }
    let command = a.check_bytes(vm, 1)?;
    vm.library_state::<LibraryState>().streams.flush_all();
    match super::io::shell_command(command).status() {
        Ok(status) => status_results(vm, a, status),
        Err(e) => failed(vm, a, None, &e),
    }
}

fn exit(vm: &mut Vm, a: Args) -> Outcome {
    let code = match a.get(1) {
        v if v.is_nil() || v == Value::TRUE => 0,
        Value::FALSE => 1,
        _ => a.check_int(vm, 1)? as i32,
    };
    if a.get(2).is_truthy() {
        if vm.current == vm.main {
            close_main_variables(vm);
        }
        vm.check_stop()?;
        crate::heap::finalize::close(vm);
        vm.check_stop()?;
    }
    super::flush_all(vm);
    if let Some(last) = vm.detail.on_exit.take() {
        last(vm);
    }
    std::process::exit(code)
}

/// Closes all variables of the main coroutine that are to be closed; errors are passed over.
fn close_main_variables(vm: &mut Vm) {
    let bottom = vm.detail.stack.memory.bottom();
    let window = vm.top;
    // SAFETY: the window is the end of the running native frame, above all frames. Every failure has
    // taken one variable off the list.
    while vm.protect(Value::NIL, |vm| unsafe { vm.close(bottom, window) }).is_err()
        && !vm.stopping()
    {}
}

fn getenv(vm: &mut Vm, a: Args) -> Outcome {
    let name = a.check_bytes(vm, 1)?;
    if name.is_empty() || name.contains(&b'=') || name.contains(&0) {
        return a.ret1(Value::NIL);
    }
    match std::env::var_os(path(name)) {
        Some(value) => {
            let value = vm.string(&os_bytes(&value));
            a.ret1(value)
        }
        None => a.ret1(Value::NIL),
    }
}

fn remove(vm: &mut Vm, a: Args) -> Outcome {
    let name = a.check_bytes(vm, 1)?;
    let target = path(name);
    let is_dir = std::fs::symlink_metadata(target).is_ok_and(|m| m.is_dir());
    let removed = if is_dir { std::fs::remove_dir(target) } else { std::fs::remove_file(target) };
    match removed {
        Ok(()) => a.ret1(Value::TRUE),
        Err(e) => failed(vm, a, Some(name), &e),
    }
}

fn rename(vm: &mut Vm, a: Args) -> Outcome {
    let from = a.check_bytes(vm, 1)?;
    let to = a.check_bytes(vm, 2)?;
    match std::fs::rename(path(from), path(to)) {
        Ok(()) => a.ret1(Value::TRUE),
        Err(e) => failed(vm, a, None, &e),
    }
}

fn setlocale(vm: &mut Vm, a: Args) -> Outcome {
    let wanted = a.opt_bytes(vm, 1)?;
    let categories = ["all", "collate", "ctype", "monetary", "numeric", "time"];
    a.check_option(vm, 2, Some("all"), &categories)?;
    // There is the C locale only.
    match wanted {
        None | Some(b"" | b"C" | b"POSIX") => {
            let name = vm.string(b"C");
            a.ret1(name)
        }
        Some(_) => a.ret1(Value::NIL),
    }
}

fn tmpname(vm: &mut Vm, a: Args) -> Outcome {
    match super::io::create_temporary() {
        Ok((_, path)) => {
            let name = vm.string(&os_bytes(path.as_os_str()));
            a.ret1(name)
        }
        Err(_) => Err(vm.error("unable to generate a unique filename")),
    }
}
