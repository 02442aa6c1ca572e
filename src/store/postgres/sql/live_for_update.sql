 FROM auton8n.job WHERE queue = $1 AND unique_key = $2 AND status < 4 AND id <> ALL ($3::text[]) FOR UPDATE
