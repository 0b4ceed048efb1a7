//! Vectors of texts that are no code, damaged codes and forged ones (PF 2, 3, 5.4, 8.1).

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;

use super::codes::{Codes, at, verified};
use super::forge;
use super::make::{
    CERTIFICATE, Carried, LISTS, LIVE, Live, PRINTED, Printed, TIME, key, message, public, registry_key, text,
};
use super::schema::{CodeExpect, CodeVector};

pub(crate) fn all() -> Vec<CodeVector> {
    let mut codes = Codes::default();
    other_texts(&mut codes);
    base32(&mut codes);
    lengths_and_kinds(&mut codes);
    fields(&mut codes);
    holder_keys(&mut codes);
    unknown_keys_and_purposes(&mut codes);
    contexts(&mut codes);
    altered_fields(&mut codes);
    holder_signatures(&mut codes);
    strictness(&mut codes);
    codes.0
}

fn error(name: &str) -> CodeExpect {
    CodeExpect::Refused { error: name.into(), field: None, key: None, kind: None }
}

fn field(name: &str) -> CodeExpect {
    CodeExpect::Refused { error: "field".into(), field: Some(name.into()), key: None, kind: None }
}

fn with_key(name: &str, id: u16) -> CodeExpect {
    CodeExpect::Refused { error: name.into(), field: None, key: Some(id), kind: None }
}

fn unknown_kind(kind: u8) -> CodeExpect {
    CodeExpect::Refused { error: "unknown_kind".into(), field: None, key: None, kind: Some(kind) }
}

impl Codes {
    fn refused(&mut self, name: &str, clause: &str, about: &str, text: impl Into<String>, expect: CodeExpect) {
        self.push(name, clause, about, at(10), text, expect);
    }
}

fn other_texts(v: &mut Codes) {
    let live = Live::default().text();
    for (name, about, text) in [
        ("text-empty", "Nothing at all.", String::new()),
        ("text-shorter-than-prefix", "Fewer characters than the prefix has.", "TG1".into()),
        ("text-url", "A web address.", "https://example.org/health?id=1".into()),
        ("text-payment", "A payment code.", "https://qr.alipay.com/fkx00000000000000000000".into()),
        ("text-payment-other-scheme", "Another payment code.", "wxp://f2f0000000000000000000".into()),
        (
            "text-other-health-code",
            "Another health code, in JSON.",
            "{\"color\":\"green\",\"cityNo\":\"000000\"}".into(),
        ),
        ("text-number", "The number of a parcel or a product.", "6901234567892".into()),
        ("text-chinese", "Characters of several bytes.", "健康码:通关".into()),
        ("text-binary", "Control characters.", "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}".into()),
        ("text-no-prefix", "A code without its prefix.", live["TG1:".len()..].into()),
        ("text-no-colon", "A code without the colon of its prefix.", live.replacen(':', "", 1)),
        ("text-space-before", "White space before the prefix.", format!(" {live}")),
        ("text-byte-order-mark", "A byte order mark before the prefix.", format!("\u{feff}{live}")),
        ("text-two-digit-version", "Version 10 is not version 1.", live.replacen("TG1:", "TG10:", 1)),
        ("text-arabic-digit", "A digit that is not of ASCII.", live.replacen("TG1:", "TG\u{662}:", 1)),
        ("text-full-width-prefix", "A prefix of full-width letters.", live.replacen("TG1:", "ＴＧ１：", 1)),
    ] {
        v.refused(name, "PF 2.1", about, text, error("not_ours"));
    }
    let about = "A later format: named so, and not called damaged or forged.";
    v.refused("text-format-2", "PF 2.1", about, live.replacen("TG1:", "TG2:", 1), error("unknown_format"));
    let about = "Of the ten digits only 1 is this format.";
    v.refused("text-format-0", "PF 2.1", about, live.replacen("TG1:", "TG0:", 1), error("unknown_format"));
    let about = "A later format may be longer, too.";
    v.refused("text-format-9-long", "PF 2.1", about, format!("TG9:{}", "A".repeat(600)), error("unknown_format"));
    let about = "A prefix in lower case: a reader that changes case, not another system's code.";
    v.refused("text-lower-case-prefix", "PF 2.1", about, live.replacen("TG1:", "tg1:", 1), error("encoding"));
    v.refused("text-mixed-case-prefix", "PF 2.1", about, live.replacen("TG1:", "Tg1:", 1), error("encoding"));
    let about = "The prefix and nothing after it.";
    v.refused("text-prefix-only", "PF 2.4", about, "TG1:", error("length"));
    let about = "One byte over the limit.";
    v.refused("text-513-bytes", "PF 2.7", about, format!("TG1:{}", "A".repeat(509)), error("too_long"));
    let about = "Exactly at the limit: decoded, and of a kind that there is not.";
    v.refused("text-512-bytes", "PF 2.7", about, format!("TG1:{}", "A".repeat(508)), unknown_kind(0));
    let about = "Too long and not of the alphabet: the length is checked first.";
    v.refused("text-513-bytes-not-base32", "PF 2.7", about, format!("TG1:{}", "!".repeat(509)), error("too_long"));
    let about = "Too long and not ours: what is not ours is only that.";
    v.refused("text-long-not-ours", "PF 2.1", about, "A".repeat(600), error("not_ours"));
}

