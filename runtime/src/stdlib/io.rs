//! The input and output library (manual §6.8): opening files, the default files. Methods of files are
//! in `io_file.rs`, read formats in `io_read.rs`, buffering in `stream.rs`.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};

use super::io_file::{self, Handle, check_handle, new_file, open_stream};
use super::stream::{Backend, Stream};
use super::{LibraryState, Outcome};
use crate::heap::handles::RootId;
use crate::object::Table;
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// The values that the library keeps. The registry has them too, for scripts to see; what keeps them alive
/// are roots that no script can take away.
#[derive(Clone, Copy)]
pub struct IoState {
    /// The metatable of files.
    pub meta: *mut Table,
    /// Default input and output file.
    pub defaults: [Value; 2],
    /// The roots of the default files.
    roots: [Option<RootId>; 2],
}

impl Default for IoState {
    fn default() -> IoState {
        IoState { meta: std::ptr::null_mut(), defaults: [Value::NIL; 2], roots: [None; 2] }
    }
}

/// A default file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Input,
    Output,
}

impl Role {
    fn registry_key(self) -> &'static str {
        match self {
            Role::Input => "_IO_input",
            Role::Output => "_IO_output",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Role::Input => "input",
            Role::Output => "output",
        }
    }
}

/// Makes the library's table.
pub fn open(vm: &mut Vm) -> *mut Table {
    let library = super::new_table(vm);
    vm.register(
        library,
        &[
            ("close", close, 0),
            ("flush", flush, 0),
            ("input", |vm, a| default_file(vm, a, Role::Input), 0),
            ("lines", lines, 0),
            ("open", open_file, 0),
            ("output", |vm, a| default_file(vm, a, Role::Output), 0),
            ("popen", popen, 0),
            ("read", read, 0),
            ("tmpfile", tmpfile, 0),
            ("type", type_, 0),
            ("write", write, 0),
        ],
    );
    io_file::make_metatable(vm);
    let streams = &vm.library_state::<LibraryState>().streams;
    let (stdin, stdout, stderr) =
        (streams.stdin.clone(), streams.stdout.clone(), streams.stderr.clone());
    let stdin = new_file(vm, Handle::standard(stdin));
    let stdout = new_file(vm, Handle::standard(stdout));
    let stderr = new_file(vm, Handle::standard(stderr));
    vm.set_field_raw(library, "stdin", stdin);
    vm.set_field_raw(library, "stdout", stdout);
    vm.set_field_raw(library, "stderr", stderr);
    set_default(vm, Role::Input, stdin);
    set_default(vm, Role::Output, stdout);
    library
}

fn set_default(vm: &mut Vm, which: Role, file: Value) {
    let registry = vm.registry;
    vm.set_field_raw(registry, which.registry_key(), file);
    let mut io = vm.library_state::<LibraryState>().io;
    io.defaults[which as usize] = file;
    let root = vm.heap.handles.root(file);
    if let Some(old) = io.roots[which as usize].replace(root) {
        vm.heap.handles.release(old);
    }
    vm.library_state::<LibraryState>().io = io;
}

/// The stream of a default file.
fn default_stream(vm: &mut Vm, which: Role) -> Result<super::stream::Shared, Throw> {
    let file = vm.library_state::<LibraryState>().io.defaults[which as usize];
    match io_file::handle_of(vm, file).and_then(|h| h.stream.clone()) {
        Some(stream) => Ok(stream),
        None => Err(vm.error(&format!("default {} file is closed", which.name()))),
    }
}

/// Results of a failed operation: nil, message, error number.
pub(super) fn failed(vm: &mut Vm, a: Args, path: Option<&[u8]>, e: &io::Error) -> Outcome {
    let mut text = Vec::new();
    if let Some(path) = path {
        text.extend_from_slice(path);
        text.extend_from_slice(b": ");
    }
    text.extend_from_slice(super::stream::error_text(e).as_bytes());
    let message = vm.string(&text);
    a.ret3(Value::NIL, message, Value::small_int(e.raw_os_error().unwrap_or(0).into()))
}

/// Results of an operation without value: true, or as [`failed`].
pub(super) fn answer(vm: &mut Vm, a: Args, result: io::Result<()>) -> Outcome {
    match result {
        Ok(()) => a.ret1(Value::TRUE),
        Err(e) => failed(vm, a, None, &e),
    }
}

fn open_file(vm: &mut Vm, a: Args) -> Outcome {
    let path = a.check_bytes(vm, 1)?;
    let mode = a.opt_bytes(vm, 2)?.unwrap_or(b"r");
    if !io_file::is_mode(mode) {
        return Err(a.error(vm, 2, "invalid mode"));
    }
    match open_stream(path, mode) {
        Ok(stream) => {
            let shared = vm.library_state::<LibraryState>().streams.add(stream);
            let file = new_file(vm, Handle::file(shared));
            a.ret1(file)
        }
        Err(e) => failed(vm, a, Some(path), &e),
    }
}

/// Opens a file for a function that throws when it cannot.
fn open_or_throw(vm: &mut Vm, path: &[u8], mode: &[u8]) -> Result<Value, Throw> {
    match open_stream(path, mode) {
        Ok(stream) => {
            let shared = vm.library_state::<LibraryState>().streams.add(stream);
            Ok(new_file(vm, Handle::file(shared)))
        }
        Err(e) => {
            let reason = super::stream::error_text(&e);
            let text = [b"cannot open file '", path, b"' (", reason.as_bytes(), b")"].concat();
            Err(vm.error_bytes(&text))
        }
    }
}

