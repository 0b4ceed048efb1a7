//! Vectors of roots, keysets and heads, and of the envelope around them (SY 1 to 4).

use ed25519_dalek::SigningKey;

use super::forge;
use super::make::{
    KEYS_FROM, LISTS, LISTS_OVER, LIVE, NOW, TODAY, hex, key, public, registry_key, registry_keys, sha256, sign,
};
use super::schema::{Check, Delta, Given, Key, ListExpect, ListVector, Ref, Revoked, RootKey, TypedRef};

/// A collection that is being written.
#[derive(Default)]
pub(crate) struct Lists(pub(crate) Vec<ListVector>);

impl Lists {
    #[expect(clippy::too_many_arguments, reason = "one for each field of the file")]
    pub(crate) fn push(
        &mut self,
        check: Check,
        name: &str,
        clause: &str,
        about: &str,
        given: Given,
        file: &[u8],
        expect: ListExpect,
    ) {
        self.0.push(ListVector {
            name: name.into(),
            about: about.into(),
            clause: clause.into(),
            check,
            given,
            file: hex(file),
            expect,
        });
    }
}

pub(crate) fn error(name: &str) -> ListExpect {
    ListExpect::Refused { error: name.into(), field: None }
}

pub(crate) fn field(name: &str) -> ListExpect {
    ListExpect::Refused { error: "field".into(), field: Some(name.into()) }
}

pub(crate) fn all() -> Vec<ListVector> {
    let mut lists = Lists::default();
    envelope_vectors(&mut lists);
    roots(&mut lists);
    successors(&mut lists);
    keysets(&mut lists);
    heads(&mut lists);
    followers(&mut lists);
    thieves(&mut lists);
    named(&mut lists);
    lists.0
}

/// SY 2.2.
pub(crate) const ROOT: u8 = 1;
pub(crate) const KEYSET: u8 = 2;
pub(crate) const HEAD: u8 = 3;
pub(crate) const EVENTS: u8 = 4;
pub(crate) const TIME_REPLY: u8 = 5;
pub(crate) const RECEIPT_FILE: u8 = 6;

/// SY 2.1, with the signatures as they come.
pub(crate) fn envelope(kind: u8, body: &[u8], signatures: &[(u16, [u8; 64])]) -> Vec<u8> {
    let mut file = b"TGS1".to_vec();
    file.push(kind);
    file.extend(u32::try_from(body.len()).expect("short").to_be_bytes());
    file.extend(body);
    file.push(u8::try_from(signatures.len()).expect("few"));
    for (id, signature) in signatures {
        file.extend(id.to_be_bytes());
        file.extend(signature);
    }
    file
}

/// An envelope signed in its own context.
pub(crate) fn signed(kind: u8, body: &[u8], signers: &[(u16, &SigningKey)]) -> Vec<u8> {
    let context = match kind {
        ROOT => "tongguan/1/root",
        KEYSET => "tongguan/1/keyset",
        HEAD => "tongguan/1/head",
        EVENTS => "tongguan/1/events",
        RECEIPT_FILE => "tongguan/1/receipt",
        _ => "tongguan/1/time",
    };
    signed_as(kind, context, body, signers)
}

fn signed_as(kind: u8, context: &str, body: &[u8], signers: &[(u16, &SigningKey)]) -> Vec<u8> {
    let signatures: Vec<_> = signers.iter().map(|(id, key)| (*id, sign(key, context, body))).collect();
    envelope(kind, body, &signatures)
}

#[derive(Clone)]
struct Root {
    version: u32,
    issued_at: u32,
    previous: [u8; 32],
    threshold: u8,
    keys: Vec<(u16, [u8; 32])>,
}

impl Root {
    fn first() -> Self {
        let keys = [1, 2, 3].map(|id| (id, public(&format!("root-{id}")))).to_vec();
        Self { version: 1, issued_at: NOW - 1_000_000, previous: [0; 32], threshold: 2, keys }
    }

    /// Key 1 is replaced by key 4.
    fn second() -> Self {
        let keys = [2, 3, 4].map(|id| (id, public(&format!("root-{id}")))).to_vec();
        Self { version: 2, issued_at: NOW - 500_000, previous: sha256(&Self::first().file()), threshold: 2, keys }
    }

    fn body(&self) -> Vec<u8> {
        let mut b = self.version.to_be_bytes().to_vec();
        b.extend(self.issued_at.to_be_bytes());
        b.extend(self.previous);
        b.push(self.threshold);
        b.push(u8::try_from(self.keys.len()).expect("few"));
        for (id, key) in &self.keys {
            b.extend(id.to_be_bytes());
            b.extend(key);
        }
        b
    }

    fn signed_by(&self, ids: &[u16]) -> Vec<u8> {
        root_signed(ROOT, &self.body(), ids)
    }

    fn file(&self) -> Vec<u8> {
        self.signed_by(&[1, 2])
    }

    fn expect(&self) -> ListExpect {
        ListExpect::Root {
            version: self.version,
            issued_at: self.issued_at,
            previous: (self.previous != [0; 32]).then(|| hex(&self.previous)),
            threshold: self.threshold,
            root_keys: self.keys.iter().map(|(id, key)| RootKey { id: *id, public_key: hex(key) }).collect(),
        }
    }
}

