"""The database and the generated audio in one folder, and back: see `back_up` and `restore`."""

from mirpipe.backup.make import Made as Made
from mirpipe.backup.make import back_up as back_up
from mirpipe.backup.restore import Restored as Restored
from mirpipe.backup.restore import restore as restore
