//! Conversations: OpenAI's `{role, content}`, ShareGPT's `{from, value}`, and parts of a content.

use serde_json::{Map, Value};
use spec::{Message, ProblemKind, Role};

/// A list of messages, or the JSON text of one, as tables hold it.
pub(crate) fn messages(value: Value) -> Result<Vec<Message>, ProblemKind> {
    match value {
        Value::Array(list) => list.into_iter().map(message).collect(),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Array(list)) => list.into_iter().map(message).collect(),
            _ => Err(ProblemKind::BadMessages),
        },
        // One message alone, as in a completion.
        Value::Object(one) => Ok(vec![message(Value::Object(one))?]),
        _ => Err(ProblemKind::BadMessages),
    }
}

/// That there is something to learn, and nothing that would teach silence.
pub(crate) fn check(messages: &[Message]) -> Result<(), ProblemKind> {
    let mut replies = messages.iter().filter(|m| m.role == Role::Assistant).peekable();
    if replies.peek().is_none() {
        return Err(ProblemKind::NoReply);
    }
    if replies.any(|m| m.content.trim().is_empty()) {
        return Err(ProblemKind::EmptyReply);
    }
    Ok(())
}

/// Whether `value` looks like a message, and in whose spelling.
pub(crate) fn is_message(value: &Value) -> Option<Spelling> {
    let Value::Object(map) = value else { return None };
    match () {
        () if map.contains_key("from") && map.contains_key("value") => Some(Spelling::ShareGpt),
        () if map.contains_key("role") => Some(Spelling::OpenAi),
        () => None,
    }
}

/// Whose words a message is spelled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    OpenAi,
    ShareGpt,
}

fn message(value: Value) -> Result<Message, ProblemKind> {
    let Value::Object(mut map) = value else { return Err(ProblemKind::BadMessages) };
    let role = either(&mut map, "role", "from").ok_or(ProblemKind::BadMessages)?;
    let Value::String(role) = role else { return Err(ProblemKind::BadMessages) };
    let Some(role) = self::role(&role) else { return Err(ProblemKind::UnknownRole { role }) };
    let content = either(&mut map, "content", "value").ok_or(ProblemKind::BadMessages)?;
    Ok(Message { role, content: self::content(content)? })
}

fn either(map: &mut Map<String, Value>, one: &str, other: &str) -> Option<Value> {
    map.remove(one).or_else(|| map.remove(other))
}

/// The names in use for the four parts.
fn role(name: &str) -> Option<Role> {
    Some(match name.trim().to_ascii_lowercase().as_str() {
        "system" | "developer" => Role::System,
        "user" | "human" | "prompter" => Role::User,
        "assistant" | "gpt" | "chatgpt" | "model" | "bot" | "function_call" => Role::Assistant,
        "tool" | "function" | "observation" | "function_response" => Role::Tool,
        _ => return None,
    })
}

/// A string, or a list of parts of which all are text.
fn content(value: Value) -> Result<String, ProblemKind> {
    let not_text = || ProblemKind::NotText { column: "content".to_owned() };
    let part = |part: Value| match part {
        Value::String(text) => Ok(text),
        Value::Object(mut map) => match (map.remove("type"), map.remove("text")) {
            (None | Some(Value::Null), Some(Value::String(text))) => Ok(text),
            (Some(Value::String(kind)), Some(Value::String(text))) if kind == "text" => Ok(text),
            _ => Err(not_text()),
        },
        _ => Err(not_text()),
    };
    match value {
        Value::Array(parts) => parts.into_iter().map(part).collect(),
        Value::String(text) => Ok(text),
        _ => Err(not_text()),
    }
}
