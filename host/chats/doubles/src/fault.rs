//! What goes wrong on request.

use std::collections::VecDeque;
use std::sync::Mutex;

/// What happens to a call instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks, and nothing was done.
    DropBefore,
    /// It was done, and the connection breaks before the answer.
    DropAfter,
    /// The platform asks to wait for so many seconds (429).
    TooMany(u32),
    /// An error with this status, and what the platform says of it.
    Error(u16, String),
}

/// Faults that wait for their calls.
#[derive(Default)]
pub(crate) struct Faults(Mutex<VecDeque<(String, Fault)>>);

impl Faults {
    pub(crate) fn add(&self, call: &str, fault: Fault) {
        self.0.lock().unwrap().push_back((call.to_owned(), fault));
    }

    /// The first fault for this call, which is over with it.
    pub(crate) fn take(&self, call: &str) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap();
        let place = faults.iter().position(|(of, _)| of == call)?;
        faults.remove(place).map(|(_, fault)| fault)
    }
}
