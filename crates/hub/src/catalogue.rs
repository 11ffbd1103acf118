//! Small models that are worth starting from, and that can be trained here.
//!
//! **Invariant:** all are of families that can be trained, with safetensors. Sizes are those of the files that are
//! fetched, rounded; the hub has the last word when a download starts.

use serde::Serialize;

use spec::Gate;

/// A recommended model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogueEntry {
    /// Its repository.
    pub id: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// Weights in all.
    pub n_parameters: u64,
    /// Bytes to download.
    pub download: u64,
    /// Its licence, as the hub abbreviates it.
    pub licence: &'static str,
    /// Whether a licence has to be accepted first.
    pub gate: Gate,
    /// What it is good for, in a sentence.
    pub good_for: &'static str,
}

const fn entry(
    id: &'static str,
    name: &'static str,
    millions: (u64, u64),
    licence: &'static str,
    gate: Gate,
    good_for: &'static str,
) -> CatalogueEntry {
    let (n_parameters, download) = (millions.0 * 1_000_000, millions.1 * 1_000_000);
    CatalogueEntry { id, name, n_parameters, download, licence, gate, good_for }
}

/// Smallest first within a family. Millions of weights, then megabytes to download.
pub const CATALOGUE: &[CatalogueEntry] = &[
    entry(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "SmolLM2 135M Instruct",
        (135, 272),
        "apache-2.0",
        Gate::Open,
        "The starter: trains on any laptop in minutes. Learns a form, a tone or a label; knows little by itself.",
    ),
    entry(
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        "SmolLM2 360M Instruct",
        (362, 727),
        "apache-2.0",
        Gate::Open,
        "Short answers, rewriting and sorting, still comfortable without a graphics card.",
    ),
    entry(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        "SmolLM2 1.7B Instruct",
        (1711, 3426),
        "apache-2.0",
        Gate::Open,
        "Chat and summaries in English, for a computer with 16 GB of memory.",
    ),
    entry(
        "HuggingFaceTB/SmolLM2-135M",
        "SmolLM2 135M base",
        (135, 272),
        "apache-2.0",
        Gate::Open,
        "Not yet taught to chat: for continuing text in a style of your own.",
    ),
    entry(
        "HuggingFaceTB/SmolLM2-360M",
        "SmolLM2 360M base",
        (362, 727),
        "apache-2.0",
        Gate::Open,
        "Not yet taught to chat: for continuing text, with more to build on.",
    ),
    entry(
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        "TinyLlama 1.1B Chat",
        (1100, 2202),
        "apache-2.0",
        Gate::Open,
        "General chat in English; widely supported by other tools.",
    ),
    entry(
        "meta-llama/Llama-3.2-1B-Instruct",
        "Llama 3.2 1B Instruct",
        (1236, 2490),
        "llama3.2",
        Gate::Asks,
        "The strongest of this size for chat and for several languages. Its licence has to be accepted first.",
    ),
    entry(
        "meta-llama/Llama-3.2-3B-Instruct",
        "Llama 3.2 3B Instruct",
        (3213, 6440),
        "llama3.2",
        Gate::Asks,
        "Longer and surer answers, for 24 GB of memory. Its licence has to be accepted first.",
    ),
    entry(
        "Qwen/Qwen3-0.6B",
        "Qwen 3 0.6B",
        (596, 1515),
        "apache-2.0",
        Gate::Open,
        "Small and strong, in over a hundred languages; can think aloud before it answers.",
    ),
    entry(
        "Qwen/Qwen3-1.7B",
        "Qwen 3 1.7B",
        (1721, 4075),
        "apache-2.0",
        Gate::Open,
        "The same with more to build on, for a computer with 16 GB of memory.",
    ),
    entry(
        "Qwen/Qwen2.5-0.5B-Instruct",
        "Qwen 2.5 0.5B Instruct",
        (494, 995),
        "apache-2.0",
        Gate::Open,
        "Chat, extraction and sorting in many languages, without thinking aloud.",
    ),
    entry(
        "Qwen/Qwen2.5-1.5B-Instruct",
        "Qwen 2.5 1.5B Instruct",
        (1544, 3094),
        "apache-2.0",
        Gate::Open,
        "Surer answers and longer texts, for a computer with 16 GB of memory.",
    ),
    entry(
        "google/gemma-3-270m-it",
        "Gemma 3 270M Instruct",
        (268, 570),
        "gemma",
        Gate::Asks,
        "Made to be tuned for one task. Its licence has to be accepted first.",
    ),
    entry(
        "google/gemma-3-1b-it",
        "Gemma 3 1B Instruct",
        (1000, 2033),
        "gemma",
        Gate::Asks,
        "Chat and summaries with a light touch. Its licence has to be accepted first.",
    ),
    entry(
        "microsoft/Phi-3-mini-4k-instruct",
        "Phi 3 mini 4k Instruct",
        (3821, 7644),
        "mit",
        Gate::Open,
        "Reasoning and English prose, for 24 GB of memory or more.",
    ),
    entry(
        "openai-community/gpt2",
        "GPT-2",
        (124, 549),
        "mit",
        Gate::Open,
        "A classic that continues English text: small, well studied, never taught to chat.",
    ),
];

/// The entry of a repository, in any case.
pub fn in_catalogue(id: &str) -> Option<&'static CatalogueEntry> {
    CATALOGUE.iter().find(|entry| entry.id.eq_ignore_ascii_case(id))
}
