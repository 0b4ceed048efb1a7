//! Messages by way of Alibaba Cloud (阿里云短信): its operation SendSms, version 2017-05-25, signed with ACS3-HMAC-SHA256.
//!
//! - The operation: <https://help.aliyun.com/document_detail/55284.htm>; the signature:
//!   <https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature>; what it answers:
//!   <https://help.aliyun.com/document_detail/101346.html>.
//! - The parameters go in the body, as a form, and not in the address, where the documents have them: numbers and codes would
//!   stand in the logs of whatever the request passes. The gateway takes either.
//! - The operation knows no idempotency. A message whose answer is lost on the way is sent once more, with the same code.
//! - What it says is the provider's template, filled in; a mainland one and one for abroad are approved and named apart.

use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::http::{Client, hmac_hex};
use super::{SendError, SmsSender};
use crate::domain::phone::Phone;
use crate::domain::time::rfc3339;
use crate::edge::{Edge, random};
use crate::lang::Lang;
use crate::message::{Content, Message};

const ACTION: &str = "SendSms";
const VERSION: &str = "2017-05-25";
const FORM: &str = "application/x-www-form-urlencoded";
/// Letters of a code of an answer.
const CODE_LETTERS: usize = 60;

/// See the module.
pub struct Aliyun {
    client: Client,
    key: AccessKey,
    mainland: Names,
    abroad: Option<Names>,
    edge: Edge,
}

/// Who asks: an access key of the account, which should be allowed SendSms and no more.
pub(super) struct AccessKey {
    pub(super) id: Zeroizing<String>,
    pub(super) secret: Zeroizing<String>,
}

/// What was approved for a part of the world. Read from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// The name that a message begins with (签名), without its brackets.
    pub sign_name: String,
    /// The templates in Chinese.
    pub zh: Templates,
    /// The templates in English; if there are none, the Chinese are sent.
    pub en: Option<Templates>,
}

/// The code of the template for each kind of message, such as `SMS_154950909`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// A code that proves a phone, with the variable `${code}`.
    pub code: String,
}

impl Names {
    fn template(&self, content: &Content, lang: Lang) -> &str {
        let templates = match (lang, &self.en) {
            (Lang::En, Some(templates)) => templates,
            _ => &self.zh,
        };
        match content {
            Content::Code(_) => &templates.code,
        }
    }
}

impl Aliyun {
    pub(super) fn new(client: Client, key: AccessKey, mainland: Names, abroad: Option<Names>, edge: Edge) -> Self {
        Self { client, key, mainland, abroad, edge }
    }

    /// The number as the operation takes it (without +, and without 86 on the mainland), and what was approved for it.
    fn route<'a>(&'a self, phone: &'a Phone) -> Option<(&'a str, &'a Names)> {
        match phone.as_str().strip_prefix("+86") {
            Some(number) => Some((number, &self.mainland)),
            None => Some((phone.as_str().trim_start_matches('+'), self.abroad.as_ref()?)),
        }
    }
}

impl SmsSender for Aliyun {
    fn send(&self, id: u64, message: &Message) -> Result<(), SendError> {
        let Some((number, names)) = self.route(&message.phone) else {
            return Err(SendError::Never("numbers abroad have no template; name one under [sms.abroad]".to_owned()));
        };
        let values: serde_json::Map<_, _> =
            message.content.parameters().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let form = form(&[
            // Comes back with the receipt of the network.
            ("OutId", &id.to_string()),
            ("PhoneNumbers", number),
            ("SignName", &names.sign_name),
            ("TemplateCode", names.template(&message.content, message.lang)),
            ("TemplateParam", &serde_json::Value::Object(values).to_string()),
        ]);
        let no_nonce = |_| SendError::Later("this machine gives no random bytes".to_owned());
        let nonce = HEXLOWER.encode(&random::<16>(&*self.edge.entropy).map_err(no_nonce)?);
        let date = rfc3339(self.edge.clock.now());
        let request = ToSign {
            host: self.client.host(),
            action: ACTION,
            version: VERSION,
            query: "",
            content_type: Some(FORM),
            hash: &HEXLOWER.encode(&Sha256::digest(form.as_bytes())),
            date: &date,
            nonce: &nonce,
        };
        let authorization = request.authorization(&self.key);
        let answer = self.client.post(
            &[
                ("authorization", &authorization),
                ("content-type", FORM),
                ("x-acs-action", ACTION),
                ("x-acs-content-sha256", request.hash),
                ("x-acs-date", &date),
                ("x-acs-signature-nonce", &nonce),
                ("x-acs-version", VERSION),
            ],
            form.as_bytes(),
        )?;
        match answer.body.as_deref().and_then(code_of) {
            Some(code) => verdict(&code),
            // Taken or not: only its own word is believed.
            None => self.client.taken(answer.status).and_then(|()| {
                Err(SendError::Later(format!("{} answered something that is not its own", self.client.host())))
            }),
        }
    }
}

