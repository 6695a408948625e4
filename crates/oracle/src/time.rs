//! Times: RFC 3339 text to microseconds since 1970-01-01T00:00:00Z.

/// Reads a time. Digits beyond microseconds round it down.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    read(text).ok_or_else(|| format!("`{text}` is not a time of RFC 3339"))
}

fn read(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    if !(is(4, b'-') && is(7, b'-') && (is(10, b'T') || is(10, b't')) && is(13, b':') && is(16, b':')) {
        return None;
    }
    let (year, month, day) = (digits(bytes, 0, 4)?, digits(bytes, 5, 2)?, digits(bytes, 8, 2)?);
    let (hour, minute, second) = (digits(bytes, 11, 2)?, digits(bytes, 14, 2)?, digits(bytes, 17, 2)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }

    let mut at = 19;
    let mut micros = 0;
    if is(at, b'.') {
        let fraction: Vec<u8> = bytes[at + 1..].iter().copied().take_while(u8::is_ascii_digit).collect();
        if fraction.is_empty() {
            return None;
        }
        for place in 0..6 {
            micros = micros * 10 + fraction.get(place).map_or(0, |digit| i64::from(digit - b'0'));
        }
        at += 1 + fraction.len();
    }

    let offset_minutes = match bytes.get(at)? {
        b'Z' | b'z' if bytes.len() == at + 1 => 0,
        sign @ (b'+' | b'-') if bytes.len() == at + 6 && is(at + 3, b':') => {
            let (hours, minutes) = (digits(bytes, at + 1, 2)?, digits(bytes, at + 4, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = hours * 60 + minutes;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };

    let days = days_before(year, month) + day - 1;
    let seconds = ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
    Some(seconds * 1_000_000 + micros)
}

fn digits(bytes: &[u8], from: usize, count: usize) -> Option<i64> {
    let mut value = 0;
    for byte in bytes.get(from..from + count)? {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(value)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of the month, counted one year and one month at a time.
fn days_before(year: i64, month: i64) -> i64 {
    let days_of_year = |year| if is_leap(year) { 366 } else { 365 };
    let years: i64 = if year >= 1970 {
        (1970..year).map(days_of_year).sum()
    } else {
        -(year..1970).map(days_of_year).sum::<i64>()
    };
    years + (1..month).map(|month| days_of_month(year, month)).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_are_read() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000001Z", 1),
            ("1970-01-01T00:00:00.0000019Z", 1),
            ("1970-01-01T02:00:00+02:00", 0),
            ("1969-12-31T23:59:59.5Z", -500_000),
            ("1969-12-31T23:30:00-00:30", 0),
            ("2000-03-01T00:00:00Z", 951_868_800_000_000),
            ("2026-01-01T00:00:00Z", 1_767_225_600_000_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
        ] {
            assert_eq!(parse(text), Ok(micros), "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00Z ",
            "2026-01-01T00:00:00+2:00",
            "２026-01-01T00:00:00Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
