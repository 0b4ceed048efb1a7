//! One request to whoever sends messages to phones, and its answer: bounded in time and in size, and to that address alone.

use std::io::ErrorKind;
use std::time::Duration;

use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use ureq::http::Uri;
use zeroize::Zeroizing;

use super::SendError;

/// The longest a message is waited for. A person is waiting as well.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of an answer. One has some hundred; more would fill the memory.
const ANSWER_BYTES: u64 = 16 * 1024;

/// An address that secrets may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address(Uri);

impl Address {
    /// Reads an address: https, or plain http to this machine itself; without a user's name, and without a fragment.
    ///
    /// # Errors
    /// What it should look like.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let usage = || format!("{text:?} is no address of a service; write one such as https://sms.example/send");
        // `Uri` would drop a fragment in silence.
        let uri: Uri = text.parse().ok().filter(|_| !text.contains('#')).ok_or_else(usage)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(usage)?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("an address shows in logs: it may hold no name and no password".to_owned());
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if is_loopback(host) => Ok(Self(uri)),
            Some("http") => {
                Err(format!("{text:?} is not encrypted on its way: use https (http is for this machine alone)"))
            }
            _ => Err(usage()),
        }
    }

    /// The host, with its port if one is named.
    pub(super) fn host(&self) -> &str {
        self.0.authority().map_or("", |authority| authority.as_str())
    }

    /// Whether it names a host alone, and nothing on it.
    pub(super) fn is_bare(&self) -> bool {
        self.0.path() == "/" && self.0.query().is_none()
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What came back.
pub(super) struct Answer {
    /// The status of HTTP.
    pub(super) status: u16,
    /// What it says; `None` if it broke off or is longer than any answer.
    pub(super) body: Option<Vec<u8>>,
}

/// Sends requests to one address.
pub(super) struct Client {
    agent: ureq::Agent,
    address: Address,
}

impl Client {
    /// A client of `address`, which waits for `deadline` at most: for the whole of a request and its answer.
    pub(super) fn new(address: Address, deadline: Duration) -> Self {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(deadline))
            .http_status_as_error(false)
            // A redirect would send numbers and secrets to somebody nobody has configured.
            .max_redirects(0)
            .user_agent(concat!("tongguan-registry/", env!("CARGO_PKG_VERSION")));
        if is_loopback(address.0.host().unwrap_or_default()) {
            // This machine is not reached through a proxy.
            config = config.proxy(None);
        }
        Self { agent: config.build().into(), address }
    }

    /// The host, with its port if one is named.
    pub(super) fn host(&self) -> &str {
        self.address.host()
    }

    /// Posts `body`, once.
    ///
    /// # Errors
    /// [`SendError::Later`] if nothing came back.
    pub(super) fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, SendError> {
        let mut request = self.agent.post(&self.address.0).header("host", self.host());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.send(body).map_err(|error| self.failed(&error))?;
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec().ok();
        Ok(Answer { status: answer.status().as_u16(), body })
    }

    /// In words of our own: the error's may repeat what was sent.
    fn failed(&self, error: &ureq::Error) -> SendError {
        use ureq::{Error, Timeout};
        let host = self.host();
        SendError::Later(match error {
            Error::Timeout(Timeout::Resolve | Timeout::Connect) | Error::ConnectionFailed => {
                format!("{host} cannot be reached; is the network connected?")
            }
            Error::Timeout(_) => format!("{host} did not answer in time"),
            Error::HostNotFound => {
                format!("{host} is not found; is the address in [sms] right, and does this network resolve names?")
            }
            Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => untrusted(host),
            // The handshake's complaints come this way.
            Error::Io(e) if e.kind() == ErrorKind::InvalidData => untrusted(host),
            Error::Io(e) => format!("{host} cannot be reached, or hung up: {}", e.kind()),
            _ => format!("{host} does not speak HTTP as it should; is the address in [sms] right?"),
        })
    }

    /// What a status says where an answer says nothing better.
    ///
    /// # Errors
    /// [`SendError`] unless the message was taken.
    pub(super) fn taken(&self, status: u16) -> Result<(), SendError> {
        let host = self.host();
        match status {
            200..=299 => Ok(()),
            300..=399 => Err(SendError::Later(format!(
                "{host} answered {status}, a redirect, which is never followed; put the final address into [sms]"
            ))),
            408 | 429 | 500.. => Err(SendError::Later(format!("{host} answered {status}"))),
            401 | 403 => {
                Err(SendError::Never(format!("{host} answered {status}; are the secrets that [sms] names right?")))
            }
            _ => Err(SendError::Never(format!("{host} answered {status}; is the address in [sms] right?"))),
        }
    }
}

fn untrusted(host: &str) -> String {
    format!("the certificate of {host} is not trusted; is its name right, is it still good, and is this clock right?")
}

/// HMAC-SHA256 over the parts in a row, in hexadecimal digits.
pub(super) fn hmac_hex(key: &[u8], parts: &[&[u8]]) -> String {
    // RFC 2104: a long key is hashed, a short one filled with zeros.
    let mut block = Zeroizing::new([0; 64]);
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mac = <Hmac<Sha256> as hmac::KeyInit>::new((&*block).into());
    HEXLOWER.encode(&parts.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_to_https_or_to_this_machine_alone() {
        for good in [
            "https://sms.example/send?to=all",
            "https://sms.example:8443",
            "http://127.0.0.1:8080/send",
            "http://localhost",
            "http://[::1]:80/",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for (bad, said) in [
            ("http://sms.example/send", "https"),
            ("http://127.0.0.1.example/", "https"),
            ("http://localhost.example/", "https"),
            ("http://10.0.0.1/", "https"),
            ("https://me:secret@sms.example/", "no password"),
            ("https://sms.example/#there", "no address"),
            ("https://", "no address"),
            ("https:///send", "no address"),
            ("ftp://sms.example", "no address"),
            ("sms.example", "no address"),
            ("/send", "no address"),
            ("", "no address"),
        ] {
            let error = Address::parse(bad).expect_err(bad);
            assert!(error.contains(said) && !error.contains("secret"), "{bad}: {error}");
        }
    }

    #[test]
    fn the_hash_is_hmac_as_others_compute_it() {
        // RFC 4231, test cases 2 and 6.
        for (key, message, mac) in [
            (
                b"Jefe".as_slice(),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            let (begin, end) = message.as_bytes().split_at(5);
            assert_eq!(hmac_hex(key, &[begin, end]), mac);
        }
    }
}
