//! Buffered streams with the behaviour of C's `FILE`: one buffer each way, line or full buffering,
//! positions that take unread input into account.
//!
//! Invariant: a stream has unread input or unwritten output, never both.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

/// Where bytes come from or go to.
pub enum Backend {
    /// A file, pipe or terminal.
    File(File),
    /// The output of a child process.
    FromChild(Child, Option<ChildStdout>),
    /// The input of a child process.
    ToChild(Child, Option<ChildStdin>),
    /// A host's writer.
    Writer(Box<dyn Write>),
    /// A host's reader.
    Reader(Box<dyn Read>),
    /// Closed.
    Closed,
}

/// When output is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffering {
    /// At once.
    None,
    /// At the end of a line, or when the buffer is full.
    Line,
    /// When the buffer is full.
    Full,
}

/// Size of input reads, and of output buffers.
const BUFFER: usize = 16 << 10;

/// A buffered stream.
pub struct Stream {
    backend: Backend,
    readable: bool,
    writable: bool,
    input: Vec<u8>,
    at: usize,
    output: Vec<u8>,
    buffering: Buffering,
    capacity: usize,
}

/// A stream shared between a userdata and the state's list.
pub type Shared = Rc<RefCell<Stream>>;

/// What the system says about an error, without Rust's error number.
pub fn error_text(e: &io::Error) -> String {
    let text = e.to_string();
    match text.find(" (os error ") {
        Some(at) => text[..at].to_string(),
        None => text,
    }
}

/// `EBADF`: reading what is only written, or the reverse.
fn bad_descriptor() -> io::Error {
    io::Error::from_raw_os_error(9)
}

/// `EINVAL`
fn invalid_argument() -> io::Error {
    io::Error::from_raw_os_error(22)
}

impl Stream {
    /// A stream on a backend.
    pub fn new(backend: Backend, readable: bool, writable: bool) -> Stream {
        Stream {
            backend,
            readable,
            writable,
            input: Vec::new(),
            at: 0,
            output: Vec::new(),
            buffering: Buffering::Full,
            capacity: BUFFER,
        }
    }

    /// Sets how output is buffered.
    pub fn set_buffering(&mut self, buffering: Buffering, capacity: usize) -> io::Result<()> {
        self.flush()?;
        self.buffering = buffering;
        self.capacity = capacity.clamp(1, BUFFER * 4);
        Ok(())
    }

    fn read_backend(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.backend {
                Backend::File(f) => f.read(into),
                Backend::FromChild(_, Some(pipe)) => pipe.read(into),
                Backend::Reader(r) => r.read(into),
                Backend::FromChild(_, None)
                | Backend::ToChild(..)
                | Backend::Writer(_)
                | Backend::Closed => Err(bad_descriptor()),
            };
            match read {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    fn write_backend(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.backend {
            Backend::File(f) => f.write_all(bytes),
            Backend::ToChild(_, Some(pipe)) => pipe.write_all(bytes),
            Backend::Writer(w) => w.write_all(bytes).and_then(|()| w.flush()),
            Backend::ToChild(_, None)
            | Backend::FromChild(..)
            | Backend::Reader(_)
            | Backend::Closed => Err(bad_descriptor()),
        }
    }

    /// Reads more input behind what is unread; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if !self.readable {
            return Err(bad_descriptor());
        }
        self.flush()?;
        if self.at == self.input.len() {
            self.input.clear();
            self.at = 0;
        }
        let old = self.input.len();
        let mut input = std::mem::take(&mut self.input);
        input.resize(old + BUFFER, 0);
        let read = self.read_backend(&mut input[old..]);
        input.truncate(old + *read.as_ref().unwrap_or(&0));
        self.input = input;
        Ok(read? > 0)
    }

    /// Unread input, at least one byte of it; empty at the end.
    #[inline]
    pub fn available(&mut self) -> io::Result<&[u8]> {
        if self.at == self.input.len() {
            self.fill()?;
        }
        Ok(&self.input[self.at..])
    }

    /// Takes `n` bytes of the available input.
    #[inline]
    pub fn consume(&mut self, n: usize) {
        self.at += n;
    }

    /// The next byte, which stays unread.
    pub fn peek(&mut self) -> io::Result<Option<u8>> {
        self.available().map(|bytes| bytes.first().copied())
    }

