//! What the registry does by itself while it serves: publish when something waits or the head grows old, make the next
//! signing keys when they are due, and rosters when people or gates have changed.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::{MissedTickBehavior, interval};

use crate::api::Web;
use crate::domain::audit::Actor;
use crate::domain::rotation::Want;
use crate::keys::Change;
use crate::registry::Registry;
use crate::roster::{Effort, Outcome};
use crate::sms::SmsSender;

/// The longest time until a message is seen that another process has put among those that are due.
const POST: Duration = Duration::from_secs(5);
/// The time until a community that was added is found by people.
const PLACES: Duration = Duration::from_secs(30);
/// The longest time until the first revocation after a quiet time is published.
const LOOK: Duration = Duration::from_secs(10);

/// Publishes what waits, at most once in `every` seconds: each head costs every gate its bytes. Goes on whatever happens: the
/// next look may succeed.
pub async fn publish_regularly(registry: Arc<Registry>, every: u32) {
    let look = LOOK.min(Duration::from_secs(u64::from(every)));
    regularly(
        registry,
        look,
        move |registry| registry.publish_if_due(every),
        |looked| match looked {
            Ok(Ok(Some(edition))) => {
                let r = &edition.head.revocations;
                tracing::info!(version = edition.head.version, revocations = r.version, count = r.count, "published");
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::error!(%error, "could not publish; gates will say that their lists are old"),
            Err(error) => tracing::error!(%error, "publishing stopped unexpectedly; it is tried again"),
        },
    )
    .await;
}

/// Sends the messages that are due, as soon as one is, and goes on whatever happens.
pub async fn send_messages(registry: Arc<Registry>, sender: Arc<dyn SmsSender>, web: Arc<Web>) {
    loop {
        let (registry, sender) = (Arc::clone(&registry), Arc::clone(&sender));
        match tokio::task::spawn_blocking(move || registry.send_due(&*sender)).await {
            // There may be more.
            Ok(Ok(sent)) if sent > 0 => continue,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "messages cannot be sent; it is tried again"),
            Err(error) => tracing::error!(%error, "sending messages stopped unexpectedly; it is tried again"),
        }
        let _ = tokio::time::timeout(POST, web.post.notified()).await;
    }
}

/// Keeps the index of communities as new as the store.
pub async fn look_for_places(registry: Arc<Registry>, web: Arc<Web>) {
    loop {
        let store = Arc::clone(&registry);
        match tokio::task::spawn_blocking(move || store.places()).await {
            Ok(Ok(places)) => web.replace_places(places),
            Ok(Err(error)) => tracing::error!(%error, "communities cannot be read; the last ones are shown"),
            Err(error) => tracing::error!(%error, "reading communities stopped unexpectedly; it is tried again"),
        }
        tokio::time::sleep(PLACES).await;
    }
}

/// Looks every so often whether a signing key is due, and goes on whatever happens. Where the root keys are with people it
/// drafts the keyset and asks for their signatures each time it looks.
pub async fn rotate_regularly(registry: Arc<Registry>, every: Duration) {
    regularly(
        registry,
        every,
        |registry| registry.rotate(Want::Due, Actor::Registry),
        |looked| match looked {
            Ok(Ok(Change::Nothing)) => {}
            Ok(Ok(Change::Published { made, gone, .. })) => {
                tracing::info!(made = made.len(), gone = gone.len(), "signing keys rotated");
            }
            Ok(Ok(Change::Waiting(w))) => {
                let missing = w.needed.saturating_sub(w.got);
                tracing::warn!(draft = %w.file.display(), missing, "a keyset waits for the signatures of root keys");
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "could not rotate the signing keys; `keys list` shows how long they last")
            }
            Err(error) => tracing::error!(%error, "rotating keys stopped unexpectedly; it is tried again"),
        },
    )
    .await;
}

/// Makes the rosters whose content has changed, every so often, with one core: the others answer. The publisher names them.
pub async fn make_rosters_regularly(registry: Arc<Registry>, every: Duration, stopping: Arc<AtomicBool>) {
    let make = move |registry: &Registry| {
        let mut go_on = |_, _, _| !stopping.load(Ordering::Relaxed);
        let mut effort = Effort { threads: NonZeroUsize::MIN, go_on: &mut go_on };
        registry.make_rosters(None, &Actor::Registry, &mut effort)
    };
    regularly(registry, every, make, |looked| match looked {
        Ok(Ok(outcomes)) => outcomes.into_iter().for_each(|(community, outcome)| match outcome {
            Ok(Outcome::Made { version, entries, gates, bytes, slots }) => {
                tracing::info!(community, version, entries, gates, bytes, slots, "made a roster");
            }
            Ok(Outcome::Ended) => tracing::info!(community, "has no roster any more: no gate serves it"),
            Ok(Outcome::Same | Outcome::NoGate | Outcome::Stopped) => {}
            Err(error) => tracing::error!(community, %error, "could not make the roster; gates keep the last one"),
        }),
        Ok(Err(error)) => tracing::error!(%error, "could not make rosters; gates keep the last ones"),
        Err(error) => tracing::error!(%error, "making rosters stopped unexpectedly; it is tried again"),
    })
    .await;
}

async fn regularly<T: Send + 'static>(
    registry: Arc<Registry>,
    every: Duration,
    look: impl Fn(&Registry) -> T + Clone + Send + 'static,
    tell: impl Fn(Result<T, JoinError>),
) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (registry, look) = (Arc::clone(&registry), look.clone());
        tell(tokio::task::spawn_blocking(move || look(&registry)).await);
    }
}