fn base32(v: &mut Codes) {
    let live = Live::default().text();
    let n = live.len();
    let unused = |text: &str| {
        let last = text.bytes().last().expect("a character");
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|c| *c == last).expect("of the alphabet");
        let other = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value | 1];
        format!("{}{}", &text[..text.len() - 1], char::from(other))
    };
    for (kind, text) in
        [("live", live.clone()), ("carried", Carried::default().text()), ("printed", Printed::default().text())]
    {
        let about = "An unused bit of the last character is set: a second text for the same code.";
        v.refused(&format!("base32-unused-bit-{kind}"), "PF 2.2", about, unused(&text), error("encoding"));
    }
    let middle = |c: char| format!("{}{c}{}", &live[..40], &live[41..]);
    for (name, about, text) in [
        ("base32-padding", "Padding, as RFC 4648 has it.", format!("{live}====")),
        ("base32-one-padding", "A single padding character.", format!("{live}=")),
        ("base32-lower-case", "All in lower case.", format!("TG1:{}", live[4..].to_lowercase())),
        ("base32-one-lower-case", "One character in lower case.", middle('q')),
        ("base32-space-after", "A space at the end.", format!("{live} ")),
        ("base32-newline-after", "A newline at the end: the reader trims it, or it is refused.", format!("{live}\n")),
        ("base32-carriage-return-after", "A carriage return at the end.", format!("{live}\r")),
        ("base32-space-inside", "A space in the middle.", format!("{} {}", &live[..40], &live[40..])),
        ("base32-digit-0", "0 is not of the alphabet, and is not read as O.", middle('0')),
        ("base32-digit-1", "1 is not of the alphabet, and is not read as I.", middle('1')),
        ("base32-digit-8", "8 is not of the alphabet, and is not read as B.", middle('8')),
        ("base32-digit-9", "9 is not of the alphabet.", middle('9')),
        ("base32-hyphen", "A hyphen.", middle('-')),
        ("base32-not-ascii", "A character of several bytes.", middle('码')),
        ("base32-impossible-length-1", "One character more than a whole group.", format!("TG1:{}", "A".repeat(9))),
        ("base32-impossible-length-3", "Three characters more than a group.", format!("TG1:{}", "A".repeat(11))),
        ("base32-impossible-length-6", "Six characters more than a group.", format!("TG1:{}", "A".repeat(14))),
        ("base32-last-character-lost", "The last character is lost.", live[..n - 1].into()),
    ] {
        v.refused(name, "PF 2.2", about, text, error("encoding"));
    }
}

fn lengths_and_kinds(v: &mut Codes) {
    for (kind, bytes) in [
        ("live", Live::default().bytes()),
        ("carried", Carried::default().bytes()),
        ("printed", Printed::default().bytes()),
    ] {
        let n = bytes.len();
        let about = "The last byte is lost.";
        v.refused(&format!("length-{kind}-truncated"), "PF 2.4", about, text(&bytes[..n - 1]), error("length"));
        let about = "A byte follows the last one.";
        let longer = [bytes.as_slice(), &[0]].concat();
        v.refused(&format!("length-{kind}-trailing-byte"), "PF 2.4", about, text(&longer), error("length"));
        let about = "The kind byte alone.";
        v.refused(&format!("length-{kind}-kind-only"), "PF 2.4", about, text(&bytes[..1]), error("length"));
    }
    let about = "A carried code cut after its certificate.";
    v.refused("length-certificate-alone", "PF 2.4", about, text(&Carried::default().certificate()), error("length"));
    for (name, kind) in [("next", 0x14), ("below", 0x10), ("zero", 0x00), ("largest", 0xff)] {
        let mut bytes = Live::default().bytes();
        bytes[0] = kind;
        let about = "A kind that this version does not know, whatever follows it.";
        v.refused(&format!("kind-unknown-{name}"), "PF 2.3", about, text(&bytes), unknown_kind(kind));
    }
    let about = "An unknown kind of another length.";
    v.refused("kind-unknown-short", "PF 2.3", about, text(&[0x14]), unknown_kind(0x14));
    let mut bytes = Live::default().bytes();
    bytes[0] = 0x13;
    let about = "A live code called printed: its length is wrong for that.";
    v.refused("kind-live-as-printed", "PF 2.4", about, text(&bytes), error("length"));
}

