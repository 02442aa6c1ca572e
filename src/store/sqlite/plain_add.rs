//! Plain jobs on their way into packs: no job of them is made, and their data are copied once, into their page.

use uuid::Uuid;

use super::database::Database;
use super::insert::{NewRow, insert};
use super::limited::limits;
use super::pack::{self, Entry, Line};
use super::sqlite_store::SqliteStore;
use super::task::Work;
use super::writer::{Care, Durability};
use crate::error::{Error, Result};
use crate::store::job::{Job, Priority};
use crate::store::job_data::JobData;
use crate::store::plain::{PlainAdded, PlainAdds, PlainCaller, PlainJobs};
use crate::store::rules::{again, checksum};

/// Their options as they are stored, and their priority.
const OPTIONS: &str = "{}";
const PRIORITY: Priority = Priority::Normal;

impl PlainAdds for SqliteStore {
    fn add_plain(&self, queue: &str, jobs: PlainJobs, now: i64, caller: PlainCaller) {
        let work = PlainAdd {
            queue: queue.to_owned(),
            ids: Vec::new(),
            jobs,
            now,
            error: None,
            caller,
        };
        // Where the thread is gone, the caller is told by the loss of the work.
        let _ = self.send(Durability::Synced, Care::Apart, work);
    }
}

struct PlainAdd {
    queue: String,
    jobs: PlainJobs,
    now: i64,
    ids: Vec<Uuid>,
    error: Option<Error>,
    caller: PlainCaller,
}

impl PlainAdd {
    fn store(&self, database: &mut Database) -> Result<()> {
        let Self { queue, jobs, now, .. } = self;
        let mut names = jobs.names();
        let name = names.next().unwrap_or_default();
        let fits = |data: &str| pack::fits([queue, name], data, OPTIONS);
        let all_fit = names.next().is_none() && jobs.data().all(fits);
        if !all_fit || jobs.count() < pack::LEAST || !limits(database, queue)?.is_none() {
            return self.store_rows(database);
        }
        let entries = self.ids.iter().zip(jobs.data()).map(|(id, data)| Entry {
            crc: crc(*id, queue, name, data),
            id: *id,
            created_at: *now,
            run_at: *now,
            options: OPTIONS.as_bytes(),
            data: data.as_bytes(),
        });
        let entries: Vec<Entry<'_>> = entries.collect();
        let line = Line {
            queue,
            name,
            priority: PRIORITY.into(),
        };
        let seq = database.next_seqs(entries.len());
        pack::insert(database, line, &entries, seq)
    }

    /// Those that cannot be packed.
    fn store_rows(&self, database: &mut Database) -> Result<()> {
        let mut rows: Vec<NewRow> = Vec::with_capacity(self.jobs.count());
        for (id, (name, data)) in self.ids.iter().zip(self.jobs.iter()) {
            let job = Job {
                data: JobData::from_text(data.to_owned()).unwrap_or_default(),
                created_at: self.now,
                run_at: self.now,
                ..Job::waiting(id.to_string(), self.queue.clone(), name.to_owned())
            };
            let row = NewRow::new(job, rows.last())?;
            rows.push(row);
        }
        insert(database, rows).map(drop)
    }
}

fn crc(id: Uuid, queue: &str, name: &str, data: &str) -> u32 {
    let mut text = Uuid::encode_buffer();
    checksum([id.hyphenated().encode_lower(&mut text), queue, name, data, OPTIONS])
}

impl Work for PlainAdd {
    fn prepare(&mut self, database: &mut Database) {
        database.front().windows.added(&self.queue, PRIORITY.into(), "");
    }

    fn run(&mut self, database: &mut Database) -> bool {
        self.ids = (0..self.jobs.count()).map(|_| Uuid::now_v7()).collect();
        let stored = self.store(database);
        self.error = stored.err();
        self.error.is_none()
    }

    fn error(&self) -> Option<Error> {
        self.error.as_ref().map(again)
    }

    fn deliver(self: Box<Self>, error: Option<&Error>) {
        let Self {
            jobs,
            ids,
            now: at,
            caller,
            ..
        } = *self;
        caller.tell(match error.map(again).or(self.error) {
            Some(error) => Err(error),
            None => Ok(PlainAdded { jobs, ids, at }),
        });
    }
}
