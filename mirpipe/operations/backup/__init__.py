"""Backing up the database and the clips to one folder, and restoring them."""

from mirpipe.operations.backup.create import Backup as Backup
from mirpipe.operations.backup.create import back_up as back_up
from mirpipe.operations.backup.restore import RestoreResult as RestoreResult
from mirpipe.operations.backup.restore import restore as restore