fn fields(v: &mut Codes) {
    for bit in 1..8 {
        let flags = 1 << bit;
        let about = "A reserved flag is set in a code that is otherwise signed and good.";
        let live = Live { flags, ..Live::default() }.text();
        v.refused(&format!("flags-live-bit-{bit}"), "PF 2.5", about, live, error("reserved_flags"));
        let carried = Carried { flags, ..Carried::default() }.text();
        v.refused(&format!("flags-carried-bit-{bit}"), "PF 2.5", about, carried, error("reserved_flags"));
        let printed = Printed { flags, ..Printed::default() }.text();
        v.refused(&format!("flags-printed-bit-{bit}"), "PF 2.5", about, printed, error("reserved_flags"));
    }
    let about = "Reserved flags are checked before the other fields.";
    let both = Live { flags: 2, ttl: 0, ..Live::default() }.text();
    v.refused("flags-before-ttl", "PF 8.1", about, both, error("reserved_flags"));
    for (name, ttl) in [("0", 0), ("61", 61), ("255", 255)] {
        let code = Live { ttl, ..Live::default() }.text();
        v.refused(&format!("live-ttl-{name}"), "PF 4.2", "A life out of range.", code, field("ttl"));
    }
    for (name, hours) in [("0", 0), ("37", 37), ("255", 255)] {
        let code = Carried { hours, ..Carried::default() }.text();
        v.refused(
            &format!("carried-hours-{name}"),
            "PF 5.3",
            "A certificate's life out of range.",
            code,
            field("hours"),
        );
    }
    let code = Printed::default();
    let none = Printed { entries: 0, ..code }.text();
    v.refused("printed-entries-0", "PF 6.2", "A code for nobody.", none, field("entries"));
    let empty = Printed { valid_to: code.valid_from, ..code }.text();
    v.refused("printed-window-empty", "PF 6.2", "valid_to equals valid_from.", empty, field("valid_to"));
    let backward = Printed { valid_to: code.valid_from - 1, ..code }.text();
    v.refused("printed-window-backward", "PF 6.2", "valid_to is before valid_from.", backward, field("valid_to"));
    let about = "The window is checked before the entries.";
    let both = Printed { valid_to: 0, entries: 0, ..code }.text();
    v.refused("printed-window-before-entries", "PF 8.1", about, both, field("valid_to"));
    let about = "A field out of range is found before an unknown key.";
    let unknown = Live { ttl: 0, key: 999, ..Live::default() }.signed_with(&key("stranger"), "tongguan/1/live");
    v.refused("field-before-unknown-key", "PF 8.1", about, text(&unknown), field("ttl"));
}

fn holder_keys(v: &mut Codes) {
    let with = |holder: [u8; 32]| Carried { holder, ..Carried::default() }.text();
    let about = "A holder key of small order, under which one signature is good for every message.";
    for (i, holder) in forge::small_order().into_iter().enumerate() {
        v.refused(&format!("holder-small-order-{i}"), "PF 3.3", about, with(holder), error("holder_key"));
    }
    let mut negative_zero = [0; 32];
    negative_zero[0] = 1;
    negative_zero[31] = 0x80;
    for (name, about, holder) in [
        ("holder-negative-zero", "The neutral point with the sign bit set, an encoding there is not.", negative_zero),
        ("holder-not-canonical-0", "y = p, another encoding of y = 0.", forge::plus_p(0)),
        ("holder-not-canonical-1", "y = p + 1, another encoding of the neutral point.", forge::plus_p(1)),
        (
            "holder-not-canonical-large-order",
            "y is not below p, and the point is of large order: only the encoding is wrong.",
            forge::plus_p(forge::small_y()),
        ),
        ("holder-not-a-point", "No point has this y.", forge::no_point()),
        ("holder-all-ones", "All bits set.", [0xff; 32]),
    ] {
        v.refused(name, "PF 3.3", about, with(holder), error("holder_key"));
    }
    let about = "The hours are checked before the holder key.";
    let both = Carried { hours: 0, holder: [0xff; 32], ..Carried::default() }.text();
    v.refused("hours-before-holder", "PF 8.1", about, both, field("hours"));
}

