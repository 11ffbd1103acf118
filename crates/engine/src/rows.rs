//! A look at the rows of a data set, anywhere in it: as they stand, and as a model will see them.

use data::{Examiner, Seen, Teacher};
use spec::{ApiError, DatasetId, Example, ModelId, RowPage, Sha256, Split, Supervise};

use crate::{Engine, errors::AtTheEdge, known::lock, tasks::answered};

/// As many as a page shows; who wants more asks again.
const MOST: usize = 1000;

impl Engine {
    /// Examples of a part from `offset` on, `rows` of them, or as many as there are. Quick anywhere in a million: see
    /// [`data::LineIndex`].
    ///
    /// # Errors
    /// When the data set is not there, or its files were damaged.
    pub fn rows(
        &self,
        id: DatasetId,
        version: &Sha256,
        split: Split,
        offset: u64,
        rows: usize,
    ) -> Result<RowPage, ApiError> {
        let kept = data::open(&self.home().dataset(id, version)).at_the_edge()?;
        let total = kept.info().counts.of(split);
        let lines = self.inner.known.lines((id, version.clone(), split));
        let examples = kept.page(split, &mut lock(&lines), offset, rows.min(MOST)).at_the_edge()?;
        Ok(RowPage { offset, total, examples })
    }

    /// What `model` will see of the training examples from `offset` on, `n` of them: text, tokens, and which of them
    /// are taught.
    ///
    /// # Errors
    /// When the model is not here, cannot be opened, or cannot be shown such examples.
    #[allow(clippy::too_many_arguments)] // each is a choice of its own on the page
    pub fn see_from(
        &self,
        id: DatasetId,
        version: Option<&Sha256>,
        model: &ModelId,
        supervise: Supervise,
        context_length: u32,
        offset: u64,
        n: usize,
    ) -> Result<Vec<Seen>, ApiError> {
        let version = match version {
            Some(version) => version.clone(),
            None => self.dataset(id, None)?.version,
        };
        let model = self.inner.known.model(&self.model_here(model)?)?;
        if let Some((task, _)) = answered(&self.dataset(id, Some(&version))?) {
            let examiner = Examiner::new(&model.tokenizer, &task, context_length as usize);
            let examples = self.rows(id, &version, Split::Train, offset, n)?.examples;
            return examples.iter().map(|example| examiner.see(example).at_the_edge()).collect();
        }
        let teacher = Teacher {
            tokenizer: &model.tokenizer,
            template: model.template.as_ref(),
            supervise,
            context_length: context_length as usize,
        };
        let examples: Vec<Example> = self.rows(id, &version, Split::Train, offset, n)?.examples;
        examples.iter().map(|example| teacher.see(example).at_the_edge()).collect()
    }
}