fn default_file(vm: &mut Vm, a: Args, which: Role) -> Outcome {
    let v = a.get(1);
    if !v.is_nil() {
        let file = if v.is_string() || v.is_number() {
            let path = a.check_bytes(vm, 1)?;
            let mode: &[u8] = if which == Role::Input { b"r" } else { b"w" };
            open_or_throw(vm, path, mode)?
        } else {
            check_handle(vm, a, 1)?;
            v
        };
        set_default(vm, which, file);
    }
    let file = vm.library_state::<LibraryState>().io.defaults[which as usize];
    a.ret1(file)
}

fn close(vm: &mut Vm, a: Args) -> Outcome {
    if a.is_none(1) {
        let file = vm.library_state::<LibraryState>().io.defaults[Role::Output as usize];
        default_stream(vm, Role::Output)?;
        return io_file::close_value(vm, a, file);
    }
    check_handle(vm, a, 1)?;
    io_file::close_value(vm, a, a.get(1))
}

fn flush(vm: &mut Vm, a: Args) -> Outcome {
    let stream = default_stream(vm, Role::Output)?;
    let result = stream.borrow_mut().flush();
    answer(vm, a, result)
}

fn read(vm: &mut Vm, a: Args) -> Outcome {
    let stream = default_stream(vm, Role::Input)?;
    super::io_read::read(vm, a, &stream, a.slice(), 1)
}

fn write(vm: &mut Vm, a: Args) -> Outcome {
    let stream = default_stream(vm, Role::Output)?;
    let file = vm.library_state::<LibraryState>().io.defaults[Role::Output as usize];
    io_file::write_values(vm, a, &stream, 1, file)
}

fn lines(vm: &mut Vm, a: Args) -> Outcome {
    let (file, own) = if a.is_none_or_nil(1) {
        let file = vm.library_state::<LibraryState>().io.defaults[Role::Input as usize];
        if io_file::handle_of(vm, file).is_none_or(|h| h.stream.is_none()) {
            return Err(vm.error("attempt to use a closed file"));
        }
        (file, false)
    } else {
        let path = a.check_bytes(vm, 1)?;
        (open_or_throw(vm, path, b"r")?, true)
    };
    let iterator = io_file::make_lines(vm, a, file, own)?;
    if !own {
        return a.ret1(iterator);
    }
    a.ret_slice(vm, &[iterator, Value::NIL, Value::NIL, file])
}

fn type_(vm: &mut Vm, a: Args) -> Outcome {
    let v = a.check_any(vm, 1)?;
    let name = match io_file::handle_of(vm, v) {
        None => Value::NIL,
        Some(handle) if handle.stream.is_some() => vm.string(b"file"),
        Some(_) => vm.string(b"closed file"),
    };
    a.ret1(name)
}

fn popen(vm: &mut Vm, a: Args) -> Outcome {
    let command = a.check_bytes(vm, 1)?;
    let reads = match a.opt_bytes(vm, 2)?.unwrap_or(b"r") {
        b"r" => true,
        b"w" => false,
        _ => return Err(a.error(vm, 2, "invalid mode")),
    };
    vm.library_state::<LibraryState>().streams.flush_all();
    let mut shell = shell_command(command);
    if reads {
        shell.stdout(Stdio::piped());
    } else {
        shell.stdin(Stdio::piped());
    }
    match shell.spawn() {
        Ok(mut child) => {
            let backend = if reads {
                let pipe = child.stdout.take();
                Backend::FromChild(child, pipe)
            } else {
                let pipe = child.stdin.take();
                Backend::ToChild(child, pipe)
            };
            let stream = Stream::new(backend, reads, !reads);
            let shared = vm.library_state::<LibraryState>().streams.add(stream);
            let file = new_file(vm, Handle::file(shared));
            a.ret1(file)
        }
        Err(e) => failed(vm, a, Some(command), &e),
    }
}

/// The system's shell running a command.
pub(super) fn shell_command(command: &[u8]) -> Command {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(std::ffi::OsStr::from_bytes(command));
        shell
    }
    #[cfg(not(unix))]
    {
        let mut shell = Command::new("cmd");
        shell.arg("/C").arg(String::from_utf8_lossy(command).into_owned());
        shell
    }
}

/// Creates a file that did not exist, in the directory for temporary files.
pub(super) fn create_temporary() -> io::Result<(File, std::path::PathBuf)> {
    use std::hash::{BuildHasher, Hasher};
    let mut attempts = 0;
    loop {
        let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
        let path = std::env::temp_dir().join(format!("lua_{:06x}", random & 0xFFFF_FFFF));
        let created = File::options().read(true).write(true).create_new(true).open(&path);
        match created {
            Ok(file) => return Ok((file, path)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && attempts < 100 => attempts += 1,
            Err(e) => return Err(e),
        }
    }
}

fn tmpfile(vm: &mut Vm, a: Args) -> Outcome {
    match create_temporary() {
        Ok((file, path)) => {
            // The file lives until it is closed. Where an open file cannot be removed it stays.
            let _ = std::fs::remove_file(path);
            let stream = Stream::new(Backend::File(file), true, true);
            let shared = vm.library_state::<LibraryState>().streams.add(stream);
            let file = new_file(vm, Handle::file(shared));
            a.ret1(file)
        }
        Err(e) => failed(vm, a, None, &e),
    }
}
