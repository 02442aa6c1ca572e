//! The rules that need nothing but a package, what its lock says and what its registry says.

use nodejs_semver::{Range, Version};

use super::date::day_of;
use super::facts::{Facts, Registered};
use super::finding::{Finding, FindingCode, Severity};
use super::lookalike::resemblance;
use super::manifest::Kind;
use super::registry_name::{is_archive_of, is_name};
use super::shown::{plain, without_credentials};
use super::source::Source;
use super::tree::{Locked, Node, Tree};

/// Registries whose archives are the public one's.
const REGISTRIES: [&str; 2] = ["https://registry.npmjs.org/", "https://registry.yarnpkg.com/"];

/// What every rule may look at.
pub(super) struct Rules<'a> {
    pub tree: &'a Tree,
    pub facts: &'a Facts,
    pub scopes: &'a [String],
    /// The registry that the user named.
    pub registry: Option<&'a str>,
    pub minimum_age_ms: i64,
    pub now_ms: i64,
}

impl Rules<'_> {
    /// Everything about one package but its advisories.
    pub fn judge(&self, index: usize, found: &mut Vec<Finding>) {
        let node = &self.tree.nodes[index];
        let source = Source::of(&node.range);
        self.name(index, node, &source, found);
        self.origin(index, node, &source, found);
        match &node.locked {
            Some(locked) => self.locked(index, node, locked, &source, found),
            None if node.parent.is_none() => self.pinned(index, node, &source, found),
            None => {}
        }
        let name = node.real_name.as_deref().unwrap_or(&node.name);
        if source.registered(name).is_some() || node.locked.is_some() {
            self.release(index, node, name, found);
        }
    }

    fn name(&self, index: usize, node: &Node, source: &Source, found: &mut Vec<Finding>) {
        let mut add = |code, severity, reason: String, fix: String| {
            found.push(self.tree.finding(index, code, severity, reason).mended_by(fix));
        };
        let name = node.real_name.as_deref().unwrap_or(&node.name);
        if let Some(alike) = resemblance(name, self.scopes) {
            let reason = format!("{} resembles {}: it {}", plain(name), alike.to, alike.how);
            let fix = format!("depend on {}, or allow this name if it is meant", alike.to);
            add(FindingCode::LookAlike, alike.severity, reason, fix);
        } else if !is_name(name) {
            let reason = format!("{} is not a name that a registry can have", plain(name));
            add(
                FindingCode::NonRegistry,
                Severity::High,
                reason,
                "take it out".to_owned(),
            );
        }
        let is_alias = matches!(source, Source::Alias { .. });
        if let Some(real) = &node.real_name {
            let severity = if is_alias { Severity::Medium } else { Severity::High };
            let reason = format!("it is the package {} under another name", plain(real));
            let fix = format!("depend on {} by its own name", plain(real));
            add(FindingCode::NonRegistry, severity, reason, fix);
        } else if is_alias && source.registered(name).is_none() {
            let reason = "it is an alias of something that is not in a registry".to_owned();
            add(
                FindingCode::NonRegistry,
                Severity::High,
                reason,
                "name a version of the registry".to_owned(),
            );
        }
    }

    fn origin(&self, index: usize, node: &Node, source: &Source, found: &mut Vec<Finding>) {
        let what = match source {
            Source::Git => {
                "it comes from a git repository, whose content can change and whose scripts run at installation"
            }
            Source::Url => "it comes from an address, whose content can change",
            Source::Local => "it comes from a folder or a file, which others do not have",
            Source::Unreadable => "what stands behind its name is nothing that npm can read",
            _ => return,
        };
        let severity = if node.parent.is_some() {
            Severity::Critical
        } else {
            Severity::High
        };
        let finding = self
            .tree
            .finding(index, FindingCode::NonRegistry, severity, what.to_owned());
        found.push(finding.mended_by("name a version of the registry, such as ^1.2.3"));
    }

    /// A range without an upper end brings whatever comes next. What a host brings is the host's to pin.
    fn pinned(&self, index: usize, node: &Node, source: &Source, found: &mut Vec<Finding>) {
        let reason = match source.registered(&node.name) {
            Some((_, Source::Tag(tag))) => format!("the tag {} stands for another version tomorrow", plain(tag)),
            Some((_, Source::Range(range))) if node.kind != Kind::Peer && is_open(range) => {
                "the range has no upper end, so any later version is taken".to_owned()
            }
            _ => return,
        };
        let fix = node.version.as_ref().map_or_else(
            || "write a range such as ^1.2.3".to_owned(),
            |version| format!("write ^{version}"),
        );
        let finding = self
            .tree
            .finding(index, FindingCode::Unpinned, Severity::Medium, reason);
        found.push(finding.mended_by(fix));
    }

    fn locked(&self, index: usize, node: &Node, locked: &Locked, source: &Source, found: &mut Vec<Finding>) {
        let mut add = |code, severity, reason: String, fix: &str| {
            found.push(self.tree.finding(index, code, severity, reason).mended_by(fix));
        };
        if locked.link {
            if !matches!(source, Source::Local) {
                let reason = "the lock file links it to a folder".to_owned();
                add(
                    FindingCode::NonRegistry,
                    Severity::High,
                    reason,
                    "name a version of the registry",
                );
            }
            return;
        }
        let mut from_registry = locked.bundled;
        if let Some(resolved) = &locked.resolved {
            let bases = REGISTRIES.into_iter().chain(self.registry);
            let rest = bases
                .filter_map(|base| resolved.strip_prefix(base.trim_end_matches('/')))
                .find_map(|rest| rest.strip_prefix('/'));
            let name = node.real_name.as_deref().unwrap_or(&node.name);
            match rest {
                None if !matches!(source, Source::Git | Source::Url | Source::Local) => {
                    let reason = format!("the lock file fetches it from {}", without_credentials(resolved));
                    add(
                        FindingCode::NonRegistry,
                        Severity::High,
                        reason,
                        "fetch it from the registry, or name that registry in the options",
                    );
                }
                None => {}
                Some(rest) if !is_archive_of(rest, name) => {
                    let reason = format!(
                        "the lock file fetches another package under its name: {}",
                        without_credentials(resolved)
                    );
                    add(
                        FindingCode::NonRegistry,
                        Severity::Critical,
                        reason,
                        "remove the lock file and make it anew",
                    );
                }
                Some(_) => from_registry = true,
            }
        } else if !locked.bundled {
            from_registry = true;
        }
        let weak = match locked.integrity.as_deref() {
            _ if locked.bundled || !from_registry => return,
            None | Some("") => "the lock file has no integrity for it, so any content is taken",
            Some(text)
                if !text.split(' ').any(|hash| {
                    hash.starts_with("sha512-") || hash.starts_with("sha384-") || hash.starts_with("sha256-")
                }) =>
            {
                "the lock file has only a weak hash of it, for which another content can be made"
            }
            Some(_) => return,
        };
        add(
            FindingCode::Unpinned,
            Severity::High,
            weak.to_owned(),
            "run `npm install --package-lock-only` with a registry that has integrity",
        );
    }

    fn release(&self, index: usize, node: &Node, name: &str, found: &mut Vec<Finding>) {
        let mut add = |code, severity, reason: String, fix: String| {
            found.push(self.tree.finding(index, code, severity, reason).mended_by(fix));
        };
        let registered = self.facts.known.get(name);
        let version = node.version.as_deref();
        let release = registered.and_then(|known| known.release(version?));
        let (mut scripts, mut deprecated) = (false, None);
        if let Some(locked) = &node.locked {
            scripts = locked.install_script;
            deprecated.clone_from(&locked.deprecated);
        }
        if let Some(release) = release {
            scripts |= release.install_script;
            deprecated = release.deprecated.clone().or(deprecated);
        }
        if scripts {
            let reason = "it runs a script where it is installed, with the rights of whoever installs it".to_owned();
            let fix = format!(
                "do without it, or allow it by 'install-script:{}' once its script was read",
                plain(name)
            );
            add(FindingCode::InstallScript, Severity::Medium, reason, fix);
        }
        if let Some(why) = deprecated {
            let reason = format!("its author has given this version up: {}", plain(&why));
            add(
                FindingCode::Deprecated,
                Severity::Low,
                reason,
                "use what its author recommends instead".to_owned(),
            );
        }
        let Some(known) = registered else { return };
        if known.is_held_back() {
            let reason = "the registry holds this name back, as it does after malware was found under it".to_owned();
            add(
                FindingCode::Blocked,
                Severity::Critical,
                reason,
                "take it out".to_owned(),
            );
        } else if known.is_empty() {
            let reason = "the registry has taken away every version of it".to_owned();
            add(FindingCode::Unknown, Severity::Medium, reason, "take it out".to_owned());
        } else if let Some(at) = version.and_then(|version| self.too_young(known, version)) {
            let days = (self.minimum_age_ms as f64 / 86_400_000.0 * 10.0).round() / 10.0;
            let reason = format!(
                "this version was published on {}, less than {days} day(s) ago; most malware is found within days",
                day_of(at)
            );
            add(
                FindingCode::TooNew,
                Severity::Medium,
                reason,
                "wait, or take an older version".to_owned(),
            );
        }
    }

    /// When a version was published, where that is too short a time ago.
    fn too_young(&self, known: &Registered, version: &str) -> Option<i64> {
        let youngest = self.now_ms - self.minimum_age_ms;
        let published = known.published(version)?;
        (self.minimum_age_ms > 0 && published > youngest).then_some(published)
    }

    /// Whether the age of a package's version could be told.
    pub fn age_is_known(&self, node: &Node) -> bool {
        let name = node.real_name.as_deref().unwrap_or(&node.name);
        let known = self.facts.known.get(name);
        self.minimum_age_ms <= 0
            || known.is_some_and(|known| {
                let old = known
                    .modified()
                    .is_some_and(|at| at <= self.now_ms - self.minimum_age_ms);
                old || node
                    .version
                    .as_deref()
                    .is_some_and(|version| known.published(version).is_some())
            })
    }
}

/// Whether a range takes every later version.
fn is_open(range: &Range) -> bool {
    let late = Version::from((9_007_199_u64, 0_u64, 0_u64));
    range.satisfies(&late)
}
