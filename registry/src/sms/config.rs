//! `[sms]` of `registry.toml`: who sends messages to phones.
//!
//! ```toml
//! [sms]
//! driver = "log"                                  # for development: on the terminal, and sent to nobody
//! ```
//! ```toml
//! [sms]
//! driver = "webhook"                              # the city's own gateway takes a POST for each message
//! url = "https://sms.city.example/send"           # https; http only to this machine itself
//! secret_file = "keys/sms-secret"                 # one line, sent as Authorization: Bearer; 16 characters or more, chmod 600
//! signing_key_file = "keys/sms-signing-key"       # one line, keys the signature; if it is not said, the secret does
//! ```
//! ```toml
//! [sms]
//! driver = "aliyun"                               # Alibaba Cloud, SendSms
//! secret_file = "keys/aliyun"                     # two lines, the access key's id and its secret; chmod 600
//! endpoint = "https://dysmsapi.aliyuncs.com"      # if it is not said, this one
//!
//! [sms.mainland]                                  # what was approved for the mainland
//! sign_name = "通关"
//! zh.code = "SMS_154950909"                       # the template of a code, with the variable ${code}
//! en.code = "SMS_154950910"                       # for people who read English; if it is not said, zh's
//!
//! [sms.abroad]                                    # the same for other numbers, which get no message without it
//! sign_name = "Tongguan"
//! zh.code = "SMS_154950911"
//! ```
//!
//! Files are looked for in the data folder, unless their whole path is given. What others can read is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::aliyun::{AccessKey, Names};
use super::http::{Address, Client, DEADLINE};
use super::{Aliyun, Log, SmsSender, Webhook, secret};
use crate::edge::Edge;

const ALIYUN: &str = "https://dysmsapi.aliyuncs.com";
/// Characters of a secret that is not guessed.
const SECRET: usize = 16;

/// What is wrong with `[sms]`, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[sms] {0}")]
pub struct SmsConfigError(String);

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "driver", rename_all = "lowercase", deny_unknown_fields)]
pub enum SmsConfig {
    /// [`Log`].
    Log {},
    /// [`Webhook`].
    Webhook {
        /// Where to.
        url: String,
        /// The file of the secret.
        secret_file: PathBuf,
        /// The file of the key that signs, if it is another.
        signing_key_file: Option<PathBuf>,
    },
    /// [`Aliyun`].
    Aliyun {
        /// The file of the access key.
        secret_file: PathBuf,
        /// Where to, if not to the usual address.
        endpoint: Option<String>,
        /// What was approved for the mainland.
        mainland: Names,
        /// What was approved for elsewhere.
        abroad: Option<Names>,
    },
}

impl SmsConfig {
    /// Checks what can be checked without the files.
    ///
    /// # Errors
    /// [`SmsConfigError`] naming the key.
    pub fn check(&self) -> Result<(), SmsConfigError> {
        match self {
            Self::Log {} => Ok(()),
            Self::Webhook { url, .. } => gateway(url).map(drop),
            Self::Aliyun { endpoint, mainland, abroad, .. } => {
                provider(endpoint.as_deref())?;
                check_names("mainland", mainland)?;
                abroad.iter().try_for_each(|names| check_names("abroad", names))
            }
        }
    }
}

/// Whoever sends messages according to `config`. Its files are looked for in the data folder `folder`.
///
/// # Errors
/// [`SmsConfigError`] naming the key or the file.
pub fn sender(config: &SmsConfig, folder: &Path, edge: &Edge) -> Result<Arc<dyn SmsSender>, SmsConfigError> {
    config.check()?;
    match config {
        SmsConfig::Log {} => Ok(Arc::new(Log::default())),
        SmsConfig::Webhook { url, secret_file, signing_key_file } => {
            let client = Client::new(gateway(url)?, DEADLINE);
            let [secret] = read(folder, secret_file)?;
            let [signing_key] = read(folder, signing_key_file.as_ref().unwrap_or(secret_file))?;
            if secret.len().min(signing_key.len()) < SECRET {
                let least =
                    format!("secrets should have {SECRET} characters or more: `openssl rand -hex 32` makes one");
                return Err(SmsConfigError(least));
            }
            Ok(Arc::new(Webhook::new(client, &secret, signing_key, Arc::clone(&edge.clock))))
        }
        SmsConfig::Aliyun { secret_file, endpoint, mainland, abroad } => {
            let client = Client::new(provider(endpoint.as_deref())?, DEADLINE);
            let [id, secret] = read(folder, secret_file)?;
            let key = AccessKey { id, secret };
            Ok(Arc::new(Aliyun::new(client, key, mainland.clone(), abroad.clone(), edge.clone())))
        }
    }
}

fn gateway(url: &str) -> Result<Address, SmsConfigError> {
    Address::parse(url).map_err(|e| SmsConfigError(format!("url: {e}")))
}

fn provider(endpoint: Option<&str>) -> Result<Address, SmsConfigError> {
    let address = Address::parse(endpoint.unwrap_or(ALIYUN)).map_err(|e| SmsConfigError(format!("endpoint: {e}")))?;
    let bare = || SmsConfigError(format!("endpoint: it should be a host alone, such as {ALIYUN}"));
    address.is_bare().then_some(address).ok_or_else(bare)
}

