-- The policies there were, as files; the highest version is current. They are few and never dropped.
CREATE TABLE policies (
    version INTEGER NOT NULL PRIMARY KEY CHECK (version BETWEEN 1 AND 4294967295),
    sha256  BLOB    NOT NULL REFERENCES files (sha256)
) STRICT;
