//! What the pipeline counts, for as long as its engine is open.

use crate::metrics::{CounterFamily, Exposition, HistogramFamily};
use crate::scanner::ScanResult;

const SECONDS: &[f64] = &[
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0,
];

const BYTES: &[f64] = &[16e6, 32e6, 64e6, 128e6, 256e6, 512e6, 1024e6, 2048e6];

const ITERATIONS: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 50.0];

/// Counters and distributions of all jobs.
#[derive(Debug)]
pub struct Metrics {
    /// By stage and outcome.
    pub stages: HistogramFamily,
    /// By outcome.
    pub attempts: HistogramFamily,
    /// From the time a job may run to its start.
    pub waits: HistogramFamily,
    pub iterations: HistogramFamily,
    /// By outcome: `completed`, `failed` or `cancelled`, and the code of a failure.
    pub jobs: CounterFamily,
    /// By outcome: `ok` or a code.
    pub model_calls: HistogramFamily,
    /// By direction.
    pub tokens: CounterFamily,
    /// By engine and outcome: `started` or `failed`.
    pub boxes: CounterFamily,
    /// By stage and outcome.
    pub runs: HistogramFamily,
    /// By stage.
    pub memory: HistogramFamily,
    /// By what was scanned.
    pub scans: CounterFamily,
    /// By severity.
    pub findings: CounterFamily,
}

impl Default for Metrics {
    fn default() -> Self {
        let runs: &[&[&str]] = &[
            &["type-check", "exit"],
            &["lint", "exit"],
            &["build", "exit"],
            &["test", "exit"],
            &["boot", "exit"],
        ];
        Self {
            stages: HistogramFamily::new(
                "auton8n_stage_duration_seconds",
                "How long a stage of a creation took.",
                &["stage", "outcome"],
                SECONDS,
                &[&["validate", "passed"], &["generate", "passed"], &["inspect", "passed"]],
            ),
            attempts: HistogramFamily::new(
                "auton8n_job_attempt_duration_seconds",
                "How long an attempt of a job took.",
                &["outcome"],
                SECONDS,
                &[&["completed"], &["failed"], &["retry"]],
            ),
            waits: HistogramFamily::new(
                "auton8n_job_wait_seconds",
                "How long a job waited from the time it could run to its start.",
                &[],
                SECONDS,
                &[&[]],
            ),
            iterations: HistogramFamily::new(
                "auton8n_job_iterations",
                "Rounds of generating and checking until a creation ended.",
                &[],
                ITERATIONS,
                &[&[]],
            ),
            jobs: CounterFamily::new(
                "auton8n_jobs_finished",
                "Jobs that ended, with the code of those that failed.",
                &["outcome", "code"],
                &[
                    &["completed", ""],
                    &["failed", "AUTON8N_CHECKS_FAILED"],
                    &["failed", "AUTON8N_INCONCLUSIVE"],
                    &["cancelled", ""],
                ],
            ),
            model_calls: HistogramFamily::new(
                "auton8n_model_call_duration_seconds",
                "How long a call of a model took, with the code of those that failed.",
                &["outcome"],
                SECONDS,
                &[
                    &["ok"],
                    &["AUTON8N_MODEL_RATE_LIMITED"],
                    &["AUTON8N_MODEL_UNAVAILABLE"],
                    &["AUTON8N_TIMEOUT"],
                ],
            ),
            tokens: CounterFamily::new(
                "auton8n_model_tokens",
                "Tokens that models read and wrote, as they told it.",
                &["direction"],
                &[&["input"], &["output"]],
            ),
            boxes: CounterFamily::new(
                "auton8n_sandbox_boxes",
                "Sandboxes that were started, or could not be.",
                &["engine", "outcome"],
                &[&["none", "failed"]],
            ),
            runs: HistogramFamily::new(
                "auton8n_sandbox_run_duration_seconds",
                "How long a tool ran in a sandbox, and how it ended.",
                &["stage", "outcome"],
                SECONDS,
                runs,
            ),
            memory: HistogramFamily::new(
                "auton8n_sandbox_peak_memory_bytes",
                "The most memory that a run in a sandbox used, where the engine tells it.",
                &["stage"],
                BYTES,
                &[&["test"], &["boot"]],
            ),
            scans: CounterFamily::new(
                "auton8n_scanner_scans",
                "Texts and candidates that were scanned for secrets.",
                &["subject"],
                &[&["request"], &["prompt"], &["candidate"]],
            ),
            findings: CounterFamily::new(
                "auton8n_scanner_findings",
                "Secrets that were found.",
                &["severity"],
                &[&["critical"], &["high"], &["medium"], &["low"]],
            ),
        }
    }
}

impl Metrics {
    /// Counts one scan and what it found.
    pub fn scanned(&self, subject: &str, found: &ScanResult) {
        self.scans.add(&[subject], 1);
        for finding in &found.secrets {
            self.findings.add(&[finding.severity.as_str()], 1);
        }
    }

    /// Writes all of them.
    pub fn write(&self, out: &mut Exposition) {
        for counters in [&self.jobs, &self.tokens, &self.boxes, &self.scans, &self.findings] {
            counters.write(out);
        }
        let histograms = [
            &self.stages,
            &self.attempts,
            &self.waits,
            &self.iterations,
            &self.model_calls,
            &self.runs,
            &self.memory,
        ];
        for histogram in histograms {
            histogram.write(out);
        }
    }
}
