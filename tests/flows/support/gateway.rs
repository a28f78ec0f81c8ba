//! An API that connections are posted to and closed by, and that says of each what its name says. The local cloud's connections are
//! open or gone; AWS's may also fail, hang and be new. After
//! <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/api-connections-connectionid.html>.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The API while it runs.
pub(crate) struct Gateway {
    /// Where it answers.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
    tasks: JoinSet<()>,
}

impl Gateway {
    /// Starts it on a free port.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let asked = Arc::<Mutex<Vec<_>>>::default();
        let mut tasks = JoinSet::new();
        let noted = Arc::clone(&asked);
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                served.spawn(serve(stream, Arc::clone(&noted)));
            }
        });
        Ok(Self { url, asked, tasks })
    }

    /// The connections that were asked for with `method`, in order of their names.
    pub(crate) fn asked(&self, method: &str) -> Vec<String> {
        let asked = self.asked.lock().map(|asked| asked.clone()).unwrap_or_default();
        let mut names: Vec<_> = asked.into_iter().filter(|(of, _)| of == method).map(|(_, name)| name).collect();
        names.sort();
        names
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn serve(mut stream: TcpStream, asked: Arc<Mutex<Vec<(String, String)>>>) {
    let mut request = Vec::new();
    let (head, length) = loop {
        let Ok(1..) = stream.read_buf(&mut request).await else { return };
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            break (head.to_owned(), length.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0));
        }
    };
    while request.len() < head.len() + 4 + length {
        let Ok(1..) = stream.read_buf(&mut request).await else { return };
    }
    let mut words = head.split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let status = match (method, name.as_str()) {
        ("POST", name) if name.starts_with("hanging") => return std::future::pending().await,
        ("POST", name) if name.starts_with("refusing") => "403 Forbidden\r\nx-amzn-errortype: ForbiddenException",
        ("POST", name) if name.starts_with("gone") => "410 Gone\r\nx-amzn-errortype: GoneException",
        ("POST", _) => "200 OK",
        // Busy, the first time.
        _ if !asked.lock().is_ok_and(|asked| asked.iter().any(|(of, _)| of == "DELETE")) => {
            "429 Too Many Requests\r\nx-amzn-errortype: LimitExceededException"
        }
        _ => "204 No Content",
    };
    if let Ok(mut asked) = asked.lock() {
        asked.push((method.to_owned(), name));
    }
    let body = if status.starts_with("204") { "" } else { "{}" };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    drop(stream.write_all(answer.as_bytes()).await);
}
