ALTER TABLE auton8n.job
  ADD COLUMN waits_for integer NOT NULL DEFAULT 0,
  -- Others wait for it.
  ADD COLUMN parent boolean NOT NULL DEFAULT false;

DROP INDEX auton8n.job_due;
-- What the timer waits for.
CREATE INDEX job_due ON auton8n.job (run_at) WHERE NOT ready AND status IN (1, 3) AND waits_for = 0;

CREATE TABLE auton8n.dependency (
  parent text COLLATE "C" NOT NULL,
  child  text COLLATE "C" NOT NULL,
  -- Whether the child runs when its parent failed.
  runs   boolean NOT NULL,
  PRIMARY KEY (parent, child)
);

-- Those that waited for a job that is over wait no more for it.
CREATE FUNCTION auton8n.release(of_id text, ended smallint, at bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF ended > 4 THEN
    UPDATE auton8n.job SET error_code = 'AUTON8N_DEPENDENCY_FAILED', waits_for = 0, run_at = least(run_at, at),
      error_message = 'the job ' || of_id || ' that it waits for failed or was cancelled'
    WHERE status = 1 AND waits_for > 0 AND id IN (SELECT child FROM auton8n.dependency WHERE parent = of_id AND NOT runs);
  END IF;
  UPDATE auton8n.job SET waits_for = waits_for - 1
  WHERE status = 1 AND waits_for > 0 AND id IN (SELECT child FROM auton8n.dependency WHERE parent = of_id);
  DELETE FROM auton8n.dependency WHERE parent = of_id;
  RETURN true;
END
$$;

ALTER TABLE auton8n.queue ADD COLUMN limits jsonb;
-- The starts of the present time of a rate; the key of a whole queue is empty.
CREATE TABLE auton8n.rate (
  queue text COLLATE "C" NOT NULL,
  key   text COLLATE "C" NOT NULL,
  since bigint NOT NULL,
  used  integer NOT NULL,
  PRIMARY KEY (queue, key)
) WITH (fillfactor = 50);

-- How many jobs of a queue, or of one of its keys, may start.
CREATE FUNCTION auton8n.room(of_queue text, of_key text, rule jsonb, at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  room bigint := 2147483647;
BEGIN
  IF rule ->> 'concurrency' IS NOT NULL THEN
    SELECT (rule ->> 'concurrency')::bigint - count(*) INTO room FROM auton8n.job
    WHERE queue = of_queue AND status = 2 AND (of_key IS NULL OR fair_key = of_key);
  END IF;
  IF rule -> 'rate' ->> 'count' IS NOT NULL THEN
    room := least(room, (rule -> 'rate' ->> 'count')::bigint - coalesce((
      SELECT used FROM auton8n.rate WHERE queue = of_queue AND key = coalesce(of_key, '')
        AND since <= at AND at < since + (rule -> 'rate' ->> 'per')::bigint), 0));
  END IF;
  RETURN greatest(room, 0);
END
$$;

-- Counts a start.
CREATE FUNCTION auton8n.started(of_queue text, of_key text, rule jsonb, at bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO auton8n.rate AS rate SELECT of_queue, of_key, at, 1 WHERE rule ->> 'per' IS NOT NULL
  ON CONFLICT (queue, key) DO UPDATE SET
    used = CASE WHEN rate.since <= at AND at < rate.since + (rule ->> 'per')::bigint THEN rate.used + 1 ELSE 1 END,
    since = CASE WHEN rate.since <= at AND at < rate.since + (rule ->> 'per')::bigint THEN rate.since ELSE at END
$$;

-- Claims of a queue that has limits: one at a time, since what runs and what started is counted, and past the
-- keys that are full.
CREATE FUNCTION auton8n.claim_limited(of_queue text, names text[], most integer, at bigint, until bigint, token bigint)
RETURNS SETOF auton8n.job LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  rule    jsonb;
  room    bigint;
  next    text;
  last    text;
  chosen  bigint[];
  skipped text[];
  taken   integer;
BEGIN
  SELECT limits INTO rule FROM auton8n.queue WHERE name = of_queue AND NOT paused FOR UPDATE;
  room := least(most, auton8n.room(of_queue, NULL, rule, at));
  IF rule IS NULL OR room <= 0 THEN
    RETURN;
  END IF;
  FOR level IN 0..3 LOOP
    EXIT WHEN room <= 0;
    skipped := '{}';
    CONTINUE WHEN auton8n.next_key(of_queue, names, level::smallint, NULL, skipped) IS NULL;
    INSERT INTO auton8n.turn VALUES (of_queue, level, NULL) ON CONFLICT DO NOTHING;
    SELECT key INTO last FROM auton8n.turn WHERE queue = of_queue AND priority = level FOR UPDATE;
    WHILE room > 0 LOOP
      next := coalesce(
        auton8n.next_key(of_queue, names, level::smallint, last, skipped),
        auton8n.next_key(of_queue, names, level::smallint, NULL, skipped));
      EXIT WHEN next IS NULL;
      IF next <> '' AND auton8n.room(of_queue, next, rule -> 'perKey', at) <= 0 THEN
        skipped := skipped || next;
        CONTINUE;
      END IF;
      SELECT array_agg(seq) INTO chosen FROM (
        SELECT found.seq FROM unnest(names) AS of_name CROSS JOIN LATERAL (
          SELECT seq FROM auton8n.job
          WHERE queue = of_queue AND name = of_name AND priority = level AND fair_key = next AND ready
          ORDER BY name, priority, fair_key, seq LIMIT 8) AS found
        ORDER BY found.seq LIMIT 8) AS oldest;
      RETURN QUERY WITH picked AS (
        SELECT seq FROM auton8n.job WHERE seq = ANY (chosen) AND ready ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED
      ) UPDATE auton8n.job SET status = 2, ready = false, attempts = attempts + 1,
        fence = greatest(fence + 1, token), lease_until = until, started_at = at
      WHERE seq IN (SELECT seq FROM picked) RETURNING job.*;
      GET DIAGNOSTICS taken = ROW_COUNT;
      IF taken = 0 THEN
        skipped := skipped || next;
        CONTINUE;
      END IF;
      last := next;
      room := room - 1;
      PERFORM auton8n.started(of_queue, '', rule -> 'rate', at);
      IF next <> '' THEN
        PERFORM auton8n.started(of_queue, next, rule -> 'perKey' -> 'rate', at);
      END IF;
    END LOOP;
    UPDATE auton8n.turn SET key = last WHERE queue = of_queue AND priority = level AND key IS DISTINCT FROM last;
  END LOOP;
END
$$;

-- As before, and by the limits of the queue where it has some.
CREATE OR REPLACE FUNCTION auton8n.claim(of_queue text, names text[], most integer, at bigint, until bigint, token bigint)
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
  IF EXISTS (SELECT FROM auton8n.queue WHERE name = of_queue AND (paused OR limits IS NOT NULL)) THEN
    RETURN QUERY SELECT * FROM auton8n.claim_limited(of_queue, names, most, at, until, token);
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

CREATE TABLE auton8n.schedule (
  queue     text COLLATE "C" NOT NULL,
  id        text COLLATE "C" NOT NULL,
  cron      text NOT NULL,
  time_zone text NOT NULL,
  missed    text NOT NULL,
  job       text NOT NULL,
  next_at   bigint,
  last_at   bigint,
  PRIMARY KEY (queue, id)
);
CREATE INDEX schedule_due ON auton8n.schedule (next_at) WHERE next_at IS NOT NULL;
