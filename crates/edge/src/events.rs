//! Server-sent events, as the gateway sends them (WHATWG HTML, section 9.2, without `retry`).

/// LIMIT: bytes of one event: a snapshot of 768 MiB in base64. A gateway that sends more is none.
const EVENT_BYTES_MAX: usize = 1 << 30;

/// One event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its type.
    pub kind: String,
    /// Its data, lines joined by line feeds.
    pub data: String,
}

/// Makes events of the bytes of a stream.
#[derive(Default)]
pub struct Parser {
    line: Vec<u8>,
    event: Event,
    // Whether the last line ended with a carriage return, after which a line feed is no line of its own.
    returned: bool,
}

/// The stream is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStream {
    /// An event without end.
    #[error("an event is longer than 1 GiB")]
    TooLong,
    /// Bytes that are no text.
    #[error("an event is not UTF-8")]
    NotText,
}

impl Parser {
    /// Takes bytes, and gives the events that end in them.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<Event>, NoStream> {
        let mut events = Vec::new();
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let after_return = std::mem::replace(&mut self.returned, bytes[end] == b'\r');
            let line_feed_of_it = after_return && end == 0 && bytes[0] == b'\n' && self.line.is_empty();
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            if !line_feed_of_it {
                events.extend(self.line()?);
            }
        }
        if !bytes.is_empty() {
            self.returned = false;
            self.line.extend_from_slice(bytes);
        }
        if self.line.len() + self.event.data.len() > EVENT_BYTES_MAX {
            return Err(NoStream::TooLong);
        }
        Ok(events)
    }

    /// A line is complete: the event that it ends.
    fn line(&mut self) -> Result<Option<Event>, NoStream> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let mut event = std::mem::take(&mut self.event);
            event.data.pop();
            return Ok(Some(event).filter(|event| !event.data.is_empty()));
        }
        let line = std::str::from_utf8(&line).map_err(|_| NoStream::NotText)?;
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.kind = value.to_owned(),
            "data" => {
                self.event.data.push_str(value);
                self.event.data.push('\n');
            }
            // Comments, and fields that say nothing here.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whole_however_they_are_cut() {
        let text = "retry: 700\r\n: hello\r\n\r\nevent: state\r\nid: 4\ndata: {\"a\":\ndata:1}\n\nevent: none\n\ndata: x\r\rdata: lost";
        let wanted = [
            Event { kind: "state".to_owned(), data: "{\"a\":\n1}".to_owned() },
            Event { kind: String::new(), data: "x".to_owned() },
        ];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let events: Vec<Event> =
                text.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk).unwrap()).collect();
            assert_eq!(events, wanted, "chunks of {size}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(Parser::default().push(b"data: \xff\n"), Err(NoStream::NotText));
    }
}
