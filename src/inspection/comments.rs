//! Comments that change what a tool does.

/// Words that silence a tool.
const SILENCERS: &[&str] = &[
    "@ts-ignore",
    "@ts-nocheck",
    "@ts-expect-error",
    "eslint-disable",
    "oxlint-disable",
    "biome-ignore",
    "@vitest-environment",
];

/// What is wrong with a comment, given without its marks: a code and a message.
pub(super) fn judge(content: &str) -> Option<(&'static str, String)> {
    let text = content.trim_start_matches(['/', '*', ' ', '\t']);
    if content.starts_with('/') && (text.starts_with("<reference") || text.starts_with("<amd")) {
        return Some((
            "triple-slash",
            "triple-slash directives are refused: import what is needed".to_owned(),
        ));
    }
    if text.starts_with("@bun") {
        return Some((
            "comment-suppression",
            "the comment @bun is refused: it turns the compiler off".to_owned(),
        ));
    }
    let silencer = SILENCERS.iter().find(|word| content.contains(**word))?;
    Some((
        "comment-suppression",
        format!("the comment {silencer} is refused: mend what the tool says instead"),
    ))
}