/// The name of what an answer says. Its other words may repeat the number.
fn code_of(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(rename = "Code")]
        code: String,
    }
    let Said { code } = serde_json::from_slice(body).ok()?;
    let is_name = |c: char| c.is_ascii_alphabetic() || matches!(c, '.' | '_' | '-');
    (!code.is_empty() && code.len() <= CODE_LETTERS && code.chars().all(is_name)).then_some(code)
}

/// What a code of an answer means for the message. One that is not known may be gone on another day.
fn verdict(code: &str) -> Result<(), SendError> {
    let never = |advice: &str| Err(SendError::Never(format!("Alibaba Cloud says {code}; {advice}")));
    let later = |advice: &str| Err(SendError::Later(format!("Alibaba Cloud says {code}{advice}")));
    match code {
        "OK" => Ok(()),
        "isv.MOBILE_NUMBER_ILLEGAL" | "isv.MOBILE_COUNT_OVER_LIMIT" => never("the number cannot be reached"),
        "isv.DOMESTIC_NUMBER_NOT_SUPPORTED" => never("the template of [sms.mainland] is one for abroad"),
        "isv.SMS_TEMPLATE_ILLEGAL"
        | "isv.TEMPLATE_MISSING_PARAMETERS"
        | "isv.INVALID_PARAMETERS"
        | "isv.INVALID_JSON_PARAM"
        | "isv.PARAM_LENGTH_LIMIT"
        | "isv.BLACK_KEY_CONTROL_LIMIT"
        | "isv.SMS_CONTENT_ILLEGAL" => {
            never("is the template that [sms] names approved, and has it the right variables?")
        }
        "isv.SMS_SIGNATURE_ILLEGAL"
        | "isv.SMS_SIGNATURE_SCENE_ILLEGAL"
        | "isv.SMS_SIGN_ILLEGAL"
        | "isv.SIGN_STATE_ILLEGAL" => never("is the sign_name that [sms] names approved, and for codes?"),
        // One a minute, five an hour and ten a day to one number.
        "isv.BUSINESS_LIMIT_CONTROL" => later(", its limit for one number"),
        "isv.DAY_LIMIT_CONTROL" | "isv.MONTH_LIMIT_CONTROL" => later("; raise the account's own limit in its console"),
        "isv.OUT_OF_SERVICE" | "isv.AMOUNT_NOT_ENOUGH" => later("; pay into the account"),
        "isv.DENY_IP_RANGE" => later("; it takes messages to the mainland from the mainland only"),
        "isp.RAM_PERMISSION_DENY" => later("; allow the access key dysms:SendSms"),
        _ if code.starts_with("Throttling") => later(""),
        _ if code.starts_with("InvalidAccessKeyId") || code.starts_with("SignatureDoesNotMatch") => {
            later("; is the access key in [sms] secret_file right?")
        }
        _ if code.starts_with("InvalidTimeStamp") => later("; is this machine's clock right?"),
        _ => later(""),
    }
}

/// A request, as it is signed.
struct ToSign<'a> {
    host: &'a str,
    action: &'a str,
    version: &'a str,
    query: &'a str,
    content_type: Option<&'a str>,
    hash: &'a str,
    date: &'a str,
    nonce: &'a str,
}

impl ToSign<'_> {
    /// The Authorization of a POST to `/`. All of these headers are signed, in the order of their names.
    fn authorization(&self, key: &AccessKey) -> String {
        let headers = [
            ("content-type", self.content_type),
            ("host", Some(self.host)),
            ("x-acs-action", Some(self.action)),
            ("x-acs-content-sha256", Some(self.hash)),
            ("x-acs-date", Some(self.date)),
            ("x-acs-signature-nonce", Some(self.nonce)),
            ("x-acs-version", Some(self.version)),
        ];
        let headers: Vec<_> = headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let canonical = format!("POST\n/\n{}\n{lines}\n{names}\n{}", self.query, self.hash);
        let hash = HEXLOWER.encode(&Sha256::digest(canonical.as_bytes()));
        let signature = hmac_hex(key.secret.as_bytes(), &[b"ACS3-HMAC-SHA256\n", hash.as_bytes()]);
        format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}", *key.id)
    }
}

