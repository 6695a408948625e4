//! RFC 3339 times as microseconds since 1970-01-01T00:00:00Z, without leap seconds.

use std::fmt::Write as _;

const MICROS: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// 0000-01-01T00:00:00Z, the first instant that RFC 3339 can write.
pub(crate) const FIRST: i64 = days(0, 1, 1) * DAY_SECONDS * MICROS;

/// The last microsecond of the year 9999.
pub(crate) const LAST: i64 = days(10_000, 1, 1) * DAY_SECONDS * MICROS - 1;

/// Reads an RFC 3339 time, such as `2026-01-31T23:59:59.25+01:00`, as microseconds since the epoch. More than six
/// digits of a fraction are rounded down. A leap second (`:60`) is refused: it has no number of its own.
///
/// # Errors
/// What is wrong with the text, as a sentence for people.
pub fn parse_time(text: &str) -> Result<i64, &'static str> {
    parse(text).map(|(micros, _)| micros)
}

/// Like [`parse_time`], but what microseconds cannot hold is refused instead of rounded.
pub(crate) fn parse_exact_time(text: &str) -> Result<i64, &'static str> {
    match parse(text)? {
        (micros, true) => Ok(micros),
        (_, false) => Err("has more than six digits after the point; facts are kept in microseconds"),
    }
}

/// The microseconds, and whether they are all of it.
fn parse(text: &str) -> Result<(i64, bool), &'static str> {
    const SHAPE: &str = "is not an RFC 3339 time such as 2026-01-31T23:59:59Z";
    let bytes = text.as_bytes();
    let (Some(head), Some(tail)) = (bytes.get(..19), bytes.get(19..)) else {
        return Err(SHAPE);
    };
    let separators = head[4] == b'-'
        && head[7] == b'-'
        && matches!(head[10], b'T' | b't')
        && head[13] == b':'
        && head[16] == b':';
    if !separators {
        return Err(SHAPE);
    }
    let number = |at: usize, length: usize| digits(&head[at..at + length]).ok_or(SHAPE);
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);

    let (fraction, zone) = match tail.strip_prefix(b".") {
        None => (&tail[..0], tail),
        Some(rest) => {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if length == 0 {
                return Err(SHAPE);
            }
            rest.split_at(length)
        }
    };
    let offset_seconds = match zone {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2]).ok_or(SHAPE)?, digits(&[*m1, *m2]).ok_or(SHAPE)?);
            if hours > 23 || minutes > 59 {
                return Err("has an offset from UTC beyond 23:59");
            }
            (hours * 60 + minutes) * if *sign == b'-' { -60 } else { 60 }
        }
        [] => return Err("has no offset from UTC; append Z or +hh:mm"),
        _ => return Err(SHAPE),
    };

    if second == 60 {
        return Err("is a leap second, which has no number of its own; use :59 or the next minute");
    }
    if !(1..=12).contains(&month) || day < 1 || day > month_days(year, month) {
        return Err("is a day that no calendar has");
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err("is a time that no clock shows");
    }
    let seconds = days(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second - offset_seconds;
    let (kept, cut) = fraction.split_at(fraction.len().min(6));
    let scale = 10_i64.pow(6 - kept.len() as u32);
    let micros = seconds * MICROS + digits(kept).ok_or(SHAPE)? * scale;
    if !(FIRST..=LAST).contains(&micros) {
        return Err("lies outside of the years 0000 to 9999 in UTC");
    }
    Ok((micros, cut.iter().all(|&digit| digit == b'0')))
}

