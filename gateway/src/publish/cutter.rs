//! Cuts slices out of one snapshot. Opening a snapshot checks all of its bytes, for a million subjects some hundredth of
//! a second: a worker opens it once and cuts for everyone who follows, then goes away when nobody has asked for a while.

use bytes::Bytes;
use postern_snapshot::Snapshot;
use postern_vocab::QueryError;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a worker waits for the next subject.
const LINGER: Duration = Duration::from_secs(2);

struct Order {
    subject: String,
    reply: oneshot::Sender<Result<Bytes, QueryError>>,
}

/// Where to order slices of one snapshot.
pub struct Cutter {
    snapshot: Bytes,
    worker: Mutex<Option<Sender<Order>>>,
}

impl Cutter {
    /// Of bytes that were opened before. No worker runs yet.
    pub fn new(snapshot: Bytes) -> Self {
        Cutter { snapshot, worker: Mutex::new(None) }
    }

    /// The slice of a subject. `None` where the worker was lost, which a panic in it would do.
    pub async fn cut(&self, subject: &str) -> Option<Result<Bytes, QueryError>> {
        let (reply, answer) = oneshot::channel();
        self.order(Order { subject: subject.to_owned(), reply });
        answer.await.ok()
    }

    fn order(&self, order: Order) {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let returned = match worker.as_ref() {
            Some(orders) => match orders.send(order) {
                Ok(()) => return,
                // The worker has gone away.
                Err(mpsc::SendError(order)) => order,
            },
            None => order,
        };
        let (orders, queue) = mpsc::channel();
        // Cannot fail: the other end is in our hands.
        let _ = orders.send(returned);
        *worker = Some(orders);
        let snapshot = self.snapshot.clone();
        tokio::task::spawn_blocking(move || work(&snapshot, &queue));
    }
}

fn work(bytes: &[u8], queue: &mpsc::Receiver<Order>) {
    // It was opened when it was compiled.
    let Ok(snapshot) = Snapshot::open(bytes) else {
        return;
    };
    loop {
        match queue.recv_timeout(LINGER) {
            Ok(order) => {
                let slice = postern_snapshot::slice(&snapshot, &order.subject);
                // Whoever ordered it may have gone.
                let _ = order.reply.send(slice.map(|facts| facts.to_bytes().into()));
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
    }
}
