//! For development: messages are shown on the terminal, and sent to nobody.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use super::{SendError, SmsSender};
use crate::message::Message;

/// Messages that the development inbox shows.
const INBOX: usize = 50;

/// See the module. It keeps the last messages for the inbox page of `serve --dev`.
#[derive(Default)]
pub struct Log {
    inbox: Mutex<VecDeque<Message>>,
}

impl Log {
    /// The last messages, newest first.
    pub fn inbox(&self) -> Vec<Message> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}

impl SmsSender for Log {
    fn send(&self, _: u64, message: &Message) -> Result<(), SendError> {
        let text = message.content.text(message.lang);
        // Standard error, and not the log: logs are kept and collected.
        writeln!(std::io::stderr(), "SMS {}: {}", message.phone.as_str(), *text)
            .map_err(|error| SendError::Later(error.to_string()))?;
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        if inbox.len() == INBOX {
            inbox.pop_front();
        }
        inbox.push_back(message.clone());
        Ok(())
    }
}
