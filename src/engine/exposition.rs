//! The numbers of all rooms in one text for a Prometheus.

use super::near::{Near, NearBreaker};
use super::process;
use super::rooms::Rooms;
use crate::metrics::{Exposition, Format};
use crate::queue::Metrics as QueueMetrics;
use crate::tracer::TracerMetrics;

/// Writes everything that is counted.
pub fn text(rooms: &Rooms, queue: &QueueMetrics, near: &Near, format: Format) -> String {
    let mut out = Exposition::new(format);
    out.gauge(
        "auton8n_build_info",
        "The version of the engine, as a label of the value 1.",
    );
    out.value("auton8n_build_info", &["version"], &[env!("CARGO_PKG_VERSION")], 1.0);
    let telemetry = &rooms.pipeline.examiner.telemetry;
    jobs(&mut out, queue);
    telemetry.metrics.write(&mut out);
    breakers(&mut out, rooms, near);
    spans(&mut out, &telemetry.tracer.metrics());
    process::write(&mut out);
    near.write(&mut out);
    out.finish()
}

fn jobs(out: &mut Exposition, queue: &QueueMetrics) {
    let name = "auton8n_jobs";
    out.gauge(name, "Jobs of the store by state.");
    let counts = &queue.counts;
    for (state, count) in [
        ("pending", counts.pending),
        ("scheduled", counts.scheduled),
        ("running", counts.running),
        ("retrying", counts.retrying),
        ("completed", counts.completed),
        ("failed", counts.failed),
        ("cancelled", counts.cancelled),
    ] {
        out.value(name, &["state"], &[state], count as f64);
    }
    single(
        out,
        "auton8n_queue_paused",
        "1 while no jobs are taken.",
        f64::from(u8::from(queue.paused)),
    );
    let waits = queue.oldest_waiting_ms.unwrap_or(0) as f64 / 1e3;
    single(
        out,
        "auton8n_queue_oldest_waiting_seconds",
        "How long the job that waits longest has waited.",
        waits,
    );
    if let Some(ms) = queue.since_last_claim_ms {
        single(
            out,
            "auton8n_queue_last_claim_age_seconds",
            "Time since a job was last taken.",
            ms as f64 / 1e3,
        );
    }
}

/// The engine's own breaker and those of the program.
fn breakers(out: &mut Exposition, rooms: &Rooms, near: &Near) {
    let own = rooms.pipeline.asker.breaker.as_ref().map(|guard| {
        let metrics = guard.metrics(rooms.clock.monotonic_ms());
        NearBreaker {
            name: guard.name().to_owned(),
            state: metrics.state.as_str().to_owned(),
            success: metrics.successful_requests as f64,
            failure: metrics.failed_requests as f64,
            timeout: metrics.timeouts as f64,
            rejected: metrics.rejected_requests as f64,
        }
    });
    let all: Vec<&NearBreaker> = own.iter().chain(&near.breakers).collect();
    if all.is_empty() {
        return;
    }
    let state = "auton8n_breaker_state";
    out.gauge(state, "1 for the state in which the breaker is.");
    for breaker in &all {
        for label in ["closed", "open", "half-open"] {
            let value = f64::from(u8::from(breaker.state == label));
            out.value(state, &["breaker", "state"], &[breaker.name.as_str(), label], value);
        }
    }
    let calls = "auton8n_breaker_calls";
    out.counter(calls, "Calls through the breaker; a timeout is a failure too.");
    for breaker in all {
        for (outcome, count) in [
            ("success", breaker.success),
            ("failure", breaker.failure),
            ("timeout", breaker.timeout),
            ("rejected", breaker.rejected),
        ] {
            out.count(calls, &["breaker", "outcome"], &[breaker.name.as_str(), outcome], count);
        }
    }
}

fn spans(out: &mut Exposition, metrics: &TracerMetrics) {
    let name = "auton8n_tracer_spans";
    out.counter(name, "What became of the spans.");
    for (fate, count) in [
        ("started", metrics.started),
        ("exported", metrics.exported),
        ("dropped", metrics.dropped),
        ("failed", metrics.failed),
    ] {
        out.count(name, &["fate"], &[fate], count as f64);
    }
}

fn single(out: &mut Exposition, name: &str, help: &str, value: f64) {
    out.gauge(name, help);
    out.value::<&str>(name, &[], &[], value);
}
