//! Trying a model.

use std::ops::ControlFlow;

use spec::{ApiError, ChatOpened, ChatPrompt, ChatReply, ChatTarget, Predicted, Search, TaskProgress, Voice};
use tauri::{State, ipc::Channel};

use crate::{Opened, Tasks};

/// Reads a model into memory; the one before is let go.
#[tauri::command]
#[specta::specta]
pub async fn open_chat(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    progress: Channel<TaskProgress>,
    target: ChatTarget,
) -> Result<ChatOpened, ApiError> {
    let call = move |engine: &engine::Engine, watch: &mut engine::Watch<'_>| engine.open_chat(&target, watch);
    engine.watched(tasks.begin(task), progress, call).await
}

/// Lets the model go.
#[tauri::command]
#[specta::specta]
pub async fn close_chat(engine: Opened<'_>) -> Result<(), ApiError> {
    engine
        .ask(|engine| {
            engine.close_chat();
            Ok(())
        })
        .await
}

/// What the model that is open says of a text, or of two that belong together.
#[tauri::command]
#[specta::specta]
pub async fn classify(
    engine: Opened<'_>,
    voice: Voice,
    text: String,
    pair: Option<String>,
) -> Result<Predicted, ApiError> {
    engine.ask(move |engine| engine.answer(voice, &text, pair.as_deref())).await
}

/// Goes on from `prompt`; `text` hears the words as they come. Stopped, it gives back what there is.
#[tauri::command]
#[specta::specta]
#[expect(clippy::too_many_arguments, reason = "each is a name that the page gives")]
pub async fn reply(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    text: Channel<String>,
    voice: Voice,
    prompt: ChatPrompt,
    search: Search,
    max_tokens: u32,
) -> Result<ChatReply, ApiError> {
    let stop = tasks.begin(task);
    engine
        .ask(move |engine| {
            engine.chat(voice, &prompt, search, max_tokens as usize, |piece| {
                let heard = piece.is_empty() || text.send(piece.to_owned()).is_ok();
                if stop.is_asked() || !heard { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        })
        .await
}
