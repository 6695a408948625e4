//! How much a module may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use wasmtime::Engine;

/// What an instance may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of its memory. It holds the snapshot, and while a new one is opened both.
    pub memory_bytes: usize,
    /// What each call may take.
    pub call: CallLimit,
}

/// How the work of one call is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallLimit {
    /// Not at all. The resolver is bounded by itself; this is for measurements.
    None,
    /// By time, to about ten milliseconds. Costs next to nothing.
    Time(Duration),
    /// By the number of instructions, which is the same on every machine. Costs about a third of the speed.
    Fuel(u64),
}

impl Default for Limits {
    /// 1 GiB, and five seconds a call: far above what any question takes, as a defence and not as a budget.
    fn default() -> Self {
        Limits { memory_bytes: 1 << 30, call: CallLimit::Time(Duration::from_secs(5)) }
    }
}

/// How often the clock of [`CallLimit::Time`] ticks.
const TICK: Duration = Duration::from_millis(10);

impl CallLimit {
    /// The deadline in ticks; two more than asked for, since the first may be under way and the last must have passed.
    pub(crate) fn ticks(limit: Duration) -> u64 {
        u64::try_from(limit.as_nanos() / TICK.as_nanos()).unwrap_or(u64::MAX - 2).saturating_add(2)
    }
}

/// A thread that tells an engine the time, until this is dropped.
pub(crate) struct Ticker(Arc<AtomicBool>);

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> Ticker {
        let (engine, stop) = (engine.weak(), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        });
        Ticker(stop)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
