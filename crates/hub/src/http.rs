//! One agent for all requests, and what its troubles mean.

use std::{error::Error as _, io, time::Duration};

use ureq::{
    Agent,
    config::{AutoHeaderValue, RedirectAuthHeaders},
    http::{HeaderMap, Response, StatusCode},
    tls::{RootCerts, TlsConfig},
};

use crate::HubError;

/// How long to wait, and how often to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection, and for the next bytes.
    pub silence: Duration,
    /// Before each further attempt. An attempt that brings bytes starts the list anew.
    pub pauses: Vec<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        let pauses = [500, 2_000, 5_000, 10_000].map(Duration::from_millis).to_vec();
        Self { silence: Duration::from_secs(30), pauses }
    }
}

/// Where a request goes and who asks; the token is sent to the address's own host only, redirected or not.
pub(crate) struct Address<'a> {
    pub url: &'a str,
    pub token: Option<&'a str>,
}

/// What is asked for, for the sentence that says it is not there.
pub(crate) enum Subject<'a> {
    /// A repository of the hub, and its page.
    Repo { id: &'a str, page: &'a str },
    /// Anything else.
    Thing(&'a str),
}

pub(crate) const USER_AGENT: &str = concat!("tunesmith/", env!("CARGO_PKG_VERSION"));

/// An agent that trusts what the system trusts, so that a company's proxy works as it does in the browser.
pub(crate) fn agent(patience: &Patience) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .tls_config(tls)
        .user_agent(AutoHeaderValue::from(USER_AGENT))
        .http_status_as_error(false)
        .redirect_auth_headers(RedirectAuthHeaders::SameHost)
        .timeout_resolve(Some(patience.silence))
        .timeout_connect(Some(patience.silence))
        .timeout_recv_response(Some(patience.silence))
        .timeout_per_read(Some(patience.silence))
        .build()
        .into()
}

/// The whole of a small answer, at most `limit` bytes.
pub(crate) fn text(response: &mut Response<ureq::Body>, url: &str, limit: u64) -> Result<String, HubError> {
    response.body_mut().with_config().limit(limit).read_to_string().map_err(|error| trouble(url, &error))
}

/// What a status other than success means.
pub(crate) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    address: &Address<'_>,
    subject: &Subject<'_>,
) -> HubError {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = host(address.url).to_owned();
    let had_token = address.token.is_some();
    let name = match subject {
        Subject::Repo { id, .. } => format!("model {id}"),
        Subject::Thing(name) => (*name).to_owned(),
    };
    match (status.as_u16(), header("x-error-code"), subject) {
        (_, Some("GatedRepo"), Subject::Repo { id, page }) | (403, _, Subject::Repo { id, page }) => {
            HubError::Gated { id: (*id).to_owned(), page: (*page).to_owned(), had_token }
        }
        (401, _, _) if !had_token => HubError::NeedsToken(name),
        (401, Some("RepoNotFound"), _) | (404 | 410, _, _) => HubError::NotFound(name),
        (401, _, _) => HubError::TokenRejected,
        (403, _, _) => HubError::NeedsToken(name),
        (429, _, _) => {
            let retry_after = header("retry-after").and_then(|secs| secs.trim().parse().ok());
            HubError::RateLimited { host, retry_after }
        }
        (status @ 500.., _, _) => HubError::Server { host, status },
        (status, _, _) => HubError::BadReply { host, reason: format!("status {status}") },
    }
}

/// What a request that got no answer means.
pub(crate) fn trouble(url: &str, error: &ureq::Error) -> HubError {
    let host = host(url).to_owned();
    match error {
        ureq::Error::HostNotFound => HubError::Offline { host, reason: "its name is not known".to_owned() },
        ureq::Error::ConnectionFailed => HubError::Offline { host, reason: "no connection".to_owned() },
        ureq::Error::InvalidProxyUrl => {
            HubError::Offline { host, reason: "the proxy's address makes no sense".to_owned() }
        }
        ureq::Error::Timeout(_) => HubError::Stalled { host },
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => {
            HubError::Untrusted { host, reason: error.to_string() }
        }
        ureq::Error::BadUri(url) => HubError::BadAddress(url.clone()),
        ureq::Error::Io(source) => match source.kind() {
            // What befell a read of the body arrives wrapped, its time limit above all.
            _ if let Some(inner) = source.get_ref().and_then(|inner| inner.downcast_ref()) => {
                trouble(url, inner)
            }
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => HubError::Stalled { host },
            io::ErrorKind::InvalidData if source.source().is_some() || source.get_ref().is_some() => {
                HubError::Untrusted { host, reason: source.to_string() }
            }
            _ => HubError::Offline { host, reason: source.to_string() },
        },
        other => HubError::BadReply { host, reason: other.to_string() },
    }
}

/// The host of an address, with its port.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// An address without the slashes at its end, if it is one.
pub(crate) fn base_address(address: &str) -> Result<String, HubError> {
    let address = address.trim().trim_end_matches('/');
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    match is_web && !host(address).is_empty() && !address.contains(char::is_whitespace) {
        true => Ok(address.to_owned()),
        false => Err(HubError::BadAddress(address.to_owned())),
    }
}
