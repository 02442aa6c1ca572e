SELECT seq FROM job WHERE id = ?1 AND parent
