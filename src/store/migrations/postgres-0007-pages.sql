-- A page of what failed or was given up, wherever it begins, without reading and sorting all of it.
CREATE INDEX messages_failed_id ON messages_queue (id) WHERE status = 'FAILED';
CREATE INDEX messages_dead_id ON messages_queue (id) WHERE status = 'DEAD';
