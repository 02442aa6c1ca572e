//! Where a dependency comes from, by npm's own rules for what stands behind a name.

use nodejs_semver::Range;

use super::npm_range::parse_range;

/// Letters of a range; npm's own limit for a version is 256.
const MAX_RANGE: usize = 2_000;

/// What stands behind a name in a manifest.
#[derive(Clone, Debug)]
pub enum Source {
    /// A semver range over the registry's versions.
    Range(Range),
    /// A tag of the registry, such as `latest`.
    Tag(String),
    /// Another package under this name.
    Alias {
        name: String,
        source: Box<Source>,
    },
    Git,
    Url,
    /// A file, a folder or another package of a workspace.
    Local,
    /// Nothing that npm could read.
    Unreadable,
}

impl Source {
    /// Reads what stands behind a name; see npm-package-arg.
    pub fn of(text: &str) -> Self {
        Self::read(text, true)
    }

    fn read(text: &str, may_be_alias: bool) -> Self {
        let text = text.trim();
        if text.len() > MAX_RANGE {
            return Self::Unreadable;
        }
        let lower = text.to_ascii_lowercase();
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| lower.starts_with(prefix));
        if let Some(target) = text.get(4..).filter(|_| lower.starts_with("npm:")) {
            return if may_be_alias {
                Self::alias(target)
            } else {
                Self::Unreadable
            };
        }
        if starts(&[
            "file:",
            "link:",
            "portal:",
            "workspace:",
            "catalog:",
            "patch:",
            "exec:",
            "./",
            "../",
            "/",
            "~/",
            ".\\",
            "..\\",
        ]) || (lower.as_bytes().get(1) == Some(&b':')
            && lower.as_bytes().first().is_some_and(u8::is_ascii_alphabetic))
        {
            return Self::Local;
        }
        if starts(&[
            "git+",
            "git:",
            "git@",
            "ssh:",
            "github:",
            "gitlab:",
            "bitbucket:",
            "gist:",
        ]) {
            return Self::Git;
        }
        if starts(&["http:", "https:"]) {
            let path = lower.split(['#', '?']).next().unwrap_or_default();
            let is_repository = path.strip_suffix(".git").is_some();
            return if is_repository { Self::Git } else { Self::Url };
        }
        if let Some(range) = parse_range(text) {
            return Self::Range(range);
        }
        if lower.contains('/') {
            return Self::Git;
        }
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~!'()*".contains(&byte);
        if !text.is_empty() && text.bytes().all(word) {
            return Self::Tag(text.to_owned());
        }
        Self::Unreadable
    }

    fn alias(target: &str) -> Self {
        let at = target.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1);
        let (name, rest) = at.map_or((target, "*"), |at| (&target[..at], &target[at + 1..]));
        Self::Alias {
            name: name.to_owned(),
            source: Box::new(Self::read(rest, false)),
        }
    }

    /// The range or tag that the registry resolves, and the name it is asked for.
    pub fn registered<'a>(&'a self, name: &'a str) -> Option<(&'a str, &'a Self)> {
        match self {
            Self::Range(_) | Self::Tag(_) => Some((name, self)),
            Self::Alias { name, source } => source.registered(name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> &'static str {
        match Source::of(text) {
            Source::Range(_) => "range",
            Source::Tag(_) => "tag",
            Source::Alias { .. } => "alias",
            Source::Git => "git",
            Source::Url => "url",
            Source::Local => "local",
            Source::Unreadable => "unreadable",
        }
    }

    #[test]
    fn each_way_of_npm_to_name_a_source_is_told_apart() {
        for (text, expected) in [
            ("^1.2.3", "range"),
            ("", "range"),
            ("*", "range"),
            (">=1 <2 || 3.x", "range"),
            ("1.0.0 - 2.0.0", "range"),
            ("latest", "tag"),
            ("next-14", "tag"),
            ("npm:lodash@^4", "alias"),
            ("npm:@scope/x", "alias"),
            ("git+ssh://git@host.example/a/b.git", "git"),
            ("git@github.com:a/b.git", "git"),
            ("a/b", "git"),
            ("github:a/b#semver:^1", "git"),
            ("https://host.example/a.git#v1", "git"),
            ("https://host.example/a.tgz", "url"),
            ("HTTP://host.example/a.tgz", "url"),
            ("file:../a", "local"),
            ("./a", "local"),
            ("C:\\a", "local"),
            ("workspace:^", "local"),
            ("link:../a", "local"),
            ("a b c", "unreadable"),
            ("$(id)", "unreadable"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
        assert_eq!(kind(&"1 || ".repeat(10_000)), "unreadable");
    }

    #[test]
    fn an_alias_is_resolved_once_and_not_to_another_alias() {
        let source = Source::of("npm:@scope/x@^2");
        assert_eq!(source.registered("y").map(|(name, _)| name), Some("@scope/x"));
        assert!(Source::of("npm:a@npm:b@1").registered("y").is_none());
        assert!(Source::of("npm:a@git+https://host.example/b").registered("y").is_none());
    }
}
