SELECT EXISTS (SELECT FROM auton8n.job WHERE queue = $1 AND status = 1)
    OR EXISTS (SELECT FROM auton8n.job WHERE queue = $1 AND status = 3)
