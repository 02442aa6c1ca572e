//! The rooms of one engine, opened from its options.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;
use serde::Deserialize;

use super::creation::plugins_dir;
use super::dependencies::own_advisories_path;
use super::options::{EngineOptions, Part};
use super::sandbox_options;
use crate::breaker::{Breaker, BreakerOptions};
use crate::clock::{SharedClock, SystemClock};
use crate::dependencies::DependencyOptions;
use crate::error::{Code, Error, Result};
use crate::pipeline::{Asker, DependencyGuard, Examiner, Models, Pipeline, Telemetry, Workshop, WorkshopOptions};
use crate::scanner::{Scanner, ScannerOptions};
use crate::toolchain::{ToolchainOptions, cache_directory};
use crate::tracer::{
    Compression, Exporter, FileExporter, OtlpExporter, OtlpOptions, ParentBasedSampler, ProbabilitySampler, Protocol,
    Redact, SpillOptions, Tracer, TracerOptions,
};

/// A model answers slowly: the breaker's own time-out is that of the pipeline's deadline.
const MODEL_BREAKER: &str = "model";

/// What the engine's parts share.
pub struct Rooms {
    pub pipeline: Arc<Pipeline>,
    pub models: Arc<Models>,
    pub clock: SharedClock,
}

/// Opens all rooms but the store. Nothing is fetched and no engine is looked for yet.
pub fn open(options: &EngineOptions) -> Result<Rooms> {
    let clock = SystemClock::shared();
    let scanner = scanner(&options.scanner)?;
    let tracer = tracer(&options.tracing, &options.data_dir, scanner.as_ref(), &clock)?;
    let breaker = match options.breaker.options() {
        Some(given) => Some(Arc::new(Breaker::new(
            MODEL_BREAKER,
            BreakerOptions::from_value(given)?,
        )?)),
        None => None,
    };
    let models = models_of(&options.data_dir);
    let telemetry = Telemetry {
        tracer,
        metrics: Arc::default(),
        clock: Arc::clone(&clock),
    };
    let examiner = Examiner {
        scanner: scanner.clone(),
        workshop: workshop(options)?.map(Arc::new),
        dependencies: dependency_guard(options)?,
        telemetry: telemetry.clone(),
    };
    let asker = Asker {
        models: Arc::clone(&models),
        breaker,
        scanner,
        telemetry,
    };
    let pipeline = Arc::new(Pipeline {
        examiner,
        asker,
        plugins_dir: plugins_dir(&options.data_dir),
        lock: options.package_root.join("toolchain.lock.json"),
    });
    Ok(Rooms {
        pipeline,
        models,
        clock,
    })
}

/// Several engines of one process on one data directory share their jobs, so they share the models too.
static MODELS: LazyLock<Mutex<HashMap<PathBuf, Weak<Models>>>> = LazyLock::new(Mutex::default);

fn models_of(data_dir: &Path) -> Arc<Models> {
    let mut known = MODELS.lock();
    known.retain(|_, models| models.strong_count() > 0);
    let slot = known.entry(data_dir.to_owned()).or_default();
    slot.upgrade().unwrap_or_else(|| {
        let models = Arc::new(Models::default());
        *slot = Arc::downgrade(&models);
        models
    })
}

fn scanner(part: &Part) -> Result<Option<Arc<Scanner>>> {
    let Some(given) = part.options() else { return Ok(None) };
    let mut options = if given.is_null() {
        ScannerOptions::default()
    } else {
        ScannerOptions::from_json(given)?
    };
    // Generated code must not silence its own gate by a comment.
    options.allow_comments = false;
    Ok(Some(Arc::new(Scanner::new(options)?)))
}

/// What `dependencies` may say: how those of plugins are judged.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Dependencies {
    advisories: Option<PathBuf>,
    allow: Vec<String>,
    scopes: Vec<String>,
    /// What no advisory data covers leaves the check open. Default false: it is told only.
    require_advisories: bool,
}

