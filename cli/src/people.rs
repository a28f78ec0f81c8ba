//! People in a stack's user pool: making, removing and signing them in.

use anyhow::Context;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType, MessageActionType};
use base64::Engine as _;
use rand::seq::IndexedRandom as _;
use serde::{Deserialize, Serialize};

use crate::aws;
use crate::stack::Stack;

/// The Cognito group of operators.
const OPERATORS: &str = "operators";

/// Someone made for a local run or a demo, whose password is therefore known.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    /// The user's name.
    pub name: String,
    /// The password, random for each run.
    pub password: String,
    /// Cognito's `sub`, by which messages and rooms name the person.
    pub id: String,
    /// Whether the person is in the operators' group.
    pub operator: bool,
}

/// What signing in gives. A credential: never logged, and so without `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Tokens {
    /// Opens the API for an hour.
    pub access: String,
    /// Gets the next access token.
    pub refresh: String,
    /// How long the access token works, in seconds.
    pub seconds: i64,
}

/// Who an access token says its bearer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Cognito's `sub`.
    pub id: String,
    /// The user's name.
    pub user: String,
    /// The groups that the user is in.
    pub groups: Vec<String>,
}

/// The claims of an access token that matter here.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    username: String,
    #[serde(rename = "cognito:groups", default)]
    groups: Vec<String>,
}

/// Where signing in led.
pub enum SignedIn {
    /// In.
    Tokens(Tokens),
    /// The password was a first one from an administrator: a new one is wanted, with this session.
    NewPasswordWanted(String),
}

/// Makes someone with a random password. Needs the rights of an administrator of the pool.
///
/// # Errors
/// When Cognito refuses, so also when the name is taken.
pub async fn create(stack: &Stack, name: &str, operator: bool) -> anyhow::Result<Person> {
    let client = Client::new(stack.sdk());
    let pool = stack.output("UserPoolId")?;
    let password = random_password();
    let made = client.admin_create_user().user_pool_id(pool).username(name);
    let made = made.message_action(MessageActionType::Suppress).send().await;
    let made = made.map_err(aws::failed(format!("cannot make the user {name}")))?;
    let set = client.admin_set_user_password().user_pool_id(pool).username(name).password(&password).permanent(true);
    set.send().await.map_err(aws::failed(format!("cannot set the password of {name}")))?;
    if operator {
        let joined = client.admin_add_user_to_group().user_pool_id(pool).username(name).group_name(OPERATORS);
        joined.send().await.map_err(aws::failed(format!("cannot make {name} an operator")))?;
    }
    let attributes = made.user().map(aws_sdk_cognitoidentityprovider::types::UserType::attributes).unwrap_or_default();
    let id = attributes.iter().find(|attribute| attribute.name() == "sub").and_then(|sub| sub.value());
    let id = id.with_context(|| format!("Cognito gave {name} no sub"))?.to_owned();
    Ok(Person { name: name.to_owned(), password, id, operator })
}

/// Removes someone.
///
/// # Errors
/// When Cognito refuses.
pub async fn remove(stack: &Stack, name: &str) -> anyhow::Result<()> {
    let removed = Client::new(stack.sdk()).admin_delete_user().user_pool_id(stack.output("UserPoolId")?).username(name);
    removed.send().await.map_err(aws::failed(format!("cannot remove the user {name}")))?;
    Ok(())
}

/// Signs someone in with their password.
///
/// # Errors
/// When Cognito refuses, or wants a step that is not supported, such as a code from a telephone.
pub async fn sign_in(stack: &Stack, user: &str, password: &str) -> anyhow::Result<SignedIn> {
    let asked = Client::new(stack.sdk())
        .initiate_auth()
        .client_id(stack.output("UserPoolClientId")?)
        .auth_flow(AuthFlowType::UserPasswordAuth)
        .auth_parameters("USERNAME", user)
        .auth_parameters("PASSWORD", password);
    let answer = asked.send().await.map_err(aws::failed(format!("cannot sign {user} in")))?;
    match (answer.challenge_name(), answer.session()) {
        (None, _) => tokens(answer.authentication_result()).map(SignedIn::Tokens),
        (Some(ChallengeNameType::NewPasswordRequired), Some(session)) => {
            Ok(SignedIn::NewPasswordWanted(session.to_owned()))
        }
        (Some(other), _) => anyhow::bail!("signing in as {user} needs {other}, which is not supported here"),
    }
}

