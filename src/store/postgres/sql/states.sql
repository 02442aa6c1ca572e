SELECT key, version, value, at FROM auton8n.state WHERE starts_with(key, $1) ORDER BY key
