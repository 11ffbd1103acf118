//! What templates in the wild use, rendered as transformers renders it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use expect_test::{Expect, expect};
use spec::{Message, Role};
use text::{ChatTemplate, GenerationPrompt, SpecialTokens, TemplateError};

fn conversation() -> Vec<Message> {
    vec![
        Message::new(Role::System, " Be \"terse\". "),
        Message::new(Role::User, "<Hé>"),
        Message::new(Role::Assistant, "Yo."),
    ]
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_732_147_200)
}

fn template(source: &str) -> Result<ChatTemplate, TemplateError> {
    let special = SpecialTokens {
        bos: Some("<s>".to_owned()),
        eos: Some("</s>".to_owned()),
        ..SpecialTokens::default()
    };
    ChatTemplate::new(source, &special, now())
}

fn check(source: &str, expected: Expect) {
    let said = template(source).and_then(|template| template.render(&conversation(), GenerationPrompt::Add));
    expected.assert_eq(&said.unwrap_or_else(|error| format!("error: {error}")));
}

#[test]
fn tokens_flags_and_messages_are_there() {
    check(
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}|{{ m['content'] | trim }}]{% endfor %}{% if add_generation_prompt %}>{% endif %}{{ eos_token }}{{ pad_token }}",
        expect![[r#"<s>[system|Be "terse".][user|<Hé>][assistant|Yo.]></s>"#]],
    );
}

#[test]
fn blocks_take_their_line_with_them() {
    check(
        "{% for m in messages %}\n    {% if m.role == 'user' %}\n{{ m.content }}\n    {%- endif %}\n{% endfor %}\nend\n",
        expect!["<Hé>end"],
    );
}

#[test]
fn pythons_methods_and_spellings_work() {
    check(
        "{{ messages[0].content.strip().upper() }} {{ messages[1:] | length }} {{ true }} {{ none }} {{ 'a b'.split(' ')[1] }} {{ messages[0].items() | list | length }} {{ messages[-1]['content'].startswith('Yo') }}",
        expect![[r#"BE "TERSE". 2 True None b 2 True"#]],
    );
}

#[test]
fn json_is_written_as_python_writes_it() {
    check("{{ messages[1] | tojson }}", expect![[r#"{"role": "user", "content": "<Hé>"}"#]]);
    check(
        "{{ [1, [], {'a': none}] | tojson(indent=2) }}",
        expect![[r#"
            [
              1,
              [],
              {
                "a": null
              }
            ]"#]],
    );
}

#[test]
fn loops_can_be_left_and_namespaces_written() {
    check(
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% if loop.index0 == 0 %}{% continue %}{% endif %}{% set ns.n = ns.n + 1 %}{% if m.role == 'assistant' %}{% break %}{% endif %}{% endfor %}{{ ns.n }}",
        expect!["2"],
    );
}

#[test]
fn generation_blocks_change_nothing() {
    check(
        "{% for m in messages %}\n{%- if m.role == 'assistant' %}\n{%- generation %}\n{{ m.content }}\n{%- endgeneration %}\n{%- endif %}\n{%- endfor %}",
        expect!["Yo."],
    );
}

#[test]
fn the_date_is_the_one_given() {
    check("{{ strftime_now('%d %b %Y') }}", expect!["21 Nov 2024"]);
    check("{% if strftime_now is defined %}yes{% endif %}", expect!["yes"]);
}

#[test]
fn tools_that_are_not_given_are_none() {
    check("{% if tools is none and not documents %}none{% endif %}", expect!["none"]);
}

#[test]
fn a_refusal_is_in_the_templates_own_words() {
    check(
        "{{ raise_exception('Roles must alternate') }}",
        expect!["error: The model's chat template does not accept this conversation: Roles must alternate"],
    );
}

#[test]
fn a_broken_template_is_found_before_it_is_used() {
    let broken = template("ok\n{% for %}");
    assert!(matches!(broken, Err(TemplateError::Broken { line: 2, .. })), "{broken:?}");
}

#[test]
fn a_template_cannot_run_for_ever_or_fill_the_memory() {
    for source in [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000000000 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ] {
        let said = template(source).unwrap().render(&conversation(), GenerationPrompt::Omit);
        assert!(matches!(said, Err(TemplateError::Failed(_))), "{source}");
    }
}
