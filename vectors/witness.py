"""A second implementation of the Tongguan formats, to hold the first one to its documents.

It was written from docs/PASS-FORMAT.md ("PF"), docs/SYNC.md ("SY") and the vectors in this folder, and from nothing else.
It judges every file of code/ and list/ from its inputs alone and compares the outcome with what the file expects:

    python3 vectors/witness.py

One line tells each disagreement (file, expected, got), the last line counts. The exit code is 1 if anything failed.
It needs Python 3.9 or later and its standard library. It is written to be read, by whoever ports the formats to another
language: a function is named after its clause, and each check has the clause above it. It is neither fast nor
constant-time, and it holds no secrets; do not put it behind a gate.
"""

import json
import math
import sys
from functools import lru_cache
from hashlib import sha256, sha512
from pathlib import Path

U32 = 2**32 - 1
U64 = 2**64 - 1
ZERO_HASH = bytes(32)
PURPOSES = ["live", "certificate", "printed", "lists", "time"]  # SY 3.5: 1 to 5

# SY 10
LIMITS = {"root": 8 << 10, "keyset": 8 << 10, "head": 16 << 10, "revocations": 16 << 20, "events": 256 << 10, "time": 256}
MAX_ENTRIES, MAX_KEYS, MAX_SIGNATURES, MAX_DELTAS, MAX_FILES = 4_194_304, 64, 64, 128, 16
MAX_RECORDS, MAX_RECORD_BYTES, MAX_TEXT = 500, 1024, 512


class Refused(Exception):
    """An input that is refused, with the name of PF 8.2 or SY 9 and what the name says further."""

    def __init__(self, name, **further):
        super().__init__(name)
        self.outcome = {"error": name, **further}


def must(condition, name, **further):
    if not condition:
        raise Refused(name, **further)


