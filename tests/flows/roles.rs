//! One role per function, as IAM has them: nothing with a wildcard, and the inspector may do nothing but log.

use std::sync::Arc;

use crate::demo_from_outside::independently;
use crate::support::cloud::Cloud;

pub(crate) async fn every_function_has_a_role_of_its_own_without_wildcards(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    independently(&cloud, "check_roles.py", &[]).await
}
