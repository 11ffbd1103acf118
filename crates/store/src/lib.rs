//! History in SQLite: data sets, runs, and what the runs said.
//!
//! A table's migration, its Rust shape and its queries stand in one file: [`dataset`], [`run`], [`said`], [`export`],
//! [`local_model`], [`measured`], [`device_check`].
//! **Invariant:** what a run said is ingested in order and once, however often it is offered; a run that was watched
//! live and one that was read afterwards are the same rows. A crash in the middle of anything leaves the state before.
//! Deliberately absent: a clock (times are given), processes, and the files that rows speak of.

pub mod dataset;
pub mod device_check;
pub mod export;
pub mod local_model;
pub mod measured;
pub mod run;
pub mod said;

mod columns;
mod error;
mod migrate;
#[cfg(test)]
mod tests;

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use error::StoreError;
pub use run::{NewRun, RunRecord};

/// How long a writer waits for another process that writes.
const BUSY: Duration = Duration::from_secs(10);

/// The open database. Shared between threads; several processes may have it open at once.
#[derive(Debug)]
pub struct Store {
    conn: Mutex<Connection>,
}

impl Store {
    /// Opens the database at `path`, makes it if it is not there, and brings its tables up to this version.
    ///
    /// # Errors
    /// [`StoreError`], for instance when a newer version of the program made it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::prepare(Connection::open(path)?)
    }

    /// A database that is gone when it is dropped: for tests.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(mut conn: Connection) -> Result<Self, StoreError> {
        conn.busy_timeout(BUSY)?;
        // WAL: a reader never waits for the writer. NORMAL: a power cut may cost the last transactions, never the
        // database; what they held is read again from the runs' own logs.
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;",
        )?;
        migrate::up(&mut conn)?;
        Ok(Self { conn: Mutex::new(conn) })
    }

    /// All of `work`, or nothing of it.
    fn write<T>(&self, work: impl FnOnce(&Transaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // A thread that panicked here left a transaction that was rolled back: the connection is sound.
        let mut conn = self.conn.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let made = work(&transaction)?;
        transaction.commit()?;
        Ok(made)
    }

    /// One picture of the whole, whatever is written meanwhile.
    fn read<T>(&self, work: impl FnOnce(&Transaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut conn = self.conn.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = conn.transaction()?;
        work(&transaction)
    }
}
