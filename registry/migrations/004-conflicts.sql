-- How often a device contradicted itself, counted without reading the whole audit. Frozen: a change is a new file.
CREATE INDEX audit_conflicts ON audit (actor) WHERE act = 'chain_conflict';
