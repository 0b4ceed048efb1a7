-- Where people live, their documents, and the rosters made of both. Frozen: a change is a new file.

-- What is stale is found without reading the files themselves, which may be large now.
CREATE INDEX files_last_named ON files (last_named_at);

ALTER TABLE people ADD COLUMN home TEXT NOT NULL DEFAULT '';
CREATE INDEX people_community ON people (community);

-- A document is here only sealed under a key that is not in the database, and is found by a keyed hash of kind and number.
CREATE TABLE documents (
    person TEXT NOT NULL PRIMARY KEY REFERENCES people (id),
    lookup BLOB NOT NULL UNIQUE CHECK (length(lookup) = 32),
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The communities whose people a gate may look up.
CREATE TABLE serves (
    device    INTEGER NOT NULL REFERENCES devices (id),
    community INTEGER NOT NULL REFERENCES communities (id),
    PRIMARY KEY (community, device)
) STRICT, WITHOUT ROWID;

-- The roster of a community. `sealed_key` and `salt` are what its slots are made with; `renew` is 1 once a gate was taken away
-- since they were drawn. `inputs` is a digest of what the newest file was made of.
CREATE TABLE rosters (
    community  INTEGER NOT NULL PRIMARY KEY REFERENCES communities (id),
    salt       BLOB    NOT NULL CHECK (length(salt) = 16),
    sealed_key BLOB    NOT NULL,
    renew      INTEGER NOT NULL CHECK (renew IN (0, 1)),
    version    INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    sha256     BLOB    REFERENCES files (sha256),
    inputs     BLOB    CHECK (length(inputs) = 32),
    entries    INTEGER NOT NULL DEFAULT 0,
    gates      INTEGER NOT NULL DEFAULT 0,
    made_at    INTEGER NOT NULL DEFAULT 0,
    CHECK ((sha256 IS NULL) = (inputs IS NULL))
) STRICT;

-- The index that names the newest rosters.
CREATE TABLE roster_index (
    version INTEGER NOT NULL PRIMARY KEY CHECK (version BETWEEN 1 AND 4294967295),
    sha256  BLOB    NOT NULL REFERENCES files (sha256)
) STRICT;

-- Slots take long to make, so each is made once; sealed like documents. `what` is 1 for the handle's, 2 for the document's;
-- `made_for` is a digest of all that a slot depends on: it is good as long as that is the same.
CREATE TABLE slots (
    person   TEXT    NOT NULL REFERENCES people (id),
    what     INTEGER NOT NULL CHECK (what IN (1, 2)),
    made_for BLOB    NOT NULL CHECK (length(made_for) = 32),
    sealed   BLOB    NOT NULL,
    PRIMARY KEY (person, what)
) STRICT, WITHOUT ROWID;
