//! The engine over its real rooms: a store on the disk, a sandbox, and models that follow a script.

mod checks;
mod models;
mod operators;
mod refusals;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::near::Near;
use super::{Backend, Creation, EngineOptions, open};
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventSink};
use crate::files::FileSet;
use crate::generation::{Model, ModelReply, ModelRequest, Usage, reply, template};
use crate::metrics::Format;
use crate::pipeline::{CheckStatus, CreatedPlugin, CreationReport, Generator, Verdict, Wish};
use crate::queue::{Job, JobFilter, JobStatus};
use crate::specification;

/// Answers one after the other, and remembers what it was asked.
struct Scripted {
    answers: Mutex<Vec<Result<String>>>,
    asked: Mutex<Vec<ModelRequest>>,
}

impl Scripted {
    fn new(answers: Vec<Result<String>>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: Mutex::default(),
        })
    }

    fn prompts(&self) -> Vec<String> {
        self.asked.lock().iter().map(|request| request.prompt.clone()).collect()
    }
}

#[async_trait]
impl Model for Scripted {
    async fn complete(&self, request: ModelRequest, _token: CancellationToken) -> Result<ModelReply> {
        self.asked.lock().push(request);
        let mut answers = self.answers.lock();
        let answer = if answers.is_empty() {
            Ok("no more".to_owned())
        } else {
            answers.remove(0)
        };
        answer.map(|text| ModelReply {
            text,
            usage: Some(Usage {
                input_tokens: 100,
                output_tokens: 10,
            }),
            finish_reason: Some("stop".to_owned()),
            model: Some("scripted".to_owned()),
            provider: None,
        })
    }
}

/// Keeps every event.
#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl EventSink for Heard {
    fn emit(&self, event: Event) {
        self.0.lock().push(event);
    }
}

struct Home {
    folder: tempfile::TempDir,
    heard: Arc<Heard>,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            heard: Arc::default(),
        }
    }

    fn options(&self, more: &Value) -> EngineOptions {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
        let mut value = json!({
            "dataDir": self.folder.path().join("data"),
            "keeperPath": root.join(format!("keeper.linux-{arch}")),
            "packageRoot": root,
            "nodePath": node(),
        });
        for (key, part) in more.as_object().unwrap() {
            value[key] = part.clone();
        }
        EngineOptions::from_value(value).unwrap()
    }

    async fn open(&self, more: &Value, model: Option<Arc<dyn Model>>) -> Arc<dyn Backend> {
        let sink = Arc::clone(&self.heard) as Arc<dyn EventSink>;
        open(self.options(more), sink, model).await.unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

fn node() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("node"))
        .find(|file| file.is_file())
        .unwrap()
}

fn weather() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/weather.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The template's own files, so that a script can answer with something good.
fn good() -> FileSet {
    template::generate(&specification::parse(&weather()).unwrap())
}

fn with(mut files: FileSet, path: &str, change: impl Fn(String) -> String) -> FileSet {
    let text = String::from_utf8(files[path].clone()).unwrap();
    files.insert(path.to_owned(), change(text).into_bytes());
    files
}

fn creation(generator: Option<Generator>) -> Creation {
    Creation {
        wish: Wish::Specification(weather()),
        generator,
        max_iterations: None,
        priority: None,
        timeout: None,
        user_id: None,
        metadata: None,
        out_dir: None,
    }
}

async fn ended(engine: &Arc<dyn Backend>, id: &str) -> Job {
    until(engine, id, |job| job.status.is_final()).await
}

async fn until(engine: &Arc<dyn Backend>, id: &str, reached: impl Fn(&Job) -> bool) -> Job {
    for _ in 0..6_000 {
        let job = engine.job(id).await.unwrap().unwrap();
        if reached(&job) {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the job did not get there: {:?}", engine.job(id).await.unwrap());
}

fn report_of(job: &Job) -> CreationReport {
    serde_json::from_value(job.result.as_ref().unwrap()["report"].clone()).unwrap()
}

fn status(report: &CreationReport, name: &str) -> CheckStatus {
    report
        .checks
        .iter()
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("no check {name}"))
        .status
}

/// With the sandbox switched off a job goes as far as it can, and then says that nothing was proven.
fn left_open(job: &Job) {
    let code = job.error.as_ref().map(|error| error.code.as_str());
    assert_eq!(
        (job.status, code),
        (JobStatus::Failed, Some("AUTON8N_INCONCLUSIVE")),
        "{:?}",
        job.error
    );
}

/// Says what was left out where no sandbox can run; with `AUTON8N_REQUIRE_ALL` that is a failure.
fn left_out(job: &Job) -> bool {
    let missing = job.error.as_ref().is_some_and(|error| {
        [Code::SandboxUnavailable, Code::ToolchainUnavailable]
            .iter()
            .any(|code| code.as_str() == error.code)
    });
    if missing {
        assert!(std::env::var_os("AUTON8N_REQUIRE_ALL").is_none(), "{:?}", job.error);
        println!("left out: {:?}", job.error);
    }
    missing
}