/// The number that some decimal digits stand for; 0 for none.
fn digits(bytes: &[u8]) -> Option<i64> {
    let mut value = 0;
    for byte in bytes {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(value)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn month_days(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, which is continued backwards.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March here, so that the leap day is its last and every month's first day follows from a
    // linear formula: 153 days in each five months.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// Writes microseconds since the epoch as RFC 3339 in UTC, with the digits after the point that are needed. Instants
/// outside of the years 0000 to 9999, which RFC 3339 cannot write, get the year of ISO 8601 with more digits or a
/// sign; [`parse_time`] refuses it.
pub fn format_time(micros: i64) -> String {
    let (seconds, fraction) = (micros.div_euclid(MICROS), micros.rem_euclid(MICROS));
    let (day, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    // The year is found by a guess that is never too late, then by steps: no inverse of `days` to get wrong.
    let mut year = 1970 + day.div_euclid(366) - i64::from(day < 0);
    while day >= days(year + 1, 1, 1) {
        year += ((day - days(year + 1, 1, 1)) / 366).max(1);
    }
    while day < days(year, 1, 1) {
        year -= 1;
    }
    let mut month = 1;
    while month < 12 && day >= days(year, month + 1, 1) {
        month += 1;
    }
    let date = day - days(year, month, 1) + 1;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let mut text = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{year:+07}"),
    };
    // Writing to a string cannot fail.
    let _ = write!(text, "-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction > 0 {
        let digits = format!(".{fraction:06}");
        text.push_str(digits.trim_end_matches('0'));
    }
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_that_are_known() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T12:00:00z", 951_825_600),
            ("2026-01-01t00:00:00Z", 1_767_225_600),
            ("2026-11-22T13:10:00-05:30", 1_795_372_800),
            ("1900-03-01T00:00:00Z", -2_203_891_200),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(parse_time(text), Ok(seconds * MICROS), "{text}");
        }
        assert_eq!(parse_time("1970-01-01T00:00:00.5Z"), Ok(500_000));
        assert_eq!(parse_time("1970-01-01T00:00:00.000001-00:00"), Ok(1));
        assert_eq!(parse_time("1969-12-31T23:59:59.9999999Z"), Ok(-1), "rounded down, not towards zero");
    }

    #[test]
    fn a_fact_may_not_be_rounded() {
        assert_eq!(parse_exact_time("1970-01-01T00:00:00.0000010Z"), Ok(1));
        assert!(parse_exact_time("1970-01-01T00:00:00.0000011Z").unwrap_err().contains("six digits"));
    }

    #[test]
    fn what_is_no_time() {
        for (text, why) in [
            ("", "not an RFC 3339"),
            ("2026-01-01", "not an RFC 3339"),
            ("2026-01-01 00:00:00Z", "not an RFC 3339"),
            ("2026-01-01T00:00:00", "no offset"),
            ("2026-01-01T00:00:00.Z", "not an RFC 3339"),
            ("2026-01-01T00:00:00+0100", "not an RFC 3339"),
            ("2026-01-01T00:00:00+24:00", "offset"),
            ("2026-01-01T00:00:00ZZ", "not an RFC 3339"),
            ("2026-02-29T00:00:00Z", "calendar"),
            ("1900-02-29T00:00:00Z", "calendar"),
            ("2026-00-01T00:00:00Z", "calendar"),
            ("2026-13-01T00:00:00Z", "calendar"),
            ("2026-04-31T00:00:00Z", "calendar"),
            ("2026-01-00T00:00:00Z", "calendar"),
            ("2026-01-01T24:00:00Z", "clock"),
            ("2026-01-01T00:60:00Z", "clock"),
            ("2026-12-31T23:59:60Z", "leap second"),
            ("2026-01-01T00:00:61Z", "clock"),
            ("0000-01-01T00:00:00+00:01", "outside"),
            ("9999-12-31T23:59:59-00:01", "outside"),
            ("２026-01-01T00:00:00Z", "not an RFC 3339"),
            ("2026-01-01T00:00:0é", "not an RFC 3339"),
            ("+026-01-01T00:00:00Z", "not an RFC 3339"),
        ] {
            let message = parse_time(text).unwrap_err();
            assert!(message.contains(why), "{text}: {message}");
        }
    }

    #[test]
    fn instants_beyond_the_calendar_are_written_but_not_read() {
        for micros in [i64::MIN, FIRST - 1, LAST + 1, i64::MAX] {
            assert!(parse_time(&format_time(micros)).is_err(), "{}", format_time(micros));
        }
        assert_eq!(format_time(LAST + 1), "+010000-01-01T00:00:00Z");
        assert_eq!(format_time(FIRST - 1), "-000001-12-31T23:59:59.999999Z");
    }

    proptest! {
        #[test]
        fn every_instant_is_read_as_it_was_written(micros in FIRST..=LAST) {
            let text = format_time(micros);
            prop_assert_eq!(parse_exact_time(&text), Ok(micros), "{}", text);
        }

        #[test]
        fn later_instants_have_later_texts(a in FIRST..=LAST, b in FIRST..=LAST) {
            // Compared without the Z, which sorts after the point.
            let text = |micros| format_time(micros).trim_end_matches('Z').to_string();
            prop_assert_eq!(a.cmp(&b), text(a).cmp(&text(b)));
        }
    }
}
