//! A queue that is open: how it is opened, and what it tells JavaScript.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use serde::Deserialize;

use super::runner::Runner;
use super::told::ToRunner;
use super::{QueueListener, QueueRunner};
use crate::clock::SystemClock;
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventKind, EventSink};
use crate::queue::{HubOptions, Member, MemberOptions, Retention, Where, Worker, WorkerOptions};
use crate::store::{DataDirectory, StoreKind};

/// How a queue is opened.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct OpenOptions {
    store: String,
    data_dir: String,
    lease_duration: u64,
    retention: Retention,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            store: "sqlite".to_owned(),
            data_dir: ".auton8n".to_owned(),
            lease_duration: HubOptions::default().lease,
            retention: Retention::default(),
        }
    }
}

/// How a worker works.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct WorkOptions {
    concurrency: usize,
}

impl Default for WorkOptions {
    fn default() -> Self {
        Self {
            concurrency: WorkerOptions::default().concurrency,
        }
    }
}

/// Hands events to JavaScript, as far as somebody listens there.
pub struct Listener {
    call: QueueListener,
    /// A bit for each kind of event, at its place.
    heard: AtomicU16,
}

impl Listener {
    /// Hears nothing yet.
    pub fn new(call: QueueListener) -> Self {
        Self {
            call,
            heard: AtomicU16::new(0),
        }
    }

    /// Hears events of these names from now on.
    pub fn hear(&self, names: &[String]) {
        let places =
            (0..EventKind::NAMES.len()).filter(|place| names.iter().any(|name| name == EventKind::NAMES[*place]));
        self.heard
            .store(places.map(|place| 1 << place).sum(), Ordering::Release);
    }
}

impl EventSink for Listener {
    fn hears(&self, kind: &EventKind) -> bool {
        self.heard.load(Ordering::Acquire) & (1 << kind.place()) != 0
    }

    fn emit(&self, event: Event) {
        if let Ok(event) = serde_json::to_string(&event) {
            // A listener that does not keep up misses events; the store has the truth.
            let _ = self.call.call(event, ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// A queue that is open.
pub struct Inner {
    pub member: Member,
    pub runner: Arc<Runner>,
    pub listener: Arc<Listener>,
}

impl Inner {
    /// Opens it.
    pub async fn open(name: String, options: OpenOptions, sink: Listener, runner: QueueRunner) -> Result<Self> {
        if !(100..=3_600_000).contains(&options.lease_duration) {
            return Err(Error::new(
                Code::OptionInvalid,
                "`leaseDuration` must be 100 to 3600000 ms",
            ));
        }
        if options.retention.age < 0 {
            return Err(Error::new(
                Code::OptionInvalid,
                "`retention.age` must be milliseconds, 0 or more",
            ));
        }
        let hub_options = HubOptions {
            lease: options.lease_duration,
            ..HubOptions::default()
        };
        let member_options = MemberOptions {
            hub: hub_options,
            retention: options.retention,
        };
        let place = match StoreKind::parse(&options.store)? {
            StoreKind::Memory => Where::Memory,
            StoreKind::Embedded => Where::Directory(DataDirectory::open(&PathBuf::from(options.data_dir))?),
            StoreKind::EmbeddedIn(path) => Where::Directory(DataDirectory::open_path(&PathBuf::from(path))?),
            StoreKind::Postgres(url) | StoreKind::Redis(url) => Where::Server(url),
        };
        let listener = Arc::new(sink);
        let member = Member::open(name, place, SystemClock::shared(), member_options, listener.clone()).await?;
        Ok(Self {
            member,
            runner: Arc::new(Runner::new(runner)),
            listener,
        })
    }

    /// Starts a worker, now or when this process has the store.
    pub fn start(&self, id: u32, options: &WorkOptions) -> Result<()> {
        let options = WorkerOptions {
            concurrency: options.concurrency,
        };
        let runner = self.runner.clone();
        let started = Box::new(move |worker: &Worker| tell_activity(id, worker, runner.clone()));
        self.member.start_worker(id, options, started)
    }
}

/// Tells JavaScript whether a worker has something to do, until it is stopped.
fn tell_activity(id: u32, worker: &Worker, runner: Arc<Runner>) {
    let (mut activity, until) = (worker.activity(), worker.clone());
    tokio::spawn(async move {
        let follow = async {
            while activity.changed().await.is_ok() {
                let active = *activity.borrow_and_update();
                runner.tell(&ToRunner::Active { worker: id, active });
            }
        };
        tokio::select! {
            () = follow => {}
            () = until.stopped() => {}
        }
        runner.tell(&ToRunner::Active {
            worker: id,
            active: false,
        });
    });
}
