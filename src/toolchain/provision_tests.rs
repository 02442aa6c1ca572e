//! Provisioning against a local registry that misbehaves, and against the real one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::hostile_registry::{Answer, Archive, Registry, tgz};
use super::*;

#[path = "test_machine.rs"]
mod test_machine;

use test_machine::{Machine, package};

fn refused(machine: &Machine, why: &str) {
    let error = machine.provision().unwrap_err();
    assert_eq!(error.code(), Code::ToolchainUnavailable, "{error}");
    assert!(error.message().contains(why), "{error}");
    assert!(error.message().contains("victim 1.0.0"), "{error}");
    assert!(
        machine.kept().is_empty(),
        "nothing half-done stays: {:?}",
        machine.kept()
    );
}

#[test]
fn a_toolchain_is_fetched_once() {
    let machine = Machine::sound();
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let tell = move |done, total| listener.lock().push((done, total));
    let first = provision(&machine.options, &tell, &CancellationToken::new()).unwrap();
    assert_eq!(told.lock().iter().max(), Some(&(6, 6)));
    assert_eq!(
        std::fs::read(first.directory.join("node_modules/victim/index.js")).unwrap(),
        b"a tool"
    );
    assert_eq!(machine.kept(), std::slice::from_ref(&first.digest));
    let asked = machine.registry.requests().len();
    let second = machine.provision().unwrap();
    assert_eq!((first.directory, first.digest), (second.directory, second.digest));
    assert_eq!(machine.registry.requests().len(), asked);
}

#[cfg(unix)]
#[test]
fn only_native_tools_are_executable() {
    use std::os::unix::fs::PermissionsExt;
    let toolchain = Machine::sound();
    let toolchain = (toolchain.provision().unwrap(), toolchain);
    let mode = |path: &str| {
        let path = toolchain.0.directory.join(path);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("node_modules/@oven/bun-linux-x64/bin/bun"), 0o755);
    assert_eq!(mode("node_modules/oxlint/bin/oxlint"), 0o644);
    assert_eq!(mode("node_modules/victim"), 0o755);
}

#[test]
fn what_the_lock_does_not_name_is_refused() {
    let machine = Machine::with(&package("package/a"), &[Answer::Body(package("package/b"))]);
    refused(&machine, "not what the lock file names");
}

#[test]
fn a_hostile_archive_is_refused_though_the_lock_names_it() {
    let zeros = vec![0; 520 << 20];
    for (archive, why) in [
        (
            tgz(&[Archive::Link("package/x", "/etc/passwd")]),
            "neither file nor folder",
        ),
        (tgz(&[Archive::File("package/../../../x", b"x")]), "leaves its package"),
        (tgz(&[Archive::File("package/x", &zeros)]), "unpacks to more"),
    ] {
        let machine = Machine::with(&archive, &[Answer::Body(archive.clone())]);
        refused(&machine, why);
        assert!(!machine.folder.path().join("x").exists());
    }
}

#[test]
fn a_registry_that_says_no_is_named() {
    let bytes = package("package/a");
    refused(&Machine::with(&bytes, &[Answer::Status(404)]), "answered 404");
    refused(&Machine::with(&bytes, &[Answer::Status(401)]), "check the credentials");
    refused(&Machine::with(&bytes, &[Answer::Status(500)]), "answered 500");
}

#[test]
fn a_registry_that_stumbles_is_asked_again() {
    let bytes = package("package/a");
    for stumble in [Answer::Status(500), Answer::Status(429), Answer::Cut(bytes.clone())] {
        let machine = Machine::with(&bytes, &[stumble, Answer::Body(bytes.clone())]);
        machine.provision().unwrap();
    }
}

#[test]
fn an_archive_elsewhere_is_found_by_its_manifest() {
    let bytes = package("package/a");
    let machine = Machine::with(&bytes, &[Answer::Status(404)]);
    let place = format!("{}elsewhere/victim.tgz", machine.registry.url());
    let manifest = serde_json::json!({ "dist": { "tarball": place } }).to_string();
    machine
        .registry
        .answer("victim/1.0.0", &[Answer::Body(manifest.into_bytes())]);
    machine.registry.answer("elsewhere/victim.tgz", &[Answer::Body(bytes)]);
    machine.provision().unwrap();
}

