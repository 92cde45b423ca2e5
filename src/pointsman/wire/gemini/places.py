"""Places in a text that grows, counted in characters and in bytes of its UTF-8. It knows nothing of citations."""

from bisect import bisect_right

_STEP_CHARS = 256


class Places:
    """The text is counted in short steps, each once, so that asking for many places costs little for each."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._counted = 0
        self._steps: list[str] = []
        self._char_starts = [0]
        self._byte_starts = [0]

    def add(self, piece: str) -> None:
        self._pieces.append(piece)

    def text(self) -> str:
        return "".join(self._pieces)

    def characters(self, place: int) -> int:
        """How many characters are whole before byte `place`."""
        self._count()
        step = bisect_right(self._byte_starts, place) - 1
        if step < 0:
            return 0
        if step == len(self._steps):
            return self._char_starts[-1]
        inside = self._steps[step].encode()[: place - self._byte_starts[step]]
        return self._char_starts[step] + len(inside.decode("utf-8", "ignore"))

    def bytes(self, place: int) -> int:
        """How many bytes stand before character `place`."""
        self._count()
        step = bisect_right(self._char_starts, place) - 1
        if step < 0:
            return 0
        if step == len(self._steps):
            return self._byte_starts[-1]
        return self._byte_starts[step] + len(self._steps[step][: place - self._char_starts[step]].encode())

    def _count(self) -> None:
        for piece in self._pieces[self._counted :]:
            for start in range(0, len(piece), _STEP_CHARS):
                step = piece[start : start + _STEP_CHARS]
                self._steps.append(step)
                self._char_starts.append(self._char_starts[-1] + len(step))
                self._byte_starts.append(self._byte_starts[-1] + len(step.encode()))
        self._counted = len(self._pieces)
