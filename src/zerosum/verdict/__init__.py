"""A record's rows -> a diagnosis -> words: pure functions of a run's record. Nothing heavy is imported."""

from zerosum.verdict.verdict import Verdict, plateaued, verdict

__all__ = ["Verdict", "plateaued", "verdict"]
