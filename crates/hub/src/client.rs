//! The hub itself: whom to ask, as whom, and its two questions.

use std::{env, path::PathBuf};

use hf_hub::{
    Cache,
    api::sync::{Api, ApiBuilder},
};
use spec::ModelId;
use ureq::Agent;

use crate::{
    Found, HubError, Patience, RepoInfo,
    http::{self, Address, Subject, base_address, refusal, trouble},
    reply::RawModel,
};

/// The Hugging Face Hub, or a mirror of it.
///
/// `hf-hub` 0.5 and not 1.0: the latter brings an asynchronous runtime, a second HTTP stack and the Xet protocol,
/// none of which is needed here.
pub struct Hub {
    pub(crate) agent: Agent,
    pub(crate) patience: Patience,
    api: Api,
    endpoint: String,
    token: Option<String>,
}

/// A search for models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Parts of the name.
    pub text: String,
    /// Only those with these tags: `text-generation`, `safetensors`, `gguf`.
    pub tags: Vec<String>,
    /// At most so many.
    pub limit: u32,
}

impl Search {
    /// The most downloaded models that write text, in a form that can be read here, with `text` in their name. Whether
    /// their family can be trained is for whoever asks to judge.
    pub fn writers(text: impl Into<String>) -> Self {
        let tags = ["text-generation", "safetensors"].map(str::to_owned).to_vec();
        Self { text: text.into(), tags, limit: 20 }
    }
}

const OFFICIAL: &str = "https://huggingface.co";
const ANSWER_LIMIT: u64 = 32 << 20;
const EXPANDED: [&str; 7] = ["downloads", "likes", "gated", "tags", "safetensors", "gguf", "config"];

