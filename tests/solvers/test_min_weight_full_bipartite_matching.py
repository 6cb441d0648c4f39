"""The drop-in for SciPy's function on lists of pairs: its results, and errors that name the entry."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import min_weight_full_bipartite_matching as referee

from lapmark import min_weight_full_bipartite_matching


@st.composite
def graphs(draw) -> sp.csr_array:
    """Of any shape and density, in any format, with a full matching or without, with many ties or none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.tuples(st.integers(1, 30), st.integers(1, 30)))
    weights = rng.integers(1, 6, shape) if draw(st.booleans()) else rng.normal(size=shape)
    dense = np.where(rng.random(shape) < draw(st.sampled_from([0.05, 0.2, 1.0])), weights, 0)
    if draw(st.booleans()):
        k = np.arange(min(shape))
        dense[k, rng.permutation(shape[1])[: len(k)] if shape[1] >= len(k) else k] = 3
    graph = sp.csr_array(dense.astype(draw(st.sampled_from(["f8", "f4", "i4"]))))
    if draw(st.booleans()):
        graph.indices, graph.indptr = graph.indices.astype(np.int64), graph.indptr.astype(np.int64)
    return graph.asformat(draw(st.sampled_from(["csr", "csc", "coo"])))


@given(graphs(), st.booleans())
def test_matching_costs_what_scipys_does(graph, maximize):
    graph = graph.tocsr()
    graph.eliminate_zeros()
    short = [each.astype(np.int32) for each in (graph.indices, graph.indptr)]  # SciPy 1.14 takes no others
    try:
        expected = referee(sp.csr_array((graph.data, *short), shape=graph.shape), maximize)
    except ValueError:
        with pytest.raises(ValueError, match="no full matching exists"):
            min_weight_full_bipartite_matching(graph, maximize)
        return
    rows, cols = min_weight_full_bipartite_matching(graph, maximize)
    assert rows.dtype == cols.dtype == np.intp
    assert (np.diff(rows) > 0).all()
    assert len(set(cols.tolist())) == len(cols) == min(graph.shape)
    entries = dict(zip(zip(*graph.tocoo().coords, strict=True), graph.tocoo().data, strict=True))
    total = sum(entries[pair] for pair in zip(rows, cols, strict=True))
    assert total == pytest.approx(graph[expected].sum(), abs=1e-5 if graph.dtype == np.float32 else 1e-12)


def test_stored_zeros_are_removed_with_a_warning_as_by_scipy():
    graph = sp.csr_array(([0.0, 1.0, 1.0, 5.0], [0, 1, 0, 1], [0, 2, 4]), shape=(2, 2))
    with pytest.warns(UserWarning, match="explicit zeros are removed"):
        _, cols = min_weight_full_bipartite_matching(graph)
    assert cols.tolist() == [1, 0]
    assert graph.nnz == 4


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0)])
def test_empty_graph_has_an_empty_matching(shape):
    rows, cols = min_weight_full_bipartite_matching(sp.csr_array(shape))
    assert rows.shape == cols.shape == (0,)


def test_other_input_is_refused():
    with pytest.raises(TypeError, match="must be sparse"):
        min_weight_full_bipartite_matching(np.eye(3))
    with pytest.raises(ValueError, match=r"nan at \[0, 1\]"):
        min_weight_full_bipartite_matching(sp.csr_array([[1.0, np.nan], [2.0, 1.0]]))
    with pytest.raises(TypeError, match="complex"):
        min_weight_full_bipartite_matching(sp.csr_array([[1j, 2.0], [2.0, 1.0]]))
    twice = sp.csr_array((np.ones(3), np.array([0, 0, 1]), np.array([0, 2, 3])), shape=(2, 2))
    with pytest.raises(ValueError, match=r"entry \(0, 0\) is stored twice"):
        min_weight_full_bipartite_matching(twice)
    damaged = sp.csr_array(np.eye(3))
    damaged.indices[1] = 2**30
    with pytest.raises(ValueError, match="ind"):
        min_weight_full_bipartite_matching(damaged)


def test_damaged_row_ends_are_refused():
    damaged = sp.csr_array(np.ones((3, 4)))
    damaged.indptr[1] = 99
    with pytest.raises(ValueError, match="ind"):
        min_weight_full_bipartite_matching(damaged)
