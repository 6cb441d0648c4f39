"""The word mover's distance: by hand, its properties, vectors from files, and the family with its pictures."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from drawing import draw

from lapmark import certify, solve
from lapmark.bench.data import documentation_vectors as embedding
from lapmark.bench.data import word_vectors
from lapmark.bench.data.word_vectors import WordVectors
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied import words

#: Words on a line, whose distances can be told by looking.
LINE = WordVectors(("red", "pink", "blue", "Paris"), np.array([[0], [1], [4], [10]], np.float32))


class TestDistance:
    def test_distance_of_short_texts_equals_hand_computed_values(self) -> None:
        assert words.distance("red", "pink", LINE) == pytest.approx(1)
        assert words.distance("red, blue!", "pink pink", LINE) == pytest.approx((1 + 3) / 2)
        assert words.distance("red red red blue", "red blue", LINE) == pytest.approx(4 / 4)

    def test_distance_ignores_stop_words_and_words_without_a_vector(self) -> None:
        assert words.distance("the red and the green", "it is blue", LINE) == pytest.approx(4)

    def test_find_takes_a_word_as_written_or_in_lower_case(self) -> None:
        assert words.distance("RED", "Paris", LINE) == pytest.approx(10)
        with pytest.raises(ValueError, match="no word of the text 'paris' has a vector"):
            words.distance("red", "paris", LINE)

    def test_distance_of_a_text_of_unknown_words_raises_value_error(self) -> None:
        with pytest.raises(ValueError, match="no word of the text 'green' has a vector"):
            words.distance("red", "green", LINE)

    def test_distance_is_a_metric_of_bags(self) -> None:
        topics = embedding.python_topics()
        if_, while_, lambda_ = (topics[name] for name in ("if", "while", "lambda"))
        there, back = words.distance(if_, while_), words.distance(while_, if_)
        assert there == pytest.approx(back)
        assert words.distance(if_, " ".join(reversed(if_.split()))) == pytest.approx(0, abs=1e-12)
        assert there <= words.distance(if_, lambda_) + words.distance(lambda_, while_)


class TestNearest:
    def test_nearest_with_bounds_equals_exhaustive_search(self) -> None:
        topics = dict(sorted(embedding.python_topics().items())[:30])
        text = topics.pop("break")
        by_hand = sorted(
            ((name, words.distance(text, other)) for name, other in topics.items()), key=lambda pair: pair[1]
        )
        for k in (1, 4):
            found = words.nearest(text, topics, k=k)
            assert [name for name, _ in found] == [name for name, _ in by_hand[:k]]
            assert [far for _, far in found] == pytest.approx([far for _, far in by_hand[:k]])

    def test_nearest_leaves_out_texts_without_known_words(self) -> None:
        assert words.nearest("red", {"one": "blue", "none": "green"}, LINE) == [("one", 4)]

    def test_nearest_with_k_below_one_raises_value_error(self) -> None:
        with pytest.raises(ValueError, match="k = 0"):
            words.nearest("red", {"one": "blue"}, LINE, k=0)


class TestVectorsOfPython:
    def test_built_in_vectors_of_related_words_are_near(self) -> None:
        known = embedding.from_python()
        assert np.linalg.norm(known.matrix, axis=1) == pytest.approx(1, abs=1e-5)
        for word, like, unlike in (("month", "year", "socket"), ("raise", "exception", "digit")):
            a, b, c = (known.matrix[known.find(each)] for each in (word, like, unlike))
            assert a @ b > 0.5 > a @ c

    def test_built_in_vectors_made_again_are_equal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedding, "_docstrings", lambda: iter(()))  # the manual alone takes a fiftieth of the time
        (names, matrix), (names_again, matrix_again) = (embedding._computed.__wrapped__() for _ in range(2))
        assert names.tolist() == names_again.tolist()
        assert matrix_again == pytest.approx(matrix, abs=1e-4)

    @pytest.mark.slow
    def test_all_built_in_vectors_made_again_are_equal(self) -> None:
        names, matrix = embedding._computed.__wrapped__()
        known = embedding.from_python()
        assert tuple(names.tolist()) == known.words
        assert matrix == pytest.approx(known.matrix, abs=1e-4)


class TestReader:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "vectors.txt"

    @pytest.mark.parametrize(
        "content",
        [
            "red 0.5 1\nblue -2e-1 3\n",  # GloVe
            "2 2\nred 0.5 1 \nblue -2e-1 3 \n\n",  # word2vec
            "\ufeffred 0.5 1\r\nblue -2e-1 3",
            "red\t0.5\t1\nblue\t-2e-1\t3\n",
        ],
    )
    def test_read_takes_formats_of_word2vec_and_glove(self, file: Path, content: str) -> None:
        file.write_text(content, encoding="utf-8", newline="")
        read = word_vectors.read(file)
        assert read.words == ("red", "blue")
        assert read.matrix.dtype == np.float32
        assert read.matrix == pytest.approx(np.array([[0.5, 1], [-0.2, 3]]))

    def test_read_takes_compressed_files(self, tmp_path: Path) -> None:
        path = tmp_path / "vectors.txt.gz"
        path.write_bytes(gzip.compress(b"red 1 2\n"))
        assert word_vectors.read(path).matrix.tolist() == [[1, 2]]
        path.write_bytes(gzip.compress(b"red 1 2\n" * 1000)[:-12])
        with pytest.raises(ValueError, match="is damaged after line"):
            word_vectors.read(path, only={"blue"})

    def test_read_takes_words_with_blanks(self, file: Path) -> None:
        file.write_text("red 1 2\n. . . 3 4\nat\u00a0home 5 6\n", encoding="utf-8")
        assert word_vectors.read(file).words == ("red", ". . .", "at\u00a0home")

    def test_read_of_a_repeated_word_takes_its_first_vector(self, file: Path) -> None:
        file.write_text("4 2\nred 1 2\nblue 1 2\nred 3 4\nblue 5 6\n")
        with pytest.warns(UserWarning, match=r"repeated: 'red' on line 4, after line 2, and 1 more$"):
            read = word_vectors.read(file)
        assert (read.words, read.matrix.tolist()) == (("red", "blue"), [[1, 2], [1, 2]])
        assert word_vectors.read(file, only={"green"}).words == ()

    def test_read_of_wanted_words_skips_others(self, file: Path) -> None:
        file.write_text("red 1 2\nbad x y\nblue 3 4\nbad 5 6\n")
        read = word_vectors.read(file, only={"blue", "green"})
        assert read.words == ("blue",)
        assert word_vectors.read(file, only={"green"}).matrix.shape == (0, 2)

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (b"", "is empty"),
            (b"red\n", r"line 1: a word and its numbers expected, not 'red'"),
            (b"red 1 2\n\nblue 1\n", r"line 3: a word and 2 numbers expected, not 'blue 1'"),
            (b"red 1 2\nblue 1 2 3\n", r"line 2: a word and 2 numbers expected, not 'blue 1 2 3'"),
            (b"red 1 2\nblue 1 two\n", r"line 2: 'two' is not a number"),
            (b"red 1 2\nblue nan 2\n", r"line 2: 'nan' is not a finite number"),
            (b"red 1 -inf\n", r"line 1: '-inf' is not a finite number"),
            (b"red 1 1e39\n", r"line 1: '1e39' is not a finite number of 32 bits"),
            (b"3 2\nred 1 2\nblue 1 2\n", "has 2 vectors, but its first line declares 3"),
            (b"1 0\nred\n", "line 2: a word and its numbers expected"),
            (b"1 3\nred 1 2\n", "line 2: a word and 3 numbers expected"),
            (b"r\xe9d 1 2\n", r"line 1: byte 0xe9 is not UTF-8"),
        ],
    )
    def test_read_of_a_bad_line_names_it(self, file: Path, content: bytes, fault: str) -> None:
        file.write_bytes(content)
        with pytest.raises(ValueError, match=fault):
            word_vectors.read(file)

    def test_read_of_a_missing_file_raises_an_error(self, file: Path) -> None:
        with pytest.raises(FileNotFoundError):
            word_vectors.read(file)


class TestFamily:
    @pytest.fixture
    def own(self, tmp_path: Path) -> dict[str, str]:
        """Texts and vectors of a user."""
        (tmp_path / "texts").mkdir()
        for name, text in {"warm": "red pink pink", "cold": "blue red", "far": "Paris", "alien": "Я"}.items():
            (tmp_path / "texts" / f"{name}.txt").write_text(text, encoding="utf-8")
        lines = (f"{word} {point[0]}" for word, point in zip(LINE.words, LINE.matrix, strict=True))
        (tmp_path / "vectors.txt").write_text("4 1\n" + "\n".join(lines), encoding="utf-8")
        return {"texts": str(tmp_path / "texts"), "vectors": str(tmp_path / "vectors.txt")}

    def test_build_gives_two_texts_of_n_distinct_words(self) -> None:
        problem = Case("words", 48, 1).build()
        assert problem.shape == (48, 48)
        assert len(np.unique(problem.cost.x, axis=0)) == 48
        assert problem.a.sum() == pytest.approx(1)
        assert certify(problem, solve(problem)).optimal

    def test_build_takes_texts_and_vectors_of_a_user(self, own: dict[str, str], tmp_path: Path) -> None:
        case = Case("words", 2, 0, own)
        problem = case.build()
        plan = solve(problem)
        assert plan.cost == pytest.approx(words.distance("red pink pink", "blue red", LINE))
        assert {path.name for path in draw(case, tmp_path / "out")} >= {"moves.png", "nearest.png"}

    def test_bag_is_cut_off_after_n_distinct_words(self) -> None:
        cut = words.bag("red pink red blue red", LINE, most=2)
        assert cut.words == ("red", "pink")
        assert cut.mass == pytest.approx([2 / 3, 1 / 3])

    def test_build_with_an_invalid_setting_raises_value_error(self, own: dict[str, str], tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"n = 3: .* the second longest has 2"):
            Case("words", 3, 0, own).build()
        with pytest.raises(ValueError, match="n = 5000: fewer than two texts"):
            Case("words", 5000).build()
        (tmp_path / "none").mkdir()
        with pytest.raises(ValueError, match="two texts or more are needed, not 0"):
            Case("words", 2, 0, {"texts": str(tmp_path / "none")}).build()
        with pytest.raises(ValueError, match="it must be built-in or a folder of files"):
            Case("words", 2, 0, {"texts": "nowhere"}).build()
        with pytest.raises(FileNotFoundError, match="nowhere"):
            Case("words", 2, 0, {"vectors": "nowhere.txt"}).build()
