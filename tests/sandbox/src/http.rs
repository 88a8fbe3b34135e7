//! Serves a router over plain HTTP/1.1 in a way that can cut a connection instead of answering.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A response that carries this is never sent: its connection ends.
#[derive(Clone, Copy)]
pub(crate) struct Cut;

#[derive(Debug, Error)]
#[error("the connection is cut on purpose")]
struct CutConnection;

/// A running server. Dropping it ends the listener and every connection.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _task: Task,
}

/// A task that ends with its owner.
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a platform calls other people's addresses with.
pub(crate) fn client(answer_within: Duration) -> reqwest::Client {
    // The workspace builds reqwest without a default provider; a second install in one process is refused harmlessly.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(answer_within).redirect(reqwest::redirect::Policy::none()).build();
    client.unwrap_or_else(|error| {
        tracing::error!(%error, "webhooks go out without a time limit");
        reqwest::Client::default()
    })
}

pub(crate) async fn bind(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

pub(crate) fn serve(listener: TcpListener, address: SocketAddr, router: Router) -> Server {
    Server { address, _task: Task::spawn(accept(listener, router)) }
}

async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, router.clone()))),
                Err(error) => tracing::warn!(%error, "the sandbox could not accept a connection"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        let answer = inner.call(request);
        async move {
            match answer.await {
                Ok(response) if response.extensions().get::<Cut>().is_some() => Err(CutConnection),
                Ok(response) => Ok(response),
                Err(never) => match never {},
            }
        }
    });
    // An error here is a cut on purpose or a caller that hung up.
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended");
    }
}