fn root_signed(kind: u8, body: &[u8], ids: &[u16]) -> Vec<u8> {
    let keys: Vec<_> = ids.iter().map(|id| (*id, key(&format!("root-{id}")))).collect();
    let signers: Vec<_> = keys.iter().map(|(id, key)| (*id, key)).collect();
    signed(kind, body, &signers)
}

/// The keys `root-1` to `root-N`, in a root that all of them must sign.
fn large_root(n: u8) -> Root {
    let keys = (1..=u16::from(n)).map(|id| (id, public(&format!("root-{id}")))).collect();
    Root { threshold: n, keys, ..Root::first() }
}

/// The keys `live-1` to `live-N`.
fn many_keys(n: u16) -> Vec<Key> {
    let first = registry_keys().swap_remove(0);
    (1..=n).map(|id| Key { id, public_key: hex(&public(&format!("live-{id}"))), ..first.clone() }).collect()
}

/// SY 10: a file that is good but for the zeros after its body, which make it that long.
pub(crate) fn padded(size: usize, kind: u8, body: &[u8], signers: &[(u16, &SigningKey)]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(size - 10 - 66 * signers.len(), 0);
    let file = signed(kind, &body, signers);
    assert_eq!(file.len(), size);
    file
}

/// The root that the other vectors are checked with.
pub(crate) fn root_file() -> Vec<u8> {
    Root::first().file()
}

fn keyset_body(version: u32, keys: &[Key]) -> Vec<u8> {
    let mut b = version.to_be_bytes().to_vec();
    b.extend((NOW - 900_000).to_be_bytes());
    b.push(u8::try_from(keys.len()).expect("few"));
    for k in keys {
        b.extend(k.id.to_be_bytes());
        b.push(match k.purpose.as_str() {
            "live" => 1,
            "certificate" => 2,
            "printed" => 3,
            "lists" => 4,
            "time" => 5,
            "notes" => 6,
            "receipt" => 7,
            other => other.parse().expect("a number stands for a wrong purpose"),
        });
        b.extend(k.not_before.to_be_bytes());
        b.extend(k.not_after.to_be_bytes());
        b.extend(bytes(&k.public_key));
    }
    b
}

/// The keyset that the other vectors are checked with.
pub(crate) fn keyset_file() -> Vec<u8> {
    root_signed(KEYSET, &keyset_body(1, &registry_keys()), &[1, 2])
}

/// A keyset of other keys.
pub(crate) fn keyset_of(keys: &[Key]) -> Vec<u8> {
    root_signed(KEYSET, &keyset_body(1, keys), &[1, 2])
}

pub(crate) fn with_keyset() -> Given {
    Given { root: Some(hex(&root_file())), keyset: Some(hex(&keyset_file())), ..Given::default() }
}

fn with_root() -> Given {
    Given { root: Some(hex(&root_file())), ..Given::default() }
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("lower-case hex")
}

pub(crate) fn named_as(version: u32, file: &[u8]) -> Ref {
    Ref { version, size: u32::try_from(file.len()).expect("short"), sha256: hex(&sha256(file)) }
}

/// SY 4.5.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) epoch: u32,
    pub(crate) version: u32,
    pub(crate) issued_at: u32,
    pub(crate) expires_at: u32,
    pub(crate) root: Ref,
    pub(crate) keyset: Ref,
    pub(crate) revocations: Revoked,
    pub(crate) files: Vec<TypedRef>,
}

impl Default for Head {
    fn default() -> Self {
        let snapshot = named_as(5, b"a snapshot");
        Self {
            epoch: 1,
            version: 40,
            issued_at: NOW,
            expires_at: NOW + 86_400,
            root: named_as(1, &root_file()),
            keyset: named_as(1, &keyset_file()),
            revocations: Revoked {
                version: 7,
                oldest_day: TODAY,
                count: 3,
                checksum: hex(&sha256(b"a checksum")),
                snapshot,
                deltas: vec![delta(4, 5), delta(5, 6), delta(6, 7)],
            },
            files: vec![typed(1), typed(2)],
        }
    }
}

pub(crate) fn delta(from: u32, to: u32) -> Delta {
    let file = named_as(to, format!("delta {from} {to}").as_bytes());
    Delta { from, to, size: file.size, sha256: file.sha256 }
}

fn typed(kind: u8) -> TypedRef {
    let file = named_as(2, format!("file {kind}").as_bytes());
    TypedRef { kind, version: file.version, size: file.size, sha256: file.sha256 }
}

