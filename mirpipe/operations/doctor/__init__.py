"""Installation checks. `examine` runs them, and suggests a remedy if something is wrong."""

from mirpipe.operations.doctor.all_checks import examine as examine
from mirpipe.operations.doctor.finding import Finding as Finding
