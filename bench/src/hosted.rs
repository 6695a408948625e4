//! Deciding in the bare WASM module, on wasmtime.

use crate::measure::{Engine, allows, best_ms};
use crate::workload::Work;
use anyhow::{Context as _, Result};
use postern_host::{Instance, Module};
use std::cell::RefCell;
use std::path::Path;

/// `(module (func (export "empty") (param i32 i32 i32) (result i32) local.get 0))`: the empty call of both runtimes.
pub(crate) const EMPTY_MODULE: &[u8] =
    b"\0asm\x01\0\0\0\x01\x08\x01\x60\x03\x7f\x7f\x7f\x01\x7f\x03\x02\x01\0\
    \x07\x09\x01\x05empty\0\0\x0a\x06\x01\x04\0\x20\0\x0b";

/// The module as it ships, with the limits that a host has who sets none.
pub(crate) fn load(wasm: &Path) -> Result<Module> {
    let bytes = std::fs::read(wasm)
        .with_context(|| format!("cannot read {}: build it with `cargo xtask wasm`", wasm.display()))?;
    Ok(Module::load(&bytes)?)
}

pub(crate) fn engines<'w>(work: &'w Work, instance: &'w RefCell<Instance>) -> Result<Vec<Engine<'w>>> {
    let allowed = |answer: postern_vocab::Answer| answer.is_ok_and(|reason| allows(reason as u8));
    let mut engines = vec![empty_call()?];
    engines.push(Engine::one_by_one("wasmtime: by handle", work, move |number| {
        let [subject, permission, resource] = work.handles[number];
        Ok(allowed(instance.borrow_mut().check(subject, permission, resource, 0)?))
    })?);
    engines.push(Engine::one_by_one("wasmtime: by text id", work, move |number| {
        let [_, permission, resource] = work.handles[number];
        let mut instance = instance.borrow_mut();
        match instance.subject(&work.subjects[number])? {
            Some(subject) => Ok(allowed(instance.check(subject, permission, resource, 0)?)),
            None => Ok(false),
        }
    })?);
    engines.push(Engine::at_once("wasmtime: batch", work, move |codes| {
        Ok(instance.borrow_mut().check_batch(&work.handles, 0, codes)?)
    })?);
    let mut mask = Vec::new();
    engines.push(Engine::one_by_one("wasmtime: mask of all 200 permissions", work, move |number| {
        let [subject, permission, resource] = work.handles[number];
        instance.borrow_mut().mask(subject, resource, 0, &mut mask)?;
        Ok(mask[permission as usize / 8] >> (permission % 8) & 1 != 0)
    })?);
    Ok(engines)
}

fn empty_call() -> Result<Engine<'static>> {
    // Not a std error, and so not anyhow's by itself.
    let failed = |error: wasmtime::Error| anyhow::anyhow!("{error:#}");
    let engine = wasmtime::Engine::default();
    let module = wasmtime::Module::new(&engine, EMPTY_MODULE).map_err(failed)?;
    let mut store = wasmtime::Store::new(&engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).map_err(failed)?;
    let call = instance.get_typed_func::<(u32, u32, u32), u32>(&mut store, "empty").map_err(failed)?;
    Ok(Engine::empty("floor: wasmtime empty call, three integers", move |number| {
        call.call(&mut store, (number, number ^ 1, number ^ 2)).map_err(failed)
    }))
}

/// Milliseconds to copy a snapshot into an instance and to open it there.
pub(crate) fn open(work: &Work, module: &Module) -> Result<f64> {
    best_ms(5, || {
        module.open(&work.bytes)?;
        Ok(())
    })
}
