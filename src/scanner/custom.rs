//! Rules that users add. Their patterns run in windows, so that no pattern costs more than linear time.

use std::sync::Arc;

use regex::bytes::Regex;
use serde::Deserialize;
use serde_json::json;

use super::candidate::{Candidate, RANK_FORMAT};
use super::catalogue::Catalogue;
use super::options::{Allowed, CustomRuleData, RuleSource, ScannerOptions};
use super::rule::RuleInfo;
use crate::error::{Code, Error, Result};

/// A window's new bytes, and how far a match may reach beyond them.
const STEP: usize = 16 * 1024;
const REACH: usize = 4 * 1024;

/// A user's rule that is ready to run.
#[derive(Debug)]
pub struct CustomRule {
    pub info: Arc<RuleInfo>,
    regex: Regex,
    has_group: bool,
}

impl CustomRule {
    /// Compiles a rule; a bad pattern is told with its place.
    pub fn compile(data: &CustomRuleData) -> Result<Self> {
        let name = data.name.trim();
        if name.is_empty() || name.len() > 200 {
            return Err(Error::new(
                Code::OptionInvalid,
                "a rule's name must have 1 to 200 characters",
            ));
        }
        let regex = compile_pattern(name, &data.pattern)?;
        if regex.is_match(b"") {
            return Err(Error::new(
                Code::PatternInvalid,
                format!("the pattern of the rule {name:?} fits the empty text, so it would find everything; make a part of it obligatory"),
            )
            .with_details(json!({ "rule": name, "position": 0 })));
        }
        let id: String = name
            .chars()
            .map(|character| if character.is_whitespace() { '-' } else { character })
            .collect();
        Ok(Self {
            info: Arc::new(RuleInfo {
                id,
                kind: name.to_owned(),
                description: data.description.clone(),
                severity: data.severity,
                confidence: 0.8,
                pattern: data.pattern.clone(),
                chosen: true,
            }),
            has_group: regex.capture_names().flatten().any(|group| group == "secret"),
            regex,
        })
    }

    /// Everything that the pattern fits.
    pub fn scan(&self, text: &[u8], out: &mut Vec<Candidate>) {
        let mut start = 0;
        let mut from = 0;
        while start < text.len() {
            let border = (start + STEP).min(text.len());
            let window = &text[..(border + REACH).min(text.len())];
            while from < border
                && let Some(found) = self.regex.find_at(window, from)
            {
                if found.start() >= border {
                    break;
                }
                from = found.end().max(found.start() + 1);
                if !found.is_empty() {
                    let span = self.secret(window, found.range());
                    out.push(Candidate::of(&self.info, span, RANK_FORMAT));
                }
            }
            from = from.max(border);
            start = border;
        }
    }

    fn secret(&self, window: &[u8], whole: std::ops::Range<usize>) -> std::ops::Range<usize> {
        if !self.has_group {
            return whole;
        }
        let group = self
            .regex
            .captures_at(window, whole.start)
            .and_then(|captures| captures.name("secret").map(|group| group.range()));
        group.filter(|range| !range.is_empty()).unwrap_or(whole)
    }
}

/// Compiles a pattern of a user; the error says where it is wrong.
pub fn compile_pattern(name: &str, pattern: &str) -> Result<Regex> {
    let invalid = |position: usize, why: &str| {
        Error::new(
            Code::PatternInvalid,
            format!("the pattern of the rule {name:?} is invalid at position {position}: {why}"),
        )
        .with_details(json!({ "rule": name, "position": position, "reason": why }))
    };
    if pattern.is_empty() {
        return Err(invalid(0, "it is empty"));
    }
    if let Err(error) = regex_syntax::Parser::new().parse(pattern) {
        let (offset, why) = match &error {
            regex_syntax::Error::Parse(error) => (error.span().start.offset, error.kind().to_string()),
            regex_syntax::Error::Translate(error) => (error.span().start.offset, error.kind().to_string()),
            _ => (0, error.to_string()),
        };
        let position = pattern.get(..offset).map_or(0, |before| before.encode_utf16().count());
        return Err(invalid(position, &why));
    }
    regex::bytes::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => {
                invalid(0, &format!("it needs more than {limit} bytes; use smaller repetitions"))
            }
            other => invalid(0, &other.to_string()),
        })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomFile {
    #[serde(default)]
    rule: Vec<CustomRuleData>,
    #[serde(default)]
    disable: Vec<String>,
    #[serde(default)]
    allowlist: Vec<Allowed>,
}

