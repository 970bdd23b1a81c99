-- Municipalities on their way from one certificate to the next.
CREATE TABLE certificate_rotations (
  municipality_id INTEGER NOT NULL PRIMARY KEY REFERENCES municipalities (id) ON DELETE CASCADE,
  next_id INTEGER NOT NULL REFERENCES certificates (id),
  previous_id INTEGER REFERENCES certificates (id),
  state TEXT NOT NULL CHECK (state IN ('staged', 'trying', 'failed')),
  detail TEXT,
  staged_at INTEGER NOT NULL,
  started_at INTEGER
) STRICT;
