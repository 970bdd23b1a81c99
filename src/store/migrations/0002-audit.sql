-- What operators did on purpose. No plate ever stands here.
CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  message_id INTEGER,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit_log (at);
