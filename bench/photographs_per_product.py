"""How many photographs of a product does its gallery need, and what would whitening or more prototypes give?

    PYTHONPATH=src python bench/photographs_per_product.py M

Run where model M is built. The network has learned from all of train; galleries are made of so many of its crops of
each product, ten times drawn, and asked for the known crops of val_calib. val_test is left alone.
"""

import argparse

import numpy as np

from vouch import io, params, paths
from vouch.retrieval.gallery import build, transform
from vouch.retrieval.neighbours import nearest
from vouch.splits import contract
from vouch.vision import runtime
from vouch.vision.crops import crops, images
from vouch.vision.images.source import required
from vouch.vision.preprocess import from_json

COUNTS = (1, 2, 3, 5, 10, 20)
DRAWS = 10
WAYS = ((1, None), (2, None), (3, None), (1, 64), (1, 128), (1, 256))  # prototypes a product, components of whitening


def embedded(model, dataset, split, purpose):
    """Return the embedding and the product of each crop of a split."""
    members = contract.read_split(dataset, split, purpose=purpose)
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    cut = crops(members.merge(samples, on="sample_id", validate="one_to_one"), boxes)
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    loaded = runtime.load(paths.model(model, "model.onnx"), preprocess)
    return np.stack(list(required(runtime.classify(loaded, images(cut), batch=32)))), cut["product"].to_numpy()


def top1(shown, asked, *, prototypes=1, whiten=None, seed=0):
    """Return the share of crops whose nearest product is theirs, of those whose product the gallery has."""
    made = {"prototypes_per_product": prototypes, "whiten": whiten, "seed": seed}
    gallery = build(shown[0], shown[1].tolist(), **made, model_sha256="a" * 64, preprocess_sha256="b" * 64)
    known = np.isin(asked[1], gallery.products)
    found = nearest(gallery, transform(gallery, asked[0][known]), k=1).product_index[:, 0]
    return float((np.array(gallery.products)[found] == asked[1][known]).mean())


def drawn(products, count, rng):
    """Return places of at most so many crops of each product."""
    places = [rng.permutation(np.flatnonzero(products == product))[:count] for product in np.unique(products)]
    return np.sort(np.concatenate(places))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    model = parser.parse_args().model
    dataset = params.read_value("pipeline", "models", model, "dataset")
    shown = embedded(model, dataset, "train", "fit_weights")
    asked = embedded(model, dataset, "val_calib", "predict")
    print("| photographs of a product | top-1, the mean of ten draws | least | most |\n|---|---|---|---|")
    for count in COUNTS:
        found = []
        for seed in range(DRAWS):
            places = drawn(shown[1], count, np.random.default_rng(seed))
            found.append(top1((shown[0][places], shown[1][places]), asked))
        print(f"| {count} | {np.mean(found):.3f} | {min(found):.3f} | {max(found):.3f} |", flush=True)
    print("\n| of all of train: prototypes, whitening to | top-1 |\n|---|---|")
    for prototypes, whiten in WAYS:
        if whiten is None or whiten < len(shown[0]):
            found = top1(shown, asked, prototypes=prototypes, whiten=whiten)
            print(f"| {prototypes}, {whiten or 'no whitening'} | {found:.3f} |")


if __name__ == "__main__":
    main()
