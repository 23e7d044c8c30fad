//! Where output goes to: pipes that nobody reads, devices that are full; and what is printed at the end.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{command, finish, run};

/// Waits for the process's end, which comes soon.
fn end(mut child: std::process::Child) -> ExitStatus {
    let id = child.id();
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait()));
    match ended.recv_timeout(Duration::from_secs(60)) {
        Ok(status) => status.expect("a child"),
        Err(_) => panic!("process {id} does not end"),
    }
}

#[test]
fn a_closed_pipe_ends_the_process() {
    for args in [
        &["-e", "while true do print(1) end"][..],
        &["-e", "while true do io.write('1\\n') end"],
        &["--no-jit", "-e", "while true do pcall(print, 1) end"],
        &["-e", "io.stdout:setvbuf('no') while true do pcall(print, 1) end"],
    ] {
        let mut child = command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("a line");
        assert_eq!(line, "1\n");
        drop(out);
        let mut errors = child.stderr.take().expect("a pipe");
        assert_eq!(end(child).signal(), Some(libc::SIGPIPE), "{args:?}");
        let mut text = String::new();
        errors.read_to_string(&mut text).expect("text");
        assert_eq!(text, "");
    }
}

#[test]
fn help_and_version_into_a_closed_pipe() {
    for args in [&["--help"][..], &["-v"], &["-e", "io.write('x')"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = command(args);
        command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
        let child = command.spawn().expect("the program starts");
        let output = child.wait_with_output().expect("its end");
        assert_eq!(output.status.signal(), Some(libc::SIGPIPE), "{args:?}");
        assert!(output.stderr.is_empty(), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
fn full() -> std::fs::File {
    OpenOptions::new().write(true).open("/dev/full").expect("the device")
}

#[test]
#[cfg(target_os = "linux")]
fn full_devices_are_errors() {
    let no_space = "cannot write to standard output: No space left on device\n";
    for (args, message) in [
        (&["--help"][..], format!("lua: {no_space}")),
        (&["-v"], format!("lua: {no_space}")),
        (&["-v", "-e", "x = 1"], format!("lua: {no_space}")),
    ] {
        let output = command(args).stdin(Stdio::null()).stdout(full()).output();
        let r = finish(output.expect("the program starts"));
        assert_eq!((r.stderr.as_str(), r.status), (message.as_str(), 1), "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn full_devices_never_panic() {
    // What is thrown is the script's to see.
    let script = "assert(io.stdout:write(('x'):rep(100000))) io.stdout:flush()";
    for (args, input, status) in [
        (&["-e", script][..], "", 1),
        (&["-e", "print(1)"], "", 0),
        (&["-i"], "1 + 1\nprint(2)\n:help\n:stats\n:jit\n:time 1\n:dump 5\n", 0),
        (&["--stats", "-e", "print(1)"], "", 0),
    ] {
        let mut child = command(args)
            .stdin(Stdio::piped())
            .stdout(full())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut pipe = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut pipe, input.as_bytes()).expect("it reads");
        drop(pipe);
        let r = finish(child.wait_with_output().expect("it ends"));
        assert!(!r.stderr.contains("panicked"), "{args:?}: {}", r.stderr);
        assert_eq!(r.status, status, "{args:?}: {}", r.stderr);
    }
    for (args, status) in [
        (&["-x"][..], 1),
        (&["-e", "error('x')"], 1),
        (&["-e", "x ="], 1),
        (&["-W", "-e", "warn('x')"], 0),
        (&["--stats", "-e", "x = 1"], 0),
        (&["--dump=bytecode", "-e", "x = 1"], 0),
    ] {
        let status_of = command(args).stdin(Stdio::null()).stderr(full()).status();
        assert_eq!(status_of.expect("it starts").code(), Some(status), "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_library_leaves_signals_alone() {
    let lua = perilune::Lua::new();
    lua.load("x = 1").exec().expect("a chunk");
    let status = std::fs::read_to_string("/proc/self/status").expect("the status");
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a line");
    let caught = u64::from_str_radix(caught.trim(), 16).expect("a mask");
    assert_eq!(caught >> (libc::SIGPIPE - 1) & 1, 0, "{status}");
}

#[test]
fn statistics_are_printed_however_it_ends() {
    let work = "local s = 0 for i = 1, 100000 do s = s + i end";
    for (last, status) in [
        ("", 0),
        ("os.exit()", 0),
        ("os.exit(7)", 7),
        ("os.exit(true, true)", 0),
        ("coroutine.wrap(function() os.exit(3, true) end)()", 3),
        ("error('x')", 1),
        ("error({})", 1),
    ] {
        let program = format!("{work} {last}");
        for (option, start) in
            [("--stats", "functions compiled"), ("--stats=json", "{\"functions\":")]
        {
            let r = run(&[option, "-e", &program]);
            assert_eq!(r.status, status, "{last}");
            assert_eq!(r.stderr.matches(start).count(), 1, "{last}: {}", r.stderr);
        }
    }
    let r = run(&["-e", "os.exit(true, true)"]);
    assert_eq!((r.stderr.as_str(), r.status), ("", 0));
}
