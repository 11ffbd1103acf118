//! From a person's files to rows that a model learns from.
//!
//! The path, in order: [`Sources`] are read by [`Reader`] into [`spec::Example`]s and [`spec::Problem`]s; [`keep`]
//! splits them and stores them under the hash of their content; [`open`] gives them back; [`Teacher`] turns each into
//! [`Tokens`] with a mask of what is taught; [`pack`] puts tokens into [`Row`]s of one width. For models that answer with
//! a head, [`Examiner`] turns each into a [`Question`].
//!
//! **Invariant:** a row that cannot be used is named (file, line, reason) and left out; only a file that cannot be
//! read at all is an error. Files are read as streams: memory does not grow with the size of a file, but for about
//! forty bytes a row, by which duplicates are known.
//! Deliberately absent: tensors, shuffling, SQLite, the clock. Trainers shuffle rows with a seed of their own.

mod abandoned;
mod chat;
mod encoding;
mod error;
mod format;
mod guess;
mod index;
mod keep;
mod kept;
mod label_counts;
mod labelled;
mod lengths;
mod lines;
mod pack;
mod pair;
mod preview;
mod progress;
mod question;
mod read;
mod reply;
mod row;
mod row_labels;
mod see;
mod shape;
mod source;
mod sources;
mod split;
mod stratify;
mod tags;
mod tokenise;
mod words;

pub use abandoned::clear_abandoned;
pub use error::{KeepError, KeptError, ShowError, TokeniseError, Unreadable};
pub use format::FORMAT_NAMES;
pub use index::{LineIndex, Lookup};
pub use keep::{Import, keep};
pub use kept::{Kept, open};
pub use lengths::Lengths;
pub use pack::{Row, n_supervised, pack, unpacked};
pub use pair::{Pair, Pairing, Pairs, Sides};
pub use preview::Preview;
pub use progress::{Progress, Watch, unwatched};
pub use question::{Answer, Examiner, Question, Questions, first_tokens};
pub use read::{Imported, Problems, Reader, Report, read_bytes};
pub use see::{Seen, SeenToken};
pub use shape::shapes;
pub use sources::Sources;
pub use split::{assign, drawn};
pub use tags::of_entities;
pub use tokenise::{Teacher, Tokenised, Tokens};
pub use words::words;
