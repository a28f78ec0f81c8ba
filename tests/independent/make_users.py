#!/usr/bin/env python3
"""Make IAM users, each with one policy, on a local cloud.

    make_users.py --endpoint-url http://127.0.0.1:PORT --region R --stack NAME

Reads `{name: policy}` from standard input and prints `{name: [access key id, secret]}`. The users' names begin with the stack's.
"""

import json
import sys

from cloud import session, stack_arguments


def main() -> int:
    """Make them."""
    arguments = stack_arguments(__doc__ or "").parse_args()
    iam = session(arguments.region, arguments.endpoint_url).client("iam", endpoint_url=arguments.endpoint_url)
    keys = {}
    for name, policy in json.load(sys.stdin).items():
        user = f"{arguments.stack}-{name}"
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="ops", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=user)["AccessKey"]
        keys[name] = [made["AccessKeyId"], made["SecretAccessKey"]]
    print(json.dumps(keys))
    return 0


if __name__ == "__main__":
    sys.exit(main())
