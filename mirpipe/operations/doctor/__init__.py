"""Whether all is well with an installation, and how to mend what is not: see `examine`."""

from mirpipe.operations.doctor.all_checks import examine as examine
from mirpipe.operations.doctor.finding import Finding as Finding
