"""Run MiniStack until standard input ends, and then end all that it started.

The parent holds the other end of standard input. However the parent goes, also by SIGKILL, the pipe closes. Then this process
ends the server, every function and every child of a function, and waits for each, so that none is left, not even as a zombie.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import streams

SERVE = "serve"

# <linux/prctl.h>: orphaned descendants become this process's children.
PR_SET_CHILD_SUBREAPER = 36

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


def secure_on_loopback(application: Application) -> Application:
    """Mark requests as having come over TLS, as a proxy that ends TLS does.

    The template denies plain HTTP to buckets and queues. Here plain HTTP never leaves the machine.
    """

    async def wrapped(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [pair for pair in scope["headers"] if pair[0] != b"x-forwarded-proto"]
            scope = {**scope, "headers": [*headers, (b"x-forwarded-proto", b"https")]}
        await application(scope, receive, send)

    return wrapped


def know_conditional_writes() -> None:
    """Tell policies whether a write to S3 is conditional, as S3 does.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """
    from ministack.core import iam_actions

    known = iam_actions.s3_service_context

    def context(action: str, query: Any, path: str = "", headers: Any = None) -> Any:
        condition = (headers or {}).get("if-none-match") if action == "s3:PutObject" else None
        return {**known(action, query, path, headers), **({"s3:if-none-match": condition} if condition else {})}

    iam_actions.s3_service_context = context


def know_batches_of_messages() -> None:
    """Ask for the permission of one message where a batch of them is sent or deleted, as SQS does.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """
    from ministack.core import iam_actions

    known = iam_actions.extract_iam_action

    def action(service: str, *request: Any) -> Any:
        found = known(service, *request)
        return found.removesuffix("Batch") if found and service == "sqs" else found

    iam_actions.extract_iam_action = action


def serve() -> None:
    """Be the server."""
    from ministack import app as ministack  # takes half a second, and the supervisor does not need it

    sys.argv[1:] = []  # MiniStack reads the arguments too
    streams.install()
    know_conditional_writes()
    know_batches_of_messages()
    ministack.app = secure_on_loopback(ministack.app)
    ministack.main()


def end_with_parent(server: int) -> None:
    """End the server and its functions when standard input ends. All state is in memory, so there is nothing to save."""
    while os.read(0, 4096):
        pass
    os.killpg(server, signal.SIGKILL)


def children() -> list[int]:
    """The children of this process, orphans that came to it among them."""
    lists = Path("/proc/self/task").glob("*/children")
    return [int(pid) for path in lists for pid in path.read_text(encoding="ascii").split()]


def end_all() -> None:
    """End every child and every descendant that becomes one."""
    while True:
        for child in children():
            os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def supervise() -> int:
    """Run the server, in a process group of its own, until it ends or the parent does."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot adopt orphaned functions")
    arguments = [sys.executable, __file__, SERVE]
    server = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, process_group=0).pid
    threading.Thread(target=end_with_parent, args=(server,), daemon=True).start()
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == server:
            end_all()
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    if sys.argv[1:] == [SERVE]:
        serve()
    else:
        code = supervise()
        sys.exit(code if code >= 0 else 128 - code)
