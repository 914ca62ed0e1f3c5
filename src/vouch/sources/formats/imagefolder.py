"""ImageFolder: the class of a photograph is the name of the folder that holds it.

Folders above that one (`images/`, `train/`) carry no meaning here; a rule may make them a group or stratum.
"""

from vouch.errors import Problem
from vouch.sources.descriptor import Descriptor
from vouch.sources.records import Reading, Record
from vouch.sources.tree import Tree, strays
from vouch.sources.unread import unread_problems


def read(tree: Tree, descriptor: Descriptor) -> Reading:
    """Read every photograph below the source's folder with its class; a picture in an unread format is a problem."""
    images = sorted(tree.photographs)
    folders = {image: image.rpartition("/")[0] for image in images}
    remedy = "move it into the folder of its class"
    problems = [
        Problem(image, "a folder named after its class", "none", remedy) for image in images if not folders[image]
    ]
    held = {*folders.values(), *(path.rpartition("/")[0] for path in tree.unread)}
    problems += strays(tree, {folder for folder in held if folder})
    problems += unread_problems(tree, (path for path in tree.files if "/" not in path))  # beside the folders of classes
    records = [
        Record(image, image, "labelled", label=folder.rpartition("/")[2]) for image, folder in folders.items() if folder
    ]
    return Reading(tuple(records), classes=frozenset(str(record.label) for record in records), problems=tuple(problems))