impl Hub {
    /// As the environment says: `HF_ENDPOINT`; the token from `HF_TOKEN`, the file of `HF_TOKEN_PATH`, or the one that
    /// `hf auth login` keeps.
    ///
    /// # Errors
    /// [`HubError::BadAddress`] for an `HF_ENDPOINT` that is none.
    pub fn from_env() -> Result<Self, HubError> {
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| OFFICIAL.to_owned());
        Self::new(&endpoint, token_from_env())
    }

    /// The same, with another endpoint and token where the environment names none.
    ///
    /// # Errors
    /// [`HubError::BadAddress`].
    pub fn from_env_or(
        endpoint: Option<String>,
        token: impl FnOnce() -> Option<String>,
    ) -> Result<Self, HubError> {
        let endpoint = set("HF_ENDPOINT").or(endpoint).unwrap_or_else(|| OFFICIAL.to_owned());
        Self::new(&endpoint, token_from_env().or_else(token))
    }

    /// The hub at `endpoint`, asked with `token`. Asks nothing yet.
    ///
    /// # Errors
    /// [`HubError::BadAddress`].
    pub fn new(endpoint: &str, token: Option<String>) -> Result<Self, HubError> {
        let endpoint = base_address(endpoint)?;
        let api = ApiBuilder::from_cache(cache())
            .with_endpoint(endpoint.clone())
            .with_token(token.clone())
            .with_progress(false)
            .build()
            .map_err(|error| HubError::BadReply { host: endpoint.clone(), reason: error.to_string() })?;
        let patience = Patience::default();
        Ok(Self { agent: http::agent(&patience), patience, api, endpoint, token })
    }

    /// The same with other waiting times.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { agent: http::agent(&patience), patience, ..self }
    }

    /// Models on the hub, most downloaded first.
    ///
    /// # Errors
    /// [`HubError`] of the network.
    pub fn search(&self, search: &Search) -> Result<Vec<Found>, HubError> {
        let url = format!("{}/api/models", self.endpoint);
        let address = Address { url: &url, token: self.token() };
        let mut request = self
            .agent
            .get(&url)
            .query("search", search.text.trim())
            .query("sort", "downloads")
            .query("direction", "-1")
            .query("limit", search.limit.to_string());
        request = search.tags.iter().fold(request, |request, tag| request.query("filter", tag));
        request = EXPANDED.iter().fold(request, |request, field| request.query("expand[]", field));
        if let Some(token) = address.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let models: Vec<RawModel> = answer(request, &address, &Subject::Thing("such list"))?;
        Ok(models.into_iter().map(Found::from).collect())
    }

    /// What a repository is and holds, at its newest commit.
    ///
    /// # Errors
    /// [`HubError`] of the network, or about the repository.
    pub fn info(&self, id: &ModelId) -> Result<RepoInfo, HubError> {
        let id = check_id(id)?;
        let page = self.page(id);
        let subject = Subject::Repo { id, page: &page };
        let url = format!("{}/api/models/{id}/revision/main", self.endpoint);
        let address = Address { url: &url, token: self.token() };
        let tls = self.agent.config().tls_config().clone();
        let request = self
            .api
            .model(id.to_owned())
            .info_request()
            .query("blobs", "true")
            .config()
            .http_status_as_error(false)
            .tls_config(tls)
            .timeout_global(Some(self.patience.silence))
            .build();
        let raw: RawModel = answer(request, &address, &subject)?;
        let host = http::host(&url).to_owned();
        raw.into_info().ok_or_else(|| HubError::BadReply { host, reason: "it names no commit".to_owned() })
    }

    /// Where a person reads about a model and accepts its licence.
    ///
    /// # Errors
    /// [`HubError::BadId`] for what is no model's name: it could lead a browser anywhere.
    pub fn page_of(&self, id: &ModelId) -> Result<String, HubError> {
        check_id(id).map(|id| self.page(id))
    }

    /// Where a person makes a token.
    pub fn token_page(&self) -> String {
        format!("{}/settings/tokens", self.endpoint)
    }

    pub(crate) fn page(&self, id: &str) -> String {
        format!("{}/{id}", self.endpoint)
    }

    /// The address of a file, at a commit.
    pub(crate) fn address_of(&self, id: &str, revision: &str, file: &str) -> String {
        let kind = hf_hub::RepoType::Model;
        self.api.repo(hf_hub::Repo::with_revision(id.to_owned(), kind, revision.to_owned())).url(file)
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

/// `owner/name`, as the hub writes names; anything else could lead an address or a folder astray.
pub(crate) fn check_id(id: &ModelId) -> Result<&str, HubError> {
    let part = |s: &str| {
        (1..=96).contains(&s.len())
            && !s.starts_with(['.', '-'])
            && s.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    match id.0.split_once('/') {
        Some((owner, name)) if part(owner) && part(name) => Ok(&id.0),
        _ => Err(HubError::BadId(id.0.clone())),
    }
}

fn answer<T: serde::de::DeserializeOwned>(
    request: ureq::RequestBuilder<ureq::typestate::WithoutBody>,
    address: &Address<'_>,
    subject: &Subject<'_>,
) -> Result<T, HubError> {
    let mut response = request.call().map_err(|error| trouble(address.url, &error))?;
    if !response.status().is_success() {
        return Err(refusal(response.status(), response.headers(), address, subject));
    }
    let text = http::text(&mut response, address.url, ANSWER_LIMIT)?;
    serde_json::from_str(&text).map_err(|error| HubError::BadReply {
        host: http::host(address.url).to_owned(),
        reason: error.to_string(),
    })
}

fn token_from_env() -> Option<String> {
    found_token().map(|(token, _)| token)
}

/// What names the token that goes before any other, if anything does: a variable, or the file of the hub's own tools.
pub fn token_source() -> Option<String> {
    found_token().map(|(_, source)| source)
}

fn found_token() -> Option<(String, String)> {
    let from_file = || {
        let path = set("HF_TOKEN_PATH")?;
        let text = std::fs::read_to_string(&path).ok()?;
        Some((text.trim().to_owned(), path)).filter(|(token, _)| !token.is_empty())
    };
    let of_tools = || Some((cache().token()?, cache().token_path().display().to_string()));
    set("HF_TOKEN").map(|token| (token, "HF_TOKEN".to_owned())).or_else(from_file).or_else(of_tools)
}

/// Where `hf` keeps its token. `Cache::default` would panic for an account without a home.
fn cache() -> Cache {
    match env::var_os("HF_HOME").or_else(|| env::home_dir().map(PathBuf::into_os_string)) {
        Some(_) => Cache::from_env(),
        None => Cache::new(env::temp_dir().join("hub")),
    }
}

pub(crate) fn set(name: &str) -> Option<String> {
    env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
