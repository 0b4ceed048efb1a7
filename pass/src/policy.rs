//! The registry's policy: what gates let in, and when live codes stay good for longer (SY 12). How it is applied is in
//! [`crate::admission`].

use alloc::vec::Vec;

use crate::limits;
use crate::signed::ListError;
use crate::time::Interval;
use crate::wire::{Reader, Writer};

const MAGIC: &[u8; 4] = b"TGP1";
/// Minutes of a day.
pub(crate) const DAY: u16 = 1_440;
/// SY 12.3: "it lasts at most 7 days".
const LONGEST_SURGE: u32 = 7 * 86_400;

/// The whole policy: of every community, now and in times to come. What is not in it is built in ([`Edition::built_in`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    utc_offset: i16,
    surges: Vec<Surge>,
    editions: Vec<Edition>,
}

/// A time of overload, in which live codes stay good for longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surge {
    /// Unix seconds; included.
    pub from: u32,
    /// Unix seconds; included.
    pub until: u32,
    /// How long a live code is good meanwhile, 11 to 60.
    pub minutes: u8,
}

/// What holds in a community from a moment on, until its next edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// The community; 0 for all that have no edition of their own.
    pub community: u32,
    /// Unix seconds.
    pub effective_from: u32,
    /// What lists that have expired are still good for.
    pub lists: ListLimits,
    /// The first that applies decides. If none does, nobody is let in.
    pub rules: Vec<Rule>,
}

/// For how long expired lists are relied on for the codes that a list could have revoked. Hours after their expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListLimits {
    /// From here on such a code needs the guard.
    pub confirm_after: u16,
    /// From here on it is refused; [`ListLimits::NEVER`] if it never is.
    pub deny_after: u16,
}

impl ListLimits {
    /// Not at all.
    pub const NEVER: u16 = u16::MAX;
}

/// Whom it applies to, when, and what is then done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The first category.
    pub first: u8,
    /// The last category.
    pub last: u8,
    /// Whose codes.
    pub who: Who,
    /// The days on which its hours begin: bit 0 is Monday, bit 6 Sunday.
    pub days: u8,
    /// The minute of the day at which its hours begin, 0 to 1439.
    pub from: u16,
    /// The minute of the day before which they end, 1 to 1440. If it is before `from`, they end on the day after.
    pub until: u16,
    /// What is done.
    pub answer: Answer,
}

/// Whose codes a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody's.
    Any = 0,
    /// Those of the gate's own communities.
    Own = 1,
}

/// What a rule says, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// Turn away.
    Deny,
    /// Ask the guard.
    Confirm,
    /// Let in.
    Pass,
}

impl Answer {
    /// SY 12.6: "answer is 1 pass, 2 confirm or 3 deny".
    const WIRE: [Self; 3] = [Self::Pass, Self::Confirm, Self::Deny];

    fn from_wire(byte: u8) -> Option<Self> {
        Self::WIRE.into_iter().find(|answer| answer.wire() == byte)
    }

    fn wire(self) -> u8 {
        match self {
            Self::Pass => 1,
            Self::Confirm => 2,
            Self::Deny => 3,
        }
    }

    /// The name people write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Confirm => "confirm",
            Self::Pass => "pass",
        }
    }
}

impl Rule {
    /// Every day of the week.
    pub const ALL_DAYS: u8 = 0x7f;

    /// The gate's own residents of every category, at any time.
    pub const OWN: Self = Self {
        first: 0,
        last: u8::MAX,
        who: Who::Own,
        days: Self::ALL_DAYS,
        from: 0,
        until: DAY,
        answer: Answer::Pass,
    };
}

impl Edition {
    /// SY 12.5: "Before its first edition a community has those of community 0; before the first of those, the built-in one".
    pub fn built_in() -> Self {
        let lists = ListLimits { confirm_after: 168, deny_after: ListLimits::NEVER };
        Self { community: 0, effective_from: 0, lists, rules: Vec::from([Rule::OWN]) }
    }
}

impl Policy {
    /// A policy of these surges and editions, in any order.
    ///
    /// # Errors
    /// [`ListError`] naming what no policy can have.
    pub fn new(utc_offset: i16, mut surges: Vec<Surge>, mut editions: Vec<Edition>) -> Result<Self, ListError> {
        surges.sort_by_key(|s| s.from);
        editions.sort_by_key(|e| (e.community, e.effective_from));
        // One set of checks for what is written and what is read.
        let policy = Self { utc_offset, surges, editions };
        Self::decode(&policy.encode())
    }

    /// Local time minus UTC, in minutes.
    pub fn utc_offset(&self) -> i16 {
        self.utc_offset
    }

    /// The surges, in order.
    pub fn surges(&self) -> &[Surge] {
        &self.surges
    }

    /// The editions, by community and by the time from which they hold.
    pub fn editions(&self) -> &[Edition] {
        &self.editions
    }

