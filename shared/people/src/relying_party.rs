//! The checks of WebAuthn, by the library. What it keeps between two requests and of each passkey stands in the table as text.
use crate::passkeys::PasskeyRefusal;
use crate::{PeopleError, Person, PublicUrl};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Display;
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, Backup, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration, RegistrationServerState,
};

/// What a passkey says of its owner: a hash, so that it says nothing to anybody else.
const HANDLE: usize = 32;
type Key = StaticState<CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>>;

/// Ourselves, as browsers know us: by the public address, never by a request.
pub(crate) struct RelyingParty<'a> {
    url: &'a PublicUrl,
    id: RpId,
}

/// What the browser is asked, and what must be kept to judge its answer.
pub(crate) struct Asked {
    pub options: Value,
    pub kept: String,
}

/// A passkey as it is kept, but for whose it is.
pub(crate) struct Credential {
    pub id: String,
    pub transports: u8,
    pub public_key: String,
    /// Counter and backup flags: what may change with each use.
    pub state: String,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn failed(error: impl Display) -> PeopleError {
    PeopleError::Passkey(error.to_string())
}

fn decode(text: &str) -> Result<Vec<u8>, PeopleError> {
    URL_SAFE_NO_PAD.decode(text).map_err(failed)
}

fn never<T>(result: Result<T, std::convert::Infallible>) -> T {
    match result {
        Ok(value) => value,
    }
}

fn handle(person: &Person) -> UserHandle<HANDLE> {
    let text = format!("{}\n{}", person.organization_id, person.id);
    never(UserHandle::decode(Sha256::digest(text.as_bytes()).into()))
}

fn dynamic(text: &str) -> Result<DynamicState, PeopleError> {
    let bytes = decode(text)?.try_into().map_err(|_| failed("a passkey's state has another length"))?;
    DynamicState::decode(bytes).map_err(failed)
}

/// Whether a passkey can be on several devices of its owner.
pub(crate) fn synced(state: &str) -> Result<bool, PeopleError> {
    Ok(!matches!(dynamic(state)?.backup, Backup::NotEligible))
}

/// The id of the credential that an answer is by, as it is kept; `None` where the answer can't be read.
pub(crate) fn credential_id(answer: &str) -> Option<String> {
    let answer = DiscoverableAuthentication::<HANDLE>::from_json_relaxed(answer.as_bytes()).ok()?;
    Some(encode(answer.raw_id()))
}

impl<'a> RelyingParty<'a> {
    pub(crate) fn new(url: &'a PublicUrl) -> Option<Self> {
        let domain = AsciiDomain::try_from(url.domain()?.to_owned()).ok()?;
        Some(Self { url, id: RpId::Domain(domain) })
    }

    /// Asks for a new passkey of this person, other than those they have.
    pub(crate) fn ask_to_add(&self, person: &Person, name: &str, known: &[Credential]) -> Result<Asked, PeopleError> {
        let handle = handle(person);
        let mut others = Vec::new();
        for credential in known {
            let id = CredentialId::<Vec<u8>>::decode(decode(&credential.id)?).map_err(failed)?;
            let transports = AuthTransports::decode(credential.transports).map_err(failed)?;
            others.push(PublicKeyCredentialDescriptor { id, transports });
        }
        let user = PublicKeyCredentialUserEntity::from(&handle);
        let mut options = PublicKeyCredentialCreationOptions::passkey(&self.id, user, others);
        // We ask for the person's verification each time ourselves; many a platform's own store does not know this extension.
        options.extensions.cred_protect = CredProtect::None;
        let (server, client) = options.start_ceremony().map_err(failed)?;
        let mut options = serde_json::to_value(&client).map_err(failed)?;
        // What the browser shows. The library would only take names without a space.
        options["rp"]["name"] = "HardHat Pulse".into();
        for field in ["name", "displayName"] {
            options["user"][field] = name.into();
        }
        Ok(Asked { options, kept: encode(server.encode().map_err(failed)?) })
    }

    pub(crate) fn added(&self, kept: &str, answer: &str) -> Result<Result<Credential, PasskeyRefusal>, PeopleError> {
        let server = RegistrationServerState::<HANDLE>::decode(&decode(kept)?).map_err(failed)?;
        let Ok(answer) = Registration::from_json_relaxed(answer.as_bytes()) else {
            return Ok(Err(PasskeyRefusal::Unreadable));
        };
        let origins = [self.url.as_str()];
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &origins,
            // A browser may say more than it was asked.
            error_on_unsolicited_extensions: false,
            ..Default::default()
        };
        match server.verify(&self.id, &answer, &options) {
            Ok(made) => Ok(Ok(Credential {
                id: encode(made.id()),
                transports: never(made.transports().encode()),
                public_key: encode(never(made.static_state().encode())),
                state: encode(never(made.dynamic_state().encode())),
            })),
            Err(error) => {
                tracing::info!(error = %error, "a new passkey was refused");
                Ok(Err(PasskeyRefusal::NotProven))
            }
        }
    }

    /// Asks for any passkey of ours.
    pub(crate) fn ask_to_sign_in(&self) -> Result<Asked, PeopleError> {
        let asked = DiscoverableCredentialRequestOptions::passkey(&self.id).start_ceremony();
        let (server, client) = asked.map_err(failed)?;
        let options = serde_json::to_value(&client).map_err(failed)?;
        Ok(Asked { options, kept: encode(server.encode().map_err(failed)?) })
    }

    /// Whether the answer is by this passkey of this person; gives its state after this use.
    pub(crate) fn proven(
        &self,
        kept: &str,
        answer: &str,
        person: &Person,
        credential: &Credential,
    ) -> Result<Result<String, PasskeyRefusal>, PeopleError> {
        let server = DiscoverableAuthenticationServerState::decode(&decode(kept)?).map_err(failed)?;
        let Ok(answer) = DiscoverableAuthentication::<HANDLE>::from_json_relaxed(answer.as_bytes()) else {
            return Ok(Err(PasskeyRefusal::Unreadable));
        };
        let (id, public_key, handle) = (decode(&credential.id)?, decode(&credential.public_key)?, handle(person));
        let id = CredentialId::<&[u8]>::decode(id.as_slice()).map_err(failed)?;
        let key = Key::decode(&public_key).map_err(failed)?;
        let mut known = AuthenticatedCredential::new(id, &handle, key, dynamic(&credential.state)?).map_err(failed)?;
        let origins = [self.url.as_str()];
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            ..Default::default()
        };
        match server.verify(&self.id, &answer, &mut known, &options) {
            Ok(_) => Ok(Ok(encode(never(known.dynamic_state().encode())))),
            Err(error) => {
                tracing::info!(error = %error, person_id = %person.id, "a sign-in by passkey was refused");
                Ok(Err(PasskeyRefusal::NotProven))
            }
        }
    }
}
