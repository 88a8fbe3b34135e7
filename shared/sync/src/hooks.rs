//! The platform's hooks for a connection: one per mapped project, made, looked after and mended by the lane itself. Without them
//! everything still comes back by the timed re-read, so that trouble with a hook stops nothing.
use crate::handle::Run;
use crate::lane::Engine;
use crate::readback::ReadError;
use crate::target::{Block, Call, Project, Proof, TargetError};
use credentials::{Context, Secret};
use domain::record::WorkClass;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use store::TableError;
use store::directory::Directory;
use store::hooks::{Hook, Hooks};
use store::lanes::LaneId;

/// A hook that works is looked at again after this long; one that can't be made is tried again after this long.
const CHECK_EACH: SignedDuration = SignedDuration::from_hours(24);
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(15);

impl Run<'_> {
    /// Makes and mends what is due. `Some`: nothing in this connection works until a person acts.
    pub async fn keep_hooks(&self, deadline: Timestamp) -> Result<Option<Block>, TableError> {
        let mut hooks = self.lane().hooks().await?;
        let (call, now) = (Call { class: WorkClass::ReadBack, meter: self.meter }, self.clock.now());
        // The connection works with a person's consent by now: that person's own edits are news, and come by this name.
        if hooks.own_user.is_some() && matches!(self.target.by_consent(call).await, Ok(true)) {
            hooks.own_user = None;
            self.lane().put_hooks(&hooks).await?;
        }
        for mapped in Directory(self.table).projects(self.lane).await? {
            let due = |hook: &Hook| hook.next_check.is_none_or(|at| at <= now);
            if self.clock.now() >= deadline || !hooks.projects.get(&mapped.project_id).is_none_or(due) {
                continue;
            }
            let id = mapped.project_id;
            let project = Project::of(self.connection, id.clone(), mapped.settings);
            let kept = self.keep_hook(&project, &mut hooks).await;
            let hook = hooks.projects.entry(id).or_default();
            match kept {
                Ok(()) => (hook.next_check, hook.trouble) = (Some(now + CHECK_EACH), None),
                Err(ReadError::Table(error)) => return Err(error),
                Err(ReadError::Target(TargetError::Connection(block))) => return Ok(Some(block)),
                Err(ReadError::Target(error)) => {
                    tracing::warn!(connection_id = %self.lane.connection_id, failure = error.kind(), "a hook could not be kept");
                    let lasting = matches!(error, TargetError::Project(_) | TargetError::Refused { .. });
                    hook.next_check = Some(now + if lasting { CHECK_EACH } else { TRY_AGAIN });
                    hook.trouble = Some(match &error {
                        TargetError::Project(block) => format!("{} {}", block.reason, block.what_to_do),
                        error => error.to_string(),
                    });
                }
            }
            self.lane().put_hooks(&hooks).await?;
        }
        Ok(None)
    }

    async fn keep_hook(&self, project: &Project, hooks: &mut Hooks) -> Result<(), ReadError> {
        let call = Call { class: WorkClass::ReadBack, meter: self.meter };
        if hooks.own_user.is_none() && !self.target.by_consent(call).await? {
            hooks.own_user = Some(self.target.own_user(call, project).await?);
        }
        let url = hook_url(self.public_url, self.lane);
        let known = hooks.projects.get(&project.id).and_then(|hook| hook.id.clone());
        let standing = self.target.hook(call, project, &url, known.as_deref()).await?;
        let hook = hooks.projects.entry(project.id.clone()).or_default();
        // One that we made and know the secret of.
        if standing.as_ref().is_some_and(|found| found.sound && Some(&found.id) == hook.id.as_ref()) {
            return Ok(());
        }
        let (secret, kept) = self.fresh_secret().await?;
        hook.add_secret(kept);
        self.lane().put_hooks(hooks).await?;
        let id = self.target.mend_hook(call, project, &url, &secret, standing.map(|found| found.id)).await?;
        hooks.projects.entry(project.id.clone()).or_default().id = Some(id);
        Ok(())
    }

    /// A secret for a hook, and what is kept of it: what events must bear as a hash, what they are signed with sealed.
    async fn fresh_secret(&self) -> Result<(String, String), TableError> {
        let random = random()?;
        match self.target.proof() {
            Proof::Authorization => {
                let value = format!("Bearer {random}");
                let kept = sha256(&value);
                Ok((value, kept))
            }
            Proof::Signature => {
                let secret = Secret::new(random);
                let sealed = self.vault.seal(&secret_context(self.lane), &secret).await;
                let sealed = sealed.map_err(|error| TableError::Unavailable(error.to_string()))?;
                Ok((secret.expose().to_owned(), sealed))
            }
        }
    }
}

/// What the secrets of a connection's hooks are sealed for.
pub fn secret_context(lane: &LaneId) -> Context {
    Context::new(&lane.organization_id, "hook-secret").with("connection_id", &lane.connection_id)
}

impl Engine<'_> {
    pub(crate) fn hook_url(&self, lane: &LaneId) -> String {
        hook_url(self.public_url, lane)
    }
}

/// Where a hook's events go: the connection's id is the key.
fn hook_url(public_url: &str, lane: &LaneId) -> String {
    format!("{public_url}/hooks/{}/{}", lane.provider.as_str(), lane.connection_id)
}

/// 32 random bytes in letters and digits, which every platform takes.
fn random() -> Result<String, TableError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| TableError::Unavailable(format!("no random bytes: {error}")))?;
    Ok(hex(&bytes))
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
