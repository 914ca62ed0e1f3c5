import pytest

from vouch.calibration.apply import validity
from vouch.calibration.fit import multiclass_fits, scalar_fits
from vouch.calibration.fit.params import Multiclass, Scalar
from vouch.errors import ParamsError
from vouch.params import check

SHARED = {"rows_per_parameter": 50, "events_per_parameter": 5, "intraclass_floor": 0.05, "folds": 5, "bins": 15}
SCALAR = SHARED | {"floor": 0.001, "min_rows": 200, "min_groups": 20}


@pytest.mark.parametrize(
    ("section", "values", "unknown"), [(Scalar, SCALAR, "dirichlet"), (Multiclass, SHARED, "sigmoid")]
)
def test_a_method_nobody_knows_is_named_beside_the_known_ones(section, values, unknown):
    with pytest.raises(ParamsError, match=rf"methods.1: expected one of identity, temperature.*, got '{unknown}'"):
        check(section, values | {"methods": ["identity", unknown]}, "models.M.calibrate")


def test_each_method_whose_form_is_known_can_be_fitted_and_no_other():
    assert set(scalar_fits.FITS) == set(validity.COEFFICIENTS)
    assert set(multiclass_fits.FITS) == set(validity.KEYS)
