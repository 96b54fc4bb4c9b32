# SPDX-License-Identifier: Apache-2.0
"""Rows of tests/golden/onnx_op: texts, n-grams, boxes."""
import numpy as np

from onnx_op_cases import f, ints
from onnx_ops import Const, Outputs, family, rng


def texts(*values):
    return np.array(values, dtype=object)


WORDS = texts("  Monday is\ta  day ", "", "a,b,,c", ",", "Ärger über ÉTUDE", "x", "one,two three")

family("StringConcat_20", 20, [
    ("same", "StringConcat", [WORDS, WORDS[::-1]], {}),
    ("scalar", "StringConcat", [WORDS, texts("!")], {}),
    ("both", "StringConcat", [texts("a", "b").reshape(2, 1), texts("1", "2", "3")], {}),
    ("empty", "StringConcat", [texts(), texts("x")], {}),
], reference=True)
family("StringSplit_20", 20, [
    ("spaces", "StringSplit", [WORDS], {}, Outputs(2)),
    ("comma", "StringSplit", [WORDS], {"delimiter": ","}, Outputs(2)),
    ("comma_most", "StringSplit", [WORDS], {"delimiter": ",", "maxsplit": 1}, Outputs(2)),
    ("long", "StringSplit", [texts("a--b---c", "--")], {"delimiter": "--"}, Outputs(2)),
    ("matrix", "StringSplit", [WORDS[:6].reshape(2, 3)], {"delimiter": ","}, Outputs(2)),
], reference=True)  # the peer knows no white space but blanks, and no part of an empty text
DAYS = texts("monday", "Tuesday", "WEDNESDAY", "thursday", "Monday")
LOCALE = {"locale": "C.UTF-8"}
LETTERS = texts("ÀÉÎÕÜØ àéîõüø ×÷", "ĀăŁłŃńŸŽž", "ΑΒΓΩ αβγω", "АБЯЁ абяё", "日本 ß")
family("StringNormalizer_10", 10, [
    ("lower", "StringNormalizer", [DAYS], dict(LOCALE, case_change_action="LOWER")),
    ("upper", "StringNormalizer", [DAYS], dict(LOCALE, case_change_action="UPPER",
                                         is_case_sensitive=1, stopwords=["monday"])),
    ("none", "StringNormalizer", [DAYS.reshape(1, 5)], dict(LOCALE, stopwords=["MONDAY", "Thursday"])),
    ("letters", "StringNormalizer", [LETTERS], dict(LOCALE, case_change_action="LOWER")),
    ("capitals", "StringNormalizer", [LETTERS], dict(LOCALE, case_change_action="UPPER")),
    ("all", "StringNormalizer", [DAYS[:1]], dict(LOCALE, stopwords=["monday"], is_case_sensitive=1)),
])
PATTERNS = {
    "digits": r"\d+", "date": r"(\d{4})-(\d{2})-(\d{2})", "mail": r"[\w.]+@[\w.]+\.(com|org|de)",
    "any": r"(?s).*", "line": r".*", "choice": r"a|bc|(?:de)*", "counted": r"(ab){2,3}c{0,2}x{3}?",
    "case": r"(?i)monday", "inner_case": r"a(?i:B)C", "anchors": r"^\Aabc$\z", "edge": r"\bab\b.\bc\b",
    "not_edge": r"a\Bb", "set": r"[^a-c\d]+", "posix": r"[[:upper:]][[:^digit:]]*", "hex": r"\x41\x{e4}",
    "quoted": r"\Qa.b*\E+", "lazy": r"a+?b*?c??", "dash": r"[a\-z-]+", "bracket": r"[]a]+",
    "multi": r"(?m)^a$\n^b$", "empty": "", "brace": r"a{,2}{", "utf8": r"ä.ü"}
SAMPLES = texts("", "123", "2024-01-31", "me.too@x.org", "a\nb", "a", "bc", "dede", "ababcc", "ababxxx",
                "abababccxxx", "MonDay", "aBC", "abC", "abc", "ab c", "ab-c", "xyz", "Xa b", "X1",
                "Aä", "a.b*", "a.b**", "aabbc", "a-z", "]a]", "a{,2}{", "aöü", "äöü", "_")
family("RegexFullMatch_20", 20, [(name, "RegexFullMatch", [SAMPLES], {"pattern": pattern})
                                 for name, pattern in PATTERNS.items()])
GRAMS = dict(ngram_counts=[0, 3, 11], min_gram_length=1, max_gram_length=3,
             ngram_indexes=[4, 0, 2, 1, 3, 6, 5, 8, 7],
             weights=[1.0, 2.0, 0.5, 4.0, 0.25, 8.0, 3.0, 5.0, 7.0],
             pool_int64s=[1, 2, 7, 1, 2, 2, 2, 7, 1, 3, 3, 1, 2, 2, 5, 5, 5])
ROWS = rng("grams").integers(1, 8, (4, 12))
family("TfIdfVectorizer_9", 9, [
    (f"{mode.lower()}_skip{skip}", "TfIdfVectorizer", [x],
     dict(GRAMS, mode=mode, max_skip_count=skip))
    for mode in ("TF", "IDF", "TFIDF") for skip, x in ((0, ROWS), (3, ROWS[0].astype(np.int32)))
] + [("texts", "TfIdfVectorizer", [texts("b", "a", "b", "c", "a", "b")],
      dict(mode="TF", ngram_counts=[0, 2], min_gram_length=2, max_gram_length=2, max_skip_count=1,
           ngram_indexes=[0, 1, 2, 3], pool_strings=["a", "b", "a", "b", "b", "c"]))])

CORNERS = rng("boxes").random((2, 30, 2)).astype(np.float32)
BOXES = np.concatenate([CORNERS, CORNERS + 0.3 * rng("sizes").random((2, 30, 2))
                        .astype(np.float32)], -1)
SCORES = rng("scores").random((2, 3, 30)).astype(np.float32)


def limit(most, overlap=0.5, floor=0.0):
    return [np.int64(most).reshape(1), np.float32(overlap).reshape(1),
            np.float32(floor).reshape(1)]


family("NonMaxSuppression_11", 11, [
    ("some", "NonMaxSuppression", [BOXES, SCORES, *limit(4)], {}),
    ("known", "NonMaxSuppression", [Const(BOXES), Const(SCORES), *map(Const, limit(30))], {}),
    ("floor", "NonMaxSuppression", [BOXES, SCORES, *limit(30, 0.2, 0.6)], {}),
    ("turned", "NonMaxSuppression", [BOXES[..., [2, 3, 0, 1]], SCORES, *limit(9, 0.3)], {}),
    ("centred", "NonMaxSuppression", [BOXES, SCORES, *limit(9, 0.3)], {"center_point_box": 1}),
    ("equal", "NonMaxSuppression", [BOXES, np.ones_like(SCORES), *limit(5, 0.1)], {}),
    ("none", "NonMaxSuppression", [BOXES, SCORES], {}),
])
