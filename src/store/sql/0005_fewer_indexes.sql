-- Indexes are most of what adding and ending a job costs: one that waits is in one of these, any other one in another.
-- Rows of the same key are in the order of seq, which every index ends with.
DROP INDEX job_ready;
CREATE INDEX job_ready ON job (queue, name, priority, fair_key) WHERE ready = 1;
DROP INDEX job_status;
CREATE INDEX job_status ON job (queue, status) WHERE ready = 0;
-- Those whose time for a retry has come, which are few.
CREATE INDEX job_again ON job (queue) WHERE ready = 1 AND status = 3;
