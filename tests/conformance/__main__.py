"""The whole judgement, in figures: python -m conformance [words that a case's name must hold]. Says 1 where something is
wrong that is not listed, or is listed and right."""

import sys

from conformance import recent, strange
from conformance.corpus import records
from conformance.judgement import JUDGES, Judgement, judge
from pointsman.app import DIALECTS


def main(words: list[str]) -> int:
    found = [*records(), *strange.records(), *recent.records()]
    is_well = True
    for name, module in JUDGES.items():
        cases = [case for case in module.cases(found, DIALECTS) if _is_meant(case, name, words)]
        judgement = judge(name, cases, DIALECTS)
        for case, wrong in judgement.faults.items():
            _print(f"{case}: {'; '.join(wrong)}")
        for key in sorted(judgement.unneeded):
            _print(f"{key}: listed, but right")
        _show(name, judgement)
        is_well = is_well and not judgement.faults and not judgement.unneeded
    return 0 if is_well else 1


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _is_meant(case: object, judge_name: str, words: list[str]) -> bool:
    name = f"{judge_name} {case.record.dialect} {case.name}"  # type: ignore[attr-defined]
    return all(word in name for word in words)


def _show(name: str, judgement: Judgement) -> None:
    _print(f"\n{name}")
    counts = judgement.count
    for (source, target), (right, total) in sorted(counts.items()):
        _print(f"  {source:20} -> {target:20} {right:5} of {total:5}  {100 * right / total:6.2f} %")
    right, total = (sum(count[place] for count in counts.values()) for place in (0, 1))
    _print(f"  {'':44} {right:5} of {total:5}  {100 * right / max(total, 1):6.2f} %\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
