"""Reads a stack directly: its outputs, its table and its buckets. Nothing here writes."""

import os
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer

Json = dict[str, Any]


@dataclass(frozen=True)
class StoredObject:
    """An object of a bucket: its bytes and the headers that a browser would get."""

    body: bytes
    content_type: str
    disposition: str | None
    metadata: dict[str, str]
    tags: int


class Cloud:
    """One stack, on AWS or on the local cloud."""

    def __init__(self, stack: str, region: str, endpoint_url: str | None) -> None:
        """Read the outputs of ``stack``. Credentials come from the environment; a local endpoint has its own default."""
        key = "test" if endpoint_url and not _has_credentials() else None
        session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=key, region_name=region)
        self._s3: Any = session.client("s3", endpoint_url=endpoint_url)
        self._dynamodb: Any = session.client("dynamodb", endpoint_url=endpoint_url)
        cloudformation: Any = session.client("cloudformation", endpoint_url=endpoint_url)
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        self.table: str = outputs["TableName"]
        self.inbox: str = outputs["InboxBucket"]
        self.processed: str = outputs["ProcessedBucket"]
        self.quarantine: str = outputs["QuarantineBucket"]

    def items(self) -> list[Json]:
        """Every item of the table, consistently read."""
        reader = TypeDeserializer()
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return [
            {name: plain(reader.deserialize(value)) for name, value in item.items()} for page in pages for item in page["Items"]
        ]

    def keys(self, bucket: str) -> set[str]:
        """Every key of a bucket."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    def left(self, bucket: str) -> list[str]:
        """All that is still in a versioned bucket: versions, delete markers and unfinished multipart uploads."""
        found = []
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found += [f"version {entry['VersionId']} of {entry['Key']}" for entry in page.get("Versions", [])]
            found += [f"delete marker {entry['VersionId']} of {entry['Key']}" for entry in page.get("DeleteMarkers", [])]
        for page in self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            found += [f"unfinished upload of {entry['Key']}" for entry in page.get("Uploads", [])]
        return found

    def get(self, bucket: str, key: str) -> StoredObject | None:
        """An object whole, or ``None`` if it is not there."""
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            return None
        return StoredObject(
            body=answer["Body"].read(),
            content_type=answer.get("ContentType", ""),
            disposition=answer.get("ContentDisposition"),
            metadata=answer.get("Metadata", {}),
            tags=len(self._s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]),
        )


def _has_credentials() -> bool:
    return any(name in os.environ for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"))


def plain(value: Any) -> Any:
    """A DynamoDB value as JSON would have it: numbers as int or float, sets as sorted lists."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: plain(part) for name, part in value.items()}
        case list():
            return [plain(part) for part in value]
        case set():
            return sorted(plain(part) for part in value)
        case _:
            return value