fn unknown_keys_and_purposes(v: &mut Codes) {
    let about = "A key id that the keyset lacks: the reader must sync, and nothing is said about forgery.";
    let stranger = key("stranger");
    let live = Live { key: 999, ..Live::default() }.signed_with(&stranger, "tongguan/1/live");
    v.refused("unknown-key-live", "PF 3.5", about, text(&live), with_key("unknown_key", 999));
    let printed = Printed { key: 0, ..Printed::default() }.signed_with(&stranger, "tongguan/1/printed");
    v.refused("unknown-key-printed", "PF 3.5", about, text(&printed), with_key("unknown_key", 0));
    let carried = Carried { key: 65_535, ..Carried::default() };
    let bytes = carried.bytes_with(
        &carried.certificate_with(&stranger, "tongguan/1/certificate"),
        &key("holder"),
        "tongguan/1/carried",
    );
    v.refused("unknown-key-carried", "PF 3.5", about, text(&bytes), with_key("unknown_key", 65_535));

    let about = "A key of the registry that may not sign this kind, though its signature is good.";
    for (name, id) in [("certificate", CERTIFICATE), ("printed", PRINTED), ("lists", LISTS), ("time", TIME)] {
        let code = Live { key: id, ..Live::default() }.text();
        v.refused(&format!("purpose-live-by-{name}-key"), "PF 3.5", about, code, with_key("wrong_purpose", id));
    }
    for (name, id) in [("live", LIVE), ("printed", PRINTED)] {
        let code = Carried { key: id, ..Carried::default() }.text();
        v.refused(&format!("purpose-carried-by-{name}-key"), "PF 3.5", about, code, with_key("wrong_purpose", id));
    }
    for (name, id) in [("live", LIVE), ("certificate", CERTIFICATE)] {
        let code = Printed { key: id, ..Printed::default() }.text();
        v.refused(&format!("purpose-printed-by-{name}-key"), "PF 3.5", about, code, with_key("wrong_purpose", id));
    }
    let about = "The id of a key of the registry, with a stranger's signature.";
    let live = Live::default().signed_with(&stranger, "tongguan/1/live");
    v.refused("signed-by-stranger-live", "PF 3.4", about, text(&live), error("registry_signature"));
    let printed = Printed::default().signed_with(&stranger, "tongguan/1/printed");
    v.refused("signed-by-stranger-printed", "PF 3.4", about, text(&printed), error("registry_signature"));
}

fn contexts(v: &mut Codes) {
    let about = "Signed by the right key in the context of something else.";
    for context in ["certificate", "carried", "printed", "head", "keyset", "time"] {
        let code = Live::default().signed_with(&registry_key(LIVE), &format!("tongguan/1/{context}"));
        v.refused(&format!("context-live-as-{context}"), "PF 3.1", about, text(&code), error("registry_signature"));
    }
    for context in ["live", "certificate"] {
        let code = Printed::default().signed_with(&registry_key(PRINTED), &format!("tongguan/1/{context}"));
        v.refused(&format!("context-printed-as-{context}"), "PF 3.1", about, text(&code), error("registry_signature"));
    }
    let carried = Carried::default();
    for context in ["live", "carried"] {
        let certificate = carried.certificate_with(&registry_key(CERTIFICATE), &format!("tongguan/1/{context}"));
        let code = carried.bytes_with(&certificate, &key("holder"), "tongguan/1/carried");
        let name = format!("context-certificate-as-{context}");
        v.refused(&name, "PF 3.1", about, text(&code), error("registry_signature"));
    }
    let code = carried.bytes_with(&carried.certificate(), &key("holder"), "tongguan/1/certificate");
    v.refused("context-holder-as-certificate", "PF 3.1", about, text(&code), error("holder_signature"));
    let about = "The context of another version.";
    let code = Live::default().signed_with(&registry_key(LIVE), "tongguan/2/live");
    v.refused("context-live-version-2", "PF 3.1", about, text(&code), error("registry_signature"));
    let about = "The body is signed bare, without a context.";
    let body = Live::default().body();
    let bare = ed25519_dalek::Signer::sign(&registry_key(LIVE), &body).to_bytes();
    let code = [body.as_slice(), &bare].concat();
    v.refused("context-none", "PF 3.1", about, text(&code), error("registry_signature"));
    let about = "The zero byte between context and body is missing.";
    let joined = [b"tongguan/1/live".as_slice(), &body].concat();
    let signature = ed25519_dalek::Signer::sign(&registry_key(LIVE), &joined).to_bytes();
    let code = [body.as_slice(), &signature].concat();
    v.refused("context-without-zero-byte", "PF 3.1", about, text(&code), error("registry_signature"));
}

