"""Report: publishes the current results as a run, in one transaction.

Each module computes one kind of result for a run. `publish_run` calls these modules.
"""

from mirpipe.stages.report.publish_run import ReportResult, report

__all__ = ["ReportResult", "report"]
