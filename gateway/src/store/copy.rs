//! The binary form of COPY: rows of fields, each with its length. It is the fastest way in and out of Postgres, and it
//! carries times as microseconds and texts as they are, without escapes.
//!
//! ```text
//! "PGCOPY\n\xff\r\n\0"  flags u32  extension length u32      once
//! number of fields i16  (length i32 | -1 for NULL, bytes)*   per row
//! -1 i16                                                     at the end
//! ```
//! All numbers are big-endian.

use super::StoreError;
use futures_util::TryStreamExt;
use postern_world::Life;
use sqlx::PgConnection;

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Postgres counts microseconds from 2000-01-01, a world from 1970-01-01.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// How much of a table's rows is gathered before it is sent.
const CHUNK_BYTES: usize = 256 * 1024;

/// How much is read in one go. A task that always has something to read keeps its thread from looking whether anybody else
/// has, for a second and more where a large organization is read.
const GO_BYTES: usize = 64 * 1024;

/// Runs `COPY (…) TO STDOUT (FORMAT binary)` and gives every row to `each`.
pub async fn copy_out(
    connection: &mut PgConnection,
    table: &'static str,
    statement: &'static str,
    mut each: impl FnMut(&mut Fields<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut stream = connection.copy_out_raw(statement).await?;
    // What is left of a row that continues in the next message. Postgres sends one row a message, but promises nothing.
    let mut rest: Vec<u8> = Vec::new();
    let (mut begun, mut gone) = (false, 0);
    while let Some(chunk) = stream.try_next().await? {
        gone += chunk.len();
        if gone > GO_BYTES {
            gone = 0;
            tokio::task::yield_now().await;
        }
        if rest.is_empty() {
            let used = rows(&chunk, table, &mut begun, &mut each)?;
            rest.extend_from_slice(&chunk[used..]);
        } else {
            rest.extend_from_slice(&chunk);
            let used = rows(&rest, table, &mut begun, &mut each)?;
            rest.drain(..used);
        }
    }
    if begun && rest.is_empty() { Ok(()) } else { Err(malformed(table)) }
}

/// Passes on the whole rows at the start of `bytes`; how many bytes they were.
fn rows(
    bytes: &[u8],
    table: &'static str,
    begun: &mut bool,
    each: &mut impl FnMut(&mut Fields<'_>) -> Result<(), StoreError>,
) -> Result<usize, StoreError> {
    let mut at = 0;
    if !*begun {
        let Some(header) = bytes.get(..19) else {
            return Ok(0);
        };
        if !header.starts_with(SIGNATURE) || header[11..] != [0; 8] {
            return Err(malformed(table));
        }
        *begun = true;
        at = 19;
    }
    loop {
        let Some(count) = bytes.get(at..at + 2) else {
            return Ok(at);
        };
        let count = i16::from_be_bytes([count[0], count[1]]);
        if count == -1 {
            return Ok(at + 2);
        }
        let Some(end) = row_end(bytes, at + 2, count) else {
            return Ok(at);
        };
        let mut fields = Fields { bytes: &bytes[at + 2..end], table };
        each(&mut fields)?;
        if !fields.bytes.is_empty() {
            return Err(malformed(table));
        }
        at = end;
    }
}

fn row_end(bytes: &[u8], mut at: usize, count: i16) -> Option<usize> {
    for _ in 0..count {
        let length = i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        at += 4 + usize::try_from(length).unwrap_or(0);
    }
    (at <= bytes.len()).then_some(at)
}

fn malformed(table: &'static str) -> StoreError {
    StoreError::Inconsistent { table, what: "COPY sent what is not its binary form".to_owned() }
}

/// The fields of one row, taken one after the other in the order of the statement.
pub struct Fields<'r> {
    bytes: &'r [u8],
    table: &'static str,
}

impl<'r> Fields<'r> {
    /// A row that [`Fields::take`] gave.
    pub fn of(bytes: &'r [u8], table: &'static str) -> Self {
        Fields { bytes, table }
    }

    /// All fields that were not taken yet, as they came.
    pub fn take(&mut self) -> &'r [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// How many bytes the first fields have, with their lengths.
    pub fn length_of(&self, fields: usize) -> Result<usize, StoreError> {
        let mut rest = Fields { bytes: self.bytes, table: self.table };
        for _ in 0..fields {
            rest.field()?;
        }
        Ok(self.bytes.len() - rest.bytes.len())
    }

    fn field(&mut self) -> Result<Option<&'r [u8]>, StoreError> {
        let bytes = self.bytes;
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| malformed(self.table))?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.bytes = rest;
            return Ok(None);
        };
        let (value, rest) = rest.split_at_checked(length).ok_or_else(|| malformed(self.table))?;
        self.bytes = rest;
        Ok(Some(value))
    }

    fn some<T>(&self, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| StoreError::Inconsistent {
            table: self.table,
            what: "NULL where a value must be".to_owned(),
        })
    }

    /// A text that may be NULL.
    pub fn optional(&mut self) -> Result<Option<&'r str>, StoreError> {
        let table = self.table;
        let read = |bytes| std::str::from_utf8(bytes).map_err(|_| malformed(table));
        self.field()?.map(read).transpose()
    }

    /// A text.
    pub fn text(&mut self) -> Result<&'r str, StoreError> {
        let text = self.optional()?;
        self.some(text)
    }

    /// A boolean.
    pub fn boolean(&mut self) -> Result<bool, StoreError> {
        let value = self.field()?;
        Ok(self.some(value)? == [1])
    }

    /// A moment, in microseconds since 1970.
    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        let table = self.table;
        let read = |bytes: &[u8]| {
            let micros = i64::from_be_bytes(bytes.try_into().map_err(|_| malformed(table))?);
            micros.checked_add(POSTGRES_EPOCH_MICROS).ok_or_else(|| malformed(table))
        };
        self.field()?.map(read).transpose()
    }

    /// `active, not_before, expires_at`
    pub fn life(&mut self) -> Result<Life, StoreError> {
        Ok(Life { active: self.boolean()?, not_before: self.time()?, expires_at: self.time()? })
    }

    /// An array of texts; NULL is an empty one. `out` is emptied first.
    pub fn texts(&mut self, out: &mut Vec<&'r str>) -> Result<(), StoreError> {
        out.clear();
        let Some(array) = self.field()? else { return Ok(()) };
        let table = self.table;
        let number = |at: usize| {
            let bytes = array.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(i32::from_be_bytes).ok_or_else(|| malformed(table))
        };
        // Dimensions, flags, type of the elements; then per dimension its length and first index.
        if number(0)? == 0 {
            return Ok(());
        }
        let mut elements = Fields { bytes: array.get(20..).ok_or_else(|| malformed(table))?, table };
        for _ in 0..number(12)? {
            out.push(elements.text()?);
        }
        if number(0)? == 1 && elements.bytes.is_empty() { Ok(()) } else { Err(malformed(table)) }
    }
}

