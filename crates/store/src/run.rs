//! Runs: what was asked, what was planned, and where each stands.
//!
//! **Invariant:** `spec` is written once and never rewritten; `plan` is the one that the last worker said it carries out.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, Transaction, params};
use spec::{
    ApiError, DeviceChoice, DeviceInfo, ModelId, Parameters, Plan, RunId, RunRow, RunSpec, RunStatus,
};

use crate::{
    Store, StoreError,
    columns::{Json, Text},
    migrate::Migration,
    said,
};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration::additive(
    202611210101,
    "CREATE TABLE run (
        id           TEXT    NOT NULL PRIMARY KEY,
        name         TEXT    NOT NULL,
        created_ms   INTEGER NOT NULL,
        deleted_ms   INTEGER,          -- set: on its way out, and can still come back
        app_version  TEXT    NOT NULL,
        model        TEXT    NOT NULL,
        model_hash   TEXT    NOT NULL CHECK (length(model_hash) = 64),
        data         TEXT    NOT NULL,
        data_version TEXT    NOT NULL CHECK (length(data_version) = 64),
        device       TEXT    NOT NULL CHECK (json_valid(device)),  -- spec::DeviceChoice
        seed         INTEGER NOT NULL,
        max_steps    INTEGER NOT NULL,
        spec         TEXT    NOT NULL CHECK (json_valid(spec)),  -- spec::RunSpec, verbatim
        plan         TEXT    NOT NULL CHECK (json_valid(plan)),  -- spec::Plan
        queued_ms    INTEGER,          -- set: waits for its device since then
        phase        TEXT    CHECK (phase IN ('started', 'paused', 'stopped', 'finished', 'failed')),
        trouble      TEXT    CHECK (json_valid(trouble)),        -- spec::ApiError
        device_info  TEXT    CHECK (json_valid(device_info)),    -- spec::DeviceInfo
        parameters   TEXT    CHECK (json_valid(parameters)),     -- spec::Parameters
        result       TEXT,             -- the checkpoint that holds what was learned
        last_seq     INTEGER NOT NULL DEFAULT -1,                -- of the events ingested
        log_offset   INTEGER NOT NULL DEFAULT 0                  -- bytes of events.jsonl ingested
    ) STRICT, WITHOUT ROWID;",
)];

/// A run as it is born.
#[derive(Clone, Debug)]
pub struct NewRun<'a> {
    /// Whose.
    pub id: RunId,
    /// As the person calls it.
    pub name: &'a str,
    /// What was asked.
    pub spec: &'a RunSpec,
    /// What was decided.
    pub plan: &'a Plan,
    /// The program's version.
    pub app_version: &'a str,
    /// Milliseconds since 1970, UTC.
    pub created_ms: u64,
}

/// A run, whole but for its curves and what it said on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// As in the list.
    pub row: RunRow,
    /// What was asked.
    pub spec: RunSpec,
    /// What was decided.
    pub plan: Plan,
    /// The program's version that planned it.
    pub app_version: String,
    /// Where it computes, once a worker took it up.
    pub device: Option<DeviceInfo>,
    /// Of the model, once it is read.
    pub parameters: Option<Parameters>,
    /// The checkpoint that holds the result.
    pub result: Option<String>,
}

/// Tells whether the worker of a run lives. Asked only where the answer matters.
pub type Alive<'a> = &'a dyn Fn(RunId) -> bool;

/// What the last events said of the run as a whole; columns spell it in lower case.
fn status(queued: bool, phase: Option<&str>, alive: impl FnOnce() -> bool) -> RunStatus {
    match phase {
        _ if queued => RunStatus::Queued,
        Some("paused") => RunStatus::Paused,
        Some("stopped") => RunStatus::Stopped,
        Some("finished") => RunStatus::Finished,
        Some("failed") => RunStatus::Failed,
        _ if alive() => RunStatus::Running,
        _ => RunStatus::Interrupted,
    }
}