impl Head {
    pub(crate) fn body(&self) -> Vec<u8> {
        fn put(b: &mut Vec<u8>, version: u32, size: u32, sha256: &str) {
            b.extend(version.to_be_bytes());
            b.extend(size.to_be_bytes());
            b.extend(bytes(sha256));
        }
        let mut b = Vec::new();
        for v in [self.epoch, self.version, self.issued_at, self.expires_at] {
            b.extend(v.to_be_bytes());
        }
        for f in [&self.root, &self.keyset] {
            put(&mut b, f.version, f.size, &f.sha256);
        }
        let r = &self.revocations;
        b.extend(r.version.to_be_bytes());
        b.extend(r.oldest_day.to_be_bytes());
        b.extend(r.count.to_be_bytes());
        b.extend(bytes(&r.checksum));
        put(&mut b, r.snapshot.version, r.snapshot.size, &r.snapshot.sha256);
        b.push(u8::try_from(r.deltas.len()).expect("few"));
        for d in &r.deltas {
            b.extend(d.from.to_be_bytes());
            put(&mut b, d.to, d.size, &d.sha256);
        }
        b.push(u8::try_from(self.files.len()).expect("few"));
        for f in &self.files {
            b.push(f.kind);
            put(&mut b, f.version, f.size, &f.sha256);
        }
        b
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        signed(HEAD, &self.body(), &[(LISTS, &registry_key(LISTS))])
    }

    fn expect(&self) -> ListExpect {
        ListExpect::Head {
            epoch: self.epoch,
            version: self.version,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            root: self.root.clone(),
            keyset: self.keyset.clone(),
            revocations: self.revocations.clone(),
            files: self.files.clone(),
        }
    }
}

/// The envelope is the same for all; the head stands for them.
fn envelope_vectors(v: &mut Lists) {
    let mut head = |name: &str, clause: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Head, name, clause, about, with_keyset(), file, expect);
    };
    let good = Head::default();
    let (body, file) = (good.body(), good.file());
    let lists = registry_key(LISTS);
    let signature = sign(&lists, "tongguan/1/head", &body);

    head("envelope-empty", "SY 2.1", "Nothing at all.", b"", error("magic"));
    head(
        "envelope-html",
        "SY 2.1",
        "An error page of a web server.",
        b"<!DOCTYPE html><title>502</title>",
        error("magic"),
    );
    let mut magic = file.clone();
    magic[3] = b'2';
    head("envelope-magic", "SY 2.1", "The magic of another version.", &magic, error("magic"));
    head("envelope-magic-only", "SY 2.1", "The magic and nothing more.", b"TGS1", error("length"));
    let keyset = keyset_file();
    head("envelope-other-type", "SY 2.2", "A good keyset where a head is expected.", &keyset, error("file_type"));
    let unknown = envelope(9, &body, &[(LISTS, signature)]);
    head("envelope-unknown-type", "SY 2.2", "A type that there is not.", &unknown, error("file_type"));
    let half = &file[..file.len() / 2];
    head("envelope-half", "SY 2.1", "Half the file: a broken download.", half, error("length"));
    let cut = &file[..file.len() - 1];
    head("envelope-truncated", "SY 2.1", "The last byte is lost.", cut, error("length"));
    let longer = [file.as_slice(), &[0]].concat();
    head("envelope-trailing-byte", "SY 2.1", "A byte follows the last signature.", &longer, error("length"));
    let mut length = file.clone();
    length[5] = 0xff;
    head(
        "envelope-length-too-large",
        "SY 2.1",
        "The body is said to be longer than the file.",
        &length,
        error("length"),
    );
    let none = envelope(HEAD, &body, &[]);
    head("envelope-unsigned", "SY 2.3", "No signature.", &none, field("signature count"));
    let many: Vec<_> = (0..65).map(|id| (id, signature)).collect();
    let many = envelope(HEAD, &body, &many);
    head("envelope-65-signatures", "SY 2.3", "More signatures than allowed.", &many, field("signature count"));
    let most: Vec<_> = (0..64).map(|id| (id, signature)).collect();
    let about = "As many signatures as allowed; all but one are skipped.";
    head("envelope-64-signatures", "SY 2.3", about, &envelope(HEAD, &body, &most), good.expect());
    let twice = envelope(HEAD, &body, &[(LISTS, signature), (LISTS, signature)]);
    head("envelope-signature-twice", "SY 2.4", "One key signs twice.", &twice, error("order"));
    let unordered = envelope(HEAD, &body, &[(99, signature), (LISTS, signature)]);
    head("envelope-signatures-unordered", "SY 2.4", "Key ids descend.", &unordered, error("order"));
    let extra = envelope(HEAD, &body, &[(LISTS, signature), (99, [7; 64])]);
    let about = "A further signature by a key that is not known here is skipped.";
    head("envelope-unknown-signature-skipped", "SY 2.5", about, &extra, good.expect());
    let spoilt = envelope(HEAD, &body, &[(LISTS, signature), (LISTS_OVER, [7; 64])]);
    let about = "A wrong signature by a lists key whose validity is over is that of an unknown key: skipped.";
    head("envelope-over-key-skipped", "SY 4.1", about, &spoilt, good.expect());
    let stranger = signed(HEAD, &body, &[(99, &key("stranger"))]);
    head(
        "envelope-unknown-key",
        "SY 2.5",
        "Signed by a key that is not in the keyset.",
        &stranger,
        error("unknown_key"),
    );
    let forged = signed(HEAD, &body, &[(LISTS, &key("stranger"))]);
    head("envelope-forged", "SY 2.5", "A stranger's signature under the lists key's id.", &forged, error("signature"));
    let context = signed_as(HEAD, "tongguan/1/keyset", &body, &[(LISTS, &lists)]);
    head("envelope-wrong-context", "PF 3.1", "Signed as a keyset.", &context, error("signature"));
    let malleable = envelope(HEAD, &body, &[(LISTS, forge::s_plus_l(signature))]);
    head("envelope-s-plus-l", "PF 3.2", "S + L in place of S.", &malleable, error("signature"));
    let mut altered = file.clone();
    altered[16] ^= 1;
    head("envelope-altered-body", "SY 2.5", "One bit of the body was changed.", &altered, error("signature"));
    let large = envelope(HEAD, &vec![0; 16 * 1024], &[(LISTS, signature)]);
    head("envelope-too-long", "SY 2.7", "Longer than a head may be.", &large, error("too_long"));
    let of_size = |size: usize| padded(size, HEAD, &body, &[(LISTS, &lists)]);
    let about = "As long as a head may be: read, and there are bytes after its last field.";
    head("head-16384-bytes", "SY 10", about, &of_size(16 * 1024), error("length"));
    head("head-16385-bytes", "SY 10", "A byte longer.", &of_size(16 * 1024 + 1), error("too_long"));
}

