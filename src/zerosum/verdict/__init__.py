"""Record rows -> state -> words: pure functions of a run's record, with nothing heavy imported."""

from zerosum.verdict.verdict import Verdict, settled, verdict

__all__ = ["Verdict", "settled", "verdict"]
