//! The buffer in which library functions build strings: charged to the state, and fallible.

use std::ops::Deref;
use std::rc::Rc;

use super::Heap;
use super::door::{Account, OutOfMemory, growth};
use crate::vm::{Throw, Vm};

/// Up to so many bytes a buffer is not counted: there is one at a time.
const UNCOUNTED: usize = 4096;

/// Bytes that grow. What it holds is counted while it lives.
#[derive(Debug, Default)]
pub struct ByteBuffer {
    bytes: Vec<u8>,
    /// Bytes counted, and where.
    counted: usize,
    account: Option<Rc<Account>>,
}

impl ByteBuffer {
    /// An empty buffer.
    pub const fn new() -> ByteBuffer {
        ByteBuffer { bytes: Vec::new(), counted: 0, account: None }
    }

    /// A buffer of all parts, one after the other.
    ///
    /// # Errors
    /// `not enough memory`
    pub fn concat(vm: &mut Vm, parts: &[&[u8]]) -> Result<ByteBuffer, Throw> {
        let mut buffer = ByteBuffer::new();
        buffer.room(vm, parts.iter().map(|part| part.len()).sum())?;
        parts.iter().for_each(|part| buffer.bytes.extend_from_slice(part));
        Ok(buffer)
    }

    /// Bytes that fit without growth.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Forgets the content.
    #[inline]
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Shortens the content.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// The content, to be changed in place.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The vector, with room for `n` more bytes; no more may be pushed.
    ///
    /// # Errors
    /// There is no memory.
    #[inline]
    pub fn try_room(&mut self, heap: &mut Heap, n: usize) -> Result<&mut Vec<u8>, OutOfMemory> {
        if self.bytes.capacity() - self.bytes.len() < n {
            self.grow(heap, n)?;
        }
        Ok(&mut self.bytes)
    }

    /// [`ByteBuffer::try_room`] for library functions.
    ///
    /// # Errors
    /// `not enough memory`
    #[inline]
    pub fn room(&mut self, vm: &mut Vm, n: usize) -> Result<&mut Vec<u8>, Throw> {
        if self.bytes.capacity() - self.bytes.len() < n && self.grow(&mut vm.heap, n).is_err() {
            return Err(super::out_of_memory(vm));
        }
        Ok(&mut self.bytes)
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// `not enough memory`
    #[inline]
    pub fn extend(&mut self, vm: &mut Vm, bytes: &[u8]) -> Result<(), Throw> {
        self.room(vm, bytes.len())?.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends a byte.
    ///
    /// # Errors
    /// `not enough memory`
    #[inline]
    pub fn push(&mut self, vm: &mut Vm, byte: u8) -> Result<(), Throw> {
        self.room(vm, 1)?.push(byte);
        Ok(())
    }

    /// Appends `n` equal bytes.
    ///
    /// # Errors
    /// `not enough memory`
    pub fn fill(&mut self, vm: &mut Vm, n: usize, byte: u8) -> Result<(), Throw> {
        let bytes = self.room(vm, n)?;
        bytes.resize(bytes.len() + n, byte);
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, heap: &mut Heap, n: usize) -> Result<(), OutOfMemory> {
        let (len, old) = (self.bytes.len(), self.bytes.capacity());
        let least = len.checked_add(n).ok_or(OutOfMemory)?;
        let wanted = least.max(old.saturating_mul(2)).max(64);
        self.grow_to(heap, wanted).or_else(|_| self.grow_to(heap, least.saturating_add(least / 8)))
    }

    fn grow_to(&mut self, heap: &mut Heap, capacity: usize) -> Result<(), OutOfMemory> {
        let old = self.bytes.capacity();
        heap.admit(growth(old, capacity))?;
        if self.bytes.try_reserve_exact(capacity - self.bytes.len()).is_err() {
            heap.exhausted();
            // The caller reports it.
            let _ = heap.settled();
            return Err(OutOfMemory);
        }
        heap.note_freed(old);
        if self.bytes.capacity() > UNCOUNTED {
            let account = self.account.get_or_insert_with(|| Rc::clone(&heap.outside));
            account.add(self.bytes.capacity() - self.counted);
            self.counted = self.bytes.capacity();
        }
        Ok(())
    }

    /// The content as a vector that is not counted any more; the buffer is empty.
    pub fn take(&mut self) -> Vec<u8> {
        self.uncount();
        std::mem::take(&mut self.bytes)
    }

    fn uncount(&mut self) {
        if let Some(account) = &self.account {
            account.subtract(self.counted);
        }
        self.counted = 0;
    }
}

impl Deref for ByteBuffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for ByteBuffer {
    fn drop(&mut self) {
        self.uncount();
    }
}