fn roots(v: &mut Lists) {
    let mut root = |name: &str, clause: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Root, name, clause, about, Given::default(), file, expect);
    };
    let good = Root::first();
    root("root-good", "SY 3.1", "Two of three keys signed it.", &good.file(), good.expect());
    root("root-all-signed", "SY 2.6", "All three signed it.", &good.signed_by(&[1, 2, 3]), good.expect());
    let second = Root::second();
    let about = "A later root can be pinned as well.";
    root("root-version-2", "SY 3.1", about, &second.signed_by(&[2, 3, 4]), second.expect());
    let about = "One signature where two are needed.";
    root("root-below-threshold", "SY 2.6", about, &good.signed_by(&[1]), error("threshold"));
    let mut wrong = good.signed_by(&[1, 2, 3]);
    let last = wrong.len() - 1;
    wrong[last - 40] ^= 1;
    let about = "Two good signatures and a wrong one: a wrong one spoils the file.";
    root("root-one-signature-wrong", "SY 2.6", about, &wrong, error("signature"));
    let mut wrong = good.signed_by(&[1]);
    let last = wrong.len() - 1;
    wrong[last - 40] ^= 1;
    let about = "One signature where two are needed, and it is wrong: that is looked for first.";
    root("root-wrong-before-threshold", "SY 2.6", about, &wrong, error("signature"));
    let largest = large_root(64);
    let ids: Vec<u16> = (1..=64).collect();
    let about = "As many keys as allowed, and signatures by all of them, which are needed.";
    root("root-64-keys", "SY 3.4", about, &largest.signed_by(&ids), largest.expect());
    for (name, about, clause, change, expect) in [
        ("version-0", "Versions start at 1.", "SY 3.4", Root { version: 0, ..good.clone() }, field("version")),
        (
            "version-1-with-previous",
            "The first root follows no other.",
            "SY 3.4",
            Root { previous: [1; 32], ..good.clone() },
            field("version"),
        ),
        (
            "version-2-without-previous",
            "A later root names the one before it.",
            "SY 3.4",
            Root { version: 2, ..good.clone() },
            field("version"),
        ),
        (
            "threshold-0",
            "Nobody would have to sign.",
            "SY 3.4",
            Root { threshold: 0, ..good.clone() },
            field("threshold"),
        ),
        (
            "threshold-too-large",
            "More signatures than there are keys.",
            "SY 3.4",
            Root { threshold: 4, ..good.clone() },
            field("threshold"),
        ),
        (
            "no-keys",
            "A root without keys has no possible threshold.",
            "SY 3.4",
            Root { keys: vec![], ..good.clone() },
            field("threshold"),
        ),
        (
            "key-under-two-ids",
            "One key under two ids would count twice.",
            "SY 3.4",
            Root { keys: vec![(1, public("root-1")), (2, public("root-2")), (3, public("root-1"))], ..good.clone() },
            error("order"),
        ),
        (
            "id-twice",
            "One id for two keys.",
            "SY 3.4",
            Root { keys: vec![(1, public("root-1")), (1, public("root-2"))], ..good.clone() },
            error("order"),
        ),
        (
            "keys-unordered",
            "Key ids descend.",
            "SY 3.4",
            Root { keys: vec![(2, public("root-2")), (1, public("root-1"))], ..good.clone() },
            error("order"),
        ),
        (
            "small-order-key",
            "A key of small order would sign everything.",
            "PF 3.3",
            Root { keys: vec![(1, public("root-1")), (2, forge::small_order()[1])], ..good.clone() },
            error("public_key"),
        ),
        (
            "key-not-canonical",
            "A key in another than its canonical encoding.",
            "PF 3.3",
            Root { keys: vec![(1, public("root-1")), (2, forge::plus_p(forge::small_y()))], ..good.clone() },
            error("public_key"),
        ),
        ("65-keys", "More keys than allowed.", "SY 3.4", Root { threshold: 2, ..large_root(65) }, field("key count")),
    ] {
        root(&format!("root-{name}"), clause, about, &change.signed_by(&[1, 2]), expect);
    }
    let longer = [good.body().as_slice(), &[0]].concat();
    let about = "A byte follows the last key, inside the signed body.";
    root("root-body-trailing-byte", "SY 3.4", about, &root_signed(ROOT, &longer, &[1, 2]), error("length"));
    let (one, two) = (key("root-1"), key("root-2"));
    let of_size = |size: usize| padded(size, ROOT, &good.body(), &[(1, &one), (2, &two)]);
    let about = "As long as a root may be: read, and there are bytes after its last key.";
    root("root-8192-bytes", "SY 10", about, &of_size(8 * 1024), error("length"));
    root("root-8193-bytes", "SY 10", "A byte longer.", &of_size(8 * 1024 + 1), error("too_long"));
}

