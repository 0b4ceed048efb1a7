"""A second implementation of the Tongguan formats, to hold the first one to its documents.

It was written from docs/PASS-FORMAT.md ("PF"), docs/SYNC.md ("SY") and the vectors in this folder, nothing else. It
judges every file of code/, list/, policy/ and document/ from its inputs alone and compares the outcome with what the file expects:

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
from hashlib import blake2b, scrypt, sha256, sha512
from pathlib import Path

# SY 10 and PF 9
LIMITS = {"root": 8192, "keyset": 8192, "head": 16384, "revocations": 16 << 20, "events": 256 << 10, "time": 256,
          "policy": 256 << 10, "receipt": 256, "roster_index": 1 << 20, "roster": 16 << 20}
MAX_ENTRIES, MAX_KEYS, MAX_SIGNATURES, MAX_DELTAS, MAX_FILES = 4_194_304, 64, 64, 128, 16
MAX_RECORDS, MAX_RECORD_BYTES, MAX_TEXT = 500, 1024, 512
MAX_SURGES, MAX_EDITIONS, MAX_RULES, MAX_GATES = 16, 16, 32, 256

class Refused(Exception):
    """An input that is refused, with the name of PF 8.2 or SY 9 and what the name says further."""

    def __init__(self, name, **further):
        super().__init__(name)
        self.outcome = {"error": name, **further}

def must(condition, name, **further):
    if not condition:
        raise Refused(name, **further)

class Reader:
    """Reads a layout from its start to its end. What ends early, or goes on, is `length`."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        must(self.at + n <= len(self.data), "length")
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self, n):
        # PF 1.1: unsigned and big-endian
        return int.from_bytes(self.take(n), "big")

    def fields(self, **sizes):
        """Named fields in their order: up to 8 bytes a number, longer ones as hex."""
        return {name: self.number(n) if n <= 8 else self.take(n).hex() for name, n in sizes.items()}

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
    # PF 3.2, 2: R and the key decode, and neither is of small order. (An R that is not canonical cannot pass step 4, so
    # point_decode may refuse it here.)
    r, a = point_decode(r_bytes), point_decode(key)
    if r is None or a is None or is_small_order(r) or is_small_order(a):
        return False
    # PF 3.2, 3: k is reduced modulo L, which matters if the key has a component of small order.
    k = int.from_bytes(sha512(r_bytes + key + message).digest(), "little") % L
    # PF 3.2, 4: without the cofactor, and compared as bytes.
    minus_a = (-a[0] % P, a[1], a[2], -a[3] % P)
    return point_encode(point_double_multiply(s, BASE, k, minus_a)) == r_bytes

@lru_cache(maxsize=None)
def pf_3_3_is_public_key(data):
    point = point_decode(data)
    return point is not None and not is_small_order(point)

# ---- Codes: PF 2 to 6 ----

def pf_2_1_prefix(text):
    first = text[:4]
    # PF 2.1, with upper case and digits those of ASCII
    later_format = first[:2] == b"TG" and first[2:3].isdigit() and first[3:] == b":" and first != b"TG1:"
    must(not later_format, "unknown_format")
    must(first.upper() == b"TG1:", "not_ours")
    must(first == b"TG1:", "encoding")

def pf_2_2_base32(text):
    alphabet, number = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 0
    # PF 2.2: a length that no number of bytes gives
    must(len(text) % 8 not in (1, 3, 6), "encoding")
    for character in text:
        # PF 2.2: upper case, no padding, no white space
        must(character in alphabet, "encoding")
        number = number << 5 | alphabet.index(character)
    size, unused = divmod(5 * len(text), 8)
    # PF 2.2: the unused bits are zero
    must(number & (1 << unused) - 1 == 0, "encoding")
    return (number >> unused).to_bytes(size, "big")

def pf_2_5_flags(fields):
    # PF 2.5: all bits but bit 0 are reserved
    must(fields["flags"] <= 1, "reserved_flags")
    fields["specimen"] = fields.pop("flags") == 1

def pf_4_live(code):
    fields = code.fields(key=2, handle=4, issued_at=4, ttl_minutes=1, category=1, community=4, flags=1)
    pf_2_5_flags(fields)
    # PF 4.2
    must(1 <= fields["ttl_minutes"] <= 60, "field", field="ttl")
    return fields

def pf_5_carried(code):
    fields = code.fields(key=2, handle=4, valid_from=4, hours=1, category=1, community=4, flags=1)
    pf_2_5_flags(fields)
    # PF 5.3
    must(1 <= fields["hours"] <= 36, "field", field="hours")
    fields.update(code.fields(holder=32))
    # PF 3.3
    must(pf_3_3_is_public_key(bytes.fromhex(fields["holder"])), "holder_key")
    code.take(64)
    return {**fields, **code.fields(made_at=4)}

def pf_6_printed(code):
    fields = code.fields(key=2, handle=4, valid_from=4, valid_to=4, category=1, community=4,
                         building=2, entries=1, flags=1)
    pf_2_5_flags(fields)
    # PF 6.2
    must(fields["valid_to"] > fields["valid_from"], "field", field="valid_to")
    must(fields["entries"] >= 1, "field", field="entries")
    return fields

