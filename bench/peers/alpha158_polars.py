# SPDX-License-Identifier: Apache-2.0
"""Alpha158 as polars expressions over one symbol's frame, for bench_alpha158.py. Positions of
extremes have no rolling expression: comparisons with the shifted series, the oldest first."""
import polars as pl

WINDOWS = (5, 10, 20, 30, 60)
EPS, FLAT = 1e-12, 2e-5
O, H, L, C, V = (pl.col(f) for f in ("open", "high", "low", "close", "volume"))
ROW = pl.int_range(pl.len()).cast(pl.Float64)


def place(x, best, n):
    """From a column that holds the extreme already."""
    newest = pl.min_horizontal(ROW + 1, pl.lit(float(n)))
    return pl.coalesce([pl.when(x.shift(k) == best).then(newest - k) for k in range(n - 1, -1, -1)])


def fit(n):
    """Positions are the frame's rows."""
    count = pl.min_horizontal(ROW + 1, pl.lit(float(n)))
    mean, std = pl.col(f"mean_close_{n}"), pl.col(f"std_close_{n}")
    mean_p = ROW - (count - 1) / 2
    spread = count * (count * count - 1) / 12
    joint = pl.col(f"row_c_{n}") - count * mean * mean_p
    slope = joint / spread
    return slope, joint * joint / (spread * std * std * (count - 1)), \
        C - (mean + slope * (ROW - mean_p))


def shared():
    """Columns that all windows stand on."""
    d, dv = C - C.shift(1), V - V.shift(1)
    columns = {"ratio": C / C.shift(1), "u": (C / C.shift(1) - 1).abs() * V,
               "up": (C > C.shift(1)).fill_null(False).cast(pl.Float64),
               "down": (C < C.shift(1)).fill_null(False).cast(pl.Float64),
               "log_v": (V + 1).log(), "log_vr": (V / V.shift(1) + 1).log(), "row_c": C * ROW,
               "gain": d.clip(lower_bound=0), "loss": (-d).clip(lower_bound=0), "move": d.abs(),
               "v_gain": dv.clip(lower_bound=0), "v_loss": (-dv).clip(lower_bound=0),
               "v_move": dv.abs()}
    return [value.alias(name) for name, value in columns.items()]


def rolled():
    """Columns of one rolling function each."""
    columns = {}
    for n in WINDOWS:
        roll = {"window_size": n, "min_samples": 1}
        for x in ("gain", "loss", "move", "v_gain", "v_loss", "v_move", "row_c"):
            columns[f"{x}_{n}"] = pl.col(x).rolling_sum(**roll)
        for x in ("up", "down", "u", "close", "volume"):
            columns[f"mean_{x}_{n}"] = pl.col(x).rolling_mean(**roll)
        for x in ("u", "close", "volume", "ratio", "log_v", "log_vr"):
            columns[f"std_{x}_{n}"] = pl.col(x).rolling_std(**roll)
        columns[f"high_{n}"] = H.rolling_max(**roll)
        columns[f"low_{n}"] = L.rolling_min(**roll)
    return [value.alias(name) for name, value in columns.items()]


def places():
    """Columns of where the extremes lie."""
    columns = {}
    for n in WINDOWS:
        columns[f"at_high_{n}"] = place(H, pl.col(f"high_{n}"), n)
        columns[f"at_low_{n}"] = place(L, pl.col(f"low_{n}"), n)
    return [value.alias(name) for name, value in columns.items()]


def window_forms(n):
    slope, square, residual = fit(n)
    high, low = pl.col(f"high_{n}"), pl.col(f"low_{n}")
    at_high, at_low = pl.col(f"at_high_{n}"), pl.col(f"at_low_{n}")
    up, down = pl.col(f"mean_up_{n}"), pl.col(f"mean_down_{n}")

    def mean(x):
        return pl.col(f"mean_{x}_{n}")

    def std(x):
        return pl.col(f"std_{x}_{n}")

    def sums(mark):
        gain, loss, move = (pl.col(f"{mark}{x}_{n}") for x in ("gain", "loss", "move"))
        move = move + EPS
        return gain / move, loss / move, (gain - loss) / move

    def corr(x, y):
        r = pl.rolling_corr(pl.col(x), pl.col(y), window_size=n, min_samples=1)
        return pl.when((std(x) <= FLAT) | (std(y) <= FLAT)).then(None).otherwise(r)

    gains, v_gains = sums(""), sums("v_")
    quantile = {q: C.rolling_quantile(q, interpolation="linear", window_size=n, min_samples=1)
                for q in (0.2, 0.8)}
    rank = C.rolling_rank(n, method="average", min_samples=1)
    return {
        "ROC": C.shift(n) / C, "MA": mean("close") / C,
        "STD": std("close") / C, "BETA": slope / C,
        "RSQR": pl.when(std("close") <= FLAT).then(None).otherwise(square), "RESI": residual / C,
        "MAX": high / C, "MIN": low / C, "QTLU": quantile[0.8] / C, "QTLD": quantile[0.2] / C,
        "RANK": rank / pl.min_horizontal(ROW + 1, pl.lit(float(n))),
        "RSV": (C - low) / (high - low + EPS), "IMAX": at_high / n, "IMIN": at_low / n,
        "IMXD": (at_high - at_low) / n, "CORR": corr("close", "log_v"),
        "CORD": corr("ratio", "log_vr"), "CNTP": up, "CNTN": down,
        "CNTD": up - down, "SUMP": gains[0], "SUMN": gains[1], "SUMD": gains[2],
        "VMA": mean("volume") / (V + EPS),
        "VSTD": std("volume") / (V + EPS),
        "WVMA": std("u") / (mean("u") + EPS),
        "VSUMP": v_gains[0], "VSUMN": v_gains[1], "VSUMD": v_gains[2]}


def expressions():
    span, top, bottom = H - L + EPS, pl.max_horizontal(O, C), pl.min_horizontal(O, C)
    out = {"KMID": (C - O) / O, "KLEN": (H - L) / O, "KMID2": (C - O) / span,
           "KUP": (H - top) / O, "KUP2": (H - top) / span, "KLOW": (bottom - L) / O,
           "KLOW2": (bottom - L) / span, "KSFT": (2 * C - H - L) / O,
           "KSFT2": (2 * C - H - L) / span, "OPEN0": O / C, "HIGH0": H / C, "LOW0": L / C,
           "VWAP0": pl.col("vwap") / C}
    windows = {n: window_forms(n) for n in WINDOWS}
    for name in windows[WINDOWS[0]]:
        for n in WINDOWS:
            out[f"{name}{n}"] = windows[n][name]
    return [value.alias(name) for name, value in out.items()]


def alpha158():
    """One symbol's frame to its features; the expressions are made once."""
    steps, last = (shared(), rolled(), places()), expressions()

    def features(frame):
        for columns in steps:
            frame = frame.with_columns(columns)
        return frame.select(last)
    return features
