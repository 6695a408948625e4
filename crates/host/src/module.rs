//! The compiled module.

use crate::exports::Exports;
use crate::limits::Ticker;
use crate::{CallLimit, HostError, Instance, Limits};
use std::fmt;
use std::sync::Arc;
use wasmtime::{Config, Engine, OptLevel};

/// The bare module, compiled and ready for any number of instances. A clone shares the code.
#[derive(Clone)]
pub struct Module {
    pub(crate) engine: Engine,
    pub(crate) module: wasmtime::Module,
    pub(crate) limits: Limits,
    _ticker: Option<Arc<Ticker>>,
}

impl Module {
    /// Compiles a module, with the default [`Limits`]. Takes some tens of milliseconds.
    ///
    /// # Errors
    /// [`HostError::Module`] for bytes that are no module, [`HostError::Imports`] for one that asks something of its
    /// host, [`HostError::Export`] for one that is not ours.
    pub fn load(bytes: &[u8]) -> Result<Module, HostError> {
        Module::load_with(bytes, Limits::default())
    }

    /// The same with other limits.
    ///
    /// # Errors
    /// Those of [`Module::load`].
    pub fn load_with(bytes: &[u8], limits: Limits) -> Result<Module, HostError> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed);
        config.epoch_interruption(matches!(limits.call, CallLimit::Time(_)));
        config.consume_fuel(matches!(limits.call, CallLimit::Fuel(_)));
        let refused = |error: wasmtime::Error| HostError::Module(format!("{error:#}"));
        let engine = Engine::new(&config).map_err(refused)?;
        let module = wasmtime::Module::from_binary(&engine, bytes).map_err(refused)?;
        if let Some(import) = module.imports().next() {
            return Err(HostError::Imports(format!("{}.{}", import.module(), import.name())));
        }
        let ticker = matches!(limits.call, CallLimit::Time(_)).then(|| Arc::new(Ticker::start(&engine)));
        let module = Module { engine, module, limits, _ticker: ticker };
        Exports::check(&module)?;
        Ok(module)
    }

    /// An instance with a snapshot, or a slice, in force.
    ///
    /// # Errors
    /// [`HostError::Open`] for bytes that the module refuses, [`HostError::Memory`] where they do not fit.
    pub fn open(&self, snapshot: &[u8]) -> Result<Instance, HostError> {
        Instance::new(self.clone(), Arc::from(snapshot))
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("limits", &self.limits).finish_non_exhaustive()
    }
}
