//! Walking frames, and describing them: call-site names, tracebacks.

use perilune_ir::bytecode::Function;

use crate::object::{NativeFunction, Proto, Table};
use crate::value::Value;
use crate::varinfo;
use crate::vm::{Link, Vm};

/// One frame of a stack.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Its registers or arguments (for a vararg function: the moved frame).
    pub base: *mut Value,
    /// The frame's base before a vararg function moved it.
    pub original: *mut Value,
    /// The called function; nil for the lowest frame.
    pub callee: Value,
    /// The word index of the instruction that runs, for a Lua function.
    pub pc: u32,
    /// The caller's instruction.
    pub link: Link,
    /// End of a native frame's values; null where unknown.
    pub top: *mut Value,
}

/// The frames of a stack, innermost first. The lowest one (the host's) is left out.
#[derive(Clone, Copy, Debug)]
pub struct Frames {
    base: *mut Value,
    pc: u32,
    top: *mut Value,
}

impl Frames {
    /// The frames from the one at `base`, whose instruction is `pc`.
    pub fn new(base: *mut Value, pc: u32, top: *mut Value) -> Frames {
        Frames { base, pc, top }
    }
}

impl Frames {
    /// No frames.
    pub fn empty() -> Frames {
        Frames::new(std::ptr::null_mut(), 0, std::ptr::null_mut())
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        // SAFETY: `base` is a frame's base; links lead from frame to frame down to the lowest,
        // whose callee is nil.
        unsafe {
            let base = self.base;
            if base.is_null() {
                return None;
            }
            let callee = *base.sub(2);
            if callee.is_nil() {
                return None;
            }
            let mut original = base;
            let mut link = Link((*base.sub(1)).0);
            if link.kind() == Link::VARARG {
                original = base.sub(link.delta());
                link = Link((*original.sub(1)).0);
            }
            let frame = Frame { base, original, callee, pc: self.pc, link, top: self.top };
            self.base = original.sub(link.delta());
            self.pc = link.pc();
            self.top = original.sub(2);
            Some(frame)
        }
    }
}

impl Frame {
    /// The prototype of a Lua function's frame.
    pub fn proto(&self) -> Option<*mut Proto> {
        // SAFETY: a frame's callee is live.
        self.callee.as_closure().map(|f| unsafe { (*f).proto })
    }

    /// The compiled function of a Lua function's frame.
    pub fn function(&self) -> Option<&Function> {
        // SAFETY: a live closure's prototype is live.
        self.proto().map(|proto| unsafe { &*(*proto).function })
    }

    /// The native function of a native frame.
    pub fn native(&self) -> Option<*mut NativeFunction> {
        self.callee.as_native()
    }

    /// The source line of the running instruction, `None` for native or stripped functions.
    pub fn line(&self) -> Option<u32> {
        self.function()?.lines.get(self.pc as usize).copied()
    }

    /// Number of extra arguments (`...`) of a vararg function's frame that was moved.
    pub fn varargs(&self) -> usize {
        if self.base == self.original {
            return 0;
        }
        let params = self.function().map_or(0, |f| usize::from(f.num_params));
        // SAFETY: both point into one stack.
        let moved = unsafe { self.base.offset_from(self.original) } as usize;
        moved - 2 - params
    }

    /// Whether the frame replaced its caller by a tail call.
    pub fn is_tail(&self) -> bool {
        self.link.is_tail()
    }
}

impl Vm {
    /// The frames of the running coroutine, innermost first.
    pub fn frames(&self) -> Frames {
        Frames::new(self.base, self.pc, self.top)
    }

    /// How the caller's instruction names what it calls: kind (`local`, `global`, `method`, `field`,
    /// `upvalue`, `metamethod`, `for iterator`, `hook`) and name.
    pub fn call_site_name(&self, frame: &Frame) -> Option<(&'static str, Vec<u8>)> {
        if frame.is_tail() {
            return None;
        }
        let mut rest = Frames {
            // SAFETY: the link leads to the caller's base.
            base: unsafe { frame.original.sub(frame.link.delta()) },
            pc: frame.link.pc(),
            top: std::ptr::null_mut(),
        };
        if self.detail.finalizing != 0 && self.detail.finalizing == rest.base as usize {
            return Some(("metamethod", b"__gc".to_vec()));
        }
        let caller = rest.next()?;
        if self.detail.stack.hook.running
            && self.detail.stack.hook.last_base == caller.base as usize
            && frame.callee == self.detail.stack.hook.function
        {
            return Some(("hook", b"?".to_vec()));
        }
        varinfo::call_name(caller.function()?, caller.pc)
    }