const COLUMNS: &str = "r.id, r.name, r.model, d.name AS data_name, r.created_ms, r.max_steps, r.queued_ms,
    r.phase, r.trouble, r.spec, r.plan, r.app_version, r.device_info, r.parameters, r.result";

fn row(db: &Transaction, alive: Alive<'_>, row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let Text(id): Text<RunId> = row.get("id")?;
    let phase: Option<String> = row.get("phase")?;
    let queued_ms: Option<u64> = row.get("queued_ms")?;
    let status = status(queued_ms.is_some(), phase.as_deref(), || alive(id));
    let last = said::last_step(db, id)?;
    let Json(plan): Json<Plan> = row.get("plan")?;
    let shown = RunRow {
        id,
        name: row.get("name")?,
        model: ModelId(row.get("model")?),
        data: row.get::<_, Option<String>>("data_name")?.unwrap_or_default(),
        task: plan.task.value.kind(),
        status,
        created_ms: row.get("created_ms")?,
        queued_ms,
        step: last.as_ref().map_or(0, |last| last.step),
        of: Some(row.get("max_steps")?),
        loss: last.as_ref().map(|last| last.loss),
        best: said::best(db, id)?,
        score: said::best_score(db, id)?,
        secs_left: last.and_then(|last| last.secs_left).filter(|_| status == RunStatus::Running),
        losses: said::thinned_losses(db, id)?,
        error: row
            .get::<_, Option<Json<ApiError>>>("trouble")?
            .map(|Json(trouble)| trouble)
            .filter(|_| matches!(status, RunStatus::Failed | RunStatus::Interrupted)),
    };
    Ok(RunRecord {
        row: shown,
        spec: row.get::<_, Json<_>>("spec")?.0,
        plan,
        app_version: row.get("app_version")?,
        device: row.get::<_, Option<Json<_>>>("device_info")?.map(|Json(device)| device),
        parameters: row.get::<_, Option<Json<_>>>("parameters")?.map(|Json(parameters)| parameters),
        result: row.get("result")?,
    })
}

