-- Municipalities on their way from one certificate to the next.
CREATE TABLE certificate_rotations (
  municipality_id integer PRIMARY KEY REFERENCES municipalities (id) ON DELETE CASCADE,
  next_id integer NOT NULL REFERENCES certificates (id),
  previous_id integer REFERENCES certificates (id),
  state text NOT NULL CHECK (state IN ('staged', 'trying', 'failed')),
  detail text,
  staged_at timestamptz NOT NULL,
  started_at timestamptz
);