    /// Reads a line, with its end if `keep`, piece by piece; false at the end of the file.
    ///
    /// # Errors
    /// What `put` answers.
    pub fn read_line<E>(
        &mut self,
        keep: bool,
        mut put: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<io::Result<bool>, E> {
        let mut any = false;
        loop {
            let bytes = match self.available() {
                Ok([]) => return Ok(Ok(any)),
                Ok(bytes) => bytes,
                Err(e) => return Ok(Err(e)),
            };
            any = true;
            match memchr::memchr(b'\n', bytes) {
                Some(end) => {
                    put(&bytes[..if keep { end + 1 } else { end }])?;
                    self.consume(end + 1);
                    return Ok(Ok(true));
                }
                None => {
                    let n = bytes.len();
                    put(bytes)?;
                    self.consume(n);
                }
            }
        }
    }

    /// Reads up to `n` bytes, piece by piece.
    ///
    /// # Errors
    /// What `put` answers.
    pub fn read_bytes<E>(
        &mut self,
        n: usize,
        mut put: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<io::Result<()>, E> {
        let mut missing = n;
        while missing > 0 {
            let bytes = match self.available() {
                Ok([]) => break,
                Ok(bytes) => bytes,
                Err(e) => return Ok(Err(e)),
            };
            let part = bytes.len().min(missing);
            put(&bytes[..part])?;
            self.consume(part);
            missing -= part;
        }
        Ok(Ok(()))
    }

    /// Forgets unread input, so that the file's position is where reading stopped.
    fn drop_input(&mut self) -> io::Result<()> {
        let unread = (self.input.len() - self.at) as i64;
        self.input.clear();
        self.at = 0;
        if unread > 0
            && let Backend::File(f) = &mut self.backend
        {
            f.seek(SeekFrom::Current(-unread))?;
        }
        Ok(())
    }

    /// Writes bytes.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.writable {
            return Err(bad_descriptor());
        }
        if self.at != self.input.len() {
            self.drop_input()?;
        }
        if bytes.len() >= self.capacity {
            self.flush()?;
            return self.write_backend(bytes);
        }
        self.output.extend_from_slice(bytes);
        let due = match self.buffering {
            Buffering::None => true,
            Buffering::Line => {
                self.output.len() >= self.capacity || memchr::memchr(b'\n', bytes).is_some()
            }
            Buffering::Full => self.output.len() >= self.capacity,
        };
        if due { self.flush() } else { Ok(()) }
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let output = std::mem::take(&mut self.output);
        let result = self.write_backend(&output);
        // What could not be written is lost, as the position is unknown.
        self.output = output;
        self.output.clear();
        result
    }

    /// Moves the position; answers the new one.
    pub fn seek(&mut self, whence: Whence, offset: i64) -> io::Result<u64> {
        self.flush()?;
        let unread = (self.input.len() - self.at) as i64;
        let Backend::File(file) = &mut self.backend else {
            return Err(io::Error::from_raw_os_error(29)); // ESPIPE
        };
        let target = match whence {
            Whence::Set => SeekFrom::Start(u64::try_from(offset).map_err(|_| invalid_argument())?),
            Whence::Current => SeekFrom::Current(offset.saturating_sub(unread)),
            Whence::End => SeekFrom::End(offset),
        };
        let position = file.seek(target)?;
        self.input.clear();
        self.at = 0;
        Ok(position)
    }

    /// Writes out and closes. A child's exit status is answered.
    pub fn close(&mut self) -> io::Result<Option<ExitStatus>> {
        let flushed = self.flush();
        let backend = std::mem::replace(&mut self.backend, Backend::Closed);
        self.readable = false;
        self.writable = false;
        let status = match backend {
            Backend::FromChild(mut child, pipe) => {
                drop(pipe);
                Some(child.wait()?)
            }
            Backend::ToChild(mut child, pipe) => {
                drop(pipe);
                Some(child.wait()?)
            }
            Backend::File(_) | Backend::Writer(_) | Backend::Reader(_) | Backend::Closed => None,
        };
        flushed?;
        Ok(status)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Nobody is left to hear of an error.
        let _ = self.close();
    }
}

/// What a seek offset counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The start.
    Set,
    /// The current position.
    Current,
    /// The end.
    End,
}

/// The standard streams, and all others that are open.
pub struct Streams {
    /// `io.stdin`
    pub stdin: Shared,
    /// `io.stdout`, where `print` writes.
    pub stdout: Shared,
    /// `io.stderr`
    pub stderr: Shared,
    open: Vec<Weak<RefCell<Stream>>>,
    /// When `print` last wrote its buffer out.
    printed: Option<Instant>,
}

/// How long what `print` writes may be held back while more is printed.
const PRINT_DELAY: Duration = Duration::from_millis(1);

#[cfg(unix)]
fn duplicate(stream: impl std::os::fd::AsFd) -> Backend {
    match stream.as_fd().try_clone_to_owned() {
        Ok(fd) => Backend::File(fd.into()),
        Err(_) => Backend::Closed,
    }
}

#[cfg(windows)]
fn duplicate(stream: impl std::os::windows::io::AsHandle) -> Backend {
    match stream.as_handle().try_clone_to_owned() {
        Ok(handle) => Backend::File(handle.into()),
        Err(_) => Backend::Closed,
    }
}

