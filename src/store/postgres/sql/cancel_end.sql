 FROM ended LEFT JOIN freed ON true
