# SPDX-License-Identifier: Apache-2.0
"""OpenVINO on one model, timed as `hayate bench` times: one JSON object.

    python bench/peers/openvino_model.py MODEL --batch 512 --threads 2 --seconds 1

Float32, one stream, latency hint, inputs rotating among 4 random batches or the rows of --input.
"""
import argparse
import json
import time

import numpy as np
import openvino


def shape_of(port, batch):
    return [d.get_length() if d.is_static else batch for d in port.get_partial_shape()]


def inputs_of(model, args):
    rows = dict(np.load(args.input)) if args.input else None
    r = np.random.default_rng(7)
    sets = []
    for k in range(4):
        feed = {}
        for port in model.inputs:
            shape = shape_of(port, args.batch)
            if rows is None:
                feed[port.any_name] = r.normal(size=shape).astype("f4")
            else:
                feed[port.any_name] = rows[port.any_name][k * shape[0]:(k + 1) * shape[0]].copy()
        sets.append(feed)
    return sets


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--input")
    args = parser.parse_args()
    core = openvino.Core()
    model = core.read_model(args.model)
    model.reshape({p.any_name: shape_of(p, args.batch) for p in model.inputs})
    compiled = core.compile_model(model, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": args.threads})
    request = compiled.create_infer_request()
    sets = inputs_of(model, args)
    times, until = [], time.perf_counter() + args.seconds
    while time.perf_counter() < until or len(times) < 8:
        feed = sets[len(times) % len(sets)]
        began = time.perf_counter()
        request.infer(feed, share_inputs=True, share_outputs=True)
        times.append(time.perf_counter() - began)
    times.sort()
    p50 = times[len(times) // 2] * 1e6
    print(json.dumps(dict(backend="openvino " + openvino.__version__.split("-")[0], p50_us=p50,
                          runs=len(times), rows_per_s=args.batch / p50 * 1e6)))


if __name__ == "__main__":
    main()
