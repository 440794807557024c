use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::Namespace;

/// A page of metrics, as a scraper reads it.
pub struct Scrape {
    pub text: String,
    samples: Vec<Sample>,
}

/// One line of it.
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Longer than decider waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

impl Scrape {
    /// Over TCP, from a namespace.
    pub fn tcp(namespace: &Namespace, address: SocketAddr) -> io::Result<Self> {
        let reply = namespace.enter(|| {
            let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(4))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            ask(&mut stream, &request("GET"))
        })?;
        // Where there is no place, a connection is closed without a word.
        if reply.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Self::read(&reply)) }
    }

    /// Over a UNIX socket.
    pub fn unix(path: &Path) -> io::Result<Self> {
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self::read(&ask(&mut stream, &request("GET"))?))
    }

    fn read(reply: &str) -> Self {
        let (head, text) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer but {reply:?}"));
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", text.len())), "{head}");
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(Sample::read).collect();
        Self { text: text.to_owned(), samples }
    }

    /// The samples of a metric.
    pub fn of(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }

    /// The values of a metric by one of its labels, those that are 0 left out.
    pub fn by(&self, name: &str, label: &str) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for sample in self.of(name) {
            *sums.entry(sample.labels[label].clone()).or_default() += sample.whole();
        }
        sums.retain(|_, value| *value > 0);
        sums
    }

    /// The sum of all samples of a metric.
    pub fn sum(&self, name: &str) -> u64 {
        self.of(name).map(Sample::whole).sum()
    }

    /// Each family's name and type.
    pub fn families(&self) -> BTreeMap<String, String> {
        let types = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.map(|line| line.split_once(' ').unwrap()).map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
    }

    /// What is said of each family.
    pub fn helps(&self) -> BTreeMap<String, String> {
        let helps = self.text.lines().filter_map(|line| line.strip_prefix("# HELP "));
        helps.map(|line| line.split_once(' ').unwrap()).map(|(name, help)| (name.to_owned(), help.to_owned())).collect()
    }

    /// The labels of a metric's samples, in their order; none if there is no sample.
    pub fn labels(&self, name: &str) -> Option<Vec<String>> {
        let mut names = self.samples.iter().filter(|sample| sample.name == name);
        let labels = names.next()?.labels.keys().cloned().collect();
        assert!(names.all(|other| other.labels.keys().eq(&labels)), "{name} has samples with other labels");
        Some(labels)
    }
}

impl Sample {
    fn read(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line:?}"));
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("no labels: {line:?}"));
        let pairs = labels.strip_suffix('"').unwrap_or(labels).split("\",").filter(|pair| !pair.is_empty());
        let labels = pairs.map(|pair| pair.split_once("=\"").unwrap());
        Self {
            name: name.to_owned(),
            labels: labels.map(|(label, value)| (label.to_owned(), value.to_owned())).collect(),
            value: value.parse().unwrap(),
        }
    }

    pub fn whole(&self) -> u64 {
        assert!(self.value >= 0.0 && self.value.fract() == 0.0, "{} is {}", self.name, self.value);
        format!("{:.0}", self.value).parse().unwrap()
    }
}

/// A scraper's request.
pub fn request(method: &str) -> Vec<u8> {
    format!("{method} /metrics HTTP/1.1\r\nHost: decider\r\nAccept: */*\r\nUser-Agent: test\r\n\r\n").into_bytes()
}

/// What comes back to these bytes, to its end.
pub fn ask(stream: &mut (impl Read + Write), bytes: &[u8]) -> io::Result<String> {
    stream.write_all(bytes)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    Ok(String::from_utf8(reply).unwrap())
}
