//! What can go wrong with a whole file, with the store, and with a model's template: what happened, what to do.

use std::{io, path::PathBuf};

/// A file, or a set of files, from which no rows can be had.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// No such file or folder.
    #[error("There is no file or folder {path}. Check the path.")]
    Missing {
        /// As given.
        path: PathBuf,
    },
    /// The system does not let us read it.
    #[error("{path} may not be read by this account. Change its permissions, or copy it elsewhere.")]
    Forbidden {
        /// As given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system failed while reading.
    #[error("{file} could not be read: {source}. Check the disk it is on, and try again.")]
    Io {
        /// Its name.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing in it, or only white space.
    #[error("{file} is empty. Choose a file with at least one example in it.")]
    Empty {
        /// Its name.
        file: String,
    },
    /// No file in the folder that could be data.
    #[error("The folder {folder} holds no data file. Known are {}.", crate::FORMAT_NAMES)]
    EmptyFolder {
        /// As given.
        folder: PathBuf,
    },
    /// Bytes that are no text in any encoding.
    #[error("{file} is not text: it looks like {looks_like}. Known are {}.", crate::FORMAT_NAMES)]
    Binary {
        /// Its name.
        file: String,
        /// What its first bytes say.
        looks_like: &'static str,
    },
    /// Neither name nor content tells what it is.
    #[error(
        "The format of {file} is not known. Known are {}; give it the ending of its format.",
        crate::FORMAT_NAMES
    )]
    UnknownFormat {
        /// Its name.
        file: String,
    },
    /// The file breaks off or breaks its format's rules in a way that loses the rest.
    #[error("{file} is broken {at}: {what}. Save it again, or take out what is broken.")]
    Broken {
        /// Its name.
        file: String,
        /// Where, as in `at line 3, column 9`.
        at: String,
        /// What the parser said.
        what: String,
    },
    /// A header and nothing below it, or a list without elements.
    #[error("{file} has no rows. Choose a file with at least one example in it.")]
    NoRows {
        /// Its name.
        file: String,
    },
    /// A `.json` file whose rows could be in several places.
    #[error("{file} holds several lists ({lists}); keep the one with the examples, in a file of its own.")]
    SeveralLists {
        /// Its name.
        file: String,
        /// Their keys, joined by commas.
        lists: String,
    },
    /// The columns do not tell what is asked and what is answered.
    #[error(
        "It is not clear which column of {file} plays which part (columns: {columns}). Say which one is the prompt and which the completion, or which holds the text."
    )]
    NoShape {
        /// Its name.
        file: String,
        /// Their names, joined by commas.
        columns: String,
    },
    /// The given mapping names a column that is not there.
    #[error("{file} has no column `{column}` (columns: {columns}). Map the columns anew.")]
    NoColumn {
        /// The file's name.
        file: String,
        /// As mapped.
        column: String,
        /// Those there are, joined by commas.
        columns: String,
    },
    /// The given mapping lacks a role that its shape needs.
    #[error("The mapping lacks a column for the {role}. Say which column it is.")]
    IncompleteMapping {
        /// The role.
        role: &'static str,
    },
    /// Several files that do not look alike.
    #[error(
        "{first} and {second} do not look alike: {first_shape} and {second_shape}. Import them one by one, or map the columns."
    )]
    Mixed {
        /// A file's name.
        first: String,
        /// How its rows were understood.
        first_shape: String,
        /// Another file's name.
        second: String,
        /// How its rows were understood.
        second_shape: String,
    },
    /// Every row was left out.
    #[error(
        "Not one of the rows can be used ({n} were looked at). The first: {file}, line {line}: {kind}. Check that the columns play the right parts."
    )]
    NothingUsable {
        /// How many rows were looked at.
        n: u64,
        /// The first problem's file.
        file: String,
        /// The first problem's line.
        line: u64,
        /// The first problem.
        kind: spec::ProblemKind,
    },
}

impl Unreadable {
    pub(crate) fn io(file: &str, source: io::Error) -> Self {
        Self::Io { file: file.to_owned(), source }
    }
}

/// A data set that could not be stored. Nothing was changed in the store.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Its files could not be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The store's folder could not be written.
    #[error(transparent)]
    Write(#[from] atomic::WriteError),
    /// The parts would leave nothing to learn from.
    #[error(
        "Validation ({validation}) and test ({test}) must be 0 or more each and leave something for training: their sum must be below 1."
    )]
    Fractions {
        /// As asked.
        validation: f64,
        /// As asked.
        test: f64,
    },
    /// So many labels that they can only be answers, or numbers.
    #[error(
        "There are more than {most} different labels: that looks like written answers or like numbers. Map the columns as prompt and completion, or as a text and a number."
    )]
    TooManyLabels {
        /// As many as there may be.
        most: usize,
    },
    /// The person broke it off.
    #[error("Cancelled; nothing was kept.")]
    Cancelled,
}

/// A stored data set that is not what it was.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// A file of it cannot be opened or read.
    #[error("The stored data set's file {path} cannot be read: {source}. Import the data again.")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of it does not hold what was written.
    #[error("The stored data set's file {path} was changed or damaged (line {line}). Import the data again.")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
    },
    /// The content is another than the folder's name says.
    #[error("The stored data set {path} was changed after it was stored. Import the data again.")]
    Changed {
        /// Its folder.
        path: PathBuf,
    },
}

/// An example that a model cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TokeniseError {
    /// A conversation, and a model without a chat template.
    #[error(
        "The model has no chat template, so it cannot be shown conversations. Choose an instruct model, or data with prompts and completions."
    )]
    NoTemplate,
    /// A model whose files name no end token.
    #[error(
        "The model's tokenizer names no end token, so the model could not learn where to stop. Choose a model with complete tokenizer files."
    )]
    NoEndToken,
    /// The template refused the conversation.
    #[error("The model's chat template refuses this conversation: {0}")]
    Refused(String),
    /// The template changes earlier messages when later ones come, so replies cannot be found in its output.
    #[error(
        "The model's chat template does not show where reply {reply} begins and ends. Teach everything instead of the replies, or choose another model."
    )]
    NoSpan {
        /// Counted from 1.
        reply: usize,
    },
    /// Rows with labels, numbers or tags, which a model that writes cannot be shown.
    #[error(
        "These rows have labels, numbers or tags, which a model that writes cannot be shown. Choose a task that answers with them, or import the data with its columns mapped as prompt and completion."
    )]
    NotWritten,
    /// Rows of another task.
    #[error(
        "These rows do not fit the task `{task}`. Choose the task that goes with the data, or map its columns anew."
    )]
    OtherTask {
        /// The task.
        task: spec::TaskKind,
    },
    /// A label that the task does not have.
    #[error("The label `{label}` is not one that the model knows. Look at the data that it learned from.")]
    UnknownLabel {
        /// The label.
        label: String,
    },
    /// The tokenizer failed.
    #[error(transparent)]
    Tokenizer(#[from] text::TextError),
    /// The person broke it off.
    #[error("Cancelled.")]
    Cancelled,
}

/// A kept data set that a model cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// Its files were damaged.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The model lacks what it needs.
    #[error(transparent)]
    Tokenise(#[from] TokeniseError),
}
