//! What people do with webhook endpoints: make, change, try, rotate, remove, retry, recover. For the API and the pages alike.
use crate::compose::Composer;
use crate::lane::{ANSWERED_GONE, switch_off, took_a_message};
use crate::post::{Letter, Post};
use crate::sealed;
use crate::settings::{Change, New};
use credentials::{Secret, Vault, VaultError};
use domain::ids::{EndpointId, OrganizationId, SiteId};
use domain::validate::FieldError;
use domain::webhook::message::Content;
use domain::webhook::{Attempt, Wants};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use store::again::wake;
use store::bell::{Bell, fresh_token};
use store::directory::{Directory, Site, rotate};
use store::endpoints::{Endpoint, EndpointState, Endpoints};
use store::messages::{Delivery, DeliveryState, Message, MessageLane, Todo};
use store::{Table, TableError, due, summaries};
use ulid::Ulid;

/// Endpoints of one organization: each is asked for every fact.
pub const MOST: usize = 100;

/// The webhook-id of a test that was asked for under this id.
pub fn test_id(endpoint: &EndpointId, id: Ulid) -> String {
    Content::Ping { id: id.to_string(), asked_at: Timestamp::UNIX_EPOCH }.id(endpoint)
}
const SITES_AT_ONCE: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("it changed since it was read")]
    Stale,
    #[error("it is not there any more")]
    Gone,
    #[error("it is disabled: set its state to `active` first, which tries it again")]
    Disabled,
    #[error("{} {}", .0.pointer, .0.detail)]
    Wrong(FieldError),
    #[error("it is not for the message's site any more")]
    NotOfSite(SiteId),
}

/// The keeping that all of this works on.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    pub table: &'a dyn Table,
    pub bell: &'a dyn Bell,
    pub vault: &'a dyn Vault,
    pub now: Timestamp,
}

