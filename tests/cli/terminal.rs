//! The interactive mode as a person uses it, at a pseudo-terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{Directory, command};

/// A session at a terminal.
struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    child: Child,
}

impl Terminal {
    fn new(home: &Directory) -> Terminal {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&keyboard).expect("a terminal");
        unlockpt(&keyboard).expect("a terminal");
        let name = ptsname(&keyboard, Vec::new()).expect("its name");
        let name = name.into_string().expect("a path");
        let open = || File::options().read(true).write(true).open(&name).expect("the other end");
        let (input, output, errors) = (open(), open(), open());
        let child = command(&[])
            .env("HOME", home.path())
            .env("TERM", "xterm")
            .stdin(Stdio::from(OwnedFd::from(input)))
            .stdout(Stdio::from(OwnedFd::from(output)))
            .stderr(Stdio::from(OwnedFd::from(errors)))
            .spawn()
            .expect("the program starts");
        let keyboard = File::from(keyboard);
        let mut reader = keyboard.try_clone().expect("a descriptor");
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // Reading fails when the program has gone.
            while let Ok(n @ 1..) = reader.read(&mut piece) {
                if send.send(piece[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { keyboard, screen, seen: String::new(), child }
    }

    fn typed(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("the terminal takes it");
    }

    /// Waits until `text` is on the screen, behind what was waited for before.
    #[track_caller]
    fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            match self.screen.recv_timeout(Duration::from_secs(60)) {
                Ok(piece) => self.seen.push_str(&String::from_utf8_lossy(&piece)),
                Err(_) => panic!("no {text:?} in {:?}", self.seen),
            }
        }
    }

    fn status(mut self) -> Option<i32> {
        self.child.wait().expect("a child").code()
    }
}

#[test]
fn lines_pasted_at_once_are_all_read() {
    let home = Directory::new("paste");
    let mut terminal = Terminal::new(&home);
    terminal.wait_for("> ");
    terminal
        .typed("x = 1\ny = 2\nfunction f(a)\nreturn a * 100\nend\nprint('sum' .. x + y + f(7))\n");
    terminal.wait_for("sum703");
    terminal.typed("\u{4}");
    assert_eq!(terminal.status(), Some(0));
}

#[test]
fn lines_typed_ahead_are_read_when_their_turn_comes() {
    let home = Directory::new("ahead");
    let mut terminal = Terminal::new(&home);
    terminal.typed("print('fi' .. 'rst')\n");
    terminal.wait_for("first");
    terminal.typed("local s = 0 for i = 1, 3000000 do s = s + i end print('d' .. 'one')\nprint('a' .. 'head')\n");
    terminal.wait_for("done");
    terminal.wait_for("ahead");
    terminal.typed("print('la' .. 'st')\n");
    terminal.wait_for("last");
    terminal.typed("os.exit(5)\n");
    assert_eq!(terminal.status(), Some(5));
}

#[test]
fn history_outlives_the_session_however_it_ends() {
    let home = Directory::new("history");
    let history =
        || std::fs::read_to_string(home.path().join(".perilune_history")).unwrap_or_default();
    let mut terminal = Terminal::new(&home);
    terminal.wait_for("> ");
    terminal.typed("print('ke' .. 'pt')\n");
    terminal.wait_for("kept");
    terminal.typed("os.exit(0)\n");
    assert_eq!(terminal.status(), Some(0));
    assert!(history().contains("print('ke' .. 'pt')\nos.exit(0)\n"), "{}", history());
    // The key that goes back twice finds it in the next session.
    let mut terminal = Terminal::new(&home);
    terminal.wait_for("> ");
    terminal.typed("\u{1b}[A\u{1b}[A\n");
    terminal.wait_for("kept");
    terminal.typed("print('mo' .. 're')\n");
    terminal.wait_for("more");
    terminal.typed("\u{4}");
    assert_eq!(terminal.status(), Some(0));
    assert!(history().contains("os.exit(0)\n"), "{}", history());
    assert!(history().ends_with("print('mo' .. 're')\n"), "{}", history());
}

#[test]
fn unfinished_chunks_go_on_and_can_be_dropped() {
    let home = Directory::new("unfinished");
    let mut terminal = Terminal::new(&home);
    terminal.wait_for("> ");
    terminal.typed("for i = 1, 2 do\n");
    terminal.wait_for(">> ");
    terminal.typed("print('turn' .. i)\nend\n");
    terminal.wait_for("turn1");
    terminal.wait_for("turn2");
    terminal.typed("if true then\n");
    terminal.wait_for(">> ");
    // Ctrl-C: what was typed so far is gone.
    terminal.typed("\u{3}");
    terminal.wait_for("> ");
    terminal.typed("print('af' .. 'ter')\n");
    terminal.wait_for("after");
    terminal.typed("error('wr' .. 'ong')\n");
    terminal.wait_for("stdin:1: wrong");
    terminal.typed("\u{4}");
    assert_eq!(terminal.status(), Some(0));
}
