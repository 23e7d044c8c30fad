//! Civil time of the proleptic Gregorian calendar, and its relation to seconds since 1970.

/// A broken-down time, as `os.date("*t")` shows it. All fields are in range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Full year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
    /// Days since Sunday, 0 to 6.
    pub weekday: u8,
    /// Days since 1 January, 0 to 365.
    pub yearday: u16,
    /// Whether daylight saving time is in force, if known.
    pub dst: Option<bool>,
    /// Seconds east of UTC.
    pub offset: i32,
    /// Abbreviation of the time zone.
    pub zone: String,
}

const DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;
/// Days in 400 years.
const ERA: i64 = 146_097;

/// Days from 1970-01-01 to a date. `month` is 1 to 12; `day` may lie outside of the month.
pub fn days_from_date(year: i64, month: u8, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let day_of_year = (153 * i64::from(month) + 2) / 5 + day - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - EPOCH
}

/// The date (year, month, day) so many days after 1970-01-01.
pub fn date_from_days(days: i64) -> (i64, u8, u8) {
    let days = days + EPOCH;
    let era = days.div_euclid(ERA);
    let of_era = days.rem_euclid(ERA);
    // Leave out the leap days that come before, then count years of 365 days.
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (era * 400 + year, month as u8, day as u8)
}

/// Whether a year has 366 days.
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

impl Civil {
    /// UTC at a time in seconds since 1970; `None` when the year does not fit C's `struct tm`.
    ///
    /// ```
    /// use perilune_runtime::text::civil::Civil;
    /// let t = Civil::utc(1_700_000_000).unwrap();
    /// assert_eq!((t.year, t.month, t.day, t.hour), (2023, 11, 14, 22));
    /// ```
    pub fn utc(time: i64) -> Option<Civil> {
        let days = time.div_euclid(DAY);
        let second = time.rem_euclid(DAY);
        let (year, month, day) = date_from_days(days);
        i32::try_from(year - 1900).ok()?;
        Some(Civil {
            year,
            month,
            day,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
            weekday: (days + 4).rem_euclid(7) as u8,
            yearday: (days - days_from_date(year, 1, 1)) as u16,
            dst: Some(false),
            offset: 0,
            zone: "GMT".to_string(),
        })
    }

    /// Seconds since 1970 of these fields.
    pub fn to_unix(&self) -> i64 {
        days_from_date(self.year, self.month, i64::from(self.day)) * DAY
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + i64::from(self.second)
            - i64::from(self.offset)
    }

    /// ISO 8601 year and week.
    pub fn iso_week(&self) -> (i64, u8) {
        let weekday = i64::from((self.weekday + 6) % 7); // days since Monday
        let week = (i64::from(self.yearday) - weekday + 10) / 7;
        let weeks_in = |year: i64| {
            // 53 weeks when 1 January is a Thursday, or a Wednesday in a leap year.
            let first = (days_from_date(year, 1, 1) + 4).rem_euclid(7);
            if first == 4 || (first == 3 && is_leap(year)) { 53 } else { 52 }
        };
        if week < 1 {
            (self.year - 1, weeks_in(self.year - 1))
        } else if week as u8 > weeks_in(self.year) {
            (self.year + 1, 1)
        } else {
            (self.year, week as u8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_800_years() {
        let mut days = days_from_date(1600, 1, 1);
        for year in 1600..2400 {
            let mut yearday = 0;
            for month in 1..=12 {
                let len = match month {
                    2 => 28 + u8::from(is_leap(year)),
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                for day in 1..=len {
                    assert_eq!(days_from_date(year, month, i64::from(day)), days);
                    assert_eq!(date_from_days(days), (year, month, day));
                    let t = Civil::utc(days * DAY + 3_661).unwrap();
                    assert_eq!(t.yearday, yearday);
                    assert_eq!(t.to_unix(), days * DAY + 3_661);
                    days += 1;
                    yearday += 1;
                }
            }
        }
    }

    #[test]
    fn limits() {
        assert_eq!(Civil::utc(67_768_036_191_676_799).unwrap().year, 2_147_485_547);
        assert_eq!(Civil::utc(67_768_036_191_676_800), None);
        assert_eq!(Civil::utc(-67_768_040_609_740_800).unwrap().year, -2_147_481_748);
        assert_eq!(Civil::utc(-67_768_040_609_740_801), None);
        assert_eq!(Civil::utc(i64::MAX), None);
        assert_eq!(Civil::utc(i64::MIN), None);
    }
}
