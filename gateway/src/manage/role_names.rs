//! The names of roles that are made for a scope: by a template, and where that gives none, by something that always does.
//! A scope is never refused for what its roles would be called.

use super::refused::refusal;
use super::{Write, input};
use crate::problem::{Problem, Refusal};
use crate::store::manage::roles;
use uuid::Uuid;

/// LIMIT: characters of a template, and of a name that it gives.
const CHARACTERS_MAX: usize = 64;

/// What a template can name of a scope.
pub(super) struct Named<'s> {
    /// `{scope.type}`
    pub kind: &'s str,
    /// `{scope.id}`
    pub id: &'s str,
    /// `{scope.name}`: the attribute `name`, which a scope may lack.
    pub name: Option<&'s str>,
}

/// A piece of a template.
enum Piece<'t> {
    Text(&'t str),
    Variable(&'t str),
}

/// Refuses a template that gives no names, or the same to every scope.
pub(super) fn check(template: &str) -> Result<(), Refusal> {
    let wrong = |what: String| Err(Problem::INVALID_TEMPLATE.because(format!("role_name: {what}")));
    if !(1..=CHARACTERS_MAX).contains(&template.chars().count()) || template.chars().any(char::is_control) {
        return wrong("write 1 to 64 characters, without control characters".to_owned());
    }
    let pieces = match pieces(template) {
        Ok(pieces) => pieces,
        Err(what) => return wrong(what),
    };
    match pieces.iter().any(|piece| matches!(piece, Piece::Variable("scope.id" | "scope.name"))) {
        true => Ok(()),
        false => wrong(
            "every scope would give its role the same name: use `{scope.id}` or `{scope.name}`".to_owned(),
        ),
    }
}

/// The name that a template gives; none where the scope lacks what it names, and where that is too long.
fn render(template: &str, scope: &Named<'_>) -> Option<String> {
    let mut name = String::new();
    for piece in pieces(template).ok()? {
        name.push_str(match piece {
            Piece::Text(text) => text,
            Piece::Variable("scope.type") => scope.kind,
            Piece::Variable("scope.id") => scope.id,
            Piece::Variable(_) => scope.name?,
        });
    }
    Some(name)
}

/// The pieces of a template, or what is wrong with it.
fn pieces(template: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let (text, from) = rest.split_at(brace);
        pieces.push(Piece::Text(text));
        let variable = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((variable, after)) = variable else {
            return Err("a brace that is not part of a variable, such as `{scope.id}`".to_owned());
        };
        if !["scope.id", "scope.name", "scope.type"].contains(&variable) {
            return Err(format!(
                "`{{{variable}}}` is no variable: there are `{{scope.id}}`, `{{scope.name}}` and `{{scope.type}}`"
            ));
        }
        pieces.push(Piece::Variable(variable));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

impl Write<'_> {
    /// A free name for a role of a scope, with its folded form: by the preset's template, else of the preset's name and
    /// the scope's id; where that is none, too long, taken or reserved, of the scope's type and the beginning of its id,
    /// and at last of the role's own id.
    pub(super) async fn name_of_scope_role(
        &mut self,
        (preset, template): (&str, Option<&str>),
        scope: &Named<'_>,
        role: Uuid,
    ) -> Result<(String, String), Refusal> {
        let wanted = match template {
            Some(template) => render(template, scope),
            None => Some(format!("{preset} {}", scope.id)),
        };
        let wanted = wanted.filter(|name| name.chars().count() <= CHARACTERS_MAX);
        let short: String = scope.id.chars().take(8).collect();
        let plain = format!("{}-{short}-role", scope.kind);
        let role_text = role.simple().to_string();
        // Ids that were made at about the same time begin alike and end differently.
        let with_end = format!("{plain}-{}", &role_text[20..]);
        let id = format!("role:organization:{role}");
        for candidate in wanted.into_iter().chain([plain, with_end]) {
            let Ok((name, name_key)) = input::name(&candidate) else { continue };
            if self.app.builtins.reserves(&name_key) {
                continue;
            }
            let (connection, organization) = self.tables();
            if roles::named(connection, organization, &name_key, &id).await.map_err(refusal)?.is_none() {
                return Ok((name, name_key));
            }
        }
        let name = format!("role-{role}");
        Ok((name.clone(), name))
    }
}

#[cfg(test)]
mod tests {
    use super::{Named, check, render};

    #[test]
    fn a_template_is_refused_when_it_is_written() {
        for good in
            ["{scope.id}", "{scope.type} {scope.name} members", "ü{scope.id}{scope.id}", "  {scope.id}"]
        {
            check(good).unwrap();
        }
        let long = format!("{{scope.id}}{}", "x".repeat(55));
        check(&long[..64]).unwrap();
        for bad in [
            "",
            "members",
            "{scope.type}",
            "{scope.owner} {scope.id}",
            "{scope.id",
            "scope.id}",
            "{{scope.id}}",
            "{ scope.id }",
            "{}{scope.id}",
            "{scope.id}\n",
            &long,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_has_what_the_scope_has() {
        let scope = Named { kind: "site", id: "s{1}", name: Some("North") };
        assert_eq!(render("{scope.type} {scope.name} ({scope.id})", &scope).unwrap(), "site North (s{1})");
        let nameless = Named { name: None, ..scope };
        assert_eq!(render("{scope.name}", &nameless), None, "nothing stands for what is not there");
        assert_eq!(render("{scope.owner}", &nameless), None, "by SQL a template can be anything");
    }
}