# PF 2.4 and 3.5: of each kind the name, the length, the layout, the purpose of its key, and how much that key signs.
KINDS = {
    0x11: ("live", 82, pf_4_live, "live", 18),
    0x12: ("carried", 182, pf_5_carried, "certificate", 50),
    0x13: ("printed", 88, pf_6_printed, "printed", 24),
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
    # PF 2.3: before the length, because a later kind may have any
    must(data[0] in KINDS, "unknown_kind", kind=data[0])
    kind, length, layout, purpose, signed = KINDS[data[0]]
    # PF 2.4
    must(len(data) == length, "length")
    fields = layout(Reader(data[1:]))
    # PF 3.5
    key = keys.get(fields["key"])
    must(key is not None, "unknown_key", key=fields["key"])
    must(key["purpose"] == purpose, "wrong_purpose", key=fields["key"])
    # PF 3.4; the context is named as the purpose is
    public_key, signature = bytes.fromhex(key["public_key"]), data[signed : signed + 64]
    must(pf_3_2_signature(public_key, "tongguan/1/" + purpose, data[:signed], signature), "registry_signature")
    if kind == "carried":
        # PF 5.4: over the hash of the certificate with its signature, and made_at
        body = sha256(data[:114]).digest() + data[114:118]
        must(pf_3_2_signature(data[18:50], "tongguan/1/carried", body, data[118:]), "holder_signature")
    return kind, fields, key

# ---- Freshness: PF 7. Python's integers do not wrap; elsewhere take 64 bits with a sign (PF 1.1). ----

def pf_7_freshness(kind, fields, key, earliest, latest):
    """The name, and the seconds or None. `latest` is math.inf if unknown."""
    if kind == "live":
        start, until = fields["issued_at"], fields["issued_at"] + 60 * fields["ttl_minutes"]
    elif kind == "carried":
        start, until = fields["valid_from"], fields["valid_from"] + 3600 * fields["hours"]
    else:
        start, until = fields["valid_from"], fields["valid_to"]
    start, until = max(start, key["not_before"]), min(until, key["not_after"])
    # PF 7.1
    if earliest > until:
        return "expired", earliest - until
    # PF 7.2
    if latest < start:
        return "not_yet_valid", start - latest
    if kind == "carried":
        return pf_7_3_carried(fields["made_at"], start, until, earliest, latest)
    # PF 7.4: a live code that exists has begun. PF 7.5: of a printed one it must be certain. PF 7.6: what is not.
    begun = kind == "live" or start <= earliest
    return ("fresh" if begun and latest <= until else "clock_uncertain"), None

def pf_7_7_live(fields, key, surges, earliest, latest):
    """PF 7.1, 7.2, 7.4 and 7.6 of a live code, with the surges."""
    start = max(fields["issued_at"], key["not_before"])
    until = min(fields["issued_at"] + 60 * fields["ttl_minutes"], key["not_after"])
    # PF 7.7: the moments at which it is good, as spans that ascend
    good = [(-math.inf, until)]
    for surge in surges:
        most = min(surge["until"], fields["issued_at"] + 60 * surge["minutes"], key["not_after"])
        if surge["from"] <= most:
            good.append((surge["from"], most))
    if not any(begin <= latest and earliest <= end for begin, end in good):
        return "expired", earliest - max(end for _, end in good if end < earliest)
    # PF 7.2
    if latest < start:
        return "not_yet_valid", start - latest
    # PF 7.7: fresh if the spans leave out no moment of the interval
    reached = earliest
    for begin, end in good:
        if begin <= reached <= end:
            reached = end + 1
    return ("fresh" if reached > latest else "clock_uncertain"), None

def pf_7_3_carried(made_at, start, until, earliest, latest):
    least, most = made_at - latest, made_at - earliest
    # PF 7.3, step 1
    if made_at < start:
        return "phone_clock_wrong", made_at - start if latest == math.inf else least
    # PF 7.3, step 2
    if made_at > until or least > 600:
        return "phone_clock_wrong", max(least, made_at - until)
    # PF 7.3, step 3
    if most < -600:
        return "expired", -most - 600
    # PF 7.3, steps 4 and 5
    fresh = most <= 600 and least >= -600 and start <= earliest and latest <= until
    return ("fresh" if fresh else "clock_uncertain"), None

def judge_code(vector):
    keys = {key["id"]: key for key in vector["keys"]}
    kind, fields, key = pf_8_1_verify(vector["text"], keys)
    latest = vector["now"]["latest"]
    earliest, latest = vector["now"]["earliest"], math.inf if latest is None else latest
    if kind == "live" and "policy" in vector:
        surges = sy_12_1_policy(bytes.fromhex(vector["policy"]))["surges"]
        name, seconds = pf_7_7_live(fields, key, surges, earliest, latest)
    else:
        name, seconds = pf_7_freshness(kind, fields, key, earliest, latest)
    outcome = {"kind": kind, "fields": fields, "freshness": name}
    return outcome if seconds is None else {**outcome, "seconds": seconds}

# ---- Signed files: SY 2 ----

TYPES = {"root": 1, "keyset": 2, "head": 3, "events": 4, "time": 5, "receipt": 6}  # SY 2.2; the context is tongguan/1/ and the name

def sy_2_1_envelope(data, name):
    """The body of a file of the type that is asked for, and its signatures as (key id, signature)."""
    # SY 2.7: the size before anything else
    must(len(data) <= LIMITS[name], "too_long")
    # SY 2.1
    must(data[:4] == b"TGS1", "magic")
    file, signatures = Reader(data[4:]), []
    # SY 2.2
    must(file.number(1) == TYPES[name], "file_type")
    body = file.take(file.number(4))
    count = file.number(1)
    # SY 2.3
    must(1 <= count <= MAX_SIGNATURES, "field", field="signature count")
    for _ in range(count):
        key_id, signature = file.number(2), file.take(64)
        # SY 2.4
        must(not signatures or signatures[-1][0] < key_id, "order")
        signatures.append((key_id, signature))
    file.end()
    return body, signatures

def signatures_by(keys, name, body, signatures):
    """How many signatures are by these keys (id to public key). The others are skipped, but none by these is wrong."""
    ours = [(keys[key_id], signature) for key_id, signature in signatures if key_id in keys]
    # SY 2.5 and 2.6
    must(all(pf_3_2_signature(key, "tongguan/1/" + name, body, signature) for key, signature in ours), "signature")
    return len(ours)

def sy_2_5_signed_by_one(known, name, body, signatures):
    # SY 2.5
    must(signatures_by(known, name, body, signatures) >= 1, "unknown_key")

def sy_2_6_signed_by_root(root, name, body, signatures):
    keys = {key["id"]: bytes.fromhex(key["public_key"]) for key in root["root_keys"]}
    # SY 2.6
    must(signatures_by(keys, name, body, signatures) >= root["threshold"], "threshold")

# ---- Root and keyset: SY 3 ----

PURPOSES = ["live", "certificate", "printed", "lists", "time", "notes", "receipt"]  # SY 3.5: 1 to 7

def sy_3_4_root_body(data):
    body, keys = Reader(data), []
    root = body.fields(version=4, issued_at=4, previous=32)
    # SY 3.4: versions start at 1, and only the first has nothing before it
    if root["previous"] == bytes(32).hex():
        root["previous"] = None
    must(root["version"] >= 1 and (root["version"] == 1) == (root["previous"] is None), "field", field="version")
    root["threshold"], count = body.number(1), body.number(1)
    must(count <= MAX_KEYS, "field", field="key count")
    must(1 <= root["threshold"] <= count, "field", field="threshold")
    for _ in range(count):
        key = body.fields(id=2, public_key=32)
        # SY 3.4: ascending by id, and no public key twice
        must(not keys or keys[-1]["id"] < key["id"], "order")
        must(key["public_key"] not in [other["public_key"] for other in keys], "order")
        # PF 3.3
        must(pf_3_3_is_public_key(bytes.fromhex(key["public_key"])), "public_key")
        keys.append(key)
    body.end()
    return {**root, "root_keys": keys}

def sy_3_1_pin_root(data):
    body, signatures = sy_2_1_envelope(data, "root")
    root = sy_3_4_root_body(body)
    # SY 3.1: by enough of its own keys
    sy_2_6_signed_by_root(root, "root", body, signatures)
    return root

def sy_3_2_root_successor(data, known_data):
    known = sy_3_1_pin_root(known_data)
    body, signatures = sy_2_1_envelope(data, "root")
    root = sy_3_4_root_body(body)
    # SY 3.2: the next version, and the hash of the file before it
    must(root["version"] == known["version"] + 1, "root_chain")
    must(root["previous"] == sha256(known_data).hexdigest(), "root_chain")
    # SY 3.2: by enough of the old keys, and by enough of its own
    sy_2_6_signed_by_root(known, "root", body, signatures)
    sy_2_6_signed_by_root(root, "root", body, signatures)
    return root

def sy_3_3_keyset(data, root):
    signed, signatures = sy_2_1_envelope(data, "keyset")
    body, keys = Reader(signed), []
    keyset, count = body.fields(version=4, issued_at=4), body.number(1)
    # SY 3.5
    must(count <= MAX_KEYS, "field", field="key count")
    for _ in range(count):
        key = body.fields(id=2, purpose=1, not_before=4, not_after=4, public_key=32)
        # SY 3.5: ascending by id
        must(not keys or keys[-1]["id"] < key["id"], "order")
        # SY 3.5
        must(1 <= key["purpose"] <= 7, "field", field="purpose")
        must(key["not_before"] <= key["not_after"], "field", field="validity")
        # PF 3.3
        must(pf_3_3_is_public_key(bytes.fromhex(key["public_key"])), "public_key")
        # SY 3.5: a key has one purpose, so it is there once
        must(key["public_key"] not in [other["public_key"] for other in keys], "order")
        keys.append({**key, "purpose": PURPOSES[key["purpose"] - 1]})
    body.end()
    # SY 3.3
    sy_2_6_signed_by_root(root, "keyset", signed, signatures)
    return {**keyset, "keys": keys}

def known_keys(keyset, purpose, moment):
    """SY 2.5, 4.1 and 7.2: the keys of a purpose that are valid at a moment, both ends included."""
    return {key["id"]: bytes.fromhex(key["public_key"]) for key in keyset["keys"]
            if key["purpose"] == purpose and key["not_before"] <= moment <= key["not_after"]}

# ---- The head: SY 4, and the files it names: SY 1.3 ----

FILE = {"version": 4, "size": 4, "sha256": 32}  # SY 4.5

def sy_4_5_head_body(data):
    body = Reader(data)
    head = body.fields(epoch=4, version=4, issued_at=4, expires_at=4)
    # SY 4.5
    must(head["expires_at"] > head["issued_at"], "field", field="expires_at")
    head["root"], head["keyset"] = body.fields(**FILE), body.fields(**FILE)
    head["revocations"] = body.fields(version=4, oldest_day=2, count=4, checksum=32)
    head["revocations"]["snapshot"] = body.fields(**FILE)
    sy_4_3_deltas(body, head["revocations"])
    count = body.number(1)
    # SY 4.4
    must(count <= MAX_FILES, "field", field="file count")
    head["files"] = [body.fields(type=1, **FILE) for _ in range(count)]
    must(all(a["type"] < b["type"] for a, b in zip(head["files"], head["files"][1:])), "order")
    body.end()
    return head

def sy_4_3_deltas(body, revocations):
    count, deltas = body.number(1), []
    # SY 4.3
    must(count <= MAX_DELTAS, "field", field="delta count")
    for _ in range(count):
        delta = body.fields(**{"from": 4, "to": 4, "size": 4, "sha256": 32})
        # SY 4.3: each leads forward, and starts where the one before ends
        must(delta["from"] < delta["to"] and (not deltas or deltas[-1]["to"] == delta["from"]), "order")
        deltas.append(delta)
    # SY 4.3: the last delta ends at the set's version, and there is a way to it from the snapshot
    must(not deltas or deltas[-1]["to"] == revocations["version"], "order")
    ways = [revocations["version"]] + [delta["from"] for delta in deltas]
    must(revocations["snapshot"]["version"] in ways, "order")
    revocations["deltas"] = deltas

def sy_4_1_head(data, keyset):
    """A head that is believed, and its body."""
    body, signatures = sy_2_1_envelope(data, "head")
    head = sy_4_5_head_body(body)
    # SY 4.1: by a lists key that was valid at issued_at
    sy_2_5_signed_by_one(known_keys(keyset, "lists", head["issued_at"]), "head", body, signatures)
    return head, body

def sy_4_2_follows(head, body, known, known_body):
    def back(*path):
        before, after = known, head
        for name in path:
            before, after = before[name], after[name]
        return after < before

    # SY 4.2: these do not go back, not even in a new epoch
    if back("epoch") or back("issued_at") or back("root", "version") or back("keyset", "version"):
        return False
    if head["epoch"] > known["epoch"]:
        return True
    # SY 4.2: one version has one content, which is what is signed (SY 2.7)
    if head["version"] == known["version"]:
        return body == known_body
    return not (back("version") or back("revocations", "version") or back("revocations", "oldest_day"))

def sy_4_7_follows_a_thiefs(head, known, known_file, keyset):
    # SY 4.7: the successor's keyset is newer, its root is not older
    if head["keyset"]["version"] <= known["keyset"]["version"] or head["root"]["version"] < known["root"]["version"]:
        return False
    # SY 4.7: and the key that signed the known head is not known in it
    try:
        sy_4_1_head(known_file, keyset)
    except Refused as refused:
        return refused.args[0] == "unknown_key"
    return False

def sy_1_3_named(data, named):
    must(len(data) == named["size"] and sha256(data).hexdigest() == named["sha256"], "hash")
    return {"matches": True}

# ---- Revoked handles: SY 5. An entry is [handle, reason, expiry day]. ----

def sy_5_1_revocations(data):
    # SY 2.7 and 10
    must(len(data) <= LIMITS["revocations"], "too_long")
    # SY 5.1
    must(data[:4] == b"TGL1", "magic")
    file, entries, group_before = Reader(data[4:]), [], (-1, -1)
    form, epoch, start, to, groups = [file.number(n) for n in (1, 4, 4, 4, 2)]
    # SY 5.1; one name for all three
    must(form == 1 and start == 0 or form == 2 and start < to, "field", field="form, from or to")
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
    # SY 5.2: ascending by day, then reason
    must((day, reason) > group_before, "order")
    count = file.number(4)
    must(count >= 1 and len(entries) + count <= MAX_ENTRIES, "field", field="count")
    k = file.number(1)
    bits = file.take(file.number(4))
    # SY 5.3: after all of the group is there
    must(k <= 31, "field", field="rice parameter")
    entries.extend([handle, reason, day] for handle in sy_5_3_handles(bits, count, k))
    return day, reason

def sy_5_3_handles(data, count, k):
    # SY 5.3: before anything is reserved for the count
    must(count <= 8 * len(data), "length")
    at, handles, least = 0, [], 0

    def bit():
        nonlocal at
        # SY 5.3: bits that end inside an entry
        must(at < 8 * len(data), "length")
        at += 1
        return data[(at - 1) // 8] >> 7 - (at - 1) % 8 & 1

    for _ in range(count):
        gap = 0
        while bit():
            gap += 1
        for _ in range(k):
            gap = gap << 1 | bit()
        # SY 5.3: each value is below 2^32
        must(least + gap < 2**32, "field", field="handle")
        handles.append(least + gap)
        least += gap + 1
    # SY 5.3: what is left is less than a byte, and zero
    must(8 * len(data) - at < 8, "length")
    while at < 8 * len(data):
        must(bit() == 0, "field", field="padding")
    return handles

def sy_5_6_checksum(entries):
    text = b"tongguan/1/revocations\0"
    for handle, reason, day in entries:
        text += handle.to_bytes(4, "big") + bytes([reason]) + day.to_bytes(2, "big")
    return sha256(text).hexdigest()

def sy_5_5_apply(head, here, fetched):
    """One attempt to come to the head's set from the set that is here, with the files in the order of fetching."""
    wanted = head["revocations"]
    snapshot, deltas, oldest_day = wanted["snapshot"], wanted["deltas"], wanted["oldest_day"]
    starts = [wanted["version"]] + [delta["from"] for delta in deltas]
    # SY 4.3: from a set of this epoch at one of these versions the deltas are enough. SY 5.7: another counts as none
    if here is not None and here["epoch"] == head["epoch"] and here["version"] in starts:
        version, entries, steps = here["version"], here["entries"], []
    else:
        version, entries, steps = snapshot["version"], [], [{"from": None, "to": snapshot["version"], **snapshot}]
    steps += [delta for delta in deltas if delta["from"] >= version]
    # SY 5.5: what has expired goes first, also if nothing but the day has changed
    new = {entry[0]: entry for entry in entries if entry[2] >= oldest_day}
    for step in steps:
        data = fetched.pop(0)
        sy_1_3_named(data, step)
        file = sy_5_1_revocations(data)
        # SY 5.7
        must(file["epoch"] == head["epoch"], "epoch")
        must(file["from"] == step["from"] and file["to"] == step["to"], "gap")
        for entry in file["entries"]:
            if entry[2] >= oldest_day:
                # SY 5.5
                must(entry[0] not in new, "order")
                new[entry[0]] = entry
    entries = sorted(new.values())
    # SY 5.6
    must(len(entries) == wanted["count"] and sy_5_6_checksum(entries) == wanted["checksum"], "checksum")
    assert not fetched, "a file was fetched that is not needed"
    return {"version": wanted["version"], "checksum": wanted["checksum"], "entries": entries}

# ---- Events: SY 6 ----

def sy_6_1_events(data):
    body, signatures = sy_2_1_envelope(data, "events")
    batch = Reader(body)
    device = batch.take(32)
    # PF 3.3
    must(pf_3_3_is_public_key(device), "public_key")
    first_seq, previous = batch.number(8), batch.take(32)
    # SY 6.2: before the first record there is nothing
    must(first_seq != 1 or previous == bytes(32), "chain")
    count = batch.number(2)
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
        event = sy_6_4_presented(Reader(record[1:])) if record[0] == 1 else None
        if record[0] == 3:
            sy_6_7_note(record)
        records.append({"seq": seq, "chain": chain.hex(), "event": event})
        if record[0] == 2:
            records[-1]["passage"] = sy_6_9_passage(Reader(record[1:]))
        if record[0] == 4:
            records[-1]["ruling"] = sy_6_10_ruling(Reader(record[1:]))
    batch.end()
    # SY 6.1: under key id 0
    sy_2_5_signed_by_one({0: device}, "events", body, signatures)
    return {"device": device.hex(), "first_seq": first_seq, "previous": previous.hex(), "records": records}

def sy_6_4_presented(record):
    event = record.fields(id=16, earliest_ms=8, latest_ms=8)
    sy_6_4_time(record, event)
    event["lane"] = sy_6_4_text(record, "lane", 64, no_control)
    event.update(record.fields(kind=1, handle=4))
    event["outcome"] = sy_6_4_choice(record, "outcome", {1: "pass", 2: "confirm", 3: "deny"})
    event["reason"] = sy_6_4_text(record, "reason", 32, lambda c: c in REASON)
    event["gate"] = sy_6_4_choice(record, "gate", GATE)
    event["latency_us"] = [record.number(4) for _ in range(4)]
    record.end()
    return event

REASON = "abcdefghijklmnopqrstuvwxyz0123456789_"
GATE = {0: "closed", 1: "opened", 2: "fault", 3: "unknown"}

def no_control(c):
    return not (c < " " or "\x7f" <= c <= "\x9f")

def sy_6_4_time(record, event):
    # SY 6.4
    must(event["latest_ms"] >= event["earliest_ms"], "field", field="time")
    if event["latest_ms"] == 2**64 - 1:
        event["latest_ms"] = None
    event["clock"] = sy_6_4_choice(record, "clock", {1: "synced", 2: "holdover", 3: "system", 4: "floor", 5: "stated"})

def sy_6_9_passage(record):
    passage = record.fields(id=16, of=1, passed=1)
    # SY 6.9
    must(passage["of"] >= 1, "field", field="of")
    must(passage["passed"] <= passage["of"], "field", field="passed")
    record.end()
    return passage

def sy_6_10_ruling(record):
    ruling = record.fields(id=16, earliest_ms=8, latest_ms=8)
    sy_6_4_time(record, ruling)
    ruling["guard"] = sy_6_4_text(record, "guard", 32, no_control)
    ruling["answer"] = sy_6_4_choice(record, "answer", {1: "let_in", 2: "turned_away"})
    ruling["reason"] = sy_6_4_text(record, "reason", 32, lambda c: c in REASON)
    ruling["gate"] = sy_6_4_choice(record, "gate", GATE)
    record.end()
    return ruling

def sy_6_4_choice(record, field, names):
    value = record.number(1)
    # SY 6.4
    must(value in names, "field", field=field)
    return names[value]

def sy_6_4_text(record, field, longest, allowed):
    length = record.number(1)
    # SY 6.4
    must(length <= longest, "field", field=field)
    # SY 6.4: what is not UTF-8 becomes surrogates here, which UTF-8 cannot hold
    text = record.take(length).decode("utf-8", "surrogateescape")
    must(all(allowed(c) and not "\ud800" <= c <= "\udfff" for c in text), "field", field=field)
    return text

def sy_6_5_chain(batch, stored):
    """Whether a batch fits the last record that is stored. After a gap it does: it is stored, and marked."""
    chains = {batch["first_seq"] - 1: batch["previous"]}
    chains.update((record["seq"], record["chain"]) for record in batch["records"])
    # SY 6.5: where the batch tells the chain value at the stored record, it tells the same
    must(chains.get(stored["seq"], stored["chain"]) == stored["chain"], "chain")

# ---- Receipts: SY 6.6 ----

def sy_6_6_receipt(data, keyset, asking):
    body, signatures = sy_2_1_envelope(data, "receipt")
    receipt = Reader(body)
    device = receipt.take(32)
    # PF 3.3
    must(pf_3_3_is_public_key(device), "public_key")
    first_seq, next_seq, chain = receipt.number(8), receipt.number(8), receipt.take(32)
    # SY 6.6
    must(first_seq >= 1, "field", field="first_seq")
    must(first_seq < next_seq < 2**63, "field", field="next_seq")
    receipt.end()
    # SY 6.6: known whatever its validity
    known = {key["id"]: bytes.fromhex(key["public_key"]) for key in keyset["keys"] if key["purpose"] == "receipt"}
    sy_2_5_signed_by_one(known, "receipt", body, signatures)
    # SY 6.6: another device's is told last
    must(device == asking, "device")
    return {"device": device.hex(), "first_seq": first_seq, "next_seq": next_seq, "chain": chain.hex()}

# ---- Notes: SY 6.7 and 6.8, with X25519 (RFC 7748), XSalsa20 and Poly1305 (RFC 8439, 2.5) ----

def sy_6_7_note(record):
    # SY 6.7: the type was looked at; 19 bytes before what is sealed
    must(19 + 49 <= len(record) <= MAX_RECORD_BYTES, "length")
    return {"about": record[1:17].hex(), "key": int.from_bytes(record[17:19], "big")}, record[19:]

def sy_6_8_open(sealed, seed):
    """The text of a note, for the holder of the notes key's seed."""
    # SY 6.8: the first half of the hash, clamped; the public key by u = (1 + y) / (1 - y)
    private = bytearray(sha512(seed).digest()[:32])
    private[0] &= 248
    private[31] = private[31] & 127 | 64
    private = int.from_bytes(private, "little")
    public = x25519(private, (9).to_bytes(32, "little"))
    ephemeral, tag, text = sealed[:32], sealed[32:48], sealed[48:]
    nonce = blake2b(ephemeral + public, digest_size=24).digest()
    key = hsalsa20(x25519(private, ephemeral), bytes(16))
    stream = xsalsa20(key, nonce, 32 + len(text))
    # SY 6.8: what does not open
    must(poly1305(stream[:32], text) == tag, "seal")
    return bytes(a ^ b for a, b in zip(text, stream[32:]))

def x25519(scalar, point):
    u = int.from_bytes(point, "little") & (1 << 255) - 1
    x2, z2, x3, z3 = 1, 0, u, 1
    for bit in reversed(range(255)):
        if scalar >> bit & 1:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = (x2 + z2) % P, (x2 - z2) % P, (x3 + z3) % P, (x3 - z3) % P
        e = (a * a - b * b) % P
        x3, z3 = pow(d * a + c * b, 2, P), u * pow(d * a - c * b, 2, P) % P
        x2, z2 = a * a * b * b % P, e * (a * a + 121665 * e) % P
        if scalar >> bit & 1:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")

def words(data):
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]

def salsa_rounds(key, middle):
    """The state before and after the 20 rounds of Salsa20."""
    c, k, m = words(b"expand 32-byte k"), words(key), words(middle)
    start = [c[0], *k[:4], c[1], *m, c[2], *k[4:], c[3]]
    x = list(start)
    for round in range(20):
        for i in range(4):
            # A column from its diagonal down, then a row from its diagonal on.
            at = [(5 * i + 4 * j) % 16 if round % 2 == 0 else 4 * i + (i + j) % 4 for j in range(4)]
            p, q, r, s = at
            for to, one, other, turn in ((q, p, s, 7), (r, q, p, 9), (s, r, q, 13), (p, s, r, 18)):
                total = x[one] + x[other] & 0xFFFFFFFF
                x[to] ^= (total << turn | total >> 32 - turn) & 0xFFFFFFFF
    return start, x

def hsalsa20(key, nonce):
    _, x = salsa_rounds(key, nonce)
    return b"".join(x[i].to_bytes(4, "little") for i in (0, 5, 10, 15, 6, 7, 8, 9))

def xsalsa20(key, nonce, length):
    key, stream = hsalsa20(key, nonce[:16]), b""
    for block in range(-(-length // 64)):
        start, x = salsa_rounds(key, nonce[16:] + block.to_bytes(8, "little"))
        stream += b"".join((a + b & 0xFFFFFFFF).to_bytes(4, "little") for a, b in zip(start, x))
    return stream[:length]

def poly1305(key, text):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(text), 16):
        total = (total + int.from_bytes(text[at : at + 16] + b"\1", "little")) * r % (2**130 - 5)
    return (total + int.from_bytes(key[16:], "little") & (1 << 128) - 1).to_bytes(16, "little")

# ---- Time: SY 7 ----

def sy_7_2_time(data, keyset, nonce):
    body, signatures = sy_2_1_envelope(data, "time")
    reply = Reader(body)
    # SY 7.1
    answered, at_ms = reply.take(16), reply.number(8)
    reply.end()
    # SY 7.2: by a time key that was valid at that second
    sy_2_5_signed_by_one(known_keys(keyset, "time", at_ms // 1000), "time", body, signatures)
    # SY 7.2: the nonce last
    must(answered == nonce, "nonce")
    return {"at_ms": at_ms}

# ---- The policy: SY 12 ----

DENY, CONFIRM, PASS = 0, 1, 2  # from the least to the most
BUILT_IN = {"lists_confirm_after": 168, "lists_deny_after": 65535, "effective_from": -math.inf, "rules": [
    {"first": 0, "last": 255, "who": "own", "days": 127, "from": 0, "until": 1440, "answer": "pass"}]}  # SY 12.5

def sy_12_1_policy(data):
    # SY 12.1: the size, the magic, and then the rest
    must(len(data) <= LIMITS["policy"], "too_long")
    must(data[:4] == b"TGP1", "magic")
    file, surges, editions = Reader(data[4:]), [], []
    offset = int.from_bytes(file.take(2), "big", signed=True)
    # SY 12.2
    must(-720 <= offset <= 840, "field", field="utc_offset")
    count = file.number(1)
    # SY 12.3
    must(count <= MAX_SURGES, "field", field="surge count")
    for _ in range(count):
        surge = {"from": file.number(4), "until": file.number(4), "minutes": file.number(1)}
        must(0 <= surge["until"] - surge["from"] <= 7 * 86400, "field", field="surge")
        must(11 <= surge["minutes"] <= 60, "field", field="surge minutes")
        must(not surges or surges[-1]["until"] < surge["from"], "order")
        surges.append(surge)
    for _ in range(file.number(2)):
        edition = file.fields(community=4, effective_from=4, lists_confirm_after=2, lists_deny_after=2)
        # SY 12.4
        must(edition["lists_deny_after"] >= edition["lists_confirm_after"], "field", field="lists_deny_after")
        count = file.number(1)
        must(count <= MAX_RULES, "field", field="rule count")
        edition["rules"] = [sy_12_6_rule(file) for _ in range(count)]
        place = lambda e: (e["community"], e["effective_from"])
        must(not editions or place(editions[-1]) < place(edition), "order")
        editions.append(edition)
        same = [e for e in editions if e["community"] == edition["community"]]
        must(len(same) <= MAX_EDITIONS, "field", field="editions of a community")
    file.end()
    return {"utc_offset": offset, "surges": surges, "editions": editions}

def sy_12_6_rule(file):
    rule = file.fields(first=1, last=1, who=1, days=1, **{"from": 2}, until=2, answer=1)
    # SY 12.6
    must(rule["first"] <= rule["last"], "field", field="categories")
    must(rule["who"] <= 1, "field", field="who")
    must(1 <= rule["days"] <= 127, "field", field="days")
    hours = rule["from"] < 1440 and 1 <= rule["until"] <= 1440 and rule["from"] != rule["until"]
    must(hours, "field", field="hours")
    must(1 <= rule["answer"] <= 3, "field", field="answer")
    return {**rule, "who": ["any", "own"][rule["who"]], "answer": ["pass", "confirm", "deny"][rule["answer"] - 1]}

def sy_12_5_editions(policy, community):
    """The editions of a community in time, beginning with the built-in one."""
    own = [e for e in policy["editions"] if e["community"] == community]
    first = min((e["effective_from"] for e in own), default=math.inf)
    general = [e for e in policy["editions"] if e["community"] == 0 and e["effective_from"] < first and community != 0]
    return [BUILT_IN] + general + own

def sy_12_5_edition(policy, community, at):
    return [e for e in sy_12_5_editions(policy, community) if e["effective_from"] <= at][-1]

def sy_12_6_answer(policy, community, category, own, at):
    minute = at // 60 + policy["utc_offset"]  # SY 12.2
    day, of_day = divmod(minute, 1440)
    on = lambda day, rule: rule["days"] >> (day + 3) % 7 & 1  # 1970-01-01 was a Thursday
    for rule in sy_12_5_edition(policy, community, at)["rules"]:
        # SY 12.6: the hours belong to the day on which they begin
        if rule["from"] < rule["until"]:
            within = on(day, rule) and rule["from"] <= of_day < rule["until"]
        else:
            within = (on(day, rule) and of_day >= rule["from"]) or (on(day - 1, rule) and of_day < rule["until"])
        if rule["first"] <= category <= rule["last"] and (own or rule["who"] == "any") and within:
            return {"pass": PASS, "confirm": CONFIRM, "deny": DENY}[rule["answer"]]
    return DENY

def sy_12_8_moments(policy, community, earliest, latest):
    """Moments among which is one of each answer: each minute (it is not fast), but of an edition no more than a week."""
    editions = sy_12_5_editions(policy, community)
    for edition, following in zip(editions, editions[1:] + [None]):
        begin = max(earliest, edition["effective_from"])
        end = min(latest, begin + 604800, following["effective_from"] - 1 if following else math.inf)
        if begin <= end:
            yield from (begin, end)
            yield from range((begin // 60 + 1) * 60, end + 1, 60)

def sy_12_8_answers(policy, communities, category, own, earliest, latest):
    least = most = DENY
    for community in communities:
        moments = sy_12_8_moments(policy, community, earliest, latest)
        answers = {sy_12_6_answer(policy, community, category, own, at) for at in moments}
        # SY 12.7: the most generous of several communities
        least, most = max(least, min(answers)), max(most, max(answers))
    return least, most

def sy_12_9_opens(policy, communities, category, own, latest):
    if latest == math.inf:
        return None
    moments = {latest + 1} | set(range((latest // 60 + 1) * 60, latest + 604801, 60))
    moments |= {e["effective_from"] for e in policy["editions"] if latest < e["effective_from"] <= latest + 604800}
    for at in sorted(moments):
        if any(sy_12_6_answer(policy, community, category, own, at) > DENY for community in communities):
            return at
    return None

def sy_12_8_admission(policy, ask, own, earliest, latest):
    communities = ask["communities"] or [0]
    question = (policy, communities, ask["category"], own)
    least, most = sy_12_8_answers(*question, earliest, latest)
    if most == DENY:
        # SY 12.9
        opens = sy_12_9_opens(*question, latest)
        if opens is not None:
            return "outside_hours", opens
        if not own and sy_12_8_admission(policy, ask, True, earliest, latest)[0] != "not_admitted":
            return "wrong_place", None
        return "not_admitted", None
    return {(PASS, PASS): "pass", (CONFIRM, CONFIRM): "guard_check"}.get((least, most), "clock_uncertain"), None

def sy_12_10_lists(policy, communities, earliest, latest):
    hours = []
    for community in communities:
        moments = sy_12_8_moments(policy, community, earliest, latest)
        lists = [sy_12_5_edition(policy, community, at) for at in moments]
        hours.append((min(e["lists_confirm_after"] for e in lists), max(e["lists_deny_after"] for e in lists)))
    return {"confirm_after": max(h[0] for h in hours), "deny_after": max(h[1] for h in hours)}

def judge_policy(vector):
    policy = sy_12_1_policy(bytes.fromhex(vector["file"]))
    if "ask" not in vector:
        return policy
    ask = vector["ask"]
    earliest, latest = ask["now"]["earliest"], ask["now"]["latest"]
    latest = math.inf if latest is None else latest
    # SY 12.7: a gate that is told no community
    own = not ask["communities"] or ask["community"] in ask["communities"]
    name, opens = sy_12_8_admission(policy, ask, own, earliest, latest)
    lists = sy_12_10_lists(policy, ask["communities"] or [0], earliest, latest)
    return {"admission": name, **({} if opens is None else {"opens": opens}), "lists": lists}

# ---- Rosters: SY 13 ----

def sy_13_1_index(data):
    # SY 13.1: as SY 12.1, the size, the magic, and then the rest
    must(len(data) <= LIMITS["roster_index"], "too_long")
    must(data[:4] == b"TGI1", "magic")
    file, communities = Reader(data[4:]), []
    for _ in range(file.number(4)):
        community = file.fields(community=4, **FILE)
        # SY 13.1: ascending
        must(not communities or communities[-1]["community"] < community["community"], "order")
        communities.append(community)
    file.end()
    return {"communities": communities}

def sy_13_2_roster(data):
    must(len(data) <= LIMITS["roster"], "too_long")
    must(data[:4] == b"TGR1", "magic")
    file = Reader(data[4:])
    roster = {"community": file.number(4), "salt": file.take(16)}
    gates = file.number(2)
    # SY 13.2
    must(gates <= MAX_GATES, "field", field="gate count")
    roster["boxes"] = [file.take(80) for _ in range(gates)]
    roster["entries"] = [file.take(84) for _ in range(file.number(4))]
    file.end()
    # SY 13.2: ascending by locator, none twice
    must(all(a[:8] < b[:8] for a, b in zip(roster["entries"], roster["entries"][1:])), "order")
    return roster

def sy_13_2_key(roster, seed):
    """The roster's key, for the gate of this seed, or None."""
    for box in roster["boxes"]:
        try:
            return sy_6_8_open(box, seed)
        except Refused:
            pass
    return None

def sy_13_3_slot(key, salt, find):
    if "handle" in find:
        what = b"\x01" + find["handle"].to_bytes(4, "big")
    else:
        what = bytes([2, find["kind"]]) + find["number"].encode("ascii")
    return scrypt(key + what, salt=salt, n=8192, r=8, p=1, maxmem=32 << 20, dklen=40)

def sy_13_4_resident(roster, slot):
    """Who is in a slot, or None: nobody, whatever the reason."""
    for entry in roster["entries"]:
        if entry[:8] == slot[:8]:
            nonce, tag, text = entry[8:16] + bytes(16), entry[16:32], entry[32:]
            stream = xsalsa20(slot[8:], nonce, 32 + len(text))
            if poly1305(stream[:32], text) != tag:
                return None
            return sy_13_4_content(bytes(a ^ b for a, b in zip(text, stream[32:])))
    return None

def sy_13_4_content(data):
    content = Reader(data)
    resident = content.fields(handle=4, category=1)
    for field, room in (("name", 20), ("home", 25)):
        length, text = content.number(1), content.take(room)
        # SY 13.4: filled with zeros, UTF-8, without control characters
        if length > room or any(text[length:]):
            return None
        try:
            resident[field] = text[:length].decode("utf-8")
        except UnicodeDecodeError:
            return None
        if not all(no_control(c) for c in resident[field]):
            return None
    return resident

def judge_resident(roster, given):
    key = sy_13_2_key(roster, bytes.fromhex(given["private_key"]))
    if key is None:
        return {"slot": None, "resident": None}
    slot = sy_13_3_slot(key, roster["salt"], given["find"])
    return {"slot": slot.hex(), "resident": sy_13_4_resident(roster, slot)}

# ---- Numbers of documents: SY 14 ----

DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

def sy_14_1_plain(text):
    number = ""
    for c in text:
        if c in " \u3000-":
            continue
        # SY 14.1: before it is looked at
        must(len(number) < 24, "too_long")
        if "\uff01" <= c <= "\uff5e":
            c = chr(ord(c) - 0xFEE0)
        must(c in DIGITS + LETTERS + LETTERS.lower(), "character")
        number += c.upper()
    return number

def sy_14_3_card(number, begins):
    # SY 14.3, in its order
    must(all(c in DIGITS or (at == 17 and c == "X") for at, c in enumerate(number)), "character")
    must(not number or begins(number[:6]), "region")
    must(len(number) < 14 or sy_14_3_is_date(int(number[6:10]), int(number[10:12]), int(number[12:14])), "birth")
    must(len(number) >= 18, "incomplete")
    must(len(number) == 18, "too_long")
    must(number[17] == sy_14_3_check(number), "check")
    return number

def sy_14_3_is_date(year, month, day):
    if not (1850 <= year <= 2099 and 1 <= month <= 12):
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]

def sy_14_3_check(number):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(c) * weight for c, weight in zip(number, weights)) % 11]

def sy_14_3_resident(number):
    province = lambda begin: len(begin) < 2 or 11 <= int(begin[:2]) <= 82
    if len(number) == 15 and all(c in DIGITS for c in number):
        # SY 14.4
        whole = number[:6] + "19" + number[6:]
        try:
            return sy_14_3_card(whole + sy_14_3_check(whole), province)
        except Refused:
            pass
    return sy_14_3_card(number, province)

def sy_14_8_shaped(number, shape):
    # SY 14.8, in its order
    must(all(c in (LETTERS if s == "A" else DIGITS) for c, s in zip(number, shape)), "character")
    must(len(number) >= len(shape), "incomplete")
    must(len(number) == len(shape), "too_long")
    return number

def sy_14_6_permanent_resident(number):
    if number[:1] and number[0] in LETTERS:
        return sy_14_8_shaped(number, "AAA" + 12 * "9")
    return sy_14_3_card(number, lambda begin: begin[0] == "9")

def sy_14_7_travel_permit(number):
    must(not number or number[0] in "HM", "region")
    renewed = len(number) in (10, 11)
    return sy_14_8_shaped(number, "A" + (10 if renewed else 8) * "9")[:9]

def sy_14_9_taiwan_id(number):
    sy_14_8_shaped(number, "A" + 9 * "9")
    must(number[1] in "1289", "region")
    letter = str("ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0]) + 10)
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    must(sum(int(c) * weight for c, weight in zip(letter + number[1:], weights)) % 10 == 0, "check")
    return number

def sy_14_10_any(number):
    must(len(number) >= 5, "incomplete")
    must(len(number) <= 16, "too_long")
    return number

def judge_document(vector):
    # SY 14.5
    permit = lambda begin: any(region.startswith(begin) for region in ("810000", "820000", "830000"))
    rule = {
        "resident_id": sy_14_3_resident,
        "residence_permit": lambda number: sy_14_3_card(number, permit),
        "permanent_resident": sy_14_6_permanent_resident,
        "travel_permit_hk_macao": sy_14_7_travel_permit,
        "travel_permit_taiwan": lambda number: sy_14_8_shaped(number, 8 * "9"),
        "taiwan_id": sy_14_9_taiwan_id,
        "passport": sy_14_10_any,
        "military_officer": sy_14_10_any,
    }[vector["kind"]]
    return {"number": rule(sy_14_1_plain(vector["text"]))}

# ---- The vectors: README.md ----

def judge_list(vector):
    check, given, file = vector["check"], vector["given"], bytes.fromhex(vector["file"])
    root = sy_3_1_pin_root(bytes.fromhex(given["root"])) if "root" in given else None
    keyset = sy_3_3_keyset(bytes.fromhex(given["keyset"]), root) if "keyset" in given else None
    if check == "head_follows":
        head, body = sy_4_1_head(file, keyset)
        known = bytes.fromhex(given["known"])
        known_body, _ = sy_2_1_envelope(known, "head")
        known_head = sy_4_5_head_body(known_body)
        follows = sy_4_2_follows(head, body, known_head, known_body)
        return {"follows": follows or sy_4_7_follows_a_thiefs(head, known_head, known, keyset)}
    if check == "apply":
        fetched = [bytes.fromhex(data) for data in given["fetched"]]
        return sy_5_5_apply(sy_4_1_head(file, keyset)[0], given.get("set"), fetched)
    if check == "note":
        note, sealed = sy_6_7_note(file)
        text = sy_6_8_open(sealed, bytes.fromhex(given["private_key"]))
        return {**note, "text": text.decode("utf-8")}
    if check == "events":
        batch = sy_6_1_events(file)
        if "stored" in given:
            sy_6_5_chain(batch, given["stored"])
        return batch
    if check == "roster":
        roster = sy_13_2_roster(file)
        counts = {"gates": len(roster["boxes"]), "entries": len(roster["entries"])}
        return {"community": roster["community"], "salt": roster["salt"].hex(), **counts}
    if check == "resident":
        return judge_resident(sy_13_2_roster(file), given)
    return {
        "roster_index": lambda: sy_13_1_index(file),
        "root": lambda: sy_3_1_pin_root(file),
        "root_successor": lambda: sy_3_2_root_successor(file, bytes.fromhex(given["known"])),
        "keyset": lambda: sy_3_3_keyset(file, root),
        "head": lambda: sy_4_1_head(file, keyset)[0],
        "named": lambda: sy_1_3_named(file, given["named"]),
        "revocations": lambda: sy_5_1_revocations(file),
        "receipt": lambda: sy_6_6_receipt(file, keyset, bytes.fromhex(given["device"])),
        "time": lambda: sy_7_2_time(file, keyset, bytes.fromhex(given["nonce"])),
    }[check]()

def outcome_of(judge, vector):
    try:
        return judge(vector)
    except Refused as refused:
        return refused.outcome
    except Exception as error:  # a fault of this module or of the file, told like any other disagreement
        return {"fault": repr(error)}

def main():
    here, passed, failed = Path(__file__).resolve().parent, 0, 0
    for folder, judge in (("code", judge_code), ("list", judge_list), ("policy", judge_policy),
                          ("document", judge_document)):
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