/// One bit of each field, of a code that is otherwise good.
fn altered_fields(v: &mut Codes) {
    let about = "One bit of this field was changed after signing.";
    let flip = |bytes: &[u8], at: usize, bit: u8| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= bit;
        text(&bytes)
    };
    let signature = "registry_signature";
    let live = Live::default().bytes();
    for (name, at, bit) in [
        ("handle", 6, 1),
        ("issued-at", 10, 4),
        ("ttl", 11, 1),
        ("category", 12, 1),
        ("community", 16, 2),
        ("specimen", 17, 1),
        ("signature-r", 18, 1),
        ("signature-s", 50, 1),
    ] {
        v.refused(&format!("altered-live-{name}"), "PF 3.4", about, flip(&live, at, bit), error(signature));
    }
    v.refused("altered-live-key-id", "PF 3.5", about, flip(&live, 2, 0x40), with_key("unknown_key", 0x41));
    let printed = Printed::default().bytes();
    for (name, at, bit) in [
        ("handle", 6, 1),
        ("valid-from", 10, 1),
        ("valid-to", 14, 1),
        ("category", 15, 1),
        ("community", 19, 2),
        ("building", 21, 1),
        ("entries", 22, 2),
        ("specimen", 23, 1),
        ("signature-r", 24, 1),
        ("signature-s", 56, 1),
    ] {
        v.refused(&format!("altered-printed-{name}"), "PF 3.4", about, flip(&printed, at, bit), error(signature));
    }
    let carried = Carried::default().bytes();
    for (name, at, bit) in [
        ("handle", 6, 1),
        ("valid-from", 10, 1),
        ("hours", 11, 1),
        ("category", 12, 2),
        ("community", 16, 2),
        ("specimen", 17, 1),
        ("certificate-signature-r", 50, 1),
        ("certificate-signature-s", 82, 1),
    ] {
        v.refused(&format!("altered-carried-{name}"), "PF 3.4", about, flip(&carried, at, bit), error(signature));
    }
    for (name, at) in [("made-at", 117), ("holder-signature-r", 118), ("holder-signature-s", 150)] {
        v.refused(
            &format!("altered-carried-{name}"),
            "PF 5.4",
            about,
            flip(&carried, at, 1),
            error("holder_signature"),
        );
    }
}

fn holder_signatures(v: &mut Codes) {
    let code = Carried::default();
    let certificate = code.certificate();
    let thief = key("thief");
    let about = "Somebody else's phone signs under this certificate.";
    let bytes = code.bytes_with(&certificate, &thief, "tongguan/1/carried");
    v.refused("carried-signed-by-another-phone", "PF 5.4", about, text(&bytes), error("holder_signature"));
    let about = "The certificate names the thief's key, without the registry's signature on that.";
    let mut swapped = certificate.clone();
    swapped[18..50].copy_from_slice(&public("thief"));
    let bytes = code.bytes_with(&swapped, &thief, "tongguan/1/carried");
    v.refused("carried-holder-swapped", "PF 3.4", about, text(&bytes), error("registry_signature"));
    let about = "The holder signed the certificate's body alone, without the registry's signature.";
    let body = code.certificate_body();
    let signature = super::make::sign(&key("holder"), "tongguan/1/carried", &Carried::holder_body(&body, code.made_at));
    let bytes = [certificate.as_slice(), &code.made_at.to_be_bytes(), &signature].concat();
    v.refused("carried-hash-without-signature", "PF 5.4", about, text(&bytes), error("holder_signature"));
    let about = "The holder signed the certificate itself, not its hash.";
    let plain = [certificate.as_slice(), &code.made_at.to_be_bytes()].concat();
    let signature = super::make::sign(&key("holder"), "tongguan/1/carried", &plain);
    let bytes = [plain.as_slice(), &signature].concat();
    v.refused("carried-signed-unhashed", "PF 5.4", about, text(&bytes), error("holder_signature"));
    let about = "The holder's signature comes from a code under another certificate of the same holder.";
    let other = Carried { handle: 77, ..code };
    let foreign = other.bytes();
    let bytes = [certificate.as_slice(), &foreign[114..]].concat();
    v.refused("carried-signature-of-other-certificate", "PF 5.4", about, text(&bytes), error("holder_signature"));
    let about = "Both signatures are wrong: the registry's is checked first.";
    let mut both = code.bytes();
    both[60] ^= 1;
    both[160] ^= 1;
    v.refused("carried-both-signatures-wrong", "PF 8.1", about, text(&both), error("registry_signature"));
}