/// Rows on their way into a table, in the binary form.
pub struct CopyIn<'c> {
    copy: sqlx::postgres::PgCopyIn<&'c mut PgConnection>,
    buffer: Vec<u8>,
}

impl<'c> CopyIn<'c> {
    /// `COPY table (columns) FROM STDIN (FORMAT binary)`
    pub async fn begin(
        connection: &'c mut PgConnection,
        statement: &'static str,
    ) -> Result<Self, StoreError> {
        let copy = connection.copy_in_raw(statement).await?;
        let mut buffer = Vec::with_capacity(CHUNK_BYTES + 4096);
        buffer.extend_from_slice(SIGNATURE);
        buffer.extend_from_slice(&[0; 8]);
        Ok(CopyIn { copy, buffer })
    }

    /// Begins a row of so many fields, all of which must follow. Sends what was gathered when it is enough.
    pub async fn row(&mut self, fields: i16) -> Result<&mut Vec<u8>, StoreError> {
        if self.buffer.len() >= CHUNK_BYTES {
            self.copy.send(&self.buffer[..]).await?;
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(&fields.to_be_bytes());
        Ok(&mut self.buffer)
    }

    /// Sends the rest; how many rows the table took.
    pub async fn finish(mut self) -> Result<u64, StoreError> {
        self.buffer.extend_from_slice(&(-1i16).to_be_bytes());
        self.copy.send(&self.buffer[..]).await?;
        Ok(self.copy.finish().await?)
    }
}

/// Appends fields to a row.
pub trait PutField {
    /// The bytes of a field.
    fn put(&mut self, value: &[u8]);
    /// NULL.
    fn put_null(&mut self);
    /// A text that may be NULL.
    fn put_optional(&mut self, text: Option<&str>);
    /// A boolean.
    fn put_boolean(&mut self, value: bool);
    /// A moment in microseconds since 1970.
    fn put_time(&mut self, micros: Option<i64>);
    /// `active, not_before, expires_at`
    fn put_life(&mut self, life: Life);
    /// An array of texts.
    fn put_texts(&mut self, texts: &[String]);
    /// A jsonb value, given as its text.
    fn put_json(&mut self, text: &str);
}

/// The type number of `text` in every Postgres: what an array says of its elements.
const TEXT_OID: u32 = 25;

impl PutField for Vec<u8> {
    fn put(&mut self, value: &[u8]) {
        self.extend_from_slice(&length_of(value.len()));
        self.extend_from_slice(value);
    }

    fn put_null(&mut self) {
        self.extend_from_slice(&(-1i32).to_be_bytes());
    }

    fn put_optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.put(text.as_bytes()),
            None => self.put_null(),
        }
    }

    fn put_boolean(&mut self, value: bool) {
        self.put(&[u8::from(value)]);
    }

    fn put_time(&mut self, micros: Option<i64>) {
        match micros {
            // A world's years have four digits: nowhere near the ends of i64.
            Some(micros) => self.put(&micros.saturating_sub(POSTGRES_EPOCH_MICROS).to_be_bytes()),
            None => self.put_null(),
        }
    }

    fn put_life(&mut self, life: Life) {
        self.put_boolean(life.active);
        self.put_time(life.not_before);
        self.put_time(life.expires_at);
    }

    fn put_texts(&mut self, texts: &[String]) {
        let bytes: usize = texts.iter().map(|text| 4 + text.len()).sum();
        let header = if texts.is_empty() { 12 } else { 20 };
        self.extend_from_slice(&length_of(header + bytes));
        self.extend_from_slice(&i32::from(!texts.is_empty()).to_be_bytes());
        self.extend_from_slice(&0i32.to_be_bytes());
        self.extend_from_slice(&TEXT_OID.to_be_bytes());
        if !texts.is_empty() {
            self.extend_from_slice(&length_of(texts.len()));
            self.extend_from_slice(&1i32.to_be_bytes());
        }
        for text in texts {
            self.put(text.as_bytes());
        }
    }

    fn put_json(&mut self, text: &str) {
        self.extend_from_slice(&length_of(text.len() + 1));
        // The version of jsonb's binary form.
        self.push(1);
        self.extend_from_slice(text.as_bytes());
    }
}

/// A length on the wire. LIMIT: what is sent comes from a document of at most 512 MiB.
fn length_of(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap_or(i32::MAX).to_be_bytes()
}
