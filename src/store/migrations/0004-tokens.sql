-- Who may use the API. Neither a token nor a session's cookie can be worked out from what stands here.

CREATE TABLE api_tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER
) STRICT;

CREATE TABLE api_sessions (
  hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  token_id INTEGER NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_sessions_token ON api_sessions (token_id, expires_at);
