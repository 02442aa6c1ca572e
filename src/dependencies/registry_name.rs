//! Names that a registry can have, and where it lays their archives.

/// `name/-/base-1.0.0.tgz`, as registries lay archives out; a scope may be escaped.
pub(super) fn is_archive_of(rest: &str, name: &str) -> bool {
    let escaped = name.replacen('/', "%2f", 1);
    let after = rest
        .strip_prefix(name)
        .or_else(|| rest.strip_prefix(escaped.as_str()))
        .or_else(|| rest.strip_prefix(name.replacen('/', "%2F", 1).as_str()));
    after.is_some_and(|after| after.starts_with("/-/"))
}

/// npm's rules for names, old ones with capitals included.
pub(super) fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '_'])
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~!'()*".contains(&byte))
    };
    let fits = match name.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, base)| part(scope) && part(base)),
        None => part(name),
    };
    fits && name.len() <= 214 && name != "node_modules" && name != "favicon.ico"
}
