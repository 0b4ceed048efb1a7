//! The registry's lists in, the gate's events out (SYNC 8).
//!
//! One sync fetches everything into memory, checks it all, and only then writes it, in one transaction: whatever goes
//! wrong before, the gate goes on with what it had.

mod handin;
mod housekeeping;
mod lists;
mod partial;
mod rosters;
mod schedule;
mod stick;
mod time;
mod transport;
mod watch;

pub use housekeeping::{Housekeeping, Limits};
pub use lists::fetch;
pub use schedule::{Schedule, SyncState, Syncer};
pub use stick::{Exchanged, StickError, Visit, visit};
pub use time::signed_time;
pub use transport::{Folder, ListsOnly, Transport, TransportError, check_source, open};
pub use watch::StickWatch;

use handin::HandIn;
use tongguan_pass::ListError;

use crate::clock::Clock;
use crate::lang::Text;
use crate::store::{DeviceKey, Journal, ReceiptError, StoreError, TrustStore};

/// Why a sync failed. What was there before is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// A file could not be fetched.
    #[error("{what}: {source}")]
    Transport {
        /// The file.
        what: String,
        /// Why.
        source: TransportError,
    },
    /// The head names a file that its source does not have.
    #[error("{what} is missing, which the head there names (looked for at {place}); {}", copy_again())]
    Missing {
        /// The file.
        what: &'static str,
        /// Where it was looked for.
        place: String,
    },
    /// A file is there, but it is not the one that the head names: half a copy, or a damaged one.
    #[error("refused {what}: it {source} ({got} of {stated} bytes at {place}); {}", copy_again())]
    NotAsNamed {
        /// The file.
        what: &'static str,
        /// Where it was found.
        place: String,
        /// The bytes that came.
        got: usize,
        /// The bytes that the head states.
        stated: u32,
        /// The failed check.
        source: ListError,
    },
    /// A file was refused.
    #[error("refused {what}: it {source}")]
    Refused {
        /// The file.
        what: &'static str,
        /// The failed check.
        source: ListError,
    },
    /// SY 4.2: the lists are older than the ones here.
    #[error("refused the head: it goes back (version {got} where {known} is known); an old copy, or an attack")]
    Rollback {
        /// The version offered.
        got: u32,
        /// The version here.
        known: u32,
    },
    /// The lists belong to another registry.
    #[error("refused: these are the lists of another registry (their root is not the one given at `init`)")]
    OtherRegistry,
    /// Whatever took the events, it was not a registry.
    #[error("events: the answer is no registry's receipt (a log-in page of the network?); they are kept")]
    NoReceipt,
    /// A registry that cannot sign receipts.
    #[error(
        "events: the registry gives no signed receipt, so they are kept; at the registry, run `tongguan-registry keys rotate`"
    )]
    Unsigned,
    /// A receipt that nobody could have signed but the registry, and the registry did not.
    #[error("refused the receipt: it {0}; the events are kept. If the registry has changed its keys, sync again")]
    BadReceipt(ListError),
    /// A good receipt, but not for what was handed in.
    #[error(
        "events: the receipt is for {from} to {to}, and {last} was handed in: an old answer, sent again by somebody in between, or a registry that was restored from a backup; they are kept"
    )]
    OldReceipt {
        /// The first record it covers.
        from: u64,
        /// The last record it covers.
        to: u64,
        /// The last record handed in.
        last: u64,
    },
    /// A good receipt that does not fit the journal.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SyncError {
    /// Whether the registry is there and ours, and only its lists are not to be had.
    fn is_about_the_lists(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::NotAsNamed { .. } | Self::Refused { .. } | Self::Rollback { .. })
    }

    /// What the guard reads; the log has the rest.
    pub fn words(&self) -> Text {
        match self {
            Self::Transport { source, .. } => source.words(),
            Self::Missing { .. } | Self::NotAsNamed { .. } => {
                Text::new("登记处的名单不完整，请通知管理员", "the registry's lists are not whole; tell who runs it")
            }
            Self::Refused { .. } => Text::new(
                "名单无效，未采用，请通知管理员",
                "the lists are not valid and were refused; tell who runs the registry",
            ),
            Self::Rollback { .. } => Text::new(
                "名单比现有的旧，未采用，请通知管理员",
                "the lists are older than those here and were refused; tell who runs the registry",
            ),
            Self::OtherRegistry => Text::new(
                "名单来自另一个登记处，未采用，请检查地址",
                "the lists of another registry were refused; check the address",
            ),
            Self::NoReceipt => Text::new(
                "登记处未确认收到记录，网络可能需要登录",
                "the registry did not confirm the events; the network may want a log-in",
            ),
            Self::Unsigned => Text::new(
                "登记处未签收记录，记录已保留，请通知管理员",
                "the registry signs no receipts, the events are kept; tell who runs it",
            ),
            Self::BadReceipt(_) | Self::OldReceipt { .. } => Text::new(
                "收到的回执无效，记录已保留，请通知管理员",
                "the receipt is not valid, the events are kept; tell who runs the registry",
            ),
            Self::Receipt(ReceiptError::Store(error)) | Self::Store(error) => error.words(),
            Self::Receipt(_) => Text::new(
                "回执与本机记录不符，记录已保留，请通知管理员",
                "the receipt does not match this gate's events, which are kept; tell who runs it",
            ),
        }
    }
}

