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

    def sum_up(self) -> int:
        """Print the tally; 0 if all passed, else 1. To have checked nothing is a failure too."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 0 if self.passed and not self.failed else 1
