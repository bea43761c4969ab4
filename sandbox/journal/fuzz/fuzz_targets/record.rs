//! Records from arbitrary bytes: whatever is read is written the same way again.
#![no_main]

use june_journal::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(record) = Record::from_bytes(bytes) else { return };
    assert_eq!(record.to_bytes(), bytes, "{record:?}");
    if let june_journal::record::Event::End(end) = &record.event
        && let Some(exit) = &end.exit
    {
        assert!(!exit.name().is_empty());
        let _ = exit.detail();
    }
});
