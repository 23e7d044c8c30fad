//! The command line: arguments, exit status, messages, standard input, the interactive mode.

#[path = "../harness/mod.rs"]
mod harness;
mod pipes;
mod terminal;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Run {
    stdout: String,
    stderr: String,
    status: i32,
}

fn finish(output: Output) -> Run {
    Run {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        // Messages begin with the program's path.
        stderr: String::from_utf8_lossy(&output.stderr).replace(program(), "lua"),
        status: output.status.code().unwrap_or(-1),
    }
}

fn program() -> &'static str {
    harness::perilune().to_str().expect("a path in UTF-8")
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(args).env_remove("LUA_INIT").env_remove("LUA_INIT_5_4").env_remove("LUA_PATH");
    command
}

fn run(args: &[&str]) -> Run {
    finish(command(args).stdin(Stdio::null()).output().expect("the program starts"))
}

fn with_input(args: &[&str], input: &str) -> Run {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    finish(child.wait_with_output().expect("it ends"))
}

/// A directory of its own for a test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("perilune-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Directory(path)
    }
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    }
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn scripts_see_their_arguments() {
    let dir = Directory::new("arg");
    let script = dir.file(
        "a.lua",
        "print(#arg, arg[1], arg[2], arg[-1], arg[-2] ~= nil, ...)\nassert(arg[0]:find('a.lua'))",
    );
    let r = run(&["--no-jit", &script, "x", "-e"]);
    assert_eq!((r.stdout.as_str(), r.status), ("2\tx\t-e\t--no-jit\ttrue\tx\t-e\n", 0));
    let r = run(&["-e", "print(arg[0] ~= nil, arg[1], arg[2])"]);
    assert_eq!(r.stdout, "true\t-e\tprint(arg[0] ~= nil, arg[1], arg[2])\n");
}

#[test]
fn scripts_get_what_arg_holds() {
    let r = with_input(&["-e", "arg[1] = 100", "-", "a", "b"], "print(...)");
    assert_eq!(r.stdout, "100\tb\n");
    let r = with_input(&["-e", "arg = 1", "-"], "");
    assert_eq!((r.stderr.as_str(), r.status), ("lua: 'arg' is not a table\n", 1));
    let r = with_input(&["-e", "print = nil", "-i"], "10\n");
    let message = "error calling 'print' (attempt to call a nil value)\n";
    assert_eq!(r.stderr, message);
}

#[test]
fn first_line_may_be_for_the_shell() {
    let dir = Directory::new("shebang");
    let script = dir.file("a.lua", "#!/usr/bin/env perilune\nprint(1)\nerror('x')");
    let r = run(&[&script]);
    assert_eq!(r.stdout, "1\n");
    assert!(r.stderr.contains("a.lua:3: x"), "{}", r.stderr);
    assert_eq!(r.status, 1);
}

#[test]
fn options_act_in_order() {
    let dir = Directory::new("order");
    dir.file("mod.lua", "return { n = x }");
    let mut c = command(&["-e", "x = 7", "-l", "mod", "-lm=mod", "-e", "print(mod.n, m == mod)"]);
    let r = finish(c.current_dir(dir.path()).output().unwrap());
    assert_eq!((r.stdout.as_str(), r.stderr.as_str(), r.status), ("7\ttrue\n", "", 0));
}

#[test]
fn bad_arguments_are_explained() {
    for (args, message) in [
        (&["-x"][..], "lua: unrecognized option '-x'"),
        (&["-e"], "lua: '-e' needs argument"),
        (&["-l"], "lua: '-l' needs argument"),
        (&["--jit-threshold=x"], "lua: '--jit-threshold' needs a positive number, not 'x'"),
        (&["--dump=x"], "lua: unknown stage 'x' for '--dump'"),
        (&["--no-such"], "lua: unrecognized option '--no-such'"),
    ] {
        let r = run(args);
        assert_eq!(r.status, 1, "{args:?}");
        assert_eq!(r.stdout, "", "{args:?}");
        assert!(r.stderr.starts_with(message), "{args:?}: {}", r.stderr);
        assert!(r.stderr.contains("usage: lua"), "{args:?}: {}", r.stderr);
    }
    assert_eq!(run(&["--help"]).status, 0);
}

#[test]
fn uncaught_errors_go_to_standard_error() {
    let r = run(&["-e", "io.write('out') error('msg')"]);
    assert_eq!((r.stdout.as_str(), r.status), ("out", 1));
    assert_eq!(
        r.stderr,
        "lua: (command line):1: msg\nstack traceback:\n\t[C]: in function 'error'\n\t(command line):1: in main chunk\n\t[C]: in ?\n"
    );
    let r = run(&["-e", "error({})"]);
    assert!(r.stderr.starts_with("lua: (error object is a table value)\n"), "{}", r.stderr);
    let r = run(&["-e", "error(setmetatable({}, { __tostring = function() return 'mine' end }))"]);
    assert_eq!(r.stderr, "lua: mine\n");
    let r = run(&["-e", "x ="]);
    assert_eq!(r.stderr, "lua: (command line):1: unexpected symbol near <eof>\n");
    let r = run(&["/no/such/file.lua"]);
    assert_eq!(r.stderr, "lua: cannot open /no/such/file.lua: No such file or directory\n");
}

