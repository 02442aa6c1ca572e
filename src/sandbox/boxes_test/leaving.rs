//! Nothing stays: after an end, a cancellation, a drop and the death of the owner.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{engine, node, on_each_engine, print, runtime, small, start};
use crate::error::Code;
use crate::sandbox::{SandboxOptions, SharedEngine};

on_each_engine!(
    a_cancelled_command_ends,
    a_call_given_up_half_way_is_not_mistaken_for_the_next,
    closing_an_engine_ends_its_boxes,
    a_closed_engine_refuses
);

async fn a_cancelled_command_ends(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let token = CancellationToken::new();
    let later = token.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        later.cancel();
    });
    let began = Instant::now();
    let error = session.run(&node("for (;;);"), &token).await.unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(
        session.run(&node("0"), &token).await.unwrap_err().code(),
        Code::Cancelled
    );
    assert_eq!(print(&mut session, &node("console.log('next')")).await, "next");
    session.close().await;
}

async fn a_call_given_up_half_way_is_not_mistaken_for_the_next(engine: SharedEngine) {
    let mut session = start(&engine, &small()).await;
    let token = CancellationToken::new();
    let forever = node("console.log('old'); setInterval(() => {}, 1000)");
    let gave_up = tokio::time::timeout(Duration::from_millis(400), session.run(&forever, &token)).await;
    assert!(gave_up.is_err());
    let error = session.run(&node("0"), &token).await.unwrap_err();
    assert_eq!(error.code(), Code::SandboxFailed);
    session.close().await;
}

async fn a_closed_engine_refuses(shared: SharedEngine) {
    let name = if shared.name() == "built-in" {
        "built-in"
    } else {
        "docker"
    };
    let Some(own) = engine(name).await else {
        return;
    };
    own.close().await;
    own.close().await;
    assert_eq!(own.start(&small()).await.err().unwrap().code(), Code::Closed);
}

async fn closing_an_engine_ends_its_boxes(shared: SharedEngine) {
    let name = if shared.name() == "built-in" {
        "built-in"
    } else {
        "docker"
    };
    let Some(own) = engine(name).await else { return };
    let mut session = start(&own, &small()).await;
    let running = tokio::spawn(async move { session.run(&node("for (;;);"), &CancellationToken::new()).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    own.close().await;
    let ended = tokio::time::timeout(Duration::from_mins(1), running)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.unwrap_err().code(), Code::SandboxFailed);
    // The other engine of this process is not touched.
    let mut session = start(&shared, &small()).await;
    assert_eq!(print(&mut session, &node("console.log('alive')")).await, "alive");
    session.close().await;
}

#[test]
fn a_probe_lists_each_engine_and_what_binds() {
    let Some(inputs) = super::inputs() else { return };
    let all = runtime()
        .block_on(crate::sandbox::probe(SandboxOptions::default(), inputs))
        .unwrap();
    println!("{all:#?}");
    assert!(all.iter().any(|candidate| candidate.name == "built-in"));
    assert!(
        all.iter()
            .all(|candidate| candidate.usable || !candidate.problems.is_empty())
    );
}

const ENGINE: &str = "AUTON8N_TEST_BOX_ENGINE";
const ENDING: &str = "AUTON8N_TEST_BOX_ENDING";

/// Not a test by itself: the owner that another test starts and kills.
#[test]
// The program of a child process; without its variables it has nothing to do.
fn an_owner_of_a_box() {
    let (Ok(name), Ok(ending)) = (std::env::var(ENGINE), std::env::var(ENDING)) else {
        return;
    };
    runtime().block_on(async {
        let engine = engine(&name).await.unwrap();
        let mut session = start(&engine, &small()).await;
        let busy = node("require('child_process').spawn('node', ['-e', 'for(;;);'], { detached: true }); for (;;);");
        match ending.as_str() {
            "killed" => {
                println!("holding");
                let _ = session.run(&busy, &CancellationToken::new()).await;
            }
            "dropped" => {
                let token = CancellationToken::new();
                let _ = tokio::time::timeout(Duration::from_millis(300), session.run(&busy, &token)).await;
                drop(session);
                println!("holding");
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            _ => {
                session.close().await;
                println!("holding");
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
        }
    });
}

fn owner(name: &str, ending: &str) -> Child {
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "sandbox::boxes_test::leaving::an_owner_of_a_box",
        ])
        .env(ENGINE, name)
        .env(ENDING, ending)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let holds = lines.map_while(Result::ok).any(|line| line.contains("holding"));
    assert!(holds, "the owner did not start a box");
    child
}

async fn containers_of(pid: u32) -> Vec<String> {
    let url = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let docker = bollard::Docker::connect_with_unix(&url, 30, bollard::API_DEFAULT_VERSION).unwrap();
    let options = bollard::query_parameters::ListContainersOptionsBuilder::new()
        .all(true)
        .build();
    let all = docker.list_containers(Some(options)).await.unwrap();
    let owners = all
        .into_iter()
        .filter_map(|container| container.labels?.get("auton8n.owner").cloned());
    owners.filter(|owner| owner.starts_with(&format!("{pid} "))).collect()
}

/// What the process of that number has left: containers, or groups with their processes.
fn left_of(name: &str, pid: u32) -> Vec<String> {
    if name == "docker" {
        return runtime().block_on(containers_of(pid));
    }
    let trees = [
        "/sys/fs/cgroup/auton8n",
        "/sys/fs/cgroup/memory/auton8n",
        "/sys/fs/cgroup/pids/auton8n",
    ];
    let folders = trees
        .into_iter()
        .flat_map(|tree| std::fs::read_dir(tree).into_iter().flatten().flatten());
    let ours = folders.filter(|entry| entry.file_name().to_string_lossy().starts_with(&format!("{pid}-")));
    ours.map(|entry| {
        let inside = std::fs::read_to_string(entry.path().join("cgroup.procs")).unwrap_or_default();
        format!(
            "{} {}",
            entry.path().display(),
            inside.split_whitespace().collect::<Vec<_>>().join(",")
        )
    })
    .collect()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(2);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn nothing_stays(name: &str) {
    if runtime().block_on(engine(name)).is_none() {
        return;
    }
    for ending in ["closed", "dropped"] {
        let mut child = owner(name, ending);
        let pid = child.id();
        until(&format!("{name}: a {ending} box stays"), || {
            left_of(name, pid).is_empty()
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut child = owner(name, "killed");
    let pid = child.id();
    assert!(!left_of(name, pid).is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    until(&format!("{name}: processes of a killed owner live on"), || {
        left_of(name, pid)
            .iter()
            .all(|line| name == "built-in" && line.ends_with(' '))
    });
    // The next start sweeps what a dead process could not.
    runtime().block_on(engine(name));
    assert_eq!(left_of(name, pid), Vec::<String>::new());
}

#[test]
fn nothing_of_docker_stays() {
    nothing_stays("docker");
}

#[test]
fn nothing_of_the_built_in_engine_stays() {
    nothing_stays("built-in");
}
