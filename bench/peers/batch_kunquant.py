# SPDX-License-Identifier: Apache-2.0
"""The thirty definitions (bench/definitions.h) written with KunQuant's operators, TA-Lib's seeds and
all, and compiled by its own compiler (which calls g++) in float64. Its windows and regressions are
its own; what remembers more than a window is kept in its accumulators. Guards for series that stand
still are left out, which only helps it."""
import numpy as np
from KunQuant.Driver import KunCompilerConfig
from KunQuant.Op import Builder, ConstantOp, ForeachBackWindow, Input, IterValue, Output
from KunQuant.Op import WindowedTempOutput
from KunQuant.Stage import Function
from KunQuant.jit import cfake
from KunQuant.ops import (Abs, Accumulator, And, BackRef, DecayLinear, Equals, ExpMovingAvg, Max,
                          Min, ReduceAdd, Select, SetAccumulator, TsArgMax, TsArgMin,
                          WindowedLinearRegressionResi, WindowedMax, WindowedMin, WindowedStddev,
                          WindowedSum)
from KunQuant.predefined.talib import TRANGE
from KunQuant.runner import KunRunner

from alpha158_kunquant import MACHINES

FIELDS = ("open", "high", "low", "close", "volume")


class Forms:
    """Each method answers the outputs of a definition, in the order of its calls."""

    def __init__(self):
        self.o, self.h, self.l, self.c, self.v = (Input(name) for name in FIELDS)
        self.kept = 0

    # what the definitions are made of

    def memory(self, x, start=0):
        self.kept += 1
        return Accumulator(x, f"kept{self.kept}", is_whole_time_required=True, init_val=start)

    def known(self, x, value):
        """value, missing where x is."""
        return Select(Equals(x, x), value, ConstantOp("nan"))

    def recurrence(self, x, first, keep, weight, seed, skip=0, wait=0):
        """seed * x summed over the first values, then keep * itself + weight * x."""
        ok = Equals(x, x)
        count, value = self.memory(x), self.memory(x)
        n = SetAccumulator(count, ok, count + 1)
        begun = Select(n > skip, value + x * seed, ConstantOp(0))
        value = SetAccumulator(value, ok, Select(n > first + skip, value * keep + x * weight, begun))
        return Select(n >= first + skip + wait, value, ConstantOp("nan"))

    def ema(self, x, n, skip=0):
        a = 2 / (n + 1)
        return self.recurrence(x, n, 1 - a, a, 1 / n, skip)

    def wilder(self, x, n):
        return self.recurrence(x, n, 1 - 1 / n, 1 / n, 1 / n)

    def wilder_sum(self, x, n):
        return self.recurrence(x, n - 1, 1 - 1 / n, 1, 1, wait=1)

    def change(self, x):
        return x - BackRef(x, 1)

    def mean(self, x, n):
        """Faster than WindowedAvg, which keeps a mean of its own."""
        return WindowedSum(x, n) / n

    def deviation(self, x, n):
        """Short windows are faster summed anew than kept."""
        deviation = WindowedStddev(x, n)
        deviation.attrs["no_fast_stat"] = n < 10
        return deviation * ((n - 1) / n) ** 0.5

    def place(self, high, low, close, n):
        least = WindowedMin(low, n)
        return (close - least) / (WindowedMax(high, n) - least) * 100

    def movements(self):
        up, down = self.change(self.h), 0 - self.change(self.l)
        zero = ConstantOp(0)
        return (self.known(up, Select(And(up > down, up > 0), up, zero)),
                self.known(up, Select(And(down > up, down > 0), down, zero)))

    def rise_and_fall(self, n):
        d = self.change(self.c)
        rise = self.known(d, Max(d, ConstantOp(0)))
        return self.wilder(rise, n), self.wilder(rise - d, n)

    def flow(self):
        value = self.memory(self.c)
        part = ((self.c - self.l) - (self.h - self.c)) / (self.h - self.l) * self.v
        return SetAccumulator(value, Equals(part, part), value + part)

    # the definitions

    def sma(self):
        return [self.mean(self.c, 30)]

    def ema_talib(self):
        return [self.ema(self.c, 30)]

    def wma(self):
        return [DecayLinear(self.c, 30)]

    def dema(self):
        one = self.ema(self.c, 30)
        return [one * 2 - self.ema(one, 30)]

    def tema(self):
        one = self.ema(self.c, 30)
        two = self.ema(one, 30)
        return [(one - two) * 3 + self.ema(two, 30)]

    def kama(self):
        ratio = Abs(self.c - BackRef(self.c, 30)) / WindowedSum(Abs(self.change(self.c)), 30)
        root = ratio * (2 / 3 - 2 / 31) + 2 / 31
        value = self.memory(self.c, "nan")
        before = Select(Equals(value, value), value, BackRef(self.c, 1))
        ok = Equals(ratio, ratio)
        return [SetAccumulator(value, ok, before + root * root * (self.c - before))]

    def bbands(self):
        middle, width = self.mean(self.c, 20), self.deviation(self.c, 20) * 2
        return [middle + width, middle, middle - width]

    def rsi_talib(self):
        rise, fall = self.rise_and_fall(14)
        return [rise / (rise + fall) * 100]

    def macd(self):
        line = self.ema(self.c, 12, skip=14) - self.ema(self.c, 26)
        signal = self.ema(line, 9)
        return [line, signal, line - signal]

    def stoch(self):
        k = self.mean(self.place(self.h, self.l, self.c, 5), 3)
        return [k, self.mean(k, 3)]

    def stochrsi(self):
        strength, = self.rsi_talib()
        k = self.place(strength, strength, strength, 5)
        return [k, self.mean(k, 3)]

    def cci(self):
        typical = (self.h + self.l + self.c) / 3
        mean = self.mean(typical, 14)
        kept = WindowedTempOutput(typical, 14)
        with ForeachBackWindow(kept, 14) as each:
            off = Abs(IterValue(each, kept) - mean)
        return [(typical - mean) / (ReduceAdd(off) * (0.015 / 14))]

    def adx(self):
        return [self.wilder(self.dx()[0], 14)]

    def plus_di(self):
        return [self.wilder_sum(self.movements()[0], 14) * 100
                / self.wilder_sum(TRANGE(self.h, self.l, self.c), 14)]

    def dx(self):
        up, down = (self.wilder_sum(m, 14) for m in self.movements())
        return [Abs(up - down) / (up + down) * 100]

    def atr_talib(self):
        return [self.wilder(TRANGE(self.h, self.l, self.c), 14)]

    def natr(self):
        return [self.atr_talib()[0] / self.c * 100]

    def tr(self):
        return [TRANGE(self.h, self.l, self.c)]

    def willr(self):
        most = WindowedMax(self.h, 14)
        return [(most - self.c) / (most - WindowedMin(self.l, 14)) * -100]

    def mfi(self):
        typical = (self.h + self.l + self.c) / 3
        d, zero = self.change(typical), ConstantOp(0)
        amount = typical * self.v
        rises = WindowedSum(self.known(d, Select(d > 0, amount, zero)), 14)
        falls = WindowedSum(self.known(d, Select(d < 0, amount, zero)), 14)
        return [rises / (rises + falls) * 100]

    def obv(self):
        value, d = self.memory(self.c), self.change(self.c)
        first = Select(Equals(d, d), ConstantOp(0), self.v)
        part = Select(d > 0, self.v, Select(d < 0, 0 - self.v, first))
        return [SetAccumulator(value, Equals(part, part), value + part)]

    def ad(self):
        return [self.flow()]

    def adosc(self):
        flow = self.flow()
        return [ExpMovingAvg(flow, 3) - ExpMovingAvg(flow, 10)]

    def roc(self):
        return [(self.c / BackRef(self.c, 10) - 1) * 100]

    def cmo(self):
        rise, fall = self.rise_and_fall(14)
        return [(rise - fall) / (rise + fall) * 100]

    def trix(self):
        three = self.ema(self.ema(self.ema(self.c, 30), 30), 30)
        return [(three / BackRef(three, 1) - 1) * 100]

    def std_pop(self):
        return [self.deviation(self.c, 5)]

    def aroon(self):
        return [(TsArgMax(self.h, 15) - 1) * (100 / 14), (TsArgMin(self.l, 15) - 1) * (100 / 14)]

    def linreg(self):
        return [self.c - WindowedLinearRegressionResi(self.c, 14)]

    def ultosc(self):
        before = BackRef(self.c, 1)
        pressure = self.known(before, self.c - Min(self.l, before))
        true_range = TRANGE(self.h, self.l, self.c)
        parts = [WindowedSum(pressure, n) / WindowedSum(true_range, n) for n in (7, 14, 28)]
        return [(parts[0] * 4 + parts[1] * 2 + parts[2]) * (100 / 7)]


