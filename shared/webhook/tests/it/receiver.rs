//! A receiver that answers each request with given bytes, and remembers what it got.
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Default)]
pub struct Receiver {
    got: Arc<Mutex<Vec<String>>>,
    pub port: u16,
}

impl Receiver {
    /// `None`: never answers.
    pub async fn answering(answer: Option<Vec<u8>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let this = Self { port: listener.local_addr().unwrap().port(), ..Self::default() };
        let got = this.got.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, got.clone(), answer.clone()));
            }
        });
        this
    }

    pub async fn saying(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}");
        Self::answering(Some(answer.into_bytes())).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, got: Arc<Mutex<Vec<String>>>, answer: Option<Vec<u8>>) {
    let (mut bytes, mut chunk) = (Vec::new(), [0u8; 4096]);
    loop {
        let Ok(read) = stream.read(&mut chunk).await else { return };
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let length = header(&text, "content-length").and_then(|length| length.parse::<usize>().ok());
        let whole = text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length.unwrap_or(0));
        // Who greets by TLS is answered in plain text.
        let tls = bytes.first() == Some(&0x16);
        if read == 0 || whole || tls {
            got.lock().unwrap().push(text);
            break;
        }
    }
    match answer {
        Some(answer) => {
            let _ = stream.write_all(&answer).await;
        }
        None => std::future::pending().await,
    }
}

pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let head = request.split_once("\r\n\r\n").map_or(request, |(head, _)| head);
    head.lines().filter_map(|line| line.split_once(": ")).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
}
