//! Part of *install*: what the plugin depends on, judged by what is on this machine. Nobody is asked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nodejs_semver::{Range, Version};

use super::candidate::Candidate;
use super::report::{Check, CheckStatus, Where};
use crate::dependencies::{
    AdvisoryFile, Component, DependencyOptions, DependencyReport, Facts, Finding, FindingCode, Kind, Known, Manifest,
    Node, Tree, exact_version, judge, read_manifest,
};
use crate::diagnostic::Diagnostic;
use crate::error::Result;
use crate::toolchain::{LockedTool, locked_packages};

/// Unknown packages that a report names.
const MAX_NAMED: usize = 10;

/// How the dependencies of plugins are judged.
#[derive(Clone, Debug)]
pub struct DependencyGuard {
    pub options: DependencyOptions,
    /// The file of advisories; it may not be there.
    pub advisories: PathBuf,
    /// What no advisory data covers leaves a check open, instead of being told only.
    pub require_advisories: bool,
    /// The toolchain's lock file: the versions that are in the box.
    pub lock: PathBuf,
}

impl DependencyGuard {
    /// Two checks: of the rules, and of advisories.
    pub fn checks(&self, candidate: &Candidate, now_ms: i64) -> Result<Vec<Check>> {
        let bytes = candidate
            .scaffold
            .get("package.json")
            .map(Vec::as_slice)
            .unwrap_or_default();
        let manifest = match read_manifest(&String::from_utf8_lossy(bytes), &[]) {
            Ok(manifest) => manifest,
            Err(error) => {
                let wrong = Diagnostic::of("package.json", "dependency/unreadable", error.message());
                return Ok(vec![
                    Check::named("install: dependencies", Where::Host).judged(vec![wrong]),
                ]);
            }
        };
        let tree = tree_of(&manifest, &locked_packages(&self.lock)?);
        let mut known = Known::new(AdvisoryFile::open(&self.advisories)?);
        let covers = known.file.is_some();
        let report = judge(&manifest, &tree, &Facts::default(), &mut known, &self.options, now_ms)?;
        Ok(vec![of_rules(&report), self.of_advisories(&report, covers)])
    }

    fn of_advisories(&self, report: &DependencyReport, covers: bool) -> Check {
        let answers = report.answers;
        let as_of = report.advisories_as_of.as_deref().unwrap_or("no day");
        let bad: Vec<Diagnostic> = report
            .findings
            .iter()
            .filter(|one| is_advisory(one))
            .map(diagnostic)
            .collect();
        let is_bad = !bad.is_empty();
        let mut check = Check::named("install: advisories", Where::Host)
            .counting("vulnerable", answers.vulnerable as u64)
            .counting("clean", answers.clean as u64)
            .counting("unknown", answers.unknown as u64)
            .judged(bad);
        if is_bad {
            return check;
        }
        if answers.unknown == 0 {
            return check.saying(&format!("clean as of {as_of}"));
        }
        check.status = if self.require_advisories {
            CheckStatus::Inconclusive
        } else {
            CheckStatus::Skipped
        };
        let mut names: Vec<String> = report
            .findings
            .iter()
            .filter(|one| one.code == FindingCode::Unknown && !one.path.is_empty())
            .map(|one| format!("{}@{}", one.package, one.version.as_deref().unwrap_or(&one.range)))
            .collect();
        names.dedup();
        let more = names.len().saturating_sub(MAX_NAMED);
        names.truncate(MAX_NAMED);
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        let why = if covers {
            "which version will be installed is not known"
        } else {
            "no advisory data covers them; run `auton8n advisories update`"
        };
        check.saying(&format!("unknown as of {as_of}: {}{more}: {why}", names.join(", ")))
    }
}

/// What went into a plugin: the packages of its box. Tools made or checked it, the others it needs where it runs.
pub fn components(candidate: &Candidate, packages: &[LockedTool]) -> Vec<Component> {
    let bytes = candidate
        .scaffold
        .get("package.json")
        .map(Vec::as_slice)
        .unwrap_or_default();
    let manifest = read_manifest(&String::from_utf8_lossy(bytes), &[Kind::Dev]).unwrap_or_default();
    let named = |name: &str| manifest.wanted.iter().any(|wanted| wanted.name == name);
    let mut components: BTreeMap<(&str, &str), Component> = BTreeMap::new();
    // One package may lie at several places.
    for package in packages {
        let component = components
            .entry((package.name.as_str(), package.version.as_str()))
            .or_insert_with(|| Component {
                name: package.name.clone(),
                version: package.version.clone(),
                integrity: Some(package.integrity.clone()),
                required: false,
                direct: false,
            });
        component.required |= package.plugin;
        component.direct |= package.plugin && named(&package.name);
    }
    components.into_values().collect()
}

