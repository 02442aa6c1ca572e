ALTER TABLE auton8n.job
  -- Its worker holds it, and has not told yet that it started.
  ADD COLUMN ahead boolean NOT NULL DEFAULT false,
  -- It was read ahead by a worker that died, and may have been what killed it: its next start is told before it happens.
  ADD COLUMN doubtful boolean NOT NULL DEFAULT false;

-- One index serves lists, counts, retention and rescues, so that a claim writes one less.
DROP INDEX auton8n.job_running;
DROP INDEX auton8n.job_status;
CREATE INDEX job_status ON auton8n.job (status, queue, seq);

-- The first fair key after `after` that waits, among those not in `skipped`: looked up, however many jobs the keys before
-- it have. No text is between another one and the same with chr(1) behind it.
CREATE OR REPLACE FUNCTION auton8n.next_key(of_queue text, names text[], of_priority smallint, after text, skipped text[])
RETURNS text LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  least_key text := coalesce(after || chr(1), '');
  found_key text;
BEGIN
  LOOP
    SELECT min(found.fair_key) INTO found_key FROM unnest(names) AS of_name CROSS JOIN LATERAL (
      SELECT fair_key FROM auton8n.job
      WHERE queue = of_queue AND name = of_name AND priority = of_priority AND ready AND fair_key >= least_key
      ORDER BY name, priority, fair_key LIMIT 1) AS found;
    EXIT WHEN found_key IS NULL OR found_key <> ALL (skipped);
    least_key := found_key || chr(1);
  END LOOP;
  RETURN found_key;
END
$$;

-- As before; but those after the first `starts` are read ahead, and of a queue that has limits none is.
DROP FUNCTION auton8n.claim(text, text[], integer, bigint, bigint, bigint);
CREATE FUNCTION auton8n.claim(of_queue text, names text[], most integer, at bigint, until bigint, token bigint,
  starts integer DEFAULT 2147483647)
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
    RETURN QUERY SELECT * FROM auton8n.claim_limited(of_queue, names, least(most, starts), at, until, token);
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
      RETURN QUERY WITH picked AS MATERIALIZED (
        SELECT seq, ctid FROM auton8n.job
        WHERE queue = of_queue AND name = names[1] AND priority = level AND fair_key = first AND ready
        ORDER BY seq LIMIT room FOR UPDATE SKIP LOCKED
      ), last_start AS MATERIALIZED (
        SELECT coalesce((SELECT seq FROM picked ORDER BY seq OFFSET starts - 1 LIMIT 1), 9223372036854775807) AS seq
        WHERE starts > 0
      ), claimed AS (
        UPDATE auton8n.job SET status = 2, ready = false, attempts = attempts + 1,
          fence = greatest(fence + 1, token), lease_until = until, started_at = at,
          ahead = seq > coalesce((SELECT last_start.seq FROM last_start), 0)
        WHERE ctid = ANY (ARRAY(SELECT picked.ctid FROM picked)) RETURNING job.*
      ) SELECT * FROM claimed ORDER BY seq;
      GET DIAGNOSTICS taken = ROW_COUNT;
      IF NOT EXISTS (SELECT FROM auton8n.turn WHERE queue = of_queue AND priority = level AND key = first) THEN
        INSERT INTO auton8n.turn AS turn VALUES (of_queue, level, first)
        ON CONFLICT (queue, priority) DO UPDATE SET key = excluded.key;
      END IF;
      room := room - taken;
      starts := greatest(starts - taken, 0);
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
          fence = greatest(fence + 1, token), lease_until = until, started_at = at, ahead = starts <= 0
        WHERE seq IN (SELECT seq FROM picked) RETURNING job.*;
        GET DIAGNOSTICS taken = ROW_COUNT;
        IF taken = 0 THEN
          skipped := skipped || first;
        ELSE
          last := first;
        END IF;
        room := room - taken;
        starts := greatest(starts - taken, 0);
      END LOOP;
      UPDATE auton8n.turn SET key = last WHERE queue = of_queue AND priority = level AND key IS DISTINCT FROM last;
    END IF;
    EXIT WHEN room <= 0;
    level := level + 1;
  END LOOP;
END
$$;
