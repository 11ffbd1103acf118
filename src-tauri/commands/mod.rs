//! What the page may ask for: a command unpacks, makes one call, and returns.

pub mod chat;
pub mod data;
pub mod devices;
pub mod models;
pub mod plans;
pub mod runs;
pub mod settings;
pub mod shell;
