//! A decoder with a head in the place of its output projection: it says a number for each label of the text that it has
//! just read, as transformers' `LlamaForSequenceClassification` and its kin do.

use burn::tensor::{Device, Int, Tensor, TensorData};
use serde_json::Value;
use weights::Checkpoint;

use crate::{
    Adapter, Base, BaseLinear, Decoder, DecoderConfig, HeadFrom, HeadSpec, Kept, Layout, ModelError,
    Parameter, Reads, Text, born::normal, chains::chained, read::real,
};

/// What transformers calls the head, and PEFT the module that learns whole.
const SCORE: &str = "score";

/// `score(hidden state of the text's last token)`, without a bias. The last token is the last that is not the padding
/// token, though a text be without padding: transformers looks for it so, and a text may end in that token itself.
#[derive(Clone, Debug)]
pub struct Scorer {
    decoder: Decoder,
    spec: HeadSpec,
    padding: Option<u32>,
    /// `[num_labels, hidden_size]`
    score: Parameter,
    parameters: Vec<Parameter>,
    born: Vec<String>,
}

impl Scorer {
    /// Reads decoder and head, the weights of the one kept as `how` says. A head that the file does not have, or has for another number of labels, is made new.
    ///
    /// # Errors
    /// A head that reads tokens, a tensor that is missing, or one of another shape than the configuration makes it.
    pub fn open(
        checkpoint: &Checkpoint,
        spec: HeadSpec,
        how: Kept,
        device: &Device,
    ) -> Result<Self, ModelError> {
        if spec.reads == Reads::Tokens {
            return Err(ModelError::Unsupported(
                "a decoder cannot give each word a label: it reads a word before what follows it. BERT, MiniLM, \
                 RoBERTa, DistilBERT and ModernBERT can"
                    .to_owned(),
            ));
        }
        let json = checkpoint.config_json()?;
        // The file of a classifier has no output projection, and that of a writer needs none here.
        let config = DecoderConfig { tie_word_embeddings: true, ..DecoderConfig::from_json(&json)? };
        let decoder = Decoder::read(config, checkpoint, how, device)?;
        let (name, shape) = (format!("{SCORE}.weight"), [spec.num_labels, decoder.config().hidden_size]);
        let stored =
            checkpoint.tensor(&name).filter(|view| view.shape == shape && spec.from == HeadFrom::File);
        let (numbers, born) = match stored {
            Some(view) => (view.to_f32()?, Vec::new()),
            None => {
                let spread = real(&json, "initializer_range")?.unwrap_or(0.02);
                (normal(shape[0] * shape[1], spread, spec.seed), vec![SCORE.to_owned()])
            }
        };
        let value = Tensor::from_data(TensorData::new(numbers, shape), device).into();
        let score = Parameter::new(name, &shape, value);
        let parameters = decoder.parameters().iter().chain([&score]).cloned().collect();
        Ok(Self { decoder, spec, padding: padding_of(&json), score, parameters, born })
    }

    /// The decoder.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The head.
    pub fn spec(&self) -> HeadSpec {
        self.spec
    }

    /// The longest text it can read, in tokens.
    pub fn longest(&self) -> usize {
        let config = self.decoder.config();
        config.most_tokens().unwrap_or(config.max_position_embeddings)
    }

    /// The place of the token that is asked; the first where all are padding, as in transformers.
    fn last(&self, ids: &[u32]) -> usize {
        ids.iter().rposition(|id| Some(*id) != self.padding).unwrap_or(0)
    }

    /// What the head says of each of `texts`, in their order.
    ///
    /// - `[texts, num_labels]`
    ///
    /// # Errors
    /// A token beyond the vocabulary, or a text longer than the positions that the model learned.
    pub fn says(&self, texts: &[Text<'_>], adapter: &dyn Adapter) -> Result<Tensor<2>, ModelError> {
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        let device = self.decoder.device();
        let (chains, width) = chained(&lengths, device);
        let (mut ids, mut segments, mut lasts) = (Vec::new(), Vec::new(), vec![0; texts.len()]);
        for (row, chain) in chains.iter().enumerate() {
            for text in chain {
                lasts[*text] = (ids.len() + self.last(texts[*text].ids)) as i32;
                ids.extend_from_slice(texts[*text].ids);
            }
            segments.push(chain.iter().map(|text| lengths[*text] as u32).collect::<Vec<_>>());
            ids.resize((row + 1) * width, 0);
        }
        let layout = Layout::packed(self.decoder.config(), &segments, width, device);
        let hidden = self.decoder.hidden(&ids, &layout, None, adapter)?;
        let lasts = Tensor::<1, Int>::from_data(TensorData::new(lasts, [texts.len()]), device);
        Ok(hidden.select(0, lasts).matmul(self.score.of(adapter).transpose()))
    }
}

/// The token that fills up texts of a decoder with a head, by its `config.json`: transformers asks for one, and where none
/// is named an export names the end token.
pub fn padding_of(config: &Value) -> Option<u32> {
    let token = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    let end = &config["eos_token_id"];
    token(&config["pad_token_id"]).or_else(|| token(end)).or_else(|| token(&end[0]))
}

impl Base for Scorer {
    fn device(&self) -> &Device {
        self.decoder.device()
    }

    fn linears(&self) -> Vec<BaseLinear<'_>> {
        Base::linears(&self.decoder)
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn task_type(&self) -> &'static str {
        "SEQ_CLS"
    }

    fn fan_in_fan_out(&self) -> bool {
        self.decoder.fan_in_fan_out()
    }

    fn modules_to_save(&self) -> Vec<String> {
        vec![SCORE.to_owned()]
    }

    fn born(&self) -> &[String] {
        &self.born
    }
}
