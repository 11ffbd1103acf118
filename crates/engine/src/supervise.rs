//! Workers and the queue: who runs, who is next, who is gone.
//!
//! **Invariant:** one worker at a time per device. Whoever starts workers holds `queue.lock` from the look at the
//! queue until the worker holds its own lock, so that two engines never start two.

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    process::{Child, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use runfolder::Tail;
use spec::{ApiError, Code, Control, DeviceChoice, RunEvent, RunId, RunStatus, Wish};

use crate::{
    Inner, clock,
    errors::{AtTheEdge, disk},
    postmortem,
};

/// How often the logs of running workers are folded into the history.
const TICK: Duration = Duration::from_millis(250);
/// How often a worker that was just started is looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// A worker takes its lock first thing; one that has not by now never will.
const BIRTH: Duration = Duration::from_secs(60);
/// Deleted runs can come back for so long.
const KEPT_DELETED_MS: u64 = 30 * 24 * 60 * 60 * 1000;

impl Inner {
    pub(crate) fn alive(&self, id: RunId) -> bool {
        // A folder that cannot be looked at has nobody in it who could write events.
        runfolder::is_alive(&self.home.run(id)).unwrap_or(false)
    }

    /// Folds what open runs said since, and explains those that are gone.
    pub(crate) fn catch_up_all(&self) -> Result<(), ApiError> {
        for (id, _) in self.store.open_runs().at_the_edge()? {
            self.catch_up(id)?;
        }
        Ok(())
    }

    /// Folds what a run said since; explains it if its worker is gone without a word.
    pub(crate) fn catch_up(&self, id: RunId) -> Result<(), ApiError> {
        // Looked at first: once the worker is gone, what its log holds is all there will be.
        let alive = self.alive(id);
        let offset = self.store.log_offset(id).at_the_edge()?;
        let mut tail = Tail::from_offset(&self.home.run(id), offset);
        loop {
            let batch = tail.read().at_the_edge()?;
            if batch.is_empty() {
                break;
            }
            self.store.ingest(id, &batch, tail.offset()).at_the_edge()?;
        }
        if alive { Ok(()) } else { self.bury(id) }
    }

    fn bury(&self, id: RunId) -> Result<(), ApiError> {
        let record = self.store.run(id, &|id| self.alive(id)).at_the_edge()?;
        if record.row.status == RunStatus::Interrupted && record.row.error.is_none() {
            let events = self.store.events(id).at_the_edge()?;
            let kept = events.iter().rev().find_map(|stamped| match stamped.event {
                RunEvent::Saved { step, .. } => Some(step),
                _ => None,
            });
            let trouble = postmortem::explain(&self.home.run(id), self.exit_of(id), kept);
            self.store.explain(id, &trouble).at_the_edge()?;
        }
        Ok(())
    }

    /// How the worker of a run ended, if this engine started it. Its lock is free an instant before the system knows.
    fn exit_of(&self, id: RunId) -> Option<ExitStatus> {
        let mut children = self.children();
        let child = children.get_mut(&id)?;
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(2) {
            match child.try_wait() {
                Ok(None) => thread::sleep(GLANCE),
                Ok(exit) => return exit,
                Err(_) => return None, // waited for by somebody else: how it ended is not known
            }
        }
        None
    }

    /// Takes note of workers that ended, so that the system forgets them.
    fn reap(&self) {
        for child in self.children().values_mut() {
            let _ = child.try_wait(); // remembered by the child; asked again in `exit_of`
        }
    }

    fn children(&self) -> MutexGuard<'_, HashMap<RunId, Child>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what waits for a device that is free.
    pub(crate) fn start_next(&self) -> Result<(), ApiError> {
        if self.store.queue().at_the_edge()?.is_empty() {
            return Ok(());
        }
        let _guard = self.lock_queue()?;
        let mut busy: BTreeSet<DeviceChoice> = BTreeSet::new();
        for (id, device) in self.store.open_runs().at_the_edge()? {
            if self.alive(id) {
                busy.insert(device);
            }
        }
        for (id, device) in self.store.queue().at_the_edge()? {
            if self.is_too_late(id) {
                self.store.dequeue(id, Control::Stop).at_the_edge()?;
            } else if busy.insert(device) {
                self.start_worker(id)?;
            }
        }
        Ok(())
    }

    /// That a run still waits at the moment at which it was to stop.
    fn is_too_late(&self, id: RunId) -> bool {
        runfolder::due(&self.home.run(id)) == Some(Control::Stop)
    }

    /// The run counts as waiting until its worker holds its lock, so nobody takes it for dead meanwhile.
    fn start_worker(&self, id: RunId) -> Result<(), ApiError> {
        let folder = self.home.run(id);
        // A moment to stop at was set while it waited, and stays.
        if let Some(Wish::Now(_)) = runfolder::asked(&folder) {
            runfolder::clear(&folder).at_the_edge()?;
        }
        let mut child = match self.program.spawn(&folder) {
            Ok(child) => child,
            Err(error) => {
                let program = self.program.path().display();
                let what = format!("The training process {program} does not start: {error}");
                let trouble = ApiError::new(Code::Internal, what).hint(
                    "Check that the program was not moved and that the disk has room; then resume the run.",
                );
                self.store.started(id).at_the_edge()?;
                return self.store.explain(id, &trouble).at_the_edge();
            }
        };
        let born = Instant::now();
        while !self.alive(id) && matches!(child.try_wait(), Ok(None)) && born.elapsed() < BIRTH {
            thread::sleep(GLANCE);
        }
        self.children().insert(id, child);
        self.store.started(id).at_the_edge()?;
        self.catch_up(id)
    }

    /// Held by one engine at a time, in whichever process.
    pub(crate) fn lock_queue(&self) -> Result<File, ApiError> {
        let path = self.home.queue_lock();
        let options = File::options().read(true).write(true).create(true).truncate(false).clone();
        let file = options.open(&path).map_err(disk(&path))?;
        file.lock().map_err(disk(&path))?;
        Ok(file)
    }

    /// Empties out what was deleted long ago: the folder first, so that a crash between leaves the row to try again.
    pub(crate) fn purge(&self) -> Result<(), ApiError> {
        let before = clock::now_ms().saturating_sub(KEPT_DELETED_MS);
        for id in self.store.deleted_runs(before).at_the_edge()? {
            let folder = self.home.run(id);
            if folder.path().exists() {
                std::fs::remove_dir_all(folder.path()).map_err(disk(folder.path()))?;
            }
            self.store.purge_run(id).at_the_edge()?;
        }
        // After the runs: what only they learned from goes with them.
        for (id, version) in self.store.deleted_versions(before).at_the_edge()? {
            let folder = self.home.dataset(id, &version);
            if folder.exists() {
                std::fs::remove_dir_all(&folder).map_err(disk(&folder))?;
            }
            self.store.purge_version(id, &version).at_the_edge()?;
            // The data set's own folder goes with the last version in it.
            let _ = folder.parent().map(std::fs::remove_dir);
        }
        Ok(())
    }
}

/// The thread that keeps the history up to date and the queue moving while an engine is open. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Watcher {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    pub(crate) fn over(inner: Arc<Inner>) -> Self {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let asked = stop.clone();
        let thread = thread::spawn(move || {
            let (stop, changed) = &*asked;
            let mut stopped = stop.lock().unwrap_or_else(PoisonError::into_inner);
            while !*stopped {
                drop(stopped);
                // What fails here (a full disk, a locked history) is tried again at the next tick, loses nothing, and
                // is said by whichever method the person calls next.
                inner.reap();
                let _ = inner.catch_up_all().and_then(|()| inner.start_next());
                stopped = stop.lock().unwrap_or_else(PoisonError::into_inner);
                if !*stopped {
                    stopped = changed.wait_timeout(stopped, TICK).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // It panicked or it ended; either way it is over.
            let _ = thread.join();
        }
    }
}
