//! Which edge signed. An unknown edge, a bad signature and a stale one get the same answer on the same way: what is remembered of
//! the edge, and where no signature matches, what the table says now. What is left: the first look at a known edge in a minute
//! also asks the key service. It tells of ids that nobody can guess.
use crate::answer::Problem;
use crate::request::Incoming;
use async_trait::async_trait;
use credentials::{Context, Vault, VaultError};
use domain::ids::{EdgeId, OrganizationId, SiteId};
use domain::signature::{SignatureError, SigningKey, Verified, verify};
use domain::validate::Expected;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::directory::{Directory, Edge};
use store::{Table, TableError};

/// How long an edge is remembered.
const KEPT: SignedDuration = SignedDuration::from_secs(60);
/// What is older is read again before a signature is refused: the secret may just have been rotated.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
const EDGES_KEPT: usize = 1024;

/// The edge that signed, and what it speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub organization_id: OrganizationId,
    pub site_id: SiteId,
    pub edge_id: EdgeId,
}

impl Sender {
    pub fn expected(&self) -> Expected<'_> {
        Expected { edge_id: &self.edge_id, site_id: &self.site_id }
    }
}

/// An edge with its open keys; one that rotates out has an end.
#[derive(Debug, Clone)]
pub struct KnownEdge {
    pub sender: Sender,
    pub keys: Vec<(SigningKey, Option<Timestamp>)>,
}

impl KnownEdge {
    fn keys_at(&self, now: Timestamp) -> Vec<SigningKey> {
        self.keys.iter().filter(|(_, end)| end.is_none_or(|end| now < end)).map(|(key, _)| key.clone()).collect()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("an edge's secret does not read as one")]
    Secret,
}

/// Looks edges up. What was read before `not_before` does not do.
#[async_trait]
pub trait Edges: Send + Sync {
    async fn find(
        &self,
        id: &EdgeId,
        not_before: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Arc<KnownEdge>>, LookupError>;
}

pub async fn authenticate(
    edges: &dyn Edges,
    incoming: &Incoming<'_>,
    now: Timestamp,
) -> Result<(Sender, Verified), Problem> {
    let id: Option<EdgeId> = incoming.edge_id.and_then(|id| id.parse().ok());
    let look = async |not_before: Timestamp| {
        let known = match &id {
            Some(id) => edges.find(id, not_before, now).await?,
            None => None,
        };
        Ok::<_, LookupError>(check(known.as_deref(), incoming, now))
    };
    let judged = match look(now - KEPT).await? {
        Err(SignatureError::Mismatch) => look(now - FRESH).await?,
        judged => judged,
    };
    judged.map_err(|error| Problem::Unauthorized(Some(error)))
}

fn check(
    known: Option<&KnownEdge>,
    incoming: &Incoming<'_>,
    now: Timestamp,
) -> Result<(Sender, Verified), SignatureError> {
    match known {
        Some(edge) => {
            let verified = verify(incoming.headers, incoming.body, &edge.keys_at(now), now)?;
            Ok((edge.sender.clone(), verified))
        }
        // As much work as for an edge that is known, so that the time taken doesn't tell which edges exist.
        None => {
            let nobody = SigningKey::of_bytes(&[0; 32]).map_err(|_| SignatureError::Mismatch)?;
            verify(incoming.headers, incoming.body, &[nobody], now)?;
            Err(SignatureError::Mismatch)
        }
    }
}

/// What was found under an id, and when.
type Remembered = HashMap<EdgeId, (Option<Arc<KnownEdge>>, Timestamp)>;

/// Edges in the table, with their secrets opened by the vault; both remembered for a minute, and so is that there is none.
pub struct TableEdges {
    table: Arc<dyn Table>,
    vault: Arc<dyn Vault>,
    known: Mutex<Remembered>,
}

impl TableEdges {
    pub fn new(table: Arc<dyn Table>, vault: Arc<dyn Vault>) -> Self {
        Self { table, vault, known: Mutex::default() }
    }

    fn known<T>(&self, look: impl FnOnce(&mut Remembered) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn open(&self, edge: Edge, now: Timestamp) -> Result<KnownEdge, LookupError> {
        let context = Context::new(&edge.organization_id, "edge-secret").with("edge_id", &edge.id);
        let mut keys = Vec::with_capacity(edge.secrets.len());
        for secret in edge.secrets.iter().filter(|secret| secret.expires_at.is_none_or(|end| now < end)) {
            let opened = self.vault.open(&context, &secret.sealed).await?;
            let key = SigningKey::parse(opened.expose()).map_err(|_| LookupError::Secret)?;
            keys.push((key, secret.expires_at));
        }
        let Edge { id: edge_id, organization_id, site_id, .. } = edge;
        Ok(KnownEdge { sender: Sender { organization_id, site_id, edge_id }, keys })
    }
}

#[async_trait]
impl Edges for TableEdges {
    async fn find(
        &self,
        id: &EdgeId,
        not_before: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Arc<KnownEdge>>, LookupError> {
        let known = self.known(|known| known.get(id).filter(|(_, read)| *read > not_before).cloned());
        if let Some((edge, _)) = known {
            return Ok(edge);
        }
        let edge = match Directory(self.table.as_ref()).edge(id).await? {
            Some(edge) => Some(Arc::new(self.open(edge, now).await?)),
            None => None,
        };
        self.known(|known| {
            if known.len() >= EDGES_KEPT {
                // Ids that someone makes up drive out no edge that is there.
                known.retain(|_, (edge, _)| edge.is_some());
            }
            if known.len() >= EDGES_KEPT {
                known.clear();
            }
            known.insert(id.clone(), (edge.clone(), now));
        });
        Ok(edge)
    }
}
