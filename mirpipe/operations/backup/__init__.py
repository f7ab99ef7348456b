"""Backup of the database and the clips in one folder, and its restore."""

from mirpipe.operations.backup.create import Backup as Backup
from mirpipe.operations.backup.create import back_up as back_up
from mirpipe.operations.backup.restore import RestoreResult as RestoreResult
from mirpipe.operations.backup.restore import restore as restore
