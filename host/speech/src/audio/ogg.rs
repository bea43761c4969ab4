//! Opus in OGG (RFC 7845), as voice messages are.

use std::io::Cursor;

use ogg::Packet;
use ogg::reading::{OggReadError, PacketReader};

use super::damaged;
use super::limits::Collected;
use super::opus::{GRANULE_RATE, Head, MAGIC, Stream};
use crate::SpeechError;

/// Where a page's granule position is.
const GRANULE: std::ops::Range<usize> = 6..14;

/// The granule position of a page on which no packet ends.
const NONE: u64 = u64::MAX;

/// Whether this is an OGG file whose first stream is Opus.
pub(crate) fn is_opus(bytes: &[u8]) -> bool {
    // The first page holds the first header alone, so it begins after 27 bytes and one length.
    bytes.starts_with(b"OggS") && bytes.get(28..).is_some_and(|rest| rest.starts_with(MAGIC))
}

/// Decodes a file to one channel and this rate.
pub(crate) fn decode(
    bytes: &[u8],
    mut sound: Collected,
    rate: u32,
) -> Result<Vec<f32>, SpeechError> {
    if let Some(granule) = last_granule(bytes) {
        sound.limits().check_claim(granule as f64 / GRANULE_RATE as f64)?;
    }
    let mut reader = PacketReader::new(Cursor::new(bytes));
    let mut link: Option<Link> = None;
    while let Some(packet) = reader.read_packet().map_err(|error| damaged(&told(&error)))? {
        match &mut link {
            Some(link) if link.serial == packet.stream_serial() => {
                link.push(&packet, &mut sound)?;
            }
            // Another voice message, after the end of this one.
            _ if packet.data.starts_with(MAGIC) => {
                if let Some(link) = link {
                    link.end(&mut sound);
                }
                link = Some(Link::new(&packet, sound.len(), rate)?);
            }
            // A stream of another kind beside this one.
            _ => {}
        }
    }
    if let Some(link) = link {
        link.end(&mut sound);
    }
    sound.into_samples()
}

/// The granule position of the last page. It may be a lie; but who claims to be long is believed.
fn last_granule(bytes: &[u8]) -> Option<u64> {
    let page = bytes.windows(4).rposition(|window| window == b"OggS")?;
    let granule: [u8; 8] = bytes.get(page..)?.get(GRANULE)?.try_into().ok()?;
    Some(u64::from_le_bytes(granule)).filter(|granule| *granule != NONE)
}

/// A logical stream: files may have several, one after the other.
struct Link {
    serial: u32,
    stream: Stream,
    pre_skip: u64,
    rate: u64,
    /// The comment header was read.
    ready: bool,
    /// Where its samples begin.
    first: usize,
    /// Samples so far, at [`GRANULE_RATE`], those to skip among them.
    decoded: u64,
    /// The granule position at which it begins: not zero for a recording of something live.
    start: Option<u64>,
    /// The granule position of the last page.
    granule: Option<u64>,
}

impl Link {
    fn new(head: &Packet, first: usize, rate: u32) -> Result<Link, SpeechError> {
        let serial = head.stream_serial();
        let head = Head::read(&head.data)?;
        Ok(Link {
            serial,
            stream: Stream::new(head, rate)?,
            pre_skip: head.pre_skip.into(),
            rate: rate.into(),
            ready: false,
            first,
            decoded: 0,
            start: None,
            granule: None,
        })
    }

    fn push(&mut self, packet: &Packet, sound: &mut Collected) -> Result<(), SpeechError> {
        if !self.ready {
            self.ready = packet.data.starts_with(b"OpusTags");
            return if self.ready { Ok(()) } else { Err(damaged("its comment header is missing")) };
        }
        self.decoded += self.stream.push(&packet.data, sound)?;
        if packet.last_in_page() && packet.absgp_page() != NONE {
            let granule = packet.absgp_page();
            // A page that is the only one says by less how much is to be cut off at its end.
            self.start.get_or_insert(granule.saturating_sub(self.decoded));
            self.granule = Some(granule);
        }
        Ok(())
    }

    /// Cuts off what only filled the last packet.
    fn end(self, sound: &mut Collected) {
        let (Some(start), Some(granule)) = (self.start, self.granule) else { return };
        let length = granule.saturating_sub(start).saturating_sub(self.pre_skip);
        if length < self.decoded {
            sound.truncate(self.first + (length * self.rate / GRANULE_RATE) as usize);
        }
    }
}

fn told(error: &OggReadError) -> String {
    match error {
        OggReadError::ReadError(_) => "it is cut off".into(),
        OggReadError::HashMismatch(..) => "a checksum is wrong".into(),
        _ => "its OGG pages do not fit together".into(),
    }
}
