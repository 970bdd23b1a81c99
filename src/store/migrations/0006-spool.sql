-- Batches that were taken over from another store: a batch that comes again, after a crash of its mover, is not written again.
CREATE TABLE moved_batches (
  id TEXT PRIMARY KEY,
  moved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX moved_batches_age ON moved_batches (moved_at);

-- Only used where this file is a spool (see store/spool-file.ts): the hash of each reading, for the store that it moves to,
-- and the batch that is moving now.
CREATE TABLE spooled_keys (
  reading_id INTEGER PRIMARY KEY,
  key BLOB NOT NULL
) STRICT;
CREATE TABLE moving_batch (
  id TEXT PRIMARY KEY,
  contents TEXT NOT NULL
) STRICT, WITHOUT ROWID;