class Reader:
    """Reads a layout from its start to its end (PF 1.1: unsigned, big-endian). What ends early is `length`."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        must(self.at + n <= len(self.data), "length")
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def end(self):
        must(self.at == len(self.data), "length")


# ---- Ed25519, strictly: PF 3.1 to 3.3. Points are in extended coordinates (X : Y : Z : T), as in RFC 8032, 5.1.4. ----

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def point_add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_negate(p):
    return (-p[0] % P, p[1], p[2], -p[3] % P)


def point_double_multiply(s, p, k, q):
    """[s]p + [k]q, for any s and k: neither is reduced here."""
    both, total = point_add(p, q), NEUTRAL
    for bit in reversed(range(max(s.bit_length(), k.bit_length()))):
        total = point_add(total, total)
        choice = (s >> bit & 1, k >> bit & 1)
        if choice != (0, 0):
            total = point_add(total, {(1, 0): p, (0, 1): q, (1, 1): both}[choice])
    return total


def point_encode(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


@lru_cache(maxsize=None)
def point_decode(data):
    """The point whose one canonical encoding this is, or None."""
    number = int.from_bytes(data, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    if y >= P:
        return None
    x_squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x_squared, (P + 3) // 8, P)
    if (x * x - x_squared) % P:
        x = x * SQRT_MINUS_1 % P
    if (x * x - x_squared) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def is_small_order(p):
    for _ in range(3):
        p = point_add(p, p)
    return p[0] == 0 and p[1] == p[2]


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


@lru_cache(maxsize=None)
def pf_3_2_signature(key, context, body, signature):
    """Whether a signature over a body, made in a context, is good under a key (32 bytes)."""
    # PF 3.1: a signature made for one thing is not good for another.
    message = context.encode("ascii") + b"\0" + body
    r_bytes, s = signature[:32], int.from_bytes(signature[32:], "little")
    # PF 3.2, 1: S is canonical.
    if s >= L:
        return False
    # PF 3.2, 2: R and the key decode, and neither is of small order. An R that is not canonical cannot pass step 4, so a
    # decoder that takes only what is canonical gives the same answer.
    r, a = point_decode(r_bytes), point_decode(key)
    if r is None or a is None or is_small_order(r) or is_small_order(a):
        return False
    # PF 3.2, 3: k is reduced modulo L, which matters if the key has a component of small order.
    k = int.from_bytes(sha512(r_bytes + key + message).digest(), "little") % L
    # PF 3.2, 4: without the cofactor, and compared as bytes.
    return point_encode(point_double_multiply(s, BASE, k, point_negate(a))) == r_bytes


@lru_cache(maxsize=None)
def pf_3_3_is_public_key(data):
    point = point_decode(data)
    return point is not None and not is_small_order(point)


# ---- Codes: PF 2 to 6 ----


def pf_2_1_prefix(text):
    first = text[:4]
    if first == b"TG1:":
        return
    # bytes.upper and bytes.isdigit know only ASCII, as they should here.
    must(first.upper() != b"TG1:", "encoding")
    later_format = first[:2] == b"TG" and first[2:3].isdigit() and first[3:] == b":"
    must(not later_format, "unknown_format")
    raise Refused("not_ours")


def pf_2_2_base32(text):
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    # PF 2.2: a length that no number of bytes gives
    must(len(text) % 8 not in (1, 3, 6), "encoding")
    number = 0
    for character in text:
        # PF 2.2: upper case, no padding, no white space
        must(character in alphabet, "encoding")
        number = number << 5 | alphabet.index(character)
    size, unused = divmod(5 * len(text), 8)
    # PF 2.2: the unused bits are zero
    must(number & (1 << unused) - 1 == 0, "encoding")
    return (number >> unused).to_bytes(size, "big")


def pf_2_5_flags(flags):
    # PF 2.5: all but bit 0 are reserved
    must(flags <= 1, "reserved_flags")
    return flags == 1


def pf_4_live(data):
    code = Reader(data)
    code.take(1)
    fields = {"key": code.number(2), "handle": code.number(4), "issued_at": code.number(4), "ttl_minutes": code.number(1),
              "category": code.number(1), "community": code.number(4), "specimen": pf_2_5_flags(code.number(1))}
    # PF 4.2
    must(1 <= fields["ttl_minutes"] <= 60, "field", field="ttl")
    return fields


def pf_5_carried(data):
    code = Reader(data)
    code.take(1)
    fields = {"key": code.number(2), "handle": code.number(4), "valid_from": code.number(4), "hours": code.number(1),
              "category": code.number(1), "community": code.number(4), "specimen": pf_2_5_flags(code.number(1))}
    # PF 5.3
    must(1 <= fields["hours"] <= 36, "field", field="hours")
    # PF 3.3
    holder = code.take(32)
    must(pf_3_3_is_public_key(holder), "holder_key")
    fields["holder"] = holder.hex()
    code.take(64)
    fields["made_at"] = code.number(4)
    return fields


def pf_6_printed(data):
    code = Reader(data)
    code.take(1)
    fields = {"key": code.number(2), "handle": code.number(4), "valid_from": code.number(4), "valid_to": code.number(4),
              "category": code.number(1), "community": code.number(4), "building": code.number(2),
              "entries": code.number(1), "specimen": pf_2_5_flags(code.number(1))}
    # PF 6.2
    must(fields["valid_to"] > fields["valid_from"], "field", field="valid_to")
    must(fields["entries"] >= 1, "field", field="entries")
    return fields


# PF 2.4 and 3.5: the kind byte, and of each kind the name, the length, the layout, the purpose of its key, the context,
# and how many bytes the registry signs.
KINDS = {
    0x11: ("live", 82, pf_4_live, "live", "tongguan/1/live", 18),
    0x12: ("carried", 182, pf_5_carried, "certificate", "tongguan/1/certificate", 50),
    0x13: ("printed", 88, pf_6_printed, "printed", "tongguan/1/printed", 24),
}


def pf_8_1_verify(text, keys):
    """A code's kind, its fields, and the registry's key: steps 1 to 10 of PF 8.1, in that order."""
    text = text.encode("utf-8")
    pf_2_1_prefix(text)
    # PF 2.7
    must(len(text) <= MAX_TEXT, "too_long")
    data = pf_2_2_base32(text[4:])
    # PF 2.4: no bytes at all
    must(data, "length")
    # PF 2.3: before the length, so that a later kind may have any
    must(data[0] in KINDS, "unknown_kind", kind=data[0])
    kind, length, layout, purpose, context, signed = KINDS[data[0]]
    # PF 2.4
    must(len(data) == length, "length")
    fields = layout(data)
    # PF 3.5
    key = keys.get(fields["key"])
    must(key is not None, "unknown_key", key=fields["key"])
    must(key["purpose"] == purpose, "wrong_purpose", key=fields["key"])
    # PF 3.4
    good = pf_3_2_signature(bytes.fromhex(key["public_key"]), context, data[:signed], data[signed : signed + 64])
    must(good, "registry_signature")
    if kind == "carried":
        # PF 5.4: over the hash of the certificate with its signature, and made_at
        body = sha256(data[:114]).digest() + data[114:118]
        must(pf_3_2_signature(data[18:50], "tongguan/1/carried", body, data[118:]), "holder_signature")
    return kind, fields, key


# ---- Freshness: PF 7. Python's integers do not wrap; elsewhere take 64 bits with a sign (PF 1.1). ----


def pf_7_1_window(kind, fields, key):
    if kind == "live":
        start, end = fields["issued_at"], fields["issued_at"] + 60 * fields["ttl_minutes"]
    elif kind == "carried":
        start, end = fields["valid_from"], fields["valid_from"] + 3600 * fields["hours"]
    else:
        start, end = fields["valid_from"], fields["valid_to"]
    return max(start, key["not_before"]), min(end, key["not_after"])


def pf_7_freshness(kind, fields, key, earliest, latest):
    """The name, and the seconds or None. `latest` is math.inf if unknown."""
    start, until = pf_7_1_window(kind, fields, key)
    # PF 7.1
    if earliest > until:
        return "expired", earliest - until
    # PF 7.2
    if latest < start:
        return "not_yet_valid", start - latest
    # PF 7.3
    if kind == "carried":
        return pf_7_3_carried(fields["made_at"], start, until, earliest, latest)
    # PF 7.4: a live code that exists has begun. PF 7.5: a printed one may not have.
    begun = kind == "live" or start <= earliest
    # PF 7.6
    return ("fresh" if begun and latest <= until else "clock_uncertain"), None


def pf_7_3_carried(made_at, start, until, earliest, latest):
    least, most = made_at - latest, made_at - earliest
    # step 1
    if made_at < start:
        return "phone_clock_wrong", made_at - start if latest == math.inf else least
    # step 2
    if made_at > until or least > 600:
        return "phone_clock_wrong", max(least, made_at - until)
    # step 3
    if most < -600:
        return "expired", -most - 600
    # steps 4 and 5
    fresh = most <= 600 and least >= -600 and start <= earliest and latest <= until
    return ("fresh" if fresh else "clock_uncertain"), None


def judge_code(vector):
    keys = {key["id"]: key for key in vector["keys"]}
    kind, fields, key = pf_8_1_verify(vector["text"], keys)
    latest = vector["now"]["latest"]
    name, seconds = pf_7_freshness(kind, fields, key, vector["now"]["earliest"], math.inf if latest is None else latest)
    outcome = {"kind": kind, "fields": fields, "freshness": name}
    return outcome if seconds is None else {**outcome, "seconds": seconds}


# ---- Signed files: SY 2 ----

TYPES = {"root": 1, "keyset": 2, "head": 3, "events": 4, "time": 5}  # SY 2.2; the context is tongguan/1/ and the name


def sy_2_1_envelope(data, name):
    """The body of a file of the type that is asked for, and its signatures as (key id, signature)."""
    # SY 2.7: the size before anything else
    must(len(data) <= LIMITS[name], "too_long")
    # SY 2.1
    must(data[:4] == b"TGS1", "magic")
    file = Reader(data)
    file.take(4)
    # SY 2.2
    must(file.number(1) == TYPES[name], "file_type")
    body = file.take(file.number(4))
    count = file.number(1)
    # SY 2.3
    must(1 <= count <= MAX_SIGNATURES, "field", field="signature count")
    signatures = []
    for _ in range(count):
        key_id, signature = file.number(2), file.take(64)
        # SY 2.4
        must(not signatures or signatures[-1][0] < key_id, "order")
        signatures.append((key_id, signature))
    # SY 2.1
    file.end()
    return body, signatures


def sy_2_5_signed_by_one(name, body, signatures, known):
    """`known` maps key ids to public keys; it holds no key of another purpose and none that was not valid."""
    by_known_keys = [(known[key_id], signature) for key_id, signature in signatures if key_id in known]
    # SY 2.5: signatures by unknown keys are skipped, but one must be by a known key, and none by a known key is wrong
    must(by_known_keys, "unknown_key")
    must(all(pf_3_2_signature(key, "tongguan/1/" + name, body, sig) for key, sig in by_known_keys), "signature")


def sy_2_6_signed_by_root(name, body, signatures, root):
    keys = {key["id"]: bytes.fromhex(key["public_key"]) for key in root["root_keys"]}
    by_root_keys = [(keys[key_id], signature) for key_id, signature in signatures if key_id in keys]
    # SY 2.6
    must(all(pf_3_2_signature(key, "tongguan/1/" + name, body, sig) for key, sig in by_root_keys), "signature")
    must(len(by_root_keys) >= root["threshold"], "threshold")


# ---- Root and keyset: SY 3 ----


def sy_3_4_root_body(data):
    body = Reader(data)
    version, issued_at, previous = body.number(4), body.number(4), body.take(32)
    # SY 3.4: versions start at 1, and only the first has nothing before it
    must(version >= 1 and (version == 1) == (previous == ZERO_HASH), "field", field="version")
    threshold, count = body.number(1), body.number(1)
    must(count <= MAX_KEYS, "field", field="key count")
    must(1 <= threshold <= count, "field", field="threshold")
    keys = []
    for _ in range(count):
        key_id, public_key = body.number(2), body.take(32)
        # SY 3.4: ascending by id, and no key twice
        must(not keys or keys[-1]["id"] < key_id, "order")
        must(public_key.hex() not in [key["public_key"] for key in keys], "order")
        # PF 3.3
        must(pf_3_3_is_public_key(public_key), "public_key")
        keys.append({"id": key_id, "public_key": public_key.hex()})
    body.end()
    return {"version": version, "issued_at": issued_at, "previous": None if version == 1 else previous.hex(),
            "threshold": threshold, "root_keys": keys}


def sy_3_1_pin_root(data):
    body, signatures = sy_2_1_envelope(data, "root")
    root = sy_3_4_root_body(body)
    # SY 3.1: by enough of its own keys
    sy_2_6_signed_by_root("root", body, signatures, root)
    return root


def sy_3_2_root_successor(data, known_data):
    known = sy_3_1_pin_root(known_data)
    body, signatures = sy_2_1_envelope(data, "root")
    root = sy_3_4_root_body(body)
    # SY 3.2: the next version, and the hash of the file before it
    must(root["version"] == known["version"] + 1, "root_chain")
    must(root["previous"] == sha256(known_data).hexdigest(), "root_chain")
    # SY 3.2: by enough of the old keys, and by enough of its own
    sy_2_6_signed_by_root("root", body, signatures, known)
    sy_2_6_signed_by_root("root", body, signatures, root)
    return root


def sy_3_5_keyset_body(data):
    body = Reader(data)
    version, issued_at, count = body.number(4), body.number(4), body.number(1)
    # SY 3.5
    must(count <= MAX_KEYS, "field", field="key count")
    keys = []
    for _ in range(count):
        key_id = body.number(2)
        must(not keys or keys[-1]["id"] < key_id, "order")
        purpose = body.number(1)
        must(1 <= purpose <= 5, "field", field="purpose")
        not_before, not_after = body.number(4), body.number(4)
        must(not_before <= not_after, "field", field="validity")
        # PF 3.3
        public_key = body.take(32)
        must(pf_3_3_is_public_key(public_key), "public_key")
        keys.append({"id": key_id, "purpose": PURPOSES[purpose - 1], "not_before": not_before, "not_after": not_after,
                     "public_key": public_key.hex()})
    body.end()
    return {"version": version, "issued_at": issued_at, "keys": keys}


def sy_3_3_keyset(data, root):
    body, signatures = sy_2_1_envelope(data, "keyset")
    keyset = sy_3_5_keyset_body(body)
    # SY 3.3
    sy_2_6_signed_by_root("keyset", body, signatures, root)
    return keyset


def known_keys(keyset, purpose, moment):
    """SY 2.5, 4.1 and 7.2: the keys of a purpose that are valid at a moment, both ends included."""
    return {key["id"]: bytes.fromhex(key["public_key"]) for key in keyset["keys"]
            if key["purpose"] == purpose and key["not_before"] <= moment <= key["not_after"]}


# ---- The head: SY 4, and the files it names: SY 1.3 ----


def sy_4_5_file(body):
    return {"version": body.number(4), "size": body.number(4), "sha256": body.take(32).hex()}


def sy_4_5_head_body(data):
    body = Reader(data)
    head = {"epoch": body.number(4), "version": body.number(4), "issued_at": body.number(4), "expires_at": body.number(4)}
    # SY 4.5
    must(head["expires_at"] > head["issued_at"], "field", field="expires_at")
    head["root"], head["keyset"] = sy_4_5_file(body), sy_4_5_file(body)
    head["revocations"] = {"version": body.number(4), "oldest_day": body.number(2), "count": body.number(4),
                           "checksum": body.take(32).hex(), "snapshot": sy_4_5_file(body),
                           "deltas": sy_4_3_deltas(body)}
    sy_4_3_way(head["revocations"])
    head["files"] = sy_4_4_files(body)
    body.end()
    return head


def sy_4_3_deltas(body):
    count, deltas = body.number(1), []
    # SY 4.3
    must(count <= MAX_DELTAS, "field", field="delta count")
    for _ in range(count):
        start, file = body.number(4), sy_4_5_file(body)
        # SY 4.3: each leads forward, and starts where the one before ends
        must(start < file["version"], "order")
        must(not deltas or deltas[-1]["to"] == start, "order")
        deltas.append({"from": start, "to": file["version"], "size": file["size"], "sha256": file["sha256"]})
    return deltas


def sy_4_3_way(revocations):
    deltas, snapshot = revocations["deltas"], revocations["snapshot"]["version"]
    # SY 4.3: the last delta ends at the set's version
    must(not deltas or deltas[-1]["to"] == revocations["version"], "order")
    # SY 4.3: there is a way from the snapshot
    must(snapshot == revocations["version"] or snapshot in [delta["from"] for delta in deltas], "order")


def sy_4_4_files(body):
    count, files = body.number(1), []
    # SY 4.4
    must(count <= MAX_FILES, "field", field="file count")
    for _ in range(count):
        file = {"type": body.number(1), **sy_4_5_file(body)}
        must(not files or files[-1]["type"] < file["type"], "order")
        files.append(file)
    return files


def sy_4_1_head(data, keyset):
    """A head that is believed, and its body."""
    body, signatures = sy_2_1_envelope(data, "head")
    head = sy_4_5_head_body(body)
    # SY 4.1: a lists key, valid at issued_at
    sy_2_5_signed_by_one("head", body, signatures, known_keys(keyset, "lists", head["issued_at"]))
    return head, body


def sy_4_2_follows(head, body, known, known_body):
    steps = [(known["issued_at"], head["issued_at"])]
    steps += [(known[name]["version"], head[name]["version"]) for name in ("root", "keyset")]
    if head["epoch"] == known["epoch"]:
        # SY 4.2: one version has one content; the content is what is signed (SY 2.7)
        if head["version"] == known["version"]:
            return body == known_body
        steps.append((known["version"], head["version"]))
        steps += [(known["revocations"][name], head["revocations"][name]) for name in ("version", "oldest_day")]
    # SY 4.2: nothing goes back, the epoch neither
    return head["epoch"] >= known["epoch"] and all(before <= after for before, after in steps)


def sy_1_3_named(data, named):
    must(len(data) == named["size"] and sha256(data).hexdigest() == named["sha256"], "hash")
    return {"matches": True}


# ---- Revoked handles: SY 5. An entry is (handle, reason, expiry day). ----


def sy_5_1_revocations(data):
    # SY 2.7, 10
    must(len(data) <= LIMITS["revocations"], "too_long")
    # SY 5.1
    must(data[:4] == b"TGL1", "magic")
    file = Reader(data)
    file.take(4)
    form, epoch, start, to, groups = file.number(1), file.number(4), file.number(4), file.number(4), file.number(2)
    must(form in (1, 2), "field", field="form")
    must(form == 2 or start == 0, "field", field="from")
    must(form == 1 or start < to, "field", field="to")
    entries, group_before = [], (-1, -1)
    for _ in range(groups):
        group_before = sy_5_2_group(file, group_before, entries)
    file.end()
    entries.sort()
    # SY 5.4: no handle twice, in whatever groups
    must(all(a[0] < b[0] for a, b in zip(entries, entries[1:])), "order")
    return {"epoch": epoch, "from": None if form == 1 else start, "to": to, "entries": entries}


def sy_5_2_group(file, group_before, entries):
    """Adds a group's entries, and returns what the next group must come after."""
    day, reason = file.number(2), file.number(1)
    # SY 5.2
    must((day, reason) > group_before, "order")
    count = file.number(4)
    must(count >= 1 and len(entries) + count <= MAX_ENTRIES, "field", field="count")
    k = file.number(1)
    # SY 5.3
    must(k <= 31, "field", field="rice parameter")
    bits = file.take(file.number(4))
    entries.extend([handle, reason, day] for handle in sy_5_3_handles(bits, count, k))
    return day, reason


