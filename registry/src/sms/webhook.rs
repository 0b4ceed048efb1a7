//! Messages to the city's own gateway: a POST of JSON for each, signed.
//!
//! ```text
//! POST <url>
//! Authorization: Bearer <secret>
//! Content-Type: application/json
//! Idempotency-Key: 17                      the same each time this message is tried
//! X-Tongguan-Timestamp: 1760000000         Unix seconds
//! X-Tongguan-Signature: 5f0c...            HMAC-SHA256(key, timestamp "." body), in hexadecimal digits
//!
//! { "id": 17, "phone": "+8615312345678", "lang": "zh", "kind": "code", "text": "...", "parameters": { "code": "012345" } }
//! ```
//!
//! Who takes it compares the signature in constant time, refuses a timestamp more than five minutes off, and sends each id
//! once: an answer that is lost on the way makes the registry ask again. 2xx is "taken", 408, 429 and 5xx are "again later",
//! and any other answer is "never".

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use zeroize::Zeroizing;

use super::http::{Client, hmac_hex};
use super::{SendError, SmsSender};
use crate::edge::Clock;
use crate::message::Message;

/// See the module.
pub struct Webhook {
    client: Client,
    bearer: Zeroizing<String>,
    signing_key: Zeroizing<String>,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize)]
struct Body<'a> {
    id: u64,
    phone: &'a str,
    lang: &'a str,
    kind: &'a str,
    text: &'a str,
    parameters: BTreeMap<&'a str, String>,
}

impl Webhook {
    pub(super) fn new(
        client: Client,
        secret: &Zeroizing<String>,
        signing_key: Zeroizing<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let bearer = Zeroizing::new(format!("Bearer {}", **secret));
        Self { client, bearer, signing_key, clock }
    }
}

impl SmsSender for Webhook {
    fn send(&self, id: u64, message: &Message) -> Result<(), SendError> {
        let body = Body {
            id,
            phone: message.phone.as_str(),
            lang: message.lang.name(),
            kind: message.content.kind(),
            text: &message.content.text(message.lang),
            parameters: message.content.parameters().into_iter().collect(),
        };
        let unwritable = |_| SendError::Never("it cannot be written as JSON".to_owned());
        let body = Zeroizing::new(serde_json::to_vec(&body).map_err(unwritable)?);
        let timestamp = self.clock.now().to_string();
        let signature = hmac_hex(self.signing_key.as_bytes(), &[timestamp.as_bytes(), b".", &body]);
        let answer = self.client.post(
            &[
                ("authorization", &self.bearer),
                ("content-type", "application/json"),
                ("idempotency-key", &id.to_string()),
                ("x-tongguan-timestamp", &timestamp),
                ("x-tongguan-signature", &signature),
            ],
            &body,
        )?;
        // What else the answer says is for nobody here, even if it is endless.
        self.client.taken(answer.status)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::http::{Address, DEADLINE};
    use super::super::stand_in::{Reply, StandIn, at, message, tells_nothing};
    use super::*;

    fn webhook(url: &str, deadline: Duration) -> Webhook {
        let client = Client::new(Address::parse(url).expect("an address"), deadline);
        Webhook::new(
            client,
            &"a-secret-of-the-city".to_owned().into(),
            "a-key-to-sign-with".to_owned().into(),
            at(1_760_000_000),
        )
    }

    #[test]
    fn a_message_arrives_signed_and_with_its_number() {
        let server = StandIn::replying([Reply::of(204, "")]);
        let webhook = webhook(&server.url("/send?city=1"), DEADLINE);
        assert_eq!(webhook.send(17, &message("15312345678")), Ok(()));
        let request = server.request();
        assert_eq!(request.line, "POST /send?city=1 HTTP/1.1");
        assert_eq!(request.header("authorization"), "Bearer a-secret-of-the-city");
        assert_eq!(request.header("idempotency-key"), "17");
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("x-tongguan-timestamp"), "1760000000");
        let text = "【通关】验证码 012345，10 分钟内有效。工作人员不会向您索要，请勿告诉他人。";
        let body = format!(
            r#"{{"id":17,"phone":"+8615312345678","lang":"zh","kind":"code","text":"{text}","parameters":{{"code":"012345"}}}}"#
        );
        assert_eq!(request.body, body);
        // hmac.new(b"a-key-to-sign-with", b"1760000000." + body, "sha256").hexdigest()
        assert_eq!(
            request.header("x-tongguan-signature"),
            "3d6794d8cb6be05517350c5207b2db154aa7d3aa55364c70c4acf47bfbd06df6"
        );
    }

    #[test]
    fn an_answer_says_whether_a_message_is_tried_again() {
        for (status, again) in [
            (200, None),
            (202, None),
            (301, Some(true)),
            (302, Some(true)),
            (307, Some(true)),
            (400, Some(false)),
            (401, Some(false)),
            (404, Some(false)),
            (408, Some(true)),
            (422, Some(false)),
            (429, Some(true)),
            (500, Some(true)),
            (503, Some(true)),
        ] {
            // A second reply, should a redirect be followed.
            let server = StandIn::replying([Reply::moved(status), Reply::of(200, "")]);
            let result = webhook(&server.url("/send"), DEADLINE).send(1, &message("15312345678"));
            assert_eq!(result.as_ref().err().map(|e| matches!(e, SendError::Later(_))), again, "{status}: {result:?}");
            tells_nothing(&result, &["a-secret-of-the-city"]);
            server.request();
            assert!(server.no_more_requests(), "{status}");
        }
    }

    #[test]
    fn silence_garbage_and_endless_answers_end() {
        let patience = Duration::from_millis(400);
        for (reply, taken) in [
            (Reply::Silence, false),
            (Reply::HangUp, false),
            (Reply::Bytes(b"this is not HTTP\r\n\r\n".to_vec()), false),
            (Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nthen nothing".to_vec()), true),
            (Reply::Endless(200), true),
            (Reply::Endless(503), false),
            (Reply::EndlessHead, false),
        ] {
            let server = StandIn::replying([reply.clone()]);
            let begun = Instant::now();
            let result = webhook(&server.url("/"), patience).send(1, &message("15312345678"));
            assert!(begun.elapsed() < patience * 5, "{reply:?} took {:?}", begun.elapsed());
            assert_eq!(matches!(result, Ok(())), taken, "{reply:?}: {result:?}");
            assert!(!matches!(result, Err(SendError::Never(_))), "{reply:?}: {result:?}");
            tells_nothing(&result, &["a-secret-of-the-city"]);
        }
    }

    #[test]
    fn nobody_there_is_later() {
        let url = StandIn::gone();
        let result = webhook(&url, DEADLINE).send(1, &message("15312345678"));
        assert!(matches!(&result, Err(SendError::Later(why)) if why.contains("cannot be reached")), "{result:?}");
    }

    #[test]
    fn a_server_without_a_certificate_is_told_nothing() {
        let server = StandIn::replying([Reply::Bytes(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())]);
        let result = webhook(&server.url("/").replace("http:", "https:"), DEADLINE).send(1, &message("15312345678"));
        assert!(matches!(&result, Err(SendError::Later(why)) if why.contains("certificate")), "{result:?}");
    }
}