/// Options whose `rules` are a list: what a TOML text says beside its rules is added to the other options.
pub fn with_file(mut options: ScannerOptions) -> Result<ScannerOptions> {
    if let RuleSource::Toml(text) = &options.rules {
        let file: CustomFile = toml::from_str(text).map_err(|error| {
            Error::new(
                Code::OptionInvalid,
                format!("the scanner's option rules is no valid TOML: {error}"),
            )
        })?;
        options.rules = RuleSource::List(file.rule);
        options.disable.extend(file.disable);
        options.allowlist.extend(file.allowlist);
    }
    Ok(options)
}

/// The rules of an option.
pub fn compile_all(source: &RuleSource) -> Result<Vec<Arc<CustomRule>>> {
    match source {
        RuleSource::List(list) => {
            let mut rules: Vec<Arc<CustomRule>> = Vec::with_capacity(list.len());
            for data in list {
                let rule = CustomRule::compile(data)?;
                if rules.iter().any(|known| known.info.id == rule.info.id) {
                    return Err(Error::new(
                        Code::OptionInvalid,
                        format!("two rules of the scanner's option rules are called {:?}", rule.info.id),
                    ));
                }
                rules.push(Arc::new(rule));
            }
            Ok(rules)
        }
        RuleSource::Toml(_) => Ok(Vec::new()),
    }
}

/// Two rules of one id could not be told apart by whoever disables or accepts one.
pub fn refuse_known(catalogue: &Catalogue, rule: &CustomRule) -> Result<()> {
    if catalogue.rule(&rule.info.id).is_none() {
        return Ok(());
    }
    Err(Error::new(
        Code::OptionInvalid,
        format!(
            "a built-in rule is called {:?} already; choose another name",
            rule.info.id
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str) -> Result<CustomRule> {
        CustomRule::compile(&CustomRuleData {
            name: "mine".into(),
            pattern: pattern.into(),
            severity: super::super::Severity::High,
            description: String::new(),
        })
    }

    #[test]
    fn a_match_on_a_window_border_is_found_once() {
        let rule = rule("ACME-[0-9]{6}").unwrap();
        for shift in 0..14 {
            let mut text = vec![b' '; STEP - shift];
            text.extend_from_slice(b"ACME-123456 ACME-654321");
            let mut out = Vec::new();
            rule.scan(&text, &mut out);
            let spans: Vec<_> = out.into_iter().map(|one| one.span).collect();
            assert_eq!(
                spans,
                [STEP - shift..STEP - shift + 11, STEP - shift + 12..STEP - shift + 23]
            );
        }
    }

    #[test]
    fn a_bad_pattern_is_told_with_its_position() {
        for (pattern, position) in [
            ("ab(c", 2),
            ("é[z-a]", 2),
            (r"(a)\1", 3),
            ("a(?=b)", 1),
            ("x*", 0),
            ("", 0),
        ] {
            let error = rule(pattern).unwrap_err();
            assert_eq!(error.code(), Code::PatternInvalid, "{pattern}");
            assert_eq!(error.details()["position"], position, "{pattern}: {error}");
        }
        assert_eq!(rule("(a{1000}){1000}").unwrap_err().code(), Code::PatternInvalid);
    }

    #[test]
    fn a_catastrophic_pattern_ends() {
        let rule = rule("(a+)+$|(x+x+)+y").unwrap();
        let mut out = Vec::new();
        rule.scan("ax".repeat(50_000).as_bytes(), &mut out);
        assert!(out.is_empty());
    }
}
