//! `os.date` formats: C's `strftime` in the C locale, with the conversions Lua 5.4 allows.

use super::civil::Civil;
use std::io::Write;

const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// An unknown conversion; holds the rest of the format after its `%`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadConversion(pub Vec<u8>);

impl BadConversion {
    /// The message (an error of argument 1).
    pub fn message(&self) -> Vec<u8> {
        [&b"invalid conversion specifier '%"[..], &self.0, b"'"].concat()
    }
}

/// Appends `time` as `format` says.
///
/// ```
/// use perilune_runtime::text::{civil::Civil, date::push_date};
/// let mut out = Vec::new();
/// push_date(&mut out, b"%Y-%m-%d", &Civil::utc(0).unwrap()).unwrap();
/// assert_eq!(out, b"1970-01-01");
/// ```
pub fn push_date(out: &mut Vec<u8>, format: &[u8], time: &Civil) -> Result<(), BadConversion> {
    let mut rest = format;
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..at]);
        let spec = &rest[at + 1..];
        let (conversion, len) = match spec {
            [b'E', c @ (b'c' | b'C' | b'x' | b'X' | b'y' | b'Y'), ..] => (*c, 2),
            [
                b'O',
                c @ (b'd' | b'e' | b'H' | b'I' | b'm' | b'M' | b'S' | b'u' | b'U' | b'V' | b'w'
                | b'W' | b'y'),
                ..,
            ] => (*c, 2),
            [c, ..] => (*c, 1),
            [] => return Err(BadConversion(Vec::new())),
        };
        if push_conversion(out, conversion, time).is_none() {
            return Err(BadConversion(spec.to_vec()));
        }
        rest = &spec[len..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

fn push_conversion(out: &mut Vec<u8>, conversion: u8, t: &Civil) -> Option<()> {
    let weekday = WEEKDAYS[usize::from(t.weekday)];
    let month = MONTHS[usize::from(t.month) - 1];
    let hour12 = (t.hour + 11) % 12 + 1;
    let half = if t.hour < 12 { "AM" } else { "PM" };
    let short_year = t.year.rem_euclid(100);
    let monday_based = (t.weekday + 6) % 7;
    let week = |weekday: u8| (t.yearday + 7 - u16::from(weekday)) / 7;
    match conversion {
        b'%' => out.push(b'%'),
        b'a' => out.extend_from_slice(&weekday.as_bytes()[..3]),
        b'A' => out.extend_from_slice(weekday.as_bytes()),
        b'b' | b'h' => out.extend_from_slice(&month.as_bytes()[..3]),
        b'B' => out.extend_from_slice(month.as_bytes()),
        b'c' => push_date(out, b"%a %b %e %H:%M:%S %Y", t).ok()?,
        b'C' => write!(out, "{}", t.year.div_euclid(100)).ok()?,
        b'd' => write!(out, "{:02}", t.day).ok()?,
        b'D' | b'x' => write!(out, "{:02}/{:02}/{short_year:02}", t.month, t.day).ok()?,
        b'e' => write!(out, "{:2}", t.day).ok()?,
        b'F' => write!(out, "{}-{:02}-{:02}", t.year, t.month, t.day).ok()?,
        b'g' => write!(out, "{:02}", t.iso_week().0.rem_euclid(100)).ok()?,
        b'G' => write!(out, "{}", t.iso_week().0).ok()?,
        b'H' => write!(out, "{:02}", t.hour).ok()?,
        b'I' => write!(out, "{hour12:02}").ok()?,
        b'j' => write!(out, "{:03}", t.yearday + 1).ok()?,
        b'm' => write!(out, "{:02}", t.month).ok()?,
        b'M' => write!(out, "{:02}", t.minute).ok()?,
        b'n' => out.push(b'\n'),
        b'p' => out.extend_from_slice(half.as_bytes()),
        b'r' => write!(out, "{hour12:02}:{:02}:{:02} {half}", t.minute, t.second).ok()?,
        b'R' => write!(out, "{:02}:{:02}", t.hour, t.minute).ok()?,
        b'S' => write!(out, "{:02}", t.second).ok()?,
        b't' => out.push(b'\t'),
        b'T' | b'X' => write!(out, "{:02}:{:02}:{:02}", t.hour, t.minute, t.second).ok()?,
        b'u' => write!(out, "{}", monday_based + 1).ok()?,
        b'U' => write!(out, "{:02}", week(t.weekday)).ok()?,
        b'V' => write!(out, "{:02}", t.iso_week().1).ok()?,
        b'w' => write!(out, "{}", t.weekday).ok()?,
        b'W' => write!(out, "{:02}", week(monday_based)).ok()?,
        b'y' => write!(out, "{short_year:02}").ok()?,
        b'Y' => write!(out, "{}", t.year).ok()?,
        b'z' => {
            let sign = if t.offset < 0 { '-' } else { '+' };
            let minutes = t.offset.unsigned_abs() / 60;
            write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60).ok()?;
        }
        b'Z' => out.extend_from_slice(t.zone.as_bytes()),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(format: &str, time: i64) -> String {
        let mut out = Vec::new();
        push_date(&mut out, format.as_bytes(), &Civil::utc(time).unwrap()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_conversion() {
        for (f, s) in [
            ("%a %A %b %B %c", "Tue Tuesday Nov November Tue Nov 14 22:13:20 2023"),
            ("%C %d %D %e %F %g %G", "20 14 11/14/23 14 2023-11-14 23 2023"),
            ("%h %H %I %j %m %M %n %p", "Nov 22 10 318 11 13 \n PM"),
            ("%r|%R|%S|%t|%T", "10:13:20 PM|22:13|20|\t|22:13:20"),
            ("%u %U %V %w %W %x %X", "2 46 46 2 46 11/14/23 22:13:20"),
            ("%y %Y %z %Z %%", "23 2023 +0000 GMT %"),
            ("%Ec %EC %Ex %EX %Ey %EY", "Tue Nov 14 22:13:20 2023 20 11/14/23 22:13:20 23 2023"),
            ("%Od%Oe%OH%OI%Om%OM%OS%Ou%OU%OV%Ow%OW%Oy", "141422101113202464624623"),
        ] {
            assert_eq!(date(f, 1_700_000_000), s, "{f}");
        }
    }

    #[test]
    fn edges() {
        let format = "%a %b|%e|%F|%g|%G|%I|%j|%p|%u|%U|%V|%w|%W|%y|%Y";
        for (t, s) in [
            (0, "Thu Jan| 1|1970-01-01|70|1970|12|001|AM|4|00|01|4|00|70|1970"),
            (-1, "Wed Dec|31|1969-12-31|70|1970|11|365|PM|3|52|01|3|52|69|1969"),
            (1104537600, "Sat Jan| 1|2005-01-01|04|2004|12|001|AM|6|00|53|6|00|05|2005"),
            (1230768000, "Thu Jan| 1|2009-01-01|09|2009|12|001|AM|4|00|01|4|00|09|2009"),
            (1609459199, "Thu Dec|31|2020-12-31|20|2020|11|366|PM|4|52|53|4|52|20|2020"),
            (-62135596800, "Mon Jan| 1|1-01-01|01|1|12|001|AM|1|00|01|1|01|01|1"),
            (253402300800, "Sat Jan| 1|10000-01-01|99|9999|12|001|AM|6|00|52|6|00|00|10000"),
            (-99999999999, "Thu Feb|15|-1199-02-15|01|-1199|02|046|PM|4|06|07|4|07|01|-1199"),
            (1709164800, "Thu Feb|29|2024-02-29|24|2024|12|060|AM|4|08|09|4|09|24|2024"),
        ] {
            assert_eq!(date(format, t), s);
        }
    }

    #[test]
    fn errors() {
        let t = Civil::utc(0).unwrap();
        for (f, e) in [
            ("%Ez x", "invalid conversion specifier '%Ez x'"),
            ("a%Q", "invalid conversion specifier '%Q'"),
            ("%", "invalid conversion specifier '%'"),
            ("%E", "invalid conversion specifier '%E'"),
            ("%Oz", "invalid conversion specifier '%Oz'"),
        ] {
            let error = push_date(&mut Vec::new(), f.as_bytes(), &t).unwrap_err();
            assert_eq!(error.message(), e.as_bytes());
        }
    }
}