fn successors(v: &mut Lists) {
    let known = Given { known: Some(hex(&root_file())), ..Given::default() };
    let mut next = |name: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::RootSuccessor, name, "SY 3.2", about, known.clone(), file, expect);
    };
    let good = Root::second();
    let about = "Signed by two of the old keys and two of the new.";
    next("successor-good", about, &good.signed_by(&[1, 2, 3, 4]), good.expect());
    let about = "Keys 2 and 3 are in both roots, and count for both.";
    next("successor-shared-keys", about, &good.signed_by(&[2, 3]), good.expect());
    let about = "Only one of the old keys signed: the new keys do not appoint themselves.";
    next("successor-by-new-keys", about, &good.signed_by(&[3, 4]), error("threshold"));
    let about = "Only one of the new keys signed: the new keys must be there to be used.";
    next("successor-by-old-keys", about, &good.signed_by(&[1, 2]), error("threshold"));
    let skipped = Root { version: 3, ..good.clone() };
    let about = "Version 3 does not follow version 1.";
    next("successor-version-skipped", about, &skipped.signed_by(&[1, 2, 3, 4]), error("root_chain"));
    let about = "The version is looked at before the signatures.";
    next("successor-version-before-signatures", about, &skipped.signed_by(&[4]), error("root_chain"));
    next("successor-same-again", "Version 1 does not follow itself.", &root_file(), error("root_chain"));
    let other = Root { previous: sha256(b"another root"), ..good.clone() };
    let about = "It names another file than the root known here.";
    next("successor-of-another", about, &other.signed_by(&[1, 2, 3, 4]), error("root_chain"));
    let reused =
        Root { keys: vec![(1, public("root-4")), (2, public("root-2")), (3, public("root-3"))], ..good.clone() };
    let about = "Key id 1 is given to a new key: the old key's signature under it is wrong for the new root.";
    next("successor-id-reused", about, &reused.signed_by(&[1, 2, 3]), error("signature"));
    let about = "The same with too few of the old keys: the old root's signatures are looked at before its own.";
    next("successor-old-before-own", about, &reused.signed_by(&[1]), error("threshold"));
    let mut altered = good.signed_by(&[1, 2, 3, 4]);
    altered[20] ^= 1;
    next("successor-altered", "One bit of the hash of the root before.", &altered, error("root_chain"));
    let stranger = Root { keys: vec![(7, public("stranger"))], threshold: 1, ..good };
    let file = signed(ROOT, &stranger.body(), &[(7, &key("stranger"))]);
    next("successor-by-stranger", "A stranger appoints himself.", &file, error("threshold"));
}

