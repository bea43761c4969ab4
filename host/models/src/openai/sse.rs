//! Server-sent events (HTML standard, section 9.2.6), cut from a stream of bytes.
//!
//! Only data is kept: event names, identifiers and comments are passed over. Three liberties,
//! because servers in use need them: an event that the end of the stream cuts off counts, a
//! field called `error` (llama.cpp) is data, and a byte order mark may stand before any line.

use std::collections::VecDeque;

/// Cuts bytes into events, wherever the network has cut the bytes.
#[derive(Debug)]
pub(crate) struct Events {
    /// The line that is still coming in.
    line: Vec<u8>,
    /// Data lines of the event that is still coming in.
    data: Option<Vec<u8>>,
    /// A line feed would belong to the carriage return before it.
    after_return: bool,
    /// The most bytes of one event.
    limit: usize,
}

/// An event is longer than the limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Events {
    pub(crate) fn new(limit: usize) -> Events {
        Events { line: Vec::new(), data: None, after_return: false, limit }
    }

    /// Takes more bytes, and adds the data of every event that they complete. Bytes that are not
    /// UTF-8 are replaced, as the standard has it.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        events: &mut VecDeque<String>,
    ) -> Result<(), TooLong> {
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let length = end.unwrap_or(bytes.len());
            let gathered = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
            if gathered + length > self.limit {
                return Err(TooLong);
            }
            self.line.extend_from_slice(&bytes[..length]);
            let Some(end) = end else { break };
            self.after_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line(events);
        }
        Ok(())
    }

    /// The stream is over.
    pub(crate) fn end(&mut self, events: &mut VecDeque<String>) {
        self.end_line(events);
        self.end_line(events);
    }

    fn end_line(&mut self, events: &mut VecDeque<String>) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let data = self.data.take().filter(|data| !data.is_empty());
            events.extend(data.map(|data| String::from_utf8_lossy(&data).into_owned()));
            return;
        }
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        if !matches!(name, b"data" | b"error") {
            return;
        }
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &mut self.data {
            None => self.data = Some(value.to_vec()),
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<String> {
        let mut found = VecDeque::new();
        let mut events = Events::new(100);
        for chunk in chunks {
            events.push(chunk, &mut found).unwrap();
        }
        events.end(&mut found);
        found.into()
    }

    #[test]
    fn events_are_cut_as_the_standard_says() {
        assert_eq!(events(&[b"data: a\n\ndata:b\n\n"]), ["a", "b"]);
        assert_eq!(events(&[b"data: a\r\n\r\ndata: b\r\rdata: c\n\n"]), ["a", "b", "c"]);
        assert_eq!(events(&[b"data: {\ndata: }\n\n"]), ["{\n}"]);
        assert_eq!(events(&[b": ping\n\nevent: x\nid: 7\nretry: 3\ndata: a\nfoo\n\n"]), ["a"]);
        assert_eq!(events(&[b"data:  a \n\n"]), [" a "]);
        assert_eq!(events(&[b"\xef\xbb", b"\xbfdata: a\n\n"]), ["a"]);
        assert_eq!(events(&[b"data\n\ndata:\n\n\n\n"]), [""; 0]);
    }

    #[test]
    fn an_event_that_is_cut_off_counts() {
        assert_eq!(events(&[b"data: a\n\ndata: b"]), ["a", "b"]);
        assert_eq!(events(&[b"error: {}\n"]), ["{}"]);
    }

    #[test]
    fn characters_may_be_cut() {
        let (first, second) = "data: é\n\n".as_bytes().split_at(7);
        assert_eq!(events(&[first, second]), ["é"]);
        assert_eq!(events(&[b"data: \xff\n\n"]), ["\u{fffd}"]);
    }

    #[test]
    fn long_events_are_refused() {
        let mut found = VecDeque::new();
        let long = [b'x'; 101];
        assert_eq!(Events::new(100).push(&long, &mut found), Err(TooLong));
        let mut slow = Events::new(100);
        assert!((0..200).any(|_| slow.push(b"data: xxxxx\n", &mut found).is_err()));
        assert!(found.is_empty());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_network_cuts(
            text in "(data: [a-zé]{0,5}|:c|\r|\n|\r\n|\n\n){0,20}",
            cuts in prop::collection::vec(0_usize..100, 0..10),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let collect = |chunks: &[&[u8]]| {
                let (mut events, mut found) = (Events::new(1000), VecDeque::new());
                chunks.iter().for_each(|chunk| events.push(chunk, &mut found).unwrap());
                events.end(&mut found);
                found
            };
            prop_assert_eq!(collect(&[bytes]), collect(&chunks));
        }
    }
}
