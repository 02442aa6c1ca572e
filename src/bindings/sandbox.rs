//! Isolated runs, as JavaScript sees them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Uint8Array};
use napi_derive::napi;
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::error::promise;
use crate::engine::sandbox_options;
use crate::error::{Code, Error, Result};
use crate::pipeline::{Workshop, WorkshopOptions};
use crate::sandbox::{Limits, RunRequest, RunResult, Runner, RunnerOptions, SandboxOptions};
use crate::toolchain::{ToolchainOptions, cache_directory};

const DEFAULT_TIMEOUT_MS: u64 = 120_000;

/// Whoever opens a sandbox closes it, so its boxes wait longer than those of an engine between two jobs.
const IDLE: Duration = Duration::from_mins(1);

/// What the shim passes: the user's options, and where the parts of a box are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Given {
    #[serde(default)]
    sandbox: Value,
    timeout: Option<u64>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    toolchain_dir: Option<PathBuf>,
    keeper_path: PathBuf,
    package_root: PathBuf,
    node_path: Option<PathBuf>,
}

impl Given {
    fn read(value: Value) -> Result<(Self, SandboxOptions, Limits)> {
        let mut given: Self = serde_json::from_value(value).map_err(|error| {
            Error::new(
                Code::OptionInvalid,
                format!("the sandbox's options are not right: {error}"),
            )
        })?;
        let (mut options, limits) = sandbox_options::parse(given.sandbox.take())?;
        options.pool.idle = IDLE;
        Ok((given, options, limits))
    }

    fn workshop(&self, sandbox: SandboxOptions, limits: Limits) -> Workshop {
        let cache = self.toolchain_dir.clone().unwrap_or_else(|| {
            let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            };
            let data = std::env::var_os("AUTON8N_DATA_DIR").map_or_else(|| PathBuf::from(".auton8n"), PathBuf::from);
            cache_directory(
                &std::env::vars_os().filter_map(text).collect(),
                std::env::consts::OS,
                &data,
            )
        });
        let mut toolchain = ToolchainOptions::new(self.package_root.join("toolchain.lock.json"), cache);
        toolchain.with_node = self.node_path.is_none();
        Workshop::new(WorkshopOptions {
            sandbox,
            limits,
            toolchain,
            node: self.node_path.clone(),
            keeper: self.keeper_path.clone(),
            harness: self.package_root.join("harness"),
        })
    }
}

/// A file that goes in or came out.
#[napi(object)]
pub struct SandboxFile {
    pub path: String,
    pub data: Uint8Array,
}

/// One isolated run.
#[napi(object)]
pub struct SandboxRequest {
    pub command: Vec<String>,
    pub files: Vec<SandboxFile>,
    pub directory: Option<String>,
    pub stdin: Option<Uint8Array>,
    pub timeout: Option<f64>,
    pub collect: Vec<String>,
}

/// How a run ended.
#[napi(object, object_from_js = false)]
pub struct SandboxOutcome {
    pub exit_code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub truncated: bool,
    pub timed_out: bool,
    pub oom_killed: bool,
    pub duration_ms: f64,
    pub stopped_by: Option<String>,
    pub peak_memory: Option<f64>,
    pub peak_processes: Option<f64>,
    pub processor_ms: f64,
    pub files: Vec<SandboxFile>,
}

impl From<RunResult> for SandboxOutcome {
    fn from(result: RunResult) -> Self {
        let outcome = result.outcome;
        let file = |(path, bytes): (String, Vec<u8>)| SandboxFile {
            path,
            data: Uint8Array::new(bytes),
        };
        Self {
            exit_code: outcome.exit_code,
            stdout: outcome.stdout.text(),
            stderr: outcome.stderr.text(),
            truncated: outcome.stdout.truncated || outcome.stderr.truncated,
            timed_out: outcome.timed_out,
            oom_killed: outcome.oom_killed,
            duration_ms: outcome.duration_ms as f64,
            stopped_by: outcome.stopped_by.map(|limit| limit.as_str().to_owned()),
            peak_memory: outcome.peak_memory.map(|bytes| bytes as f64),
            peak_processes: outcome.peak_processes.map(|count| count as f64),
            processor_ms: outcome.processor_ms as f64,
            files: result.files.into_iter().map(file).collect(),
        }
    }
}

/// An open sandbox.
#[napi]
pub struct SandboxHandle {
    runner: Arc<Runner>,
}

#[napi]
impl SandboxHandle {
    /// Fetches the tools where they are missing and finds an engine whose limits bind.
    #[napi]
    pub fn open(env: &Env, options: Value) -> napi::Result<PromiseRaw<'_, SandboxHandle>> {
        promise(env, async move {
            let (given, options, limits) = Given::read(options)?;
            let workshop = given.workshop(options, limits.clone());
            let ready = workshop.ready(&CancellationToken::new()).await?;
            ready.engine.warm();
            let timeout_ms = given.timeout.unwrap_or(DEFAULT_TIMEOUT_MS);
            let options = RunnerOptions {
                limits,
                timeout_ms,
                env: given.env,
            };
            Ok(Self {
                runner: Arc::new(Runner::new(ready.engine, options)),
            })
        })
    }

    /// What makes the boxes.
    #[napi(getter, catch_unwind)]
    pub fn engine(&self) -> String {
        self.runner.describe().0
    }

    /// How well they isolate.
    #[napi(getter, catch_unwind)]
    pub fn isolation(&self) -> String {
        self.runner.describe().1
    }

    /// Runs one command; `id` is the caller's own, for `cancel`.
    #[napi]
    pub fn run<'env>(
        &self,
        env: &'env Env,
        id: u32,
        request: SandboxRequest,
    ) -> napi::Result<PromiseRaw<'env, SandboxOutcome>> {
        let runner = Arc::clone(&self.runner);
        let request = RunRequest {
            command: request.command,
            files: request
                .files
                .into_iter()
                .map(|file| (file.path, file.data.to_vec()))
                .collect(),
            directory: request.directory.map(PathBuf::from),
            stdin: request.stdin.map(|bytes| bytes.to_vec()).unwrap_or_default(),
            timeout_ms: request.timeout.map(|timeout| timeout as u64),
            collect: request.collect,
        };
        let token = runner.begin(id);
        promise(env, async move {
            runner.run(id, token, request).await.map(SandboxOutcome::from)
        })
    }

    /// Cancels a run.
    #[napi(catch_unwind)]
    pub fn cancel(&self, id: u32) {
        self.runner.cancel(id);
    }

    /// Ends all runs and removes all boxes.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let runner = Arc::clone(&self.runner);
        promise(env, async move {
            runner.close().await;
            Ok(())
        })
    }
}
