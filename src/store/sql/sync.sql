UPDATE sync SET count = count + 1
