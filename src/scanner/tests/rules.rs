use super::super::catalogue::FILES;
use super::super::rule::{Rule, RuleFile};
use super::scanner;

fn files() -> Vec<(&'static str, RuleFile)> {
    FILES
        .iter()
        .map(|(name, text)| (*name, toml::from_str(text).unwrap()))
        .collect()
}

#[test]
fn every_example_that_must_match_does_and_no_other() {
    let scanner = scanner();
    let mut wrong = Vec::new();
    for (family, file) in files() {
        for rule in file.rule {
            assert!(
                !rule.examples.matching.is_empty(),
                "{family}/{} has no example",
                rule.id
            );
            assert!(
                !rule.examples.no_match.is_empty(),
                "{family}/{} has no counterexample",
                rule.id
            );
            for (expected, examples) in [(true, &rule.examples.matching), (false, &rule.examples.no_match)] {
                for pieces in examples {
                    let text = pieces.concat();
                    let result = scanner.scan_text(&text, None);
                    if result.secrets.iter().any(|one| one.rule == rule.id) != expected {
                        let found: Vec<_> = result.secrets.iter().map(|one| &one.rule).collect();
                        wrong.push(format!("{} expected={expected} {text:?} found {found:?}", rule.id));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_name_of_its_own_a_description_and_a_pattern_that_compiles() {
    let mut ids = Vec::new();
    for (_, file) in files() {
        for data in file.rule {
            let rule = Rule::of(&data);
            assert!(!data.description.is_empty() && !data.kind.is_empty(), "{}", data.id);
            assert_eq!(rule.pattern().is_some(), !data.pattern.is_empty(), "{}", data.id);
            assert!(data.detector.is_some() || !data.pattern.is_empty(), "{}", data.id);
            assert!(data.prefix.iter().all(|prefix| prefix.len() >= 2), "{}", data.id);
            assert!((0.0..=1.0).contains(&data.confidence), "{}", data.id);
            ids.push(data.id);
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(count > 100, "{count}");
}
