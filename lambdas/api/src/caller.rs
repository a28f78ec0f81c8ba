//! Who is calling, from the claims of the access token that the gateway has verified.

use std::collections::HashMap;

use vestibule_domain::id::UserId;

/// The group whose members answer customers.
const OPERATORS: &str = "operators";

/// A person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who they are (Cognito's `sub`).
    pub user: UserId,
    /// Whether they are in the group `operators`.
    pub is_operator: bool,
}

impl Caller {
    /// Reads a token's claims. `None` unless it is an access token that names somebody: the gateway has checked signature,
    /// issuer, audience, time and scope, and an ID token has no scope, but who is let in is not left to one setting.
    pub fn from_claims(claims: &HashMap<String, String>) -> Option<Self> {
        if claims.get("token_use").map(String::as_str) != Some("access") {
            return None;
        }
        let user = claims.get("sub")?.parse().ok()?;
        let is_operator =
            claims.get("cognito:groups").is_some_and(|groups| listed(groups).any(|name| name == OPERATORS));
        Some(Self { user, is_operator })
    }
}

/// The names in a list claim. The gateway hands every claim over as text, and a list as `[one two]`; a group's name has no
/// spaces. <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
fn listed(claim: &str) -> impl Iterator<Item = &str> {
    let inside = claim.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
    inside.split(' ').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claims(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn is_operator(groups: &str) -> bool {
        let claims = claims(&[("token_use", "access"), ("sub", "me"), ("cognito:groups", groups)]);
        Caller::from_claims(&claims).unwrap().is_operator
    }

    #[test]
    fn the_group_is_read_from_the_gateways_flattened_list() {
        assert!(is_operator("[operators]"));
        assert!(is_operator("[operators other]"));
        assert!(is_operator("[other operators]"));
        for groups in ["", "[]", "[other]", "operators", "[not-operators]", "[operators2]", "[Operators]", "[operators"]
        {
            assert!(!is_operator(groups), "{groups}");
        }
        let without = claims(&[("token_use", "access"), ("sub", "me")]);
        assert!(!Caller::from_claims(&without).unwrap().is_operator);
    }

    #[test]
    fn only_an_access_token_names_a_caller() {
        assert_eq!(Caller::from_claims(&claims(&[("sub", "me")])), None);
        assert_eq!(Caller::from_claims(&claims(&[("token_use", "id"), ("sub", "me")])), None);
        assert_eq!(Caller::from_claims(&claims(&[("token_use", "access")])), None);
        assert_eq!(Caller::from_claims(&claims(&[("token_use", "access"), ("sub", "ROOM#x")])), None);
        assert!(Caller::from_claims(&claims(&[("token_use", "access"), ("sub", "me")])).is_some());
    }

    proptest! {
        #[test]
        fn nobody_becomes_an_operator_by_another_groups_name(name in "[^ \\[\\]]{1,40}") {
            prop_assert_eq!(is_operator(&format!("[{name}]")), name == OPERATORS);
            prop_assert_eq!(is_operator(&format!("[a {name} b]")), name == OPERATORS);
        }
    }
}
