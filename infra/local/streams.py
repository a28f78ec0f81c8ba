"""Read tables' streams for functions as Lambda does, where MiniStack does it differently.

MiniStack reads all streams and queues in one thread, takes a partial answer for a success, and knows neither retries, halving nor
failure destinations in S3. This puts a reader in its place, after AWS's documentation: one thread for each mapping, so that one
reader keeps neither another nor a queue waiting.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
"""

import json
import logging
import threading
import time
import uuid
from typing import Any

Json = dict[str, Any]

# Between two looks at a stream that has nothing new. AWS polls four times a second.
LOOK_SECONDS = 0.05
# Before a batch is tried again; doubles with every try.
FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0
# Streams are not sharded here, and Lambda names the shard in what it says of a failure.
SHARD = "shardId-00000000000000000000-00000000"

log = logging.getLogger("vestibule.streams")


def install() -> None:
    """Take the streams' mappings away from MiniStack's own poller. Call it before the server starts."""
    from ministack.services import lambda_svc

    readers: dict[str, threading.Thread] = {}

    def poll() -> bool:
        """Start a reader for each mapping that has none. MiniStack calls this in place of its own reading."""
        for account, region, mapping in lambda_svc._iter_all_esms():
            name = str(mapping["UUID"])
            if ":dynamodb:" in mapping.get("EventSourceArn", "") and name not in readers:
                readers[name] = threading.Thread(target=Reader(account, region, mapping).run, name=name, daemon=True)
                readers[name].start()
        return False

    lambda_svc._poll_dynamodb_streams = poll


class Reader:
    """The reader of one mapping."""

    def __init__(self, account: str, region: str, mapping: Json) -> None:
        """Read for `mapping`, whose settings may still change."""
        self._account = account
        self._region = region
        self._mapping = mapping

    def run(self) -> None:
        """Read until the mapping is gone. What goes wrong is logged, and reading goes on."""
        from ministack.core import responses
        from ministack.services import lambda_svc

        responses._request_account_id.set(self._account)
        responses._request_region.set(self._region)
        while any(mapping is self._mapping for *_, mapping in lambda_svc._iter_all_esms()):
            try:
                read = self._mapping.get("Enabled", True) and self._read()
            except Exception:
                log.exception("the reader of %s failed", self._mapping.get("EventSourceArn"))
                read = False
            if not read:
                time.sleep(LOOK_SECONDS)

    def _read(self) -> bool:
        """Deliver what is new, if anything is."""
        from ministack.services import dynamodb, lambda_svc

        mapping = self._mapping
        name = str(mapping["UUID"])
        table = mapping["EventSourceArn"].split("/stream/")[0].split("/")[-1]
        function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
        if function is None or table not in dynamodb._tables:
            return False
        positions = lambda_svc._dynamodb_stream_positions
        horizon = dynamodb.stream_start_position(table)
        if name not in positions:
            latest = mapping.get("StartingPosition") == "LATEST"
            positions[name] = dynamodb.stream_end_position(table) if latest else horizon
        position = max(positions[name], horizon)
        records = dynamodb.stream_records_since(table, position, self._number("BatchSize", 100))
        if not records:
            return False
        wanted = lambda_svc._apply_filter_criteria(records, mapping)
        if wanted:
            self._deliver(function, wanted)
        positions[name] = position + len(records)
        return True

    def _deliver(self, function: Json, batch: list[Json]) -> None:
        """Call the function until the batch is done with, one way or another."""
        from ministack.services import lambda_svc

        tries = 0
        while batch:
            result = lambda_svc._execute_function(function, {"Records": batch})
            failed = self._first_failed(result, batch)
            if failed is None:
                self._mapping["LastProcessingResult"] = f"OK - {len(batch)} records"
                return
            self._mapping["LastProcessingResult"] = "FAILED"
            if failed > 0:
                # What comes before the first failure is done with, and what is left is a new batch.
                batch, tries = batch[failed:], 0
                continue
            if self._is("BisectBatchOnFunctionError") and len(batch) > 1:
                # Halving does not count as a try.
                half = len(batch) // 2
                self._deliver(function, batch[:half])
                batch, tries = batch[half:], 0
                continue
            over = self._why_over(batch, tries)
            if over:
                self._give_up(function, batch, result, over, tries + 1)
                return
            time.sleep(min(FIRST_WAIT_SECONDS * 2**tries, LONGEST_WAIT_SECONDS))
            tries += 1

    def _first_failed(self, result: Json, batch: list[Json]) -> int | None:
        """Find the place of the first record that failed: 0 for the whole batch, None when none did."""
        if result.get("error"):
            return 0
        if "ReportBatchItemFailures" not in self._mapping.get("FunctionResponseTypes", []):
            return None
        body = result.get("body")
        try:
            answer = json.loads(body) if isinstance(body, (str, bytes)) else body
        except ValueError:
            return None
        failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
        if not failures:
            return None
        # What is no sequence number of the batch, or not of this form at all, is taken for a failure of all of it. An exception
        # instead would have the batch delivered for ever, whatever the mapping says of tries.
        if not isinstance(failures, list):
            return 0
        places = {record["dynamodb"]["SequenceNumber"]: place for place, record in enumerate(batch)}
        named = [failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures]
        return min(places.get(name, 0) if isinstance(name, str) else 0 for name in named)

    def _why_over(self, batch: list[Json], tries: int) -> str | None:
        """Say why a batch that failed is not tried again; None when it is."""
        most = self._number("MaximumRetryAttempts", -1)
        if 0 <= most <= tries:
            return "RetryAttemptsExhausted"
        oldest = min(float(record["dynamodb"]["ApproximateCreationDateTime"]) for record in batch)
        age = self._number("MaximumRecordAgeInSeconds", -1)
        return "MaxRecordAgeExceeded" if 0 <= age < time.time() - oldest else None

    def _give_up(self, function: Json, batch: list[Json], result: Json, why: str, calls: int) -> None:
        """Write what is given up into the failure bucket, as Lambda does: with where it was, and with its payload."""
        from ministack.services import s3

        log.warning("giving up %d records of %s: %s", len(batch), self._mapping["EventSourceArn"], why)
        destination = ((self._mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination", "")
        bucket = destination.removeprefix("arn:aws:s3:::")
        if not bucket or bucket == destination:
            return
        first, last = batch[0]["dynamodb"], batch[-1]["dynamodb"]
        now = time.time()
        record = {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": (function.get("config") or function).get("FunctionArn", ""),
                "condition": why,
                "approximateInvokeCount": calls,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": result.get("function_error") or "Unhandled",
            },
            "version": "1.0",
            "timestamp": _moment(now),
            "DDBStreamBatchInfo": {
                "shardId": SHARD,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _moment(first["ApproximateCreationDateTime"]),
                "approximateArrivalOfLastRecord": _moment(last["ApproximateCreationDateTime"]),
                "batchSize": len(batch),
                "streamArn": self._mapping["EventSourceArn"],
            },
            "payload": json.dumps({"Records": batch}),
        }
        when = time.strftime("%Y-%m-%dT%H.%M.%S", time.gmtime(now))
        key = f"aws/lambda/{self._mapping['UUID']}/{SHARD}/{when}-{uuid.uuid4()}"
        s3._put_object(bucket, key, json.dumps(record).encode(), {"content-type": "application/json"})

    def _number(self, name: str, otherwise: int) -> int:
        """Read a setting, which is text when it came from a parameter of a template."""
        value = self._mapping.get(name)
        return otherwise if value in (None, "") else int(value)

    def _is(self, name: str) -> bool:
        return str(self._mapping.get(name, "")).lower() == "true"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(seconds)))
