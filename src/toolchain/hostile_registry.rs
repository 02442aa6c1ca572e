//! A package registry for tests, on a local port, that can misbehave; also a proxy.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use parking_lot::Mutex;
use sha2::{Digest, Sha512};

/// One entry of an archive.
#[derive(Clone, Copy, Debug)]
pub enum Archive<'a> {
    File(&'a str, &'a [u8]),
    Folder(&'a str),
    Link(&'a str, &'a str),
    HardLink(&'a str, &'a str),
    Fifo(&'a str),
}

/// A compressed archive, with paths that a decent writer would refuse.
pub fn tgz(entries: &[Archive]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(gzip);
    for entry in entries {
        let (kind, path, target, data): (_, _, _, &[u8]) = match *entry {
            Archive::File(path, data) => (tar::EntryType::Regular, path, "", data),
            Archive::Folder(path) => (tar::EntryType::Directory, path, "", b""),
            Archive::Link(path, target) => (tar::EntryType::Symlink, path, target, b""),
            Archive::HardLink(path, target) => (tar::EntryType::Link, path, target, b""),
            Archive::Fifo(path) => (tar::EntryType::Fifo, path, "", b""),
        };
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o777);
        header.set_size(data.len() as u64);
        let raw = header.as_old_mut();
        raw.name[..path.len()].copy_from_slice(path.as_bytes());
        raw.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        builder.append(&header, data).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

pub fn integrity(bytes: &[u8]) -> String {
    format!(
        "sha512-{}",
        base64::engine::general_purpose::STANDARD.encode(Sha512::digest(bytes))
    )
}

/// What the registry does when asked.
#[derive(Clone, Debug)]
pub enum Answer {
    Body(Vec<u8>),
    Status(u16),
    /// Half of the body, then the connection is closed.
    Cut(Vec<u8>),
    /// The head, then nothing until the registry is dropped.
    Silence,
}

#[derive(Default)]
struct State {
    answers: BTreeMap<String, Vec<Answer>>,
    /// `METHOD path authorization` of every request.
    requests: Vec<String>,
}

/// A registry on a port of its own; ends when dropped.
pub struct Registry {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    closed: Arc<AtomicBool>,
}

impl Registry {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
            closed: Arc::default(),
        };
        let (state, closed) = (Arc::clone(&registry.state), Arc::clone(&registry.closed));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if closed.load(Ordering::SeqCst) {
                    break;
                }
                let (state, closed) = (Arc::clone(&state), Arc::clone(&closed));
                std::thread::spawn(move || stream.map(|stream| serve(stream, &state, &closed)));
            }
        });
        registry
    }

    pub fn url(&self) -> String {
        format!("http://{}/npm/", self.address)
    }

    /// Sets the answers for a path below the registry, in turn; the last one stays.
    pub fn answer(&self, path: &str, answers: &[Answer]) {
        self.state
            .lock()
            .answers
            .insert(format!("/npm/{path}"), answers.to_vec());
    }

    pub fn requests(&self) -> Vec<String> {
        self.state.lock().requests.clone()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>, closed: &AtomicBool) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut authorization = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("authorization:") {
            line[line.len() - value.len()..].trim().clone_into(&mut authorization);
        }
    }
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    state
        .lock()
        .requests
        .push(format!("{method} {path} {authorization}").trim_end().to_owned());
    if method == "CONNECT" {
        return tunnel(stream, path);
    }
    let answer = {
        let mut state = state.lock();
        match state.answers.get_mut(path) {
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
            None => Answer::Status(404),
        }
    };
    reply(stream, answer, closed)
}

fn reply(mut stream: TcpStream, answer: Answer, closed: &AtomicBool) -> std::io::Result<()> {
    let mut head = |status: u16, length: usize| {
        write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        )
    };
    match answer {
        Answer::Status(status) => head(status, 0),
        Answer::Body(body) => {
            head(200, body.len())?;
            stream.write_all(&body)
        }
        Answer::Cut(body) => {
            head(200, body.len())?;
            stream.write_all(&body[..body.len() / 2])
        }
        Answer::Silence => {
            head(200, 1000)?;
            while !closed.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(())
        }
    }
}

fn tunnel(mut client: TcpStream, target: &str) -> std::io::Result<()> {
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 X\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let up = std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
    std::io::copy(&mut server, &mut client)?;
    client.shutdown(std::net::Shutdown::Both)?;
    let _ = up.join();
    Ok(())
}
