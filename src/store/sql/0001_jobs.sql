CREATE TABLE job (
  seq           INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE,
  queue         TEXT    NOT NULL,
  name          TEXT    NOT NULL,
  data          TEXT    NOT NULL,
  options       TEXT    NOT NULL,
  status        INTEGER NOT NULL,
  ready         INTEGER NOT NULL,
  priority      INTEGER NOT NULL,
  fair_key      TEXT    NOT NULL,
  unique_key    TEXT,
  attempts      INTEGER NOT NULL DEFAULT 0,
  stalls        INTEGER NOT NULL DEFAULT 0,
  fence         INTEGER NOT NULL DEFAULT 0,
  lease_until   INTEGER NOT NULL DEFAULT 0,
  progress      REAL    NOT NULL DEFAULT 0,
  stage         TEXT,
  iteration     INTEGER NOT NULL DEFAULT 0,
  checkpoint    TEXT,
  result        TEXT,
  error_code    TEXT,
  error_message TEXT,
  created_at    INTEGER NOT NULL,
  run_at        INTEGER NOT NULL,
  started_at    INTEGER,
  finished_at   INTEGER
) STRICT;

-- What a claim walks through: priority, then the next fair key, then first in first out.
CREATE INDEX job_ready ON job (queue, name, priority, fair_key, seq) WHERE ready = 1;
-- What the timer waits for.
CREATE INDEX job_due ON job (run_at) WHERE ready = 0 AND status IN (1, 3);
-- What a rescue looks at.
CREATE INDEX job_running ON job (seq) WHERE status = 2;
-- What lists, counts and retention look at.
CREATE INDEX job_status ON job (queue, status, seq);
CREATE UNIQUE INDEX job_unique_key ON job (queue, unique_key) WHERE unique_key IS NOT NULL AND status < 4;

CREATE TABLE job_log (
  seq  INTEGER PRIMARY KEY,
  job  INTEGER NOT NULL,
  line TEXT    NOT NULL
) STRICT;
CREATE INDEX job_log_job ON job_log (job, seq);

CREATE TRIGGER job_log_goes_with_job AFTER DELETE ON job BEGIN
  DELETE FROM job_log WHERE job = old.seq;
END;

CREATE TABLE queue (
  name   TEXT PRIMARY KEY,
  paused INTEGER NOT NULL
) STRICT;

-- One row that a sync rewrites, so that lazily committed rows before it reach the disk.
CREATE TABLE sync (one INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
INSERT INTO sync VALUES (1, 0);
