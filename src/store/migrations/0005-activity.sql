-- Lasting counts of how things went. None is about a single reading.

-- What left and what came, for the balance: received = delivered + expired + discarded + what queue_counts holds.
CREATE TABLE balance (
  part TEXT NOT NULL PRIMARY KEY CHECK (part IN ('queued', 'delivered', 'expired', 'discarded')),
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO balance (part, count)
  SELECT part, (SELECT coalesce(sum(count), 0) FROM tallies WHERE tally = part)
  FROM (SELECT 'delivered' AS part UNION ALL SELECT 'expired' UNION ALL SELECT 'discarded');
INSERT INTO balance (part, count)
  SELECT 'queued', (SELECT sum(count) FROM balance) + (SELECT count(*) FROM messages_queue);

-- minute and hour: milliseconds since 1970 of their beginning.
CREATE TABLE minute_counts (
  minute INTEGER PRIMARY KEY,
  received INTEGER NOT NULL,
  delivered INTEGER NOT NULL
) STRICT;

CREATE TABLE camera_hours (
  hour INTEGER NOT NULL,
  camera_serial TEXT NOT NULL,
  received INTEGER NOT NULL,
  PRIMARY KEY (hour, camera_serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery_counts (
  endpoint_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  label TEXT NOT NULL,
  count REAL NOT NULL,
  PRIMARY KEY (endpoint_id, kind, label)
) STRICT, WITHOUT ROWID;
