//! The registry's signed time (SY 7), asked for when the gate's own clock could be better.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use tongguan_pass::{TimeReply, limits};

use super::{SyncError, Transport};
use crate::clock::Clock;
use crate::store::Trust;

/// Asks, if there is a need and somebody to ask.
///
/// # Errors
/// [`SyncError`]; the clock is then as good as before.
pub(super) fn ask(transport: &dyn Transport, trust: &Trust, clock: &dyn Clock) -> Result<(), SyncError> {
    if !transport.tells_time() {
        return Ok(());
    }
    let Some(asked) = clock.begin_to_ask() else { return Ok(()) };
    if let Some(at) = signed_time(transport, trust)? {
        clock.hear(at, asked);
    }
    Ok(())
}

/// The registry's signed time; none if nobody is there who could sign it.
///
/// # Errors
/// [`SyncError`].
pub fn signed_time(transport: &dyn Transport, trust: &Trust) -> Result<Option<Timestamp>, SyncError> {
    if !transport.tells_time() {
        return Ok(None);
    }
    let mut nonce = [0; 16];
    // Without a nonce of its own a gate would believe an old answer.
    if getrandom::fill(&mut nonce).is_err() {
        return Ok(None);
    }
    let path = format!("v1/time?nonce={}", HEXLOWER.encode(&nonce));
    let answer = transport
        .get(&path, limits::TIME_REPLY_BYTES)
        .map_err(|source| SyncError::Transport { what: "time".into(), source })?;
    // SY 7.2
    let reply = TimeReply::open(&answer, &trust.keys, &nonce)
        .map_err(|source| SyncError::Refused { what: "the time", source })?;
    // SY 7.3
    Ok(i64::try_from(reply.at_ms).map_or(Ok(Timestamp::MAX), Timestamp::from_millisecond).ok())
}
