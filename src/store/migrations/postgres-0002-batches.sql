-- Batches that were taken over from another store: one that comes again, after a crash of its mover, is not written again.
CREATE TABLE moved_batches (
  id text PRIMARY KEY,
  moved_at timestamptz NOT NULL
);
CREATE INDEX moved_batches_age ON moved_batches (moved_at);
