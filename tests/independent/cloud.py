"""Reads a stack directly: its outputs, its table and its buckets. Nothing here writes."""

import argparse
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import boto3
from boto3.dynamodb.types import TypeDeserializer

Json = dict[str, Any]

FUNCTIONS = (
    "ApiFunction",
    "ArchiveFunction",
    "ConnectFunction",
    "IngestFunction",
    "InspectFunction",
    "ReclaimFunction",
    "RelayFunction",
    "SweepFunction",
)


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
        """Read the outputs of ``stack``."""
        self._session: Any = session(region, endpoint_url)
        self._endpoint_url = endpoint_url
        self._s3 = self.client("s3")
        self._dynamodb = self.client("dynamodb")
        described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        if not described["StackStatus"].endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE")):
            raise SystemExit(f"the stack {stack} is {described['StackStatus']}")
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        self.functions: dict[str, str] = {name: outputs[name] for name in FUNCTIONS}
        self.table: str = outputs["TableName"]
        self.inbox: str = outputs["InboxBucket"]
        self.processed: str = outputs["ProcessedBucket"]
        self.quarantine: str = outputs["QuarantineBucket"]
        self.archive: str = outputs["ArchiveBucket"]
        self.websocket: str = outputs["WebSocketApiId"]
        self.http_api: str = outputs["ApiId"]

    @property
    def is_local(self) -> bool:
        """Whether it is the local cloud."""
        return is_local(self._endpoint_url)

    def client(self, service: str, **credentials: str) -> Any:
        """A client of one service, for the same endpoint and, unless others are given, the same credentials."""
        return self._session.client(service, endpoint_url=self._endpoint_url, **credentials)

    def items(self) -> list[Json]:
        """Every item of the table, consistently read."""
        return [plain(item) for item in self.exact_items()]

    def exact_items(self) -> list[Json]:
        """The same with every digit of its numbers."""
        reader = TypeDeserializer()
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return [{name: reader.deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def keys(self, bucket: str, prefix: str) -> set[str]:
        """Every key of a bucket that begins with ``prefix``."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}

    def left(self, bucket: str, prefix: str) -> list[str]:
        """All that is still in a versioned bucket: versions, delete markers and unfinished multipart uploads."""
        place = {"Bucket": bucket, "Prefix": prefix}
        found = []
        for page in self._s3.get_paginator("list_object_versions").paginate(**place):
            found += [f"version {entry['VersionId']} of {entry['Key']}" for entry in page.get("Versions", [])]
            found += [f"delete marker {entry['VersionId']} of {entry['Key']}" for entry in page.get("DeleteMarkers", [])]
        for page in self._s3.get_paginator("list_multipart_uploads").paginate(**place):
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


def session(region: str, endpoint_url: str | None) -> boto3.Session:
    """The local cloud's root on loopback; elsewhere whoever the environment names."""
    key = "test" if is_local(endpoint_url) else None
    return boto3.Session(aws_access_key_id=key, aws_secret_access_key=key, region_name=region)


def is_local(endpoint_url: str | None) -> bool:
    """Whether an endpoint is on this machine."""
    return urlsplit(endpoint_url or "").hostname in ("127.0.0.1", "localhost", "::1")


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


def stack_arguments(description: str | None) -> argparse.ArgumentParser:
    """The arguments that name a stack, which every check takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", help="the local cloud; without it, AWS")
    parser.add_argument("--region", required=True)
    parser.add_argument("--stack", required=True, help="the stack's name")
    return parser
