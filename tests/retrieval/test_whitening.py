import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf, ledoit_wolf_shrinkage
from sklearn.decomposition import PCA

from retrieval.made_galleries import built, made_up, unit
from vouch.errors import DataError
from vouch.retrieval.gallery import transform
from vouch.retrieval.whitening import shrinkage, whitening


def directions(**of):
    return unit(made_up(**of)[0])


@pytest.mark.parametrize("each", [2, 5, 200])
def test_the_share_of_the_mean_eigenvalue_is_that_of_scikit_learn(each):
    rows = directions(each=each)
    centred = rows - rows.mean(axis=0)
    found = shrinkage(centred, centred.T @ centred / len(rows))
    assert found == pytest.approx(ledoit_wolf_shrinkage(rows))
    assert 0 < found < 1


def test_distances_after_whitening_are_mahalanobis_distances():
    rows = directions()
    mean, projection = whitening(rows, rows.shape[1])
    placed, inverse = (rows - mean) @ projection, LedoitWolf().fit(rows).precision_
    for i, j in ((0, 1), (3, 70), (20, 119)):
        assert np.linalg.norm(placed[i] - placed[j]) == pytest.approx(mahalanobis(rows[i], rows[j], inverse))


def test_fewer_components_are_those_of_the_largest_variance():
    rows = directions()
    mean, projection = whitening(rows, 5)
    peer = PCA(n_components=5, svd_solver="full").fit(rows)
    shares = np.abs(peer.components_ @ (projection / np.linalg.norm(projection, axis=0)))
    assert shares == pytest.approx(np.eye(5), abs=1e-9)
    assert mean == pytest.approx(peer.mean_)
    shrunk, n = LedoitWolf().fit(rows), len(rows)
    kept = (1 - shrunk.shrinkage_) * peer.explained_variance_ * (n - 1) / n
    kept += shrunk.shrinkage_ * peer.explained_variance_.sum() * 0 + shrunk.shrinkage_ * rows.var(axis=0).mean()
    assert np.linalg.norm(projection, axis=0) == pytest.approx(kept**-0.5)


def test_the_largest_entry_of_each_column_is_positive():
    _, projection = whitening(directions(), 8)
    assert (projection[np.abs(projection).argmax(axis=0), np.arange(8)] > 0).all()


def test_directions_that_hardly_vary_do_not_explode():
    rows = directions(products=3, each=4, noise=0.01)  # 12 embeddings in 16 dimensions: 5 of them vary by nothing
    _, projection = whitening(rows, 11)
    lengths = np.linalg.norm(projection, axis=0)
    assert lengths.max() / lengths.min() < 100  # without shrinkage more than 1,000
    loose = PCA(n_components=11, svd_solver="full").fit(rows).explained_variance_
    assert np.sqrt(loose.max() / loose.min()) > 300


def test_a_gallery_whitens_directions_and_scales_them_to_length_1():
    embeddings, products = made_up()
    gallery = built(embeddings, products, whiten=7)
    mean, projection = whitening(unit(embeddings), 7)
    expected = unit((unit(embeddings) - mean) @ projection)
    assert transform(gallery, embeddings) == pytest.approx(expected, abs=1e-5)
    assert gallery.prototypes.shape == (6, 7)
    assert gallery.projection.shape == (16, 7)


@pytest.mark.parametrize(("n", "components"), [(5, 5), (100, 17), (1, 1), (100, 0)])
def test_more_components_than_the_embeddings_hold_are_refused(n, components):
    with pytest.raises(DataError, match=rf"enough for {components} whitened components, got {n} of width 16"):
        whitening(directions(each=100)[:n], components)


def test_embeddings_that_are_all_the_same_are_refused():
    with pytest.raises(DataError, match="embeddings that differ, got all the same"):
        whitening(np.repeat(unit([[1, 2, 3]]), 9, axis=0), 2)
