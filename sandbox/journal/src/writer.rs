//! Writing the journal: many runs at once, one stream, one commit for all that
//! came in meanwhile.
//!
//! Whoever appends a record gets its number at once; a thread of the journal's
//! own writes what has gathered, signs a checkpoint over it, and makes both
//! durable with one `fdatasync`. It does so when somebody waits for a record,
//! when [`GROUP`] records have gathered, and otherwise [`DELAY`] after the
//! first of them. Appending blocks while too much has gathered. After a failure
//! the journal takes no more records: what cannot be recorded must not happen.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::blobs::Blobs;
use crate::commit::Files;
use crate::folder::{Error, Folder, io};
use crate::record::{Data, Event, INLINE, MAX_RECORD, Record, Start};
use crate::recovery::Tail;

/// The most records that one checkpoint commits.
pub const GROUP: usize = 1024;

/// How long a record waits for others at the most before it is written.
pub const DELAY: Duration = Duration::from_millis(5);

/// How many records, and how many bytes, may wait to be written.
const WAITING: (usize, usize) = (4 * GROUP, 16 << 20);

/// A journal, open for writing. Clones share it.
#[derive(Clone)]
pub struct Journal(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    blobs: Blobs,
    /// Milliseconds of Unix time.
    clock: fn() -> u64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Is told of a group of records: how many, and how long it took to make them durable.
type Observer = Box<dyn Fn(usize, Duration) + Send + Sync>;

/// What the thread and those who append share.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Records came in, or somebody waits for them.
    filled: Condvar,
    /// A group was written, or writing failed.
    written: Condvar,
    /// Is told of every group.
    observer: OnceLock<Observer>,
}

#[derive(Default)]
struct Queue {
    /// The number of the next record.
    next: u64,
    records: Vec<Vec<u8>>,
    bytes: usize,
    /// When the first of them came in.
    since: Option<Instant>,
    /// How many records are durable.
    durable: u64,
    /// Somebody waits for the record before this number.
    wanted: u64,
    closing: bool,
    failed: Option<String>,
}

