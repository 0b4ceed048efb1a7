-- What a receipt says, and what shows later that no record was changed. Frozen: a change is a new file.

-- Where a run without a gap begins, found without reading the run.
CREATE INDEX events_after_gap ON events (device, seq) WHERE after_gap = 1;
-- Marks that outlived their gap: a batch that filled several removed only the last.
UPDATE events SET after_gap = 0 WHERE after_gap = 1 AND EXISTS
    (SELECT 1 FROM events AS before WHERE before.device = events.device AND before.seq = events.seq - 1);

-- The device's signature of each batch that brought something new: with the records it makes the batch again.
CREATE TABLE batches (
    device    INTEGER NOT NULL REFERENCES devices (id),
    first_seq INTEGER NOT NULL CHECK (first_seq >= 1),
    count     INTEGER NOT NULL CHECK (count BETWEEN 1 AND 500),
    previous  BLOB    NOT NULL CHECK (length(previous) = 32),
    signature BLOB    NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (device, first_seq, count)
) STRICT, WITHOUT ROWID;

-- Up to this number a device's records came before signatures were kept.
ALTER TABLE devices ADD COLUMN unsigned_to INTEGER NOT NULL DEFAULT 0;
UPDATE devices SET unsigned_to = (SELECT coalesce(max(seq), 0) FROM events WHERE device = devices.id);