impl Store {
    /// Keeps a new run and puts it into the queue of its device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_run(&self, run: &NewRun<'_>) -> Result<(), StoreError> {
        let plan = run.plan;
        self.write(|db| {
            db.execute(
                "INSERT INTO run (id, name, created_ms, app_version, model, model_hash, data, data_version, device,
                                  seed, max_steps, spec, plan, queued_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?3)",
                params![
                    Text(run.id),
                    run.name,
                    run.created_ms,
                    run.app_version,
                    Text(&plan.model),
                    Text(&plan.model_hash),
                    Text(run.spec.data),
                    Text(&plan.data_version),
                    Json(plan.device.value),
                    plan.knobs.seed.value,
                    plan.knobs.max_steps.value,
                    Json(run.spec),
                    Json(plan),
                ],
            )?;
            Ok(())
        })
    }

    /// Every run that is not deleted, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn runs(&self, alive: Alive<'_>) -> Result<Vec<RunRow>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM run AS r LEFT JOIN dataset AS d ON d.id = r.data
                 WHERE r.deleted_ms IS NULL ORDER BY r.created_ms DESC, r.id DESC"
            ))?;
            let rows = statement.query_map([], |found| Ok(row(db, alive, found)?.row))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One run. Deleted ones are found too, until they are purged.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn run(&self, id: RunId, alive: Alive<'_>) -> Result<RunRecord, StoreError> {
        self.read(|db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM run AS r LEFT JOIN dataset AS d ON d.id = r.data WHERE r.id = ?1"
            );
            let found = db.query_row(&sql, [Text(id)], |found| row(db, alive, found)).optional()?;
            found.ok_or_else(|| missing(id))
        })
    }

    /// How many runs in the list started from each model.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn runs_by_model(&self) -> Result<BTreeMap<ModelId, u64>, StoreError> {
        self.read(|db| {
            let mut statement =
                db.prepare_cached("SELECT model, count(*) FROM run WHERE deleted_ms IS NULL GROUP BY model")?;
            let rows = statement.query_map([], |row| Ok((ModelId(row.get(0)?), row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Whether a run has this name, also one that was deleted and can be brought back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_run_called(&self, name: &str) -> Result<bool, StoreError> {
        self.read(|db| {
            let sql = "SELECT EXISTS(SELECT 1 FROM run WHERE name = ?1)";
            Ok(db.prepare_cached(sql)?.query_row([name], |row| row.get(0))?)
        })
    }

    /// Runs whose story is not known to be over: waiting, started, or never heard of since they were kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_runs(&self) -> Result<Vec<(RunId, DeviceChoice)>, StoreError> {
        self.on_devices("(phase IS NULL OR phase = 'started' OR queued_ms IS NOT NULL) ORDER BY id")
    }

    /// Runs that wait for their device, longest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn queue(&self) -> Result<Vec<(RunId, DeviceChoice)>, StoreError> {
        self.on_devices("queued_ms IS NOT NULL AND deleted_ms IS NULL ORDER BY queued_ms, id")
    }

    /// Puts a run into the queue of its device again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn enqueue(&self, id: RunId, now_ms: u64) -> Result<(), StoreError> {
        self.change(id, "UPDATE run SET queued_ms = ?2 WHERE id = ?1", now_ms)
    }

    /// Takes a run out of the queue without starting it, as if it had paused or stopped before its first word.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn dequeue(&self, id: RunId, as_if: spec::Control) -> Result<(), StoreError> {
        let phase = match as_if {
            spec::Control::Pause => "paused",
            spec::Control::Stop => "stopped",
        };
        self.change(id, "UPDATE run SET queued_ms = NULL, phase = ?2 WHERE id = ?1", phase)
    }

    /// Notes that a worker lives: what the last one said of its end no longer holds.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn started(&self, id: RunId) -> Result<(), StoreError> {
        let sql = "UPDATE run SET queued_ms = NULL, phase = ?2, trouble = NULL WHERE id = ?1";
        self.change(id, sql, "started")
    }

    /// Notes why a worker is gone that said nothing of its end. A run that is over keeps what it said itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn explain(&self, id: RunId, trouble: &ApiError) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute(
                "UPDATE run SET trouble = ?2 WHERE id = ?1 AND (phase IS NULL OR phase = 'started')",
                params![Text(id), Json(trouble)],
            )?;
            Ok(())
        })
    }

    /// Gives a run another name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn rename_run(&self, id: RunId, name: &str) -> Result<(), StoreError> {
        self.change(id, "UPDATE run SET name = ?2 WHERE id = ?1", name)
    }

    /// Takes a run out of the list; it can be brought back until it is purged.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not in the list, and the others.
    pub fn delete_run(&self, id: RunId, now_ms: u64) -> Result<(), StoreError> {
        self.change(id, "UPDATE run SET deleted_ms = ?2 WHERE id = ?1 AND deleted_ms IS NULL", now_ms)
    }

    /// Brings back the run that was deleted last, and says which; none if none is deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn undo_delete_run(&self) -> Result<Option<RunId>, StoreError> {
        self.write(|db| {
            let sql = "UPDATE run SET deleted_ms = NULL WHERE id =
                         (SELECT id FROM run WHERE deleted_ms IS NOT NULL ORDER BY deleted_ms DESC, id DESC LIMIT 1)
                       RETURNING id";
            let back = db.query_row(sql, [], |row| row.get::<_, Text<RunId>>(0)).optional()?;
            Ok(back.map(|Text(id)| id))
        })
    }

    /// Runs deleted before `before_ms`: those to be purged.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn deleted_runs(&self, before_ms: u64) -> Result<Vec<RunId>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT id FROM run WHERE deleted_ms < ?1 ORDER BY id")?;
            let rows = statement.query_map([before_ms], |row| Ok(row.get::<_, Text<RunId>>(0)?.0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets a deleted run for good, with all that it said. Its folder is to be removed first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not deleted, and the others.
    pub fn purge_run(&self, id: RunId) -> Result<(), StoreError> {
        self.write(|db| {
            let n = db.execute("DELETE FROM run WHERE id = ?1 AND deleted_ms IS NOT NULL", [Text(id)])?;
            if n == 0 { Err(missing(id)) } else { Ok(()) }
        })
    }

    fn change(&self, id: RunId, sql: &str, value: impl rusqlite::ToSql) -> Result<(), StoreError> {
        self.write(
            |db| {
                if db.execute(sql, params![Text(id), value])? == 0 { Err(missing(id)) } else { Ok(()) }
            },
        )
    }

    fn on_devices(&self, which: &str) -> Result<Vec<(RunId, DeviceChoice)>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!("SELECT id, device FROM run WHERE {which}"))?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, Text<RunId>>(0)?.0, row.get::<_, Json<DeviceChoice>>(1)?.0))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Folds what the run said of itself as a whole into its row.
