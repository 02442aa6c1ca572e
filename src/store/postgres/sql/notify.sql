SELECT pg_notify('auton8n', payload) FROM unnest($1::text[]) AS payload
