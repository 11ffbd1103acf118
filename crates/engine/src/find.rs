//! Finding a run or a data set by what a person types.

use spec::{ApiError, Code};

/// The one of `candidates` (id and name, newest first) that `asked` means: `last`, the whole id, its beginning or its
/// end, or the name.
pub(crate) fn find<Id: Copy + PartialEq + std::fmt::Display>(
    what: &str,
    asked: &str,
    candidates: &[(Id, &str)],
) -> Result<Id, ApiError> {
    let list = format!("`tunesmith {what} list` shows what there is.", what = plural(what));
    let none = || ApiError::new(Code::NotFound, format!("There is no {what} `{asked}`")).hint(list.clone());
    if asked == "last" {
        return candidates.first().map(|(id, _)| *id).ok_or_else(none);
    }
    let lower = asked.to_ascii_lowercase();
    let by_id = |id: &Id| {
        let id = id.to_string();
        lower.len() >= 4 && (id.starts_with(&lower) || id.ends_with(&lower))
    };
    let mut found: Vec<Id> = candidates.iter().filter(|(id, _)| by_id(id)).map(|(id, _)| *id).collect();
    if found.is_empty() {
        found = candidates.iter().filter(|(_, name)| *name == asked).map(|(id, _)| *id).collect();
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(none()),
        several => {
            let several: Vec<_> = several.iter().map(Id::to_string).collect();
            let what = format!("`{asked}` could be any {what} of these: {}", several.join(", "));
            Err(ApiError::new(Code::NotFound, what).hint("Give more of the id."))
        }
    }
}

fn plural(what: &str) -> &'static str {
    if what == "run" { "runs" } else { "data" }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_run_is_found_by_a_part_of_its_id_its_name_or_as_the_last() {
        let runs = [("0192-aaaa-1111", "letters"), ("0192-aaaa-2222", "poems"), ("0191-bbbb-3333", "poems")];
        let told: Vec<_> = ["last", "2222", "0191-", "letters", "poems", "0192-", "11", "nothing"]
            .map(|asked| match find("run", asked, &runs) {
                Ok(id) => format!("{asked}: {id}"),
                Err(error) => format!("{asked}: {error}"),
            })
            .into();
        expect![[r#"
            last: 0192-aaaa-1111
            2222: 0192-aaaa-2222
            0191-: 0191-bbbb-3333
            letters: 0192-aaaa-1111
            poems: `poems` could be any run of these: 0192-aaaa-2222, 0191-bbbb-3333
            0192-: `0192-` could be any run of these: 0192-aaaa-1111, 0192-aaaa-2222
            11: There is no run `11`
            nothing: There is no run `nothing`"#]]
        .assert_eq(&told.join("\n"));
    }
}
