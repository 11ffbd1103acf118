//! Trying a model in the window: one is in memory at a time, and is asked again and again.
//!
//! Base and tuned voice may be asked from two threads at once. On the processor both write at the same time, each at
//! about half its pace; on a graphics adapter one waits for the other, since two would only wait for each other's
//! kernels.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use spec::{
    ApiError, ChatOpened, ChatPrompt, ChatReply, ChatTarget, Code, DeviceChoice, DeviceInfo, Search, Task,
    Voice,
};

use crate::{
    Engine, Tuned, Watch,
    advice::{best, named, refuse_failed},
    errors::AtTheEdge,
    known::lock,
    progress::cancelled,
    tuned::Writes,
};

/// A reply hears within a token that its model is let go; longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The model that is in memory, if any.
#[derive(Debug, Default)]
pub(crate) struct Seat(Mutex<Option<Arc<Sitting>>>);

#[derive(Debug)]
struct Sitting {
    tuned: Tuned,
    /// Set when it is let go: replies that go on end.
    over: AtomicBool,
    /// Held by a reply on a graphics adapter.
    turn: Option<Mutex<()>>,
}

impl Seat {
    /// Lets the model go, and waits until nobody uses it any more: there may not be memory for two.
    fn empty(&self) {
        let Some(sitting) = lock(&self.0).take() else { return };
        sitting.over.store(true, Ordering::Relaxed);
        let since = Instant::now();
        while Arc::strong_count(&sitting) > 1 && since.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Engine {
    /// Reads a model into memory to be talked to, or to be asked what a text is; the one before is let go.
    ///
    /// # Errors
    /// When there is nothing to open yet, it cannot be read, or `watch` breaks; then none is open.
    pub fn open_chat(&self, target: &ChatTarget, watch: &mut Watch<'_>) -> Result<ChatOpened, ApiError> {
        self.close_chat();
        let device = self.device_to_try(target)?;
        if self.answers(target, watch)? {
            return self.open_classifier(target, device, watch);
        }
        let tuned = match target {
            ChatTarget::Run { id } => self.open_run(*id, device.choice, watch)?,
            ChatTarget::Model { id } => self.open_base(id, device.choice, watch)?,
        };
        let opened = ChatOpened {
            task: match tuned.model {
                Writes::Decoder(_) => Task::Write,
                Writes::Seq2Seq(_) => Task::Transform,
            },
            chats: tuned.chats(),
            base: true,
            tuned: tuned.taught.is_some(),
            pairs: false,
            context: u32::try_from(tuned.open.longest()).unwrap_or(u32::MAX),
            device,
        };
        let turn = (opened.device.choice != DeviceChoice::Cpu).then(Mutex::default);
        let sitting = Sitting { tuned, over: AtomicBool::new(false), turn };
        *lock(&self.inner.seat.0) = Some(Arc::new(sitting));
        Ok(opened)
    }

    /// Lets the model go. Replies that go on end.
    pub fn close_chat(&self) {
        self.inner.seat.empty();
        self.close_classifier();
    }

    /// Goes on from `prompt` with the model that is open; `on_text` hears the text as it comes, as [`Tuned::write`] says,
    /// and may end it, which is no error: what was written is given back.
    ///
    /// # Errors
    /// When no model is open or it is let go meanwhile, it has no chat template for a conversation, or the device gives
    /// up.
    pub fn chat(
        &self,
        voice: Voice,
        prompt: &ChatPrompt,
        search: Search,
        max_tokens: usize,
        mut on_text: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<ChatReply, ApiError> {
        let sitting = lock(&self.inner.seat.0).clone().ok_or_else(|| {
            ApiError::new(Code::NotFound, "No model is open").hint("Choose a run or a model to try.")
        })?;
        let _turn = sitting.turn.as_ref().map(lock);
        let going = || !sitting.over.load(Ordering::Relaxed);
        let said = sitting.tuned.write(voice, prompt, search, max_tokens, |piece| {
            let more = on_text(piece);
            if going() { more } else { ControlFlow::Break(()) }
        })?;
        if going() { Ok(said) } else { Err(cancelled()) }
    }

    /// Where the run computes, or the best there is; the processor while a run trains there, and where a check failed.
    pub(crate) fn device_to_try(&self, target: &ChatTarget) -> Result<DeviceInfo, ApiError> {
        let devices = self.with_checks(self.devices_or_processor())?;
        let wanted = match target {
            ChatTarget::Run { id } => {
                let choice = self.record(*id)?.plan.device.value;
                named(choice, &devices).ok().filter(|found| refuse_failed(found).is_ok())
            }
            ChatTarget::Model { .. } => Some(best(&devices)),
        };
        let wanted = wanted.map(|checked| checked.device);
        let busy = self.inner.store.open_runs().at_the_edge()?;
        let is_busy = |device: &DeviceInfo| {
            busy.iter().any(|(id, choice)| *choice == device.choice && self.inner.alive(*id))
        };
        Ok(wanted.filter(|device| !is_busy(device)).unwrap_or_else(model::devices::cpu))
    }
}
