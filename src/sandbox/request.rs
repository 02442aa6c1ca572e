//! What the engine asks of a keeper, as frames.

use super::run::Command;

/// Bytes of a file in one frame.
pub const CHUNK: usize = 64 << 10;

/// What the engine asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Request {
    Put = 1,
    Run = 2,
    Cancel = 3,
    Collect = 4,
    PutEnd = 6,
    /// To the launcher of a built-in box.
    Launch = 7,
    /// Nothing; a keeper that is well answers `Done`.
    Ping = 8,
}

/// A frame's bytes as they go out.
pub fn frame(kind: Request, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5 + body.len());
    bytes.extend_from_slice(&(1 + body.len() as u32).to_le_bytes());
    bytes.push(kind as u8);
    bytes.extend_from_slice(body);
    bytes
}

/// Puts fields into a frame's body.
#[derive(Debug, Default)]
pub struct Fields(pub Vec<u8>);

impl Fields {
    #[must_use]
    pub fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    #[must_use]
    pub fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    #[must_use]
    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    #[must_use]
    pub fn blob(self, bytes: &[u8]) -> Self {
        self.u32(bytes.len() as u32).raw(bytes)
    }

    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    #[must_use]
    pub fn texts<T: AsRef<str>>(self, texts: &[T]) -> Self {
        let counted = self.u32(texts.len() as u32);
        texts
            .iter()
            .fold(counted, |fields, text| fields.blob(text.as_ref().as_bytes()))
    }
}

/// The frame that runs `command`.
pub fn run_frame(command: &Command, output: usize, file_size: u64) -> Vec<u8> {
    let env: Vec<String> = command
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let fields = Fields::default()
        .u64(command.timeout_ms)
        .u64(output as u64)
        .u64(file_size)
        .texts(&command.argv)
        .texts(&env)
        .blob(b"")
        .blob(&command.stdin)
        .texts(command.judge.as_deref().unwrap_or_default());
    frame(Request::Run, &fields.0)
}
