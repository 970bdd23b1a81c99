-- The tables of the system that tattile replaces, at its revision 0006_camera_last_sent, for a database that is new. One
-- difference: readings and messages are numbered in bigint, since a county's 20 million a day use up an integer in 107 days.
CREATE TABLE endpoints (
  id serial PRIMARY KEY,
  name varchar(255) NOT NULL,
  url varchar(2048) NOT NULL,
  timeout_ms integer NOT NULL DEFAULT 30000,
  retry_max integer NOT NULL DEFAULT 3,
  retry_backoff_ms integer NOT NULL DEFAULT 1000
);

CREATE TABLE certificates (
  id serial PRIMARY KEY,
  name varchar(255) NOT NULL,
  type varchar(50),
  path varchar(1024),
  password_ref varchar(255),
  valid_from timestamptz,
  valid_to timestamptz,
  active boolean NOT NULL DEFAULT true,
  key_path varchar(1024),
  alias varchar(255),
  pfx_path varchar(1024),
  privpub_path varchar(1024),
  public_cert_path varchar(1024),
  municipality_id integer,
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now(),
  client_cert_path varchar(1024)
);

CREATE TABLE municipalities (
  id serial PRIMARY KEY,
  name varchar(255) NOT NULL,
  code varchar(64),
  certificate_id integer REFERENCES certificates (id),
  endpoint_id integer REFERENCES endpoints (id),
  active boolean NOT NULL DEFAULT true
);

ALTER TABLE certificates ADD CONSTRAINT certificates_municipality_fk
  FOREIGN KEY (municipality_id) REFERENCES municipalities (id) ON DELETE SET NULL;

CREATE TABLE cameras (
  id serial PRIMARY KEY,
  serial_number varchar(255) NOT NULL UNIQUE,
  codigo_lector varchar(255) NOT NULL,
  description varchar(255),
  municipality_id integer NOT NULL REFERENCES municipalities (id),
  endpoint_id integer REFERENCES endpoints (id),
  active boolean NOT NULL DEFAULT true,
  certificate_id integer REFERENCES certificates (id),
  utm_x double precision,
  utm_y double precision,
  coord_x varchar(32),
  coord_y varchar(32),
  last_sent_at timestamptz
);

CREATE TABLE alpr_readings (
  id bigserial PRIMARY KEY,
  camera_id integer NOT NULL REFERENCES cameras (id),
  device_sn varchar(255),
  plate varchar(32),
  timestamp_utc timestamptz,
  direction varchar(32),
  lane_id integer,
  lane_descr varchar(255),
  ocr_score integer,
  country_code varchar(16),
  country varchar(255),
  bbox_min_x integer,
  bbox_min_y integer,
  bbox_max_x integer,
  bbox_max_y integer,
  char_height integer,
  has_image_ocr boolean NOT NULL DEFAULT false,
  has_image_ctx boolean NOT NULL DEFAULT false,
  raw_xml text,
  created_at timestamptz NOT NULL DEFAULT now(),
  image_ocr_path varchar(1024),
  image_ctx_path varchar(1024)
);

CREATE TABLE messages_queue (
  id bigserial PRIMARY KEY,
  reading_id bigint NOT NULL REFERENCES alpr_readings (id),
  status varchar(32) NOT NULL DEFAULT 'PENDING',
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  last_sent_at timestamptz,
  next_retry_at timestamptz
);

CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('0006_camera_last_sent');
