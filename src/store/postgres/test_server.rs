//! A real server for the tests of one process; it ends with the process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::store::StoreUrl;

/// It reads until its input ends, which is when this process does.
struct Server {
    port: u16,
    _child: Child,
}

static SERVER: LazyLock<Option<Server>> = LazyLock::new(|| {
    let given = std::env::var("AUTON8N_TEST_POSTGRES_BIN").ok();
    let bins = ["17", "16", "15"].map(|version| format!("/usr/lib/postgresql/{version}/bin"));
    let bin = given
        .into_iter()
        .chain(bins)
        .find(|bin| Path::new(bin).join("initdb").exists())?;
    // Between its choice and its use another program may take the port.
    let started = (0..3).find_map(|_| try_start(&bin));
    assert!(started.is_some(), "PostgreSQL did not start");
    started
});

fn try_start(bin: &str) -> Option<Server> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut child = Command::new("sh")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/__test__/support/postgres.sh"))
        .args([bin, &port.to_string(), "fsync=off"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    if line == "ready\n" {
        return Some(Server { port, _child: child });
    }
    child.wait().unwrap();
    None
}

/// An empty database, or `None` (said on standard error) where no server is installed; with
/// `AUTON8N_REQUIRE_ALL=1` that is a failure.
pub async fn database() -> Option<StoreUrl> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some(port) = tokio::task::spawn_blocking(|| SERVER.as_ref().map(|server| server.port))
        .await
        .unwrap()
    else {
        assert_ne!(
            std::env::var("AUTON8N_REQUIRE_ALL").as_deref(),
            Ok("1"),
            "PostgreSQL is not installed"
        );
        eprintln!("left out: PostgreSQL is not installed");
        return None;
    };
    let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let address = format!("postgres://postgres@127.0.0.1:{port}");
    let (client, connection) = tokio_postgres::connect(&format!("{address}/postgres"), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    Some(StoreUrl(format!("{address}/{name}")))
}
