//! Conversations to text, by the base's own Jinja template, rendered as transformers renders it.

mod clock;
mod python;

use std::time::SystemTime;

use minijinja::{Environment, Error, ErrorKind, Value, context, syntax::SyntaxConfig};
use spec::Message;

use crate::{SpecialTokens, TemplateError, Tokenizer};

const NAME: &str = "chat template";

/// Steps after which a template is taken to run for ever. A long conversation takes some hundred thousand.
const MOST_STEPS: u64 = 20_000_000;

/// Whether the text ends where the model's next reply begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationPrompt {
    /// The opening of a reply is added, for the model to go on from.
    Add,
    /// The text ends with the last message.
    Omit,
}

/// A chat template, parsed.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    special: SpecialTokens,
}

impl ChatTemplate {
    /// The template that came with `tokenizer`; `None` if the base has none, as bases that were never taught to chat.
    /// `now` is the moment that `strftime_now` says: give the start of the run, and a resumed run sees the same
    /// texts.
    ///
    /// # Errors
    /// [`TemplateError::Broken`].
    pub fn of(tokenizer: &Tokenizer, now: SystemTime) -> Result<Option<ChatTemplate>, TemplateError> {
        let source = tokenizer.chat_template();
        source.map(|source| ChatTemplate::new(source, tokenizer.special(), now)).transpose()
    }

    /// A template from its source, with the special tokens it may name; `now` as for [`ChatTemplate::of`].
    ///
    /// # Errors
    /// [`TemplateError::Broken`].
    pub fn new(
        source: &str,
        special: &SpecialTokens,
        now: SystemTime,
    ) -> Result<ChatTemplate, TemplateError> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(broken)?);
        environment.set_fuel(Some(MOST_STEPS));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_formatter(python::print);
        environment.add_filter("tojson", python::to_json);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", move |format: &str| clock::strftime(now, format));
        environment.add_template_owned(NAME, without_generation_blocks(source)).map_err(broken)?;
        Ok(ChatTemplate { environment, special: special.clone() })
    }

    /// The text of a conversation.
    ///
    /// # Errors
    /// [`TemplateError::Refused`] with the template's own words; [`TemplateError::Failed`] with ours.
    pub fn render(&self, messages: &[Message], prompt: GenerationPrompt) -> Result<String, TemplateError> {
        let messages: Vec<Value> = messages
            .iter()
            .map(|message| context! { role => message.role.as_str(), content => message.content.as_str() })
            .collect();
        let special = Value::from_pairs(self.special.named());
        let given = context! {
            messages,
            tools => (),
            documents => (),
            add_generation_prompt => prompt == GenerationPrompt::Add,
        };
        let template = self.environment.get_template(NAME).map_err(failed)?;
        template.render(context! { ..given, ..special }).map_err(failed)
    }
}

/// `{% generation %}` marks what the model says and changes nothing in the text; a block that always runs takes its
/// place, since the whitespace around it must be trimmed alike.
fn without_generation_blocks(source: &str) -> String {
    let mut plain = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        plain.push_str(before);
        let Some(end) = tag.find("%}") else {
            rest = tag;
            break;
        };
        let (tag, after) = tag.split_at(end + 2);
        let inside = &tag[2..end];
        plain.push_str(&match inside.trim_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '+')) {
            "generation" => tag.replace("generation", "if true"),
            "endgeneration" => tag.replace("endgeneration", "endif"),
            _ => tag.to_owned(),
        });
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// What a template said of its own accord.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

fn raise_exception(message: String) -> Result<String, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, "the template refused").with_source(Raised(message)))
}

fn broken(error: Error) -> TemplateError {
    let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    TemplateError::Broken { line: error.line().unwrap_or(1), reason }
}

fn failed(error: Error) -> TemplateError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        if let Some(Raised(message)) = cause.downcast_ref() {
            return TemplateError::Refused(message.clone());
        }
        source = cause.source();
    }
    match error.kind() {
        ErrorKind::OutOfFuel => TemplateError::Failed("it does not come to an end".to_owned()),
        _ => TemplateError::Failed(error.to_string()),
    }
}
