"""Whether all is well with an installation, and how to mend what is not: see `examine`."""

from mirpipe.doctor.checks import examine as examine
from mirpipe.doctor.findings import Finding as Finding
