-- What tattile adds to the tables of the system it replaces: nullable or defaulted columns, tables, indexes, triggers; so
-- the old program goes on working on them. Nothing of it may be changed into something the old program would trip over.

ALTER TABLE endpoints
  ADD COLUMN profile text NOT NULL DEFAULT 'compat',
  ADD COLUMN soap_action text,
  ADD COLUMN ca_path text,
  ADD COLUMN timezone text,
  ADD COLUMN wsdl text,
  ADD COLUMN tls_client_certificate boolean NOT NULL DEFAULT false;

ALTER TABLE certificates
  ADD COLUMN subject text,
  ADD COLUMN serial_number text,
  ADD COLUMN fingerprint text;

ALTER TABLE cameras
  ADD COLUMN timezone text,
  ADD COLUMN last_reading_at timestamptz;

-- time_source is null in what the old program wrote: its timestamp_utc is the camera's wall clock, taken for UTC.
-- exact: what a reading said and the old columns cannot hold (a score of 92.5, a text over their length), by field.
ALTER TABLE alpr_readings
  ADD COLUMN protocol text,
  ADD COLUMN time_source text,
  ADD COLUMN device_name text,
  ADD COLUMN transit_id text,
  ADD COLUMN brand text,
  ADD COLUMN model text,
  ADD COLUMN color text,
  ADD COLUMN vehicle_type text,
  ADD COLUMN extra jsonb,
  ADD COLUMN exact jsonb;

-- attempt_log: the newest attempts, an array of objects. camera_id stands here too, so that the queue's indexes can lead by it.
ALTER TABLE messages_queue
  ADD COLUMN camera_id integer,
  ADD COLUMN reason text,
  ADD COLUMN last_failed_at timestamptz,
  ADD COLUMN lease_owner text,
  ADD COLUMN lease_until timestamptz,
  ADD COLUMN attempt_log jsonb;

CREATE TABLE balance (
  part text NOT NULL CHECK (part IN ('queued', 'delivered', 'expired', 'discarded')),
  count bigint NOT NULL
);

CREATE TABLE queue_counts (
  status text NOT NULL,
  reason text NOT NULL,
  count bigint NOT NULL
);

-- What the old program writes lacks what the queue goes by. The functions work with the rights and the schema of whoever made
-- them: the old program may come as another user, who knows nothing of these tables.
CREATE FUNCTION tattile_complete_message() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.camera_id IS NULL THEN
    SELECT r.camera_id INTO NEW.camera_id FROM alpr_readings r WHERE r.id = NEW.reading_id;
  END IF;
  IF NEW.status = 'DEAD' AND NEW.reason IS NULL THEN
    NEW.reason := coalesce(nullif(left(NEW.last_error, 200), ''), 'UNKNOWN');
  ELSIF NEW.status = 'FAILED' AND NEW.next_retry_at IS NULL THEN
    NEW.next_retry_at := now();
  ELSIF NEW.status = 'SENDING' AND NEW.lease_until IS NULL THEN
    NEW.lease_owner := 'replaced-system';
    NEW.lease_until := now() + interval '10 minutes';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tattile_message_inserted BEFORE INSERT ON messages_queue FOR EACH ROW
  WHEN (NEW.camera_id IS NULL OR NEW.status <> 'PENDING') EXECUTE FUNCTION tattile_complete_message();
CREATE TRIGGER tattile_message_changed BEFORE UPDATE ON messages_queue FOR EACH ROW
  WHEN (NEW.camera_id IS NULL
    OR NEW.status = 'DEAD' AND NEW.reason IS NULL
    OR NEW.status = 'FAILED' AND NEW.next_retry_at IS NULL
    OR NEW.status = 'SENDING' AND NEW.lease_until IS NULL)
  EXECUTE FUNCTION tattile_complete_message();

-- What is there already. Whatever was being sent when the old program stopped is sent again.
UPDATE messages_queue SET status = CASE status WHEN 'SENDING' THEN 'PENDING' ELSE status END WHERE camera_id IS NULL;
INSERT INTO queue_counts SELECT status, split_part(coalesce(reason, ''), ':', 1), count(*) FROM messages_queue GROUP BY 1, 2;
INSERT INTO balance SELECT 'queued', count(*) FROM messages_queue;

-- How many messages are in each state: every statement adds what it changed, a sum is the count. Rows that are only added
-- never make two processes wait for each other; the clean-up folds them together.
CREATE FUNCTION tattile_count_inserted() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO queue_counts SELECT status, split_part(coalesce(reason, ''), ':', 1), count(*) FROM added GROUP BY 1, 2;
  INSERT INTO balance SELECT 'queued', count(*) FROM added HAVING count(*) > 0;
  RETURN NULL;
END $$;
CREATE FUNCTION tattile_count_deleted() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO queue_counts SELECT status, split_part(coalesce(reason, ''), ':', 1), -count(*) FROM removed GROUP BY 1, 2;
  -- The old program erases what it delivered and writes it down nowhere.
  IF current_setting('application_name') <> 'tattile' THEN
    INSERT INTO balance SELECT 'delivered', count(*) FROM removed HAVING count(*) > 0;
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION tattile_count_moved() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO queue_counts
    SELECT status, head, sum(change) FROM (
      SELECT status, split_part(coalesce(reason, ''), ':', 1) AS head, 1 AS change FROM added
      UNION ALL
      SELECT status, split_part(coalesce(reason, ''), ':', 1), -1 FROM removed) AS moved
    GROUP BY 1, 2 HAVING sum(change) <> 0;
  RETURN NULL;
