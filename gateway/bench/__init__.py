"""The bench: each stage of the product by itself, as ratios against named references measured in the same run."""

from gateway.bench.stages import STAGES, run

__all__ = ["STAGES", "run"]
