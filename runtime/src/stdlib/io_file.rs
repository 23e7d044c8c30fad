//! Files as values: the userdata, its metatable and methods.

use std::fs::File;
use std::io;

use super::io::{answer, failed};
use super::stream::{Backend, Buffering, Shared, Stream, Whence};
use super::{LibraryState, Outcome};
use crate::object::{Kind, Userdata};
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// The name of the metatable, in the registry and in messages.
const NAME: &str = "FILE*";

/// What a file's userdata holds.
pub(super) struct Handle {
    /// None once closed.
    pub stream: Option<Shared>,
    /// One of the standard files, which scripts cannot close.
    pub standard: bool,
}

impl Handle {
    pub fn file(stream: Shared) -> Handle {
        Handle { stream: Some(stream), standard: false }
    }

    pub fn standard(stream: Shared) -> Handle {
        Handle { stream: Some(stream), standard: true }
    }
}

/// Makes the metatable of files.
pub(super) fn make_metatable(vm: &mut Vm) {
    let meta = super::new_table(vm);
    let methods = super::new_table(vm);
    vm.register(
        methods,
        &[
            ("close", close, 0),
            ("flush", flush, 0),
            ("lines", lines, 0),
            ("read", read, 0),
            ("seek", seek, 0),
            ("setvbuf", setvbuf, 0),
            ("write", write, 0),
        ],
    );
    vm.register(
        meta,
        &[("__gc", release, 0), ("__close", release, 0), ("__tostring", tostring, 0)],
    );
    vm.set_field_raw(meta, "__index", Value::table(methods));
    let name = vm.string(NAME.as_bytes());
    vm.set_field_raw(meta, "__name", name);
    let registry = vm.registry;
    vm.set_field_raw(registry, NAME, Value::table(meta));
    crate::table::metatable::mark_metatable(meta);
    // The registry is a script's to change.
    vm.heap.handles.root(Value::table(meta));
    vm.library_state::<LibraryState>().io.meta = meta;
}

/// A new file value. The stream is closed when the value is collected: no finalizer is needed.
pub(super) fn new_file(vm: &mut Vm, handle: Handle) -> Value {
    let meta = vm.library_state::<LibraryState>().io.meta;
    let header = vm.heap.header(Kind::Userdata);
    let userdata =
        Userdata { header, meta, data: Some(Box::new(handle)), user_values: Box::default() };
    Value::userdata(vm.heap.alloc_with(Kind::Userdata, 0, userdata))
}

/// The handle in a value, if it is a file.
pub(super) fn handle_of<'a>(vm: &mut Vm, v: Value) -> Option<&'a mut Handle> {
    let userdata = v.as_userdata()?;
    let meta = vm.library_state::<LibraryState>().io.meta;
    // SAFETY: the value is in a frame or a root, so it is live; nothing here keeps the reference
    // across a call into Lua.
    unsafe {
        if (*userdata).meta != meta {
            return None;
        }
        (*userdata).data.as_mut()?.downcast_mut::<Handle>()
    }
}

/// Argument `n`, which must be an open file.
pub(super) fn check_handle<'a>(
    vm: &mut Vm,
    a: Args,
    n: usize,
) -> Result<(&'a mut Handle, Shared), Throw> {
    match handle_of(vm, a.get(n)) {
        None => Err(a.type_error(vm, n, NAME)),
        Some(handle) => match handle.stream.clone() {
            Some(stream) => Ok((handle, stream)),
            None => Err(vm.error("attempt to use a closed file")),
        },
    }
}

/// Whether a mode matches `[rwa]%+?b*`.
pub(super) fn is_mode(mode: &[u8]) -> bool {
    let [b'r' | b'w' | b'a', rest @ ..] = mode else {
        return false;
    };
    let rest = rest.strip_prefix(b"+").unwrap_or(rest);
    rest.iter().all(|&c| c == b'b')
}

/// Opens a file in a mode accepted by [`is_mode`].
pub(super) fn open_stream(path: &[u8], mode: &[u8]) -> io::Result<Stream> {
    let both = mode.contains(&b'+');
    let mut options = File::options();
    let (reads, writes) = match mode[0] {
        b'r' => (true, both),
        b'w' => {
            options.create(true).truncate(true);
            (both, true)
        }
        _ => {
            options.create(true).append(true);
            (both, true)
        }
    };
    options.read(reads);
    if mode[0] != b'a' {
        options.write(writes);
    }
    let file = options.open(super::os::path(path))?;
    Ok(Stream::new(Backend::File(file), reads, writes))
}

/// Closes a file value that is open.
pub(super) fn close_value(vm: &mut Vm, a: Args, file: Value) -> Outcome {
    let Some(handle) = handle_of(vm, file) else {
        return a.ret1(Value::NIL);
    };
    if handle.standard {
        let message = vm.string(b"cannot close standard file");
        return a.ret2(Value::NIL, message);
    }
    let Some(stream) = handle.stream.take() else {
        return a.ret1(Value::NIL);
    };
    let closed = stream.borrow_mut().close();
    match closed {
        Ok(None) => a.ret1(Value::TRUE),
        Ok(Some(status)) => super::os::status_results(vm, a, status),
        Err(e) => failed(vm, a, None, &e),
    }
}

fn close(vm: &mut Vm, a: Args) -> Outcome {
    check_handle(vm, a, 1)?;
    close_value(vm, a, a.get(1))
}

/// `__gc` and `__close`: closes what is open, silently.
fn release(vm: &mut Vm, a: Args) -> Outcome {
    match handle_of(vm, a.get(1)) {
        None => return Err(a.type_error(vm, 1, NAME)),
        Some(handle) if handle.standard => {
            if let Some(stream) = &handle.stream {
                let _ = stream.borrow_mut().flush();
            }
        }
        Some(handle) => drop(handle.stream.take()),
    }
    a.ret0()
}

