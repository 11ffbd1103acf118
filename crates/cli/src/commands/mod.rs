//! A file for each command.

pub mod classify;
pub mod data;
pub mod demo;
pub mod doctor;
pub mod eval;
pub mod export;
pub mod generate;
pub mod models;
pub mod runs;
pub mod train;
