use std::path::{Path, PathBuf};

use serde_json::json;

use super::SqliteStore;
use super::pack::CHUNK;
use crate::error::{Code, Error, Result};
use crate::store::{
    ClaimRequest, DataDirectory, Ending, Finish, JobFilter, JobOptions, JobStore, Lease, Limits, NewJob, OnDuplicate,
};

const JOBS: usize = 400;
/// Whether the store was killed, and whether jobs lie packed.
const WAYS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

async fn open(path: &Path) -> Result<SqliteStore> {
    let directory = DataDirectory::open(path)?;
    let held = directory.hold()?.expect("nobody else holds it");
    SqliteStore::open(&directory, held, 7).await
}

/// Jobs of many sizes, some with long rows, some done; those without unique keys lie packed, if they are not too long.
async fn fill(store: &SqliteStore, packed: bool) {
    let new = (0..JOBS).map(|n| NewJob {
        name: "a".into(),
        data: json!({ "n": n, "text": "x".repeat(if n % 50 == 0 { 20_000 } else { n }) }).into(),
        options: JobOptions {
            unique_key: (n % 3 == 0 && !packed).then(|| format!("k{n}")),
            on_duplicate: OnDuplicate::Keep,
            ..JobOptions::default()
        },
        reference: None,
    });
    store.add("q", new.collect(), 5).await.unwrap();
    let request = ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit: 40,
        now: 6,
        lease_until: 100,
    };
    for claim in store.claim(request).await.unwrap().claims {
        let finish = Finish {
            lease: Lease {
                id: claim.job.id.clone(),
                fence: claim.fence,
            },
            ending: Ending::Completed { result: json!(1) },
            remove: false,
        };
        assert!(store.finish(finish, 8).await.unwrap().held);
    }
    let limits = Limits {
        concurrency: Some(3),
        ..Limits::default()
    };
    store.set_limits("q", limits).await.unwrap();
}

/// What a closed store leaves, and what a killed one does: copied while it is open.
async fn files(killed: bool, packed: bool) -> (tempfile::TempDir, PathBuf) {
    let (origin, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(origin.path()).await.unwrap();
    fill(&store, packed).await;
    if !killed {
        store.close().await;
    }
    for entry in std::fs::read_dir(origin.path()).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_name().to_string_lossy().ends_with(".lock") {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    store.close().await;
    let path = copy.path().join("jobs.db");
    (copy, path)
}

fn counts(error: &Error) -> (usize, usize) {
    assert_eq!(error.code(), Code::StoreCorrupt, "{error:?}");
    let count = |name: &str| usize::try_from(error.details()[name].as_u64().expect("a count")).unwrap();
    assert!(Path::new(error.details()["keptAs"].as_str().unwrap()).exists());
    (count("saved"), count("damaged"))
}

/// All jobs of a store that opens.
async fn whole(directory: &Path) -> usize {
    let store = open(directory).await.unwrap();
    let (mut all, mut cursor) = (0, None);
    loop {
        let filter = JobFilter {
            limit: Some(1_000),
            cursor,
            ..JobFilter::default()
        };
        let jobs = store.list("q", filter).await.unwrap();
        let Some(last) = jobs.last() else { break };
        cursor = Some(last.id.clone());
        for job in &jobs {
            let n = job.data.value()["n"].as_u64().unwrap();
            let length = job.data.value()["text"].as_str().unwrap().len() as u64;
            assert_eq!(length, if n.is_multiple_of(50) { 20_000 } else { n });
        }
        all += jobs.len();
    }
    store.close().await;
    all
}

#[tokio::test]
async fn what_is_no_database_is_kept_aside_and_told() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("jobs.db"), vec![0x5a; 8192]).unwrap();
    let error = open(temp.path()).await.err().unwrap();
    assert_eq!(counts(&error), (0, 0));
    let kept = error.details()["keptAs"].as_str().unwrap();
    assert_eq!(std::fs::read(kept).unwrap(), vec![0x5a; 8192]);
    assert_eq!(whole(temp.path()).await, 0);
}

