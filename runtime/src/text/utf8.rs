//! UTF-8 as Lua reads and writes it (manual §6.5): sequences of up to six bytes, values below 2^31.

/// The greatest value Lua encodes.
pub const MAX_VALUE: u32 = 0x7FFF_FFFF;

/// An encoded value, held on the stack.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    bytes: [u8; 6],
    len: u8,
}

impl Encoded {
    /// The encoded bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Encodes a value of at most [`MAX_VALUE`].
///
/// ```
/// use perilune_runtime::text::utf8::encode;
/// assert_eq!(encode(0x20AC).as_bytes(), "€".as_bytes());
/// ```
pub fn encode(value: u32) -> Encoded {
    debug_assert!(value <= MAX_VALUE);
    let len = match value {
        0..=0x7F => {
            return Encoded { bytes: [value as u8, 0, 0, 0, 0, 0], len: 1 };
        }
        0x80..=0x7FF => 2,
        0x800..=0xFFFF => 3,
        0x1_0000..=0x1F_FFFF => 4,
        0x20_0000..=0x3FF_FFFF => 5,
        0x400_0000.. => 6,
    };
    let mut bytes = [0; 6];
    let mut rest = value;
    for slot in bytes[1..len].iter_mut().rev() {
        *slot = 0x80 | (rest & 0x3F) as u8;
        rest >>= 6;
    }
    bytes[0] = (0xFF00u32 >> len) as u8 | rest as u8;
    Encoded { bytes, len: len as u8 }
}

/// Whether `c` continues a sequence.
#[inline]
pub const fn is_continuation(c: u8) -> bool {
    c & 0xC0 == 0x80
}

/// Decodes the sequence at the start of `s`: its value and length. `None` for an invalid sequence:
/// truncated, overlong, and when `strict` also surrogates and values above 10FFFF.
pub fn decode(s: &[u8], strict: bool) -> Option<(u32, usize)> {
    let first = *s.first()?;
    if first < 0x80 {
        return Some((u32::from(first), 1));
    }
    let len = first.leading_ones() as usize;
    if !(2..=6).contains(&len) || s.len() < len {
        return None;
    }
    let mut value = u32::from(first) & (0x7F >> len);
    for &c in &s[1..len] {
        if !is_continuation(c) {
            return None;
        }
        value = value << 6 | u32::from(c & 0x3F);
    }
    const LEAST: [u32; 7] = [0, 0, 0x80, 0x800, 0x1_0000, 0x20_0000, 0x400_0000];
    if value < LEAST[len] || (strict && (value > 0x10_FFFF || (0xD800..=0xDFFF).contains(&value))) {
        return None;
    }
    Some((value, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        for v in [
            0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xD800, 0xFFFF, 0x1_0000, 0x10_FFFF, 0x11_0000,
            0x1F_FFFF, 0x20_0000, 0x3FF_FFFF, 0x400_0000, MAX_VALUE,
        ] {
            let e = encode(v);
            assert_eq!(decode(e.as_bytes(), false), Some((v, e.as_bytes().len())));
            assert_eq!(decode(e.as_bytes(), true).is_some(), char::from_u32(v).is_some());
            assert_eq!(decode(&e.as_bytes()[..e.as_bytes().len() - 1], false), None);
        }
        assert_eq!(encode(MAX_VALUE).as_bytes(), b"\xFD\xBF\xBF\xBF\xBF\xBF");
    }

    #[test]
    fn invalid() {
        for s in [&b"\x80"[..], b"\xC0\x80", b"\xE0\x80\x80", b"\xFF", b"\xFE", b"\xC3a", b""] {
            assert_eq!(decode(s, false), None);
        }
    }
}
