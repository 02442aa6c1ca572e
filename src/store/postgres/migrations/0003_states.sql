-- Small values that processes share.
CREATE TABLE auton8n.state (
  key     text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  value   text NOT NULL,
  at      bigint NOT NULL
);
