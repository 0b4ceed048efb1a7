//! How results and failures are shown: sentences for people, one JSON object a line for programs.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;
use tongguan_registry::Error;
use tongguan_registry::ceremony::CeremonyError;
use tongguan_registry::data::DataError;
use tongguan_registry::store::StoreError;

/// Standard output in the form that was asked for.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Shows one result, and flushes: a program that waits for the line must get it now.
    pub(crate) fn show(&self, value: &impl Serialize, sentence: impl FnOnce() -> String) -> Result<(), Failure> {
        let line = if self.json { serde_json::to_string(value).map_err(Failure::error)? } else { sentence() };
        let mut out = io::stdout().lock();
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            // The reader has had enough, as `head` does.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Quiet),
            other => other.map_err(Failure::error),
        }
    }

    /// Says something beside the result, where it does not get into a pipe.
    pub(crate) fn note(&self, sentence: &str) {
        if !self.json {
            writeln!(io::stderr(), "{sentence}").ok();
        }
    }

    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        let (text, code) = match failure {
            Failure::Refused(text) => (text, 1),
            Failure::Error(text) => (text, 2),
            Failure::Quiet => return ExitCode::SUCCESS,
        };
        let mut err = io::stderr().lock();
        let _ = if self.json { writeln!(err, "{}", json!({ "error": text })) } else { writeln!(err, "error: {text}") };
        ExitCode::from(code)
    }
}

/// Why a command did not do what was asked.
pub(crate) enum Failure {
    /// The registry understood and refused: exit 1.
    Refused(String),
    /// Misuse, or something broke: exit 2.
    Error(String),
    /// Nobody is listening any more.
    Quiet,
}

impl Failure {
    pub(crate) fn misuse(text: impl Into<String>) -> Self {
        Self::Error(text.into())
    }

    pub(crate) fn error(error: impl std::fmt::Display) -> Self {
        Self::Error(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Key(_)
            | Error::Keys(_)
            | Error::Data(DataError::Exists(..))
            | Error::Store(
                StoreError::UnknownPerson
                | StoreError::UnknownCommunity(_)
                | StoreError::CommunityTaken(_)
                | StoreError::DocumentTaken
                | StoreError::NothingPublished
                | StoreError::Policy(_)
                | StoreError::Publish(_),
            ) => Self::Refused(text),
            _ => Self::Error(text),
        }
    }
}

impl From<CeremonyError> for Failure {
    fn from(error: CeremonyError) -> Self {
        match error {
            CeremonyError::Registry(error) => error.into(),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}
