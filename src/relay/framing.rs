use std::io;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::bytes::Buf;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use super::limits::{BUFFER, WRITE};

/// Two bytes of length in front of each message (RFC 1035, 4.2.2), so one has at most 65535.
#[must_use]
pub fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().length_field_type::<u16>().max_frame_length(u16::MAX.into()).new_codec()
}

/// The messages of a stream, however its bytes come. It ends with an error if the bytes end within a message.
pub fn messages<R: AsyncRead>(reader: R) -> FramedRead<R, LengthDelimitedCodec> {
    FramedRead::with_capacity(reader, codec(), BUFFER)
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