pub(crate) fn note(db: &Transaction, id: RunId, event: &spec::RunEvent) -> rusqlite::Result<()> {
    use spec::{EndReason, RunEvent};
    match event {
        RunEvent::Started { plan, device, .. } => db.execute(
            "UPDATE run SET phase = 'started', queued_ms = NULL, trouble = NULL, plan = ?2, device_info = ?3
             WHERE id = ?1",
            params![Text(id), Json(plan), Json(device)],
        )?,
        RunEvent::Ready { trainable_parameters, total_parameters, .. } => {
            let parameters = Parameters { trainable: *trainable_parameters, total: *total_parameters };
            let sql = "UPDATE run SET parameters = ?2 WHERE id = ?1";
            db.execute(sql, params![Text(id), Json(parameters)])?
        }
        RunEvent::Paused { .. } => {
            db.execute("UPDATE run SET phase = 'paused', trouble = NULL WHERE id = ?1", params![Text(id)])?
        }
        RunEvent::Ended { reason, checkpoint, .. } => {
            let phase = match reason {
                EndReason::Done | EndReason::EarlyStopped => "finished",
                EndReason::Stopped => "stopped",
            };
            let sql = "UPDATE run SET phase = ?2, result = ?3, trouble = NULL WHERE id = ?1";
            db.execute(sql, params![Text(id), phase, checkpoint])?
        }
        RunEvent::Failed { error, .. } => db.execute(
            "UPDATE run SET phase = 'failed', trouble = ?2 WHERE id = ?1",
            params![Text(id), Json(error)],
        )?,
        RunEvent::Stepped { .. } | RunEvent::Evaluated { .. } | RunEvent::Sampled { .. } => 0,
        RunEvent::Saved { .. } | RunEvent::Warned { .. } | RunEvent::Profiled { .. } => 0,
    };
    Ok(())
}

/// How far the log of a run is ingested: the last event's place, and bytes.
pub(crate) fn ingested(db: &Transaction, id: RunId) -> Result<(Option<u64>, u64), StoreError> {
    let sql = "SELECT last_seq, log_offset FROM run WHERE id = ?1";
    let found = db.query_row(sql, [Text(id)], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?))).optional()?;
    let (last_seq, offset) = found.ok_or_else(|| missing(id))?;
    Ok((u64::try_from(last_seq).ok(), offset))
}

pub(crate) fn keep_ingested(db: &Transaction, id: RunId, last_seq: u64, offset: u64) -> rusqlite::Result<()> {
    let sql = "UPDATE run SET last_seq = ?2, log_offset = max(log_offset, ?3) WHERE id = ?1";
    db.execute(sql, params![Text(id), last_seq, offset])?;
    Ok(())
}

pub(crate) fn missing(id: RunId) -> StoreError {
    StoreError::NotFound { what: "run", id: id.to_string() }
}
