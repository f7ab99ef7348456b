"""Captioner and generator can be registered by several processes at the same time."""

from concurrent.futures import ThreadPoolExecutor

from mirpipe.stages import caption, generate
from tests.support.databases import Database


def test_captioner_and_generator_are_registered_in_parallel_without_a_deadlock(
    fresh_database: Database,
) -> None:
    def register(stage: object, name: str) -> set[object]:
        return {stage.register(name) for _ in range(25)}  # type: ignore[attr-defined]

    with ThreadPoolExecutor(4) as pool:
        results = [
            pool.submit(register, stage, name)
            for stage, name in [(caption, "features"), (generate, "resynth")] * 2
        ]
        assert [len(result.result(timeout=60)) for result in results] == [1] * 4