#[test]
fn exit_status_and_buffers() {
    assert_eq!(run(&["-e", "os.exit(3)"]).status, 3);
    assert_eq!(run(&["-e", "os.exit(true)"]).status, 0);
    assert_eq!(run(&["-e", "os.exit(false)"]).status, 1);
    let r = run(&["-e", "io.write('kept') os.exit(0)"]);
    assert_eq!(r.stdout, "kept");
    let r = run(&["-e", "setmetatable({}, { __gc = function() print('closed') end })"]);
    assert_eq!(r.stdout, "closed\n");
    let r = run(&[
        "-e",
        "setmetatable({}, { __gc = function() print('closed') end }) os.exit(0, true)",
    ]);
    assert_eq!(r.stdout, "closed\n");
}

#[test]
fn initialisation_from_the_environment() {
    let dir = Directory::new("init");
    let file = dir.file("init.lua", "x = 'file'");
    let with = |name: &str, value: &str, args: &[&str]| {
        finish(command(args).env(name, value).stdin(Stdio::null()).output().unwrap())
    };
    let show = ["-e", "print(x)"];
    assert_eq!(with("LUA_INIT", "x = 1", &show).stdout, "1\n");
    assert_eq!(with("LUA_INIT_5_4", &format!("@{file}"), &show).stdout, "file\n");
    assert_eq!(with("LUA_INIT", "x = 1", &["-E", "-e", "print(x)"]).stdout, "nil\n");
    let r = with("LUA_INIT", "error('a')", &show);
    assert!(r.stderr.starts_with("lua: LUA_INIT:1: a"), "{}", r.stderr);
    assert_eq!((r.stdout.as_str(), r.status), ("", 1));
    let path = ["-e", "print(package.path)"];
    assert_eq!(with("LUA_PATH", "here/?.lua", &path).stdout, "here/?.lua\n");
}

#[test]
fn standard_input() {
    assert_eq!(with_input(&[], "print('in', ...)").stdout, "in\n");
    assert_eq!(with_input(&["-", "a", "b"], "print('in', ...)").stdout, "in\ta\tb\n");
    let r = with_input(&["-"], "error('x')");
    assert!(r.stderr.starts_with("lua: stdin:1: x"), "{}", r.stderr);
    assert_eq!(r.status, 1);
    assert_eq!(with_input(&["-e", "x = io.read()", "-e", "print(x)"], "line\n").stdout, "line\n");
}

#[test]
fn version_and_warnings() {
    assert!(run(&["-v"]).stdout.starts_with("Perilune "));
    assert_eq!(run(&["-W", "-e", "warn('a', 'b')"]).stderr, "Lua warning: ab\n");
    assert_eq!(run(&["-e", "warn('a')"]).stderr, "");
}

/// What the interactive mode prints, without banner, prompts, and the echo of the input.
fn interactive(input: &str) -> (String, String) {
    let r = with_input(&["-e", "_PROMPT, _PROMPT2 = '', ''", "-i"], input);
    assert_eq!(r.status, 0);
    let mut typed = input.lines().peekable();
    let printed = r.stdout.lines().skip(1).filter(|line| typed.next_if_eq(line).is_none());
    (printed.collect::<Vec<_>>().join("\n").trim_end().to_owned(), r.stderr)
}

#[test]
fn interactive_mode_evaluates_and_prints() {
    assert_eq!(interactive("1 + 1\n").0, "2");
    assert_eq!(interactive("= 'x', nil\n").0, "x\tnil");
    assert_eq!(interactive("x = 5\nx\n").0, "5");
    assert_eq!(interactive("for i = 1, 2 do\nprint(i)\nend\n'done'\n").0, "1\n2\ndone");
    assert_eq!(interactive("local s = [[a\nb]] print(s)\n").0, "a\nb");
    let (out, err) = interactive("error('e')\n3\n");
    assert_eq!(out, "3");
    assert!(err.starts_with("stdin:1: e\nstack traceback:"), "{err}");
    let (out, err) = interactive("x = = 1\n4\n");
    assert_eq!(out, "4");
    assert!(err.contains("stdin:1: unexpected symbol near '='"), "{err}");
    assert!(interactive("if\n").1.contains("near <eof>"));
}

