//! Whether a tokenizer, a configuration and an embedding belong together: said before anything is trained for hours.

use serde_json::Value;
use spec::{ApiError, Code};
use text::Tokenizer;
use weights::Checkpoint;

/// What the table of tokens is called, at the end of its name, in the families there are.
const EMBEDDINGS: [&str; 5] =
    ["embed_tokens.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight", "shared.weight"];
/// Of a tokenizer's tokens, such a share may have no row: some have a mark or two that only a larger model reads.
const BEYOND: f64 = 0.01;

/// That the embedding has as many rows as `config` says, and that all but a few tokens have one.
///
/// # Errors
/// [`Code::BadModel`], with both numbers.
pub(crate) fn check(checkpoint: &Checkpoint, config: &Value, tokenizer: &Tokenizer) -> Result<(), ApiError> {
    let Some(rows) = config["vocab_size"].as_u64() else { return Ok(()) };
    let is_embedding = |name: &&str| EMBEDDINGS.iter().any(|end| name.ends_with(end));
    if let Some((name, found)) = checkpoint.names().filter(is_embedding).find_map(|name| {
        let found = *checkpoint.tensor(name)?.shape.first()? as u64;
        (found != rows).then_some((name, found))
    }) {
        let what = format!(
            "config.json speaks of {rows} tokens, and the embedding in the weights has {found} (`{name}`)"
        );
        return Err(ApiError::new(Code::BadModel, what)
            .hint("Take both from the same model: download it again, or put its own config.json beside the weights."));
    }
    let beyond = tokenizer.n_from(u32::try_from(rows).unwrap_or(u32::MAX));
    let all = tokenizer.vocab_size();
    match beyond as f64 > BEYOND * all as f64 {
        true => Err(ApiError::new(
            Code::BadModel,
            format!(
                "The tokenizer does not belong to this model: {beyond} of its {all} tokens have no row in the \
                 embedding, which has {rows}"
            ),
        )
        .hint("Put the model's own tokenizer beside its weights, or download it again.")),
        false => Ok(()),
    }
}
