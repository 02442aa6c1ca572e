//! The image of boxes: made from the host's Node, the toolchain and the keeper, once for a recipe.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use bollard::Docker;
use bollard::errors::Error as EngineError;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListImagesOptionsBuilder, PruneImagesOptionsBuilder, RemoveImageOptionsBuilder,
    TagImageOptionsBuilder,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio::sync::mpsc;

use super::fault;
use crate::error::{Code, Error, Result};
use crate::sandbox::layout::{Entry, Plan};
use crate::sandbox::tree::{self, Leaf};

/// The images' name; the tag is the recipe's hash.
pub const NAME: &str = "auton8n-box";

/// Images that are kept: of this version and of others that are used beside it.
const KEPT: usize = 5;

/// One without a name goes at this age: a younger one may be about to get its name.
const NAMELESS: &str = "1m";

/// Whether the engine has an image of that reference.
pub async fn exists(docker: &Docker, reference: &str) -> Result<bool> {
    match docker.inspect_image(reference).await {
        Ok(_) => Ok(true),
        Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(error) => Err(fault("cannot look for the sandbox image", error)),
    }
}

/// Makes the image and tags it, from a stream: nothing of it lies on the host's disk.
pub async fn import(docker: &Docker, plan: Plan, recipe: &str, tag: &str) -> Result<()> {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(8);
    let writer = tokio::task::spawn_blocking(move || {
        let outcome = write_tar(
            &plan,
            Pipe {
                sender: sender.clone(),
                buffer: Vec::with_capacity(Pipe::SIZE),
            },
        );
        if let Err(error) = &outcome {
            // The engine sees a broken stream and makes no image.
            let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
        }
        outcome
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        // With the tag in the name, since Podman reads no other.
        .repo(&format!("{NAME}:{tag}"))
        .changes(vec![
            format!("LABEL auton8n.recipe={recipe}"),
            "ENV PATH=/sandbox/bin".to_owned(),
        ])
        .build();
    let answer: std::result::Result<Vec<_>, _> = docker
        .create_image(Some(options), Some(bollard::body_try_stream(stream)), None)
        .try_collect()
        .await;
    let written = writer
        .await
        .map_err(|error| Error::new(Code::Internal, "the image's writer stopped").because(error))?;
    match (answer, written) {
        // An engine that gives up reads no further: it knows why, the writer knows only that it did.
        (Err(error @ (EngineError::DockerResponseServerError { .. } | EngineError::DockerStreamError { .. })), _)
        | (Err(error), Ok(())) => Err(fault("the engine did not take the sandbox image", error)),
        (_, Err(error)) => Err(error),
        (Ok(_), Ok(())) => Ok(()),
    }
}

/// Gives the image another tag.
pub async fn tag(docker: &Docker, from: &str, to: &str) -> Result<()> {
    let options = TagImageOptionsBuilder::new().repo(NAME).tag(to).build();
    docker
        .tag_image(&format!("{NAME}:{from}"), Some(options))
        .await
        .map_err(|error| fault("cannot tag the sandbox image", error))
}

/// Removes all but the newest images of ours, and those that lost their name. One that is in use stays.
pub async fn prune(docker: &Docker) {
    let filters = HashMap::from([("label".to_owned(), vec!["auton8n.recipe".to_owned()])]);
    let nameless =
        [("dangling", "true"), ("until", NAMELESS)].map(|(key, value)| (key.to_owned(), vec![value.to_owned()]));
    let options = PruneImagesOptionsBuilder::new()
        .filters(&filters.clone().into_iter().chain(nameless).collect::<HashMap<_, _>>())
        .build();
    let _ = docker.prune_images(Some(options)).await;
    let options = ListImagesOptionsBuilder::new().filters(&filters).build();
    let mut images = docker.list_images(Some(options)).await.unwrap_or_default();
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    for image in images.into_iter().skip(KEPT) {
        for reference in image.repo_tags.iter().filter_map(|tag| {
            tag.rsplit_once(':')
                .filter(|(name, _)| name.ends_with(NAME))
                .map(|(_, tag)| tag)
        }) {
            discard(docker, reference).await;
        }
    }
}

/// Takes a tag away, and with the last one the image. One that is in use stays.
pub async fn discard(docker: &Docker, tag: &str) {
    let options = RemoveImageOptionsBuilder::new().build();
    let _ = docker.remove_image(&format!("{NAME}:{tag}"), Some(options), None).await;
}

/// A writer into the request's body.
struct Pipe {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Pipe {
    const SIZE: usize = 256 << 10;
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= Self::SIZE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(Self::SIZE));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the engine stopped reading");
        self.sender.blocking_send(Ok(full.into())).map_err(gone)
    }
}

fn write_tar(plan: &Plan, pipe: Pipe) -> Result<()> {
    let mut tar = tar::Builder::new(pipe);
    for (path, entry) in plan {
        let name = path.trim_start_matches('/');
        match entry {
            Entry::Folder => folder(&mut tar, name),
            Entry::Text(text) => append(&mut tar, name, 0o644, text.len() as u64, text.as_bytes()),
            Entry::File { from, executable } => file(&mut tar, name, from, *executable),
            Entry::Tree(root) => {
                folder(&mut tar, name).map_err(unwritten)?;
                tree(&mut tar, name, root)?;
                Ok(())
            }
        }
        .map_err(unwritten)?;
    }
    let mut pipe = tar.into_inner().map_err(unwritten)?;
    pipe.flush().map_err(unwritten)
}

fn unwritten(error: io::Error) -> Error {
    Error::new(Code::SandboxFailed, "cannot write the sandbox image").because(error)
}

fn tree(tar: &mut tar::Builder<Pipe>, name: &str, root: &Path) -> Result<()> {
    for (below, leaf) in tree::walk(root)? {
        let path = format!("{name}/{below}");
        match leaf {
            Leaf::Folder => folder(tar, &path),
            Leaf::File { executable, .. } => file(tar, &path, &root.join(&below), executable),
            Leaf::Link(target) => {
                let mut header = header(tar::EntryType::Symlink, 0o777, 0);
                tar.append_link(&mut header, &path, target)
            }
        }
        .map_err(unwritten)?;
    }
    Ok(())
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn folder(tar: &mut tar::Builder<Pipe>, name: &str) -> io::Result<()> {
    let mode = if name == "tmp" { 0o1777 } else { 0o755 };
    tar.append_data(
        &mut header(tar::EntryType::Directory, mode, 0),
        format!("{name}/"),
        io::empty(),
    )
}

fn file(tar: &mut tar::Builder<Pipe>, name: &str, from: &Path, executable: bool) -> io::Result<()> {
    let file = File::open(from)?;
    let size = file.metadata()?.len();
    append(
        tar,
        name,
        if executable { 0o755 } else { 0o644 },
        size,
        io::Read::take(file, size),
    )
}

fn append(tar: &mut tar::Builder<Pipe>, name: &str, mode: u32, size: u64, data: impl io::Read) -> io::Result<()> {
    tar.append_data(&mut header(tar::EntryType::Regular, mode, size), name, data)
}
