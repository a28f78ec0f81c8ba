#!/usr/bin/env python3
"""Check a deployed stack's roles as IAM has them: one for each function, and none may do more than it must.

    check_roles.py --endpoint-url http://127.0.0.1:PORT --region R --stack NAME

No action and no resource is a wildcard, every resource is the stack's own, inspect may do nothing but log, ingest may invoke
inspect alone, sweep may read and delete nothing, and reclaim keeps off the inbox. Nobody may put over what is archived: on the local cloud somebody who may put there tries. It
prints a line for each check that failed and a summary; exit 1 if any failed.
"""

import json
import sys
from typing import Any
from urllib.parse import unquote

from cloud import Cloud, Json, stack_arguments
from findings import Findings

LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}


class Roles:
    """The roles of a stack's functions."""

    def __init__(self, cloud: Cloud, stack: str) -> None:
        """Find the role of each function."""
        self.findings = Findings()
        self._iam = cloud.client("iam")
        self._stack = stack
        functions = cloud.client("lambda")
        described = {
            name: functions.get_function_configuration(FunctionName=function) for name, function in cloud.functions.items()
        }
        self._roles = {name: str(function["Role"]) for name, function in described.items()}
        self._websocket = cloud.websocket
        self._local = cloud.is_local
        self._cloud = cloud
        self._inspector = str(described["InspectFunction"]["FunctionArn"])

    def run(self) -> Findings:
        """Run every check."""
        roles = self._roles
        self.findings.equal(len(set(roles.values())), len(roles), "roles", "how many roles there are for as many functions")
        for function, role in roles.items():
            name = role.rpartition("/")[2]
            self._trust(function, name)
            statements = self._statements(name)
            self.findings.ok(bool(statements), function, "its role has no policy: nothing could be checked")
            for statement in statements:
                self._narrow(function, statement)
            if function == "InspectFunction":
                self._only_logs(function, statements)
            if function == "ArchiveFunction":
                self._only_puts(function, statements)
            if function == "IngestFunction":
                self._invokes_inspect_alone(function, statements)
            if function == "SweepFunction":
                self._only_sees(function, statements)
            if function == "ReclaimFunction":
                self._keeps_off_the_inbox(function, statements)
        self._nothing_twice()
        self._routes_may_invoke()
        return self.findings

    def _trust(self, function: str, role: str) -> None:
        """Only Lambda may take on the role."""
        trusted = self._iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        for statement in _list(_document(trusted)["Statement"]):
            self.findings.equal(
                statement["Principal"], {"Service": "lambda.amazonaws.com"}, function, "who may take on its role"
            )

    def _statements(self, role: str) -> list[Json]:
        """Every statement of the role's policies, its own and those attached."""
        documents: list[Any] = []
        for name in self._iam.list_role_policies(RoleName=role)["PolicyNames"]:
            documents.append(self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for policy in self._iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            version = self._iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            found = self._iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
            documents.append(found["PolicyVersion"]["Document"])
        return [statement for document in documents for statement in _list(_document(document)["Statement"])]

    def _narrow(self, function: str, statement: Json) -> None:
        """A statement allows named actions on resources of this stack."""
        where, ok = f"{function} {statement.get('Sid', '')}".rstrip(), self.findings
        ok.equal(statement["Effect"], "Allow", where, "the effect")
        ok.ok("Action" in statement and "Resource" in statement, where, "allows all but what it names")
        for action in _list(statement.get("Action", [])):
            ok.ok("*" not in action and "?" not in action, where, f"the action {action} is a wildcard")
        for resource in _list(statement.get("Resource", [])):
            # The part before the first wildcard must already belong to the stack: `bucket/*` does, `*` and `arn:aws:s3:::*` do not.
            # Connections of a WebSocket are named after its API's id.
            own = any(name in resource.partition("*")[0] for name in (self._stack, f":{self._websocket}/live/"))
            ok.ok(own, where, f"the resource {resource} is not the stack's own")

    def _only_logs(self, function: str, statements: list[Json]) -> None:
        actions = {action for statement in statements for action in _list(statement.get("Action", []))}
        self.findings.equal(actions - LOGGING, set(), function, "what it may do besides logging")

    def _only_puts(self, function: str, statements: list[Json]) -> None:
        """Of objects it may do nothing but put them; Lambda itself looks whether the failure bucket is there."""
        actions = {action for statement in statements for action in _list(statement.get("Action", []))}
        on_objects = {action for action in actions if action.startswith("s3:")}
        self.findings.equal(on_objects, {"s3:PutObject", "s3:ListBucket"}, function, "what it may do with objects")

    def _only_sees(self, function: str, statements: list[Json]) -> None:
        """Of the inbox it may list what stands there, and give up what never came whole; it may read and delete nothing."""
        actions = {action for statement in statements for action in _list(statement.get("Action", []))}
        on_objects = {action for action in actions if action.startswith("s3:")}
        seeing = {"s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload"}
        self.findings.equal(on_objects, seeing, function, "what it may do with objects")

    def _keeps_off_the_inbox(self, function: str, statements: list[Json]) -> None:
        """What is not decided stands in the inbox, so whoever deletes may not even list it."""
        resources = [resource for statement in statements for resource in _list(statement.get("Resource", []))]
        touched = [resource for resource in resources if self._cloud.inbox in resource]
        self.findings.equal(touched, [], function, "what of the inbox it may touch")

    def _routes_may_invoke(self) -> None:
        """API Gateway may invoke the api for every route that it has. The local cloud would not ask."""
        policy = json.loads(
            self._cloud.client("lambda").get_policy(FunctionName=self._cloud.functions["ApiFunction"])["Policy"]
        )
        allowed = [condition for statement in policy["Statement"] for condition in _sources(statement)]
        routes = self._cloud.client("apigatewayv2").get_routes(ApiId=self._cloud.http_api)["Items"]
        self.findings.ok(bool(routes), "api", "it has no routes")
        for route in routes:
            prefix = route["RouteKey"].partition(" ")[2].partition("{")[0]
            known = any(source.endswith(f"{self._cloud.http_api}/*/*{prefix}*") for source in allowed)
            self.findings.ok(known, "api", f"API Gateway may not invoke it for {route['RouteKey']}")

    def _nothing_twice(self) -> None:
        """The archive's bucket denies a write that would put over what is there, also to who may write."""
        raw = f"arn:aws:s3:::{self._cloud.archive}/raw/*"
        denied = {"Action": "s3:PutObject", "Resource": raw, "Condition": {"Null": {"s3:if-none-match": "true"}}}
        policy = json.loads(self._cloud.client("s3").get_bucket_policy(Bucket=self._cloud.archive)["Policy"])
        everybody = [statement for statement in policy["Statement"] if statement["Effect"] == "Deny"]
        found = [{name: statement.get(name) for name in denied} for statement in everybody]
        self.findings.ok(denied in found, "archive", "its bucket takes writes that are not conditional")
        if not self._local:
            return
        user, allowed = "check-roles", {"Effect": "Allow", "Action": "s3:PutObject", "Resource": raw}
        self._iam.create_user(UserName=user)
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._iam.put_user_policy(UserName=user, PolicyName="put", PolicyDocument=document)
        key = self._iam.create_access_key(UserName=user)["AccessKey"]
        s3 = self._cloud.client("s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
        place = {"Bucket": self._cloud.archive, "Key": "raw/check-roles"}
        try:
            s3.put_object(**place, Body=b"forged")
            self.findings.ok(False, "archive", "somebody put without a condition")
        except s3.exceptions.ClientError as error:
            self.findings.equal(error.response["Error"]["Code"], "AccessDenied", "archive", "a put without a condition")
        finally:
            self._iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
            self._iam.delete_user_policy(UserName=user, PolicyName="put")
            self._iam.delete_user(UserName=user)

    def _invokes_inspect_alone(self, function: str, statements: list[Json]) -> None:
        invoking = [statement for statement in statements if "lambda:InvokeFunction" in _list(statement.get("Action", []))]
        invoked = [resource for statement in invoking for resource in _list(statement["Resource"])]
        self.findings.equal(invoked, [self._inspector], function, "what it may invoke")


def _sources(statement: Json) -> list[str]:
    """The ARNs that a permission's condition names."""
    conditions = statement.get("Condition", {})
    return [
        str(source)
        for condition in conditions.values()
        for name, source in condition.items()
        if name.lower() == "aws:sourcearn"
    ]


def _list(value: Any) -> list[Any]:
    """IAM writes a list of one without brackets."""
    return value if isinstance(value, list) else [value]


def _document(value: Any) -> Any:
    """A policy document, which some answers hold as URL-encoded text."""
    return json.loads(unquote(value)) if isinstance(value, str) else value


def main() -> int:
    """Check and sum up."""
    given = stack_arguments(__doc__).parse_args()
    return Roles(Cloud(given.stack, given.region, given.endpoint_url), given.stack).run().sum_up()


if __name__ == "__main__":
    sys.exit(main())
