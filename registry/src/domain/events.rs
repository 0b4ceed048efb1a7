//! What a batch of events means beside what a device handed in before (SY 6): new, known already, or a contradiction.

use std::collections::BTreeMap;

use tongguan_pass::event::chain;
use tongguan_pass::{Batch, ListError, Sha256Hash};

/// What is stored of the batch's device around the batch.
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    /// The chain value of the record before the first.
    pub before: Option<Sha256Hash>,
    /// The chain values of the batch's own numbers, where stored.
    pub within: BTreeMap<u64, Sha256Hash>,
    /// The record after the last, with its chain value.
    pub after: Option<(Vec<u8>, Sha256Hash)>,
    /// The highest number stored, 0 if none.
    pub highest: u64,
}

/// A record to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its number.
    pub seq: u64,
    /// The chain value after it.
    pub chain: Sha256Hash,
    /// The record as signed.
    pub record: Vec<u8>,
    /// Whether the record before it is missing.
    pub after_gap: bool,
}

/// What to do with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Store what is new.
    Accept {
        /// Records not stored yet.
        new: Vec<NewEvent>,
        /// Records stored already.
        duplicate: usize,
        /// The number whose gap this batch closes.
        closes: Option<u64>,
        /// One more than the highest number stored afterwards.
        next_seq: u64,
    },
    /// Contradicts what is stored, at this number. Store nothing.
    Conflict {
        /// Where.
        seq: u64,
    },
}

/// Judges a batch that its device signed.
///
/// # Errors
/// [`ListError::Chain`] if a batch that starts at number 1 does not start its chain.
pub fn judge(batch: &Batch, known: &Neighbours) -> Result<Judgement, ListError> {
    let first = batch.first_seq;
    // SY 6.2: h(0) is 32 zero bytes.
    let before = if first == 1 { Some(Sha256Hash([0; 32])) } else { known.before };
    if before.is_some_and(|before| before != batch.previous) {
        return if first == 1 { Err(ListError::Chain) } else { Ok(Judgement::Conflict { seq: first }) };
    }
    let mut new = Vec::new();
    let mut duplicate = 0;
    let (mut last_seq, mut last_chain) = (first, batch.previous);
    for (seq, record, value) in batch.chained() {
        match known.within.get(&seq) {
            Some(stored) if *stored != value => return Ok(Judgement::Conflict { seq }),
            Some(_) => duplicate += 1,
            None => {
                let after_gap = seq == first && before.is_none();
                new.push(NewEvent { seq, chain: value, record: record.to_vec(), after_gap });
            }
        }
        (last_seq, last_chain) = (seq, value);
    }
    let after = last_seq.saturating_add(1);
    // A batch that fills a gap must lead to what came after the gap.
    if let Some((record, value)) = &known.after
        && chain(&last_chain, after, record) != *value
    {
        return Ok(Judgement::Conflict { seq: after });
    }
    let closes = known.after.is_some().then_some(after);
    Ok(Judgement::Accept { new, duplicate, closes, next_seq: known.highest.max(last_seq).saturating_add(1) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongguan_pass::SigningKey;

    /// Records 1 to `n` of one device, and the chain values.
    fn history(n: u64, salt: u8) -> Vec<(Vec<u8>, Sha256Hash)> {
        let mut value = Sha256Hash([0; 32]);
        (1..=n)
            .map(|seq| {
                let record = vec![200, salt, u8::try_from(seq).expect("short")];
                value = chain(&value, seq, &record);
                (record, value)
            })
            .collect()
    }

    fn batch(history: &[(Vec<u8>, Sha256Hash)], from: usize, to: usize) -> Batch {
        Batch {
            device: SigningKey::from_bytes(&[1; 32]).verifying_key(),
            first_seq: from as u64,
            previous: if from == 1 { Sha256Hash([0; 32]) } else { history[from - 2].1 },
            records: history[from - 1..to].iter().map(|(r, _)| r.clone()).collect(),
        }
    }

    fn stored(history: &[(Vec<u8>, Sha256Hash)], seqs: &[usize], batch: &Batch) -> Neighbours {
        let first = usize::try_from(batch.first_seq).expect("small");
        let last = first + batch.records.len() - 1;
        Neighbours {
            before: (first > 1 && seqs.contains(&(first - 1))).then(|| history[first - 2].1),
            within: seqs.iter().filter(|s| (first..=last).contains(s)).map(|s| (*s as u64, history[s - 1].1)).collect(),
            after: seqs.contains(&(last + 1)).then(|| history[last].clone()),
            highest: seqs.iter().max().map_or(0, |s| *s as u64),
        }
    }

    fn outcome(judgement: Judgement) -> (Vec<(u64, bool)>, usize, Option<u64>, u64) {
        match judgement {
            Judgement::Accept { new, duplicate, closes, next_seq } => {
                (new.iter().map(|e| (e.seq, e.after_gap)).collect(), duplicate, closes, next_seq)
            }
            Judgement::Conflict { seq } => panic!("conflict at {seq}"),
        }
    }

    #[test]
    fn records_that_overlap_what_is_stored_are_taken_once() {
        let h = history(6, 0);
        let b = batch(&h, 2, 5);
        let judged = judge(&b, &stored(&h, &[1, 2, 3], &b)).expect("in order");
        assert_eq!(outcome(judged), (vec![(4, false), (5, false)], 2, None, 6));
    }

    #[test]
    fn records_after_missing_ones_are_kept_and_marked_and_the_missing_ones_close_the_gap() {
        let h = history(6, 0);
        let late = batch(&h, 4, 5);
        let judged = judge(&late, &stored(&h, &[1], &late)).expect("a gap is no error");
        assert_eq!(outcome(judged), (vec![(4, true), (5, false)], 0, None, 6));
        let missing = batch(&h, 2, 3);
        let judged = judge(&missing, &stored(&h, &[1, 4, 5], &missing)).expect("fits");
        assert_eq!(outcome(judged), (vec![(2, false), (3, false)], 0, Some(4), 6));
    }

    #[test]
    fn a_device_cannot_rewrite_what_it_handed_in() {
        let (true_one, other) = (history(6, 0), history(6, 1));
        let rewritten = batch(&other, 1, 3);
        let judged = judge(&rewritten, &stored(&true_one, &[1, 2], &rewritten));
        assert_eq!(judged, Ok(Judgement::Conflict { seq: 1 }));
        let grafted = batch(&other, 3, 4);
        assert_eq!(judge(&grafted, &stored(&true_one, &[1, 2], &grafted)), Ok(Judgement::Conflict { seq: 3 }));
        let filler = batch(&other, 1, 3);
        assert_eq!(judge(&filler, &stored(&true_one, &[4], &filler)), Ok(Judgement::Conflict { seq: 4 }));
    }

    #[test]
    fn a_chain_that_does_not_start_at_its_start_is_malformed() {
        let mut b = batch(&history(2, 0), 1, 2);
        b.previous = Sha256Hash([9; 32]);
        assert_eq!(judge(&b, &Neighbours::default()), Err(ListError::Chain));
    }
}
