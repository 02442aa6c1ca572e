//! The judgement over a whole tree.

use std::collections::BTreeMap;

use nodejs_semver::{Range, Version};

use super::advisory::{Advisory, Touch};
use super::facts::Facts;
use super::finding::{Answers, DependencyReport, Finding, FindingCode, Severity};
use super::known::Known;
use super::manifest::Manifest;
use super::options::DependencyOptions;
use super::rules::Rules;
use super::shown::plain;
use super::source::Source;
use super::tree::Tree;
use crate::error::Result;

const UPDATE: &str = "run `auton8n advisories update`";

/// What advisories say of one package.
enum Answer {
    Vulnerable,
    Clean,
    Unknown,
}

/// Judges a tree. `now_ms` is the wall clock.
pub fn judge(
    manifest: &Manifest,
    tree: &Tree,
    facts: &Facts,
    known: &mut Known,
    options: &DependencyOptions,
    now_ms: i64,
) -> Result<DependencyReport> {
    let mut scopes = options.scopes.clone();
    scopes.extend(manifest.name.split_once('/').map(|(scope, _)| scope.to_owned()));
    let rules = Rules {
        tree,
        facts,
        scopes: &scopes,
        registry: options.registry.as_deref(),
        minimum_age_ms: i64::try_from(options.minimum_age).unwrap_or(i64::MAX / 2),
        now_ms,
    };
    let mut findings = tree.findings.clone();
    let mut answers = Answers::default();
    let mut ageless = 0;
    for index in in_order(tree) {
        rules.judge(index, &mut findings);
        match advisories(tree, index, facts, known, &mut findings)? {
            Answer::Vulnerable => answers.vulnerable += 1,
            Answer::Clean => answers.clean += 1,
            Answer::Unknown => answers.unknown += 1,
        }
        ageless += usize::from(!rules.age_is_known(&tree.nodes[index]));
    }
    own_scripts(manifest, tree, &mut findings);
    left_open(tree, known, ageless, &mut findings);
    for (name, why) in &facts.failures {
        let reason = format!("the registry said nothing of it: {}", plain(why));
        let mut finding = tree.about_all(
            reason,
            "check its name, and try again: a name that nobody holds can be taken by anyone",
        );
        finding.package = plain(name);
        findings.push(finding);
    }
    let allowed = options.allowed()?;
    findings.retain(|finding| !allowed.accepts(finding));
    findings.sort_by_cached_key(|finding| {
        (
            std::cmp::Reverse(weight(finding)),
            finding.package.clone(),
            finding.path.clone(),
        )
    });
    Ok(DependencyReport {
        verdict: DependencyReport::standing(&findings),
        advisories_as_of: (!tree.nodes.is_empty()).then(|| known.as_of()),
        findings,
        packages: tree.nodes.len(),
        answers,
    })
}

/// By name, so that a file of advisories is read from front to back.
fn in_order(tree: &Tree) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tree.nodes.len()).collect();
    let name = |index: &usize| {
        tree.nodes[*index]
            .real_name
            .as_deref()
            .unwrap_or(&tree.nodes[*index].name)
    };
    order.sort_by_key(name);
    order
}

/// What refuses comes first, then what is open, then the rest.
fn weight(finding: &Finding) -> (u8, Severity) {
    let open = finding.code == FindingCode::Unknown;
    (
        if finding.code.refuses() { 2 } else { u8::from(open) },
        finding.severity,
    )
}

fn advisories(
    tree: &Tree,
    index: usize,
    facts: &Facts,
    known: &mut Known,
    findings: &mut Vec<Finding>,
) -> Result<Answer> {
    let node = &tree.nodes[index];
    let name = node.real_name.as_deref().unwrap_or(&node.name);
    let (all, covered) = known.about(name)?;
    let source = Source::of(&node.range);
    let registered = source.registered(name);
    if registered.is_none() && node.locked.is_none() {
        let blocked = all.iter().find(|one| one.every_version);
        findings.extend(blocked.map(|one| about(tree, index, one, &"take it out".to_owned())));
        return Ok(Answer::Unknown);
    }
    if let Some(version) = node.version.as_deref().and_then(|text| Version::parse(text).ok()) {
        let mut told: Vec<&Advisory> = Vec::new();
        for advisory in all.iter().filter(|one| one.affects(&version)) {
            if told.iter().any(|one| one.is_same(advisory)) {
                continue;
            }
            told.push(advisory);
            findings.push(about(tree, index, advisory, &mending(advisory, &version, facts, name)));
        }
        if !told.is_empty() {
            return Ok(Answer::Vulnerable);
        }
        if covered {
            return Ok(Answer::Clean);
        }
    } else if let Some((_, Source::Range(range))) = registered {
        return Ok(over_range(tree, index, range, all, covered, findings));
    }
    let mut finding = tree.finding(
        index,
        FindingCode::Unknown,
        Severity::Low,
        "no advisory data covers it".to_owned(),
    );
    if node.version.is_none() {
        "which version will be installed is not known".clone_into(&mut finding.reason);
    }
    findings.push(finding.mended_by(if covered { "pass the lock file" } else { UPDATE }));
    Ok(Answer::Unknown)
}

