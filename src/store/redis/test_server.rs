//! A real server for the tests of one process; it ends with the process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::store::StoreUrl;

/// Databases of a server, one for each test.
const DATABASES: u32 = 1_000;

/// A server of its own; it reads until its input ends, which is when this process does.
pub struct Server {
    pub port: u16,
    child: Child,
}

impl Server {
    /// Starts one, or `None` where it is not installed.
    pub fn start(settings: &[&str]) -> Option<Self> {
        // Between its choice and its use another program may take the port.
        let mut tries = (0..3).map(|_| Self::try_start(settings));
        match tries.find(|answer| !answer.as_ref().is_err_and(|line| line != "not installed\n")) {
            Some(Ok(server)) => Some(server),
            Some(Err(_)) => {
                assert_ne!(
                    std::env::var("AUTON8N_REQUIRE_ALL").as_deref(),
                    Ok("1"),
                    "Redis is not installed"
                );
                eprintln!("left out: Redis is not installed");
                None
            }
            None => panic!("Redis did not start"),
        }
    }

    fn try_start(settings: &[&str]) -> Result<Self, String> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("sh")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/__test__/support/redis.sh"))
            .arg(port.to_string())
            .args(settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        if line == "ready\n" {
            return Ok(Self { port, child });
        }
        child.wait().unwrap();
        Err(line)
    }

    /// Its address.
    pub fn url(&self, database: u32) -> StoreUrl {
        StoreUrl(format!("redis://127.0.0.1:{}/{database}", self.port))
    }

    /// Ends it.
    pub fn stop(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

static SERVER: LazyLock<Option<Server>> = LazyLock::new(|| {
    let databases = DATABASES.to_string();
    Server::start(&[
        "--databases",
        &databases,
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
    ])
});

/// An empty database, or `None` (said on standard error) where no server is installed; with
/// `AUTON8N_REQUIRE_ALL=1` that is a failure.
pub async fn database() -> Option<StoreUrl> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = tokio::task::spawn_blocking(|| SERVER.as_ref()).await.unwrap()?;
    Some(server.url(NUMBER.fetch_add(1, Ordering::Relaxed)))
}
