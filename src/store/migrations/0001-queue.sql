-- Tables and columns carry the names of the system that tattile replaces; what it did not have stands last in each table.
-- Instants are milliseconds since 1970 in UTC. What a camera says in numbers is REAL: STRICT would refuse 1.5 in an INTEGER
-- column, and one odd reading would hold up its whole group.

CREATE TABLE endpoints (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  timeout_ms INTEGER NOT NULL DEFAULT 30000,
  retry_max INTEGER NOT NULL DEFAULT 3,
  retry_backoff_ms INTEGER NOT NULL DEFAULT 1000,
  -- The name in lower case, also beyond ASCII (NOCASE would keep Òdena and òdena apart).
  name_key TEXT NOT NULL UNIQUE,
  profile TEXT NOT NULL DEFAULT 'compat',
  soap_action TEXT,
  ca_path TEXT,
  timezone TEXT,
  wsdl TEXT,
  tls_client_certificate INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE certificates (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  type TEXT,
  path TEXT,
  password_ref TEXT,
  valid_from INTEGER,
  valid_to INTEGER,
  active INTEGER NOT NULL DEFAULT 1,
  key_path TEXT,
  alias TEXT,
  pfx_path TEXT,
  privpub_path TEXT,
  public_cert_path TEXT,
  municipality_id INTEGER REFERENCES municipalities (id) ON DELETE SET NULL,
  created_at INTEGER,
  updated_at INTEGER,
  client_cert_path TEXT,
  -- Not unique: a renewed certificate may carry the name of the one it replaces.
  name_key TEXT NOT NULL,
  subject TEXT,
  serial_number TEXT,
  fingerprint TEXT
) STRICT;

CREATE TABLE municipalities (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  code TEXT,
  certificate_id INTEGER REFERENCES certificates (id),
  endpoint_id INTEGER REFERENCES endpoints (id),
  active INTEGER NOT NULL DEFAULT 1,
  name_key TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE cameras (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  serial_number TEXT NOT NULL UNIQUE,
  codigo_lector TEXT NOT NULL,
  description TEXT,
  municipality_id INTEGER NOT NULL REFERENCES municipalities (id),
  endpoint_id INTEGER REFERENCES endpoints (id),
  active INTEGER NOT NULL DEFAULT 1,
  certificate_id INTEGER REFERENCES certificates (id),
  utm_x REAL,
  utm_y REAL,
  coord_x TEXT,
  coord_y TEXT,
  last_sent_at INTEGER,
  timezone TEXT,
  last_reading_at INTEGER
) STRICT;

-- No foreign key points here and no trigger watches: either would turn the emptying of the whole table, which is what
-- overwrites old plates (see sqlite-scrub.ts), into a delete row by row. Reading and message are written and erased together.
CREATE TABLE alpr_readings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  camera_id INTEGER NOT NULL,
  device_sn TEXT,
  plate TEXT,
  timestamp_utc INTEGER,
  direction TEXT,
  lane_id REAL,
  lane_descr TEXT,
  ocr_score REAL,
  country_code TEXT,
  country TEXT,
  bbox_min_x REAL,
  bbox_min_y REAL,
  bbox_max_x REAL,
  bbox_max_y REAL,
  char_height REAL,
  has_image_ocr INTEGER NOT NULL GENERATED ALWAYS AS (image_ocr_path IS NOT NULL) VIRTUAL,
  has_image_ctx INTEGER NOT NULL GENERATED ALWAYS AS (image_ctx_path IS NOT NULL) VIRTUAL,
  created_at INTEGER NOT NULL,
  image_ocr_path TEXT,
  image_ctx_path TEXT,
  protocol TEXT NOT NULL,
  time_source TEXT NOT NULL,
  device_name TEXT,
  transit_id TEXT,
  brand TEXT,
  model TEXT,
  color TEXT,
  vehicle_type TEXT,
  extra TEXT,
  -- Last, as the longest: what stands behind it would be read through its overflow pages.
  raw_xml TEXT
) STRICT;

CREATE INDEX readings_ocr_path ON alpr_readings (image_ocr_path) WHERE image_ocr_path IS NOT NULL;
-- A context image is found by its OCR image's name; only where that does not lead there has it an entry of its own.
CREATE INDEX readings_ctx_path ON alpr_readings (image_ctx_path)
  WHERE image_ctx_path IS NOT NULL AND image_ocr_path IS NOT replace(image_ctx_path, '_ctx', '_ocr');

-- A message carries the id of its reading. camera_id stands here too, so that the queue's indexes can lead by camera.
CREATE TABLE messages_queue (
  id INTEGER PRIMARY KEY,
  reading_id INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'SENDING', 'SUCCESS', 'FAILED', 'DEAD')),
  attempts INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER,
  updated_at INTEGER NOT NULL,
  last_sent_at INTEGER,
  next_retry_at INTEGER,
  camera_id INTEGER NOT NULL,
  reason TEXT,
  last_failed_at INTEGER,
  lease_owner TEXT,
  lease_until INTEGER,
  CHECK ((status = 'SENDING') = (lease_owner IS NOT NULL AND lease_until IS NOT NULL)),
  CHECK ((status = 'FAILED') = (next_retry_at IS NOT NULL)),
  CHECK ((status = 'DEAD') = (reason IS NOT NULL))
) STRICT;

