//! A mailbox with one slot between two threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The other side has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// One slot: the writer never waits for long, the reader never gets anything stale.
#[derive(Debug)]
pub struct Mailbox<T> {
    slot: Mutex<Slot<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Slot<T> {
    item: Option<T>,
    closed: bool,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self { slot: Mutex::new(Slot { item: None, closed: false }), changed: Condvar::new() }
    }
}

impl<T> Mailbox<T> {
    /// Puts an item in, in place of one that was not taken, and gives that one back.
    ///
    /// # Errors
    /// [`Closed`].
    pub fn put_newest(&self, item: T) -> Result<Option<T>, Closed> {
        self.put(self.lock(), item)
    }

    /// Puts an item in once the slot is free.
    ///
    /// # Errors
    /// [`Closed`].
    pub fn put_when_free(&self, item: T) -> Result<(), Closed> {
        let slot = self.changed.wait_while(self.lock(), |s| s.item.is_some() && !s.closed);
        self.put(slot.unwrap_or_else(PoisonError::into_inner), item).map(drop)
    }

    fn put(&self, mut slot: MutexGuard<'_, Slot<T>>, item: T) -> Result<Option<T>, Closed> {
        if slot.closed {
            return Err(Closed);
        }
        let displaced = slot.item.replace(item);
        drop(slot);
        self.changed.notify_all();
        Ok(displaced)
    }

    /// Waits for an item.
    ///
    /// # Errors
    /// [`Closed`] once nothing more will come.
    pub fn take(&self) -> Result<T, Closed> {
        let slot = self.changed.wait_while(self.lock(), |s| s.item.is_none() && !s.closed);
        let item = slot.unwrap_or_else(PoisonError::into_inner).item.take();
        self.changed.notify_all();
        item.ok_or(Closed)
    }

    /// Waits for an item, at most so long.
    ///
    /// # Errors
    /// [`Closed`] once nothing more will come.
    pub fn take_within(&self, at_most: Duration) -> Result<Option<T>, Closed> {
        let waited = self.changed.wait_timeout_while(self.lock(), at_most, |s| s.item.is_none() && !s.closed);
        let (mut slot, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let (item, closed) = (slot.item.take(), slot.closed);
        drop(slot);
        self.changed.notify_all();
        if item.is_none() && closed { Err(Closed) } else { Ok(item) }
    }

    /// Nothing more will come, or nothing more is wanted.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits for [`Mailbox::close`], at most so long.
    pub fn wait_closed(&self, at_most: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), at_most, |s| !s.closed);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Closes the mailbox when it is dropped.
    pub fn closer(&self) -> impl Drop + '_ {
        Closer(self)
    }

    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Closer<'a, T>(&'a Mailbox<T>);

impl<T> Drop for Closer<'_, T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_newest_wins_and_what_is_in_it_is_still_delivered_after_closing() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.take_within(Duration::ZERO), Ok(None));
        assert_eq!(mailbox.put_newest(1), Ok(None));
        assert_eq!(mailbox.put_newest(2), Ok(Some(1)));
        mailbox.close();
        assert_eq!(mailbox.take(), Ok(2));
        assert_eq!(mailbox.take(), Err(Closed));
        assert_eq!(mailbox.take_within(Duration::MAX), Err(Closed));
        assert_eq!(mailbox.put_newest(3), Err(Closed));
    }

    #[test]
    fn a_patient_writer_loses_nothing() {
        let mailbox = Arc::new(Mailbox::default());
        let writer = std::thread::spawn({
            let mailbox = Arc::clone(&mailbox);
            move || {
                let _close = mailbox.closer();
                (0..1000).try_for_each(|i| mailbox.put_when_free(i))
            }
        });
        let mut taken = Vec::new();
        while let Ok(i) = mailbox.take() {
            taken.push(i);
        }
        assert_eq!(taken, (0..1000).collect::<Vec<_>>());
        assert!(writer.join().is_ok());
    }
}
