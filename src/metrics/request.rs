use httparse::{EMPTY_HEADER, Status};

/// Longest head of a request, in bytes.
pub const MAX_HEAD: usize = 8 * 1024;
/// Headers of a request.
const MAX_HEADERS: usize = 64;
/// Where metrics are.
const PATH: &str = "/metrics";
/// What Prometheus takes the text for.
const METRICS: &str = prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The metrics.
    Get,
    /// What would be said of them.
    Head,
}

/// Why there is no answer but an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no request of HTTP/1.
    Bad,
    /// It did not come in time.
    Late,
    /// There is nothing but metrics here.
    NoSuchPath,
    /// Nothing can be changed here.
    Method,
    /// Its head is too long.
    TooLong,
    /// The page could not be made.
    Failed,
}

/// Reads the head of a request as far as it has come; none as long as its end is missing.
///
/// # Errors
/// What is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Option<Asked>, Refusal> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Err(httparse::Error::TooManyHeaders) => Err(Refusal::TooLong),
        Err(_) => Err(Refusal::Bad),
        Ok(Status::Partial) if bytes.len() >= MAX_HEAD => Err(Refusal::TooLong),
        Ok(Status::Partial) => Ok(None),
        Ok(Status::Complete(_)) => {
            let path = request.path.unwrap_or_default();
            if path.split('?').next() != Some(PATH) {
                return Err(Refusal::NoSuchPath);
            }
            match request.method {
                Some("GET") => Ok(Some(Asked::Get)),
                Some("HEAD") => Ok(Some(Asked::Head)),
                Some(_) | None => Err(Refusal::Method),
            }
        }
    }
}

/// The answer with metrics.
#[must_use]
pub fn page(asked: Asked, text: &str) -> String {
    let head = head("200 OK", METRICS, text.len());
    match asked {
        Asked::Get => head + "\r\n" + text,
        Asked::Head => head + "\r\n",
    }
}

impl Refusal {
    /// The answer.
    #[must_use]
    pub fn answer(self) -> String {
        let (status, text) = match self {
            Self::Bad => ("400 Bad Request", "this is no request of HTTP/1\n"),
            Self::Late => ("408 Request Timeout", "no whole request came in time\n"),
            Self::NoSuchPath => ("404 Not Found", "metrics are at /metrics\n"),
            Self::Method => ("405 Method Not Allowed", "only GET and HEAD are answered here\n"),
            Self::TooLong => ("431 Request Header Fields Too Large", "the head of the request is too long\n"),
            Self::Failed => ("500 Internal Server Error", "the metrics could not be written\n"),
        };
        let allow = if self == Self::Method { "allow: GET, HEAD\r\n" } else { "" };
        head(status, "text/plain; charset=utf-8", text.len()) + allow + "\r\n" + text
    }
}

/// A connection is for one request.
fn head(status: &str, kind: &str, length: usize) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_got_at_one_path_by_two_methods() {
        for (line, wanted) in [
            ("GET /metrics HTTP/1.1", Ok(Some(Asked::Get))),
            ("GET /metrics?x=y HTTP/1.0", Ok(Some(Asked::Get))),
            ("HEAD /metrics HTTP/1.1", Ok(Some(Asked::Head))),
            ("POST /metrics HTTP/1.1", Err(Refusal::Method)),
            ("GET / HTTP/1.1", Err(Refusal::NoSuchPath)),
            ("GET /metrics/ HTTP/1.1", Err(Refusal::NoSuchPath)),
            ("GET /metrics HTTP/2.0", Err(Refusal::Bad)),
            ("GET  /metrics HTTP/1.1", Err(Refusal::Bad)),
            ("SSH-2.0-x", Err(Refusal::Bad)),
            ("\u{16}\u{3}\u{1}", Err(Refusal::Bad)),
        ] {
            assert_eq!(read(format!("{line}\r\nHost: a\r\n\r\n").as_bytes()), wanted, "{line}");
        }
    }

    #[test]
    fn what_is_not_whole_is_waited_for_and_what_is_too_long_is_not() {
        let whole = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), Ok(None), "{end}");
        }
        let begin = "GET /metrics HTTP/1.1\r\n";
        let long = format!("{begin}X: {}", "x".repeat(MAX_HEAD));
        assert_eq!(read(long.as_bytes()), Err(Refusal::TooLong));
        let many = format!("{begin}{}\r\n", "X: y\r\n".repeat(MAX_HEADERS + 1));
        assert_eq!(read(many.as_bytes()), Err(Refusal::TooLong));
    }

    #[test]
    fn an_answer_says_how_long_it_is_and_ends_the_connection() {
        let got = page(Asked::Get, "a 1\n");
        assert_eq!(
            got,
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\ncontent-length: 4\r\n\
             connection: close\r\n\r\na 1\n"
        );
        assert_eq!(page(Asked::Head, "a 1\n") + "a 1\n", got);
        let refused = Refusal::Method.answer();
        assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("\r\nallow: GET, HEAD\r\n\r\n"), "{refused}");
    }
}
