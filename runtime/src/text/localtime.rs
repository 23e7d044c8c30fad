//! The local time zone, as the C library knows it: `os.date` without `!`, and `os.time{...}`.
//!
//! Holds unsafe code: calls of `localtime_r` and `mktime`. Outside of Unix local time is UTC.

use super::civil::Civil;

/// The fields `os.time` takes, as in C's `struct tm`; they may lie outside of their usual ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Years since 1900.
    pub year: i32,
    /// Months since January.
    pub month: i32,
    /// Day of the month, from 1.
    pub day: i32,
    /// Hours.
    pub hour: i32,
    /// Minutes.
    pub minute: i32,
    /// Seconds.
    pub second: i32,
    /// Whether daylight saving time is in force, if known.
    pub dst: Option<bool>,
}

#[cfg(unix)]
mod imp {
    use super::{Civil, Fields};
    use std::ffi::CStr;

    fn blank() -> libc::tm {
        // SAFETY: `tm` is a C struct of integers and a pointer that may be null; zeros are valid.
        unsafe { std::mem::zeroed() }
    }

    fn civil(tm: &libc::tm) -> Civil {
        let zone = if tm.tm_zone.is_null() {
            String::new()
        } else {
            // SAFETY: the C library just set `tm_zone`, to a string that ends in zero and that it
            // keeps for the life of the process.
            unsafe { CStr::from_ptr(tm.tm_zone) }.to_string_lossy().into_owned()
        };
        Civil {
            year: i64::from(tm.tm_year) + 1900,
            month: tm.tm_mon as u8 + 1,
            day: tm.tm_mday as u8,
            hour: tm.tm_hour as u8,
            minute: tm.tm_min as u8,
            second: tm.tm_sec as u8,
            weekday: tm.tm_wday as u8,
            yearday: tm.tm_yday as u16,
            dst: (tm.tm_isdst >= 0).then_some(tm.tm_isdst > 0),
            offset: tm.tm_gmtoff as i32,
            zone,
        }
    }

    pub fn local(time: i64) -> Option<Civil> {
        let time = libc::time_t::try_from(time).ok()?;
        let mut tm = blank();
        // SAFETY: both pointers are to live values of the right types; `localtime_r` keeps neither.
        let filled = unsafe { libc::localtime_r(&time, &mut tm) };
        (!filled.is_null()).then(|| civil(&tm))
    }

    pub fn to_unix(fields: &Fields) -> Option<i64> {
        let mut tm = blank();
        tm.tm_year = fields.year;
        tm.tm_mon = fields.month;
        tm.tm_mday = fields.day;
        tm.tm_hour = fields.hour;
        tm.tm_min = fields.minute;
        tm.tm_sec = fields.second;
        tm.tm_isdst = fields.dst.map_or(-1, i32::from);
        // SAFETY: the pointer is to a live `tm`; `mktime` normalises it and keeps no reference.
        let time = unsafe { libc::mktime(&mut tm) };
        (time != -1).then_some(time as i64)
    }
}

#[cfg(not(unix))]
mod imp {
    use super::{Civil, Fields};
    use crate::text::civil::days_from_date;

    pub fn local(time: i64) -> Option<Civil> {
        Civil::utc(time)
    }

    pub fn to_unix(fields: &Fields) -> Option<i64> {
        let year = i64::from(fields.year) + 1900 + i64::from(fields.month.div_euclid(12));
        let month = fields.month.rem_euclid(12) as u8 + 1;
        let days = days_from_date(year, month, i64::from(fields.day));
        let time = days * 86_400
            + i64::from(fields.hour) * 3600
            + i64::from(fields.minute) * 60
            + i64::from(fields.second);
        Civil::utc(time).filter(|_| time != -1).map(|_| time)
    }
}

/// Local time at a time in seconds since 1970; `None` if it cannot be represented.
pub fn local(time: i64) -> Option<Civil> {
    imp::local(time)
}

/// Seconds since 1970 of a local time; `None` if it cannot be represented. The normalised fields are
/// [`local`] of the result.
pub fn to_unix(fields: &Fields) -> Option<i64> {
    imp::to_unix(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        for time in [0, 1_000_000_000, 1_700_000_000, 4_000_000_000] {
            let t = local(time).unwrap();
            assert_eq!(t.to_unix(), time);
            let fields = Fields {
                year: (t.year - 1900) as i32,
                month: i32::from(t.month) - 1,
                day: i32::from(t.day),
                hour: i32::from(t.hour),
                minute: i32::from(t.minute),
                second: i32::from(t.second),
                dst: t.dst,
            };
            assert_eq!(to_unix(&fields), Some(time));
        }
        assert_eq!(local(1 << 60), None);
    }

    #[test]
    fn normalises() {
        // The same moment, written with every field out of range.
        let plain =
            Fields { year: 121, month: 0, day: 29, hour: 5, minute: 36, second: 39, dst: None };
        let wild = Fields {
            year: 120,
            month: 13,
            day: -5,
            hour: 50,
            minute: -10,
            second: 99_999,
            ..plain
        };
        assert_eq!(to_unix(&plain), to_unix(&wild));
    }
}