def sy_5_3_handles(data, count, k):
    # SY 5.3: before anything is reserved for the count
    must(count <= 8 * len(data), "length")
    at = 0

    def bit():
        nonlocal at
        # SY 5.3: bits that end inside an entry
        must(at < 8 * len(data), "length")
        at += 1
        return data[(at - 1) // 8] >> 7 - (at - 1) % 8 & 1

    handles, next_handle = [], 0
    for _ in range(count):
        gap = 0
        while bit():
            gap += 1
        for _ in range(k):
            gap = gap << 1 | bit()
        handle = next_handle + gap
        # SY 5.3
        must(handle <= U32, "field", field="handle")
        handles.append(handle)
        next_handle = handle + 1
    # SY 5.3: what is left is less than a byte, and zero
    must(8 * len(data) - at < 8, "length")
    while at < 8 * len(data):
        must(bit() == 0, "field", field="padding")
    return handles


def sy_5_6_checksum(entries):
    parts = [b"tongguan/1/revocations\0"]
    for handle, reason, day in entries:
        parts.append(handle.to_bytes(4, "big") + reason.to_bytes(1, "big") + day.to_bytes(2, "big"))
    return sha256(b"".join(parts)).hexdigest()


def sy_5_5_apply(head, here, fetched):
    """One attempt to come to the head's set from the set that is here (or None) with the files as they are fetched."""
    wanted, fetched = head["revocations"], list(fetched)
    # SY 5.7: a set of another epoch counts as none
    if here is not None and here["epoch"] != head["epoch"]:
        here = None
    # SY 4.3: the deltas from the set's version are enough, or else the snapshot comes first
    starts = [wanted["version"]] + [delta["from"] for delta in wanted["deltas"]]
    if here is not None and here["version"] in starts:
        version, steps = here["version"], []
        entries = {entry[0]: entry for entry in here["entries"]}
    else:
        version, entries, steps = wanted["snapshot"]["version"], {}, [(None, wanted["snapshot"]["version"], wanted["snapshot"])]
    steps += [(delta["from"], delta["to"], delta) for delta in wanted["deltas"] if delta["from"] >= version]

    def drop_expired():
        for entry in list(entries.values()):
            if entry[2] < wanted["oldest_day"]:
                del entries[entry[0]]

    # SY 5.5: what has expired goes first, also if nothing but the day has changed
    drop_expired()
    for start, to, named in steps:
        data = fetched.pop(0)
        sy_1_3_named(data, named)
        file = sy_5_1_revocations(data)
        # SY 5.7
        must(file["epoch"] == head["epoch"], "epoch")
        must((file["from"], file["to"]) == (start, to), "gap")
        for entry in file["entries"]:
            if entry[2] >= wanted["oldest_day"]:
                # SY 5.5
                must(entry[0] not in entries, "order")
                entries[entry[0]] = entry
    entries = sorted(entries.values())
    # SY 5.6
    must(len(entries) == wanted["count"] and sy_5_6_checksum(entries) == wanted["checksum"], "checksum")
    if fetched:
        raise ValueError("a file was fetched that is not needed")
    return {"version": wanted["version"], "checksum": wanted["checksum"], "entries": entries}


# ---- Events: SY 6 ----


def sy_6_1_events(data):
    body, signatures = sy_2_1_envelope(data, "events")
    batch = Reader(body)
    device = batch.take(32)
    # PF 3.3
    must(pf_3_3_is_public_key(device), "public_key")
    first_seq, previous, count = batch.number(8), batch.take(32), batch.number(2)
    # SY 6.1: the count is checked before first_seq
    must(1 <= count <= MAX_RECORDS, "field", field="event count")
    must(1 <= first_seq <= 2**63 - 1 - count, "field", field="first_seq")
    records, chain = [], previous
    for seq in range(first_seq, first_seq + count):
        length = batch.number(2)
        # SY 6.1
        must(1 <= length <= MAX_RECORD_BYTES, "field", field="event length")
        record = batch.take(length)
        # SY 6.2
        chain = sha256(b"tongguan/1/event\0" + chain + seq.to_bytes(8, "big") + record).digest()
        # SY 6.3: a record of an unknown type is chained like any other
        event = sy_6_4_presented(record) if record[0] == 1 else None
        records.append({"seq": seq, "chain": chain.hex(), "event": event})
    batch.end()
    # SY 6.1: under key id 0
    sy_2_5_signed_by_one("events", body, signatures, {0: device})
    return {"device": device.hex(), "first_seq": first_seq, "previous": previous.hex(), "records": records}


def sy_6_4_presented(data):
    record = Reader(data)
    record.take(1)

    def choice(names, first, field):
        value = record.number(1) - first
        must(0 <= value < len(names), "field", field=field)
        return names[value]

    event = {"id": record.take(16).hex(), "earliest_ms": record.number(8)}
    latest = record.number(8)
    must(latest >= event["earliest_ms"], "field", field="time")
    event["latest_ms"] = None if latest == U64 else latest
    event["clock"] = choice(["synced", "holdover", "system", "floor", "stated"], 1, "clock")
    event["lane"] = sy_6_4_lane(record)
    event["kind"], event["handle"] = record.number(1), record.number(4)
    event["outcome"] = choice(["pass", "confirm", "deny"], 1, "outcome")
    event["reason"] = sy_6_4_reason(record)
    event["gate"] = choice(["closed", "opened", "fault"], 0, "gate")
    event["latency_us"] = [record.number(4) for _ in range(4)]
    # SY 6.4: a record that goes on
    record.end()
    return event


def sy_6_4_lane(record):
    length = record.number(1)
    # SY 6.4: at most 64 bytes of UTF-8 without control characters (U+0000 to U+001F and U+007F to U+009F)
    must(length <= 64, "field", field="lane")
    try:
        lane = record.take(length).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("field", field="lane") from None
    must(not any(c < " " or "\x7f" <= c <= "\x9f" for c in lane), "field", field="lane")
    return lane


def sy_6_4_reason(record):
    length = record.number(1)
    # SY 6.4
    must(length <= 32, "field", field="reason")
    reason = record.take(length)
    must(all(c in b"abcdefghijklmnopqrstuvwxyz0123456789_" for c in reason), "field", field="reason")
    return reason.decode("ascii")


def sy_6_5_chain(batch, stored):
    """Whether a batch fits the last record that is stored. After a gap it is stored too."""
    chains = {batch["first_seq"] - 1: batch["previous"]}
    chains.update((record["seq"], record["chain"]) for record in batch["records"])
    # SY 6.2: before the first record there are 32 zero bytes
    must(chains.get(0, ZERO_HASH.hex()) == ZERO_HASH.hex(), "chain")
    # SY 6.5: where the batch says what the chain is at the stored record, it says the same
    must(chains.get(stored["seq"], stored["chain"]) == stored["chain"], "chain")


# ---- Time: SY 7 ----


def sy_7_2_time(data, keyset, nonce):
    body, signatures = sy_2_1_envelope(data, "time")
    reply = Reader(body)
    # SY 7.1
    answered, at_ms = reply.take(16), reply.number(8)
    reply.end()
    # SY 7.2: a time key, valid at the second of the reply
    sy_2_5_signed_by_one("time", body, signatures, known_keys(keyset, "time", at_ms // 1000))
    # SY 7.2: the nonce last
    must(answered == nonce, "nonce")
    return {"at_ms": at_ms}


# ---- The vectors: README.md ----


def judge_list(vector):
    check, given, file = vector["check"], vector["given"], bytes.fromhex(vector["file"])
    root = sy_3_1_pin_root(bytes.fromhex(given["root"])) if "root" in given else None
    keyset = sy_3_3_keyset(bytes.fromhex(given["keyset"]), root) if "keyset" in given else None
    if check == "root":
        return sy_3_1_pin_root(file)
    if check == "root_successor":
        return sy_3_2_root_successor(file, bytes.fromhex(given["known"]))
    if check == "keyset":
        return sy_3_3_keyset(file, root)
    if check == "head":
        return sy_4_1_head(file, keyset)[0]
    if check == "head_follows":
        known = sy_4_1_head(bytes.fromhex(given["known"]), keyset)
        return {"follows": sy_4_2_follows(*sy_4_1_head(file, keyset), *known)}
    if check == "named":
        return sy_1_3_named(file, given["named"])
    if check == "revocations":
        return sy_5_1_revocations(file)
    if check == "apply":
        return sy_5_5_apply(sy_4_1_head(file, keyset)[0], given.get("set"), map(bytes.fromhex, given["fetched"]))
    if check == "events":
        batch = sy_6_1_events(file)
        if "stored" in given:
            sy_6_5_chain(batch, given["stored"])
        return batch
    if check == "time":
        return sy_7_2_time(file, keyset, bytes.fromhex(given["nonce"]))
    raise ValueError("a check that is not in README.md: " + check)


def outcome_of(judge, vector):
    try:
        return judge(vector)
    except Refused as refused:
        return refused.outcome
    except Exception as error:  # a fault of this module or of the file, told like any other disagreement
        return {"fault": repr(error)}


def main():
    here, passed, failed = Path(__file__).resolve().parent, 0, 0
    for folder, judge in (("code", judge_code), ("list", judge_list)):
        for path in sorted((here / folder).glob("*.json")):
            vector = json.loads(path.read_text(encoding="utf-8"))
            expected = json.dumps(vector.pop("expect"), sort_keys=True)
            got = json.dumps(outcome_of(judge, vector), sort_keys=True)
            if got == expected:
                passed += 1
            else:
                failed += 1
                print(f"{folder}/{path.name}: expected {expected}, got {got}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
