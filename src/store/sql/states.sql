SELECT key, version, value, at FROM state WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key