#[test]
fn interactive_prompts() {
    let r = with_input(&["-i"], "if true then\nend\n");
    assert!(r.stdout.ends_with("\n> if true then\n>> end\n> \n"), "{}", r.stdout);
    let r = with_input(&["-e", "_PROMPT = 'p? '", "-i"], "5 + 5\n");
    assert!(r.stdout.ends_with("p? 5 + 5\n10\np? \n"), "{}", r.stdout);
}

#[test]
fn interactive_commands() {
    assert!(interactive(":help\n").0.contains(":dump f"));
    assert!(interactive(":stats\n").0.contains("functions compiled"));
    assert!(interactive(":stats json\n").0.starts_with("{\"functions\":"));
    assert!(interactive("function f(a) return a + 1 end\n:dump f\n").0.contains("RETURN"));
    assert!(interactive(":dump 5\n").0.contains("a function expected"));
    assert!(interactive(":time 2 + 3\n").0.starts_with("5\n"));
    assert_eq!(interactive(":jit off\n:jit\n").0, "jit is off");
    assert_eq!(interactive(":jit off\n:jit on\n:jit\n").0, "jit is on");
    assert!(interactive(":nothing\n").0.starts_with("unknown command"));
}

#[test]
fn statistics_and_dumps() {
    let loops = "local s = 0 for i = 1, 100000 do s = s + i end print(s)";
    let r = run(&["--stats", "-e", loops]);
    assert_eq!(r.stdout, "5000050000\n");
    assert!(r.stderr.contains("functions compiled"), "{}", r.stderr);
    let r = run(&["--stats=json", "-e", loops]);
    assert!(r.stderr.starts_with('{') && r.stderr.trim_end().ends_with('}'), "{}", r.stderr);
    let r = run(&["--dump=bytecode", "-e", "local function f() return 1 end"]);
    assert!(r.stderr.contains("CLOSURE"), "{}", r.stderr);
    let named = "local function one() end function two() end t = { three = function() end } function t.four() end";
    for (name, line) in
        [("one", "; one (command line):1\n"), ("two", "; two "), ("four", "; four ")]
    {
        let r = run(&[&format!("--dump=bytecode:{name}"), "-e", named]);
        assert!(r.stderr.starts_with(line), "{}", r.stderr);
        assert_eq!(r.stderr.matches("RETURN0").count(), 1);
    }
    let f = "local function f(n) return n + 1 end for i = 1, 500 do f(i) end";
    let r = run(&["--jit-threshold=1", "--dump=ssa,asm", "-e", f]);
    assert!(!r.stderr.is_empty());
    assert_eq!(run(&["--no-jit", "--dump=asm", "-e", f]).stderr, "");
}

#[cfg(unix)]
#[test]
fn interrupt_from_the_keyboard() {
    for options in [&["--no-jit"][..], &["--jit-threshold=1"]] {
        let mut child = command(options)
            .args(["-e", "print(1) io.stdout:flush() while true do end"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // The program runs once it has printed.
        let mut first = [0u8; 2];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
        // SAFETY: a plain system call, on a process that was started here and not yet waited for.
        unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGINT) };
        let r = finish(child.wait_with_output().unwrap());
        let start = "lua: (command line):1: interrupted!\nstack traceback:\n\t";
        assert!(r.stderr.starts_with(start), "{}", r.stderr);
        assert!(r.stderr.ends_with("in main chunk\n\t[C]: in ?\n"), "{}", r.stderr);
        assert_eq!(r.status, 1);
    }
}

#[cfg(unix)]
#[test]
fn the_keyboard_interrupts_a_line_of_a_session() {
    let mut child = command(&["-i"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "print('be'..'gun') io.stdout:flush() while true do end").unwrap();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line.trim_end() != "begun" {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0);
    }
    // SAFETY: a plain system call, on a process that was started here and not yet waited for.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGINT) };
    writeln!(input, "6 * 7").unwrap();
    drop(input);
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut output, &mut rest).unwrap();
    let r = finish(child.wait_with_output().unwrap());
    assert!(rest.contains("\n42\n"), "{rest}");
    assert!(r.stderr.contains("stdin:1: interrupted!\nstack traceback:"), "{}", r.stderr);
    assert_eq!(r.status, 0);
}

#[test]
fn time_limit() {
    for text in [
        "while true do pcall(error) end",
        "setmetatable({}, { __gc = function() while true do end end })",
    ] {
        let r = run(&["--time-limit=0.05", "-e", "print(1)", "-e", text, "-e", "print(2)"]);
        if text.starts_with("while") {
            assert!(
                r.stderr.starts_with("lua: (command line):1: time limit exceeded\nstack"),
                "{}",
                r.stderr
            );
            assert_eq!((&*r.stdout, r.status), ("1\n", 1));
        } else {
            assert_eq!((&*r.stdout, r.status), ("1\n2\n", 0));
        }
    }
}
