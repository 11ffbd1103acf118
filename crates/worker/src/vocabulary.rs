//! Tokens that a model has no row for: a tokenizer may have a mark or two that only a larger model of its family reads.

use serde_json::Value;
use spec::RunEvent;

/// The rows of a model's embedding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows(u64);

impl Rows {
    /// By its `config.json`.
    pub(crate) fn of(config: &Value) -> Self {
        Self(config["vocab_size"].as_u64().unwrap_or(u64::MAX))
    }

    /// Whether all of `ids` have one.
    pub(crate) fn hold(self, ids: &[u32]) -> bool {
        ids.iter().all(|id| u64::from(*id) < self.0)
    }

    /// Leaves only lessons all of whose tokens have one; how many were left out.
    pub(crate) fn retain<T>(self, lessons: &mut Vec<T>, hold: impl Fn(Self, &T) -> bool) -> usize {
        let before = lessons.len();
        lessons.retain(|lesson| hold(self, lesson));
        before - lessons.len()
    }

    /// What is said of them.
    pub(crate) fn warned(self, n: usize) -> Option<RunEvent> {
        let examples = if n == 1 { "1 example was" } else { &*format!("{n} examples were") };
        (n > 0).then(|| RunEvent::Warned {
            message: format!(
                "{examples} left out: the tokenizer makes tokens of them that the model, which knows {}, has no row for",
                self.0
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_has_an_unknown_token_is_left_out_and_counted() {
        let rows = Rows::of(&json!({"vocab_size": 10}));
        let mut lessons = vec![vec![1, 9], vec![10], vec![]];
        let n = rows.retain(&mut lessons, |rows, ids| rows.hold(ids));
        assert_eq!((n, lessons.len()), (1, 2));
        let said = match rows.warned(n) {
            Some(RunEvent::Warned { message }) => message,
            other => panic!("{other:?}"),
        };
        assert!(said.starts_with("1 example was left out") && said.contains("knows 10"), "{said}");
        assert!(rows.warned(0).is_none());
    }
}