impl Desk<'_> {
    /// Whether the organization may have another endpoint.
    pub async fn has_room(&self, organization_id: &OrganizationId) -> Result<bool, TableError> {
        Ok(Endpoints(self.table).list(organization_id).await?.len() < MOST)
    }

    /// Makes an endpoint and sends it a ping. Repeated with the same id, after a crash, it makes the same one anew, with a new
    /// secret: the first one was shown to nobody.
    pub async fn make(
        &self,
        organization_id: &OrganizationId,
        id: EndpointId,
        new: New,
    ) -> Result<(Endpoint, Secret), EndpointError> {
        let (secret, sealed_secret) = sealed::new_secret(self.vault, organization_id, &id, self.now).await?;
        let url = sealed::seal(self.vault, organization_id, &id, &new.url).await?;
        let token = match &new.token {
            Some(token) => Some(sealed::seal(self.vault, organization_id, &id, token).await?),
            None => None,
        };
        let mut endpoint = Endpoint {
            id,
            organization_id: organization_id.clone(),
            platform: new.platform,
            format: new.format,
            name: new.name,
            url,
            token,
            secrets: vec![sealed_secret],
            wants: new.wants,
            state: EndpointState::Untested,
            disabled: None,
            created_at: self.now,
            fresh_since: None,
            edition: 1,
            version: 0,
        };
        self.take_up_summaries(organization_id, &endpoint.wants).await?;
        if let Err(error) = Endpoints(self.table).put(&mut endpoint).await {
            let TableError::Condition(Some(standing)) = error else { return Err(error.into()) };
            endpoint.version = store::table::read::<Endpoint>("a webhook endpoint", standing)?.version;
            Endpoints(self.table).put(&mut endpoint).await?;
        }
        self.take_up_summaries(organization_id, &endpoint.wants).await?;
        self.ping(&endpoint, format!("{}-1", endpoint.id)).await?;
        Ok((endpoint, secret))
    }

    /// Sees to it that the days are cut off of which an endpoint is told, also where no platform takes them. Done before the endpoint
    /// is kept, so that no crash leaves a site out, and after, for a site that was being left alone at that moment.
    async fn take_up_summaries(&self, organization_id: &OrganizationId, wants: &Wants) -> Result<(), TableError> {
        if !wants.daily_summary {
            return Ok(());
        }
        let mut sites: Vec<Site> = Directory(self.table).sites(organization_id).await?;
        sites.retain(|site| wants.site(&site.id));
        let taken: Vec<BoxFuture<'_, _>> =
            sites.iter().map(|site| summaries::take_up(self.table, site, self.now).boxed()).collect();
        stream::iter(taken).buffer_unordered(SITES_AT_ONCE).try_collect().await
    }

    /// Asks the lane for a ping.
    async fn ping(&self, endpoint: &Endpoint, id: String) -> Result<(), TableError> {
        let content = Content::Ping { id, asked_at: self.now };
        let todo = Todo::new(content.id(&endpoint.id), content, self.now, fresh_token());
        let lane = endpoint.lane();
        MessageLane { table: self.table, id: &lane }.ask(&[todo]).await?;
        wake(self.table, self.bell, &lane, self.now).await
    }

    /// Changes what a person named, if nobody else did since it was read (`edition`). A new address is tried with a ping, as is
    /// one that is to be tried again. A token goes to the host that it was entered for, and to no other.
    pub async fn change(&self, endpoint: &Endpoint, edition: u64, change: &Change) -> Result<Endpoint, EndpointError> {
        let (organization, id) = (&endpoint.organization_id, &endpoint.id);
        let mut url = None;
        if let Some(entered) = &change.url {
            let standing = sealed::url(self.vault, endpoint).await?;
            let elsewhere = sealed::origin(entered) != sealed::origin(&standing);
            if elsewhere && endpoint.token.is_some() && change.token.is_none() {
                let detail = "was entered for another host: enter it again for this one, or take it away".into();
                return Err(EndpointError::Wrong(FieldError { pointer: "/token".into(), detail }));
            }
            if *entered != standing {
                url = Some(sealed::seal(self.vault, organization, id, entered).await?);
            }
        }
        let token = match &change.token {
            Some(Some(token)) => Some(Some(sealed::seal(self.vault, organization, id, token).await?)),
            Some(None) => Some(None),
            None => None,
        };
        let mut wants = endpoint.wants.clone();
        change.apply(&mut wants);
        let more = wants != endpoint.wants;
        if more {
            self.take_up_summaries(organization, &wants).await?;
        }
        let (mut stale, mut tried_again) = (false, false);
        let changed = Endpoints(self.table)
            .change(organization, id, |endpoint| {
                stale = endpoint.edition != edition;
                if stale {
                    return false;
                }
                change.apply(&mut endpoint.wants);
                endpoint.name = change.name.clone().unwrap_or_else(|| endpoint.name.clone());
                endpoint.format = change.format.unwrap_or(endpoint.format);
                if let Some(token) = &token {
                    endpoint.token.clone_from(token);
                }
                tried_again = change.activate && endpoint.is_disabled();
                if tried_again {
                    (endpoint.state, endpoint.disabled) = (EndpointState::Active, None);
                }
                if let Some(url) = &url {
                    endpoint.url.clone_from(url);
                    (endpoint.state, endpoint.disabled) = (EndpointState::Untested, None);
                }
                if tried_again || url.is_some() {
                    endpoint.fresh_since = Some(self.now);
                }
                endpoint.edition += 1;
                true
            })
            .await?;
        let endpoint = changed.ok_or(EndpointError::Gone)?;
        if stale {
            return Err(EndpointError::Stale);
        }
        if more {
            self.take_up_summaries(organization, &endpoint.wants).await?;
        }
        if url.is_some() || tried_again {
            self.ping(&endpoint, format!("{}-{}", endpoint.id, endpoint.edition)).await?;
        }
        Ok(endpoint)
    }

    /// A new signing secret; the one before is good for another day. The endpoint, the secret, and until when.
    pub async fn rotate_secret(
        &self,
        endpoint: &Endpoint,
    ) -> Result<(Endpoint, Secret, Option<Timestamp>), EndpointError> {
        let (organization, id) = (&endpoint.organization_id, &endpoint.id);
        let (secret, sealed) = sealed::new_secret(self.vault, organization, id, self.now).await?;
        let mut until = None;
        let changed = Endpoints(self.table)
            .change(organization, id, |endpoint| {
                until = rotate(&mut endpoint.secrets, sealed.clone(), self.now);
                endpoint.edition += 1;
                true
            })
            .await?;
        Ok((changed.ok_or(EndpointError::Gone)?, secret, until))
    }

    /// It is gone at once; its lane clears up behind it.
    pub async fn remove(&self, endpoint: &Endpoint) -> Result<(), TableError> {
        Endpoints(self.table).delete(endpoint).await?;
        wake(self.table, self.bell, &endpoint.lane(), self.now).await
    }

    /// Sends a ping at once and waits for what comes of it. It stands among the deliveries like any other message, but is not tried
    /// again. A 410 switches the endpoint off, as any message's does.
    pub async fn test(
        &self,
        endpoint: &Endpoint,
        post: &dyn Post,
        public_url: &str,
        id: Ulid,
    ) -> Result<Attempt, EndpointError> {
        let lane_id = endpoint.lane();
        let lane = MessageLane { table: self.table, id: &lane_id };
        let opened = sealed::open(self.vault, endpoint, self.now).await?;
        let content = Content::Ping { id: id.to_string(), asked_at: self.now };
        let todo = Todo::new(content.id(&endpoint.id), content.clone(), self.now, fresh_token());
        let number = lane.reserve(1).await?;
        let composer = Composer::new(self.table, public_url);
        let composed = composer.body(endpoint, &content, &todo.message_id, number).await?.ok_or(EndpointError::Gone)?;
        let message = Message::new(&todo, &content, number, endpoint.format, composed.body, self.now);
        let message = lane.keep(message).await?;
        let letter = Letter {
            url: &opened.url,
            id: &message.id,
            format: message.format,
            body: message.body.as_bytes(),
            keys: &opened.keys,
            token: opened.token.as_ref(),
            at: self.now,
        };
        let outcome = post.post(letter).await;
        let (gone, attempt) = (outcome.is_gone(), outcome.attempt);
        let delivered = attempt.delivered();
        let mut row = Delivery::of(&message);
        row.state = if delivered { DeliveryState::Delivered } else { DeliveryState::Failed };
        row.note(attempt.clone());
        lane.put_delivery(&row).await?;
        if delivered {
            let taken = |standing: &mut Endpoint| {
                let tested = standing.edition == endpoint.edition;
                if tested {
                    took_a_message(standing);
                    standing.fresh_since = Some(self.now);
                }
                tested
            };
            Endpoints(self.table).change(&endpoint.organization_id, &endpoint.id, taken).await?;
        }
        if gone {
            // Before: who dies in between has the lane tell the bus all the same.
            due::arm(self.table, &lane_id, self.now).await?;
            let off = |standing: &mut Endpoint| {
                let tested = standing.edition == endpoint.edition && !standing.is_disabled();
                if tested {
                    switch_off(standing, ANSWERED_GONE, self.now);
                }
                tested
            };
            Endpoints(self.table).change(&endpoint.organization_id, &endpoint.id, off).await?;
            wake(self.table, self.bell, &lane_id, self.now).await?;
        }
        Ok(attempt)
    }

    /// Asks for a message of before once more. Gives its row as it stands then; `None`: there is no such message.
    pub async fn retry(&self, endpoint: &Endpoint, message_id: &str) -> Result<Option<Delivery>, EndpointError> {
        let lane_id = endpoint.lane();
        let lane = MessageLane { table: self.table, id: &lane_id };
        let Some(message) = lane.message(message_id).await? else { return Ok(None) };
        if endpoint.is_disabled() {
            return Err(EndpointError::Disabled);
        }
        if let Some(site) = message.site_id.as_ref().filter(|site| !endpoint.wants.site(site)) {
            return Err(EndpointError::NotOfSite(site.clone()));
        }
        let order = message.order.clone();
        lane.ask(&[Todo::again(message.id.clone(), order, self.now, fresh_token())]).await?;
        wake(self.table, self.bell, &lane_id, self.now).await?;
        let row = lane.deliveries_of([message.sequence]).await?.remove(&message.sequence);
        let row = row.unwrap_or_else(|| Delivery::of(&message));
        Ok(Some(Delivery { state: DeliveryState::Pending, next_attempt_at: Some(self.now), ..row }))
    }

    /// Asks the lane to send again what failed since then, and to make what is missing.
    pub async fn recover(&self, endpoint: &Endpoint, since: Timestamp) -> Result<(), EndpointError> {
        if endpoint.is_disabled() {
            return Err(EndpointError::Disabled);
        }
        let lane = endpoint.lane();
        MessageLane { table: self.table, id: &lane }.ask_recovery(since, fresh_token()).await?;
        Ok(wake(self.table, self.bell, &lane, self.now).await?)
    }
}