fn check_names(place: &str, Names { sign_name, zh, en }: &Names) -> Result<(), SmsConfigError> {
    if sign_name.trim().is_empty() || sign_name.contains(['【', '】', '[', ']']) {
        return Err(SmsConfigError(format!("{place}.sign_name: it should be the approved name, without its brackets")));
    }
    for (lang, templates) in [("zh", Some(zh)), ("en", en.as_ref())] {
        if templates.is_some_and(|templates| !templates.code.starts_with("SMS_")) {
            return Err(SmsConfigError(format!(
                "{place}.{lang}.code: it should be the code of a template, such as SMS_154950909"
            )));
        }
    }
    Ok(())
}

fn read<const N: usize>(folder: &Path, file: &Path) -> Result<[Zeroizing<String>; N], SmsConfigError> {
    secret::read(&folder.join(file)).map_err(SmsConfigError)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::stand_in::{Reply, StandIn, message};
    use super::*;

    fn parse(text: &str) -> Result<SmsConfig, String> {
        let config: SmsConfig = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        config.check().map_err(|e| e.to_string())?;
        Ok(config)
    }

    const WEBHOOK: &str = "driver = 'webhook'\nurl = 'https://sms.example/send'\nsecret_file = 's'\n";
    const ALIYUN: &str = "driver = 'aliyun'\nsecret_file = 's'\n[mainland]\nsign_name = '通关'\nzh.code = 'SMS_1'\n";

    #[test]
    fn the_examples_of_this_page_can_be_read() {
        let page = include_str!("config.rs");
        let lines = page.lines().take_while(|line| line.starts_with("//!")).map(|line| line[3..].trim());
        let text = lines.collect::<Vec<_>>().join("\n");
        let examples: Vec<_> = text.split("```toml").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert_eq!(examples.len(), 3);
        for example in examples {
            let config: toml::Table = example.parse().expect("TOML");
            let sms: SmsConfig = config["sms"].clone().try_into().expect(example);
            assert_eq!(sms.check(), Ok(()), "{example}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_at_the_start() {
        for good in ["driver = 'log'", WEBHOOK, ALIYUN] {
            assert!(parse(good).is_ok(), "{good}: {:?}", parse(good));
        }
        let abroad = |names: &str| format!("{ALIYUN}[abroad]\n{names}");
        for (bad, said) in [
            (String::new(), "driver"),
            ("driver = 'pigeon'".to_owned(), "pigeon"),
            ("driver = 'log'\nurl = 'x'".to_owned(), "url"),
            (format!("{WEBHOOK}sercet_file = 's'"), "sercet_file"),
            (WEBHOOK.replace("secret_file = 's'", ""), "secret_file"),
            (WEBHOOK.replace("https", "http"), "[sms] url: \"http://sms.example/send\" is not encrypted"),
            (ALIYUN.replace("[mainland]", "[mainlnad]"), "mainlnad"),
            (ALIYUN.replace("'通关'", "' '"), "[sms] mainland.sign_name:"),
            (ALIYUN.replace("'通关'", "'【通关】'"), "[sms] mainland.sign_name:"),
            (ALIYUN.replace("SMS_1", "1"), "[sms] mainland.zh.code:"),
            (ALIYUN.replace("[mainland]", "endpoint = 'http://dysmsapi.aliyuncs.com'\n[mainland]"), "[sms] endpoint:"),
            (ALIYUN.replace("[mainland]", "endpoint = 'https://x.example/there'\n[mainland]"), "a host alone"),
            (abroad("sign_name = 'T'"), "zh"),
            (abroad("sign_name = 'T'\nzh.code = 'SMS_1'\nen.code = '2'"), "[sms] abroad.en.code:"),
            (abroad("sign_name = 'T'\nzh.code = 'SMS_1'\nfr.code = 'SMS_2'"), "fr"),
        ] {
            let error = parse(&bad).expect_err(&bad);
            assert!(error.contains(said), "{bad}: {error}");
        }
    }

    #[test]
    fn the_secrets_are_read_from_the_data_folder_and_signed_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str, mode| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
        };
        let server = StandIn::replying([Reply::of(200, ""), Reply::of(200, "")]);
        let webhook = |more: &str| {
            parse(&format!("driver = 'webhook'\nurl = '{}'\nsecret_file = 's'\n{more}", server.url("/"))).expect("one")
        };
        let sender_of = |config: &SmsConfig| sender(config, folder.path(), &Edge::system());
        let said = |config: &SmsConfig| sender_of(config).map(drop).expect_err("refused").to_string();
        assert!(said(&webhook("")).starts_with("[sms] cannot read "));
        put("s", "sixteen-letters", 0o600);
        assert!(said(&webhook("")).contains("16 characters"));
        put("s", "sixteen-letters-and-more", 0o644);
        assert!(said(&webhook("")).contains("chmod 600"));
        put("s", "sixteen-letters-and-more", 0o600);
        put("k", "another-key-to-sign-with", 0o600);
        let signatures = ["", "signing_key_file = 'k'"].map(|more| {
            assert_eq!(sender_of(&webhook(more)).map(|sender| sender.send(1, &message("15312345678"))), Ok(Ok(())));
            let request = server.request();
            assert_eq!(request.header("authorization"), "Bearer sixteen-letters-and-more");
            request.header("x-tongguan-signature").to_owned()
        });
        assert_ne!(signatures[0], signatures[1]);

        let aliyun = parse(ALIYUN).expect("one");
        assert!(said(&aliyun).contains("2 line(s)"));
        put("s", "the-id\nthe-secret\n", 0o600);
        assert!(sender_of(&aliyun).is_ok());
        assert!(sender_of(&SmsConfig::Log {}).is_ok());
    }
}