fn strictness(v: &mut Codes) {
    let live = Live::default();
    let signer = registry_key(LIVE);
    let public = signer.verifying_key().to_bytes();
    let body = live.body();
    let signed = message("tongguan/1/live", &body);
    let with = |signature: [u8; 64]| text(&[body.as_slice(), &signature].concat());
    let good: [u8; 64] = live.bytes()[18..].try_into().expect("64 bytes");
    let identity = EdwardsPoint::identity().compress().to_bytes();
    let order_eight = forge::order_eight().compress().to_bytes();
    let zero = Scalar::ZERO;
    let mut high = good;
    high[63] |= 0xe0;
    let mut largest = good;
    largest[32..].fill(0xff);
    let mut exactly_l = good;
    exactly_l[32..].copy_from_slice(&forge::s_plus_l([0; 64])[32..]);
    for (name, about, signature) in [
        ("strict-s-plus-l", "S + L in place of S: the same signature in a second form.", forge::s_plus_l(good)),
        ("strict-s-equals-l", "S = L, the smallest number that is not canonical.", exactly_l),
        ("strict-s-high-bits", "The three high bits of S are set.", high),
        ("strict-s-largest", "All bits of S are set.", largest),
        (
            "strict-r-neutral",
            "R is the neutral point, and the equation holds: only the rule about small order refuses it.",
            forge::with_r(&signer, &public, identity, zero, &signed),
        ),
        (
            "strict-r-neutral-not-canonical",
            "R is the neutral point as y = p + 1.",
            forge::with_r(&signer, &public, forge::plus_p(1), zero, &signed),
        ),
        (
            "strict-r-order-8",
            "R is of order 8: the equation holds only with the cofactor.",
            forge::with_r(&signer, &public, order_eight, zero, &signed),
        ),
        (
            "strict-r-mixed-order",
            "R has a component of order 8: the equation holds only with the cofactor.",
            forge::mixed_r(&signer, &signed),
        ),
        ("strict-signature-zero", "R and S are zero bytes.", [0; 64]),
    ] {
        v.refused(name, "PF 3.2", about, with(signature), error("registry_signature"));
    }

    let holder = key("holder");
    let code = Carried { holder: forge::mixed_order(&holder), ..Carried::default() };
    let certificate = code.certificate();
    let signed = message("tongguan/1/carried", &Carried::holder_body(&certificate, code.made_at));
    let bytes = |exact| {
        let signature = forge::under_mixed_key(&holder, &signed, exact);
        text(&[certificate.as_slice(), &code.made_at.to_be_bytes(), &signature].concat())
    };
    let about = "The holder key has a component of order 8, and the equation holds only with the cofactor.";
    v.refused("strict-key-mixed-order-cofactored", "PF 3.2", about, bytes(false), error("holder_signature"));
    let about = "The same key, and a signature for which the equation holds as it is: k is reduced modulo L, and k A is \
                 computed with that.";
    let expect = verified("carried", code.fields(), ("fresh", None));
    v.push("strict-key-mixed-order-exact", "PF 3.2", about, at(10), bytes(true), expect);

    let carried = Carried::default();
    let good = carried.bytes();
    let head = &good[..118];
    let signature: [u8; 64] = good[118..].try_into().expect("64 bytes");
    let about = "S + L in the holder's signature.";
    let bytes = [head, &forge::s_plus_l(signature)].concat();
    v.refused("strict-holder-s-plus-l", "PF 3.2", about, text(&bytes), error("holder_signature"));
    let about = "R of the holder's signature is the neutral point, and the equation holds.";
    let signed = message("tongguan/1/carried", &Carried::holder_body(&carried.certificate(), carried.made_at));
    let forged = forge::with_r(&holder, &holder.verifying_key().to_bytes(), identity, zero, &signed);
    v.refused("strict-holder-r-neutral", "PF 3.2", about, text(&[head, &forged].concat()), error("holder_signature"));
}
