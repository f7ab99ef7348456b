"""Checks of an installation, each with a remedy if something is wrong: see `examine`."""

from mirpipe.operations.doctor.all_checks import examine as examine
from mirpipe.operations.doctor.finding import Finding as Finding