fn keysets(v: &mut Lists) {
    let mut keyset = |name: &str, clause: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Keyset, name, clause, about, with_root(), file, expect);
    };
    let keys = registry_keys();
    let expect = |keys: &[Key]| ListExpect::Keyset { version: 1, issued_at: NOW - 900_000, keys: keys.to_vec() };
    let by_root = |keys: &[Key]| root_signed(KEYSET, &keyset_body(1, keys), &[1, 2]);
    keyset("keyset-good", "SY 3.3", "Two of three root keys signed it.", &keyset_file(), expect(&keys));
    keyset("keyset-empty", "SY 3.5", "A keyset without keys is a keyset.", &by_root(&[]), expect(&[]));
    let one = root_signed(KEYSET, &keyset_body(1, &keys), &[1]);
    keyset("keyset-below-threshold", "SY 2.6", "One signature where two are needed.", &one, error("threshold"));
    let lists = signed(KEYSET, &keyset_body(1, &keys), &[(LISTS, &registry_key(LISTS))]);
    keyset("keyset-by-lists-key", "SY 3.3", "A lists key cannot make keys.", &lists, error("threshold"));
    let given_by_4 = root_signed(KEYSET, &keyset_body(1, &keys), &[2, 4]);
    let about = "Signed by a key of the next root, which is not known here.";
    keyset("keyset-by-next-root", "SY 2.6", about, &given_by_4, error("threshold"));
    let as_root =
        signed_as(KEYSET, "tongguan/1/root", &keyset_body(1, &keys), &[(1, &key("root-1")), (2, &key("root-2"))]);
    keyset("keyset-wrong-context", "PF 3.1", "Signed as a root.", &as_root, error("signature"));
    let first = &keys[..1];
    let changed = |change: &dyn Fn(&mut Key)| {
        let mut keys = first.to_vec();
        keys.iter_mut().for_each(change);
        by_root(&keys)
    };
    let file = changed(&|k| k.purpose = "0".into());
    keyset("keyset-purpose-0", "SY 3.5", "A purpose that there is not.", &file, field("purpose"));
    for (n, purpose) in [(6, "notes"), (7, "receipt")] {
        let mut key = first.to_vec();
        key[0].purpose = purpose.into();
        let about = format!("A key of purpose {n}.");
        keyset(&format!("keyset-purpose-{n}"), "SY 3.5", &about, &by_root(&key), expect(&key));
    }
    let file = changed(&|k| k.purpose = "8".into());
    keyset("keyset-purpose-8", "SY 3.5", "A purpose that there is not.", &file, field("purpose"));
    let file = changed(&|k| k.not_after = k.not_before - 1);
    keyset("keyset-validity-backward", "SY 3.5", "A key that is over before it begins.", &file, field("validity"));
    let file = changed(&|k| k.public_key = hex(&forge::small_order()[0]));
    keyset("keyset-small-order-key", "PF 3.3", "A key of small order.", &file, error("public_key"));
    let file = changed(&|k| k.public_key = hex(&forge::no_point()));
    keyset("keyset-key-not-a-point", "PF 3.3", "A key that is not a point.", &file, error("public_key"));
    let file = by_root(&[keys[1].clone(), keys[0].clone()]);
    keyset("keyset-unordered", "SY 3.5", "Key ids descend.", &file, error("order"));
    let file = by_root(&[keys[0].clone(), keys[0].clone()]);
    keyset("keyset-id-twice", "SY 3.5", "One id twice.", &file, error("order"));
    let (one, other) = (keys[0].clone(), Key { public_key: keys[0].public_key.clone(), ..keys[3].clone() });
    let about = "One key under two ids would have two purposes.";
    keyset("keyset-key-under-two-ids", "SY 3.5", about, &by_root(&[one.clone(), other]), error("order"));
    let again = Key { id: 3, ..one.clone() };
    let about = "Nor is a key there twice for one purpose.";
    keyset("keyset-key-twice", "SY 3.5", about, &by_root(&[one, keys[1].clone(), again]), error("order"));
    let most = many_keys(64);
    keyset("keyset-64-keys", "SY 3.5", "As many keys as allowed.", &by_root(&most), expect(&most));
    let many = by_root(&many_keys(65));
    keyset("keyset-65-keys", "SY 3.5", "More keys than allowed.", &many, field("key count"));
    let longer = [keyset_body(1, first).as_slice(), &[0]].concat();
    let about = "A byte follows the last key, inside the signed body.";
    keyset("keyset-body-trailing-byte", "SY 3.5", about, &root_signed(KEYSET, &longer, &[1, 2]), error("length"));
    let large = envelope(KEYSET, &vec![0; 8 * 1024], &[(1, [0; 64])]);
    keyset("keyset-too-long", "SY 10", "Longer than a keyset may be.", &large, error("too_long"));
    let (one, two) = (key("root-1"), key("root-2"));
    let of_size = |size: usize| padded(size, KEYSET, &keyset_body(1, first), &[(1, &one), (2, &two)]);
    let about = "As long as a keyset may be: read, and there are bytes after its last key.";
    keyset("keyset-8192-bytes", "SY 10", about, &of_size(8 * 1024), error("length"));
    keyset("keyset-8193-bytes", "SY 10", "A byte longer.", &of_size(8 * 1024 + 1), error("too_long"));
}

