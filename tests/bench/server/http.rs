//! As much of an HTTP/1.1 client as load needs: requests that are written beforehand, answers that are read whole.

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How much is read at a time.
const READ_BYTES: usize = 64 << 10;

/// A request with a JSON body, as it goes over the wire.
pub(crate) fn post(path: &str, accept: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: {accept}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A connection that stays.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer: where it lies in what was read.
struct Answer {
    status: u16,
    /// Where its body begins.
    body: usize,
    /// Where it ends.
    end: usize,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(READ_BYTES) })
    }

    /// Asks, and forgets what is answered. Any other status than 200 is an error.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<()> {
        let answer = self.answer(request).await?;
        self.read.drain(..answer.end);
        Ok(())
    }

    /// Asks, and gives the answer's body, with the lengths of its chunks if it has some.
    pub(crate) async fn body(&mut self, request: &[u8]) -> Result<String> {
        let answer = self.answer(request).await?;
        let body = String::from_utf8(self.read[answer.body..answer.end].to_vec())?;
        self.read.drain(..answer.end);
        Ok(body)
    }

    async fn answer(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        let answer = loop {
            if let Some(answer) = answer(&self.read)? {
                break answer;
            }
            self.read.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.read).await? == 0 {
                bail!("the connection was closed within an answer");
            }
        };
        if answer.status != 200 {
            bail!("{}: {}", answer.status, String::from_utf8_lossy(&self.read[answer.body..]));
        }
        Ok(answer)
    }
}

/// The first answer, if it is there as a whole.
fn answer(read: &[u8]) -> Result<Option<Answer>> {
    let Some(head) = find(read, b"\r\n\r\n") else { return Ok(None) };
    let body = head + 4;
    let text = std::str::from_utf8(&read[..head])?.to_ascii_lowercase();
    let status = text.get(9..12).context("a status")?.parse()?;
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let end = match length {
        Some(length) => {
            Some(body + length.trim().parse::<usize>()?).filter(|end| *end <= read.len())
        }
        None if text.contains("transfer-encoding: chunked") => chunked(read, body)?,
        None => bail!("an answer has a length"),
    };
    Ok(end.map(|end| Answer { status, body, end }))
}

/// Where the chunks end that begin at `at`.
fn chunked(read: &[u8], mut at: usize) -> Result<Option<usize>> {
    while let Some(line) = read.get(at..).and_then(|rest| find(rest, b"\r\n")) {
        let length = std::str::from_utf8(&read[at..at + line])?;
        let length = usize::from_str_radix(length.trim(), 16)?;
        at += line + 2 + length + 2;
        if at > read.len() {
            break;
        }
        if length == 0 {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