/// Without a version: bad for certain where no version of the range is good, good only where none is bad.
fn over_range(
    tree: &Tree,
    index: usize,
    range: &Range,
    all: &[Advisory],
    covered: bool,
    findings: &mut Vec<Finding>,
) -> Answer {
    let touched: Vec<(&Advisory, Touch)> = all.iter().map(|one| (one, one.touches(range))).collect();
    let whole: Vec<&Advisory> = touched
        .iter()
        .filter(|(_, touch)| *touch == Touch::All)
        .map(|(one, _)| *one)
        .collect();
    if !whole.is_empty() {
        let lowest = range.min_version();
        for advisory in whole {
            let fix = lowest.as_ref().map_or_else(
                || "take it out".to_owned(),
                |version| mending(advisory, version, &Facts::default(), ""),
            );
            findings.push(about(tree, index, advisory, &fix));
        }
        return Answer::Vulnerable;
    }
    let part: Vec<&Advisory> = touched
        .iter()
        .filter(|(_, touch)| *touch == Touch::Part)
        .map(|(one, _)| *one)
        .collect();
    if let Some(worst) = part.iter().max_by_key(|one| one.severity) {
        let reason = format!(
            "the range permits versions of which {} speaks ({}), and which one will be installed is not known",
            worst.id, worst.summary
        );
        let mut finding = tree.finding(index, FindingCode::Unknown, worst.severity, reason);
        finding.advisory = Some(worst.id.clone());
        let fixed = range.min_version().and_then(|lowest| {
            part.iter()
                .filter_map(|one| one.fixed(&lowest))
                .max_by(|one, other| super::advisory::compare(one, other))
        });
        let fix = fixed.map_or_else(
            || "pass the lock file".to_owned(),
            |fixed| format!("write ^{fixed}, or pass the lock file"),
        );
        findings.push(finding.mended_by(fix));
        return Answer::Unknown;
    }
    if covered {
        return Answer::Clean;
    }
    let finding = tree.finding(
        index,
        FindingCode::Unknown,
        Severity::Low,
        "no advisory data covers it".to_owned(),
    );
    findings.push(finding.mended_by(UPDATE));
    Answer::Unknown
}

fn about(tree: &Tree, index: usize, advisory: &Advisory, fix: &String) -> Finding {
    let (code, severity) = if advisory.malicious {
        (FindingCode::Blocked, Severity::Critical)
    } else {
        (FindingCode::Vulnerable, advisory.severity)
    };
    let mut finding = tree.finding(index, code, severity, advisory.summary.clone());
    finding.advisory = Some(advisory.id.clone());
    finding.mended_by(fix)
}

/// The first good version: the advisory's own word, else the next one of the registry.
fn mending(advisory: &Advisory, version: &Version, facts: &Facts, name: &str) -> String {
    if let Some(fixed) = advisory.fixed(version) {
        return format!("take {fixed} or later");
    }
    let good = facts
        .known
        .get(name)
        .and_then(|known| known.next_good(version, advisory));
    good.map_or_else(
        || "no good version is known; take another version or package".to_owned(),
        |version| format!("take {version} or later"),
    )
}

/// The manifest's own scripts run where the plugin is installed.
fn own_scripts(manifest: &Manifest, tree: &Tree, findings: &mut Vec<Finding>) {
    for name in &manifest.install_scripts {
        let mut finding = tree.about_all(
            format!("the script `{name}` of package.json runs wherever this is installed"),
            "take it out",
        );
        finding.code = FindingCode::InstallScript;
        finding.severity = Severity::High;
        finding.version = Some(plain(&manifest.version)).filter(|version| !version.is_empty());
        findings.push(finding);
    }
}

/// What could not be looked at is told once for all.
fn left_open(tree: &Tree, known: &Known, ageless: usize, findings: &mut Vec<Finding>) {
    if !tree.whole {
        let reason = "without a lock file, what the packages bring along was not looked at".to_owned();
        findings.push(tree.about_all(reason, "pass the lock file, or do not check offline"));
    }
    if ageless > 0 {
        let reason = format!("how old {ageless} package(s) are is not known");
        findings.push(tree.about_all(
            reason,
            "ask a registry that says when versions were published, or set minimumAge to 0",
        ));
    }
    if let (Some(why), true) = (&known.silence, known.file.is_none()) {
        let reason = format!("the registry's advisory endpoint gave no answer: {}", plain(why));
        findings.push(tree.about_all(reason, UPDATE));
    }
}

/// Counts for a check of a report.
impl DependencyReport {
    /// How many findings there are of each kind.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::from([("packages".to_owned(), self.packages as u64)]);
        for finding in &self.findings {
            *counts.entry(finding.code.as_str().to_owned()).or_default() += 1;
        }
        counts
    }
}
