CREATE TABLE auton8n.job (
  seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id            text COLLATE "C" NOT NULL UNIQUE,
  queue         text COLLATE "C" NOT NULL,
  name          text COLLATE "C" NOT NULL,
  data          text NOT NULL,
  options       text NOT NULL,
  status        smallint NOT NULL,
  ready         boolean NOT NULL,
  priority      smallint NOT NULL,
  fair_key      text COLLATE "C" NOT NULL,
  unique_key    text COLLATE "C",
  attempts      integer NOT NULL DEFAULT 0,
  stalls        integer NOT NULL DEFAULT 0,
  fence         bigint NOT NULL DEFAULT 0,
  lease_until   bigint NOT NULL DEFAULT 0,
  progress      double precision NOT NULL DEFAULT 0,
  stage         text,
  iteration     bigint NOT NULL DEFAULT 0,
  checkpoint    text,
  log           text[] NOT NULL DEFAULT '{}',
  result        text,
  error_code    text,
  error_message text,
  created_at    bigint NOT NULL,
  run_at        bigint NOT NULL,
  started_at    bigint,
  finished_at   bigint
);

-- What a claim walks through: priority, then the next fair key, then first in first out.
CREATE INDEX job_ready ON auton8n.job (queue, name, priority, fair_key, seq) WHERE ready;
-- What the timer waits for.
CREATE INDEX job_due ON auton8n.job (run_at) WHERE NOT ready AND status IN (1, 3);
-- What a rescue looks at.
CREATE INDEX job_running ON auton8n.job (seq) WHERE status = 2;
-- What lists, counts and retention look at.
CREATE INDEX job_status ON auton8n.job (queue, status, seq);
CREATE UNIQUE INDEX job_unique_key ON auton8n.job (queue, unique_key) WHERE unique_key IS NOT NULL AND status < 4;

CREATE TABLE auton8n.queue (
  name   text COLLATE "C" PRIMARY KEY,
  paused boolean NOT NULL
);

-- The fair key that was served last.
CREATE TABLE auton8n.turn (
  queue    text COLLATE "C" NOT NULL,
  priority smallint NOT NULL,
  key      text COLLATE "C",
  PRIMARY KEY (queue, priority)
) WITH (fillfactor = 50);

-- The first fair key after `after` that waits, among those not in `skipped`.
CREATE FUNCTION auton8n.next_key(of_queue text, names text[], of_priority smallint, after text, skipped text[])
RETURNS text LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  SELECT min(found.fair_key) FROM unnest(names) AS of_name CROSS JOIN LATERAL (
    SELECT fair_key FROM auton8n.job
    WHERE queue = of_queue AND name = of_name AND priority = of_priority AND ready
      AND (after IS NULL OR fair_key > after) AND fair_key <> ALL (skipped)
    ORDER BY name, priority, fair_key LIMIT 1) AS found
$$;

-- Takes up to `most` jobs: strictly by priority, in turns over the fair keys, first in first out in each.
-- While one key waits, claims run side by side; keys that take turns are served by one claim at a time.
CREATE FUNCTION auton8n.claim(of_queue text, names text[], most integer, at bigint, until bigint, token bigint)
RETURNS SETOF auton8n.job LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  room     integer := most;
  level    smallint := 0;
  first    text;
  last     text;
  chosen   bigint[];
  skipped  text[];
  taken    integer;
BEGIN
  IF EXISTS (SELECT FROM auton8n.queue WHERE name = of_queue AND paused) THEN
    RETURN;
  END IF;
  LOOP
    SELECT min(found.priority) INTO level FROM unnest(names) AS of_name CROSS JOIN LATERAL (
      SELECT priority FROM auton8n.job
      WHERE queue = of_queue AND name = of_name AND ready AND priority >= level
      ORDER BY name, priority LIMIT 1) AS found;
    EXIT WHEN level IS NULL;
    skipped := '{}';
    first := auton8n.next_key(of_queue, names, level, NULL, skipped);
    IF first IS NULL THEN
      -- Another claim took them just now.
      level := level + 1;
      CONTINUE;
    END IF;
    IF cardinality(names) = 1 AND auton8n.next_key(of_queue, names, level, first, skipped) IS NULL THEN
      RETURN QUERY WITH picked AS (
        SELECT seq FROM auton8n.job
        WHERE queue = of_queue AND name = names[1] AND priority = level AND fair_key = first AND ready
        ORDER BY seq LIMIT room FOR UPDATE SKIP LOCKED
      ), claimed AS (
        UPDATE auton8n.job SET status = 2, ready = false, attempts = attempts + 1,
          fence = greatest(fence + 1, token), lease_until = until, started_at = at
        WHERE seq IN (SELECT seq FROM picked) RETURNING job.*
      ) SELECT * FROM claimed ORDER BY seq;
      GET DIAGNOSTICS taken = ROW_COUNT;
      IF NOT EXISTS (SELECT FROM auton8n.turn WHERE queue = of_queue AND priority = level AND key = first) THEN
        INSERT INTO auton8n.turn AS turn VALUES (of_queue, level, first)
        ON CONFLICT (queue, priority) DO UPDATE SET key = excluded.key;
      END IF;
      room := room - taken;
    ELSE
      INSERT INTO auton8n.turn VALUES (of_queue, level, NULL) ON CONFLICT DO NOTHING;
      SELECT key INTO last FROM auton8n.turn WHERE queue = of_queue AND priority = level FOR UPDATE;
      WHILE room > 0 LOOP
        first := coalesce(
          auton8n.next_key(of_queue, names, level, last, skipped),
          auton8n.next_key(of_queue, names, level, NULL, skipped));
        EXIT WHEN first IS NULL;
        -- Several names of one key: the oldest of all, which is not locked before it is known.
        SELECT array_agg(seq) INTO chosen FROM (
          SELECT found.seq FROM unnest(names) AS of_name CROSS JOIN LATERAL (
            SELECT seq FROM auton8n.job
            WHERE queue = of_queue AND name = of_name AND priority = level AND fair_key = first AND ready
            ORDER BY name, priority, fair_key, seq LIMIT 8) AS found
          ORDER BY found.seq LIMIT 8) AS oldest;
        RETURN QUERY WITH picked AS (
          SELECT seq FROM auton8n.job WHERE seq = ANY (chosen) AND ready ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED
        ) UPDATE auton8n.job SET status = 2, ready = false, attempts = attempts + 1,
          fence = greatest(fence + 1, token), lease_until = until, started_at = at
        WHERE seq IN (SELECT seq FROM picked) RETURNING job.*;
        GET DIAGNOSTICS taken = ROW_COUNT;
        IF taken = 0 THEN
          skipped := skipped || first;
        ELSE
          last := first;
        END IF;
        room := room - taken;
      END LOOP;
      UPDATE auton8n.turn SET key = last WHERE queue = of_queue AND priority = level AND key IS DISTINCT FROM last;
    END IF;
    EXIT WHEN room <= 0;
    level := level + 1;
  END LOOP;
END
$$;
