"""Learns the shipped weights anew from the folder of outcomes: `make train`.

The same folder, words and policy give the same bytes. Where the folder comes from: docs/routing-quality.md.
"""

import os
import sys
from pathlib import Path

from pointsman.learning.benchmarks import Benchmarks

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "src/pointsman/routing/learned.bin"


def outcomes_folder() -> Path:
    folder = Path(os.environ.get("POINTSMAN_SHARED", ROOT.parent / "shared")) / "routing"
    if not folder.is_dir():
        sys.exit(f"the outcomes are not at {folder} (set POINTSMAN_SHARED)")
    return folder


def main() -> None:
    benchmarks = Benchmarks(outcomes_folder())
    blend = benchmarks.out_of_family(benchmarks.production.scores)
    weights = benchmarks.weights(blend)
    same = WEIGHTS.is_file() and WEIGHTS.read_bytes() == weights
    WEIGHTS.write_bytes(weights)
    print(f"{WEIGHTS.name}: {len(weights):,} bytes, {'the same' if same else 'new'}")


if __name__ == "__main__":
    main()
