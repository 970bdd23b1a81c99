-- When an operator last asked that a paused route be tried now, without having mended anything.
ALTER TABLE route_states ADD COLUMN tried_at INTEGER;