    /// The name under which a loaded module (or the globals) holds a function: `print`,
    /// `string.rep`.
    pub fn global_name(&mut self, function: Value) -> Option<Vec<u8>> {
        let loaded = self.get_field_raw(self.registry, "_LOADED").as_table()?;
        // SAFETY: the table is live, and nothing here frees objects.
        unsafe {
            let mut at = 0;
            while let Some((next, key, value)) = (*loaded).next_from(at) {
                at = next;
                if let (Some(name), Some(module)) = (key.as_string(), value.as_table()) {
                    let found = self.key_of(module, function);
                    if let Some(field) = found {
                        let module = self.heap.str_bytes(name).to_vec();
                        if module == b"_G" {
                            return Some(field);
                        }
                        return Some([&module[..], b".", &field].concat());
                    }
                }
            }
        }
        None
    }

    fn key_of(&mut self, table: *mut Table, value: Value) -> Option<Vec<u8>> {
        let mut at = 0;
        // SAFETY: as in `global_name`.
        while let Some((next, key, v)) = unsafe { (*table).next_from(at) } {
            at = next;
            if v == value
                && let Some(name) = key.as_string()
            {
                return Some(self.heap.str_bytes(name).to_vec());
            }
        }
        None
    }

    /// The traceback of the running coroutine from frame `level` on, as `debug.traceback` prints it.
    pub fn traceback(&mut self, message: Option<&[u8]>, level: usize) -> Vec<u8> {
        let frames = self.frames();
        self.traceback_of(frames, message, level)
    }

    /// The traceback of any stack. The lowest frame shows as `[C]: in ?` for the host of the main
    /// coroutine.
    pub fn traceback_of(
        &mut self,
        frames: Frames,
        message: Option<&[u8]>,
        level: usize,
    ) -> Vec<u8> {
        /// Frames shown at the start and at the end of a long traceback.
        const FIRST: usize = 10;
        const LAST: usize = 11;
        let mut text = Vec::new();
        if let Some(message) = message {
            text.extend_from_slice(message);
            text.push(b'\n');
        }
        text.extend_from_slice(b"stack traceback:");
        let frames: Vec<Frame> = frames.collect();
        let shown = frames.len().saturating_sub(level);
        let skipping = shown > FIRST + LAST + 1;
        let mut i = level;
        while i < frames.len() {
            if skipping && i == level + FIRST {
                // As the reference counts: the first frame left out is not in the number.
                let n = shown - FIRST - LAST - 1;
                text.extend_from_slice(format!("\n\t...\t(skipping {n} levels)").as_bytes());
                i += n + 1;
                continue;
            }
            self.describe_frame(&frames[i], &mut text);
            i += 1;
        }
        text
    }

    fn describe_frame(&mut self, frame: &Frame, text: &mut Vec<u8>) {
        text.extend_from_slice(b"\n\t");
        match frame.function() {
            Some(function) => {
                text.extend_from_slice(&perilune_frontend::chunk_id_bytes(&function.source));
                if let Some(line) = frame.line() {
                    text.extend_from_slice(format!(":{line}").as_bytes());
                }
            }
            None => text.extend_from_slice(b"[C]"),
        }
        text.extend_from_slice(b": in ");
        if let Some(name) = self.global_name(frame.callee) {
            text.extend_from_slice(&[b"function '", &name[..], b"'"].concat());
        } else if let Some((kind, name)) = self.call_site_name(frame) {
            text.extend_from_slice(&[kind.as_bytes(), b" '", &name, b"'"].concat());
        } else if let Some(function) = frame.function() {
            if function.line_defined == 0 {
                text.extend_from_slice(b"main chunk");
            } else {
                text.extend_from_slice(b"function <");
                text.extend_from_slice(&perilune_frontend::chunk_id_bytes(&function.source));
                text.extend_from_slice(format!(":{}>", function.line_defined).as_bytes());
            }
        } else {
            text.push(b'?');
        }
        if frame.is_tail() {
            text.extend_from_slice(b"\n\t(...tail calls...)");
        }
    }
}
