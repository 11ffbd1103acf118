//! What a head says, as answers and as numbers: which label, how likely, which entities; how good all of it is, how sure
//! that is, and what a guess reaches that does not look at the text. How near written texts come to what is right, and how
//! well texts are foreseen.
//!
//! **Invariants:** pure: it sees no tensor, file, clock or device. Training, evaluation and "try it" turn logits into
//! answers here and nowhere else, and the numbers are those of crate `metrics`.

mod foreseen;
mod guess;
mod intervals;
mod outcome;
mod said;
mod worst;
mod written;

pub use foreseen::Foreseen;
pub use guess::Guess;
pub use outcome::{Outcome, measured};
pub use said::{entities, probabilities, said, word_answers};
pub use worst::loss;
pub use written::Written;
