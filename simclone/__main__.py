"""``python -m simclone`` is the ``simclone`` command."""

from simclone.cli import main

main()
