"""The whole judgement, in figures: python -m conformance [answers|requests|same] [words that a case's name must hold]."""

import collections
import os
import sys
from pathlib import Path

from conformance import answers
from conformance.corpus import records
from pointsman.app import DIALECTS


def main(words: list[str]) -> None:
    shared = Path(os.environ.get("POINTSMAN_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    found = records(shared)
    dialects = dict(DIALECTS)
    counts: dict[tuple[str, str, bool], list[int]] = collections.defaultdict(lambda: [0, 0])
    kinds: collections.Counter[str] = collections.Counter()
    verbose = bool(words)
    for case in answers.cases(found, dialects):
        if not all(word in case.name + " " + case.record.dialect for word in words):
            continue
        wrong = answers.faults(case, dialects)
        count = counts[case.record.dialect, case.caller, case.stream]
        count[0] += not wrong
        count[1] += 1
        for fault in wrong:
            kinds[f"{case.record.dialect} -> {case.caller}: {fault.partition(':')[0]}"] += 1
        if wrong:
            print(case.record.dialect, case.name, case.record.provider, *wrong, sep=" | ")
    for (source, caller, stream), (right, total) in sorted(counts.items()):
        print(f"{source:20} {caller:20} {'stream' if stream else 'whole':7} {right:5}/{total:<5} {100*right/total:.1f} %")
    for kind, n in kinds.most_common(): print(n, kind)


main(sys.argv[1:])
