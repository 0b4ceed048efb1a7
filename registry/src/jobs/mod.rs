//! What the registry does by itself while it serves: publish when something waits or the head grows old.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::registry::Registry;

/// Looks every so often whether a publish is due, and goes on whatever happens: the next look may succeed.
pub async fn publish_regularly(registry: Arc<Registry>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let registry = Arc::clone(&registry);
        match tokio::task::spawn_blocking(move || registry.publish_if_due()).await {
            Ok(Ok(Some(edition))) => {
                let r = &edition.head.revocations;
                tracing::info!(version = edition.head.version, revocations = r.version, count = r.count, "published");
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::error!(%error, "could not publish; gates will say that their lists are old"),
            Err(error) => tracing::error!(%error, "publishing stopped unexpectedly; it is tried again"),
        }
    }
}
