//! What a server may send, whether it was asked or not.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use rmcp::RoleClient;
use rmcp::model::JsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe::Receiver;

/// The most bytes of one message.
pub(super) const MESSAGE: usize = 8 << 20;

/// The most bytes for each call that is waited for.
const BYTES: usize = 2 * MESSAGE;

/// The most messages that nobody asked for, for each call that is waited for.
const UNASKED: usize = 1000;

/// What a server may still send, and why nothing more is read from it.
#[derive(Clone, Default)]
pub(super) struct Allowance(Arc<Inner>);

#[derive(Default)]
struct Inner {
    bytes: AtomicUsize,
    unasked: AtomicUsize,
    end: OnceLock<&'static str>,
}

impl Allowance {
    /// Lets a server answer so many calls.
    pub(super) fn refill(&self, calls: usize) {
        self.0.bytes.fetch_max(calls.saturating_mul(BYTES), Ordering::Relaxed);
        self.0.unasked.fetch_max(calls.saturating_mul(UNASKED), Ordering::Relaxed);
    }

    /// Why nothing more is read.
    pub(super) fn end(&self) -> Option<&'static str> {
        self.0.end.get().copied()
    }

    fn take(&self, from: &AtomicUsize, amount: usize) -> Result<(), &'static str> {
        let taken = from
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount));
        taken.map(drop).map_err(|_left| self.stop("sends without end what nobody asked for"))
    }

    fn stop(&self, why: &'static str) -> &'static str {
        self.0.end.get_or_init(|| why)
    }
}

/// Bytes from a child process, as many as it may send.
pub(super) struct Metered {
    pipe: Receiver,
    allowance: Allowance,
    /// Bytes of the message that has no end yet.
    message: usize,
}

impl Metered {
    pub(super) fn new(pipe: Receiver, allowance: Allowance) -> Self {
        Self { pipe, allowance, message: 0 }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.pipe).poll_read(context, buffer))?;
        let new = &buffer.filled()[before..];
        self.message += new.len();
        let message = self.message;
        if let Some(end) = new.iter().rposition(|byte| *byte == b'\n') {
            self.message = new.len() - end - 1;
        }
        let Self { allowance, .. } = &*self;
        let taken = match message > MESSAGE {
            true => Err(allowance.stop("sent a message of more than 8 MiB")),
            false => allowance.take(&allowance.0.bytes, new.len()),
        };
        Poll::Ready(taken.map_err(io::Error::other))
    }
}

/// A transport without notifications, and with few requests of the server's own.
pub(super) struct Quiet<T> {
    inner: T,
    allowance: Allowance,
}

impl<T> Quiet<T> {
    pub(super) fn new(inner: T, allowance: Allowance) -> Self {
        Self { inner, allowance }
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Quiet<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let message = self.inner.receive().await?;
            let unasked =
                matches!(message, JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_));
            if unasked && self.allowance.take(&self.allowance.0.unasked, 1).is_err() {
                return None;
            }
            if !matches!(message, JsonRpcMessage::Notification(_)) {
                return Some(message);
            }
        }
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.inner.close()
    }
}
