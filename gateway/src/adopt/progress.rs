//! How far a pass over a query is, how fast it is, and how long it will take.

use std::fmt;
use std::io;

/// Told after every batch.
pub type Tell<'t> = &'t mut (dyn FnMut(&Meter) -> io::Result<()> + Send);

/// One pass over one query.
#[derive(Clone, Debug)]
pub struct Meter {
    query: String,
    read: u64,
    total: u64,
    begun_with: u64,
    begun_at: i64,
    now: i64,
}

impl Meter {
    /// Begins at a moment (microseconds), after so many rows of so many.
    pub fn new(query: &str, read: u64, total: u64, now: i64) -> Self {
        Meter { query: query.to_owned(), read, total, begun_with: read, begun_at: now, now }
    }

    /// So many more rows.
    pub fn read(&mut self, rows: u64, now: i64) {
        self.read += rows;
        self.now = now;
    }

    /// Microseconds, as it was told.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Whether all rows that were there in the beginning are read.
    pub fn is_done(&self) -> bool {
        self.read >= self.total
    }

    /// Rows a second. `None`: nothing is known yet.
    pub fn rate(&self) -> Option<f64> {
        let seconds = (self.now - self.begun_at) as f64 / 1e6;
        let rows = self.read.saturating_sub(self.begun_with) as f64;
        (seconds > 0.0 && rows > 0.0).then(|| rows / seconds)
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = (self.read * 100).checked_div(self.total).unwrap_or(100).min(100);
        write!(f, "{}: {} of {} rows, {part} %", self.query, self.read, self.total.max(self.read))?;
        let Some(rate) = self.rate() else { return Ok(()) };
        write!(f, ", {rate:.0} rows/s")?;
        match self.total.saturating_sub(self.read) {
            0 => Ok(()),
            left => write!(f, ", {} left", Seconds(left as f64 / rate)),
        }
    }
}

struct Seconds(f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.ceil() as u64;
        match seconds {
            0..60 => write!(f, "{seconds} s"),
            60..3600 => write!(f, "{} min {:02} s", seconds / 60, seconds % 60),
            _ => write!(f, "{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_of_this_pass() {
        let mut meter = Meter::new("sessions", 1000, 10_000, 5_000_000);
        assert_eq!(meter.to_string(), "sessions: 1000 of 10000 rows, 10 %");
        meter.read(1000, 7_000_000);
        assert_eq!(meter.to_string(), "sessions: 2000 of 10000 rows, 20 %, 500 rows/s, 16 s left");
        meter.read(8000, 87_000_000);
        assert_eq!(meter.to_string(), "sessions: 10000 of 10000 rows, 100 %, 110 rows/s");
        assert_eq!(Seconds(7384.0).to_string(), "2 h 03 min");
    }
}
