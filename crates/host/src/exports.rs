//! The module's exports, looked up and typed once for each instance.

use crate::{CallLimit, HostError, Module};
use wasmtime::{
    Instance, Memory, Store, StoreLimits, StoreLimitsBuilder, Trap, TypedFunc, WasmParams, WasmResults,
};

/// An instance with its memory and its functions.
pub(crate) struct Exports {
    store: Store<StoreLimits>,
    limit: CallLimit,
    memory: Memory,
    functions: Functions,
}

/// The functions, as `docs/wasm-abi.md` has them.
pub(crate) struct Functions {
    pub alloc: TypedFunc<u32, u32>,
    pub free: TypedFunc<(u32, u32), ()>,
    pub open: TypedFunc<(u32, u32), i32>,
    pub revision: TypedFunc<(), u64>,
    pub describe: TypedFunc<(), u64>,
    pub subject: TypedFunc<(u32, u32), u32>,
    pub permission: TypedFunc<(u32, u32), u32>,
    pub resource: TypedFunc<(u32, u32, u32, u32), u32>,
    pub check: TypedFunc<(u32, u32, u32, f64), u32>,
    pub check_batch: TypedFunc<(u32, u32, f64, u32), i32>,
    pub mask: TypedFunc<(u32, u32, f64, u32, u32), u32>,
    pub query: TypedFunc<(u32, u32), u64>,
    pub next_change: TypedFunc<f64, f64>,
}

impl Exports {
    /// A new instance of the module, without a snapshot.
    pub fn new(module: &Module) -> Result<Exports, HostError> {
        let limits = StoreLimitsBuilder::new().memory_size(module.limits.memory_bytes).build();
        let mut store = Store::new(&module.engine, limits);
        store.limiter(|limits| limits);
        prepare(&mut store, module.limits.call);
        let instance = Instance::new(&mut store, &module.module, &[]).map_err(|error| trapped(&error))?;
        let memory = instance.get_memory(&mut store, "memory").ok_or(HostError::Export("memory"))?;
        let functions = Functions {
            alloc: typed(&mut store, &instance, "postern_alloc")?,
            free: typed(&mut store, &instance, "postern_free")?,
            open: typed(&mut store, &instance, "postern_open")?,
            revision: typed(&mut store, &instance, "postern_revision")?,
            describe: typed(&mut store, &instance, "postern_describe")?,
            subject: typed(&mut store, &instance, "postern_subject")?,
            permission: typed(&mut store, &instance, "postern_permission")?,
            resource: typed(&mut store, &instance, "postern_resource")?,
            check: typed(&mut store, &instance, "postern_check")?,
            check_batch: typed(&mut store, &instance, "postern_check_batch")?,
            mask: typed(&mut store, &instance, "postern_mask")?,
            query: typed(&mut store, &instance, "postern_query")?,
            next_change: typed(&mut store, &instance, "postern_next_change")?,
        };
        Ok(Exports { store, limit: module.limits.call, memory, functions })
    }

    /// Whether the module has all of them: found out when it is loaded, not at the first question.
    pub fn check(module: &Module) -> Result<(), HostError> {
        Exports::new(module).map(drop)
    }

    /// Calls a function within the limit.
    #[inline]
    pub fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        function: impl FnOnce(&Functions) -> &TypedFunc<P, R>,
        parameters: P,
    ) -> Result<R, HostError> {
        prepare(&mut self.store, self.limit);
        function(&self.functions).call(&mut self.store, parameters).map_err(|error| trapped(&error))
    }

    /// The memory's bytes at an address. An address beyond its end breaks the contract.
    pub fn bytes(&mut self, address: u32, len: usize) -> Result<&mut [u8], HostError> {
        let start = address as usize;
        let range = start..start.saturating_add(len);
        self.memory
            .data_mut(&mut self.store)
            .get_mut(range)
            .ok_or(HostError::Contract("an address beyond its memory"))
    }
}

/// Sets what the next call may take.
#[inline]
fn prepare(store: &mut Store<StoreLimits>, limit: CallLimit) {
    match limit {
        CallLimit::None => {}
        CallLimit::Time(time) => store.set_epoch_deadline(CallLimit::ticks(time)),
        CallLimit::Fuel(fuel) => {
            // Fails only where the engine does not count fuel, and `Module::load_with` made it count.
            let _ = store.set_fuel(fuel);
        }
    }
}

fn typed<P: WasmParams, R: WasmResults>(
    store: &mut Store<StoreLimits>,
    instance: &Instance,
    name: &'static str,
) -> Result<TypedFunc<P, R>, HostError> {
    instance.get_typed_func(store, name).map_err(|_| HostError::Export(name))
}

fn trapped(error: &wasmtime::Error) -> HostError {
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt | Trap::OutOfFuel) => HostError::Limit,
        Some(trap) => HostError::Trap(trap.to_string()),
        None => HostError::Trap(format!("{error:#}")),
    }
}
