-- The registry's first schema. Frozen: a change is a new file.

-- Files by their hash: what the lists serve. A file is dropped a day after the last head that named it.
CREATE TABLE files (
    sha256        BLOB    NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    bytes         BLOB    NOT NULL,
    last_named_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The signed files everything else hangs from. They are never dropped.
CREATE TABLE trust (
    kind    TEXT    NOT NULL CHECK (kind IN ('root', 'keyset')),
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
    sha256  BLOB    NOT NULL REFERENCES files (sha256),
    PRIMARY KEY (kind, version)
) STRICT;

-- The heads of the last day; the highest version is current. `snapshot_at` and `snapshot_checksum` say when the
-- snapshot it names was made and of which set.
CREATE TABLE heads (
    version           INTEGER NOT NULL PRIMARY KEY CHECK (version BETWEEN 1 AND 4294967295),
    issued_at         INTEGER NOT NULL,
    bytes             BLOB    NOT NULL,
    snapshot_at       INTEGER NOT NULL,
    snapshot_checksum BLOB    NOT NULL CHECK (length(snapshot_checksum) = 32)
) STRICT;

CREATE TABLE communities (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- The token is kept only as its hash.
CREATE TABLE people (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    community  INTEGER NOT NULL REFERENCES communities (id),
    category   INTEGER NOT NULL CHECK (category BETWEEN 0 AND 255),
    token_hash BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at INTEGER NOT NULL
) STRICT;

-- A handle is what a code carries instead of a person. `alive_until` is the end of the last code issued on it.
CREATE TABLE handles (
    handle       INTEGER NOT NULL PRIMARY KEY CHECK (handle BETWEEN 1 AND 4294967295),
    person       TEXT    NOT NULL REFERENCES people (id),
    created_at   INTEGER NOT NULL,
    alive_until  INTEGER NOT NULL,
    dropped_at   INTEGER,
    reason       INTEGER CHECK (reason BETWEEN 0 AND 255),
    published_in INTEGER,
    CHECK ((dropped_at IS NULL) = (reason IS NULL)),
    CHECK (published_in IS NULL OR dropped_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX handles_current ON handles (person) WHERE dropped_at IS NULL;
CREATE INDEX handles_waiting ON handles (alive_until) WHERE dropped_at IS NOT NULL AND published_in IS NULL;
CREATE INDEX handles_published ON handles (alive_until) WHERE published_in IS NOT NULL;

CREATE TABLE devices (
    id         INTEGER NOT NULL PRIMARY KEY,
    key        BLOB    NOT NULL UNIQUE CHECK (length(key) = 32),
    status     TEXT    NOT NULL CHECK (status IN ('pending', 'enrolled', 'retired')),
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL
) STRICT;

-- Events as the devices signed them. `chain` is the value after the record; `after_gap` is 1 while the record before it is missing.
CREATE TABLE events (
    number      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    device      INTEGER NOT NULL REFERENCES devices (id),
    seq         INTEGER NOT NULL CHECK (seq >= 1),
    chain       BLOB    NOT NULL CHECK (length(chain) = 32),
    record      BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    after_gap   INTEGER NOT NULL CHECK (after_gap IN (0, 1)),
    UNIQUE (device, seq)
) STRICT;

-- Who did what to whom, written in the transaction of the act. No names, no secrets.
CREATE TABLE audit (
    number  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    act     TEXT    NOT NULL,
    subject TEXT    NOT NULL
) STRICT;