CREATE INDEX messages_pending ON messages_queue (camera_id, id) WHERE status = 'PENDING';
CREATE INDEX messages_failed ON messages_queue (camera_id, next_retry_at, id) WHERE status = 'FAILED';
CREATE INDEX messages_failed_age ON messages_queue (created_at) WHERE status = 'FAILED';
CREATE INDEX messages_sending ON messages_queue (lease_until, lease_owner) WHERE status = 'SENDING';
CREATE INDEX messages_dead ON messages_queue (reason, camera_id, id) WHERE status = 'DEAD';
CREATE INDEX messages_dead_since ON messages_queue (updated_at) WHERE status = 'DEAD';
CREATE INDEX messages_dead_age ON messages_queue (created_at) WHERE status = 'DEAD';

CREATE TABLE message_attempts (
  message_id INTEGER NOT NULL REFERENCES messages_queue (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL,
  duration_ms REAL NOT NULL,
  PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;

-- How many messages are in each state, kept by triggers so that no path can forget it. DEAD is split by the reason up to its
-- colon; ERASED counts upwards for ever and tells the scrubber that there is something to overwrite.
CREATE TABLE queue_counts (
  status TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  count INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (status, reason)
) STRICT, WITHOUT ROWID;
INSERT INTO queue_counts (status) VALUES ('PENDING'), ('SENDING'), ('SUCCESS'), ('FAILED'), ('ERASED');

CREATE TRIGGER messages_inserted AFTER INSERT ON messages_queue BEGIN
  INSERT INTO queue_counts (status, reason, count)
    VALUES (NEW.status, substr(coalesce(NEW.reason, ''), 1, instr(coalesce(NEW.reason, '') || ':', ':') - 1), 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER messages_deleted AFTER DELETE ON messages_queue BEGIN
  UPDATE queue_counts SET count = count - 1
    WHERE status = OLD.status AND reason = substr(coalesce(OLD.reason, ''), 1, instr(coalesce(OLD.reason, '') || ':', ':') - 1);
  UPDATE queue_counts SET count = count + 1 WHERE status = 'ERASED' AND reason = '';
  DELETE FROM queue_counts WHERE OLD.status = 'DEAD' AND status = 'DEAD' AND count = 0;
END;
CREATE TRIGGER messages_moved AFTER UPDATE OF status, reason ON messages_queue
  WHEN OLD.status <> NEW.status OR OLD.reason IS NOT NEW.reason BEGIN
  UPDATE queue_counts SET count = count - 1
    WHERE status = OLD.status AND reason = substr(coalesce(OLD.reason, ''), 1, instr(coalesce(OLD.reason, '') || ':', ':') - 1);
  DELETE FROM queue_counts WHERE OLD.status = 'DEAD' AND status = 'DEAD' AND count = 0;
  INSERT INTO queue_counts (status, reason, count)
    VALUES (NEW.status, substr(coalesce(NEW.reason, ''), 1, instr(coalesce(NEW.reason, '') || ':', ':') - 1), 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TABLE dedupe (
  key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 16),
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX dedupe_seen ON dedupe (seen_at);

CREATE TABLE tallies (
  camera_serial TEXT NOT NULL,
  tally TEXT NOT NULL,
  count INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (camera_serial, tally)
) STRICT, WITHOUT ROWID;

CREATE TABLE route_states (
  endpoint_id INTEGER NOT NULL,
  certificate_id INTEGER NOT NULL,
  paused_until INTEGER,
  pause_kind TEXT,
  detail TEXT,
  pauses INTEGER NOT NULL DEFAULT 0,
  last_accepted_at INTEGER,
  clock_offset_ms REAL,
  latency_ms REAL,
  mended_at INTEGER,
  PRIMARY KEY (endpoint_id, certificate_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('unregistered', 'malformed')),
  reason TEXT NOT NULL,
  camera_serial TEXT,
  protocol TEXT NOT NULL,
  peer TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  path TEXT
) STRICT;
CREATE INDEX quarantine_kind ON quarantine (kind, id);
CREATE INDEX quarantine_path ON quarantine (path);

CREATE TABLE store_check (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  at INTEGER NOT NULL
) STRICT;
