//! Which kind of vocabulary a folder has, and whose way of cutting a text goes with it.

use std::path::Path;

use super::{Said, proto::Model};
use crate::TextError;

const VOCAB_TXT: &str = "vocab.txt";
const VOCAB_JSON: &str = "vocab.json";
/// A vocabulary's names in the order they are looked for, for the person who has none of them.
pub(crate) const NAMES: &str = "vocab.txt, vocab.json with merges.txt, tokenizer.model, spiece.model";

/// What the files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    WordPiece,
    ByteLevel,
    SentencePiece(&'static str),
}

/// Whose way of cutting a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Bert,
    Gpt2,
    Roberta,
    Qwen2,
    Llama,
    Gemma,
    T5,
}

/// Of each family, transformers' classes (without `Fast`) and the models whose configuration alone says enough.
const FAMILIES: &[(Family, &[&str], &[&str])] = &[
    (
        Family::Bert,
        &["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer"],
        &["bert", "distilbert", "electra", "mobilebert"],
    ),
    (Family::Gpt2, &["GPT2Tokenizer"], &["gpt2", "gpt_neo", "gptj"]),
    (
        Family::Roberta,
        &["RobertaTokenizer", "BartTokenizer", "LongformerTokenizer"],
        &["roberta", "bart", "longformer"],
    ),
    (Family::Qwen2, &["Qwen2Tokenizer"], &["qwen2", "qwen3"]),
    (Family::Gemma, &["GemmaTokenizer"], &["gemma", "gemma2", "gemma3", "gemma3_text"]),
    (Family::Llama, &["LlamaTokenizer", "LLaMATokenizer"], &["llama", "mistral", "phi3"]),
    (Family::T5, &["T5Tokenizer"], &["t5"]),
];

impl Kind {
    pub(super) fn file(self) -> &'static str {
        match self {
            Kind::WordPiece => VOCAB_TXT,
            Kind::ByteLevel => VOCAB_JSON,
            Kind::SentencePiece(name) => name,
        }
    }

    /// `None` if there is no vocabulary.
    pub(super) fn of(folder: &Path, said: &Said) -> Result<Option<(Kind, Family)>, TextError> {
        use Family::{Bert, Gemma, Gpt2, Llama, Qwen2, Roberta, T5};
        let kinds = [
            (Kind::SentencePiece("tokenizer.model"), &[Llama, Gemma, T5][..]),
            (Kind::SentencePiece("spiece.model"), &[T5, Llama, Gemma]),
            (Kind::ByteLevel, &[Gpt2, Roberta, Qwen2]),
            (Kind::WordPiece, &[Bert]),
        ];
        let there = || kinds.iter().filter(|(kind, _)| folder.join(kind.file()).is_file());
        let Some((first, _)) = there().next() else { return Ok(None) };
        let class = said.config.get("tokenizer_class").and_then(|class| class.as_str());
        let family = class.and_then(Family::of_class).or_else(|| said.model_type.and_then(Family::of_type));
        let fitting =
            family.and_then(|family| Some((there().find(|(_, of)| of.contains(&family))?.0, family)));
        fitting.map(Some).ok_or_else(|| TextError::Unsupported {
            what: match class.or(said.model_type) {
                Some(name) => format!("{} of {name} without a tokenizer.json", first.file()),
                None => format!("{} without a word on whose it is (tokenizer_class)", first.file()),
            },
            supported: supported(),
        })
    }
}

impl Family {
    fn of_class(class: &str) -> Option<Family> {
        let class = class.strip_suffix("Fast").unwrap_or(class);
        FAMILIES.iter().find(|(_, classes, _)| classes.contains(&class)).map(|(family, _, _)| *family)
    }

    fn of_type(model_type: &str) -> Option<Family> {
        FAMILIES.iter().find(|(_, _, types)| types.contains(&model_type)).map(|(family, _, _)| *family)
    }

    /// Where nobody says whose it is.
    pub(super) fn of_model(model: &Model) -> Family {
        if model.is_unigram() { Family::T5 } else { Family::Llama }
    }
}

fn supported() -> String {
    let classes = FAMILIES.iter().flat_map(|(_, classes, _)| classes.iter());
    classes.copied().collect::<Vec<_>>().join(", ")
}
