//! One process, run to its end, with the CPU time it used.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A process that runs longer than this is killed.
const LIMIT: Duration = Duration::from_secs(120);

/// The time one process took, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// User and system time, of all threads.
    pub cpu: f64,
    /// From before the start to after the end.
    pub wall: f64,
}

/// How a process ended.
#[derive(Debug)]
pub enum Outcome {
    /// With status 0.
    Done { time: Time, stdout: Vec<u8> },
    /// In any other way; the text says which.
    Failed(String),
}

/// Runs `path` with `before` and then `args`.
pub fn run(path: &Path, before: &[String], args: &[String]) -> Outcome {
    let start = Instant::now();
    let spawned = Command::new(path)
        .args(before)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(e) => return Outcome::Failed(format!("{}: {e}", path.display())),
    };
    let id = child.id();
    let (finished, watch) = channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let late = watch.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
        if late {
            kill(id);
        }
        late
    });
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    // A benchmark writes a line or a traceback: neither pipe can fill up while the other is read.
    let read = child.stdout.take().map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut stdout));
    let read = read
        .and_then(|_| child.stderr.take().map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut stderr)));
    let ended = wait(child);
    let wall = start.elapsed().as_secs_f64();
    drop(finished);
    if watchdog.join().unwrap_or(false) {
        return Outcome::Failed(format!("killed after {} s", LIMIT.as_secs()));
    }
    match (read, ended) {
        (Err(e), _) | (_, Err(e)) => Outcome::Failed(e.to_string()),
        (Ok(_), Ok((0, cpu))) => {
            Outcome::Done { time: Time { cpu: cpu.unwrap_or(wall), wall }, stdout }
        }
        (Ok(_), Ok((status, _))) => {
            let message = String::from_utf8_lossy(&stderr);
            let message = message.lines().next().unwrap_or("").trim_end();
            Outcome::Failed(format!("exit status {status}: {message}"))
        }
    }
}

/// Waits for the end: the exit status (or 128 + the signal), and the CPU time.
#[cfg(unix)]
fn wait(child: Child) -> std::io::Result<(i32, Option<f64>)> {
    let id = child.id() as libc::pid_t;
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: both pointers are to live locals of the right types; `id` is a child of this process
    // that nobody else waits for, since `child` was moved here.
    let answer = unsafe { libc::wait4(id, &mut status, 0, usage.as_mut_ptr()) };
    if answer != id {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: wait4 succeeded, so it has filled the structure.
    let usage = unsafe { usage.assume_init() };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    let code = if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    };
    Ok((code, Some(seconds(usage.ru_utime) + seconds(usage.ru_stime))))
}

#[cfg(unix)]
fn kill(id: u32) {
    // SAFETY: a plain system call; the child is not yet waited for, so the id is still its own.
    unsafe { libc::kill(id as libc::pid_t, libc::SIGKILL) };
}

/// Without `wait4` there is no CPU time: the caller takes the wall time.
#[cfg(not(unix))]
fn wait(mut child: Child) -> std::io::Result<(i32, Option<f64>)> {
    Ok((child.wait()?.code().unwrap_or(-1), None))
}

#[cfg(not(unix))]
fn kill(_: u32) {}
