//! The edge: typed errors of the crates below become the one error that a person sees, once and here.

use std::{io, path::Path};

use atomic::WriteError;
use plan::PlanError;
use runfolder::FolderError;
use spec::{ApiError, Code};
use store::StoreError;

/// Says of an error what a screen may branch on, and what to do.
pub(crate) trait Classify {
    /// As the person sees it.
    fn classify(self) -> ApiError;
}

/// `?` for results of the crates below.
pub(crate) trait AtTheEdge<T> {
    /// Classifies the error, if there is one.
    fn at_the_edge(self) -> Result<T, ApiError>;
}

impl<T, E: Classify> AtTheEdge<T> for Result<T, E> {
    fn at_the_edge(self) -> Result<T, ApiError> {
        self.map_err(Classify::classify)
    }
}

/// Our errors say what to do in their last sentences; the window and the headless program set it apart.
pub(crate) fn parted(code: Code, said: &str) -> ApiError {
    let said = said.trim().trim_end_matches('.');
    match said.split_once(". ") {
        Some((what, hint)) => ApiError::new(code, what).hint(format!("{hint}.")),
        None => ApiError::new(code, said),
    }
}

impl Classify for StoreError {
    fn classify(self) -> ApiError {
        let code = match &self {
            Self::Full(_) | Self::ReadOnly(_) | Self::Corrupt(_) | Self::CannotOpen(_) => Code::Disk,
            Self::Locked(_) => Code::Busy,
            Self::NotFound { .. } => Code::NotFound,
            Self::Newer { .. } => Code::Usage,
            Self::Other(_) => Code::Internal,
        };
        parted(code, &self.to_string())
    }
}

impl Classify for WriteError {
    fn classify(self) -> ApiError {
        parted(Code::Disk, &self.to_string())
    }
}

impl Classify for FolderError {
    fn classify(self) -> ApiError {
        let code = match &self {
            Self::Write(_) | Self::Io { .. } => Code::Disk,
            Self::NotAJob { .. } => Code::Internal,
            Self::Taken { .. } => Code::Busy,
        };
        parted(code, &self.to_string())
    }
}

impl Classify for PlanError {
    fn classify(self) -> ApiError {
        let ApiError { code, message, hint } = self.into();
        let mut letters = message.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        ApiError { code, message: first.unwrap_or_default() + letters.as_str(), hint }
    }
}

/// An error of the disk at `path`.
pub(crate) fn disk(path: &Path) -> impl FnOnce(io::Error) -> ApiError {
    move |error| {
        ApiError::new(Code::Disk, format!("{} could not be used: {error}", path.display()))
            .hint("Check that the disk is there, has room and may be written to.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_and_what_to_do_are_set_apart() {
        let error = parted(Code::Disk, "The disk is full. Free some space. Then try again.");
        assert_eq!(error.message, "The disk is full");
        assert_eq!(error.hint.as_deref(), Some("Free some space. Then try again."));
        assert_eq!(parted(Code::Internal, "There is no run 1.").message, "There is no run 1");
    }

    #[test]
    fn a_plan_that_does_not_fit_keeps_what_to_change() {
        let remedy = plan::Remedy { knob: "batch_size", from: "8".to_owned(), to: "2".to_owned() };
        let error = PlanError::TooLarge {
            device: "Some chip".to_owned(),
            needs: 9_000_000_000,
            has: 4_000_000_000,
            remedies: vec![remedy],
        };
        let error = error.classify();
        assert_eq!(error.code, Code::OutOfMemory);
        assert_eq!(error.message, "This run needs at least 9.0 GB, and Some chip has 4.0 GB free");
        assert_eq!(error.hint.as_deref(), Some("It fits with batch size 2 instead of 8."));
    }
}
