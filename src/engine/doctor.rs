//! What is here, what is missing, and what to do about it.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::options::EngineOptions;
use super::rooms::Rooms;
use crate::error::{Code, Error, Result};

/// Whether a creation could be made now. The first look makes tools and engine ready, as the first job
/// would; after a failure it looks again only when some time has passed.
pub async fn health(rooms: &Rooms, token: &CancellationToken) -> Result<Value> {
    let Some(workshop) = &rooms.pipeline.examiner.workshop else {
        let off = "the sandbox is switched off, so no plugin can be verified";
        return Ok(degraded(Code::SandboxUnavailable, off));
    };
    Ok(match workshop.ready_or_known_failure(token).await {
        Ok(ready) => json!({
            "status": "ok",
            "reasons": [],
            "engine": ready.engine.name(),
            "isolation": ready.engine.isolation().to_string(),
        }),
        Err((code, message)) => degraded(code, &message),
    })
}

fn degraded(code: Code, message: &str) -> Value {
    json!({ "status": "degraded", "reasons": [reason(code.as_str(), message)] })
}

/// Something else that is not as it should be.
pub fn add_problem(health: &mut Value, problem: &Error) {
    health["status"] = json!("degraded");
    if let Some(reasons) = health["reasons"].as_array_mut() {
        reasons.push(reason(problem.code().as_str(), problem.message()));
    }
}

fn reason(code: &str, message: &str) -> Value {
    json!({ "code": code, "message": message })
}

/// Everything that a creation needs, one by one.
pub async fn doctor(options: &EngineOptions, rooms: &Rooms, token: &CancellationToken) -> Result<Value> {
    let workshop = rooms.pipeline.examiner.workshop.as_ref();
    let engines = match workshop {
        Some(workshop) => workshop.probe(token).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let engines: Vec<Value> = engines
        .into_iter()
        .map(|candidate| {
            json!({
                "name": candidate.name,
                "address": candidate.address,
                "usable": candidate.usable,
                "problems": candidate.problems,
                "durationMs": candidate.duration_ms,
            })
        })
        .collect();
    let toolchain = match workshop {
        Some(workshop) => match workshop.toolchain(token).await {
            Ok(toolchain) => json!({ "usable": true, "directory": toolchain.directory, "digest": toolchain.digest }),
            Err(error) => failure(&error),
        },
        None => Value::Null,
    };
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "platform": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        "dataDir": options.data_dir,
        "sandboxes": engines,
        "toolchain": toolchain,
        "model": rooms.models.has_default(),
    }))
}

fn failure(error: &Error) -> Value {
    json!({ "usable": false, "code": error.code().as_str(), "message": error.message() })
}