/// What the manifest names, in the versions of the box, and what these bring along there.
fn tree_of(manifest: &Manifest, packages: &[LockedTool]) -> Tree {
    let mut tree = Tree {
        root: manifest.name.clone(),
        whole: true,
        ..Tree::default()
    };
    for wanted in manifest.wanted.iter().chain(&manifest.replaced) {
        let fits = |package: &&LockedTool| {
            let version = Version::parse(&package.version);
            package.name == wanted.name
                && Range::parse(&wanted.range).is_ok_and(|range| version.is_ok_and(|version| range.satisfies(&version)))
        };
        tree.nodes.push(Node {
            name: wanted.name.clone(),
            range: wanted.range.clone(),
            version: packages
                .iter()
                .find(fits)
                .map(|package| package.version.clone())
                .or_else(|| exact_version(&wanted.range)),
            kind: wanted.kind,
            ..Node::default()
        });
    }
    let named: Vec<String> = tree.nodes.iter().map(|node| node.name.clone()).collect();
    for package in packages
        .iter()
        .filter(|package| package.plugin && !named.contains(&package.name))
    {
        tree.nodes.push(Node {
            name: package.name.clone(),
            range: package.version.clone(),
            version: Some(package.version.clone()),
            ..Node::default()
        });
    }
    tree
}

fn of_rules(report: &DependencyReport) -> Check {
    let found = report
        .findings
        .iter()
        .filter(|one| one.code.refuses() && !is_advisory(one));
    let mut check = Check::named("install: dependencies", Where::Host);
    for (name, count) in report.counts() {
        check = check.counting(&name, count);
    }
    check.judged(found.map(diagnostic).collect())
}

const fn is_advisory(finding: &Finding) -> bool {
    matches!(finding.code, FindingCode::Vulnerable | FindingCode::Blocked)
}

fn diagnostic(finding: &Finding) -> Diagnostic {
    let Finding { package, reason, .. } = finding;
    let what = finding.version.as_deref().unwrap_or(&finding.range);
    let advisory = finding
        .advisory
        .as_deref()
        .map(|id| format!(" ({id})"))
        .unwrap_or_default();
    let fix = finding.fix.as_deref().map(|fix| format!("; {fix}")).unwrap_or_default();
    let message = format!("{package}@{what}: {reason}{advisory}{fix}");
    Diagnostic::of("package.json", format!("dependency/{}", finding.code.as_str()), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::path::Path;

    fn checks(manifest: &Value, require: bool) -> Vec<Check> {
        let mut candidate = Candidate::default();
        candidate
            .scaffold
            .insert("package.json".to_owned(), manifest.to_string().into_bytes());
        let options = DependencyOptions {
            minimum_age: 0,
            ..DependencyOptions::default()
        };
        let guard = DependencyGuard {
            options,
            advisories: PathBuf::from("there-is-none"),
            require_advisories: require,
            lock: Path::new(env!("CARGO_MANIFEST_DIR")).join("toolchain.lock.json"),
        };
        guard.checks(&candidate, 0).unwrap()
    }

    #[test]
    fn what_a_template_depends_on_passes_its_rules_and_unknown_is_told() {
        let manifest = json!({ "name": "@a/b", "dependencies": { "zod": "^4.0.0" }, "peerDependencies": { "@elizaos/core": "^1.7.0" } });
        let found = checks(&manifest, false);
        assert_eq!(
            (found[0].name.as_str(), found[0].status),
            ("install: dependencies", CheckStatus::Passed),
            "{found:?}"
        );
        assert_eq!(
            (found[1].name.as_str(), found[1].status),
            ("install: advisories", CheckStatus::Skipped)
        );
        let detail = found[1].detail.as_deref().unwrap();
        assert!(
            detail.contains("@elizaos/core@1.7.2") && detail.contains("advisories update"),
            "{detail}"
        );
        assert_eq!(checks(&manifest, true)[1].status, CheckStatus::Inconclusive);
    }

    #[test]
    fn what_is_refused_says_why_and_what_to_do() {
        let found = checks(
            &json!({ "dependencies": { "lodahs": "1.0.0", "event-stream": "3.3.6" } }),
            false,
        );
        assert_eq!(
            (found[0].status, found[1].status),
            (CheckStatus::Failed, CheckStatus::Failed)
        );
        assert!(
            found[0].diagnostics[0].message.contains("depend on lodash"),
            "{:?}",
            found[0].diagnostics
        );
        assert!(
            found[1].diagnostics[0].message.contains("GHSA-mh6f-8j2x-4483"),
            "{:?}",
            found[1].diagnostics
        );
        let broken = checks(&json!([]), false);
        assert_eq!((broken.len(), broken[0].status), (1, CheckStatus::Failed));
    }
}