    /// The surge that is certainly in force.
    pub fn surge(&self, now: Interval) -> Option<&Surge> {
        self.surges.iter().find(|s| i64::from(s.from) <= now.earliest && now.latest <= i64::from(s.until))
    }

    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = Writer::default();
        file.bytes(MAGIC).bytes(&self.utc_offset.to_be_bytes());
        file.u8(u8::try_from(self.surges.len()).unwrap_or(u8::MAX));
        for surge in &self.surges {
            file.u32(surge.from).u32(surge.until).u8(surge.minutes);
        }
        file.u16(u16::try_from(self.editions.len()).unwrap_or(u16::MAX));
        for edition in &self.editions {
            file.u32(edition.community).u32(edition.effective_from);
            file.u16(edition.lists.confirm_after).u16(edition.lists.deny_after);
            file.u8(u8::try_from(edition.rules.len()).unwrap_or(u8::MAX));
            for rule in &edition.rules {
                file.u8(rule.first).u8(rule.last).u8(rule.who as u8).u8(rule.days);
                file.u16(rule.from).u16(rule.until).u8(rule.answer.wire());
            }
        }
        file.0
    }

    /// SY 12.1: "magic 4 | utc_offset 2 | surge count 1 | surges | edition count 2 | editions".
    ///
    /// # Errors
    /// [`ListError`] naming the check that failed.
    pub fn decode(bytes: &[u8]) -> Result<Self, ListError> {
        if bytes.len() > limits::POLICY_BYTES {
            return Err(ListError::TooLong { got: bytes.len(), limit: limits::POLICY_BYTES });
        }
        let mut file = Reader::new(bytes);
        if file.take(4).ok() != Some(MAGIC.as_slice()) {
            return Err(ListError::Magic);
        }
        let utc_offset = i16::from_be_bytes(file.array()?);
        // SY 12.2: "utc_offset is -720 to 840".
        if !(-720..=840).contains(&utc_offset) {
            return Err(ListError::Field("utc_offset"));
        }
        let count = file.u8()?;
        // SY 12.3: "At most 16 surges".
        if usize::from(count) > limits::SURGES {
            return Err(ListError::Field("surge count"));
        }
        let mut surges = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let surge = Surge::read(&mut file, surges.last())?;
            surges.push(surge);
        }
        let count = file.u16()?;
        // Each has at least 13 bytes: nothing is reserved that is not there.
        let mut editions: Vec<Edition> = Vec::with_capacity(usize::from(count).min(file.remaining() / 13));
        let mut of_community = 0;
        for _ in 0..count {
            let edition = Edition::read(&mut file)?;
            // SY 12.4: "Editions ascend by community, then effective_from; none is there twice."
            let key = |e: &Edition| (e.community, e.effective_from);
            if editions.last().is_some_and(|last| key(last) >= key(&edition)) {
                return Err(ListError::Order("editions"));
            }
            // SY 12.4: "A community has at most 16": what a question may cost stays bounded.
            let same = editions.last().is_some_and(|last| last.community == edition.community);
            of_community = if same { of_community + 1 } else { 1 };
            if of_community > limits::EDITIONS {
                return Err(ListError::Field("editions of a community"));
            }
            editions.push(edition);
        }
        file.end()?;
        Ok(Self { utc_offset, surges, editions })
    }
}

impl Surge {
    fn read(file: &mut Reader<'_>, before: Option<&Self>) -> Result<Self, ListError> {
        let surge = Self { from: file.u32()?, until: file.u32()?, minutes: file.u8()? };
        // SY 12.3: "A surge does not end before it begins, and it lasts at most 7 days."
        if surge.until < surge.from || surge.until - surge.from > LONGEST_SURGE {
            return Err(ListError::Field("surge"));
        }
        // SY 12.3: "minutes is 11 to 60".
        if !(11..=60).contains(&surge.minutes) {
            return Err(ListError::Field("surge minutes"));
        }
        // SY 12.3: "each begins after the one before has ended".
        if before.is_some_and(|before| surge.from <= before.until) {
            return Err(ListError::Order("surges"));
        }
        Ok(surge)
    }
}

impl Edition {
    fn read(file: &mut Reader<'_>) -> Result<Self, ListError> {
        let (community, effective_from) = (file.u32()?, file.u32()?);
        let lists = ListLimits { confirm_after: file.u16()?, deny_after: file.u16()? };
        // SY 12.4: "lists_deny_after is not before lists_confirm_after".
        if lists.deny_after < lists.confirm_after {
            return Err(ListError::Field("lists_deny_after"));
        }
        let count = file.u8()?;
        // SY 12.4: "At most 32 rules".
        if usize::from(count) > limits::RULES {
            return Err(ListError::Field("rule count"));
        }
        let rules = (0..count).map(|_| Rule::read(file)).collect::<Result<_, _>>()?;
        Ok(Self { community, effective_from, lists, rules })
    }
}

impl Rule {
    fn read(file: &mut Reader<'_>) -> Result<Self, ListError> {
        let (first, last) = (file.u8()?, file.u8()?);
        // SY 12.6: "last is not before first".
        if last < first {
            return Err(ListError::Field("categories"));
        }
        let who = match file.u8()? {
            0 => Who::Any,
            1 => Who::Own,
            _ => return Err(ListError::Field("who")),
        };
        let days = file.u8()?;
        // SY 12.6: "at least one day, and bit 7 is zero".
        if days == 0 || days > Self::ALL_DAYS {
            return Err(ListError::Field("days"));
        }
        let (from, until) = (file.u16()?, file.u16()?);
        // SY 12.6: "from is 0 to 1439, until is 1 to 1440, and they differ": midnight as an end is written in one way.
        if from >= DAY || !(1..=DAY).contains(&until) || from == until {
            return Err(ListError::Field("hours"));
        }
        let answer = Answer::from_wire(file.u8()?).ok_or(ListError::Field("answer"))?;
        Ok(Self { first, last, who, days, from, until, answer })
    }
}
