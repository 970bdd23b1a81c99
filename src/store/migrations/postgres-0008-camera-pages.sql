-- The same of one camera.
CREATE INDEX messages_failed_camera ON messages_queue (camera_id, (id + 0)) WHERE status = 'FAILED';
CREATE INDEX messages_dead_camera ON messages_queue (camera_id, (id + 0)) WHERE status = 'DEAD';