fn dependency_guard(options: &EngineOptions) -> Result<Option<DependencyGuard>> {
    let Some(given) = options.dependencies.options() else {
        return Ok(None);
    };
    let given = if given.is_null() {
        Dependencies::default()
    } else {
        options_of::<Dependencies>("dependencies", given)?
    };
    let rules = serde_json::json!({
        "offline": true,
        // The versions are those of the lock that ships.
        "minimumAge": 0,
        "allow": given.allow,
        "scopes": given.scopes,
    });
    Ok(Some(DependencyGuard {
        options: DependencyOptions::from_value(rules)?,
        advisories: given.advisories.unwrap_or_else(own_advisories_path),
        require_advisories: given.require_advisories,
        lock: options.package_root.join("toolchain.lock.json"),
    }))
}

/// What `tracing` may say: where spans go, and how many.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Tracing {
    /// An OTLP receiver.
    #[serde(default)]
    url: Option<String>,
    /// Whether spans are kept in the data directory, at most 16 MiB of them. Default true.
    #[serde(default)]
    file: Option<bool>,
    /// Whether spans for a receiver are kept in the data directory until they are sent, so that a process that is
    /// killed loses few of them. Default false.
    #[serde(default)]
    spill: bool,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    protocol: Protocol,
    #[serde(default)]
    service_name: Option<String>,
    #[serde(default)]
    environment: Option<String>,
    /// 0 to 1: the share of traces that is recorded. Default 1.
    #[serde(default)]
    ratio: Option<f64>,
}

/// Where the spans of a data directory are kept.
pub fn traces_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("traces")
}

fn tracer(part: &Part, data_dir: &Path, scanner: Option<&Arc<Scanner>>, clock: &SharedClock) -> Result<Tracer> {
    let Some(given) = part.options() else {
        return Ok(Tracer::disabled());
    };
    let tracing = if given.is_null() {
        Tracing::default()
    } else {
        options_of::<Tracing>("tracing", given)?
    };
    let sent = match tracing.url {
        None => None,
        Some(url) => Some(Box::new(OtlpExporter::new(OtlpOptions {
            url,
            headers: tracing.headers,
            protocol: tracing.protocol,
            compression: Compression::default(),
            timeout: None,
        })?) as Box<dyn Exporter>),
    };
    let sends = sent.is_some();
    let exporter = match (tracing.file, sent) {
        (Some(false), None) => return Ok(Tracer::disabled()),
        (Some(false), Some(sent)) => sent,
        (_, sent) => Box::new(FileExporter::new(traces_dir(data_dir), sent)),
    };
    let mut options = TracerOptions::new(tracing.service_name.unwrap_or_else(|| "auton8n".to_owned()), exporter);
    options.service_version = Some(env!("CARGO_PKG_VERSION").to_owned());
    options.environment = tracing.environment;
    if tracing.spill && sends {
        options.spill = Some(SpillOptions::new(traces_dir(data_dir).join("unsent")));
    }
    if let Some(ratio) = tracing.ratio {
        options.sampler = Arc::new(ParentBasedSampler::new(Arc::new(ProbabilitySampler::new(ratio))));
    }
    options.redact = scanner.map(Arc::clone).map(|scanner| {
        let redact: Redact = Arc::new(move |text| scanner.redact_text(text).into_owned());
        redact
    });
    Tracer::new(options, Arc::clone(clock))
}

fn workshop(options: &EngineOptions) -> Result<Option<Workshop>> {
    let Some(given) = options.sandbox.options() else {
        return Ok(None);
    };
    let (sandbox, limits) = sandbox_options::parse(given)?;
    let lock = options.package_root.join("toolchain.lock.json");
    let mut toolchain = ToolchainOptions::new(lock, cache_of(options));
    toolchain.with_node = options.node_path.is_none();
    Ok(Some(Workshop::new(WorkshopOptions {
        sandbox,
        limits,
        toolchain,
        node: options.node_path.clone(),
        keeper: options.keeper_path.clone(),
        harness: options.package_root.join("harness"),
    })))
}

fn cache_of(options: &EngineOptions) -> PathBuf {
    options.toolchain_dir.clone().unwrap_or_else(|| {
        let env =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        cache_directory(&env.collect(), std::env::consts::OS, Path::new(&options.data_dir))
    })
}

fn options_of<T: serde::de::DeserializeOwned>(part: &str, given: serde_json::Value) -> Result<T> {
    serde_json::from_value(given).map_err(|error| {
        Error::new(
            Code::OptionInvalid,
            format!("the options of `{part}` are not right: {error}"),
        )
    })
}
