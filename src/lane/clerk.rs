//! Looks people up in the rosters, in a thread of its own: a question takes some hundredths of a second, and the queue does
//! not wait. Nothing that is asked or answered here is logged.

use crossbeam_channel::{Receiver, Sender, bounded};

use super::spawn;
use crate::decide::Known;
use crate::roster::{Rosters, StoredRosters};
use crate::screen::Visit;

/// Questions that may wait; a verdict without a name is better than one that waits for it.
const WAITING: usize = 8;

/// Whom to look up.
#[derive(Debug)]
pub(super) enum Question {
    /// Whose code that was, for the verdict of that token.
    Holder { token: u64, community: u32, handle: u32 },
    /// Somebody without a code.
    Visit { number: u64, visit: Visit },
}

/// Who it is.
#[derive(Debug)]
pub(super) enum Found {
    /// Name and home of the holder, as far as they are known.
    Holder { token: u64, who: String },
    /// What is known of somebody without a code.
    Visit { number: u64, visit: Visit, known: Known },
}

pub(super) struct Clerk {
    questions: Sender<Question>,
    answers: Receiver<Found>,
}

impl Clerk {
    /// # Errors
    /// If no thread can be started.
    pub(super) fn start(rosters: Option<StoredRosters>) -> anyhow::Result<Self> {
        let (questions, asked) = bounded(WAITING);
        let (answer, answers) = bounded(WAITING);
        spawn("clerk", move || work(rosters, &asked, &answer))?;
        Ok(Self { questions, answers })
    }

    /// False if too many wait already.
    pub(super) fn ask(&self, question: Question) -> bool {
        self.questions.try_send(question).is_ok()
    }

    pub(super) fn answers(&self) -> Receiver<Found> {
        self.answers.clone()
    }
}

fn work(mut stored: Option<StoredRosters>, asked: &Receiver<Question>, answer: &Sender<Found>) {
    let none = Rosters::default();
    for question in asked {
        let rosters = stored.as_mut().map_or(&none, StoredRosters::current);
        let found = match question {
            Question::Holder { token, community, handle } => {
                let Some(resident) = rosters.by_handle(community, handle) else { continue };
                Found::Holder { token, who: who(&resident.name, &resident.home) }
            }
            Question::Visit { number, visit } => {
                let known = know(rosters, &visit);
                Found::Visit { number, visit, known }
            }
        };
        if answer.send(found).is_err() {
            return;
        }
    }
}

fn know(rosters: &Rosters, visit: &Visit) -> Known {
    let Some(document) = &visit.document else { return Known::NoDocument };
    if rosters.is_empty() {
        return Known::NoRoster;
    }
    match rosters.by_document(document) {
        Some((community, resident)) => Known::Listed { community, resident },
        None => Known::NotListed,
    }
}

/// Masked name and building in one line.
pub(super) fn who(name: &str, home: &str) -> String {
    if home.is_empty() { name.to_owned() } else { format!("{name} · {home}") }
}
