use std::io;

use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::bytes::{Buf, BytesMut};
use tokio_util::codec::{Decoder, FramedRead, LengthDelimitedCodec};

use super::limits::{BUFFER, WRITE};

/// Bytes of length in front of each message (RFC 1035, 4.2.2), so one has at most 65535.
const LENGTH: u8 = 2;

/// The lengths stay in front of the messages: bytes that end behind a length would else look like an end between messages.
fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .length_field_type::<u16>()
        .max_frame_length(u16::MAX.into())
        .length_adjustment(LENGTH.into())
        .num_skip(0)
        .new_codec()
}

/// The messages of a stream, however its bytes come. It ends with an error if the bytes end within a message.
pub fn messages<R: AsyncRead>(reader: R) -> impl Stream<Item = io::Result<BytesMut>> {
    let framed = FramedRead::with_capacity(reader, codec(), BUFFER);
    framed.map(|framed| framed.map(without_length))
}

fn without_length(mut framed: BytesMut) -> BytesMut {
    framed.split_off(usize::from(LENGTH).min(framed.len()))
}

/// The messages of a stream whose bytes are put in by hand.
pub struct Messages {
    codec: LengthDelimitedCodec,
    bytes: BytesMut,
}

impl Default for Messages {
    /// Nothing has come yet.
    fn default() -> Self {
        Self { codec: codec(), bytes: BytesMut::new() }
    }
}

impl Messages {
    /// The next bytes of the stream.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if all of it has come.
    pub fn take(&mut self) -> Option<BytesMut> {
        let framed = self.codec.decode(&mut self.bytes).ok().flatten()?;
        Some(without_length(framed))
    }
}

/// Writes a message, length and all in one go.
///
/// # Errors
/// If the other side has gone, or does not take it in time.
pub async fn send(writer: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?.to_be_bytes();
    let mut bytes = length.chain(message);
    timeout(WRITE, writer.write_all_buf(&mut bytes)).await?
}
