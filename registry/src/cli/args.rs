//! The arguments, and the help people read.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use data_encoding::HEXLOWER_PERMISSIVE;
use tongguan_pass::{Certificate, DocumentKind, Purpose, VerifyingKey};
use tongguan_registry::domain::genesis::COMMUNITY;
use tongguan_registry::domain::handle::DropReason;
use tongguan_registry::domain::person::{Home, Name};
use tongguan_registry::domain::time::parse_rfc3339;

const EXAMPLES: &str = "\
Examples:
  tongguan-registry init --data /var/lib/tongguan-registry
  tongguan-registry --data DIR person add --name 王小明
  tongguan-registry --data DIR code live --person abcdefghijklmnop
  tongguan-registry --data DIR serve --listen 127.0.0.1:8700
  tongguan-registry --data DIR bundle /media/usb-stick
  tongguan-registry --data DIR import /media/usb-stick
  tongguan-registry --data DIR events verify

Exit status: 0 done, 1 refused (no such person, already set up, ...), 2 misuse or error.
With --json each result is one JSON object on a line of standard output, and an error is {\"error\": \"...\"} on standard error.";

/// A city's registry: issues personal codes, revokes them, and publishes the signed lists that checkpoints fetch.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    /// The registry's data folder.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// One JSON object a line instead of sentences.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set up a registry: keys, first lists, and the root file that checkpoints are given.
    Init,
    /// Serve checkpoints and residents over HTTP until told to stop.
    #[command(after_help = "Example:\n  tongguan-registry --data DIR serve --listen 0.0.0.0:8700\n\n\
        Put a TLS proxy in front of it where residents reach it (--secure --proxies 1). Residents open the address itself.")]
    Serve {
        /// The address to listen on; port 0 takes any free one.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8700")]
        listen: SocketAddr,
        /// Publish what waits at most this often; the first revocation after a quiet time is published at once.
        #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=3600))]
        publish_every: u32,
        /// Look this often which rosters must be made anew, and at the start; 0 never.
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=720))]
        rosters_every: u32,
        /// For development: messages are shown at /dev/inbox as well. Never where anybody else can reach it.
        #[arg(long)]
        dev: bool,
        /// Browsers come over TLS, which a proxy ends: cookies are sent over TLS only.
        #[arg(long)]
        secure: bool,
        /// Proxies in front of this program, each of which appends to X-Forwarded-For.
        #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=5))]
        proxies: u8,
    },
    /// Print a poster with the address of the residents' pages as a QR code: SVG, A4.
    #[command(after_help = "Example:\n  tongguan-registry poster https://code.city.example >poster.svg")]
    Poster {
        /// The address, as residents open it.
        address: String,
    },
    /// Register people, and change what is known of them.
    #[command(subcommand)]
    Person(Person),
    /// Where people live: add, list.
    #[command(subcommand)]
    Community(Community),
    /// Issue a code.
    #[command(subcommand)]
    Code(Code),
    /// Issue a certificate, with which a phone makes codes by itself for a day.
    Certificate {
        /// The person's id, as `person add` gave it.
        #[arg(long, value_name = "ID")]
        person: String,
        /// The phone's Ed25519 public key: 64 hex digits.
        #[arg(long, value_name = "HEX", value_parser = holder_key)]
        holder_key: VerifyingKey,
        /// Hours it is good for.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u8).range(1..=36))]
        hours: u8,
        /// Issue as of this time, for drills: RFC 3339, such as 2026-01-31T08:00:00+08:00.
        #[arg(long, value_name = "RFC3339", value_parser = parse_rfc3339)]
        at: Option<u32>,
    },
    /// Drop a person's handle, so that all codes issued to them so far are refused.
    #[command(
        after_help = "The next publish takes it into the lists; a running server publishes by itself within five minutes (`serve --publish-every`); `publish` does it now."
    )]
    Revoke {
        /// The person's id.
        #[arg(long, value_name = "ID")]
        person: String,
        /// Why.
        #[arg(long, value_enum, default_value_t = Reason::Unspecified)]
        reason: Reason,
    },
    /// Publish the lists anew, with every revocation that waits.
    Publish {
        /// Start the versions over, so that gates follow a registry that was restored from a backup.
        #[arg(long)]
        new_epoch: bool,
    },
    /// Write all signed files into a folder, for a USB stick or a static server.
    Bundle {
        /// The folder; `v1/head` and `v1/files/` are written in it.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// What gates let in: rules, times of effect, and surges.
    #[command(subcommand)]
    Policy(Policy),
    /// The gates: list, enrol, retire.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// What gates look people up in: a file for each community, sealed to its gates.
    #[command(subcommand)]
    Roster(Roster),
    /// The signing keys and the root: list, rotate, revoke, sign.
    #[command(subcommand)]
    Keys(Keys),
    /// Take in what a stick brings from gates without a network, and leave receipts and the newest lists on it.
    #[command(
        after_help = "Nothing is lost if it is cut off or the stick is pulled: run it again. Only batches that a receipt on the stick \
        covers are removed from it.\n\nExit status: 0 all is in, 1 something on the stick was skipped, 2 the stick or the registry \
        cannot be read or written."
    )]
    Import {
        /// The stick's folder, with v1/events/ in it.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// List the events that checkpoints handed in, or verify them.
    #[command(args_conflicts_with_subcommands = true)]
    Events {
        #[command(subcommand)]
        command: Option<Events>,
        /// Only those after this number of the registry's own count.
        #[arg(long, value_name = "N", default_value_t = 0)]
        since: u64,
        /// Only those of this device: its key in hex.
        #[arg(long, value_name = "HEX", value_parser = key_bytes)]
        device: Option<KeyBytes>,
        /// Open the notes that guards wrote, and show them. This is audited.
        #[arg(long)]
        notes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// Compute every chain anew and hold every batch against its device's signature: gaps, edits and contradictions are named.
    #[command(after_help = "Exit status: 0 sound, 1 something is missing or was changed, 2 it cannot be read.")]
    Verify {
        /// Only this device: its key in hex.
        #[arg(long, value_name = "HEX", value_parser = key_bytes)]
        device: Option<KeyBytes>,
        /// Also the batches in a folder, such as a stick before it is imported.
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// List the gates that have handed in events, or were enrolled.
    List,
    /// Take a gate in: compare its key with what `tongguan init` printed there. Until then it may hand in 100,000 events.
    Enrol {
        /// The gate's key: 64 hex digits.
        #[arg(value_name = "HEX", value_parser = holder_key)]
        device: VerifyingKey,
        /// A community whose people it may look up, by roster; may be given again. Without one it gets no roster.
        #[arg(long, value_name = "N")]
        community: Vec<u32>,
    },
    /// Let a gate go that was stolen or taken down.
    Retire {
        /// The gate's key: 64 hex digits.
        #[arg(value_name = "HEX", value_parser = holder_key)]
        device: VerifyingKey,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Person {
    /// Register a person; prints their id, and the token by which they ask for their codes. It is shown only now.
    #[command(after_help = NUMBER_HELP)]
    Add {
        /// The person's name, at most 100 characters.
        #[arg(long, value_parser = name)]
        name: Name,
        /// The community they live in.
        #[arg(long, value_name = "N", default_value_t = COMMUNITY)]
        community: u32,
        /// What gates' policies distinguish people by.
        #[arg(long, value_name = "N", default_value_t = 0)]
        category: u8,
        /// Where they live, as a guard reads it: at most 25 bytes.
        #[arg(long, value_name = "TEXT", value_parser = home)]
        building: Option<Home>,
        /// The kind of their document; its number is asked for.
        #[arg(long, value_name = "KIND", value_parser = kind)]
        document: Option<DocumentKind>,
    },
    /// Change what is known of a person. What is not given stays.
    #[command(after_help = NUMBER_HELP)]
    Set {
        /// The person's id.
        #[arg(value_name = "ID")]
        person: String,
        /// Another name.
        #[arg(long, value_parser = name)]
        name: Option<Name>,
        /// Another community.
        #[arg(long, value_name = "N")]
        community: Option<u32>,
        /// Another category.
        #[arg(long, value_name = "N")]
        category: Option<u8>,
        /// Another building; an empty text for none.
        #[arg(long, value_name = "TEXT", value_parser = home)]
        building: Option<Home>,
        /// The kind of another document; its number is asked for.
        #[arg(long, value_name = "KIND", value_parser = kind)]
        document: Option<DocumentKind>,
        /// Forget their document.
        #[arg(long, conflicts_with = "document")]
        no_document: bool,
    },
}

const NUMBER_HELP: &str = "\
The number of a document is read from standard input, or on a terminal asked for and not shown; it is never given on the command
line. It is kept encrypted and shown nowhere. The kinds: resident_id, passport, residence_permit, travel_permit_hk_macao,
travel_permit_taiwan, taiwan_id, permanent_resident, military_officer.";

#[derive(Debug, Subcommand)]
pub(crate) enum Community {
    /// Add a community.
    Add {
        /// Its number, from 1.
        #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        community: u32,
        /// Its name, at most 100 characters.
        #[arg(value_parser = name)]
        name: Name,
    },
    /// Read communities from a CSV file: UTF-8, with the header id,name,region,aliases.
    #[command(
        after_help = "Region is empty, or a code or name of registry/data/regions.csv; old names are separated by |. For example:\n  \
        id,name,region,aliases\n  1041,曲江花园,610113,老曲江村\n\n\
        Exit status: 0 all lines are good, 1 lines were left out (they are named), 2 the file cannot be read."
    )]
    Import {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only say what is in it. Stores nothing, and needs no --data.
        #[arg(long)]
        dry_run: bool,
    },
    /// List the communities.
    List,
}

const ROSTER_HELP: &str = "\
A roster tells a guard the masked name and the building of whoever shows a code or a document. Only the gates that were enrolled with
`device enrol KEY --community N` can look anybody up in it, and nobody can list it. A running server makes those that have changed
once a day (`serve --rosters-every`).";

#[derive(Debug, Subcommand)]
#[command(after_help = ROSTER_HELP)]
pub(crate) enum Roster {
    /// Make the rosters whose people or gates have changed, and publish them. New people take some hundredths of a second each.
    Publish {
        /// Only that of this community.
        #[arg(long, value_name = "N")]
        community: Option<u32>,
    },
    /// List the rosters: community, version, entries, gates, size, and when they were made.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Code {
    /// A live code, good for ten minutes.
    Live {
        /// The person's id.
        #[arg(long, value_name = "ID")]
        person: String,
        /// Issue as of this past time, for drills: RFC 3339.
        #[arg(long, value_name = "RFC3339", value_parser = parse_rfc3339)]
        at: Option<u32>,
    },
    /// A code for paper.
    Printed {
        /// The person's id.
        #[arg(long, value_name = "ID")]
        person: String,
        /// Days it is good for.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
        /// The building it is for; 0 for any.
        #[arg(long, value_name = "N", default_value_t = 0)]
        building: u16,
        /// How many people may enter on it at once.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
        entries: u8,
        /// Issue as of this time, for drills: RFC 3339.
        #[arg(long, value_name = "RFC3339", value_parser = parse_rfc3339)]
        at: Option<u32>,
    },
}

const POLICY_HELP: &str = "\
Examples:
  tongguan-registry policy check policy.toml
  tongguan-registry --data DIR policy set policy.toml
  tongguan-registry --data DIR policy show --community 3 --at 2027-01-15T06:00:00+08:00
  tongguan-registry --data DIR policy surge --minutes 60 --until 2026-12-20T10:00:00+08:00
  tongguan-registry --data DIR policy surge --end

registry/policy.example.toml documents the file. What is set is published at once; gates obey it from their next sync on, and
what begins later also without a network.";

#[derive(Debug, Subcommand)]
#[command(after_help = POLICY_HELP)]
pub(crate) enum Policy {
    /// Read a policy file and say what is in it. Changes nothing, and needs no --data.
    Check {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put the rules of a file in force, in place of all rules before.
    Set {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show the rules in force, as a file that `set` takes.
    Show {
        /// Only what holds at this time: RFC 3339.
        #[arg(long, value_name = "RFC3339", value_parser = parse_rfc3339)]
        at: Option<u32>,
        /// Only what holds in this community [with --at: 0].
        #[arg(long, value_name = "N")]
        community: Option<u32>,
    },
    /// Make live codes good for longer for a time, while too many people ask for new ones.
    Surge {
        /// Minutes that a live code is good for meanwhile.
        #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u8).range(11..=60))]
        minutes: u8,
        /// When it begins [default: now]: RFC 3339.
        #[arg(long, value_name = "RFC3339", value_parser = parse_rfc3339)]
        from: Option<u32>,
        /// When it ends, at most 7 days after it begins: RFC 3339.
        #[arg(long, value_name = "RFC3339", value_parser = parse_rfc3339, required_unless_present = "end")]
        until: Option<u32>,
        /// End it now, and take back those that are to come.
        #[arg(long, conflicts_with_all = ["minutes", "from", "until"])]
        end: bool,
    },
}

const KEYS_HELP: &str = "\
A keyset is good once enough root keys have signed it. Root keys in the data folder sign by themselves. If they are with people,
`rotate` and `revoke` write keyset.draft into the data folder; each of enough people adds a signature with `keys sign`, on a
machine without a network, and `keys import` takes it in. docs/OPERATIONS.md has the steps.";

#[derive(Debug, Subcommand)]
#[command(after_help = KEYS_HELP)]
pub(crate) enum Keys {
    /// List every key: what for, how long, and what needs doing.
    List,
    /// Make the next keys that are due; a running server does this by itself. Twice does nothing new.
    Rotate {
        /// Make the next key of this purpose now, due or not.
        #[arg(long, value_enum)]
        purpose: Option<PurposeArg>,
        /// When it starts to sign [default: when gates have had time to learn of it]: RFC 3339.
        #[arg(long, value_name = "RFC3339", value_parser = parse_rfc3339, requires = "purpose")]
        from: Option<u32>,
    },
    /// Take compromised keys out of the keyset at once: gates refuse what they signed from their next sync on.
    Revoke {
        /// The ids, as `keys list` shows them.
        #[arg(value_name = "KEY_ID", required = true)]
        ids: Vec<u16>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Replace the root by a new one, whose keys are made here; gates follow by themselves.
    #[command(
        after_help = "If the root keys are not in the data folder, or should not be from now on: --draft, then `root-new`, \
        `sign` and `import`."
    )]
    RootRotate {
        /// Only write keyset.draft, for the keys of a root that is made elsewhere with `root-new`.
        #[arg(long)]
        draft: bool,
    },
    /// On a machine without a network: make the keys of the next root. Needs no --data.
    RootNew {
        /// The registry's current root.pub.
        #[arg(long, value_name = "FILE")]
        after: PathBuf,
        /// How many keys, one for each holder.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=64))]
        keys: u8,
        /// How many of them must sign.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
        threshold: u8,
        /// A new folder for the private keys and root.draft.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// On a machine without a network: add signatures to drafts, in place. Needs no --data.
    Sign {
        /// The registry's root.pub; it says which key is which.
        #[arg(long, value_name = "FILE")]
        root: PathBuf,
        /// A private root key; may be given again.
        #[arg(long, value_name = "FILE", required = true)]
        root_key: Vec<PathBuf>,
        /// keyset.draft, root.draft, or both.
        #[arg(value_name = "DRAFT", required = true)]
        drafts: Vec<PathBuf>,
    },
    /// Take in what has been signed, and publish it if the signatures suffice. Copies signed apart are put together.
    Import {
        /// keyset.draft, and root.draft if the root changes.
        #[arg(value_name = "DRAFT", required = true)]
        drafts: Vec<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PurposeArg {
    /// Live codes.
    Live,
    /// Certificates, with which phones make codes.
    Certificate,
    /// Printed codes.
    Printed,
    /// The lists' head.
    Lists,
    /// Time replies.
    Time,
    /// Notes that gates seal for the registry's eyes.
    Notes,
    /// Receipts for events.
    Receipt,
}

impl From<PurposeArg> for Purpose {
    fn from(purpose: PurposeArg) -> Self {
        match purpose {
            PurposeArg::Live => Self::Live,
            PurposeArg::Certificate => Self::Certificate,
            PurposeArg::Printed => Self::Printed,
            PurposeArg::Lists => Self::Lists,
            PurposeArg::Time => Self::Time,
            PurposeArg::Notes => Self::Notes,
            PurposeArg::Receipt => Self::Receipt,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Reason {
    /// The phone or the paper is lost or stolen.
    Lost,
    /// Replaced by a new one.
    Replaced,
    /// Withdrawn by staff.
    Withdrawn,
    /// Not said.
    Unspecified,
}

impl From<Reason> for DropReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Lost => Self::Lost,
            Reason::Replaced => Self::Replaced,
            Reason::Withdrawn => Self::Withdrawn,
            Reason::Unspecified => Self::Unspecified,
        }
    }
}

/// The 32 bytes of a key.
pub(crate) type KeyBytes = [u8; 32];

fn key_bytes(text: &str) -> Result<KeyBytes, String> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    bytes.and_then(|b| KeyBytes::try_from(b).ok()).ok_or_else(|| "not 64 hex digits".to_owned())
}

fn holder_key(text: &str) -> Result<VerifyingKey, String> {
    Certificate::holder_key(&key_bytes(text)?).map_err(|_| "not a usable Ed25519 public key".to_owned())
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(str::to_owned)
}

fn home(text: &str) -> Result<Home, String> {
    Home::parse(text).map_err(str::to_owned)
}

fn kind(text: &str) -> Result<DocumentKind, String> {
    DocumentKind::from_name(text).ok_or_else(|| "not a kind of document; --help lists them".to_owned())
}
