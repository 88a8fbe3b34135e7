//! AWS clients. Credentials come from the environment, where Lambda puts them; one HTTP client (rustls on ring) serves all, so
//! that a second client costs next to nothing at start.
use crate::config::{self, ConfigError};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region, sdk_config::SharedHttpClient};
use std::time::Duration;

/// The roots of all AWS endpoints (<https://www.amazontrust.com/repository>). Built in: reading the system's whole store costs each
/// start more than everything else together.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

fn https() -> Result<SharedHttpClient, ConfigError> {
    let trust = tls::TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let context = tls::TlsContext::builder().with_trust_store(trust).build();
    let context = context.map_err(|error| ConfigError::Tls(error.to_string()))?;
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    Ok(Builder::new().tls_provider(provider).tls_context(context).build_https())
}

/// What all AWS clients share.
pub fn aws() -> Result<SdkConfig, ConfigError> {
    let http = https()?;
    let credentials = Credentials::new(
        config::text("AWS_ACCESS_KEY_ID")?,
        config::text("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(12))
        .build();
    let builder = SdkConfig::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::v2026_01_12())
        .region(Region::new(config::text("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http)
        .sleep_impl(aws_smithy_types_sleep())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts);
    let endpoint = std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty());
    Ok(match endpoint {
        Some(url) => builder.endpoint_url(url).build(),
        None => builder.build(),
    })
}

fn aws_smithy_types_sleep() -> aws_sdk_dynamodb::config::SharedAsyncSleep {
    aws_sdk_dynamodb::config::SharedAsyncSleep::new(TokioSleep)
}

/// Time-outs and retries of the SDK wait on tokio's timer.
#[derive(Debug)]
struct TokioSleep;

impl aws_sdk_dynamodb::config::AsyncSleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> aws_sdk_dynamodb::config::Sleep {
        aws_sdk_dynamodb::config::Sleep::new(tokio::time::sleep(duration))
    }
}

pub fn dynamodb(aws: &SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(aws)
}

pub fn sqs(aws: &SdkConfig) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(aws)
}

pub fn kms(aws: &SdkConfig) -> aws_sdk_kms::Client {
    aws_sdk_kms::Client::new(aws)
}

pub fn ssm(aws: &SdkConfig) -> aws_sdk_ssm::Client {
    aws_sdk_ssm::Client::new(aws)
}

pub fn eventbridge(aws: &SdkConfig) -> aws_sdk_eventbridge::Client {
    aws_sdk_eventbridge::Client::new(aws)
}

/// S3 by path when an endpoint is given (the emulator has no wildcard names).
pub fn s3(aws: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(aws).force_path_style(aws.endpoint_url().is_some());
    aws_sdk_s3::Client::from_conf(config.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_that_are_built_in_read_as_certificates() {
        assert_eq!(String::from_utf8_lossy(AMAZON_ROOTS).matches("BEGIN CERTIFICATE").count(), 5);
        // Building the client parses each of them.
        https().unwrap();
    }
}
