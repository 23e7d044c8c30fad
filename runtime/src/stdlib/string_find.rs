//! Pattern matching: `find`, `match`, `gmatch`, `gsub` (manual §6.4).

use std::rc::Rc;
use std::sync::atomic::Ordering;

use super::{LibraryState, Outcome, bytes_of, finish_buffer, take_buffer};
use crate::heap::{ByteBuffer, out_of_memory};
use crate::object::LuaString;
use crate::text::pattern::{Capture, MAX_CAPTURES, Matcher, PatternError, find_plain, is_plain};
use crate::text::pattern_compile::{Pattern, PatternCache};
use crate::value::Value;
use crate::vm::{Args, Throw, Vm};

/// The compiled form of a pattern. Those of long patterns are charged as long as they are in use, and not
/// kept for the next use.
fn compiled(vm: &mut Vm, text: &[u8]) -> Result<Rc<Pattern>, Throw> {
    if text.len() <= PatternCache::LONGEST {
        return Ok(vm.library_state::<LibraryState>().patterns.get(text));
    }
    charged(vm, text.len(), || Pattern::new(text))
}

/// A pattern of `len` bytes, charged as long as it lives.
fn charged(vm: &mut Vm, len: usize, make: impl FnOnce() -> Pattern) -> Result<Rc<Pattern>, Throw> {
    if vm.heap.admit(Pattern::most_bytes(len)).is_err() {
        return Err(out_of_memory(vm));
    }
    let mut pattern = make();
    pattern.count_in(&vm.heap.outside);
    Ok(Rc::new(pattern))
}

/// Throws a pattern's error; an interruption runs the interrupt and, if that does not throw, lets the
/// caller try again.
#[cold]
fn pattern_error(vm: &mut Vm, e: PatternError) -> Result<(), Throw> {
    if e == PatternError::Interrupted {
        return vm.safepoint();
    }
    Err(vm.error(&e.to_string()))
}

/// A function that says whether a request waits that is to be answered now.
fn interrupted(vm: &Vm) -> impl Fn() -> bool + use<> {
    let vm: *const Vm = vm;
    // SAFETY: the state outlives the running function, which outlives the matcher that polls; nobody changes it
    // while that runs but for the poll word.
    move || unsafe {
        let raised = (*vm).poll.load(Ordering::Relaxed);
        raised != 0 && (*vm).detail.stopping.is_due(raised)
    }
}

/// A capture as a value.
#[inline]
fn capture_value(
    vm: &mut Vm,
    m: &Matcher<'_>,
    i: usize,
    start: usize,
    end: usize,
) -> Result<Value, Throw> {
    match m.capture(i, start, end) {
        Ok(Capture::Bytes(bytes)) => vm.try_string(bytes),
        Ok(Capture::Position(at)) => Ok(Value::small_int(at as i64 + 1)),
        Err(e) => Err(vm.error(&e.to_string())),
    }
}

/// Returns the captures of a match (the whole match where there are none), after `before`.
fn return_captures(
    vm: &mut Vm,
    a: Args,
    m: &Matcher<'_>,
    before: &[Value],
    whole: bool,
    (start, end): (usize, usize),
) -> Outcome {
    let count = if whole { m.capture_count().max(1) } else { m.capture_count() };
    if before.is_empty() && count == 1 {
        let v = capture_value(vm, m, 0, start, end)?;
        return a.ret1(v);
    }
    let mut values = [Value::NIL; MAX_CAPTURES + 2];
    values[..before.len()].copy_from_slice(before);
    for i in 0..count {
        values[before.len() + i] = capture_value(vm, m, i, start, end)?;
    }
    a.ret_slice(vm, &values[..before.len() + count])
}

pub(super) fn find(vm: &mut Vm, a: Args) -> Outcome {
    find_or_match(vm, a, true)
}

pub(super) fn match_(vm: &mut Vm, a: Args) -> Outcome {
    find_or_match(vm, a, false)
}

#[inline(always)]
fn find_or_match(vm: &mut Vm, a: Args, find: bool) -> Outcome {
    let subject = a.check_bytes(vm, 1)?;
    let text = a.check_bytes(vm, 2)?;
    let init = match a.get(3) {
        v if v.is_nil() => 0,
        _ => super::string::start_position(a.check_int(vm, 3)?, subject.len()) - 1,
    };
    if init > subject.len() {
        return a.ret1(Value::NIL);
    }
    if find && (a.get(4).is_truthy() || is_plain(text)) {
        return match find_plain(subject, text, init) {
            Some(at) => {
                a.ret2(Value::small_int(at as i64 + 1), Value::small_int((at + text.len()) as i64))
            }
            None => a.ret1(Value::NIL),
        };
    }
    let pattern = compiled(vm, text)?;
    let stop = interrupted(vm);
    let mut m = Matcher::new(subject, &pattern).with_poll(&stop);
    let found = loop {
        match m.find(init) {
            Ok(found) => break found,
            Err(e) => pattern_error(vm, e)?,
        }
    };
    match found {
        None => a.ret1(Value::NIL),
        Some((start, end)) if find => {
            let (from, to) = (Value::small_int(start as i64 + 1), Value::small_int(end as i64));
            if m.capture_count() == 0 {
                return a.ret2(from, to);
            }
            return_captures(vm, a, &m, &[from, to], false, (start, end))
        }
        Some(span) => return_captures(vm, a, &m, &[], true, span),
    }
}