#[test]
fn nobody_there_is_an_error_that_says_how_to_mend_it() {
    let mut machine = Machine::sound();
    // A port that was just given back: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    machine.options.registry = Some(format!("http://name:word@{free}/"));
    let error = machine.provision().unwrap_err();
    assert_eq!(error.code(), Code::ToolchainUnavailable);
    for part in [&free.to_string(), ".npmrc", "AUTON8N_TOOLCHAIN_DIR"] {
        assert!(error.message().contains(part), "{error}");
    }
    assert!(!format!("{error:?}").contains("word"), "{error:?}");
}

#[test]
fn credentials_are_sent_but_never_told() {
    let bytes = package("package/a");
    let mut machine = Machine::with(&bytes, &[Answer::Status(403)]);
    let key = format!("npm_config_//{}/npm/:_authToken", machine.registry.address);
    machine.options.env.insert(key, "hidden-word".to_owned());
    let error = machine.provision().unwrap_err();
    assert!(!format!("{error:?}").contains("hidden-word"), "{error:?}");
    assert!(
        machine
            .registry
            .requests()
            .iter()
            .all(|request| request.ends_with("Bearer hidden-word"))
    );
}

#[test]
fn a_proxy_is_used() {
    let mut machine = Machine::sound();
    let proxy = Registry::start();
    machine
        .options
        .env
        .insert("npm_config_proxy".to_owned(), format!("http://{}", proxy.address));
    machine.provision().unwrap();
    let tunnel = format!("CONNECT {}", machine.registry.address);
    assert!(!proxy.requests().is_empty());
    assert!(
        proxy.requests().iter().all(|request| *request == tunnel),
        "{:?}",
        proxy.requests()
    );
}

#[test]
fn a_torn_cache_is_repaired() {
    let machine = Machine::sound();
    let first = machine.provision().unwrap();
    let tool = first.directory.join("node_modules/@esbuild/linux-x64/bin/esbuild");
    std::fs::write(&tool, "cut").unwrap();
    std::fs::create_dir_all(machine.options.cache_dir.join("toolchain/.tmp-dead/x")).unwrap();
    machine.provision().unwrap();
    assert_eq!(std::fs::read(&tool).unwrap(), b"a tool");
    assert_eq!(machine.kept(), [first.digest]);
}

#[test]
fn two_at_once_fetch_once() {
    let machine = Machine::sound();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| machine.provision().unwrap().directory))
            .collect();
        let directories: Vec<_> = all.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(directories.iter().all(|directory| *directory == directories[0]));
    });
    assert_eq!(machine.registry.requests().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_stands_still_can_be_cancelled() {
    let bytes = package("package/a");
    let machine = Machine::with(&bytes, &[Answer::Silence]);
    let token = CancellationToken::new();
    let provisioning = tokio::spawn(Toolchain::provision(machine.options.clone(), |_, _| {}, token.clone()));
    let deadline = Instant::now() + Duration::from_mins(1);
    while !machine
        .registry
        .requests()
        .iter()
        .any(|request| request.contains("victim"))
    {
        assert!(Instant::now() < deadline, "the registry is never asked");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    token.cancel();
    let error = provisioning.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
}

/// Prints what it costs: `cargo test toolchain::provision::tests::the_real -- --nocapture`.
#[test]
fn the_real_registry_gives_tools_that_run() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("toolchain.lock.json");
    let mut options = ToolchainOptions::new(lock, folder.path().to_owned());
    options.with_node = true;
    let started = Instant::now();
    let toolchain = match provision(&options, &|_, _| {}, &CancellationToken::new()) {
        Err(error) if std::env::var("AUTON8N_REQUIRE_ALL").as_deref() != Ok("1") => {
            println!("left out, no registry: {error}");
            return;
        }
        other => other.unwrap(),
    };
    let cold = started.elapsed();
    let started = Instant::now();
    provision(
        &options,
        &|_, _| panic!("nothing is to be fetched"),
        &CancellationToken::new(),
    )
    .unwrap();
    println!("cold {cold:?}, warm {:?}", started.elapsed());
    if cfg!(target_os = "linux") {
        for tool in toolchain.tools.native_on_disk() {
            let output = std::process::Command::new(toolchain.directory.join(tool))
                .arg("--version")
                .output()
                .unwrap();
            assert!(output.status.success(), "{tool}: {output:?}");
        }
    }
}