impl Journal {
    /// Opens a journal for writing, and cuts off what a writer that died had
    /// begun to write. `clock` tells milliseconds of Unix time.
    ///
    /// # Errors
    ///
    /// When there is no journal, somebody else writes to it, it cannot be
    /// written, or it is damaged.
    pub fn open(folder: &Folder, clock: fn() -> u64) -> Result<(Self, Option<Tail>), Error> {
        let (files, tail) = Files::open(folder)?;
        let size = files.size();
        let queue = Queue { next: size, durable: size, ..Queue::default() };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), ..Shared::default() });
        let writing = shared.clone();
        let thread = std::thread::Builder::new()
            .name("june-journal".into())
            .spawn(move || writing.write_all(files))
            .map_err(io(folder.path()))?;
        let handle =
            Handle { shared, blobs: folder.blobs(), clock, thread: Mutex::new(Some(thread)) };
        Ok((Self(Arc::new(handle)), tail))
    }

    /// Records that a run begins, and returns the run's name: the number of
    /// this record.
    ///
    /// # Errors
    ///
    /// When the journal takes no more records.
    pub fn start(&self, start: Start) -> Result<u64, Error> {
        self.push(|number| Record::new(number, (self.0.clock)(), Event::Start(start)))
    }

    /// Adds a record to a run, and returns the record's number. It is durable
    /// soon; [`wait`](Self::wait) tells when.
    ///
    /// # Errors
    ///
    /// When the journal takes no more records.
    pub fn append(&self, run: u64, event: Event) -> Result<u64, Error> {
        self.push(|_| Record::new(run, (self.0.clock)(), event))
    }

    fn push(&self, record: impl FnOnce(u64) -> Record) -> Result<u64, Error> {
        let shared = &*self.0.shared;
        let mut queue = shared.lock();
        while queue.failed.is_none()
            && (queue.records.len() >= WAITING.0 || queue.bytes >= WAITING.1)
        {
            queue = shared.written.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.check()?;
        if queue.closing {
            return Err(Error::Failed("it was closed".into()));
        }
        let number = queue.next;
        let bytes = record(number).to_bytes();
        if bytes.len() > MAX_RECORD {
            return Err(Error::Long(bytes.len()));
        }
        queue.next += 1;
        queue.bytes += bytes.len();
        queue.records.push(bytes);
        if queue.records.len() == 1 {
            queue.since = Some(Instant::now());
        }
        if queue.records.len() == 1 || queue.records.len() == GROUP {
            shared.filled.notify_one();
        }
        Ok(number)
    }

    /// Returns when this record, and with it all before it, is durable.
    ///
    /// # Errors
    ///
    /// When it could not be written.
    pub fn wait(&self, number: u64) -> Result<(), Error> {
        let shared = &*self.0.shared;
        let mut queue = shared.lock();
        while queue.durable <= number {
            queue.check()?;
            queue.wanted = queue.wanted.max(number + 1);
            shared.filled.notify_one();
            queue = shared.written.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Tells of every group of records that becomes durable from now on: how
    /// many they are, and how long that took. It is called on the thread that
    /// writes, and has to be quick. Only the first call of this counts.
    pub fn on_commit(&self, observer: impl Fn(usize, Duration) + Send + Sync + 'static) {
        let _ = self.0.shared.observer.set(Box::new(observer));
    }

    /// How many records are durable: all those of a lower number.
    pub fn durable(&self) -> u64 {
        self.0.shared.lock().durable
    }

    /// Returns when every record so far is durable.
    ///
    /// # Errors
    ///
    /// When one could not be written.
    pub fn flush(&self) -> Result<(), Error> {
        let next = self.0.shared.lock().next;
        next.checked_sub(1).map_or(Ok(()), |last| self.wait(last))
    }

    /// Makes a value fit for a record: a long one becomes a blob, durable when
    /// this returns.
    ///
    /// # Errors
    ///
    /// When the blob cannot be written.
    pub fn data(&self, bytes: Vec<u8>) -> Result<Data, Error> {
        if bytes.len() <= INLINE {
            return Ok(Data::Inline(bytes));
        }
        let stored = self.0.blobs.put(&bytes);
        let digest = stored.map_err(|error| {
            let mut queue = self.0.shared.lock();
            queue.failed.get_or_insert(format!("a blob: {error}"));
            self.0.shared.written.notify_all();
            Error::Failed(format!("a blob: {error}"))
        })?;
        Ok(Data::Blob { digest, length: bytes.len() as u64 })
    }

    /// Writes what is left and gives the journal back. Dropping the last clone
    /// does the same, and tells nobody of a failure.
    ///
    /// # Errors
    ///
    /// When something could not be written.
    pub fn close(self) -> Result<(), Error> {
        self.flush()?;
        self.0.end();
        let queue = self.0.shared.lock();
        queue.check()
    }
}

impl Queue {
    fn check(&self) -> Result<(), Error> {
        self.failed.as_ref().map_or(Ok(()), |why| Err(Error::Failed(why.clone())))
    }
}

/// Whoever waits must not wait for a thread that panicked.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().failed.get_or_insert("its thread panicked".into());
            self.0.written.notify_all();
        }
    }
}

fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handle {
    /// Ends the thread, after it has written what there is.
    fn end(&self) {
        self.shared.lock().closing = true;
        self.shared.filled.notify_one();
        if let Some(thread) = lock_of(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock_of(&self.queue)
    }

    /// The thread: writes group after group.
    fn write_all(&self, mut files: Files) {
        let _ended = Ended(self);
        while let Some(group) = self.gather() {
            let begun = Instant::now();
            let result = files.commit(&group);
            if let (Ok(()), Some(observer)) = (&result, self.observer.get()) {
                observer(group.len(), begun.elapsed());
            }
            let mut queue = self.lock();
            match result {
                Ok(()) => queue.durable = files.size(),
                Err(error) => {
                    queue.failed.get_or_insert(error.to_string());
                }
            }
            let failed = queue.failed.is_some();
            drop(queue);
            self.written.notify_all();
            if failed {
                return;
            }
        }
        files.end();
    }

    /// Waits for the next group; nothing when there is no more to come.
    fn gather(&self) -> Option<Vec<Vec<u8>>> {
        let mut queue = self.lock();
        loop {
            if queue.failed.is_some() {
                return None;
            }
            let due = queue.since.map(|since| DELAY.saturating_sub(since.elapsed()));
            queue = match due {
                None if queue.closing => return None,
                None => self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let wanted = queue.wanted > queue.durable || queue.closing;
                    if wanted || queue.records.len() >= GROUP || left.is_zero() {
                        break;
                    }
                    let waited = self.filled.wait_timeout(queue, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let taken = queue.records.len().min(GROUP);
        let rest = queue.records.split_off(taken);
        let group = std::mem::replace(&mut queue.records, rest);
        queue.bytes -= group.iter().map(Vec::len).sum::<usize>();
        queue.since = (!queue.records.is_empty()).then(Instant::now);
        Some(group)
    }
}
