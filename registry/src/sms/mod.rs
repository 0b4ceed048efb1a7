//! Handing messages on to whoever sends them to phones.
//!
//! - [`Log`] shows them on the terminal, [`Webhook`] posts them to the city's own gateway, [`Aliyun`] to that provider.
//! - [`config`] chooses one. [`next_try`] says when one that was not taken is handed on again.
//! - **Invariant**: no number, code or secret is in an error, a log or an address; what a provider answers is never repeated.

mod aliyun;
pub mod config;
mod http;
mod log;
mod retry;
mod secret;
#[cfg(test)]
mod stand_in;
mod webhook;

use crate::message::Message;

pub use aliyun::Aliyun;
pub use log::Log;
pub use retry::next_try;
pub use webhook::Webhook;

/// Somebody who sends messages to phones. Called from a thread that may block.
pub trait SmsSender: Send + Sync {
    /// Hands a message on. `id` is its number in the outbox and stays the same each time it is tried, so that whoever takes it
    /// twice can send it once.
    ///
    /// # Errors
    /// [`SendError`], which says whether it is worth another try.
    fn send(&self, id: u64, message: &Message) -> Result<(), SendError>;
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