/// Where a `gmatch` iterator stands. The subject is the iterator's upvalue.
struct Iteration {
    pattern: Rc<Pattern>,
    at: usize,
    last: Option<usize>,
}

pub(super) fn gmatch(vm: &mut Vm, a: Args) -> Outcome {
    let s = a.check_str(vm, 1)?;
    let text = a.check_bytes(vm, 2)?;
    // SAFETY: an argument.
    let len = unsafe { (*s).len };
    let init = super::string::start_position(a.opt_int(vm, 3, 1)?, len) - 1;
    let pattern = if text.first() == Some(&b'^') {
        charged(vm, text.len(), || Pattern::without_anchor(text))?
    } else {
        compiled(vm, text)?
    };
    let iterator = vm.new_native(gmatch_step, 0, &[Value::string(s)]);
    let state = Iteration { pattern, at: init.min(len + 1), last: None };
    // What the pattern takes: it may be this iterator alone that keeps it.
    let outside = size_of::<Iteration>() + state.pattern.uncounted_bytes();
    vm.heap.admit_small(outside);
    vm.heap.account(outside as isize);
    // SAFETY: just made.
    unsafe {
        (*iterator).outside = outside as u32;
        (*iterator).host = Some(Box::new(state));
    }
    a.ret1(Value::native(iterator))
}

fn gmatch_step(vm: &mut Vm, a: Args) -> Outcome {
    let Some(s) = a.upvalue(0).as_string() else {
        return a.ret0();
    };
    let subject = bytes_of(vm, s)?;
    let callee = a.callee();
    // SAFETY: the running function is live, and this function is its only user: it does not call
    // back into Lua while it holds the reference, but for an interrupt, after which it takes it anew.
    let state = unsafe { (*callee).host.as_mut().and_then(|h| h.downcast_mut::<Iteration>()) };
    let Some(state) = state else {
        return a.ret0();
    };
    let pattern = Rc::clone(&state.pattern);
    let (at, last) = (state.at, state.last);
    if at > subject.len() {
        return a.ret0();
    }
    let stop = interrupted(vm);
    let mut m = Matcher::new(subject, &pattern).with_poll(&stop);
    let found = loop {
        match m.find_not_ending_at(at, last) {
            Ok(found) => break found,
            Err(e) => pattern_error(vm, e)?,
        }
    };
    // SAFETY: as above.
    let state = unsafe { (*callee).host.as_mut().and_then(|h| h.downcast_mut::<Iteration>()) };
    match (found, state) {
        (Some((start, end)), Some(state)) => {
            state.at = end;
            state.last = Some(end);
            return_captures(vm, a, &m, &[], true, (start, end))
        }
        (_, state) => {
            if let Some(state) = state {
                state.at = subject.len() + 1;
            }
            a.ret0()
        }
    }
}

