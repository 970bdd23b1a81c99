-- The shortest time from taking to receipt within the hour, milliseconds: what a camera's clock is off by, and less than 0
-- when it is fast. Null where no reading of the hour had a time of the camera's own.
ALTER TABLE camera_hours ADD COLUMN least_delay_ms bigint;
