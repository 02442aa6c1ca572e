//! Engines that are missing, hang or talk nonsense.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{BoxInputs, EngineChoice, SandboxOptions, open};
use crate::error::{Code, Error};

fn nowhere() -> BoxInputs {
    let path = PathBuf::from("/nowhere");
    BoxInputs {
        toolchain: path.clone(),
        node: path.clone(),
        keeper: path.clone(),
        harness: path,
    }
}

async fn refused(options: SandboxOptions) -> Error {
    open(options, nowhere()).await.err().unwrap()
}

async fn refused_at(url: String) -> Error {
    refused(SandboxOptions {
        engine: EngineChoice::Url(url),
        ..SandboxOptions::default()
    })
    .await
}

/// A socket on which `talk` answers each connection, on threads that end with the test's process.
fn engine_that(folder: &tempfile::TempDir, talk: fn(std::os::unix::net::UnixStream)) -> String {
    let path = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        listener
            .incoming()
            .flatten()
            .for_each(|stream| drop(std::thread::spawn(move || talk(stream))));
    });
    format!("unix://{}", path.display())
}

#[tokio::test]
async fn a_limit_that_may_not_be_missing_cannot_be_allowed() {
    let options = SandboxOptions {
        allow_reduced: vec!["network".to_owned()],
        ..SandboxOptions::default()
    };
    assert_eq!(refused(options).await.code(), Code::OptionInvalid);
}

#[tokio::test]
async fn where_nothing_answers_it_says_what_was_tried() {
    let error = refused_at("unix:///nowhere.sock".to_owned()).await;
    assert_eq!(error.code(), Code::SandboxUnavailable);
    assert!(error.message().contains("unix:///nowhere.sock"), "{}", error.message());
}

#[tokio::test]
async fn an_engine_that_hangs_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let url = engine_that(&folder, |mut stream| {
        let mut buffer = [0; 1024];
        while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    });
    let began = Instant::now();
    let error = refused_at(url).await;
    assert_eq!(error.code(), Code::SandboxUnavailable);
    assert!(error.message().contains("did not answer"), "{}", error.message());
    assert!(began.elapsed() < Duration::from_mins(1));
}

#[tokio::test]
async fn an_engine_that_talks_nonsense_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let url = engine_that(&folder, |mut stream| {
        let mut buffer = [0; 1024];
        let _ = stream.read(&mut buffer);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"no\":1");
    });
    assert_eq!(refused_at(url).await.code(), Code::SandboxUnavailable);
}
