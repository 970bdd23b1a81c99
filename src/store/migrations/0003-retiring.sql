-- Cameras that go once the last of their messages has gone.
CREATE TABLE retiring_cameras (
  camera_id INTEGER PRIMARY KEY REFERENCES cameras (id) ON DELETE CASCADE
) STRICT;
