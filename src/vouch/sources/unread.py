"""Pictures in formats that nothing here reads, where a source has its photographs: each is named, none passed over."""

from collections.abc import Iterable
from dataclasses import replace

from vouch.errors import Problem
from vouch.sources.tree import Tree, strays


def unread_problems(tree: Tree, files: Iterable[str]) -> list[Problem]:
    """List those of `files` that are pictures by their name and in a format that is not read.

    Parameters
    ----------
    files
        POSIX paths of the source, where a photograph would count.
    """
    pictures = tree.unread & set(files)
    folders = {path.rpartition("/")[0] for path in pictures}
    return strays(replace(tree, files=pictures), folders)
