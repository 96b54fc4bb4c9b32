# SPDX-License-Identifier: Apache-2.0
"""The folders of tests/golden/onnx_op that hold subgraphs, as ONNX text."""
import numpy as np
import onnx.parser

from onnx_files import save
from onnx_op_cases import f
from onnx_ops import SEED, TABLE


def control(name, opset, text, feeds, what):
    def make():
        model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]>\n{text}')
        model.producer_name = "onnx.parser"
        save("onnx_op", name, model, feeds, seed=SEED, optimise=False, what=what)

    TABLE[name] = make


control("Scan_11", 11, """
agraph (float[3] h, float[5,3] x, float[3,2,5] z, float[3] bias)
    => (float[3] last, float[5,3] ys, float[3,5] columns, float[2,3] sum, float[5,2,3] slices) {
  last, ys, columns = Scan(h, x) <num_scan_inputs = 1, scan_output_axes = [0, 1],
      scan_output_directions = [1, 0], body = step (float[3] s, float[3] v)
      => (float[3] t, float[3] y, float[3] c) {
    a = Add(s, v)
    b = Mul(a, bias)
    t = Tanh(b)
    y = Sub(t, v)
    c = Identity(s)
  }>
  zero = Constant<value = float[2,3] {0, 0, 0, 0, 0, 0}>()
  sum, slices = Scan(zero, z, x) <num_scan_inputs = 2, scan_input_axes = [-1, 0],
      scan_input_directions = [1, 0], body = both (float[2,3] s2, float[3,2] z2, float[3] x2)
      => (float[2,3] t2, float[2,3] y2) {
    w = Transpose(z2)
    t2 = Add(s2, w)
    y2 = Mul(t2, x2)
  }>
}""", {"h": f(3, name="h"), "x": f(5, 3), "z": f(3, 2, 5, name="z"), "bias": f(3, name="b")},
        "Scan over axes and in directions of its own, a captured value, by onnx.parser")

control("Scan_8", 8, """
agraph (int64[2] lens, float[2,3] h, float[2,5,3] x) => (float[2,3] last, float[2,5,3] ys) {
  last, ys = Scan(, h, x) <num_scan_inputs = 1, directions = [1],
      body = step (float[3] s, float[3] v) => (float[3] t, float[3] y) {
    a = Add(s, v)
    t = Tanh(a)
    y = Neg(t)
  }>
}""", {"lens": np.array([5, 5]), "h": f(2, 3, name="h"), "x": f(2, 5, 3)},
        "Scan with a batch, by onnx.parser")

control("Scan_8_lens", 8, """
agraph (int64[3] lens, float[3,2] h, float[3,5,2] x, float[3,5,2] z)
    => (float[3,2] last, float[3,5,2] ys, float[3,5] sums) {
  last, ys, sums = Scan(lens, h, x, z) <num_scan_inputs = 2, directions = [0, 1],
      body = step (float[2] s, float[2] v, float[2] u) => (float[2] t, float[2] y, float sum) {
    a = Add(s, v)
    t = Tanh(a)
    y = Mul(t, u)
    sum = ReduceSum<keepdims = 0>(y)
  }>
}""", {"lens": np.array([2, 5, 1]), "h": f(3, 2, name="h"), "x": f(3, 5, 2), "z": f(3, 5, 2, name="z")},
        "Scan with a batch of lengths of their own, by onnx.parser")

