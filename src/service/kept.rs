//! The journal and its disk.

use serde_json::{Value, json};

use crate::config::Config;
use crate::decide::Level;
use crate::lang::Text;
use crate::store::{DataDir, Holdings, Journal, StoreError, free_space};

const MB: u64 = 1_000_000;

/// The journal as it is.
#[derive(Debug)]
pub struct Kept {
    holdings: Result<Holdings, StoreError>,
    free: Option<u64>,
    keep_days: u32,
    space_low_mb: u64,
}

impl Kept {
    /// One look at it.
    pub fn look(dir: &DataDir, config: &Config) -> Self {
        Self {
            holdings: Journal::open_to_read(dir).and_then(|journal| journal.holdings()),
            free: free_space(dir.path()),
            keep_days: config.journal.keep_days,
            space_low_mb: config.journal.space_low_mb,
        }
    }

    /// How good it is.
    pub fn level(&self) -> Level {
        match &self.holdings {
            Err(_) => Level::Red,
            Ok(_) if self.free.is_some_and(|free| free / MB < self.space_low_mb) => Level::Amber,
            Ok(_) => Level::Green,
        }
    }

    /// The same in words.
    pub fn words(&self) -> Text {
        let free = match self.free {
            Some(free) => Text::new(format!("剩余空间 {} MB", free / MB), format!("{} MB free", free / MB)),
            None => Text::new("剩余空间未知", "free space unknown"),
        };
        let held = match &self.holdings {
            Err(error) => return error.words(),
            Ok(held) => held,
        };
        let size = megabytes(held.bytes);
        let oldest = held.oldest_waiting.map_or_else(Text::default, |at| {
            let at = at.strftime("%Y-%m-%d %H:%M UTC");
            Text::new(format!("，最早一条 {at}"), format!(" since {at}"))
        });
        let Holdings { events, waiting, .. } = held;
        let days = self.keep_days;
        Text::new(
            format!(
                "记录：{events} 条，{size} MB，其中 {waiting} 条待上交{}；上交后保留 {days} 天；{}",
                oldest.zh, free.zh
            ),
            format!(
                "Journal: {events} events in {size} MB, {waiting} wait to be handed in{}; kept for {days} days after that; {}",
                oldest.en, free.en
            ),
        )
    }

    /// The same for programs.
    pub fn as_json(&self) -> Value {
        match &self.holdings {
            Err(error) => json!({ "error": error.to_string(), "free_bytes": self.free }),
            Ok(held) => json!({
                "bytes": held.bytes,
                "events": held.events,
                "waiting": held.waiting,
                "oldest_waiting": held.oldest_waiting,
                "free_bytes": self.free,
                "keep_days": self.keep_days,
            }),
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / MB, bytes % MB / (MB / 10))
}