/// A form of names, in their order, and values (RFC 3986: a space is %20).
fn form(fields: &[(&str, &str)]) -> Zeroizing<String> {
    let mut form = Zeroizing::new(String::with_capacity(1024));
    for (index, (name, value)) in fields.iter().enumerate() {
        form.push_str(if index == 0 { "" } else { "&" });
        form.push_str(name);
        form.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => form.push(char::from(byte)),
                _ => form.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    form
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::http::{Address, DEADLINE};
    use super::super::stand_in::{Reply, StandIn, at, message, tells_nothing};
    use super::*;
    use crate::edge::Entropy;

    /// An entropy that gives the same byte, or nothing.
    struct Gives(Option<u8>);

    impl Entropy for Gives {
        fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
            bytes.fill(self.0.ok_or(io::ErrorKind::Other)?);
            Ok(())
        }
    }

    fn key(id: &str, secret: &str) -> AccessKey {
        AccessKey { id: id.to_owned().into(), secret: secret.to_owned().into() }
    }

    fn names(sign_name: &str, zh: &str, en: Option<&str>) -> Names {
        let templates = |code: &str| Templates { code: code.to_owned() };
        Names { sign_name: sign_name.to_owned(), zh: templates(zh), en: en.map(templates) }
    }

    fn aliyun(server: &StandIn, deadline: Duration, abroad: bool) -> Aliyun {
        let client = Client::new(Address::parse(&server.url("")).expect("an address"), deadline);
        let edge = Edge { clock: at(1_760_000_000), entropy: Arc::new(Gives(Some(0xab))) };
        let abroad = abroad.then(|| names("Tongguan", "SMS_3", Some("SMS_4")));
        Aliyun::new(client, key("the-id", "the-secret"), names("通关 测试", "SMS_1", None), abroad, edge)
    }

    #[test]
    fn the_signature_is_that_of_the_documents_example() {
        // "Fixed parameter example" (固定参数示例) of
        // https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
        let request = ToSign {
            host: "ecs.cn-shanghai.aliyuncs.com",
            action: "RunInstances",
            version: "2014-05-26",
            query: &form(&[
                ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
                ("RegionId", "cn-shanghai"),
            ]),
            content_type: None,
            hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            date: "2023-10-26T10:22:32Z",
            nonce: "3156853299f313e23d1673dc12e1703d",
        };
        assert_eq!(
            request.authorization(&key("YourAccessKeyId", "YourAccessKeySecret")),
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;\
             x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    #[test]
    fn a_form_is_signed_as_another_program_signs_it() {
        let form = form(&[("SignName", "通关 *~/+"), ("TemplateParam", r#"{"code":"012345"}"#)]);
        assert_eq!(*form, "SignName=%E9%80%9A%E5%85%B3%20%2A~%2F%2B&TemplateParam=%7B%22code%22%3A%22012345%22%7D");
        let request = ToSign {
            host: "dysmsapi.aliyuncs.com",
            action: ACTION,
            version: VERSION,
            query: "",
            content_type: Some(FORM),
            hash: &HEXLOWER.encode(&Sha256::digest(form.as_bytes())),
            date: "2026-01-31T00:00:00Z",
            nonce: "00",
        };
        // Computed from the description in Python, with hashlib and hmac.
        let signature = "Signature=6ad65ab657a6254199c68ecf3f79f792573ac9bfd27af0b35d064745f3f58748";
        assert!(
            request.authorization(&key("id", "secret")).ends_with(signature),
            "{}",
            request.authorization(&key("id", "secret"))
        );
    }

    #[test]
    fn a_message_goes_to_the_mainland_and_abroad_as_the_operation_wants_it() {
        let ok = r#"{"Message":"OK","RequestId":"0A974B78-02BF-4C79-ADF3-90CFBA1B55B1","Code":"OK","BizId":"1"}"#;
        for (phone, lang, number, sign_name, template) in [
            ("15312345678", Lang::Zh, "15312345678", "%E9%80%9A%E5%85%B3%20%E6%B5%8B%E8%AF%95", "SMS_1"),
            ("15312345678", Lang::En, "15312345678", "%E9%80%9A%E5%85%B3%20%E6%B5%8B%E8%AF%95", "SMS_1"),
            ("+852 9123 4567", Lang::Zh, "85291234567", "Tongguan", "SMS_3"),
            ("+852 9123 4567", Lang::En, "85291234567", "Tongguan", "SMS_4"),
        ] {
            let server = StandIn::replying([Reply::of(200, ok)]);
            let sent = aliyun(&server, DEADLINE, true).send(17, &Message { lang, ..message(phone) });
            assert_eq!(sent, Ok(()));
            let request = server.request();
            // No number in the address.
            assert_eq!(request.line, "POST / HTTP/1.1");
            let form = format!(
                "OutId=17&PhoneNumbers={number}&SignName={sign_name}&TemplateCode={template}\
                 &TemplateParam=%7B%22code%22%3A%22012345%22%7D"
            );
            assert_eq!(request.body, form);
            assert_eq!(request.header("x-acs-date"), "2025-10-09T08:53:20Z");
            let signed = ToSign {
                host: request.header("host"),
                action: request.header("x-acs-action"),
                version: request.header("x-acs-version"),
                query: "",
                content_type: Some(request.header("content-type")),
                hash: &HEXLOWER.encode(&Sha256::digest(request.body.as_bytes())),
                date: request.header("x-acs-date"),
                nonce: &"ab".repeat(16),
            };
            assert_eq!(request.header("authorization"), signed.authorization(&key("the-id", "the-secret")));
            assert_eq!(request.header("x-acs-content-sha256"), signed.hash);
            assert_eq!(request.header("x-acs-signature-nonce"), signed.nonce);
            assert_eq!(format!("http://{}", request.header("host")), server.url(""));
        }
    }

    #[test]
    fn an_answers_code_says_whether_a_message_is_tried_again() {
        let (later, never) = (Some(true), Some(false));
        let said = |code: &str| format!(r#"{{"Code":"{code}","Message":"15312345678 012345 the-id"}}"#);
        for (status, body, again) in [
            (200, said("OK"), None),
            (200, said("isv.BUSINESS_LIMIT_CONTROL"), later),
            (200, said("isv.MOBILE_NUMBER_ILLEGAL"), never),
            (200, said("isv.SMS_TEMPLATE_ILLEGAL"), never),
            (200, said("isv.SMS_SIGNATURE_ILLEGAL"), never),
            (200, said("isv.AMOUNT_NOT_ENOUGH"), later),
            (200, said("isv.SOMETHING_NEW"), later),
            (400, said("Throttling.User"), later),
            (400, said("SignatureDoesNotMatch"), later),
            (404, said("InvalidAccessKeyId.NotFound"), later),
            (503, said("ServiceUnavailable"), later),
            // Not its own word: an empty answer, a page of a proxy, a number where a name should be, a redirect.
            (200, String::new(), later),
            (200, "<html>OK</html>".to_owned(), later),
            (200, said("15312345678"), later),
            (200, said(&"A".repeat(61)), later),
            (200, r#"{"Code":200}"#.to_owned(), later),
            (200, r#"{"code":"OK"}"#.to_owned(), later),
            (302, String::new(), later),
            (400, "bad".to_owned(), never),
            (429, String::new(), later),
            (502, "<html>".to_owned(), later),
        ] {
            let server = StandIn::replying([Reply::of(status, &body), Reply::of(200, &said("OK"))]);
            let result = aliyun(&server, DEADLINE, false).send(1, &message("15312345678"));
            assert_eq!(result.as_ref().err().map(|e| matches!(e, SendError::Later(_))), again, "{body}: {result:?}");
            tells_nothing(&result, &["the-id", "the-secret"]);
            server.request();
            assert!(server.no_more_requests());
        }
    }

    #[test]
    fn silence_and_endless_answers_end_and_are_tried_again() {
        for reply in [Reply::Silence, Reply::HangUp, Reply::Endless(200), Reply::EndlessHead] {
            let server = StandIn::replying([reply.clone()]);
            let result = aliyun(&server, Duration::from_millis(400), false).send(1, &message("15312345678"));
            assert!(matches!(result, Err(SendError::Later(_))), "{reply:?}: {result:?}");
            tells_nothing(&result, &["the-id", "the-secret"]);
        }
    }

    #[test]
    fn what_cannot_be_sent_is_not_asked_for() {
        let server = StandIn::replying([Reply::Silence]);
        let mut sender = aliyun(&server, DEADLINE, false);
        let result = sender.send(1, &message("+852 9123 4567"));
        assert!(matches!(&result, Err(SendError::Never(why)) if why.contains("[sms.abroad]")), "{result:?}");
        sender.edge.entropy = Arc::new(Gives(None));
        assert!(matches!(sender.send(1, &message("15312345678")), Err(SendError::Later(_))));
        assert!(server.no_more_requests());
    }
}