fn heads(v: &mut Lists) {
    let mut head = |name: &str, clause: &str, about: &str, file: &[u8], expect: ListExpect| {
        v.push(Check::Head, name, clause, about, with_keyset(), file, expect);
    };
    let good = Head::default();
    head(
        "head-good",
        "SY 4.1",
        "A head with a snapshot, three deltas and two further files.",
        &good.file(),
        good.expect(),
    );
    let mut bare = good.clone();
    bare.revocations.deltas.clear();
    bare.revocations.snapshot.version = 7;
    bare.files.clear();
    head("head-bare", "SY 4.5", "A head with a snapshot only.", &bare.file(), bare.expect());
    let further = Head { files: vec![typed(1), typed(200)], ..good.clone() };
    let about = "A further file of a type that this version does not know: read past, and not fetched.";
    head("head-unknown-file-type", "SY 4.4", about, &further.file(), further.expect());
    let live = signed(HEAD, &good.body(), &[(LIVE, &registry_key(LIVE))]);
    head("head-by-live-key", "SY 4.1", "A live key cannot sign a head.", &live, error("unknown_key"));
    let over = signed(HEAD, &good.body(), &[(LISTS_OVER, &registry_key(LISTS_OVER))]);
    let about = "Signed by a lists key whose validity ended a second before issued_at.";
    head("head-key-over", "SY 4.1", about, &over, error("unknown_key"));
    let earlier = Head { issued_at: NOW - 1, ..good.clone() };
    let over = signed(HEAD, &earlier.body(), &[(LISTS_OVER, &registry_key(LISTS_OVER))]);
    head("head-key-last-second", "SY 4.1", "Issued in the last second of its key.", &over, earlier.expect());
    let begun = Head { issued_at: KEYS_FROM, ..good.clone() };
    head("head-key-first-second", "SY 4.1", "Issued in the first second of its key.", &begun.file(), begun.expect());
    let early = Head { issued_at: KEYS_FROM - 1, ..good.clone() };
    let about = "Issued a second before its key begins.";
    head("head-key-not-begun", "SY 4.1", about, &early.file(), error("unknown_key"));
    let never = Head { expires_at: NOW, ..good.clone() };
    head("head-expires-at-once", "SY 4.5", "expires_at equals issued_at.", &never.file(), field("expires_at"));
    let backward = Head { expires_at: NOW - 1, ..good.clone() };
    head("head-expires-before", "SY 4.5", "expires_at is before issued_at.", &backward.file(), field("expires_at"));
    let deltas = |deltas: Vec<Delta>| {
        let mut head = good.clone();
        head.revocations.deltas = deltas;
        head.file()
    };
    for (name, about, list) in [
        ("deltas-apart", "A delta does not start where the one before ends.", vec![delta(4, 5), delta(6, 7)]),
        ("deltas-overlap", "A delta starts before the one before ends.", vec![delta(4, 6), delta(5, 7)]),
        ("delta-backward", "A delta leads back.", vec![delta(4, 5), delta(5, 4), delta(4, 7)]),
        ("delta-to-itself", "A delta leads nowhere.", vec![delta(5, 5), delta(5, 7)]),
        ("deltas-stop-short", "The last delta does not reach the set's version.", vec![delta(4, 5), delta(5, 6)]),
        ("deltas-go-too-far", "The last delta leads past the set's version.", vec![delta(4, 5), delta(5, 8)]),
        ("no-way-from-snapshot", "No delta starts at the snapshot.", vec![delta(4, 7)]),
        ("snapshot-old-and-no-deltas", "The snapshot is older than the set, and there are no deltas.", vec![]),
    ] {
        head(&format!("head-{name}"), "SY 4.3", about, &deltas(list), error("order"));
    }
    let most: Vec<_> = (0..128).map(|i| delta(i, i + 1)).collect();
    let mut full = good.clone();
    full.revocations.version = 128;
    full.revocations.deltas = most;
    head("head-128-deltas", "SY 4.3", "As many deltas as allowed.", &full.file(), full.expect());
    full.revocations.version = 129;
    full.revocations.deltas.push(delta(128, 129));
    head("head-129-deltas", "SY 4.3", "One delta more than allowed.", &full.file(), field("delta count"));
    let unordered = Head { files: vec![typed(2), typed(1)], ..good.clone() };
    head("head-files-unordered", "SY 4.4", "File types descend.", &unordered.file(), error("order"));
    let twice = Head { files: vec![typed(1), typed(1)], ..good.clone() };
    head("head-file-twice", "SY 4.4", "Two policies.", &twice.file(), error("order"));
    let most = Head { files: (0..16).map(typed).collect(), ..good.clone() };
    let about = "As many files as allowed; those of unknown types count.";
    head("head-16-files", "SY 4.4", about, &most.file(), most.expect());
    let many = Head { files: (0..17).map(typed).collect(), ..good.clone() };
    head("head-17-files", "SY 4.4", "More files than allowed.", &many.file(), field("file count"));
    let lists = registry_key(LISTS);
    let longer = signed(HEAD, &[good.body().as_slice(), &[0]].concat(), &[(LISTS, &lists)]);
    head("head-body-trailing-byte", "SY 4.5", "A byte follows the last file.", &longer, error("length"));
    let body = good.body();
    let shorter = signed(HEAD, &body[..body.len() - 1], &[(LISTS, &lists)]);
    head("head-body-truncated", "SY 4.5", "The last byte of the body is missing.", &shorter, error("length"));
}

/// SY 4.7: the known head is signed with a key that the keyset does not hold.
fn thieves(v: &mut Lists) {
    let mut known = Head { version: u32::MAX, issued_at: NOW + 9_000_000, expires_at: u32::MAX, ..Head::default() };
    (known.root.version, known.keyset.version) = (3, 8);
    let file = |head: &Head, id: u16, by: &SigningKey| signed(HEAD, &head.body(), &[(id, by)]);
    let (gone, lists) = (key("gone"), registry_key(LISTS));
    let mut thieves = |name: &str, about: &str, known_file: &[u8], change: &dyn Fn(&mut Head), follows: bool| {
        let given = Given { known: Some(hex(known_file)), ..with_keyset() };
        let mut head = Head::default();
        (head.root.version, head.keyset.version) = (3, 9);
        change(&mut head);
        let expect = ListExpect::Follows { follows };
        v.push(
            Check::HeadFollows,
            &format!("follows-thief-{name}"),
            "SY 4.7",
            about,
            given,
            &file(&head, LISTS, &lists),
            expect,
        );
    };
    let stolen = file(&known, 77, &gone);
    let about = "The key that signed a head far ahead was taken away: the true head counts, though it is older.";
    thieves("overcome", about, &stolen, &|_| {}, true);
    let about = "No newer keyset says that the key was taken away.";
    thieves("same-keyset", about, &stolen, &|h| h.keyset.version = 8, false);
    let about = "The root does not go back, whoever signed the known head.";
    thieves("root-back", about, &stolen, &|h| h.root.version = 2, false);
    let about = "The key that signed the known head is still good, whatever it signed.";
    let known_by_lists = file(&known, LISTS, &lists);
    thieves("key-still-good", about, &known_by_lists, &|_| {}, false);
}

