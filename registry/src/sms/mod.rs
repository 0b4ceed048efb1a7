//! Handing messages on to whoever sends them to phones.

mod log;

use crate::message::Message;

pub use log::Log;

/// Somebody who sends messages to phones. Called from a thread that may block.
pub trait SmsSender: Send + Sync {
    /// Hands a message on.
    ///
    /// # Errors
    /// [`SendError`], which says whether it is worth another try.
    fn send(&self, message: &Message) -> Result<(), SendError>;
}

/// Why a message was not taken. It names neither the number nor what the message says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Not now: the network, the provider's limits.
    #[error("not now: {0}")]
    Later(String),
    /// Never: a number that cannot be reached, a setting that is wrong.
    #[error("refused: {0}")]
    Never(String),
}
