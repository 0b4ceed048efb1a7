//! Events out over the network (SY 6): batch by batch, and each is handed in only when a signed receipt covers it.

use data_encoding::BASE64;
use tongguan_pass::{Batch, Receipt, Sha256Hash, limits};

use super::{SyncError, Transport};
use crate::clock::Clock;
use crate::store::{DeviceKey, Entry, Journal, Trust};

/// Events in one batch.
pub(super) const BATCH: usize = 200;
/// Batches in one sync: a gate that comes back after weeks fetches new lists in between.
const BATCHES: usize = 50;

/// Who hands in, and what is needed to believe the answer.
pub(super) struct HandIn<'a> {
    pub(super) trust: &'a Trust,
    pub(super) journal: &'a Journal,
    pub(super) device: &'a DeviceKey,
    pub(super) clock: &'a dyn Clock,
}

impl HandIn<'_> {
    /// Hands in what waits, and says how many events the registry then has. An error comes with how many were handed in before.
    pub(super) fn run(&self, transport: &dyn Transport) -> Result<u64, (u64, SyncError)> {
        let mut sent = 0;
        if !transport.takes_events() {
            return Ok(sent);
        }
        for _ in 0..BATCHES {
            let (previous, entries) = self.journal.waiting(BATCH).map_err(|e| (sent, e.into()))?;
            let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(sent) };
            let bytes = self.batch(previous, &entries);
            sent += transport
                .post("v1/events", &bytes)
                .map_err(|source| SyncError::Transport { what: "events".into(), source })
                .and_then(|answer| self.answered(&answer, first.seq, last.seq))
                .map_err(|e| (sent, e))?;
        }
        Ok(sent)
    }

    /// The signed batch of events that follow each other.
    pub(super) fn batch(&self, previous: Sha256Hash, entries: &[Entry]) -> Vec<u8> {
        let batch = Batch {
            device: self.device.public(),
            first_seq: entries.first().map_or(1, |e| e.seq),
            previous,
            records: entries.iter().map(|e| e.record.clone()).collect(),
        };
        let bytes = batch.sign(self.device.signing());
        debug_assert!(bytes.len() <= limits::BATCH_BYTES, "200 records of at most 1 KiB fit");
        bytes
    }

    /// SY 6.5: the registry answers with a receipt. Any other answer, be it a hotel's log-in page with status 200, is none.
    fn answered(&self, answer: &[u8], first: u64, last: u64) -> Result<u64, SyncError> {
        #[derive(serde::Deserialize)]
        struct Answer {
            receipt: Option<String>,
        }
        let Ok(Answer { receipt }) = serde_json::from_slice(answer) else { return Err(SyncError::NoReceipt) };
        let signed = receipt.ok_or(SyncError::Unsigned)?;
        let bytes = BASE64.decode(signed.as_bytes()).map_err(|_| SyncError::NoReceipt)?;
        let (receipt, marked) = self.take(&bytes)?;
        // A good receipt of yesterday, sent again by somebody in between.
        if receipt.first_seq > first || receipt.next_seq <= last {
            return Err(SyncError::OldReceipt { from: receipt.first_seq, to: receipt.next_seq - 1, last });
        }
        self.hand_in_again(&receipt)?;
        Ok(marked)
    }

    /// A receipt that came on a stick; how many events it newly covers. Only one that covers all that was handed in before tells
    /// what the registry has now; an older one says nothing of what it lacks.
    pub(super) fn found_on_stick(&self, bytes: &[u8]) -> Result<u64, SyncError> {
        let (receipt, marked) = self.take(bytes)?;
        if self.journal.last_handed_in()? < receipt.next_seq {
            self.hand_in_again(&receipt)?;
        }
        Ok(marked)
    }

    fn hand_in_again(&self, receipt: &Receipt) -> Result<(), SyncError> {
        let again = self.journal.hand_in_again_before(receipt.first_seq)?;
        if again > 0 {
            tracing::warn!(
                again,
                before = receipt.first_seq,
                "the registry has lost events it had; they are handed in again"
            );
        }
        Ok(())
    }

    /// SY 6.6: believes a receipt for what it is, and says how many events it newly covers.
    fn take(&self, bytes: &[u8]) -> Result<(Receipt, u64), SyncError> {
        let receipt = Receipt::open(bytes, &self.trust.keys, &self.device.public()).map_err(SyncError::BadReceipt)?;
        let marked = self.journal.take_receipt(&receipt, self.clock.now().earliest.as_second())?;
        Ok((receipt, marked))
    }
}
