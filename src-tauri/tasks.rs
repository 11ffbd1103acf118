//! Long calls that the page can cut short, by a number that it gives them.
//!
//! **Invariant:** a number is known as long as its call goes on, and not longer.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The calls that go on.
#[derive(Clone, Default)]
pub struct Tasks(Arc<Mutex<HashMap<u32, Arc<AtomicBool>>>>);

/// Held by a call as long as it goes on: whether it should stop.
pub struct Stop {
    task: u32,
    asked: Arc<AtomicBool>,
    tasks: Tasks,
}

impl Tasks {
    /// A call begins under the number `task`.
    pub fn begin(&self, task: u32) -> Stop {
        let asked = Arc::new(AtomicBool::new(false));
        self.lock().insert(task, asked.clone());
        Stop { task, asked, tasks: self.clone() }
    }

    /// Asks the call `task` to stop; one that is over already has nothing to stop.
    pub fn stop(&self, task: u32) {
        if let Some(asked) = self.lock().get(&task) {
            asked.store(true, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Arc<AtomicBool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stop {
    /// That the page wants it to end.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        let mut all = self.tasks.lock();
        // A page that was loaded again may have given the number anew.
        if all.get(&self.task).is_some_and(|asked| Arc::ptr_eq(asked, &self.asked)) {
            all.remove(&self.task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_stops_when_asked_and_its_number_goes_with_it() {
        let tasks = Tasks::default();
        let (one, other) = (tasks.begin(1), tasks.begin(2));
        tasks.stop(1);
        tasks.stop(3);
        assert!(one.is_asked() && !other.is_asked());
        drop(one);
        assert_eq!(tasks.lock().keys().collect::<Vec<_>>(), [&2]);
    }

    #[test]
    fn a_number_given_anew_belongs_to_the_new_call() {
        let tasks = Tasks::default();
        let old = tasks.begin(1);
        let new = tasks.begin(1);
        drop(old);
        tasks.stop(1);
        assert!(new.is_asked());
    }
}
