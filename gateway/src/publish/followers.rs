//! Who follows a feed of this gateway, for those who look after edges.

use crate::clock::now_micros;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The open streams of one organization. Streams of slices, of which there may be very many, are only counted.
#[derive(Default)]
pub struct Followers {
    slices: AtomicU64,
    opened: AtomicU64,
    edges: Mutex<BTreeMap<u64, Arc<Edge>>>,
}

/// A stream of whole snapshots.
#[derive(Debug)]
pub struct Edge {
    /// What the key is called, and its first characters.
    pub key: (String, String),
    /// When it began, in microseconds since 1970.
    pub since: i64,
    /// Whether it takes deltas.
    pub deltas: bool,
    /// What it says that it is (`User-Agent`).
    pub agent: Option<String>,
    sent: AtomicU64,
}

impl Edge {
    /// One that begins now.
    pub fn new(key: (String, String), deltas: bool, agent: Option<String>) -> Self {
        Edge { key, since: now_micros(), deltas, agent, sent: AtomicU64::new(0) }
    }

    /// The newest revision that was handed to its connection, or that it was told holds what it has; 0: none yet.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Followers {
    /// Counts a stream of a slice, until what this returns is dropped.
    pub fn slice(self: &Arc<Self>) -> Following {
        self.slices.fetch_add(1, Ordering::Relaxed);
        Following { followers: self.clone(), edge: None }
    }

    /// Lists a stream of snapshots, until what this returns is dropped.
    pub fn edge(self: &Arc<Self>, edge: Edge) -> Following {
        let (number, edge) = (self.opened.fetch_add(1, Ordering::Relaxed), Arc::new(edge));
        self.edges.lock().unwrap_or_else(PoisonError::into_inner).insert(number, edge.clone());
        Following { followers: self.clone(), edge: Some((number, edge)) }
    }

    /// How many follow slices.
    pub fn slices(&self) -> u64 {
        self.slices.load(Ordering::Relaxed)
    }

    /// Who follows the whole, by a number that is its own, oldest first.
    pub fn edges(&self) -> Vec<(u64, Arc<Edge>)> {
        let edges = self.edges.lock().unwrap_or_else(PoisonError::into_inner);
        edges.iter().map(|(number, edge)| (*number, edge.clone())).collect()
    }
}

/// An open stream.
pub struct Following {
    followers: Arc<Followers>,
    edge: Option<(u64, Arc<Edge>)>,
}

impl Following {
    /// Says which revision it has.
    pub fn sent(&self, revision: u64) {
        if let Some((_, edge)) = &self.edge {
            edge.sent.store(revision, Ordering::Relaxed);
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        match &self.edge {
            None => {
                self.followers.slices.fetch_sub(1, Ordering::Relaxed);
            }
            Some((number, _)) => {
                self.followers.edges.lock().unwrap_or_else(PoisonError::into_inner).remove(number);
            }
        }
    }
}
