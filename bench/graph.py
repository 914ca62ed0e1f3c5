"""What `dvc repro` runs when nothing changed and when a gate limit did, and its seconds, in a copy of the workspace.

Run: PYTHONPATH=src python bench/graph.py, after `make repro MODEL=driver`
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from ruamel.yaml import YAML

MODEL, RULE, RUNS = "driver", "recall", 5
RAN = re.compile(r"^Running stage '([^']+)'", re.MULTILINE)


def copied(target):
    """Copy what git has or would have, and link DVC's cache, so that nothing here is touched."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if Path(name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, target / name)
    shutil.copytree(".dvc/cache", target / ".dvc/cache", copy_function=os.link)
    subprocess.run(["git", "init", "--quiet"], cwd=target, check=True)
    dvc(target, "checkout", "--quiet")


def dvc(folder, *arguments):
    """Run DVC in the copy; return its seconds and the stages that it ran."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"bench: dvc {' '.join(arguments)} failed\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start, RAN.findall(done.stdout)


def set_limit(folder, limit):
    yaml = YAML()
    path = folder / "params.yaml"
    content = yaml.load(path.read_text(encoding="utf-8"))
    content["models"][MODEL]["gate"]["rules"][RULE]["limit"] = limit
    yaml.dump(content, path)


def measured(folder, target, limits):
    """Repeat a repro, with another gate limit each time where there are limits."""
    seconds, ran = [], set()
    for turn in range(RUNS):
        if limits:
            set_limit(folder, limits[turn])
        elapsed, stages = dvc(folder, "repro", target)
        seconds.append(elapsed)
        ran.add(", ".join(stages) or "none")
    return median(seconds), " / ".join(sorted(ran))


def main():
    print("| what | ours | peer | ratio | goal |")
    print("|---|---|---|---|---|")
    if not Path("dvc.lock").is_file() or not Path("models", MODEL, "bundle").is_dir():
        print(f"| graph | not run: nothing is built, run `make repro MODEL={MODEL}` first | | | |")
        return
    # below .dvc/tmp: on the disk of the cache, so that links work, and ignored by git and DVC
    with tempfile.TemporaryDirectory(dir=Path(".dvc/tmp").absolute()) as name:
        folder = Path(name)
        copied(folder)
        dvc(folder, "repro", f"report@{MODEL}", f"bundle@{MODEL}")
        limits = [round(0.9 + 0.001 * turn, 3) for turn in range(2 * RUNS)]
        for what, target, chosen, goal in (
            ("`dvc repro gate` with nothing changed", f"gate@{MODEL}", [], "none"),
            ("`dvc repro gate` after a change of a gate limit", f"gate@{MODEL}", limits[:RUNS], "one stage"),
            (
                "`dvc repro report` after a change of a gate limit",
                f"report@{MODEL}",
                limits[RUNS:],
                "gate and its page",
            ),
        ):
            seconds, ran = measured(folder, target, chosen)
            print(f"| {what}; it ran: {ran} | {seconds:.1f} s | | | {goal} |")


if __name__ == "__main__":
    main()
