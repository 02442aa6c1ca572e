DELETE FROM auton8n.job WHERE queue = $1 AND status = ANY ($2::smallint[]) AND finished_at <= $3
