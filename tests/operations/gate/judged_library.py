"""A library in which two references are good or bad matches, and a model that chooses one."""

from mirpipe.stages import evaluate
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

TARGETS = 6
GOOD, BAD = (1, 0, 0), (0, 1, 0)


class JudgedLibrary(SyntheticLibrary):
    """Six targets, and the references `good` and `bad`. A revision sends each target to one.

    The aligned melody of a target and `good` is 0.8 or slightly higher, and that of `bad` is 0.2.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database.app)
        evaluate.register()
        self.references = {"good": self.add("reference", "good", GOOD)}
        self.references["bad"] = self.add("reference", "bad", BAD)
        self.targets = [self.add("target", f"t{number}", GOOD) for number in range(TARGETS)]

    def add_reference(self, name: str, vector: tuple[float, float, float]) -> None:
        """Add a reference to the library."""
        self.references[name] = self.add("reference", name, vector)

    def new_model(self, revision: str, *, targets_at_bad: int) -> None:
        """Compute all vectors by a new revision, which sends the first targets to `bad`."""
        self.register(revision)
        for name, track_id in self.references.items():
            self.set_vector(track_id, BAD if name == "bad" else GOOD)
        for number, track_id in enumerate(self.targets):
            self.set_vector(track_id, BAD if number < targets_at_bad else GOOD)

    def challenge(self, *, old_at_bad: int, new_at_bad: int) -> None:
        """Compute and publish the matches and scores of the revisions `old` and `new`."""
        for revision, targets_at_bad in (("old", old_at_bad), ("new", new_at_bad)):
            self.new_model(revision, targets_at_bad=targets_at_bad)
            self.publish()

    def publish(self) -> int:
        """Find and score all matches, and return the id of the published run."""
        retrieve()
        # The scores differ between targets, so that their mean has an interval.
        self.execute("""
            INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, value)
            SELECT m.metric_id, p.target_id, p.reference_id,
                CASE r.title WHEN 'bad' THEN 0.2 WHEN 'good' THEN 0.8 ELSE 0.95 END
                    + 0.01 * (p.target_id % 3)
            FROM mirpipe.wanted_pair p JOIN mirpipe.track r ON r.track_id = p.reference_id
            JOIN mirpipe.metric m ON m.name = 'aligned_melody'
            ON CONFLICT DO NOTHING
        """)
        return report(trigger="test").run_id
