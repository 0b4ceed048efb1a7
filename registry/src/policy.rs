//! The policy's acts: new rules, a surge, its end. Each is published at once, for an emergency cannot wait.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use tongguan_pass::Policy;
use tongguan_pass::policy::Surge;

use crate::data::explain;
use crate::domain::audit::{Act, Actor};
use crate::domain::policy;
use crate::domain::policy_file::{self, FILE_BYTES};
use crate::domain::publish::Edition;
use crate::registry::{Error, Registry};
use crate::store::{NewPolicy, Redraft};

/// What is wrong with a policy file.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {wrong}", path = path.display())]
pub struct FileError {
    path: PathBuf,
    wrong: String,
}

/// Reads a policy as people write it.
///
/// # Errors
/// [`FileError`] naming the line.
pub fn read_file(path: &Path) -> Result<Policy, FileError> {
    let failed = |wrong: String| FileError { path: path.to_owned(), wrong };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| failed(explain(&e)))?;
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| failed(explain(&e)))?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(failed(format!("is longer than the {FILE_BYTES} bytes that a policy may have")));
    }
    let text = String::from_utf8(bytes).map_err(|_| failed("is not a text in UTF-8".to_owned()))?;
    policy_file::parse(&text).map_err(failed)
}

impl Registry {
    /// The policy with its version, if there ever was one.
    ///
    /// # Errors
    /// [`Error`].
    pub fn policy(&self) -> Result<Option<(u32, Policy)>, Error> {
        Ok(self.store.policy()?)
    }

    /// Puts the rules of `rules` in force. Surges stay as they are.
    ///
    /// # Errors
    /// [`Error`].
    pub fn set_policy(&self, rules: &Policy, actor: Actor) -> Result<(NewPolicy, Edition), Error> {
        self.change_policy(&|before| policy::with_rules(before, rules), Act::PolicySet, actor)
    }

    /// Declares a surge.
    ///
    /// # Errors
    /// [`Error`], if it makes no sense among others.
    pub fn declare_surge(&self, surge: Surge, actor: Actor) -> Result<(NewPolicy, Edition), Error> {
        let now = self.now();
        self.change_policy(&|before| policy::with_surge(before, surge, now), Act::SurgeDeclared, actor)
    }

    /// Ends every surge.
    ///
    /// # Errors
    /// [`Error`], if there is none among others.
    pub fn end_surge(&self, actor: Actor) -> Result<(NewPolicy, Edition), Error> {
        let now = self.now();
        self.change_policy(&|before| policy::without_surge(before, now), Act::SurgeEnded, actor)
    }

    fn change_policy(&self, redraft: Redraft<'_>, act: Act, actor: Actor) -> Result<(NewPolicy, Edition), Error> {
        let changed = self.store.change_policy(redraft, act, &self.by(actor.clone()))?;
        Ok((changed, self.publish(actor)?))
    }
}
