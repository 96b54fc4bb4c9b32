# SPDX-License-Identifier: Apache-2.0
"""Alpha158 as KunQuant ships it, compiled by its own compiler (which calls g++) for an instruction
set, in float64 with its exact statistics. Its layout: [symbols / lanes][bar][lane]."""
import numpy as np
from KunQuant.Driver import KunCompilerConfig
from KunQuant.Op import Builder, Input, Output
from KunQuant.Stage import Function
from KunQuant.jit import cfake
from KunQuant.predefined.Alpha158 import AllData
from KunQuant.runner import KunRunner

FIELDS = ("open", "high", "low", "close", "volume", "vwap")
PRICES = FIELDS[:3] + FIELDS[5:]
MACHINES = {"avx2": (4, {}), "avx512": (8, {"avx512": True, "avx512dq": True, "avx512vl": True})}


def program(leave_out):
    builder = Builder()
    with builder:
        fields = {name: Input(name) for name in FIELDS}
        data = AllData(**fields)
        data.vwap = fields["vwap"]  # which its constructor forgets
        values, names = data.build({
            "kbar": {}, "rolling": {"exclude": leave_out},
            "price": {"windows": [0], "feature": [(n.upper(), fields[n]) for n in PRICES]}})
        for value, name in zip(values, names):
            Output(value, name)
    return Function(builder.ops), names


class Alpha158:
    """`leave_out`: families that are not computed."""

    def __init__(self, isa, threads, leave_out=()):
        self.lanes, flags = MACHINES[isa]
        function, self.names = program(list(leave_out))
        config = KunCompilerConfig(dtype="double", blocking_len=self.lanes,
                                   options={"opt_reduce": True, "no_fast_stat": True})
        self.library = cfake.compileit([("alpha158", function, config)], "alpha158",
                                       cfake.CppCompilerConfig(machine=cfake.X64CPUFlags(**flags)))
        self.module = self.library.getModule("alpha158")
        self.executor = (KunRunner.createMultiThreadExecutor(threads) if threads > 1 else
                         KunRunner.createSingleThreadExecutor())

    def layout(self, panel):
        """Full blocks: the last symbol again where there are none."""
        def blocks(a):
            a = np.pad(a, ((0, 0), (0, -a.shape[1] % self.lanes)), mode="edge")
            return np.ascontiguousarray(a.reshape(len(a), -1, self.lanes).transpose(1, 0, 2))
        return {name: blocks(panel[name]) for name in FIELDS}

    def room(self, inputs):
        return {name: np.zeros_like(inputs["close"]) for name in self.names}

    def run(self, inputs, out):
        KunRunner.runGraph(self.executor, self.module, inputs, 0, inputs["close"].shape[1], out)

    def series(self, out, name, symbol):
        return out[name][symbol // self.lanes, :, symbol % self.lanes]