END $$;
CREATE TRIGGER tattile_counted_inserted AFTER INSERT ON messages_queue REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION tattile_count_inserted();
CREATE TRIGGER tattile_counted_deleted AFTER DELETE ON messages_queue REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION tattile_count_deleted();
CREATE TRIGGER tattile_counted_moved AFTER UPDATE ON messages_queue REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION tattile_count_moved();

-- (id + 0): were it the id alone, a planner that thinks every camera's messages are evenly spread would walk the primary
-- key instead, past a million messages of other cameras.
CREATE INDEX messages_pending ON messages_queue (camera_id, (id + 0)) WHERE status = 'PENDING';
CREATE INDEX messages_failed ON messages_queue (camera_id, next_retry_at, (id + 0)) WHERE status = 'FAILED';
CREATE INDEX messages_failed_age ON messages_queue (created_at) WHERE status = 'FAILED';
CREATE INDEX messages_sending ON messages_queue (lease_until) WHERE status = 'SENDING';
CREATE INDEX messages_dead ON messages_queue (reason, camera_id, (id + 0)) WHERE status = 'DEAD';
CREATE INDEX messages_dead_since ON messages_queue (updated_at) WHERE status = 'DEAD';
CREATE INDEX messages_dead_age ON messages_queue (created_at) WHERE status = 'DEAD';
-- What the old program delivered and did not erase.
CREATE INDEX messages_success ON messages_queue (id) WHERE status = 'SUCCESS';
-- Without it the erasure of each reading would look through the whole queue for a message that refers to it.
CREATE INDEX messages_reading ON messages_queue (reading_id);

-- Paths below the images folder, also where the old program wrote data/images/ before them.
CREATE INDEX readings_ocr_path ON alpr_readings ((regexp_replace(image_ocr_path::text, '^(/|/.*/|\./)?data/images/', '')))
  WHERE image_ocr_path IS NOT NULL;
CREATE INDEX readings_ctx_path ON alpr_readings ((regexp_replace(image_ctx_path::text, '^(/|/.*/|\./)?data/images/', '')))
  WHERE image_ctx_path IS NOT NULL;

-- A row of the queue lives for seconds: what is dead is cleared away after so many rows, not after a fifth of a table that is
-- mostly empty, and without pauses.
ALTER TABLE messages_queue SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE alpr_readings SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE queue_counts SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE cameras SET (fillfactor = 50);

CREATE TABLE dedupe (
  key bytea PRIMARY KEY CHECK (length(key) = 16),
  seen_at timestamptz NOT NULL
);
CREATE INDEX dedupe_seen ON dedupe (seen_at);

-- Only added to, as queue_counts.
CREATE TABLE tallies (
  camera_serial text NOT NULL,
  tally text NOT NULL,
  count bigint NOT NULL
);
CREATE INDEX tallies_serial ON tallies (camera_serial, tally);
ALTER TABLE tallies SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

INSERT INTO tallies SELECT c.serial_number, 'queued', count(*)
  FROM messages_queue q JOIN cameras c ON c.id = q.camera_id GROUP BY 1;

CREATE TABLE minute_counts (
  minute timestamptz NOT NULL,
  received bigint NOT NULL,
  delivered bigint NOT NULL
);
CREATE INDEX minute_counts_minute ON minute_counts (minute);

CREATE TABLE camera_hours (
  hour timestamptz NOT NULL,
  camera_serial text NOT NULL,
  received bigint NOT NULL
);
CREATE INDEX camera_hours_hour ON camera_hours (hour);

CREATE TABLE delivery_counts (
  endpoint_id integer NOT NULL,
  kind text NOT NULL,
  label text NOT NULL,
  count double precision NOT NULL
);

CREATE TABLE route_states (
  endpoint_id integer NOT NULL,
  certificate_id integer NOT NULL,
  paused_until timestamptz,
  pause_kind text,
  detail text,
  pauses integer NOT NULL DEFAULT 0,
  last_accepted_at timestamptz,
  clock_offset_ms double precision,
  latency_ms double precision,
  mended_at timestamptz,
  PRIMARY KEY (endpoint_id, certificate_id)
);

-- node: whose folder the content lies in; a held message is a file of one machine.
CREATE TABLE quarantine (
  id bigserial PRIMARY KEY,
  node text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('unregistered', 'malformed')),
  reason text NOT NULL,
  camera_serial text,
  protocol text NOT NULL,
  peer text NOT NULL,
  received_at timestamptz NOT NULL,
  size_bytes bigint NOT NULL,
  path text
);
CREATE INDEX quarantine_kind ON quarantine (node, kind, id);
CREATE INDEX quarantine_path ON quarantine (path);

CREATE TABLE store_check (
  id integer PRIMARY KEY CHECK (id = 1),
  at timestamptz NOT NULL
);

CREATE TABLE audit_log (
  id bigserial PRIMARY KEY,
  at timestamptz NOT NULL,
  who text NOT NULL,
  what text NOT NULL,
  message_id bigint,
  detail text NOT NULL
);
CREATE INDEX audit_at ON audit_log (at);

CREATE TABLE retiring_cameras (camera_id integer PRIMARY KEY REFERENCES cameras (id) ON DELETE CASCADE);

CREATE TABLE api_tokens (
  id serial PRIMARY KEY,
  name text NOT NULL,
  name_key text NOT NULL UNIQUE,
  role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz
);

CREATE TABLE api_sessions (
  hash bytea PRIMARY KEY CHECK (length(hash) = 32),
  token_id integer NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX api_sessions_token ON api_sessions (token_id, expires_at);