/// Signs someone in whose first password was an administrator's, by setting a new one.
///
/// # Errors
/// When Cognito refuses.
pub async fn sign_in_anew(stack: &Stack, user: &str, session: &str, password: &str) -> anyhow::Result<Tokens> {
    let asked = Client::new(stack.sdk())
        .respond_to_auth_challenge()
        .client_id(stack.output("UserPoolClientId")?)
        .challenge_name(ChallengeNameType::NewPasswordRequired)
        .session(session)
        .challenge_responses("USERNAME", user)
        .challenge_responses("NEW_PASSWORD", password);
    let answer = asked.send().await.map_err(aws::failed(format!("cannot set a new password for {user}")))?;
    tokens(answer.authentication_result())
}

/// Signs in someone whose password is known for good.
///
/// # Errors
/// When Cognito refuses.
pub async fn sign_in_person(stack: &Stack, person: &Person) -> anyhow::Result<Tokens> {
    match sign_in(stack, &person.name, &person.password).await? {
        SignedIn::Tokens(tokens) => Ok(tokens),
        SignedIn::NewPasswordWanted(_) => anyhow::bail!("{}'s password is only a first one", person.name),
    }
}

/// Gets a new access token for the bearer of a refresh token, which stays good.
///
/// # Errors
/// When Cognito refuses: the refresh token has ended or was revoked.
pub async fn refresh(stack: &Stack, refresh_token: &str) -> anyhow::Result<Tokens> {
    let asked = Client::new(stack.sdk())
        .initiate_auth()
        .client_id(stack.output("UserPoolClientId")?)
        .auth_flow(AuthFlowType::RefreshTokenAuth)
        .auth_parameters("REFRESH_TOKEN", refresh_token);
    let answer = asked.send().await.map_err(aws::failed("cannot stay signed in"))?;
    let granted = answer.authentication_result().context("Cognito answered without tokens")?;
    let access = granted.access_token().context("Cognito answered without an access token")?.to_owned();
    // Cognito answers a new refresh token only where rotation is on.
    let refresh = granted.refresh_token().unwrap_or(refresh_token).to_owned();
    Ok(Tokens { access, refresh, seconds: i64::from(granted.expires_in()) })
}

/// Reads who an access token is for. It does not check the signature: it is for tokens that Cognito just gave us.
///
/// # Errors
/// When it is not a token of Cognito's.
pub fn identity(access_token: &str) -> anyhow::Result<Identity> {
    let claims = access_token.split('.').nth(1).context("an access token has three parts")?;
    let claims =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).context("an access token is base 64")?;
    let Claims { sub: id, username: user, groups } =
        serde_json::from_slice(&claims).context("an access token names its user")?;
    Ok(Identity { id, user, groups })
}

type Granted = aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;

fn tokens(granted: Option<&Granted>) -> anyhow::Result<Tokens> {
    let tokens = granted.and_then(|granted| {
        Some(Tokens {
            access: granted.access_token()?.to_owned(),
            refresh: granted.refresh_token()?.to_owned(),
            seconds: i64::from(granted.expires_in()),
        })
    });
    tokens.context("Cognito answered without tokens")
}

/// 20 characters, of which the first three satisfy the pool's policy. No two of them look alike.
fn random_password() -> String {
    const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
    const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
    const DIGIT: &[u8] = b"23456789";
    let mut random = rand::rng();
    let all = [LOWER, UPPER, DIGIT].concat();
    let kinds = [LOWER, UPPER, DIGIT].into_iter().chain(std::iter::repeat_n(all.as_slice(), 17));
    kinds.filter_map(|kind| kind.choose(&mut random)).map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_password_satisfies_the_pools_policy_and_is_never_the_same() {
        let (one, other) = (random_password(), random_password());
        assert_ne!(one, other);
        assert_eq!(one.len(), 20);
        assert!(one.chars().any(|c| c.is_ascii_lowercase()));
        assert!(one.chars().any(|c| c.is_ascii_uppercase()));
        assert!(one.chars().any(|c| c.is_ascii_digit()));
    }

    #[test]
    fn a_token_names_its_user_and_groups() {
        let claims = r#"{"sub":"1-2","username":"ada","cognito:groups":["operators"],"scope":"x"}"#;
        let token = format!("e30.{}.sig", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims));
        let ada = Identity { id: "1-2".into(), user: "ada".into(), groups: vec!["operators".into()] };
        assert_eq!(identity(&token).unwrap(), ada);
        assert!(identity("e30").is_err());
        assert!(identity("e30.!.x").is_err());
    }
}