/// What `gsub` puts in the place of a match.
#[derive(Clone, Copy)]
enum Replacement<'a> {
    /// A string without `%`.
    Plain(&'a [u8]),
    /// A string with references to captures.
    Template(&'a [u8]),
    Table(Value),
    Function(Value),
}

pub(super) fn gsub(vm: &mut Vm, a: Args) -> Outcome {
    let subject = a.check_bytes(vm, 1)?;
    let text = a.check_bytes(vm, 2)?;
    let r = a.get(3);
    let replacement = if r.is_table() {
        Replacement::Table(r)
    } else if r.is_function() {
        Replacement::Function(r)
    } else if super::base::is_string_or_number(r) {
        let bytes = a.check_bytes(vm, 3)?;
        if memchr::memchr(b'%', bytes).is_none() {
            Replacement::Plain(bytes)
        } else {
            Replacement::Template(bytes)
        }
    } else {
        return Err(a.type_error(vm, 3, "string/function/table"));
    };
    let limit = a.opt_int(vm, 4, i64::MAX)?;
    let pattern = compiled(vm, text)?;
    let stop = interrupted(vm);
    let mut m = Matcher::new(subject, &pattern).with_poll(&stop);
    let mut out = take_buffer(vm);
    let (mut at, mut last, mut count, mut changed) = (0, None, 0i64, false);
    // Bytes before `kept` are in `out`.
    let mut kept = 0;
    while count < limit {
        let (start, end) = match m.find_not_ending_at(at, last) {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(e) => {
                pattern_error(vm, e)?;
                continue;
            }
        };
        count += 1;
        out.extend(vm, &subject[kept..start])?;
        kept = end;
        match replacement {
            Replacement::Plain(bytes) => {
                out.extend(vm, bytes)?;
                changed = true;
            }
            Replacement::Template(bytes) => {
                expand(vm, &mut out, bytes, &m, (start, end))?;
                changed = true;
            }
            Replacement::Table(_) | Replacement::Function(_) => {
                changed |= computed(vm, &mut out, replacement, &m, subject, (start, end))?;
            }
        }
        at = end;
        last = Some(end);
        if pattern.is_anchored() {
            break;
        }
        super::poll(vm)?;
    }
    let result = if changed {
        out.extend(vm, &subject[kept..])?;
        finish_buffer(vm, out)?
    } else {
        super::return_buffer(vm, out);
        a.get(1)
    };
    let count = vm.int(count);
    a.ret2(result, count)
}

/// Appends a replacement string, with `%0` to `%9` and `%%` expanded.
fn expand(
    vm: &mut Vm,
    out: &mut ByteBuffer,
    template: &[u8],
    m: &Matcher<'_>,
    (start, end): (usize, usize),
) -> Result<(), Throw> {
    let mut rest = template;
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.extend(vm, &rest[..at])?;
        match rest.get(at + 1) {
            Some(b'%') => out.push(vm, b'%')?,
            Some(b'0') => match whole_match(m, start, end) {
                Some(bytes) => out.extend(vm, bytes)?,
                None => return Err(vm.error("invalid capture index %0")),
            },
            Some(d @ b'1'..=b'9') => match m.capture(usize::from(d - b'1'), start, end) {
                Ok(Capture::Bytes(bytes)) => out.extend(vm, bytes)?,
                Ok(Capture::Position(at)) => {
                    let digits = crate::text::number::NumBuf::int(at as i64 + 1);
                    out.extend(vm, digits.as_bytes())?;
                }
                Err(PatternError::CaptureIndex(i)) => {
                    return Err(vm.error(&format!("invalid capture index %{i}")));
                }
                Err(e) => return Err(vm.error(&e.to_string())),
            },
            _ => return Err(vm.error("invalid use of '%' in replacement string")),
        }
        rest = &rest[at + 2..];
    }
    out.extend(vm, rest)
}

/// The bytes of the whole match.
fn whole_match<'a>(m: &Matcher<'a>, start: usize, end: usize) -> Option<&'a [u8]> {
    m.subject().get(start..end)
}

/// Appends what a table or function answers; false if the match stays as it is.
fn computed(
    vm: &mut Vm,
    out: &mut ByteBuffer,
    replacement: Replacement<'_>,
    m: &Matcher<'_>,
    subject: &[u8],
    (start, end): (usize, usize),
) -> Result<bool, Throw> {
    let value = match replacement {
        Replacement::Table(t) => {
            let key = capture_value(vm, m, 0, start, end)?;
            match t.as_table() {
                // SAFETY: an argument.
                Some(raw) => match unsafe { (*raw).get(&mut vm.heap, key) } {
                    v if v.is_nil() => vm.index(t, key)?,
                    v => v,
                },
                None => vm.index(t, key)?,
            }
        }
        Replacement::Function(f) => {
            let count = m.capture_count().max(1);
            if count == 1 {
                let v = capture_value(vm, m, 0, start, end)?;
                vm.call1(f, &[v])?
            } else {
                let mut values = [Value::NIL; MAX_CAPTURES];
                for (i, v) in values[..count].iter_mut().enumerate() {
                    *v = capture_value(vm, m, i, start, end)?;
                }
                vm.call1(f, &values[..count])?
            }
        }
        Replacement::Plain(_) | Replacement::Template(_) => Value::NIL,
    };
    if let Some(s) = value.as_string() {
        append_string(vm, out, s)?;
        Ok(true)
    } else if value.is_falsy() {
        out.extend(vm, &subject[start..end])?;
        Ok(false)
    } else if value.is_number() {
        out.extend(vm, crate::metamethod::print_number(value).as_bytes())?;
        Ok(true)
    } else {
        let message = format!("invalid replacement value (a {})", value.ty().name());
        Err(vm.error(&message))
    }
}

fn append_string(vm: &mut Vm, out: &mut ByteBuffer, s: *mut LuaString) -> Result<(), Throw> {
    // A result of a call: nothing collects before it is copied.
    let bytes = bytes_of(vm, s)?;
    out.extend(vm, bytes)
}
