//! The engine over its real rooms: a store on the disk, a sandbox, and models that follow a script.

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

#[tokio::test(flavor = "multi_thread")]
async fn a_template_creation_passes_every_check_and_can_be_verified_again() {
    let home = Home::new();
    let engine = home.open(&json!({}), None).await;
    let id = engine.create(creation(None), None).await.unwrap();
    let job = ended(&engine, &id).await;
    if !left_out(&job) {
        assert_eq!(job.status, JobStatus::Completed, "{:?}", job.error);
        let created: CreatedPlugin = serde_json::from_value(job.result.clone().unwrap()).unwrap();
        assert_eq!(created.report.verdict, Verdict::Passed);
        assert!(created.tarball.is_file() && created.directory.join("dist/index.js").is_file());
        let again = engine.verify(created.directory.clone(), Some(weather())).await.unwrap();
        assert_eq!(again.verdict, Verdict::Passed, "{:#?}", again.checks);
        let open = engine.verify(created.directory.clone(), None).await.unwrap();
        assert_eq!(
            (open.verdict, status(&open, "boot")),
            (Verdict::Inconclusive, CheckStatus::Inconclusive)
        );
        assert_eq!(
            (status(&again, "manifest"), status(&again, "dist")),
            (CheckStatus::Passed, CheckStatus::Passed)
        );
        let built = created.directory.join("dist/index.js");
        let kept = std::fs::read(&built).unwrap();
        std::fs::write(&built, "export default { name: 'evil' }\n").unwrap();
        let tampered = engine.verify(created.directory.clone(), Some(weather())).await.unwrap();
        assert_eq!(
            (tampered.verdict, status(&tampered, "boot"), status(&tampered, "dist")),
            (Verdict::Failed, CheckStatus::Passed, CheckStatus::Failed)
        );
        let digest = |report: &CreationReport| {
            let found = report.files.iter().find(|file| file.path == "dist/index.js");
            found.map(|file| file.sha256.clone())
        };
        assert!(digest(&tampered).is_some() && digest(&tampered) != digest(&again));
        std::fs::write(&built, kept).unwrap();
        let entry = created.directory.join("src/index.ts");
        std::fs::write(&entry, "export default 1\n").unwrap();
        let broken = engine.verify(created.directory, Some(weather())).await.unwrap();
        assert_eq!(
            (broken.verdict, status(&broken, "type-check")),
            (Verdict::Failed, CheckStatus::Failed)
        );
        assert_eq!(status(&broken, "boot"), CheckStatus::Skipped);
        assert_eq!(engine.health().await.unwrap()["status"], "ok");
        assert_eq!(engine.metrics().await.unwrap()["queue"]["completed"], 1);
        assert!(
            home.heard
                .0
                .lock()
                .iter()
                .any(|event| event.kind.is_final() && event.job_id == id)
        );
    }
    engine.close().await.unwrap();
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_error_goes_back_to_the_model_with_the_file_and_the_diagnostic() {
    let home = Home::new();
    let broken = with(good(), "src/index.ts", |text| {
        format!("export const wrong: number = 'text'\n{text}")
    });
    let model = Scripted::new(vec![Ok(reply::format(&broken)), Ok(reply::format(&good()))]);
    let engine = home.open(&json!({}), None).await;
    let id = engine
        .create(creation(None), Some(Arc::clone(&model) as _))
        .await
        .unwrap();
    let job = ended(&engine, &id).await;
    if !left_out(&job) {
        assert_eq!(job.status, JobStatus::Completed, "{:?}", job.error);
        let report = report_of(&job);
        assert_eq!((report.verdict, report.iterations), (Verdict::Passed, 2));
        assert_eq!(
            report.tokens.map(|tokens| (tokens.input, tokens.output)),
            Some((200, 20))
        );
        let prompts = model.prompts();
        assert!(prompts[1].contains("TS2322") && prompts[1].contains("export const wrong: number = 'text'"));
    }
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_cannot_be_used_end_the_job_with_a_report_of_every_stage() {
    let home = Home::new();
    let whole = reply::format(&good());
    let cut = whole[..whole.len() / 2].to_owned();
    let model = Scripted::new(vec![Ok(cut), Ok("=== MANIFEST\nnothing".to_owned())]);
    let engine = home.open(&json!({}), None).await;
    let mut asked = creation(None);
    asked.max_iterations = Some(2);
    let id = engine.create(asked, Some(Arc::clone(&model) as _)).await.unwrap();
    let job = ended(&engine, &id).await;
    assert_eq!(
        job.error.as_ref().map(|error| error.code.as_str()),
        Some("AUTON8N_CHECKS_FAILED")
    );
    let report = report_of(&job);
    assert_eq!(
        (report.verdict, status(&report, "generate")),
        (Verdict::Failed, CheckStatus::Failed)
    );
    assert_eq!(status(&report, "boot"), CheckStatus::Skipped);
    assert!(model.prompts()[1].contains("could not be used"));
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_reply_is_refused_and_kept_nowhere() {
    let home = Home::new();
    let secret = ["ghp_", "16C7e42F292c6912E7", "710c838347Ae178B4a"].concat();
    let key = ["AKIA", "Z7Q2M4XNRTLW5B3K"].concat();
    let leaking = with(good(), "src/index.ts", |text| {
        format!("export const token = '{secret}'\nexport const id = '{key}'\n{text}")
    });
    let model = Scripted::new(vec![Ok(reply::format(&leaking)), Ok(String::new())]);
    let engine = home.open(&json!({}), None).await;
    let mut asked = creation(None);
    asked.max_iterations = Some(2);
    let id = engine.create(asked, Some(Arc::clone(&model) as _)).await.unwrap();
    let job = ended(&engine, &id).await;
    assert_eq!(job.status, JobStatus::Failed);
    let second = &model.prompts()[1];
    assert!(second.contains("secret/") && !second.contains(&key));
    engine.close().await.unwrap();
    for entry in std::fs::read_dir(home.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                memchr::memmem::find(&bytes, key.as_bytes()).is_none(),
                "{} holds it",
                path.display()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_before_a_job_is_stored() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let code = async |creation: Creation| engine.create(creation, None).await.unwrap_err().code();
    let mut wrong = creation(None);
    wrong.wish = Wish::Specification(json!({ "name": "../x" }));
    assert_eq!(code(wrong).await, Code::SpecificationInvalid);
    assert_eq!(code(creation(Some(Generator::Model))).await, Code::ModelNeeded);
    let mut wrong = creation(None);
    wrong.wish = Wish::Description("a plugin that tells the time".to_owned());
    assert_eq!(code(wrong).await, Code::ModelNeeded);
    let mut wrong = creation(None);
    wrong.max_iterations = Some(0);
    assert_eq!(code(wrong).await, Code::OptionInvalid);
    let mut wrong = creation(None);
    wrong.out_dir = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert_eq!(code(wrong).await, Code::OptionInvalid);
    let mut wrong = creation(None);
    let key = ["AKIA", "Z7Q2M4XNRTLW5B3K"].concat();
    wrong.metadata = Some(json!({ "key": key }));
    assert_eq!(code(wrong).await, Code::SecretFound);
    let mut dependent = weather();
    dependent["dependencies"] = json!({ "left-pad": "^1.0.0" });
    let mut wrong = creation(None);
    wrong.wish = Wish::Specification(dependent);
    assert_eq!(code(wrong).await, Code::DependencyUnsupported);
    assert!(engine.jobs(JobFilter::default()).await.unwrap().is_empty());
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_runs_at_installation_fails_even_without_a_sandbox() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let project = home.folder.path().join("project");
    let specification = specification::parse(&weather()).unwrap();
    let mut files = crate::generation::scaffold::scaffold(&specification, &good());
    files.extend(good());
    for (path, bytes) in &files {
        let place = project.join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
    let plain = engine.verify(project.clone(), Some(weather())).await.unwrap();
    assert_eq!(
        (plain.verdict, status(&plain, "manifest"), status(&plain, "dist")),
        (Verdict::Inconclusive, CheckStatus::Passed, CheckStatus::Skipped)
    );
    let mut manifest: Value = serde_json::from_slice(&files["package.json"]).unwrap();
    manifest["scripts"]["postinstall"] = json!("node steal.js");
    manifest["dependencies"] = json!({ "left-pad": "^1.0.0" });
    std::fs::write(project.join("package.json"), manifest.to_string()).unwrap();
    let tampered = engine.verify(project, Some(weather())).await.unwrap();
    assert_eq!(
        (tampered.verdict, status(&tampered, "manifest")),
        (Verdict::Failed, CheckStatus::Failed)
    );
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sandbox_nothing_is_claimed() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let id = engine.create(creation(None), None).await.unwrap();
    let job = ended(&engine, &id).await;
    left_open(&job);
    let report = report_of(&job);
    assert_eq!(
        (report.verdict, report.isolation.as_str()),
        (Verdict::Inconclusive, "refused")
    );
    for stage in ["type-check", "lint", "build", "test", "boot"] {
        assert_eq!(status(&report, stage), CheckStatus::Skipped);
    }
    assert_eq!(engine.health().await.unwrap()["status"], "degraded");
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_model_is_gone_waits_and_goes_on_with_another() {
    let home = Home::new();
    let refusing = Scripted::new(vec![Err(Error::new(Code::ModelNeeded, "gone"))]);
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let id = engine.create(creation(None), Some(refusing as _)).await.unwrap();
    until(&engine, &id, |job| job.status == JobStatus::Retrying).await;
    engine.close().await.unwrap();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let waiting = engine.job(&id).await.unwrap().unwrap();
    assert_eq!(
        waiting.error.map(|error| error.code).as_deref(),
        Some("AUTON8N_MODEL_NEEDED")
    );
    engine.set_model(Some(Scripted::new(vec![Ok(reply::format(&good()))]) as _));
    engine.wake().await.unwrap();
    left_open(&ended(&engine, &id).await);
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_ends_the_job_and_an_overloaded_model_is_asked_again() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let wrong_key = Scripted::new(vec![Err(Error::new(Code::ModelUnauthorized, "the key was refused"))]);
    let id = engine
        .create(creation(None), Some(Arc::clone(&wrong_key) as _))
        .await
        .unwrap();
    let job = ended(&engine, &id).await;
    assert_eq!(
        job.error.map(|error| error.code).as_deref(),
        Some("AUTON8N_MODEL_UNAUTHORIZED")
    );
    assert_eq!(wrong_key.prompts().len(), 1);
    let busy = Error::new(Code::ModelRateLimited, "429").with_details(json!({ "retryAfterMs": 10 }));
    let busy = Scripted::new(vec![Err(busy), Ok(reply::format(&good()))]);
    let id = engine
        .create(creation(None), Some(Arc::clone(&busy) as _))
        .await
        .unwrap();
    let job = ended(&engine, &id).await;
    left_open(&job);
    assert_eq!((job.attempts, busy.prompts().len()), (2, 2));
    assert!(!engine.cancel(&id).await.unwrap());
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn words_become_a_specification_that_is_repaired_once() {
    let home = Home::new();
    let engine = home.open(&json!({ "sandbox": false }), None).await;
    let model = Scripted::new(vec![
        Ok(json!({ "name": "NOT A NAME", "actions": [] }).to_string()),
        Ok(weather().to_string()),
        Ok(reply::format(&good())),
    ]);
    let mut asked = creation(None);
    asked.wish = Wish::Description("tell me the weather of a city".to_owned());
    let id = engine.create(asked, Some(Arc::clone(&model) as _)).await.unwrap();
    let job = ended(&engine, &id).await;
    left_open(&job);
    assert!(model.prompts()[1].contains("$.name"));
    assert!(
        report_of(&job)
            .files
            .iter()
            .any(|file| file.path == "src/actions/get-weather.ts")
    );
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_get_metrics_a_trace_and_what_is_missing() {
    let home = Home::new();
    let engine = home.open(&json!({}), None).await;
    let id = engine.create(creation(None), None).await.unwrap();
    let job = ended(&engine, &id).await;
    let prometheus = engine.metrics_text(Format::Prometheus, Near::default()).await.unwrap();
    let open_metrics = engine.metrics_text(Format::OpenMetrics, Near::default()).await.unwrap();
    assert!(prometheus.contains("# TYPE auton8n_") && open_metrics.ends_with("# EOF\n"));
    let trace = engine.trace(&id).await.unwrap();
    let spans = trace["spans"].as_array().unwrap();
    assert!(
        spans
            .iter()
            .any(|span| span["name"].as_str().is_some_and(|name| name.contains("create"))),
        "{trace}"
    );
    assert_eq!(engine.trace("nobody").await.unwrap_err().code(), Code::JobNotFound);
    let doctor = engine.doctor().await.unwrap();
    assert!(doctor["sandboxes"].is_array() && doctor["version"].is_string());
    assert_eq!(engine.jobs(JobFilter::default()).await.unwrap().len(), 1);
    assert!(!engine.retry("nobody").await.unwrap_or(false));
    assert_eq!(engine.retry(&id).await.unwrap(), job.status == JobStatus::Failed);
    assert!(!engine.cancel("nobody").await.unwrap_or(false));
    engine.close().await.unwrap();
    assert_eq!(
        engine.jobs(JobFilter::default()).await.unwrap_err().code(),
        Code::Closed
    );
}
