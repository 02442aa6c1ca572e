ALTER TABLE job ADD COLUMN waits_for INTEGER NOT NULL DEFAULT 0;
-- Others wait for it.
ALTER TABLE job ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;
-- Of what never changes; NULL in rows of the schema before.
ALTER TABLE job ADD COLUMN crc INTEGER;

DROP INDEX job_due;
-- What the timer waits for.
CREATE INDEX job_due ON job (run_at) WHERE ready = 0 AND status IN (1, 3) AND waits_for = 0;
DROP INDEX job_running;
-- What a rescue looks at, and limits count.
CREATE INDEX job_running ON job (queue, fair_key) WHERE status = 2;

CREATE TABLE dependency (
  parent INTEGER NOT NULL,
  child  INTEGER NOT NULL,
  -- Whether the child runs when its parent failed.
  runs   INTEGER NOT NULL,
  PRIMARY KEY (parent, child)
) STRICT, WITHOUT ROWID;

ALTER TABLE queue ADD COLUMN limits TEXT;
-- The starts of the present time of a rate; the key of a whole queue is empty.
CREATE TABLE rate (
  queue TEXT    NOT NULL,
  key   TEXT    NOT NULL,
  since INTEGER NOT NULL,
  used  INTEGER NOT NULL,
  PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule (
  queue     TEXT NOT NULL,
  id        TEXT NOT NULL,
  cron      TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  missed    TEXT NOT NULL,
  job       TEXT NOT NULL,
  next_at   INTEGER,
  last_at   INTEGER,
  PRIMARY KEY (queue, id)
) STRICT;
CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL;
