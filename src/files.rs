//! A set of files of one package: paths that cannot leave it, and their bytes.

use std::collections::BTreeMap;

use crate::error::{Code, Error, Result};

/// Relative paths with `/`, and the bytes behind them.
pub type FileSet = BTreeMap<String, Vec<u8>>;

const MAX_PATH: usize = 200;
const MAX_DEPTH: usize = 8;

/// Names that Windows reserves; a package with one cannot be unpacked there.
const RESERVED: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "lpt1", "lpt2", "lpt3",
];

/// Checks that `path` is a plain relative path that stays inside of its package.
pub fn check_path(path: &str) -> Result<()> {
    let refuse = |why: &str| {
        let shown: String = path.chars().take(MAX_PATH).collect();
        Err(Error::new(
            Code::PathRefused,
            format!("the path {shown:?} is refused: {why}"),
        ))
    };
    if path.is_empty() || path.len() > MAX_PATH {
        return refuse("it must have 1 to 200 bytes");
    }
    if !path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_./@".contains(&byte))
    {
        return refuse("only letters, digits and - _ . / @ may stand in it");
    }
    let parts: Vec<&str> = path.split('/').collect();
    if parts.len() > MAX_DEPTH {
        return refuse("it is nested too deeply");
    }
    for part in parts {
        if part.is_empty() || part.starts_with('.') || part.ends_with('.') {
            return refuse("a part of it is empty, or starts or ends with a dot");
        }
        let stem = part.split('.').next().unwrap_or(part).to_ascii_lowercase();
        if RESERVED.contains(&stem.as_str()) {
            return refuse("a part of it is a reserved name");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass() {
        for path in [
            "src/index.ts",
            "README.md",
            "src/actions/get-weather.ts",
            "a/b/c/d.test.ts",
        ] {
            assert!(check_path(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn paths_that_leave_the_package_are_refused() {
        let long = "a".repeat(300);
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "src/../../x",
            "src//x",
            "C:\\x",
            "a\\b",
            "a\0b",
            "src/./x",
            ".npmrc",
            "src/.env",
            "a b",
            "con",
            "src/nul.ts",
            "x.",
            "a/b/c/d/e/f/g/h/i",
            "сrc/x.ts",
            &long,
        ] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
    }
}
