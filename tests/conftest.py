"""How the suite is dealt to two cores: a file's tests stay together, and so do those of one dear workspace."""

from xdist.scheduler import LoadScopeScheduling

ALONE = ("test_classifier_graph", "test_real_", "test_graph", "test_imports")  # not in need of the fixture `tiny`


class ByWorkspace(LoadScopeScheduling):
    """Deals whole files; those of tests/pipeline that share the fixture `tiny`, minutes to make, are dealt as one."""

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        in_graph = file.startswith("tests/pipeline/") and not any(f"/{name}" in file for name in ALONE)
        return "tiny" if in_graph else file


def pytest_xdist_make_scheduler(config, log):
    return ByWorkspace(config, log)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)  # stable: the longest start first
