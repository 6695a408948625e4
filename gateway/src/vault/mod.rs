//! The vault: values of secrets, encrypted at rest. Who may read one is decided by the resolver, as everything else; here
//! is only what encrypts, and what encrypts anew with another key while values are read (`docs/vault.md`).

pub mod file;
pub mod seal;

use crate::metrics::Metrics;
use crate::store::secrets::{self, Place};
use crate::store::{Pool, StoreError};
use file::{KeysFile, KeysFileError};
use seal::{Keys, SealError, Sealed};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Between looks at the file and at what has to be encrypted anew.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The same where the last look found values that cannot be opened: nothing changes that but another file.
const LOOK_AGAIN_UNOPENED: Duration = Duration::from_secs(30);
/// Values that are looked up at once, and of one organization exchanged in one transaction.
const BATCH: i64 = 100;

/// The keys, as the file has them.
pub struct Vault {
    path: PathBuf,
    read: RwLock<(KeysFile, Arc<Keys>)>,
}

/// What a look through the values found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Encrypted anew.
    pub done: u64,
    /// Not encrypted with the current key still.
    pub left: u64,
    /// Of these, those that do not open with the keys that there are.
    pub unopened: u64,
}

impl Vault {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or is no file of keys.
    pub fn open(path: PathBuf) -> Result<Vault, KeysFileError> {
        let file = KeysFile::read(&path)?;
        let keys = Arc::new(file.keys(&path)?);
        Ok(Vault { path, read: RwLock::new((file, keys)) })
    }

    /// The keys of this moment.
    pub fn keys(&self) -> Arc<Keys> {
        self.read.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// The value of a secret. A key that came into the file since it was read last is found.
    pub fn value(&self, of: (&str, &str), sealed: &Sealed) -> Result<String, SealError> {
        match self.keys().open(of, sealed) {
            Err(SealError::UnknownKey(_)) if self.look().is_ok() => self.keys().open(of, sealed),
            opened => opened,
        }
    }

    /// Reads the file again. One that cannot be read changes nothing.
    fn look(&self) -> Result<(), KeysFileError> {
        let file = KeysFile::read(&self.path)?;
        if self.read.read().unwrap_or_else(PoisonError::into_inner).0 == file {
            return Ok(());
        }
        let keys = Arc::new(file.keys(&self.path)?);
        tracing::info!(current = keys.current(), keys = file.keys.len(), "the vault's keys were read again");
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = (file, keys);
        Ok(())
    }

    /// Follows the file, and encrypts anew what is not encrypted with its current key, until the program ends. It can be
    /// cut off at any moment: values are exchanged in transactions, and what is left is found again.
    pub async fn follow(self: Arc<Self>, pool: Pool, metrics: Arc<Metrics>) {
        let mut told = None;
        let mut unopened = 0;
        let (mut used, mut again) = (self.keys(), Instant::now());
        loop {
            let failed = self.look().err().map(|error| error.to_string());
            if failed != told {
                failed
                    .iter()
                    .for_each(|error| tracing::error!(%error, "the vault keeps the keys that it has"));
                told = failed;
            }
            // Whoever reads a value may have read the file again as well.
            let keys = self.keys();
            if !Arc::ptr_eq(&keys, &used) || Instant::now() >= again {
                used = keys;
                match self.pass(&pool).await {
                    Ok(pass) => {
                        metrics.vault(pass);
                        if pass.done > 0 {
                            let current = self.keys().current().to_owned();
                            tracing::info!(pass.done, pass.left, current, "values were encrypted anew");
                        }
                        if pass.unopened > 0 && pass.unopened != unopened {
                            tracing::error!(
                                pass.unopened,
                                "values do not open with the keys of this gateway"
                            );
                        }
                        unopened = pass.unopened;
                    }
                    // That the database is away is told elsewhere.
                    Err(error) => tracing::debug!(%error, "the vault could not be looked through"),
                }
                again = Instant::now() + if unopened > 0 { LOOK_AGAIN_UNOPENED } else { LOOK_AGAIN };
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Goes once through all values that are not encrypted with the current key, and encrypts them with that.
    ///
    /// Reads of the values go on meanwhile; a write of one waits for a transaction of 100 at most.
    ///
    /// # Errors
    /// The database cannot be asked. What was done stays done.
    pub async fn pass(&self, pool: &Pool) -> Result<Pass, StoreError> {
        let keys = self.keys();
        let mut pass = Pass::default();
        let mut after = Place::default();
        loop {
            let mut connection = pool.of_none().await?;
            let some = secrets::not_under(&mut connection, keys.current(), &after, BATCH).await?;
            drop(connection);
            let Some(last) = some.last() else { return Ok(pass) };
            after = last.clone();
            for batch in some.chunk_by(|one, other| one.organization == other.organization) {
                let done = self.batch(pool, &keys, batch).await?;
                pass.done += done.done;
                pass.left += done.left;
                pass.unopened += done.unopened;
            }
        }
    }

    /// The same of some values of one organization, in one transaction.
    async fn batch(&self, pool: &Pool, keys: &Keys, batch: &[Place]) -> Result<Pass, StoreError> {
        let mut pass = Pass::default();
        let Some(first) = batch.first() else { return Ok(pass) };
        let mut transaction = pool.begin(&first.organization).await?;
        for place in batch {
            let of = (place.organization.as_str(), place.secret.as_str());
            // Gateways share the work: what another one has in hand is skipped, and what it has done.
            let Some(sealed) = secrets::lock_sealed(&mut transaction, of, keys.current()).await? else {
                continue;
            };
            match keys.open(of, &sealed).and_then(|value| keys.seal(of, &value)) {
                Ok(anew) => {
                    secrets::exchange(&mut transaction, of, &anew).await?;
                    pass.done += 1;
                }
                Err(error) => {
                    tracing::debug!(%error, organization = of.0, secret = of.1, "a value is not encrypted anew");
                    pass.unopened += 1;
                    pass.left += 1;
                }
            }
        }
        transaction.commit().await?;
        Ok(pass)
    }
}