fn copy_again() -> &'static str {
    "if this is a copy, make a whole one with `tongguan-registry bundle`; if it is the registry, run `tongguan-registry publish`"
}

/// What a sync did.
#[derive(Debug)]
pub struct Report {
    /// The head's version.
    pub version: u32,
    /// Whether there was anything new.
    pub changed: bool,
    /// Revoked handles now.
    pub revoked: usize,
    /// Whether the lists fetched are past their expiry.
    pub expired: bool,
    /// Events handed in.
    pub events_sent: u64,
    /// Events still waiting; only the configured registry takes any.
    pub events_waiting: u64,
    /// Why the events could not be handed in, if they could not: the lists count all the same.
    pub upload_error: Option<SyncError>,
    /// Why a roster could not be fetched, if one could not: the lists count all the same.
    pub roster_error: Option<SyncError>,
}

/// One sync: lists in, then events out. Lists that are refused, or not whole, keep neither the time from coming in nor the
/// events from going out: the keys that are known are enough for both.
///
/// # Errors
/// [`SyncError`] of the lists; then they are as they were.
pub fn sync(
    transport: &dyn Transport,
    store: &mut TrustStore,
    journal: &Journal,
    device: &DeviceKey,
    clock: &dyn Clock,
) -> Result<Report, SyncError> {
    let trust = store.load()?;
    let (update, refused) = match fetch(transport, &trust) {
        Ok(update) => (update, None),
        Err(error) if error.is_about_the_lists() => (None, Some(error)),
        Err(error) => return Err(error),
    };
    let changed = update.is_some();
    if let Some(update) = &update {
        store.apply(update)?;
    }
    let trust = update.as_ref().map_or(trust.as_ref(), |update| &update.trust);
    trust.issued_at().into_iter().for_each(|at| clock.raise_floor(at));
    if let Err(problem) = time::ask(transport, trust, clock) {
        // The clock goes on with what it has, and says how good that is.
        tracing::warn!("the registry's time: {problem}");
    }
    let rosters = trust.head.as_ref().map_or(Ok(()), |head| rosters::follow(transport, head, store));
    let (version, expires_at) = trust.head.as_ref().map_or((0, 0), |h| (h.version, h.expires_at));
    let revoked = trust.revocations.entries().len();
    let expired = clock.now().interval().earliest > i64::from(expires_at);
    let (events_sent, upload_error) = match (HandIn { trust, journal, device, clock }).run(transport) {
        Ok(sent) => (sent, None),
        Err((sent, error)) => (sent, Some(error)),
    };
    let (events_waiting, upload_error) = match journal.waiting_count() {
        Ok(count) => (count, upload_error),
        Err(e) => (0, upload_error.or(Some(e.into()))),
    };
    if let Some(refused) = refused {
        if let Some(problem) = upload_error {
            tracing::warn!("the events could not be handed in either: {problem}");
        }
        return Err(refused);
    }
    Ok(Report {
        version,
        changed,
        revoked,
        expired,
        events_sent,
        events_waiting,
        upload_error,
        roster_error: rosters.err(),
    })
}
