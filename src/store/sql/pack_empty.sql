SELECT seq, last FROM pack WHERE left = 0
