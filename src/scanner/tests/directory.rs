use std::fs;

#[cfg(target_os = "linux")]
use rustix::fs::{CWD, FileType, Mode, OFlags, mkdirat, mknodat, openat};

use super::super::DirectoryOptions;
#[cfg(target_os = "linux")]
use super::super::{file, stream::Buffer};
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

/// Without `.gitignore` a reader of our own goes over the tree: it must see what the other one sees.
#[test]
fn every_file_is_scanned_once_with_and_without_the_rules_of_git() {
    let root = tempfile::tempdir().unwrap();
    let token = github_token(1);
    let mut folder = root.path().to_path_buf();
    for depth in 0..60 {
        folder.push(format!("folder-{depth}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("a.txt"), &token).unwrap();
    }
    fs::create_dir_all(root.path().join("flat/left-out")).unwrap();
    for number in 0..2_500 {
        fs::write(
            root.path().join(format!("flat/{number}.txt")),
            format!("x = {number}\n"),
        )
        .unwrap();
    }
    for name in [
        "flat/caf\u{e9} .env",
        "flat/left-out/b.txt",
        "flat/c.left",
        "flat/empty",
    ] {
        fs::write(root.path().join(name), &token).unwrap();
    }
    let with = |gitignore: bool| {
        let exclude = vec!["left-out".into(), "*.left".into(), "/flat/empty".into()];
        let options = DirectoryOptions {
            gitignore,
            exclude,
            ..DirectoryOptions::default()
        };
        scanner().scan_directory(root.path(), &options).unwrap()
    };
    let result = with(false);
    assert_eq!(result, with(true));
    assert_eq!(result.files_scanned, 60 + 2_500 + 1);
    assert_eq!(result.secrets.len(), 61);
}

#[cfg(target_os = "linux")]
#[test]
fn pipes_loops_of_links_and_folders_too_deep_to_open_stop_nothing() {
    let root = tempfile::tempdir().unwrap();
    let token = github_token(1);
    mknodat(CWD, root.path().join("pipe.txt"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    std::os::unix::fs::symlink(root.path(), root.path().join("loop")).unwrap();
    // Deeper than any path can name.
    let mut folder = openat(CWD, root.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
    let name = "deep".repeat(50);
    for _ in 0..25 {
        mkdirat(&folder, &name, Mode::RWXU).unwrap();
        folder = openat(&folder, &name, OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    fs::write(root.path().join("z.txt"), &token).unwrap();
    let result = scanner()
        .scan_directory(root.path(), &DirectoryOptions::default())
        .unwrap();
    assert_eq!(result.secrets.len(), 1);
    assert_eq!(result.files_scanned, 1);
    let [skipped] = &result.skipped[..] else {
        panic!("{:?}", result.skipped);
    };
    assert!(skipped.file.starts_with("deepdeep"), "{skipped:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_has_become_a_pipe_or_a_link_is_not_waited_for_and_not_followed() {
    let root = tempfile::tempdir().unwrap();
    let pipe = root.path().join("pipe.txt");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).unwrap();
    fs::write(root.path().join("a.txt"), github_token(1)).unwrap();
    std::os::unix::fs::symlink(root.path().join("a.txt"), root.path().join("link.txt")).unwrap();
    let scan =
        |path: &std::path::Path| scanner().scan_file(file::open(path), "x.txt", u64::MAX, &mut Buffer::default());
    assert_eq!(scan(&pipe).bytes_scanned, 0);
    assert_eq!(scan(&root.path().join("link.txt")).skipped.len(), 1);
    assert!(scan(&root.path().join("a.txt")).found);
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

/// Big files are read in windows; what is found must be what one piece would give, at the same place.
#[test]
fn a_secret_is_found_at_its_place_wherever_the_borders_of_windows_fall() {
    let root = tempfile::tempdir().unwrap();
    let token = github_token(3);
    let step = 2 * 1024 * 1024;
    let line = "the quick brown fox: caf\u{e9} and tea, 12 of them\n";
    for (number, shift) in [0, 20, 41].into_iter().enumerate() {
        let mut text = String::new();
        for border in 1..=2 {
            let at = border * step - shift;
            while text.len() + line.len() < at {
                text.push_str(line);
            }
            text.push_str(&" ".repeat(at.saturating_sub(text.len())));
            text.push_str(&token);
            text.push(' ');
        }
        while text.len() < 2 * step + 200_000 {
            text.push_str(line);
        }
        let whole = scanner().scan_text(&text, Some("big.txt"));
        assert_eq!(whole.secrets.len(), 2, "{shift}");
        let units: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        fs::write(root.path().join("big.txt"), &text).unwrap();
        let wide = number == 1;
        if wide {
            fs::create_dir_all(root.path().join("wide")).unwrap();
            fs::write(root.path().join("wide/big.txt"), &units).unwrap();
        }
        let streamed = scanner()
            .scan_directory(&root.path().join("big.txt"), &DirectoryOptions::default())
            .unwrap();
        assert_eq!(streamed.secrets, whole.secrets, "{shift}");
        assert_eq!(streamed.bytes_scanned, text.len() as u64);
        if wide {
            let streamed = scanner()
                .scan_directory(&root.path().join("wide/big.txt"), &DirectoryOptions::default())
                .unwrap();
            assert_eq!(streamed.secrets, whole.secrets);
        }
    }
}

#[test]
fn a_limit_skips_larger_files_and_nothing_else_is_too_large() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.txt"), "x".repeat(100)).unwrap();
    let with = |limit: u64| {
        let options = DirectoryOptions {
            max_file_size: Some(limit),
            ..DirectoryOptions::default()
        };
        scanner().scan_directory(root.path(), &options).unwrap()
    };
    assert_eq!(with(99).skipped.len(), 1);
    assert_eq!(with(100).files_scanned, 1);
}