impl Default for Streams {
    fn default() -> Streams {
        let share = |stream| Rc::new(RefCell::new(stream));
        let stdin = Stream::new(duplicate(io::stdin()), true, false);
        let mut stdout = Stream::new(duplicate(io::stdout()), false, true);
        if io::stdout().is_terminal() {
            stdout.buffering = Buffering::Line;
        }
        let mut stderr = Stream::new(duplicate(io::stderr()), false, true);
        stderr.buffering = Buffering::None;
        Streams {
            stdin: share(stdin),
            stdout: share(stdout),
            stderr: share(stderr),
            open: Vec::new(),
            printed: None,
        }
    }
}

impl Streams {
    /// Shares a new stream, and notes it for [`Streams::flush_all`].
    pub fn add(&mut self, stream: Stream) -> Shared {
        let shared = Rc::new(RefCell::new(stream));
        if self.open.len() >= 16 && self.open.len().is_power_of_two() {
            self.open.retain(|weak| weak.strong_count() > 0);
        }
        self.open.push(Rc::downgrade(&shared));
        shared
    }

    /// Writes to standard output, and out unless that was done a moment ago: a reader sees what slow
    /// programs print (`lua` writes out each line), and quick ones need no system call per line.
    pub fn print(&mut self, bytes: &[u8]) {
        let mut stdout = self.stdout.borrow_mut();
        // As C's library: an error of standard output is not reported.
        let _ = stdout.write(bytes);
        let now = Instant::now();
        if self.printed.is_none_or(|then| now.duration_since(then) > PRINT_DELAY) {
            let _ = stdout.flush();
            self.printed = Some(now);
        }
    }

    /// Writes to standard error, after what standard output holds back.
    pub fn write_stderr(&mut self, bytes: &[u8]) {
        let _ = self.stdout.borrow_mut().flush();
        let _ = self.stderr.borrow_mut().write(bytes);
    }

    /// Writes out everything that is buffered.
    pub fn flush_all(&mut self) {
        let _ = self.stdout.borrow_mut().flush();
        let _ = self.stderr.borrow_mut().flush();
        for stream in self.open.iter().filter_map(Weak::upgrade) {
            if let Ok(mut stream) = stream.try_borrow_mut() {
                let _ = stream.flush();
            }
        }
    }

    /// Sends standard output to a host's writer.
    pub fn redirect_stdout(&mut self, writer: Box<dyn Write>) {
        let mut stdout = self.stdout.borrow_mut();
        let _ = stdout.flush();
        stdout.backend = Backend::Writer(writer);
        stdout.buffering = Buffering::Full;
    }

    /// Sends standard error (warnings) to a host's writer.
    pub fn redirect_stderr(&mut self, writer: Box<dyn Write>) {
        self.stderr.borrow_mut().backend = Backend::Writer(writer);
    }

    /// Takes standard input from a host's reader.
    pub fn redirect_stdin(&mut self, reader: Box<dyn Read>) {
        let mut stdin = self.stdin.borrow_mut();
        stdin.input.clear();
        stdin.at = 0;
        stdin.backend = Backend::Reader(reader);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> (Stream, std::path::PathBuf) {
        let path = std::env::temp_dir().join(format!("perilune-{}-{name}", std::process::id()));
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .expect("a scratch file");
        (Stream::new(Backend::File(file), true, true), path)
    }

    #[test]
    fn reads_what_it_wrote() {
        let (mut s, path) = scratch("stream-1");
        s.write(b"one\ntwo\nthree").unwrap();
        assert_eq!(s.seek(Whence::Current, 0).unwrap(), 13);
        assert_eq!(s.seek(Whence::Set, 0).unwrap(), 0);
        let mut line = Vec::new();
        let mut put = |bytes: &[u8]| -> Result<(), ()> {
            line.extend_from_slice(bytes);
            Ok(())
        };
        assert!(s.read_line(false, &mut put).unwrap().unwrap());
        assert_eq!(line, b"one");
        // Unread input does not count into the position.
        assert_eq!(s.seek(Whence::Current, 0).unwrap(), 4);
        assert_eq!(s.peek().unwrap(), Some(b't'));
        s.write(b"TWO").unwrap();
        s.seek(Whence::Set, 0).unwrap();
        let mut all = Vec::new();
        let mut put = |bytes: &[u8]| -> Result<(), ()> {
            all.extend_from_slice(bytes);
            Ok(())
        };
        s.read_bytes(usize::MAX, &mut put).unwrap().unwrap();
        assert!(!s.read_line(true, &mut put).unwrap().unwrap());
        assert_eq!(all, b"one\nTWO\nthree");
        assert!(s.seek(Whence::Set, -1).is_err());
        s.close().unwrap();
        assert!(s.write(b"x").is_err());
        std::fs::remove_file(path).unwrap();
    }
}
