"""The database and the generated audio in one folder, and back: see `back_up` and `restore`."""

from mirpipe.operations.backup.create import Made as Made
from mirpipe.operations.backup.create import back_up as back_up
from mirpipe.operations.backup.restore import Restored as Restored
from mirpipe.operations.backup.restore import restore as restore
