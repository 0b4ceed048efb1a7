//! What the queue hears: a tone for each verdict, and one when a fault begins.
//!
//! A thread of its own plays; whoever has something to tell leaves it in a slot and goes on, so nothing here can delay a
//! lane. The newest tone cuts off the one before. A gate without a sound card works: it is said once in the log, and in
//! [`Sound::state`] for whoever looks after the device.

#[cfg(feature = "sound")]
mod player;
mod tone;

use std::sync::{Arc, Mutex, PoisonError};

pub use tone::{Tone, samples};

use crate::capture::Mailbox;
use crate::config::SoundConfig;
use crate::lang::Text;

/// Whether tones can be heard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum State {
    /// By the configuration, or this build has no sound.
    #[default]
    Off,
    /// The sound card is being opened.
    Opening,
    /// Yes.
    Ready,
    /// There is no sound card, or it does not work.
    NoCard(String),
}

impl State {
    /// A line for whoever looks after the device.
    pub fn words(&self) -> Text {
        match self {
            Self::Off => Text::new("提示音已关闭", "Sound is off"),
            Self::Opening => Text::new("正在打开声卡", "The sound card is being opened"),
            Self::Ready => Text::new("提示音正常", "Sound works"),
            Self::NoCard(why) => {
                Text::new(format!("没有可用的声卡（{why}）"), format!("There is no sound card that works ({why})"))
            }
        }
    }
}

/// The way to the player. Dropped with its last clone, the player ends.
#[derive(Debug, Clone, Default)]
pub struct Sound(Option<Arc<Player>>);

#[derive(Debug)]
struct Player {
    slot: Arc<Mailbox<Tone>>,
    state: Arc<Mutex<State>>,
}

impl Sound {
    /// Starts the player, if the configuration wants one and this build has it.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(config: &SoundConfig) -> std::io::Result<Self> {
        if !config.on || config.volume == 0 || cfg!(not(feature = "sound")) {
            return Ok(Self::default());
        }
        let player =
            Arc::new(Player { slot: Arc::new(Mailbox::default()), state: Arc::new(Mutex::new(State::Opening)) });
        #[cfg(feature = "sound")]
        {
            let (slot, state) = (Arc::clone(&player.slot), Arc::clone(&player.state));
            let volume = config.volume;
            std::thread::Builder::new()
                .name("sound".into())
                .spawn(move || player::run(&slot, volume, &|new| *lock(&state) = new))?;
        }
        Ok(Self(Some(player)))
    }

    /// Plays a tone now, in place of whatever is being played.
    pub fn play(&self, tone: Tone) {
        if let Some(player) = &self.0 {
            // A player that has ended is heard to be silent, and its state says why.
            player.slot.put_newest(tone).ok();
        }
    }

    /// Whether tones can be heard.
    pub fn state(&self) -> State {
        self.0.as_ref().map_or(State::Off, |player| lock(&player.state).clone())
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.slot.close();
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_switched_off_starts_nothing_and_plays_into_the_void() {
        for config in
            [SoundConfig { on: false, ..SoundConfig::default() }, SoundConfig { volume: 0, ..SoundConfig::default() }]
        {
            let sound = Sound::start(&config).unwrap();
            sound.play(Tone::Pass);
            assert_eq!(sound.state(), State::Off);
        }
    }
}