control("Loop_13", 13, """
agraph (float[3] h, float[4,3] w, float few)
    => (float[3] h1, float[6,3] all, float[3] h2, float[4,3] rows, float grown, int64 rounds,
        float[2] none) {
  six = Constant<value = int64 {6}>()
  yes = Constant<value = bool {1}>()
  nought = Constant<value = int64 {0}>()
  four = Constant<value = int64 {4}>()
  h1, all = Loop(six, yes, h) <body = fixed (int64 i, bool c, float[3] s)
      => (bool c1, float[3] s1, float[3] y) {
    c1 = Identity(c)
    t = Tanh(s)
    s1 = Add(t, h)
    y = Mul(s1, s)
  }>
  n, h2, rows = Loop(, yes, nought, h) <body = counted (int64 i2, bool c2, int64 k, float[3] s2)
      => (bool c3, int64 k1, float[3] s3, float[3] y2) {
    one = Constant<value = int64 {1}>()
    k1 = Add(k, one)
    c3 = Less(k1, four)
    row = Gather<axis = 0>(w, k)
    s3 = Add(s2, row)
    y2 = Sub(s3, row)
  }>
  unit = Constant<value = float {1.0}>()
  grown, rounds = Loop(, yes, unit, nought) <body = until (int64 i3, bool c4, float g, int64 m)
      => (bool c5, float g1, int64 m1) {
    two = Constant<value = float {2.0}>()
    one3 = Constant<value = int64 {1}>()
    g1 = Mul(g, two)
    m1 = Add(m, one3)
    c5 = Less(g1, few)
  }>
  pair = Constant<value = float[2] {3.0, 4.0}>()
  none = Loop(nought, yes, pair) <body = never (int64 i4, bool c6, float[2] p)
      => (bool c7, float[2] p1) {
    c7 = Identity(c6)
    p1 = Neg(p)
  }>
}""", {"h": f(3, name="h"), "w": f(4, 3, name="w"), "few": np.array(100, np.float32)},
        "Loop with a trip count, with a condition that counts, with one that depends on data, "
        "by onnx.parser")

control("If_16", 16, """
agraph (bool flag, float[2,3] x, float[3] b) => (float[2,3] y, float[2] z, float[2,3] inner) {
  two = Constant<value = float {2.0}>()
  y, z = If(flag) <then_branch = yes () => (float[2,3] y1, float[2] z1) {
    y1 = Add(x, b)
    one = Constant<value = int64[1] {1}>()
    z1 = ReduceSum<keepdims = 0>(x, one)
  }, else_branch = no () => (float[2,3] y2, float[2] z2) {
    y2 = Identity(x)
    z2 = ReduceMax<axes = [1], keepdims = 0>(x)
  }>
  other = Not(flag)
  inner = If(other) <then_branch = a () => (float[2,3] y3) {
    y3 = If(flag) <then_branch = aa () => (float[2,3] y4) { y4 = Neg(x) },
                   else_branch = ab () => (float[2,3] y5) { y5 = Mul(x, two) }>
  }, else_branch = c () => (float[2,3] y6) { y6 = Sub(x, b) }>
}""", {"flag": np.array(False), "x": f(2, 3), "b": f(3, name="b")},
        "If whose condition is an input, one inside another, by onnx.parser")

control("Sequences_17", 17, """
agraph (float[2,5] x, float[3] v, int64 n)
    => (float[a,b] joined, float[c] second, int64 length, float[d,e] grown, float[f,g] mapped,
        bool has, float[h] got, float[i,j] erased, float[k,l] rest) {
  one = Constant<value = int64 {1}>()
  yes = Constant<value = bool {1}>()
  two = Constant<value = int64 {2}>()
  parts = SplitToSequence<axis = 1>(x, two)
  joined = ConcatFromSequence<axis = 1>(parts)
  rows = SplitToSequence<keepdims = 0>(x)
  second = SequenceAt(rows, one)
  empty = SequenceEmpty<dtype = 1>()
  list = Loop(n, yes, empty) <body = grow (int64 i, bool c, seq(float[m]) s)
      => (bool c1, seq(float[o]) s1) {
    c1 = Identity(c)
    f = Cast<to = 1>(i)
    e = Mul(v, f)
    s1 = SequenceInsert(s, e)
  }>
  length = SequenceLength(list)
  grown = ConcatFromSequence<axis = 0, new_axis = 1>(list)
  negated = SequenceMap(list, v) <body = each (float[p] a, float[q] b)
      => (float[r] y) { y = Sub(a, b) }>
  mapped = ConcatFromSequence<axis = 1, new_axis = 1>(negated)
  some = Optional(v)
  has = OptionalHasElement(some)
  got = OptionalGetElement(some)
  made = SequenceConstruct(v, v, second)
  fewer = SequenceErase(made, one)
  front = SequenceInsert(fewer, v, one)
  minus = Constant<value = int64 {-1}>()
  last = SequenceAt(front, minus)
  axes = Constant<value = int64[1] {0}>()
  erased = Unsqueeze(last, axes)
  rest = SequenceAt(parts, minus)
}""",
        {"x": f(2, 5), "v": f(3, name="v"), "n": np.array(4)},
        "Sequences and optionals inside a graph, by onnx.parser")
