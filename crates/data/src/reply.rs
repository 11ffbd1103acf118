//! Where in a rendered conversation the replies are, in bytes and then in tokens.
//!
//! Templates do not say. So the conversation is rendered up to each reply, with the prompt for it, and again with the
//! reply: what the second has beyond the first is the reply. Where a template's prompt differs from what it writes
//! before a finished reply, the reply begins with its own words.

use std::ops::Range;

use spec::{Message, Role, Supervise};
use text::{ChatTemplate, GenerationPrompt, TemplateError};

use crate::TokeniseError;

pub(crate) fn render(
    template: &ChatTemplate,
    messages: &[Message],
    prompt: GenerationPrompt,
) -> Result<String, TokeniseError> {
    template.render(messages, prompt).map_err(|error| match error {
        TemplateError::Refused(why) | TemplateError::Failed(why) => TokeniseError::Refused(why),
        broken @ TemplateError::Broken { .. } => TokeniseError::Refused(broken.to_string()),
    })
}

/// The bytes of `text`, the whole conversation, that are taught.
pub(crate) fn spans(
    template: &ChatTemplate,
    messages: &[Message],
    text: &str,
    supervise: Supervise,
) -> Result<Vec<Range<usize>>, TokeniseError> {
    let replies: Vec<usize> = (0..messages.len()).filter(|i| messages[*i].role == Role::Assistant).collect();
    let taught = match supervise {
        Supervise::LastReply => &replies[replies.len().saturating_sub(1)..],
        Supervise::Replies | Supervise::Everything => &replies[..],
    };
    let mut spans: Vec<Range<usize>> = Vec::with_capacity(taught.len());
    for place in taught {
        let after = spans.last().map_or(0, |span| span.end);
        let reply = Reply { template, messages, text, place: *place };
        let number = replies.iter().take_while(|reply| *reply <= place).count();
        spans.push(reply.span(after)?.ok_or(TokeniseError::NoSpan { reply: number })?);
    }
    Ok(spans)
}

struct Reply<'a> {
    template: &'a ChatTemplate,
    messages: &'a [Message],
    text: &'a str,
    place: usize,
}

impl Reply<'_> {
    /// The bytes of this reply, no earlier than `after`; `None` if they cannot be told.
    fn span(&self, after: usize) -> Result<Option<Range<usize>>, TokeniseError> {
        let words = self.messages[self.place].content.trim();
        let end = if self.place + 1 == self.messages.len() {
            self.text.len()
        } else {
            let with = render(self.template, &self.messages[..=self.place], GenerationPrompt::Omit)?;
            shared(&with, self.text)
        };
        // Some templates refuse a conversation that ends, or begins, there; then only the words are left to go by.
        let before =
            render(self.template, &self.messages[..self.place], GenerationPrompt::Add).unwrap_or_default();
        let alike = shared(&before, self.text).max(after);
        let start = if !before.is_empty() && alike == before.len() {
            Some(alike)
        } else {
            // The prompt says more than stands before a finished reply, as an opened thought does: the reply is where
            // its words first stand after those of all messages before it.
            let words_after = |from| Some(from + self.text.get(from..end)?.find(words)?);
            let heard = self.messages[..self.place].iter().fold(0, |from, message| {
                let words = message.content.trim();
                self.text[from..].find(words).map_or(from, |at| from + at + words.len())
            });
            words_after(alike.max(heard)).or_else(|| words_after(after.max(heard)))
        };
        Ok(start.filter(|start| after <= *start && start + words.len() <= end).map(|start| start..end))
    }
}

/// The length of the longest common beginning, in whole characters.
fn shared(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    (0..=same).rev().find(|at| b.is_char_boundary(*at)).unwrap_or(0)
}

/// Whether each token, given the bytes it stands for, is in one of `spans`; a token across a border is.
///
/// Some tokenizers leave white space out of a token's bytes, so a token reaches from where the one before it ended.
pub(crate) fn mask(spans: &[Range<usize>], tokens: impl Iterator<Item = Range<usize>>) -> Vec<bool> {
    let (mut spans, mut before) = (spans.iter().peekable(), 0);
    tokens
        .map(|bytes| {
            let start = if bytes.is_empty() { before } else { bytes.start.min(before) };
            let end = bytes.end.max(before);
            before = end;
            while spans.next_if(|span| span.end <= start && span.end < end).is_some() {}
            spans.peek().is_some_and(|span| span.start < end && start < span.end)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;
    use text::SpecialTokens;

    /// What is taught of a conversation of two turns, under a template.
    fn taught(source: &str, supervise: Supervise) -> String {
        let template = ChatTemplate::new(source, &SpecialTokens::default(), UNIX_EPOCH).unwrap();
        let said =
            [(Role::User, "See a?"), (Role::Assistant, "a"), (Role::User, "And?"), (Role::Assistant, "e")];
        let messages = said.map(|(role, content)| Message::new(role, content));
        let text = render(&template, &messages, GenerationPrompt::Omit).unwrap();
        match spans(&template, &messages, &text, supervise) {
            Ok(spans) => spans.into_iter().map(|span| format!("[{}]", &text[span])).collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_reply_is_what_the_template_adds_for_it() {
        let plain = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
        assert_eq!(taught(plain, Supervise::Replies), "[a</s>\n][e</s>\n]");
        assert_eq!(taught(plain, Supervise::LastReply), "[e</s>\n]");
    }

    #[test]
    fn where_the_prompt_is_not_what_stands_before_a_reply_its_words_are_found() {
        let thinks = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<assistant><think>{% endif %}";
        assert_eq!(taught(thinks, Supervise::Replies), "[a</s>\n][e</s>\n]");
        let refuses = "{% if messages[-1].role == 'user' %}{{ raise_exception('no') }}{% endif %}{% for m in messages %}{{ m.content }}|{% endfor %}";
        assert_eq!(taught(refuses, Supervise::LastReply), "[e|]", "found by its words alone");
    }

    #[test]
    fn a_template_that_hides_a_reply_is_refused_by_name() {
        let forgets = "{{ messages[-1].content }}";
        assert!(taught(forgets, Supervise::Replies).contains("where reply 1 begins and ends"));
        assert_eq!(taught(forgets, Supervise::LastReply), "[e]");
    }

    #[test]
    fn tokens_across_a_border_are_taught_and_gaps_belong_to_the_next() {
        type Bytes<'a> = &'a [(usize, usize)];
        let cases: [(Bytes, Bytes, &str); 4] = [
            (&[(4, 8)], &[(0, 2), (2, 4), (4, 6), (6, 8), (8, 9)], "..xx."),
            (&[(3, 8)], &[(0, 2), (2, 4), (4, 6), (6, 9), (9, 10)], ".xxx."),
            // The space at 2 is in no token's bytes.
            (&[(2, 5), (7, 8)], &[(0, 2), (3, 5), (5, 7), (7, 8)], ".x.x"),
            // One character in three tokens, and a token that was added.
            (&[(3, 6)], &[(0, 0), (0, 3), (3, 6), (3, 6), (3, 6), (6, 7)], "..xxx."),
        ];
        for (spans, tokens, expected) in cases {
            let ranges = |bytes: Bytes| -> Vec<_> { bytes.iter().map(|(start, end)| *start..*end).collect() };
            let taught = mask(&ranges(spans), ranges(tokens).into_iter());
            let shown: String = taught.iter().map(|taught| if *taught { 'x' } else { '.' }).collect();
            assert_eq!(shown, expected, "{spans:?} {tokens:?}");
        }
    }
}
