//! What an answer is that has no manifest.

use super::{MANIFEST, ReplyFault, ReplyProblem};

/// An answer without a manifest: nothing, a refusal, or something else.
pub(super) fn without_manifest(text: &str) -> ReplyProblem {
    const DECLINES: &[&str] = &[
        "i can't",
        "i cannot",
        "i can not",
        "i'm sorry",
        "i am sorry",
        "i won't",
        "i will not",
        "i'm unable",
        "i am unable",
        "i'm not able",
        "i must decline",
        "i have to decline",
        "i'm not going to",
        "can't help",
        "cannot help",
        "can't assist",
        "cannot assist",
        "against my",
    ];
    if text.trim().is_empty() {
        return ReplyProblem::new(
            ReplyFault::Empty,
            "The model's answer is empty.",
            "The answer was empty.",
        );
    }
    let start: String = text
        .chars()
        .take(2000)
        .collect::<String>()
        .to_lowercase()
        .replace('\u{2019}', "'");
    if !text.contains("```") && DECLINES.iter().any(|phrase| start.contains(phrase)) {
        let message = "The model declined to write this plugin. Describe another purpose, or use another model.";
        return ReplyProblem::new(
            ReplyFault::Refused,
            message,
            "Write the files, or say in one sentence why not.",
        );
    }
    let message = format!("The model's answer is not in the reply format: it has no line `{MANIFEST}`.");
    ReplyProblem::new(
        ReplyFault::NoManifest,
        message,
        format!("The answer must begin with the line `{MANIFEST}`."),
    )
}
