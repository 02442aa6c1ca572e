//! Stage *boot*: the built plugin in a real `AgentRuntime`, judged by a process out of its reach.

use serde::Deserialize;
use serde_json::json;

use super::command::{self, Tool};
use super::deadline;
use super::examination::Bench;
use super::report::{Check, CheckStatus, Where};
use super::stage::Stage;
use crate::diagnostic::Diagnostic;
use crate::error::{Code, Error, Result};

const NODE: &str = "/sandbox/bin/node";

/// What the judge printed.
#[derive(Debug, Deserialize)]
struct Judgement {
    checks: Vec<JudgedCheck>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JudgedCheck {
    name: String,
    status: CheckStatus,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    duration_ms: f64,
}

/// Boots the plugin in its box and lets the judge draw, ask and compare.
pub async fn run(bench: &mut Bench<'_>) -> Result<Vec<Check>> {
    let contract = bench.candidate.specification.clone();
    let specification = match &contract {
        Some(specification) => serde_json::to_value(specification).map_err(|error| {
            Error::new(Code::Internal, "a specification could not be written as JSON").because(error)
        })?,
        None => serde_json::Value::Null,
    };
    let seed = uuid::Uuid::now_v7().simple().to_string();
    let question =
        json!({ "specification": specification, "seed": seed, "deadlineMs": deadline::of(Stage::Boot) - 10_000 });
    let tool = Tool {
        argv: command::args([NODE, "/sandbox/harness/subject.mjs", "/sandbox/work/dist/index.js"]),
        judge: Some(command::args([NODE, "/sandbox/harness/judge.mjs"])),
        stdin: question.to_string().into_bytes(),
        ..Tool::default()
    };
    let token = bench.token;
    let ran = command::run(bench.stage().await?, Stage::Boot, tool, token).await?;
    let check = Check::of(Stage::Boot, Where::Sandbox).ran(&ran.argv, &ran.outcome);
    let Some(judge) = ran.outcome.judge.as_deref() else {
        return Err(Error::new(
            Code::Inconclusive,
            "the box ran the plugin without its judge",
        ));
    };
    if ran.outcome.oom_killed || ran.outcome.timed_out {
        return Ok(vec![check.judged(ran.stopped.into_iter().collect())]);
    }
    let Ok(judgement) = serde_json::from_slice::<Judgement>(&judge.stdout.bytes) else {
        return Err(command::unexplained(Stage::Boot, judge));
    };
    Ok(conclude(check, judgement, contract.is_some(), judge.exit_code))
}

/// The stage's check, and those of the judge below it.
fn conclude(mut check: Check, judgement: Judgement, has_contract: bool, judge_exit: Option<i32>) -> Vec<Check> {
    check.exit_code = judge_exit;
    let mut diagnostics = Vec::new();
    let mut inner = Vec::new();
    let mut undecided = judgement.checks.is_empty();
    for judged in judgement.checks {
        let detail = judged.detail.unwrap_or_default();
        if judged.status == CheckStatus::Failed {
            diagnostics.push(Diagnostic::of("", format!("contract/{}", judged.name), detail.clone()));
        }
        undecided |= judged.status == CheckStatus::Inconclusive;
        let mut sub = Check::named(format!("boot: {}", judged.name), Where::Sandbox);
        sub.status = judged.status;
        sub.duration_ms = judged.duration_ms.max(0.0) as u64;
        inner.push(if detail.is_empty() { sub } else { sub.saying(&detail) });
    }
    let passed = inner.iter().filter(|sub| sub.status == CheckStatus::Passed).count() as u64;
    let failed = diagnostics.len() as u64;
    check = check
        .counting("checks", inner.len() as u64)
        .counting("passed", passed)
        .counting("failed", failed)
        .judged(diagnostics);
    if check.status == CheckStatus::Passed && judge_exit != Some(0) {
        undecided = true;
    }
    if check.status == CheckStatus::Passed && !has_contract {
        check.status = CheckStatus::Inconclusive;
        check = check.saying("there was no specification, so no contract could be checked");
    } else if check.status == CheckStatus::Passed && undecided {
        check.status = CheckStatus::Inconclusive;
        check = check.saying("the judge could not decide every check");
    }
    let mut checks = vec![check];
    checks.append(&mut inner);
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(statuses: &[CheckStatus]) -> Judgement {
        let checks = statuses
            .iter()
            .map(|status| JudgedCheck {
                name: "x".into(),
                status: *status,
                detail: Some("why".into()),
                duration_ms: 1.0,
            })
            .collect();
        Judgement { checks }
    }

    fn status(statuses: &[CheckStatus], exit: i32, contract: bool) -> CheckStatus {
        let check = Check::of(Stage::Boot, Where::Sandbox);
        conclude(check, judged(statuses), contract, Some(exit))[0].status
    }

    #[test]
    fn a_boot_passes_only_when_the_judge_decided_everything() {
        use CheckStatus::{Failed, Inconclusive, Passed, Skipped};
        assert_eq!(status(&[Passed, Skipped], 0, true), Passed);
        assert_eq!(status(&[Passed, Failed], 1, true), Failed);
        assert_eq!(status(&[Passed, Inconclusive], 3, true), Inconclusive);
        assert_eq!(status(&[Passed], 3, true), Inconclusive);
        assert_eq!(status(&[], 0, true), Inconclusive);
        assert_eq!(status(&[Passed], 0, false), Inconclusive);
    }
}
