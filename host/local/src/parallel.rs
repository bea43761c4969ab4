//! Work spread over the processor's cores, on the threads that candle's matrix products use.
//!
//! One pool for everything: threads of a second one would fight the first, whose threads wait for
//! their next work by spinning for a moment.

use std::sync::Mutex;

use candle_core::utils::barrier_pool;

/// Below this many numbers the hand-over costs more than it gains.
const SMALL: usize = 16 * 1024;

/// Calls `work` with the index and the numbers of every chunk of `size` numbers of `out`.
pub(crate) fn chunks(out: &mut [f32], size: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    if out.len() < SMALL {
        out.chunks_mut(size).enumerate().for_each(|(index, chunk)| work(index, chunk));
        return;
    }
    each(out.chunks_mut(size).collect(), work);
}

/// Calls `work` with the index and the value of every item.
pub(crate) fn each<T: Send>(items: Vec<T>, work: impl Fn(usize, T) + Sync) {
    // Each lock is taken once, by whoever got the index: it stands for the proof that nobody else
    // has the item.
    let items: Vec<Mutex<Option<T>>> =
        items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    barrier_pool().execute_chunked(items.len(), |range| {
        for index in range {
            let item = items.get(index).and_then(|item| item.lock().ok()?.take());
            if let Some(item) = item {
                work(index, item);
            }
        }
    });
}
