//! What can go wrong between here and a model, in the words of the person who wants it.

use std::{io, path::PathBuf};

use atomic::WriteError;
use spec::{ApiError, Code};

/// A search or download that came to nothing. What was fetched so far is kept unless it was wrong.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Not a repository's name.
    #[error("`{0}` is not the name of a model on the hub")]
    BadId(String),
    /// `HF_ENDPOINT` or an index address that cannot be used.
    #[error("`{0}` is not a web address")]
    BadAddress(String),
    /// Nothing of that name.
    #[error("there is no {0} on the hub")]
    NotFound(String),
    /// It may exist, but not for someone without a token.
    #[error("{0} is private, or does not exist")]
    NeedsToken(String),
    /// The token is not accepted.
    #[error("the hub does not accept the token")]
    TokenRejected,
    /// Its licence has to be accepted first.
    #[error("{id} is given only to those who accepted its licence")]
    Gated {
        /// The repository.
        id: String,
        /// Where the licence is accepted.
        page: String,
        /// Whether a token was sent.
        had_token: bool,
    },
    /// No way to the server.
    #[error("{host} cannot be reached: {reason}")]
    Offline {
        /// The server.
        host: String,
        /// What the system said.
        reason: String,
    },
    /// The server, or the way to it, is not to be trusted.
    #[error("no secure connection to {host}: {reason}")]
    Untrusted {
        /// The server.
        host: String,
        /// What was wrong.
        reason: String,
    },
    /// Connected, then silence, again and again.
    #[error("{host} stopped answering before all was here")]
    Stalled {
        /// The server.
        host: String,
    },
    /// Too many questions in a short time.
    #[error("{host} asks to slow down")]
    RateLimited {
        /// The server.
        host: String,
        /// Seconds to wait, where it said so.
        retry_after: Option<u64>,
    },
    /// The server is in trouble.
    #[error("{host} is in trouble (status {status})")]
    Server {
        /// The server.
        host: String,
        /// The status of its answer.
        status: u16,
    },
    /// An answer that is not what was asked for.
    #[error("{host} gave an answer that makes no sense: {reason}")]
    BadReply {
        /// The server.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bytes are not those that were announced; they were thrown away.
    #[error("{file} arrived damaged: its {what} is not what was announced")]
    Mismatch {
        /// The file.
        file: String,
        /// `size` or `SHA-256`.
        what: &'static str,
    },
    /// No weights that can be used.
    #[error("{id} holds no weights that can be opened: {holds}")]
    NoWeights {
        /// The repository.
        id: String,
        /// What there is instead.
        holds: String,
    },
    /// Several files of weights, of which one has to be named.
    #[error("{id} holds {} GGUF files", .files.len())]
    ChooseFile {
        /// The repository.
        id: String,
        /// The files.
        files: Vec<String>,
    },
    /// No such file in it.
    #[error("{id} has no file {file}")]
    NoSuchFile {
        /// The repository.
        id: String,
        /// The file.
        file: String,
    },
    /// The same model is already on its way.
    #[error("{0} is being downloaded already")]
    Busy(String),
    /// The disk did not take it.
    #[error(transparent)]
    Disk(#[from] WriteError),
    /// The disk is full.
    #[error("the disk is full, so {path} is not all here")]
    DiskFull {
        /// What was to be written.
        path: PathBuf,
    },
    /// A file or folder that cannot be read or written.
    #[error("{path} cannot be used: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The person stopped it.
    #[error("the download was cancelled")]
    Cancelled,
}

impl HubError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::File { path, source },
        }
    }

    /// Whether the same question may well be answered on another try.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Offline { .. } | Self::Stalled { .. } => true,
            Self::Server { status, .. } => *status != 501,
            _ => false,
        }
    }

    /// That nothing can be had from there now: another source may do.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        matches!(
            self,
            Self::Offline { .. }
                | Self::Untrusted { .. }
                | Self::Stalled { .. }
                | Self::RateLimited { .. }
                | Self::Server { .. }
                | Self::BadReply { .. }
        )
    }

    /// For screens and exit codes.
    pub fn code(&self) -> Code {
        match self {
            Self::BadId(_) | Self::BadAddress(_) | Self::ChooseFile { .. } => Code::Usage,
            Self::NotFound(_) | Self::NoSuchFile { .. } => Code::NotFound,
            Self::NeedsToken(_) | Self::TokenRejected | Self::Gated { .. } => Code::Forbidden,
            Self::Offline { .. }
            | Self::Untrusted { .. }
            | Self::Stalled { .. }
            | Self::RateLimited { .. }
            | Self::Server { .. }
            | Self::BadReply { .. }
            | Self::Mismatch { .. } => Code::Network,
            Self::NoWeights { .. } => Code::BadModel,
            Self::Busy(_) => Code::Busy,
            Self::Disk(_) | Self::DiskFull { .. } | Self::File { .. } => Code::Disk,
            Self::Cancelled => Code::Cancelled,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        const TOKEN: &str = "make a read token at huggingface.co/settings/tokens and set HF_TOKEN to it";
        Some(match self {
            Self::BadId(_) => {
                "Write it as owner/name, such as HuggingFaceTB/SmolLM2-135M-Instruct.".to_owned()
            }
            Self::BadAddress(_) => {
                "It should begin with https:// or http://; check HF_ENDPOINT and the package index."
                    .to_owned()
            }
            Self::NotFound(_) => {
                "Check the spelling of the name, upper and lower case too, or search for it.".to_owned()
            }
            Self::NeedsToken(_) => format!("Check the spelling. If it is yours or shared with you, {TOKEN}."),
            Self::TokenRejected => format!("It may be mistyped or expired: {TOKEN}."),
            Self::Gated { page, had_token: true, .. } => {
                format!(
                    "Open {page}, accept the licence with the account that the token belongs to, and try again."
                )
            }
            Self::Gated { page, had_token: false, .. } => {
                format!("Open {page}, accept the licence, then {TOKEN}.")
            }
            Self::Offline { .. } => {
                "Check the connection, or a proxy's settings. Models that are already here work \
                 without it, and HF_ENDPOINT can name a mirror."
                    .to_owned()
            }
            Self::Untrusted { .. } => {
                "Check the computer's date. Behind a company's proxy, add its certificate to \
                 the system's."
                    .to_owned()
            }
            Self::Stalled { .. } => "Try again: it goes on from where it stopped.".to_owned(),
            Self::RateLimited { retry_after: Some(secs), .. } => {
                format!(
                    "Try again in {secs} s; what is here is kept. A token raises the limit: set HF_TOKEN."
                )
            }
            Self::RateLimited { retry_after: None, .. } => {
                "Try again in some minutes; what is here is kept. A token raises the limit: set HF_TOKEN."
                    .to_owned()
            }
            Self::Server { .. } => "Try again later: it goes on from where it stopped.".to_owned(),
            Self::BadReply { .. } => {
                "If HF_ENDPOINT or a package index is set, check that it names a mirror of the \
                 right kind."
                    .to_owned()
            }
            Self::Mismatch { .. } => {
                "It was thrown away. Try again; if it happens twice, a proxy or mirror on the \
                 way changes files."
                    .to_owned()
            }
            Self::NoWeights { .. } => "Choose a repository with safetensors or GGUF files.".to_owned(),
            Self::ChooseFile { files, .. } => format!("Name one of them: {}.", files.join(", ")),
            Self::NoSuchFile { .. } => "Look at the list of its files, and check the spelling.".to_owned(),
            Self::Busy(_) => "Wait for it, or cancel it where it was started.".to_owned(),
            Self::DiskFull { .. } => {
                "Free some space and try again: it goes on from where it stopped.".to_owned()
            }
            Self::File { .. } => {
                "Check its permissions, or choose another folder with TUNESMITH_HOME.".to_owned()
            }
            Self::Disk(_) | Self::Cancelled => return None,
        })
    }
}

impl From<HubError> for ApiError {
    fn from(error: HubError) -> Self {
        Self { code: error.code(), message: error.to_string(), hint: error.hint() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_troubles_and_what_is_here_is_promised() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let error = HubError::file("models/x.part")(kind.into());
            assert_eq!(error.to_string(), "the disk is full, so models/x.part is not all here");
            assert!(error.hint().is_some_and(|hint| hint.contains("goes on from where it stopped")));
        }
        let error = HubError::file("models/x.part")(io::ErrorKind::PermissionDenied.into());
        assert!(matches!(error, HubError::File { .. }) && error.code() == Code::Disk);
    }
}
