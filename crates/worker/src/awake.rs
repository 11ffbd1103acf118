//! Keeps the computer awake while it trains. The screen may sleep.

/// Awake as long as this lives; nothing where the system has no way to ask.
pub(crate) struct Awake(#[allow(dead_code, reason = "held for its Drop")] Option<keepawake::KeepAwake>);

impl Awake {
    /// Asks the system.
    pub(crate) fn stay() -> Self {
        let asked = keepawake::Builder::default()
            .display(false)
            .idle(true)
            .sleep(true)
            .reason("Training a model")
            .app_name("Tunesmith")
            .app_reverse_domain("dev.tunesmith.Tunesmith")
            .create();
        Self(asked.ok())
    }
}
