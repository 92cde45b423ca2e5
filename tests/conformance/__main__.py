"""The whole judgement, in figures: python -m conformance [answers|requests] [words that a case's name must hold]."""

import collections
import os
import sys
from pathlib import Path

from conformance import answers, requests, same
from conformance.corpus import records
from pointsman.app import DIALECTS


def main(words: list[str]) -> None:
    shared = Path(os.environ.get("POINTSMAN_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    found = records(shared)
    dialects = dict(DIALECTS)
    for judge in (answers, requests, same):
        if words[:1] and words[0] in {"answers", "requests", "same"} and not judge.__name__.endswith(words[0]):
            continue
        counts = collections.defaultdict(lambda: [0, 0])
        kinds: collections.Counter[str] = collections.Counter()
        for case in judge.cases(found, dialects):
            if not all(word in case.name + " " + case.record.dialect for word in words if word not in {"answers", "requests", "same"}):
                continue
            wrong = judge.faults(case, dialects)
            target = case.name.rpartition(" -> ")[2].partition(" ")[0]
            count = counts[case.record.dialect, target]
            count[0] += not wrong
            count[1] += 1
            for fault in wrong:
                kinds[f"{case.record.dialect} -> {target}: {':'.join(fault.split(':')[:2 if judge is requests else 1])}"] += 1
            if wrong:
                print(case.record.dialect, case.name, case.record.provider, *wrong, sep=" | ")
        for (source, caller), (right, total) in sorted(counts.items()):
            print(f"{source:20} {caller:20} {right:5}/{total:<5} {100*right/total:.1f} %")
        for kind, n in kinds.most_common(60): print(n, kind)


main(sys.argv[1:])
