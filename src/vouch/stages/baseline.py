"""Write the baseline of a model that has never been promoted: a trivial bundle that finds nothing.

Reads   params (the taxonomy)
Writes  registry/M/bundle
Fails   never
"""

from vouch import io, params, paths
from vouch.release import bundle
from vouch.stages import main

CALIBRATOR = {"kind": "scalar", "floor": 0.0, "global": {"method": "identity"}, "classes": {}}


def run(model: str, dataset: str) -> None:
    """Write the trivial bundle of model M with the classes of data set D."""
    classes = params.read_value("datasets", dataset, "ingest", "classes")
    policy = {
        "kind": "operating_point",
        "feasible": False,
        "guarantee": "none",
        "infeasible": dict.fromkeys(classes, "a trivial baseline finds nothing"),
        "thresholds": dict.fromkeys(classes),
        "objective": None,
        "alpha": None,
        "delta": None,
        "evidence": {},
    }
    contents = {"labels.json": {"classes": classes}, "calibrator.json": CALIBRATOR, "policy.json": policy}
    files = {name: io.dumps(content).encode() for name, content in contents.items()}
    bundle.write_bundle(paths.registry(model), model, "0.0.0", "trivial", files)


if __name__ == "__main__":
    main(run)
