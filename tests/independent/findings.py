"""Counts what was checked and prints what failed."""

from dataclasses import dataclass


@dataclass
class Findings:
    """The tally of one run. ``ok`` and ``equal`` return whether the check passed, so that others can depend on it."""

    passed: int = 0
    failed: int = 0

    def ok(self, passed: bool, where: str, what: str) -> bool:
        """Count one check; print it if it failed."""
        if passed:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {where}: {what}")
        return passed

    def equal(self, got: object, want: object, where: str, what: str) -> bool:
        """Count one comparison; print both sides if they differ."""
        return self.ok(got == want, where, f"{what} is {got!r}, expected {want!r}")
