-- Residents who look after their data themselves. Frozen: a change is a new file.

-- What a person has told of themselves, sealed (name, phone, building, ...). `name` and `home` are those of rows from before; the
-- registry seals them when it is opened, and then they are empty. `phone` is a keyed hash.
ALTER TABLE people ADD COLUMN profile BLOB;
ALTER TABLE people ADD COLUMN phone BLOB CHECK (length(phone) = 32);
ALTER TABLE people ADD COLUMN status TEXT NOT NULL DEFAULT 'normal' CHECK (status IN ('normal', 'frozen'));
ALTER TABLE people ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;
ALTER TABLE people ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX people_phone ON people (phone) WHERE phone IS NOT NULL;
CREATE INDEX people_unsealed ON people (id) WHERE profile IS NULL;

-- The changes people made of their data, each sealed.
CREATE TABLE history (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    person TEXT    NOT NULL REFERENCES people (id),
    at     INTEGER NOT NULL,
    entry  BLOB    NOT NULL
) STRICT;
CREATE INDEX history_person ON history (person, number);

-- Sessions of browsers, by the hash of their token. `draft` is what was typed so far, sealed.
CREATE TABLE sessions (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    person     TEXT    REFERENCES people (id),
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    draft      BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_used ON sessions (used_at);
CREATE INDEX sessions_person ON sessions (person) WHERE person IS NOT NULL;

-- Codes that were sent to phones, each for one session and purpose. `code` is a keyed hash.
CREATE TABLE proofs (
    session   BLOB    NOT NULL REFERENCES sessions (hash) ON DELETE CASCADE,
    purpose   TEXT    NOT NULL,
    phone     BLOB    NOT NULL CHECK (length(phone) = 32),
    code      BLOB    NOT NULL CHECK (length(code) = 32),
    asked_at  INTEGER NOT NULL,
    wrong     INTEGER NOT NULL DEFAULT 0,
    proven_at INTEGER,
    PRIMARY KEY (session, purpose)
) STRICT, WITHOUT ROWID;

-- What is counted against quotas: a row for each subject (a keyed hash) and time. Forgotten after a day.
CREATE TABLE asked (
    subject BLOB    NOT NULL CHECK (length(subject) = 32),
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX asked_subject ON asked (subject, at);
CREATE INDEX asked_at ON asked (at);

-- Work that browsers have done before a message was sent, so that it is good once.
CREATE TABLE spent (
    work  BLOB    NOT NULL PRIMARY KEY CHECK (length(work) = 32),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_until ON spent (until);

-- Where a community lies (the code of a region), and what it was called before, with | between.
ALTER TABLE communities ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE communities ADD COLUMN aliases TEXT NOT NULL DEFAULT '';

-- Messages that are to go out, sealed; written in the transaction of what they tell of.
CREATE TABLE outbox (
    number   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message  BLOB,
    at       INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at   INTEGER,
    outcome  TEXT    CHECK (outcome IN ('sent', 'given_up')),
    CHECK ((due_at IS NULL) = (outcome IS NOT NULL)),
    CHECK ((message IS NULL) = (outcome IS NOT NULL))
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
