-- Small values that processes share.
CREATE TABLE state (
  key     TEXT    PRIMARY KEY,
  version INTEGER NOT NULL,
  value   TEXT    NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
