//! From a name to addresses, in one place: what is looked up here is what is connected to, so that a name which leads elsewhere a
//! moment later leads nowhere.
use crate::guard::{Guard, Refusal};
use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const LOOK_UP_WITHIN: Duration = Duration::from_secs(5);

#[async_trait]
pub trait Names: Send + Sync {
    /// The addresses of a name; an error or none where there are none.
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The names of the system that we run on.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        let found = tokio::time::timeout(LOOK_UP_WITHIN, tokio::net::lookup_host((host, 0))).await??;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// The twin: every name of `example.com` is public, unless it is called `inside`.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryNames;

#[async_trait]
impl Names for MemoryNames {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        match host {
            "inside.example.com" => Ok(vec![IpAddr::from([10, 0, 0, 1])]),
            host if host.ends_with(".example.com") => Ok(vec![IpAddr::from([93, 184, 216, 34])]),
            _ => Err(std::io::Error::other("no such name")),
        }
    }
}

impl Guard {
    /// The addresses of a name that may be connected to.
    pub async fn addresses(&self, names: &dyn Names, host: &str) -> Result<Vec<IpAddr>, Refusal> {
        let found = names.addresses(host).await.map_err(|_| Refusal::Unknown)?;
        if found.is_empty() {
            return Err(Refusal::Unknown);
        }
        let reachable: Vec<IpAddr> = found.into_iter().filter(|address| self.may_connect(*address)).collect();
        match reachable.is_empty() {
            true => Err(Refusal::NotPublic),
            false => Ok(reachable),
        }
    }
}

/// The guard as the HTTP client's resolver: it connects to what this gives, and asks nobody else.
pub(crate) struct Guarded {
    pub(crate) guard: Guard,
    pub(crate) names: Arc<dyn Names>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, names) = (self.guard.clone(), self.names.clone());
        Box::pin(async move {
            let addresses = guard.addresses(names.as_ref(), name.as_str()).await?;
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
