"""Runs MiniStack until standard input ends, and then ends its whole process group.

The parent holds the other end of standard input. However the parent goes, also by SIGKILL, the pipe closes, and the server
goes together with every function that it started. The parent makes this process the leader of a group of its own.
"""

import os
import signal
import sys
import threading

from ministack import app as ministack


def secure_on_loopback(application):
    """Marks requests as having come over TLS, as a proxy that ends TLS does.

    The template denies plain HTTP to buckets and queues. Here plain HTTP never leaves the machine.
    """

    async def wrapped(scope, receive, send):
        if scope["type"] == "http":
            headers = [pair for pair in scope["headers"] if pair[0] != b"x-forwarded-proto"]
            scope = {**scope, "headers": [*headers, (b"x-forwarded-proto", b"https")]}
        await application(scope, receive, send)

    return wrapped


def end_group_with_parent():
    """Ends the process group when standard input ends. All state is in memory, so there is nothing to save first."""
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


def main():
    if os.getpgrp() != os.getpid():
        sys.exit("server.py must lead a process group of its own, or it would end its parent's")
    ministack.app = secure_on_loopback(ministack.app)
    threading.Thread(target=end_group_with_parent, daemon=True).start()
    ministack.main()


if __name__ == "__main__":
    main()