fn followers(v: &mut Lists) {
    let mut known = Head::default();
    known.root.version = 3;
    known.keyset.version = 8;
    let given = Given { known: Some(hex(&known.file())), ..with_keyset() };
    let mut follows = |name: &str, about: &str, change: &dyn Fn(&mut Head), follows: bool| {
        let mut head = known.clone();
        change(&mut head);
        let expect = ListExpect::Follows { follows };
        let file = head.file();
        v.push(Check::HeadFollows, &format!("follows-{name}"), "SY 4.2", about, given.clone(), &file, expect);
    };
    let next = |head: &mut Head| {
        head.version += 1;
        head.issued_at += 60;
        head.expires_at += 60;
    };
    follows("same", "The same head again.", &|_| {}, true);
    follows("next", "The next version.", &next, true);
    let other_files = |h: &mut Head| {
        next(h);
        h.expires_at -= 120;
        h.revocations.snapshot.version = 4;
        h.files = vec![TypedRef { version: 1, ..typed(1) }];
    };
    let about = "It expires earlier, names an older snapshot and policy, and no rosters: that may change as it likes.";
    follows("other-fields-back", about, &other_files, true);
    follows("version-back", "An older version: rollback.", &|h| h.version -= 1, false);
    let about = "The same version with another content: one of the two is a lie.";
    follows("same-version-other-content", about, &|h| h.expires_at += 1, false);
    let about = "A later version that was issued earlier.";
    follows("time-back", about, &|h| (h.version, h.issued_at) = (h.version + 1, h.issued_at - 1), false);
    let keyset_back = |h: &mut Head| {
        next(h);
        h.keyset.version -= 1;
    };
    follows("keyset-back", "An older keyset brings back a key that was taken away.", &keyset_back, false);
    let root_back = |h: &mut Head| {
        next(h);
        h.root.version -= 1;
    };
    follows("root-back", "An older root.", &root_back, false);
    let set_back = |h: &mut Head| {
        next(h);
        h.revocations.version = 6;
        h.revocations.deltas.pop();
    };
    follows("revocations-back", "An older set of revoked handles.", &set_back, false);
    let day_back = |h: &mut Head| {
        next(h);
        h.revocations.oldest_day -= 1;
    };
    follows("oldest-day-back", "Entries that had expired would be back.", &day_back, false);
    let epoch = |h: &mut Head| {
        next(h);
        h.epoch += 1;
        h.version = 1;
        h.revocations.version = 1;
        h.revocations.oldest_day -= 1;
        h.revocations.snapshot.version = 1;
        h.revocations.deltas.clear();
    };
    follows("new-epoch", "A new epoch starts the lists over.", &epoch, true);
    let about = "An older epoch, though all else goes forward.";
    follows("epoch-back", about, &|h| (h.epoch, h.version) = (h.epoch - 1, h.version + 1), false);
    let epoch_time_back = |h: &mut Head| {
        epoch(h);
        h.issued_at = NOW - 1;
    };
    follows("new-epoch-time-back", "A new epoch that was issued earlier.", &epoch_time_back, false);
    let epoch_keyset_back = |h: &mut Head| {
        epoch(h);
        h.keyset.version -= 1;
    };
    let about = "A new epoch is the word of a lists key, and not enough to go back to an older keyset.";
    follows("new-epoch-keyset-back", about, &epoch_keyset_back, false);
    let epoch_root_back = |h: &mut Head| {
        epoch(h);
        h.root.version -= 1;
    };
    follows("new-epoch-root-back", "Nor to an older root.", &epoch_root_back, false);
    let signature = sign(&registry_key(LISTS), "tongguan/1/head", &known.body());
    let again = envelope(HEAD, &known.body(), &[(LISTS, signature), (99, [7; 64])]);
    let about = "The same body with a further signature: one version has one content, not one file.";
    let expect = ListExpect::Follows { follows: true };
    v.push(Check::HeadFollows, "follows-same-other-signatures", "SY 4.2", about, given.clone(), &again, expect);
}

fn named(v: &mut Lists) {
    let file = b"what a head names";
    let mut named = |name: &str, about: &str, named: Ref, expect: ListExpect| {
        let given = Given { named: Some(named), ..Given::default() };
        v.push(Check::Named, name, "SY 1.3", about, given, file, expect);
    };
    let good = named_as(3, file);
    named("named-good", "Size and hash are those in the head.", good.clone(), ListExpect::Named { matches: true });
    let shorter = Ref { size: good.size - 1, ..good.clone() };
    named("named-other-size", "The hash is right and the size is not.", shorter, error("hash"));
    let other = Ref { sha256: hex(&sha256(b"another file")), ..good };
    named("named-other-hash", "A file of another head: mix and match.", other, error("hash"));
}
