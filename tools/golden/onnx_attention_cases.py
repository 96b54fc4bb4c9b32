# SPDX-License-Identifier: Apache-2.0
"""The rows of tests/golden/onnx_op that attend, rotate, contract and carry state."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from onnx_op_cases import f, f32, i64, ints
from onnx_ops import Const, Outputs, family, rng

INF = np.inf


def qkv(q=(2, 3, 5, 8), k=(2, 3, 7, 8), v=None):
    return [f(*q, name="q"), f(*k, name="k"), f(*(v or k), name="v")]


def bools(*shape, name="m"):
    return rng(name).random(shape) < 0.7


def holes(*shape):
    return np.where(bools(*shape), f(*shape, name="mask"), -INF).astype(np.float32)


GQA = qkv((2, 6, 5, 8), (2, 2, 7, 8), (2, 2, 7, 3))
FLAT = qkv((2, 5, 24), (2, 7, 24), (2, 7, 30))
HEADS = {"q_num_heads": 3, "kv_num_heads": 3}
PAST = [f(2, 3, 4, 8, name="past_k"), f(2, 3, 4, 8, name="past_v")]
LONG = qkv((1, 1, 70, 8), (1, 1, 90, 8))

family("Attention_23", 23, [
    ("plain", "Attention", qkv(), {}),
    ("scale", "Attention", qkv(), {"scale": 0.3}),
    ("causal", "Attention", qkv(), {"is_causal": 1}),
    ("grouped", "Attention", GQA, {}),
    ("flat", "Attention", FLAT, HEADS),
    ("mask", "Attention", [*qkv(), f(5, 7, name="mask")], {}),
    ("mask_bool", "Attention", [*qkv(), bools(2, 1, 5, 7)], {}),
    ("mask_batch", "Attention", [*qkv(), holes(2, 3, 5, 7)], {}),
    ("softcap", "Attention", qkv(), {"softcap": 1.5}),
    ("past", "Attention", [*qkv(), None, *PAST], {}, Outputs(3)),
    ("past_flat", "Attention", [*qkv((2, 5, 24), (2, 7, 24)), f(5, 11, name="mask"), *PAST], HEADS,
     Outputs(3)),
    ("raw", "Attention", qkv(), {}, Outputs(4, skip=(1, 2))),
    ("long", "Attention", LONG, {"is_causal": 1}),
])
family("Attention_reference_24", 24, [
    ("lengths", "Attention", [*qkv(), holes(2, 3, 5, 4), None, None, i64(4, 3)], {}),
    ("lengths_causal", "Attention", [*qkv(), None, None, None, i64(7, 3)], {"is_causal": 1}),
    ("masked_row", "Attention", [*qkv(), np.arange(5)[:, None] > np.zeros(7)],
     {"qk_matmul_output_mode": 3}, Outputs(4, skip=(1, 2))),
    ("biased", "Attention", [*qkv(), f(5, 7, name="mask")],
     {"qk_matmul_output_mode": 2, "softcap": 2.0}, Outputs(4, skip=(1, 2))),
    ("capped", "Attention", qkv(), {"qk_matmul_output_mode": 1, "softcap": 2.0},
     Outputs(4, skip=(1, 2))),
    ("f64", "Attention", [x.astype(np.float64) for x in qkv()], {"softcap": 2.0}),
    ("past_causal", "Attention", [*qkv(), bools(5, 11), *PAST], {"is_causal": 1}, Outputs(3)),
], reference=True)
family("Attention_reference_25", 25, [
    ("window", "Attention", LONG, {"left_window_size": 20, "right_window_size": 3}),
    ("left", "Attention", [*qkv(), bools(7)], {"left_window_size": 2, "is_causal": 1}),
    ("past", "Attention", [*qkv(), None, *PAST], {"left_window_size": 3}, Outputs(3)),
    ("lengths", "Attention", [*qkv(), None, None, None, i64(7, 2)], {"right_window_size": 0}),
], reference=True)

X, ANGLES = f(2, 3, 5, 8), f(2, 5, 4, name="angle")
COS, SIN = np.cos(ANGLES), np.sin(ANGLES)
CACHE = f(9, 4, name="cache")
IDS = ints(2, 5, low=0, high=9)
family("RotaryEmbedding_23", 23, [
    ("whole", "RotaryEmbedding", [X, COS, SIN], {}),
    ("interleaved", "RotaryEmbedding", [X, COS, SIN], {"interleaved": 1}),
    ("ids", "RotaryEmbedding", [X, np.cos(CACHE), np.sin(CACHE), IDS], {}),
    ("part", "RotaryEmbedding", [X, COS[:, :, :2].copy(), SIN[:, :, :2].copy()],
     {"rotary_embedding_dim": 4, "num_heads": 3}),
    ("flat", "RotaryEmbedding", [f(2, 5, 24), np.cos(CACHE), np.sin(CACHE), IDS],
     {"num_heads": 3, "interleaved": 1}),
])
family("SwiGLU_28", 28, [
    ("plain", "SwiGLU", [f(3, 7, name="a"), f(3, 7, name="b")], {}),
    ("alpha", "SwiGLU", [f(40, name="a", scale=4.0), f(40, name="b")], {"alpha": 1.7}),
    ("f64", "SwiGLU", [f(3, 7, name="a").astype(np.float64), f(3, 7, name="b").astype(np.float64)],
     {}),
], reference=True)
family("CausalConvWithState_27", 27, [
    ("plain", "CausalConvWithState", [f(2, 3, 9), f(3, 1, 4, name="w")], {}, Outputs(2)),
    ("state", "CausalConvWithState", [f(2, 3, 2), f(3, 1, 4, name="w"), f(3, name="b"),
                                      f(2, 3, 3, name="past")], {"activation": "silu"}, Outputs(2)),
    ("one", "CausalConvWithState", [f(1, 2, 5), Const(f(2, 1, 1, name="w"))],
     {"activation": "swish"}, Outputs(2)),
], reference=True)


def rows(n, name="q"):
    return f(2, 4, n, name=name, scale=0.4)


LIN = [rows(24), rows(24, "k"), rows(18, "v")]
STATE = f(2, 3, 8, 6, name="state")
family("LinearAttention_27", 27, [
    ("linear", "LinearAttention", LIN,
     {"update_rule": "linear", "q_num_heads": 3, "kv_num_heads": 3}, Outputs(2)),
    ("gated", "LinearAttention", [*LIN, STATE, rows(3, "g")],
     {"update_rule": "gated", "q_num_heads": 3, "kv_num_heads": 3}, Outputs(2)),
    ("delta", "LinearAttention", [*LIN, None, None, rows(1, "b")],
     {"update_rule": "delta", "q_num_heads": 3, "kv_num_heads": 3, "scale": 0.7}, Outputs(2)),
    ("both", "LinearAttention", [rows(48), *LIN[1:], STATE, rows(24, "g"), rows(3, "b")],
     {"q_num_heads": 6, "kv_num_heads": 3}, Outputs(2)),
], reference=True)


def mod(op, value):
    """A subgraph of one node: its input and a constant."""
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", "h", "q", "k"])
             for name in ("in", "out")]
    return helper.make_graph([helper.make_node(op, ["in", "c"], ["out"])], "mod", ports[:1],
                             ports[1:], [numpy_helper.from_array(f32(value), "c")])


family("FlexAttention_1", 26, [
    ("plain", "FlexAttention", qkv(), {}),
    ("grouped", "FlexAttention", GQA, {"scale": 0.4}),
    ("scores", "FlexAttention", GQA, {"score_mod": mod("Min", 0.3)}),
    ("both", "FlexAttention", qkv(), {"score_mod": mod("Mul", 2.0), "prob_mod": mod("Sub", 0.1)}),
], reference=True)

A, B, C = f(3, 4, name="a"), f(4, 5, name="b"), f(2, 3, 4, name="c")
family("Einsum_12", 12, [
    ("product", "Einsum", [A, B], {"equation": "ij,jk->ik"}),
    ("implied", "Einsum", [A, B], {"equation": "ij, jk"}),
    ("transpose", "Einsum", [C], {"equation": "aBc->cBa"}),
    ("total", "Einsum", [C], {"equation": "abc->"}),
    ("diagonal", "Einsum", [f(4, 4)], {"equation": "ii->i"}),
    ("trace", "Einsum", [f(2, 4, 4)], {"equation": "...ii->..."}),
    ("batch", "Einsum", [f(2, 3, 4, name="a"), f(2, 4, 5, name="b")],
     {"equation": "bij,bjk->bik"}),
    ("ellipsis", "Einsum", [f(2, 1, 3, 4, name="a"), f(2, 6, 4, 5, name="b")],
     {"equation": "...ij,...jk->...ik"}),
    ("outer", "Einsum", [f(3, name="a"), f(4, name="b")], {"equation": "i,j->ij"}),
    ("three", "Einsum", [A, B, f(5, 2, name="d")], {"equation": "ab,bc,cd->ad"}),
    ("f64", "Einsum", [A.astype(np.float64), B.astype(np.float64)], {"equation": "ij,jk->ki"}),
    ("i64", "Einsum", [ints(3, 4), ints(4, 2, name="j")], {"equation": "ij,jk->ik"}),
    ("empty", "Einsum", [f(3, 0, name="a"), f(0, 2, name="b")], {"equation": "ij,jk->ik"}),
    ("heads", "Einsum", [f(2, 5, 3, 4, name="a"), f(2, 6, 3, 4, name="b")],
     {"equation": "bqhd,bkhd->bhqk"}),
    ("one", "Einsum", [f32([2.0, 3.0]), f(2, 2, name="b")], {"equation": "i,ij"}),
])
Q5, K5 = f(2, 9, 3, 8, name="q"), f(2, 7, 3, 8, name="k")
WEIGHT = Const(f(8, 3, 11, name="w"))
family("Einsum_products_12", 12, [  # large enough to be matrix products
    ("heads", "Einsum", [Q5, K5], {"equation": "bqhd,bkhd->bhqk"}),
    ("mix", "Einsum", [f(2, 3, 9, 7, name="p"), K5], {"equation": "bhqk,bkhd->bqhd"}),
    ("product", "Einsum", [f(13, 12, name="a"), f(12, 17, name="b")], {"equation": "ij,jk->ik"}),
    ("turned", "Einsum", [f(13, 12, name="a"), f(17, 12, name="b")], {"equation": "ij,kj->ki"}),
    ("weights", "Einsum", [f(5, 4, 8, name="a"), WEIGHT], {"equation": "btd,dhe->bthe"}),
    ("turned_weights", "Einsum", [f(5, 4, 3, 11, name="a"), WEIGHT],
     {"equation": "bthe,dhe->btd"}),
    ("ellipsis", "Einsum", [f(2, 1, 9, 8, name="a"), f(1, 3, 8, 5, name="b")],
     {"equation": "...ij,...jk->...ik"}),
    ("diagonal", "Einsum", [f(16, 16, name="a"), f(16, 9, name="b")], {"equation": "ii,ik->ik"}),
    ("outer", "Einsum", [f(40, name="a"), f(30, name="b")], {"equation": "i,j->ji"}),
    ("dot", "Einsum", [f(900, name="a"), f(900, name="b")], {"equation": "i,i"}),
    ("one_sided", "Einsum", [f(20, 10, name="a"), f(10, 6, name="b")], {"equation": "aj,jk->k"}),
    ("f64", "Einsum", [Q5.astype(np.float64), K5.astype(np.float64)],
     {"equation": "bqhd,bkhd->bhqk"}),
])
