//! The stream that is attached to a box, as frames.

use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::protocol::{Reply, decode, take};
use crate::error::{Code, Error, Result};

/// Both directions of a box's attached stream.
pub struct Wire {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    buffer: Vec<u8>,
}

impl Wire {
    pub fn new(reader: Pin<Box<dyn AsyncRead + Send>>, writer: Pin<Box<dyn AsyncWrite + Send>>) -> Self {
        Self {
            reader,
            writer,
            buffer: Vec::new(),
        }
    }

    /// Sends whole frames.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let gone =
            |error| Error::new(Code::SandboxFailed, "the sandbox is gone: nothing can be sent to it").because(error);
        self.writer.write_all(bytes).await.map_err(gone)?;
        self.writer.flush().await.map_err(gone)
    }

    /// The next reply. It may be cancelled: nothing that was read is lost.
    pub async fn receive(&mut self) -> Result<Reply> {
        loop {
            if let Some((kind, body)) = take(&mut self.buffer)? {
                return decode(kind, &body);
            }
            let read = self.reader.read_buf(&mut self.buffer).await.map_err(|error| {
                Error::new(Code::SandboxFailed, "the sandbox is gone: nothing can be read from it").because(error)
            })?;
            if read == 0 {
                return Err(Error::new(
                    Code::SandboxFailed,
                    "the sandbox ended before it answered; its engine stopped it, or memory ran out for its keeper",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn replies_arrive_whole_however_they_are_cut() {
        let (ours, mut theirs) = tokio::io::duplex(7);
        let sender = tokio::spawn(async move {
            for byte in [6_u8, 0, 0, 0, 129, 1, b'h', b'e', b'l', b'l', 1, 0, 0, 0, 132] {
                theirs.write_all(&[byte]).await.unwrap();
            }
        });
        let mut wire = Wire::new(Box::pin(ours), Box::pin(tokio::io::sink()));
        assert_eq!(
            wire.receive().await.unwrap(),
            Reply::Out {
                stream: 1,
                bytes: b"hell".to_vec()
            }
        );
        assert_eq!(wire.receive().await.unwrap(), Reply::Done);
        assert_eq!(wire.receive().await.unwrap_err().code(), Code::SandboxFailed);
        sender.await.unwrap();
    }
}
