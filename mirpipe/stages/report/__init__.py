"""Report: publishes the present answers as a run, in one transaction that readers see whole.

A file a part of what a run holds, each called once by `publish`.
"""

from mirpipe.stages.report.publish_run import ReportResult, report

__all__ = ["ReportResult", "report"]
