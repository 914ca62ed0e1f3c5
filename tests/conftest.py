"""How the suite is dealt to two cores: tests that share something dear stay together, the longest start first."""

import pytest

DEAR = ("tiny", "tiny_classifier")  # workspaces in which a whole graph has run


def pytest_collection_modifyitems(items):
    for item in items:
        shared = [name for name in DEAR if name in item.fixturenames]
        item.add_marker(pytest.mark.xdist_group(shared[0] if shared else item.nodeid.split("::")[0]))
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)  # stable
