-- Plain jobs that wait lie packed: many of them are one row, of which only the head changes when one of them ends.
CREATE TABLE pack (
  -- The places of its first and its last job; no place between them is another job's.
  seq      INTEGER PRIMARY KEY,
  last     INTEGER NOT NULL,
  -- How many are here still, and a bit for each one that is not.
  left     INTEGER NOT NULL,
  gone     BLOB    NOT NULL,
  queue    TEXT    NOT NULL,
  name     TEXT    NOT NULL,
  priority INTEGER NOT NULL,
  first_id BLOB    NOT NULL,
  last_id  BLOB    NOT NULL
) STRICT;
CREATE INDEX pack_ready ON pack (queue, name, priority);
CREATE INDEX pack_id ON pack (first_id);
CREATE INDEX pack_gone ON pack (last) WHERE left = 0;

-- Their jobs, as many in each row as fit in a page. The row has the place of its first one.
CREATE TABLE packed (seq INTEGER PRIMARY KEY, jobs BLOB NOT NULL) STRICT;
