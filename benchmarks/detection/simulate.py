"""One simulated history: people and machines, chance, and traps."""

from benchmarks.detection.profiles import Profile
from benchmarks.detection.simulator import Simulator
from benchmarks.detection.traps import plan_traps
from benchmarks.detection.world import History


def simulate(profile: Profile, seed: int) -> History:
    """Everything random comes from the seed."""
    simulator = Simulator(profile, seed)
    plan_traps(simulator)
    return simulator.run()