fn tostring(vm: &mut Vm, a: Args) -> Outcome {
    let text = match handle_of(vm, a.get(1)) {
        None => return Err(a.type_error(vm, 1, NAME)),
        Some(handle) if handle.stream.is_some() => {
            format!("file ({:#x})", a.get(1).payload())
        }
        Some(_) => "file (closed)".to_string(),
    };
    let s = vm.string(text.as_bytes());
    a.ret1(s)
}

fn flush(vm: &mut Vm, a: Args) -> Outcome {
    let (_, stream) = check_handle(vm, a, 1)?;
    let result = stream.borrow_mut().flush();
    answer(vm, a, result)
}

fn read(vm: &mut Vm, a: Args) -> Outcome {
    let (_, stream) = check_handle(vm, a, 1)?;
    super::io_read::read(vm, a, &stream, &a.slice()[1..], 2)
}

fn write(vm: &mut Vm, a: Args) -> Outcome {
    let (_, stream) = check_handle(vm, a, 1)?;
    write_values(vm, a, &stream, 2, a.get(1))
}

/// Writes the arguments from `first` on; answers the file.
pub(super) fn write_values(
    vm: &mut Vm,
    a: Args,
    stream: &Shared,
    first: usize,
    file: Value,
) -> Outcome {
    let mut result = Ok(());
    for n in first..=a.count() {
        let v = a.get(n);
        let written = if let Some(s) = v.as_string() {
            let bytes = super::bytes_of(vm, s)?;
            stream.borrow_mut().write(bytes)
        } else if let Some(x) = v.as_float() {
            let mut text = Vec::new();
            push_number(&mut text, x);
            stream.borrow_mut().write(&text)
        } else if v.is_number() {
            stream.borrow_mut().write(crate::metamethod::print_number(v).as_bytes())
        } else {
            return Err(a.type_error(vm, n, "string"));
        };
        if result.is_ok() {
            result = written;
        }
    }
    match result {
        Ok(()) => a.ret1(file),
        Err(e) => failed(vm, a, None, &e),
    }
}

/// A float as `%.14g`: without the `.0` of `tostring`.
fn push_number(out: &mut Vec<u8>, x: f64) {
    let text = crate::text::number::NumBuf::float(x);
    let bytes = text.as_bytes();
    out.extend_from_slice(bytes.strip_suffix(b".0").unwrap_or(bytes));
}

fn seek(vm: &mut Vm, a: Args) -> Outcome {
    let (_, stream) = check_handle(vm, a, 1)?;
    let whence = match a.check_option(vm, 2, Some("cur"), &["set", "cur", "end"])? {
        0 => Whence::Set,
        1 => Whence::Current,
        _ => Whence::End,
    };
    let offset = a.opt_int(vm, 3, 0)?;
    let moved = stream.borrow_mut().seek(whence, offset);
    match moved {
        Ok(position) => {
            let position = vm.int(position as i64);
            a.ret1(position)
        }
        Err(e) => failed(vm, a, None, &e),
    }
}

fn setvbuf(vm: &mut Vm, a: Args) -> Outcome {
    let (_, stream) = check_handle(vm, a, 1)?;
    let buffering = match a.check_option(vm, 2, None, &["no", "full", "line"])? {
        0 => Buffering::None,
        1 => Buffering::Full,
        _ => Buffering::Line,
    };
    let size = a.opt_int(vm, 3, 1024)?;
    let result = stream.borrow_mut().set_buffering(buffering, size.max(0) as usize);
    answer(vm, a, result)
}

fn lines(vm: &mut Vm, a: Args) -> Outcome {
    check_handle(vm, a, 1)?;
    let iterator = make_lines(vm, a, a.get(1), false)?;
    a.ret1(iterator)
}

/// Most formats that `lines` takes.
const MAX_FORMATS: usize = 250;

/// The iterator of `lines`: upvalues are the file, whether to close it at the end, the formats
/// (arguments from 2 on).
pub(super) fn make_lines(vm: &mut Vm, a: Args, file: Value, own: bool) -> Result<Value, Throw> {
    let formats = a.slice().get(1..).unwrap_or(&[]);
    if formats.len() > MAX_FORMATS {
        return Err(a.error(vm, MAX_FORMATS + 2, "too many arguments"));
    }
    let mut upvalues = vec![file, Value::bool(own)];
    upvalues.extend_from_slice(formats);
    Ok(vm.native_with(lines_step, 0, &upvalues))
}

fn lines_step(vm: &mut Vm, a: Args) -> Outcome {
    let file = a.upvalue(0);
    let Some(stream) = handle_of(vm, file).and_then(|h| h.stream.clone()) else {
        return Err(vm.error("file is already closed"));
    };
    // SAFETY: the running function is live.
    let count = unsafe { (*a.callee()).header.extra } as usize;
    let formats: Vec<Value> = (2..count).map(|i| a.upvalue(i)).collect();
    let (values, error) = super::io_read::read_values(vm, a, &stream, &formats, 2)?;
    if let Some(e) = error {
        return Err(vm.error(&super::stream::error_text(&e)));
    }
    if values.first().is_some_and(|v| v.is_truthy()) {
        return a.ret_slice(vm, &values);
    }
    if a.upvalue(1).is_truthy()
        && let Some(handle) = handle_of(vm, file)
        && let Some(stream) = handle.stream.take()
    {
        let _ = stream.borrow_mut().close();
    }
    a.ret0()
}