/// Every job is saved, or counted as damaged: none is lost without a word.
#[tokio::test]
async fn flipped_bits_are_told_or_do_no_harm() {
    let (mut told, mut harmless, mut damaged_rows) = (0, 0, 0);
    for (killed, packed) in WAYS {
        let (origin, path) = files(killed, packed).await;
        for seed in 0..40 {
            let temp = tempfile::tempdir().unwrap();
            for entry in std::fs::read_dir(origin.path()).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), temp.path().join(entry.file_name())).unwrap();
            }
            let mut random = fastrand::Rng::with_seed(seed);
            let name = if killed { "jobs.db-wal" } else { "jobs.db" };
            let file = temp.path().join(name);
            let mut bytes = std::fs::read(&file).unwrap();
            let at = random.usize(0..bytes.len());
            bytes[at] ^= 1 << random.u8(0..8);
            std::fs::write(&file, &bytes).unwrap();
            match open(temp.path()).await {
                Ok(store) => {
                    store.close().await;
                    harmless += 1;
                    assert_eq!(
                        whole(temp.path()).await,
                        JOBS,
                        "{name}, seed {seed}, byte {at}: a silent loss"
                    );
                }
                Err(error) => {
                    let (saved, damaged) = counts(&error);
                    told += 1;
                    damaged_rows += damaged;
                    assert!(
                        saved + damaged >= JOBS,
                        "{name}, seed {seed}, byte {at}: {saved} + {damaged}"
                    );
                    assert!(damaged <= CHUNK, "{name}, seed {seed}, byte {at}: {damaged}");
                    assert_eq!(whole(temp.path()).await, saved, "{name}, seed {seed}, byte {at}");
                }
            }
        }
        assert!(path.exists());
    }
    eprintln!("160 flipped bits: {told} told with {damaged_rows} damaged rows in all, {harmless} without harm");
    assert!(told > 40);
}

#[tokio::test]
async fn files_that_were_cut_are_told() {
    for (killed, packed) in WAYS {
        let (origin, _) = files(killed, packed).await;
        let name = if killed { "jobs.db-wal" } else { "jobs.db" };
        for share in [3, 5, 7, 9] {
            let temp = tempfile::tempdir().unwrap();
            for entry in std::fs::read_dir(origin.path()).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), temp.path().join(entry.file_name())).unwrap();
            }
            let file = std::fs::OpenOptions::new()
                .write(true)
                .open(temp.path().join(name))
                .unwrap();
            file.set_len(file.metadata().unwrap().len() * share / 10).unwrap();
            let error = open(temp.path()).await.expect_err("a cut file is no good one");
            let (saved, damaged) = counts(&error);
            eprintln!("{name} cut to {share}0 %: {saved} saved, {damaged} damaged");
            assert!(saved <= JOBS, "{saved}, {damaged}");
            assert_eq!(whole(temp.path()).await, saved);
        }
    }
}

#[tokio::test]
async fn what_was_set_is_carried_over_with_the_jobs() {
    let (temp, path) = files(false, false).await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute("UPDATE job SET data = replace(data, '\"n\":107,', '\"n\":8,')", [])
        .unwrap();
    drop(connection);
    let error = open(temp.path()).await.err().unwrap();
    assert_eq!(counts(&error), (JOBS - 1, 1));
    let store = open(temp.path()).await.unwrap();
    assert_eq!(store.limits("q").await.unwrap().concurrency, Some(3));
    let counted = store.counts("q").await.unwrap();
    assert_eq!((counted.completed, counted.pending), (40, JOBS as u64 - 41));
    store.close().await;
}

#[tokio::test]
async fn a_job_whose_row_is_damaged_fails_instead_of_running() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await.unwrap();
    let new = (0..3).map(|n| NewJob {
        name: "a".into(),
        data: json!(n).into(),
        options: JobOptions::default(),
        reference: None,
    });
    let added = store.add("q", new.collect(), 5).await.unwrap().jobs;
    rusqlite::Connection::open(temp.path().join("jobs.db"))
        .unwrap()
        .execute("UPDATE job SET data = '7' WHERE data = '1'", [])
        .unwrap();
    let request = ClaimRequest {
        queue: "q".into(),
        names: vec!["a".into()],
        limit: 9,
        now: 6,
        lease_until: 100,
    };
    let claims = store.claim(request).await.unwrap().claims;
    assert_eq!(
        claims.iter().map(|claim| claim.job.data.value()).collect::<Vec<_>>(),
        [0, 2]
    );
    let failed = store.get("q", &added[1].id).await.unwrap().unwrap();
    assert_eq!(failed.error.unwrap().code, Code::StoreCorrupt.as_str());
    store.close().await;
}