def program(ids):
    """The outputs are id_0, id_1, ... with each dot an underscore."""
    builder = Builder()
    with builder:
        forms = Forms()
        for name in (id_.replace(".", "_") for id_ in ids):
            for k, value in enumerate(getattr(forms, name)()):
                Output(value, f"{name}_{k}")
    return Function(builder.ops)


class Batch:
    """`programs`: name -> ids. Its own layout, "STs": [symbols / lanes][bar][lane]; those named in
    `matrices` read and write "TS", [bar, symbol]. One partition each, since what its programs hand
    from one to the next goes through memory."""

    def __init__(self, isa, programs, matrices=()):
        self.lanes, flags = MACHINES[isa]
        made = []
        for name, ids in programs.items():
            layout = "TS" if name in matrices else "STs"
            made.append((name, program(ids), KunCompilerConfig(
                dtype="double", blocking_len=self.lanes, partition_factor=1000,
                input_layout=layout, output_layout=layout,
                options={"opt_reduce": True, "no_fast_stat": "no_warn"})))
        self.library = cfake.compileit(made, "batch", cfake.CppCompilerConfig(
            machine=cfake.X64CPUFlags(**flags)))
        self.executor = KunRunner.createSingleThreadExecutor()

    def layout(self, a):
        """Full blocks: the last symbol again where there are none."""
        a = np.pad(a, ((0, 0), (0, -a.shape[1] % self.lanes)), mode="edge")
        return np.ascontiguousarray(a.reshape(len(a), -1, self.lanes).transpose(1, 0, 2))

    def run(self, name, inputs, out, n_bars):
        KunRunner.runGraph(self.executor, self.library.getModule(name), inputs, 0, n_bars, out)

    def series(self, out, symbol):
        return out[symbol // self.lanes, :, symbol % self.lanes]
