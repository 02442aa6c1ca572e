use std::fs;

use super::super::DirectoryOptions;
use super::{github_token, scanner};
use crate::error::Code;

#[test]
fn a_tree_is_scanned_in_a_fixed_order_without_links_and_pipes() {
    let root = tempfile::tempdir().unwrap();
    let token = github_token(1);
    fs::create_dir_all(root.path().join("a/.git")).unwrap();
    for name in ["b.ts", "a/c.env", ".env", "a/.git/config"] {
        fs::write(root.path().join(name), &token).unwrap();
    }
    fs::write(root.path().join("hidden.ts"), [b"\0\0\0 ", token.as_bytes()].concat()).unwrap();
    fs::write(root.path().join("data"), [b"\0\0\0 ", token.as_bytes()].concat()).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(root.path().join("b.ts"), root.path().join("link.ts")).unwrap();
    let result = scanner()
        .scan_directory(root.path(), &DirectoryOptions::default())
        .unwrap();
    let files: Vec<_> = result.secrets.iter().filter_map(|one| one.file.as_deref()).collect();
    assert_eq!(files, [".env", "a/c.env", "b.ts", "hidden.ts"]);
    assert_eq!(
        result.skipped.iter().map(|one| one.file.as_str()).collect::<Vec<_>>(),
        ["data"]
    );
    assert_eq!(result.files_scanned, 4);
}

#[test]
fn a_missing_path_and_a_bad_glob_are_told() {
    let root = tempfile::tempdir().unwrap();
    let error = scanner()
        .scan_directory(&root.path().join("no"), &DirectoryOptions::default())
        .unwrap_err();
    assert_eq!(error.code(), Code::FileUnreadable);
    let options = DirectoryOptions {
        exclude: vec!["a[".into()],
        ..DirectoryOptions::default()
    };
    assert_eq!(
        scanner().scan_directory(root.path(), &options).unwrap_err().code(),
        Code::OptionInvalid
    );
}
