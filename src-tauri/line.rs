//! What the page hears of something that goes on: it asks for the next word, and the answer comes when there is one.
//!
//! Words could be pushed to the page as well, each as a script that the web view runs. WebKit, however, keeps what it was
//! given to run: over a day of training that came to hundreds of megabytes. An answer to a question leaves nothing behind.
//!
//! **Invariant:** a word that was [said](Line::say) is heard once, in its turn, as long as anybody listens.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// How long a question waits for its answer: a page that was loaded again leaves nobody waiting for longer.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks whether somebody still listens.
const LOOK: Duration = Duration::from_millis(100);

/// What a question is answered with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Heard<T> {
    /// The next word.
    Word {
        /// As it was said.
        word: T,
    },
    /// Nothing was said meanwhile: ask again.
    Nothing,
    /// Nothing more will be said.
    Over,
}

/// From one who speaks to one who asks.
pub struct Line<T> {
    state: Mutex<State<T>>,
    turned: Condvar,
}

struct State<T> {
    word: Option<T>,
    closed: bool,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { word: None, closed: false }), turned: Condvar::new() }
    }
}

impl<T> Line<T> {
    /// Says `word` once the one before was heard. False if the line was closed, or `is_enough`, before that.
    pub fn say(&self, word: T, is_enough: impl Fn() -> bool) -> bool {
        let mut state = self.lock();
        while state.word.is_some() && !state.closed {
            if is_enough() {
                return false;
            }
            state =
                self.turned.wait_timeout(state, LOOK).map_or_else(|e| e.into_inner().0, |(state, _)| state);
        }
        if !state.closed {
            state.word = Some(word);
            self.turned.notify_all();
        }
        !state.closed
    }

    /// Says `word` in the place of one that was not heard yet. False if the line was closed.
    pub fn correct(&self, word: T) -> bool {
        let mut state = self.lock();
        if !state.closed {
            state.word = Some(word);
            self.turned.notify_all();
        }
        !state.closed
    }

    /// The next word; waits up to `patience` for it.
    pub fn hear(&self, patience: Duration) -> Heard<T> {
        let waits = |state: &mut State<T>| state.word.is_none() && !state.closed;
        let waited = self.turned.wait_timeout_while(self.lock(), patience, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.word.take() {
            Some(word) => {
                self.turned.notify_all();
                Heard::Word { word }
            }
            None if state.closed => Heard::Over,
            None => Heard::Nothing,
        }
    }

    /// Nothing more will be said; what was said before can still be heard.
    pub fn close(&self) {
        self.lock().closed = true;
        self.turned.notify_all();
    }

    /// That nothing more will be said.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines of the page, by the numbers that it gave them.
pub struct Lines<T>(Mutex<HashMap<u32, Arc<Line<T>>>>);

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Lines<T> {
    /// Opens one. Another under the same number, of a page that was loaded again, ends.
    pub fn open(&self, number: u32) -> Speaker<T> {
        let line = Arc::new(Line::default());
        if let Some(before) = self.lock().insert(number, line.clone()) {
            before.close();
        }
        Speaker(line)
    }

    /// That which was opened under this number, until it is [over](Self::forget).
    pub fn get(&self, number: u32) -> Option<Arc<Line<T>>> {
        self.lock().get(&number).cloned()
    }

    /// Nobody asks under this number any more.
    pub fn forget(&self, number: u32) {
        if let Some(line) = self.lock().remove(&number) {
            line.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Arc<Line<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever speaks; when it is gone, the line is closed.
pub struct Speaker<T>(Arc<Line<T>>);

impl<T> std::ops::Deref for Speaker<T> {
    type Target = Line<T>;

    fn deref(&self) -> &Line<T> {
        &self.0
    }
}

impl<T> Drop for Speaker<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    fn word<T>(word: T) -> Heard<T> {
        Heard::Word { word }
    }

    #[test]
    fn every_word_is_heard_once_and_in_turn() {
        let lines = Lines::default();
        let (speaker, line) = (lines.open(1), lines.get(1).unwrap());
        let spoken = thread::spawn(move || (0..200).all(|n| speaker.say(n, || false)));
        let mut heard = Vec::new();
        while let Heard::Word { word } = line.hear(PATIENCE) {
            heard.push(word);
        }
        assert!(spoken.join().unwrap());
        assert_eq!(heard, (0..200).collect::<Vec<_>>());
        assert_eq!(line.hear(SOON), Heard::Over);
    }

    #[test]
    fn who_asks_before_there_is_a_word_waits_and_no_longer_than_it_has_patience() {
        let line = Arc::new(Line::default());
        assert_eq!(line.hear(SOON), Heard::Nothing);
        let asks = {
            let line = line.clone();
            thread::spawn(move || line.hear(PATIENCE))
        };
        thread::sleep(SOON);
        assert!(line.say("now", || false));
        assert_eq!(asks.join().unwrap(), word("now"));
    }

    #[test]
    fn who_speaks_stops_when_nobody_listens() {
        let lines = Lines::default();
        let speaker = lines.open(1);
        assert!(speaker.say(1, || false));
        assert!(!speaker.say(2, || true), "it was enough");
        lines.forget(1);
        assert!(!speaker.say(2, || false));
        assert!(lines.get(1).is_none());
    }

    #[test]
    fn a_number_given_anew_belongs_to_the_new_line() {
        let lines = Lines::default();
        let (old, new) = (lines.open(1), lines.open(1));
        assert!(!old.say("old", || false));
        drop(old);
        assert!(new.say("new", || false));
        assert_eq!(lines.get(1).unwrap().hear(SOON), word("new"));
    }

    #[test]
    fn a_correction_takes_the_place_of_what_was_not_heard_yet() {
        let line = Line::default();
        assert!(line.correct(1) && line.correct(2));
        assert_eq!(line.hear(SOON), word(2));
        line.close();
        assert!(!line.correct(3));
        assert_eq!(line.hear(SOON), Heard::Over);
    }
}
