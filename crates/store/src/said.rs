//! What runs said: each step and each look in a table of its own, the rest as it was said.
//!
//! **Invariant:** events of a run are taken in order of `seq`, each once. A run that goes on from step `n` makes
//! everything said of later steps void.

use rusqlite::{OptionalExtension, Transaction, params};
use spec::{
    DeviceChoice, EvalPoint, MemoryUse, Plan, Quantization, RunEvent, RunId, RunRow, Score, Series, Sha256,
    Stamped, StepPoint,
};

use crate::{
    Store, StoreError,
    columns::{Json, Text},
    migrate::Migration,
    run,
};

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::additive(
        202611210102,
        "CREATE TABLE step (
        run           TEXT    NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        step          INTEGER NOT NULL CHECK (0 <= step),
        at_ms         INTEGER NOT NULL,
        epoch         REAL    NOT NULL,
        loss          REAL    NOT NULL,
        learning_rate REAL    NOT NULL,
        grad_norm     REAL    NOT NULL,
        tokens        INTEGER NOT NULL,
        supervised    INTEGER NOT NULL,
        secs          REAL    NOT NULL,
        secs_left     REAL,
        memory_now    INTEGER,
        memory_peak   INTEGER,
        PRIMARY KEY (run, step)   -- both identity and reading order
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE eval (
        run    TEXT    NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        step   INTEGER NOT NULL CHECK (0 <= step),
        at_ms  INTEGER NOT NULL,
        loss   REAL    NOT NULL,
        tokens INTEGER NOT NULL,
        best   INTEGER NOT NULL CHECK (best IN (0, 1)),
        secs   REAL    NOT NULL,
        PRIMARY KEY (run, step)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE event (
        run   TEXT    NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        seq   INTEGER NOT NULL CHECK (0 <= seq),
        at_ms INTEGER NOT NULL,
        step  INTEGER,            -- of which it speaks, if of one
        event TEXT    NOT NULL CHECK (json_valid(event)),  -- spec::RunEvent
        PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;",
    ),
    Migration::additive(
        202611212040,
        // A JSON list of spec::Score.
        "ALTER TABLE eval ADD COLUMN scores TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(scores));",
    ),
];

/// The last step of a run, as a list shows it.
pub(crate) struct LastStep {
    pub step: u32,
    pub loss: f64,
    pub secs_left: Option<f64>,
}

impl Store {
    /// Takes in what a run said, up to `offset` bytes of its log. What was taken before is passed over, so that
    /// several processes may follow one run.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the batch is kept then.
    pub fn ingest(&self, id: RunId, batch: &[Stamped], offset: u64) -> Result<(), StoreError> {
        self.write(|db| {
            let (mut last, _) = run::ingested(db, id)?;
            for stamped in batch {
                if last.is_none_or(|last| last < stamped.seq) {
                    take(db, id, stamped)?;
                    last = Some(stamped.seq);
                }
            }
            if let Some(last) = last {
                run::keep_ingested(db, id, last, offset)?;
            }
            Ok(())
        })
    }

    /// Bytes of the run's log that were taken in.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn log_offset(&self, id: RunId) -> Result<u64, StoreError> {
        self.read(|db| Ok(run::ingested(db, id)?.1))
    }

    /// The curves of a run.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn series(&self, id: RunId) -> Result<Series, StoreError> {
        self.read(|db| series(db, id))
    }

    /// The curves of a run, and the place of the first event that is not in them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn series_until(&self, id: RunId) -> Result<(Series, u64), StoreError> {
        self.read(|db| {
            let (last, _) = run::ingested(db, id)?;
            Ok((series(db, id)?, last.map_or(0, |last| last + 1)))
        })
    }

    /// Memory of the training process at its last step, in bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn memory(&self, id: RunId) -> Result<Option<MemoryUse>, StoreError> {
        self.read(|db| {
            let sql = "SELECT memory_now, memory_peak FROM step WHERE run = ?1 ORDER BY step DESC LIMIT 1";
            let last = db.query_row(sql, [Text(id)], |row| {
                let (now, peak): (Option<u64>, Option<u64>) = (row.get(0)?, row.get(1)?);
                Ok(now.zip(peak).map(|(now, peak)| MemoryUse { now, peak }))
            });
            Ok(last.optional()?.flatten())
        })
    }

    /// Tokens per second of the latest run of a model on a device, its first step left out, and how it kept frozen weights;
    /// none if there was none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pace(
        &self,
        model: &Sha256,
        device: DeviceChoice,
    ) -> Result<Option<(f64, Quantization)>, StoreError> {
        self.read(|db| {
            let sql =
                "SELECT sum(s.tokens) / sum(s.secs), r.plan FROM step AS s JOIN run AS r ON r.id = s.run
                       WHERE r.model_hash = ?1 AND r.device = ?2 AND 1 < s.step AND 0 < s.secs
                       GROUP BY r.id HAVING 3 <= count(*) ORDER BY r.created_ms DESC LIMIT 1";
            let pace = db.query_row(sql, params![Text(model), Json(device)], |row| {
                let Json::<Plan>(plan) = row.get(1)?;
                Ok((row.get(0)?, plan.knobs.quantization.value))
            });
            Ok(pace.optional()?)
        })
    }

    /// What a run said besides steps and looks, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn events(&self, id: RunId) -> Result<Vec<Stamped>, StoreError> {
        self.read(|db| {
            let mut statement =
                db.prepare_cached("SELECT seq, at_ms, event FROM event WHERE run = ?1 ORDER BY seq")?;
            let rows = statement.query_map([Text(id)], |row| {
                let Json(event) = row.get(2)?;
                Ok(Stamped { seq: row.get(0)?, at_ms: row.get(1)?, event })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn series(db: &Transaction, id: RunId) -> Result<Series, StoreError> {
    let mut steps = db.prepare_cached(
        "SELECT step, loss, learning_rate, grad_norm, tokens / max(secs, 1e-9)
         FROM step WHERE run = ?1 ORDER BY step",
    )?;
    let steps = steps.query_map([Text(id)], |row| {
        Ok(StepPoint {
            step: row.get(0)?,
            loss: row.get(1)?,
            learning_rate: row.get(2)?,
            grad_norm: row.get(3)?,
            tokens_per_sec: row.get(4)?,
        })
    })?;
    let mut evals =
        db.prepare_cached("SELECT step, loss, best, scores FROM eval WHERE run = ?1 ORDER BY step")?;
    let evals = evals.query_map([Text(id)], |row| {
        let Json(scores) = row.get(3)?;
        Ok(EvalPoint { step: row.get(0)?, loss: row.get(1)?, best: row.get(2)?, scores })
    })?;
    Ok(Series { steps: steps.collect::<Result<_, _>>()?, evals: evals.collect::<Result<_, _>>()? })
}

fn take(db: &Transaction, id: RunId, stamped: &Stamped) -> rusqlite::Result<()> {
    let Stamped { seq, at_ms, event } = stamped;
    run::note(db, id, event)?;
    let of_step = match event {
        RunEvent::Stepped {
            step,
            of: _, // the plan says it
            epoch,
            loss,
            learning_rate,
            grad_norm,
            tokens,
            supervised,
            secs,
            secs_left,
            memory,
        } => {
            db.prepare_cached(
                "INSERT OR REPLACE INTO step VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                Text(id),
                step,
                at_ms,
                epoch,
                loss,
                learning_rate,
                grad_norm,
                tokens,
                supervised,
                secs,
                secs_left,
                memory.map(|memory| memory.now),
                memory.map(|memory| memory.peak),
            ])?;
            return Ok(());
        }
        RunEvent::Evaluated { step, loss, tokens, best, secs, scores } => {
            db.prepare_cached("INSERT OR REPLACE INTO eval VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                .execute(params![Text(id), step, at_ms, loss, tokens, best, secs, Json(scores)])?;
            return Ok(());
        }
        RunEvent::Ready { resumed_at, .. } => {
            for table in ["step", "eval", "event"] {
                let sql = format!("DELETE FROM {table} WHERE run = ?1 AND ?2 < step");
                db.execute(&sql, params![Text(id), resumed_at])?;
            }
            None
        }
        RunEvent::Sampled { step, .. } | RunEvent::Saved { step, .. } => Some(step),
        RunEvent::Paused { step, .. } | RunEvent::Ended { step, .. } => Some(step),
        RunEvent::Started { .. }
        | RunEvent::Warned { .. }
        | RunEvent::Profiled { .. }
        | RunEvent::Failed { .. } => None,
    };
    db.prepare_cached(
        "INSERT OR REPLACE INTO event (run, seq, at_ms, step, event) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![Text(id), seq, at_ms, of_step, Json(event)])?;
    Ok(())
}

pub(crate) fn last_step(db: &Transaction, id: RunId) -> rusqlite::Result<Option<LastStep>> {
    let sql = "SELECT step, loss, secs_left FROM step WHERE run = ?1 ORDER BY step DESC LIMIT 1";
    let mut statement = db.prepare_cached(sql)?;
    let last = |row: &rusqlite::Row<'_>| {
        Ok(LastStep { step: row.get(0)?, loss: row.get(1)?, secs_left: row.get(2)? })
    };
    statement.query_row([Text(id)], last).optional()
}

/// The lowest validation loss.
pub(crate) fn best(db: &Transaction, id: RunId) -> rusqlite::Result<Option<f64>> {
    db.prepare_cached("SELECT min(loss) FROM eval WHERE run = ?1")?.query_row([Text(id)], |row| row.get(0))
}

/// The most telling metric at the look with the lowest validation loss.
pub(crate) fn best_score(db: &Transaction, id: RunId) -> rusqlite::Result<Option<Score>> {
    let sql = "SELECT scores FROM eval WHERE run = ?1 ORDER BY loss, step LIMIT 1";
    let scores =
        db.prepare_cached(sql)?.query_row([Text(id)], |row| row.get::<_, Json<Vec<Score>>>(0)).optional()?;
    Ok(scores.and_then(|Json(scores)| scores.into_iter().next()))
}

/// The mean loss of each of at most [`RunRow::MAX_POINTS`] stretches of equal length.
pub(crate) fn thinned_losses(db: &Transaction, id: RunId) -> rusqlite::Result<Vec<f64>> {
    let mut statement = db.prepare_cached(
        "SELECT avg(loss) FROM step
         WHERE run = ?1
         GROUP BY (step - 1) / max(1, ((SELECT max(step) FROM step WHERE run = ?1) + ?2 - 1) / ?2)
         ORDER BY min(step)",
    )?;
    statement.query_map(params![Text(id), RunRow::MAX_POINTS as u64], |row| row.get(0))?.collect()
}
