"""What is written of backends while configurations come and go."""

from pathlib import Path

from pointsman.core.errors import UpstreamFault
from pointsman.fleet.breaker import BreakerPolicy, Circuit
from pointsman.fleet.lease import Lease
from pointsman.fleet.place import Backend
from pointsman.fleet.pool import Fleet
from pointsman.gateway.keeper import Keeper
from pointsman.ledger.state_file import read_state


def fleet_of(*names: str) -> Fleet:
    return Fleet([Backend(f"{name}@p", name, "p") for name in names], BreakerPolicy())


def leased(fleet: Fleet, model: str) -> Lease:
    lease = fleet.pick(model, 0.0)
    assert isinstance(lease, Lease)
    return lease


async def test_a_call_from_before_a_reload_is_still_heard_of(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    keeper = Keeper(path)
    old, new = fleet_of("a", "b"), fleet_of("a")
    keeper.follow(old)
    under_way = leased(old, "a")
    new.take_over(old)
    keeper.follow(new)
    old.settle(under_way, UpstreamFault.AUTH, 0.0)
    await keeper.close()

    assert read_state(path, offset_s=0.0)["a@p"].circuit is Circuit.OPEN


async def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    keeper = Keeper(path)
    keeper.follow(fleet_of("a"))
    await keeper.close()

    assert not path.exists()


async def test_the_last_change_is_in_the_file_when_it_closes(tmp_path: Path) -> None:
    """Also one that came while the file was written, and one after the end is nobody's any more."""
    path = tmp_path / "state.json"
    keeper = Keeper(path)
    fleet = fleet_of("a", "b")
    keeper.follow(fleet)
    for _ in range(50):
        fleet.drain("a@p")
        fleet.resume("a@p")
    fleet.drain("b@p")
    await keeper.close()
    fleet.drain("a@p")

    assert list(read_state(path, offset_s=0.0)) == ["b@p"]
