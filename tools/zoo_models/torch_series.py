# SPDX-License-Identifier: Apache-2.0
"""Networks over windows of bars as PyTorch's two exporters write them."""
import io
import math
import warnings

import onnx
import torch
from torch import nn
from torch.nn import functional as F

from . import SEED, Feed, Model, add

warnings.filterwarnings("ignore")


class Fn(nn.Module):
    """A module from layers and a function over them."""

    def __init__(self, forward, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.function = forward

    def forward(self, *x):
        return self.function(self, *x)


def mlp(*widths, act=nn.ReLU, last=None):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


def settled(net):
    """BatchNorm as after training."""
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return net


def residual_mlp():
    block = lambda: nn.Sequential(nn.LayerNorm(48), nn.Linear(48, 96), nn.GELU(), nn.Linear(96, 48))
    return Fn(lambda s, x: s.head(s.b2(y := s.b1(x0 := s.up(x)) + x0) + y),
              up=nn.Linear(24, 48), b1=block(), b2=block(), head=nn.Linear(48, 1))


def norms_mlp():
    return settled(nn.Sequential(
        nn.BatchNorm1d(20), nn.Linear(20, 33), nn.LayerNorm(33), nn.GELU(), nn.Dropout(0.3),
        nn.Linear(33, 17), nn.BatchNorm1d(17), nn.SiLU(), nn.Linear(17, 5), nn.Softmax(-1)))


def recurrent(kind, width, hidden, last=True, **kwargs):
    cls = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind]
    rnn = cls(width, hidden, batch_first=True, **kwargs)
    out = hidden * (2 if kwargs.get("bidirectional") else 1)
    return Fn(lambda s, x: s.head(s.rnn(x)[0][:, -1] if last else s.rnn(x)[0]),
              rnn=rnn, head=nn.Linear(out, 1))


def state_read(kind):
    """The head reads the last hidden states of all layers."""
    cls = {"lstm": nn.LSTM, "gru": nn.GRU}[kind]

    def forward(s, x):
        state = s.rnn(x)[1]
        h = state[0] if kind == "lstm" else state
        return s.head(torch.cat([h[-1], h[-2]], -1))
    return Fn(forward, rnn=cls(12, 24, num_layers=2, batch_first=True), head=nn.Linear(48, 2))


def cells(kind):
    """A step-by-step loop over cells: unrolled by the exporters."""
    cell = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}[kind](8, 16)

    def forward(s, x):
        h = x.new_zeros(x.shape[0], 16)
        c = h
        for t in range(12):
            if kind == "lstm":
                h, c = s.cell(x[:, t], (h, c))
            else:
                h = s.cell(x[:, t], h)
        return s.head(h)
    return Fn(forward, cell=cell, head=nn.Linear(16, 1))


def five_frames():
    """An LSTM per timeframe, their ends joined."""
    names = [f"r{k}" for k in range(5)]

    def forward(s, *x):
        ends = [getattr(s, name)(v)[0][:, -1] for name, v in zip(names, x)]
        return s.head(torch.cat(ends, -1))
    layers = {name: nn.LSTM(10, 32, batch_first=True) for name in names}
    return Fn(forward, head=mlp(160, 32, 1), **layers)


def attention_pool():
    def forward(s, x):
        y = s.rnn(x)[0]
        w = torch.softmax(s.score(torch.tanh(s.proj(y))), dim=1)
        return s.head((w * y).sum(1))
    return Fn(forward, rnn=nn.LSTM(10, 24, batch_first=True), proj=nn.Linear(24, 24),
              score=nn.Linear(24, 1, bias=False), head=nn.Linear(24, 1))


def lstm_symbols():
    """Symbols as embeddings beside the window."""
    def forward(s, x, symbol):
        e = s.table(symbol).unsqueeze(1).expand(-1, x.shape[1], -1)
        return s.head(s.rnn(torch.cat([x, e], -1))[0][:, -1])
    return Fn(forward, table=nn.Embedding(50, 6), rnn=nn.LSTM(14, 20, batch_first=True),
              head=nn.Linear(20, 1))


class Causal(nn.Module):
    """A dilated causal convolution, chopped or padded on the left."""

    def __init__(self, a, b, k, d, norm=True):
        super().__init__()
        conv = nn.Conv1d(a, b, k, dilation=d)
        self.conv = nn.utils.parametrizations.weight_norm(conv) if norm else conv
        self.left = (k - 1) * d

    def forward(self, x):
        return self.conv(F.pad(x, (self.left, 0)))


class TcnBlock(nn.Module):
    def __init__(self, a, b, d, norm=True):
        super().__init__()
        self.one, self.two = Causal(a, b, 3, d, norm), Causal(b, b, 3, d, norm)
        self.skip = nn.Conv1d(a, b, 1) if a != b else nn.Identity()

    def forward(self, x):
        return torch.relu(torch.relu(self.two(torch.relu(self.one(x)))) + self.skip(x))


def tcn(last=True, norm=True, width=24):
    body = nn.Sequential(*[TcnBlock(8 if k == 0 else width, width, 2 ** k, norm)
                           for k in range(4)])
    return Fn(lambda s, x: s.head(s.body(x.transpose(1, 2))[..., -1] if last
                                  else s.body(x.transpose(1, 2)).transpose(1, 2)),
              body=body, head=nn.Linear(width, 1))


def wavenet():
    """Gated activations and skips."""
    def forward(s, x):
        x, skips = s.first(x.transpose(1, 2)), 0
        for f, g, r in zip(s.filters, s.gates, s.mixes):
            z = torch.tanh(f(x)) * torch.sigmoid(g(x))
            skips = skips + z
            x = x + r(z)
        return s.head(torch.relu(skips)[..., -1])
    make = lambda: nn.ModuleList([Causal(16, 16, 2, 2 ** k, False) for k in range(5)])
    return Fn(forward, first=nn.Conv1d(6, 16, 1), filters=make(), gates=make(),
              mixes=nn.ModuleList([nn.Conv1d(16, 16, 1) for _ in range(5)]), head=nn.Linear(16, 1))


def cnn1d():
    return settled(Fn(lambda s, x: s.body(x.transpose(1, 2)), body=nn.Sequential(
        nn.Conv1d(8, 16, 5, padding=2), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(16, 32, 3, stride=2), nn.BatchNorm1d(32), nn.LeakyReLU(0.1), nn.AvgPool1d(3, 2),
        nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 3))))


def cnn2d():
    """A chart as an image."""
    return settled(nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 16, 1), nn.BatchNorm2d(16),
        nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2)))


def squeeze_excite():
    def forward(s, x):
        y = s.conv(x.transpose(1, 2))
        w = torch.sigmoid(s.up(torch.relu(s.down(y.mean(-1)))))
        return s.head((y * w.unsqueeze(-1)).amax(-1))
    return Fn(forward, conv=nn.Conv1d(8, 16, 3), down=nn.Linear(16, 4), up=nn.Linear(4, 16),
              head=nn.Linear(16, 1))


def autoencoder():
    """Strided convolutions and their transposes; the error per window is the answer."""
    def forward(s, x):
        y = s.up(s.down(x.transpose(1, 2))).transpose(1, 2)
        return ((y - x) ** 2).mean((1, 2))
    down = nn.Sequential(nn.Conv1d(6, 12, 4, 2, 1), nn.ReLU(), nn.Conv1d(12, 8, 4, 2, 1))
    up = nn.Sequential(nn.ConvTranspose1d(8, 12, 4, 2, 1), nn.ReLU(),
                       nn.ConvTranspose1d(12, 6, 4, 2, 1))
    return Fn(forward, down=down, up=up)


def group_norms():
    return Fn(lambda s, x: s.head(s.i(s.g(s.c(x.transpose(1, 2)))).mean(-1)),
              c=nn.Conv1d(6, 16, 3), g=nn.GroupNorm(4, 16), i=nn.InstanceNorm1d(16, affine=True),
              head=nn.Linear(16, 1))


def positions(t, d):
    at, k = torch.arange(t).unsqueeze(1), torch.arange(0, d, 2)
    out = torch.zeros(t, d)
    out[:, 0::2], out[:, 1::2] = torch.sin(at / 1e4 ** (k / d)), torch.cos(at / 1e4 ** (k / d))
    return out


class Encoder(nn.Module):
    """Embedding, positions, transformer layers, the last or the mean of the tokens."""

    def __init__(self, f=8, d=32, heads=4, layers=2, t=24, read="last", causal=False, **kwargs):
        super().__init__()
        self.up = nn.Linear(f, d)
        self.register_buffer("at", positions(t, d))
        layer = nn.TransformerEncoderLayer(d, heads, d * 2, batch_first=True, **kwargs)
        self.body = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head, self.read = nn.Linear(d, 1), read
        mask = torch.full((t, t), -math.inf).triu(1) if causal else None
        self.register_buffer("mask", mask)

    def forward(self, x):
        y = self.body(self.up(x) + self.at, mask=self.mask)
        return self.head(y[:, -1] if self.read == "last" else y.mean(1))


def plain_attention(causal):
    """scaled_dot_product_attention by hand, packed QKV."""
    def forward(s, x):
        b, t, _ = x.shape
        q, k, v = s.qkv(x).view(b, t, 3, 4, 8).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return s.head(y.transpose(1, 2).reshape(b, t, 32)[:, -1])
    return Fn(forward, qkv=nn.Linear(10, 96), head=nn.Linear(32, 1))


def cross_attention():
    def forward(s, x, y):
        z, w = s.attend(s.a(x), s.b(y), s.b(y))
        return s.head(z.mean(1)), w
    return Fn(forward, a=nn.Linear(6, 16), b=nn.Linear(5, 16),
              attend=nn.MultiheadAttention(16, 2, batch_first=True), head=nn.Linear(16, 1))


def rms_swiglu():
    """The block of today's language models, over bars."""
    def forward(s, x):
        y = s.up(x)
        z = s.n1(y)
        y = y + s.down(F.silu(s.gate(z)) * s.wide(z))
        return s.head(s.n2(y)[:, -1])
    return Fn(forward, up=nn.Linear(8, 32), n1=nn.RMSNorm(32), n2=nn.RMSNorm(32),
              gate=nn.Linear(32, 64), wide=nn.Linear(32, 64), down=nn.Linear(64, 32),
              head=nn.Linear(32, 1))


def patches():
    """PatchTST's shape: patches of each feature's own series."""
    def forward(s, x):
        b = x.shape[0]
        p = x.transpose(1, 2).unfold(-1, 8, 4)
        y = s.body(s.up(p.reshape(b * 6, 7, 8)))
        return s.head(y.reshape(b, 6, 7 * 16)).transpose(1, 2)
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    return Fn(forward, up=nn.Linear(8, 16), head=nn.Linear(112, 5),
              body=nn.TransformerEncoder(layer, 1, enable_nested_tensor=False))


def dlinear():
    """Trend and rest apart, a linear layer each."""
    def forward(s, x):
        x = x.transpose(1, 2)
        front, back = x[..., :1].repeat(1, 1, 2), x[..., -1:].repeat(1, 1, 2)
        trend = s.mean(torch.cat([front, x, back], -1))
        return (s.t(trend) + s.r(x - trend)).transpose(1, 2)
    return Fn(forward, mean=nn.AvgPool1d(5, 1), t=nn.Linear(30, 6), r=nn.Linear(30, 6))


def nbeats():
    """Blocks that take their backcast off."""
    def forward(s, x):
        y, out = x, 0
        for block in s.blocks:
            z = block(y)
            y, out = y - z[:, :20], out + z[:, 20:]
        return out
    return Fn(forward, blocks=nn.ModuleList([mlp(20, 32, 32, 25) for _ in range(3)]))


def reversible():
    """Windows normalised by their own mean and deviation, and back (RevIN)."""
    def forward(s, x):
        m = x.mean(1, keepdim=True)
        d = torch.sqrt(x.var(1, keepdim=True, unbiased=False) + 1e-5)
        y = s.t(((x - m) / d * s.w + s.b).transpose(1, 2)).transpose(1, 2)
        return (y - s.b) / s.w * d + m
    return Fn(forward, t=nn.Linear(24, 4), w=nn.Parameter(torch.rand(5) + 0.5),
              b=nn.Parameter(torch.randn(5)))


def gated_residual():
    """A temporal fusion transformer's gated residual network with variable selection."""
    def forward(s, x):
        w = torch.softmax(s.pick(x), -1)
        y = s.up(x * w)
        a, b = s.glu(F.elu(s.mid(y))).chunk(2, -1)
        return s.head(s.norm(y + a * torch.sigmoid(b)).flatten(1))
    return Fn(forward, pick=nn.Linear(8, 8), up=nn.Linear(8, 16), mid=nn.Linear(16, 16),
              glu=nn.Linear(16, 32), norm=nn.LayerNorm(16), head=nn.Linear(16 * 10, 3))


def experts():
    """A softmax over experts."""
    def forward(s, x):
        w = torch.softmax(s.gate(x), -1)
        y = torch.stack([e(x) for e in s.experts], -1)
        return torch.einsum("bok,bk->bo", y, w)
    return Fn(forward, gate=nn.Linear(16, 4), experts=nn.ModuleList([mlp(16, 24, 2)
                                                                     for _ in range(4)]))


def quantiles():
    """Quantiles that cannot cross."""
    def forward(s, x):
        y = s.body(x)
        return torch.cat([y[:, :1], y[:, :1] + torch.cumsum(F.softplus(y[:, 1:]), -1)], -1)
    return Fn(forward, body=mlp(12, 32, 5))


def conv_lstm():
    return Fn(lambda s, x: s.head(s.rnn(torch.relu(s.conv(x.transpose(1, 2)))
                                        .transpose(1, 2))[0][:, -1]),
              conv=nn.Conv1d(8, 16, 3, padding=1), rnn=nn.LSTM(16, 24, batch_first=True),
              head=nn.Linear(24, 1))


def stateful():
    def forward(s, x, h, c):
        y, (h, c) = s.rnn(x, (h, c))
        return s.head(y[:, -1]), h, c
    return Fn(forward, rnn=nn.LSTM(6, 12, num_layers=2, batch_first=True), head=nn.Linear(12, 1))


def half_widths():
    """Multi-scale branches by pooling and interpolation."""
    def forward(s, x):
        x = x.transpose(1, 2)
        low = F.interpolate(s.b(F.avg_pool1d(x, 2)), scale_factor=2.0, mode="nearest")
        return s.head((s.a(x) + low).mean(-1))
    return Fn(forward, a=nn.Conv1d(6, 12, 3, padding=1), b=nn.Conv1d(6, 12, 3, padding=1),
              head=nn.Linear(12, 1))


class Scripted(torch.jit.ScriptModule):
    """Loops that stay loops: the cell as a module, over [x, h], and gate by gate."""

    def __init__(self, form: int):
        super().__init__()
        self.form = form
        self.cell = nn.LSTMCell(8, 16)
        self.joined = nn.Linear(8 + 16, 4 * 16)
        self.outside = nn.Linear(8, 3 * 16)
        self.z, self.r, self.n = (nn.Linear(16, 16, bias=False) for _ in range(3))
        self.head = nn.Linear(16, 1)

    @torch.jit.script_method
    def forward(self, x):
        h = torch.zeros(x.shape[0], 16)
        c = torch.zeros(x.shape[0], 16)
        p = self.outside(x).transpose(0, 1)
        for t in range(x.shape[1]):
            if self.form == 0:
                h, c = self.cell(x[:, t], (h, c))
            elif self.form == 1:
                f, i, o, g = self.joined(torch.cat([x[:, t], h], -1)).chunk(4, -1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
            else:
                q = p[t]
                r = torch.sigmoid(q[:, 0:16] + self.r(h))
                z = torch.sigmoid(q[:, 16:32] + self.z(h))
                h = (1 - z) * h + z * torch.tanh(q[:, 32:48] + self.n(r * h))
        return self.head(h)


def scanned(kind):
    """A cell under torch's scan, which stays a Scan."""
    def forward(s, x):
        from torch._higher_order_ops.scan import scan
        h = torch.zeros(3, 16)
        if kind == "gru":
            step = lambda h, xt: (lambda y: (y, y.clone()))(s.cell(xt, h))
            return s.head(scan(step, h, x, dim=1)[1].transpose(0, 1))
        step = lambda hc, xt: (lambda y: (y, y[0].clone()))(s.cell(xt, hc))
        return s.head(scan(step, (h, torch.zeros(3, 16)), x, dim=1)[0][0])
    return Fn(forward, cell={"lstm": nn.LSTMCell, "gru": nn.GRUCell}[kind](8, 16),
              head=nn.Linear(16, 1))


def export(make, feeds, dynamo, opset, n_out=None):
    """The model as the exporter writes it, with the batch free where a feed has "n"."""
    torch.manual_seed(SEED)
    net = make().eval()
    args, axes = [], []
    for feed in feeds:
        shape = [{"n": 3, "t": 19}.get(d, d) for d in feed.shape]
        dtype = getattr(torch, feed.dtype)
        args.append(torch.randint(0, feed.high, shape) if feed.kind == "int"
                    else torch.randn(shape, dtype=dtype))
        axes.append({i: d for i, d in enumerate(feed.shape) if isinstance(d, str)})
    if any(f.dtype == "float64" for f in feeds):
        net = net.double()
    if any(f.dtype == "float16" for f in feeds):
        net = net.half()
    out = io.BytesIO()
    names = [f.name for f in feeds]
    kwargs = dict(input_names=names, opset_version=opset, verbose=False)
    if dynamo:
        dims = {d: torch.export.Dim(d, min=1, max=65536) for a in axes for d in a.values()}
        if isinstance(net, Fn) and len(args) > 1 or isinstance(net, Fn):
            shapes = (tuple({i: dims[d] for i, d in a.items()} for a in axes),)
        else:
            shapes = tuple({i: dims[d] for i, d in a.items()} for a in axes)
        program = torch.onnx.export(net, tuple(args), dynamo=True, dynamic_shapes=shapes,
                                    external_data=False, **kwargs)
        return program.model_proto
    torch.onnx.export(net, tuple(args), out, dynamo=False,
                      dynamic_axes={n: a for n, a in zip(names, axes) if a}, **kwargs)
    return onnx.load_from_string(out.getvalue())


def window(t, f, name="x"):
    return Feed(name, ["n", t, f])


def put(name, family, make, feeds, which="ld", opsets=(None, None), **kwargs):
    """Rows for the legacy (l) and the dynamo (d) exporter."""
    for letter, opset in zip("ld", opsets):
        if letter in which:
            tag = {"l": "legacy", "d": "dynamo"}[letter]
            add(Model(f"torch_{name}_{tag}", family, lambda d=letter == "d", o=opset: export(
                make, feeds, d, o), feeds, **kwargs))


row = Feed("x", ["n", 16])
put("mlp_small", "mlp", lambda: mlp(16, 16, 1), [row])
put("mlp_64", "mlp", lambda: mlp(64, 128, 64, 3), [Feed("x", ["n", 64])])
put("mlp_512", "mlp", lambda: mlp(256, 512, 512, 1), [Feed("x", ["n", 256])], which="l")
put("mlp_norms", "mlp", norms_mlp, [Feed("x", ["n", 20])])
put("mlp_residual", "mlp", residual_mlp, [Feed("x", ["n", 24])])
put("mlp_opset9", "mlp", lambda: mlp(16, 16, 1, act=nn.Tanh), [row], "l", (9, None))
put("mlp_f64", "mlp", lambda: mlp(16, 32, 1, act=nn.SiLU), [Feed("x", ["n", 16], "float64")])
put("mlp_f16", "mlp", lambda: mlp(16, 32, 1), [Feed("x", ["n", 16], "float16")], "l",
    bound=2e-3, reason="float16: ONNX Runtime rounds after every operator, hayate where it casts")
put("mlp_experts", "mlp", experts, [row])
put("mlp_quantiles", "mlp", quantiles, [Feed("x", ["n", 12])])
put("nbeats", "mlp", nbeats, [Feed("x", ["n", 20])])
put("dlinear", "mlp", dlinear, [window(30, 4)])
put("gated_residual", "mlp", gated_residual, [window(10, 8)])

put("lstm_t32_h64", "recurrent", lambda: recurrent("lstm", 16, 64), [window(32, 16)])
put("lstm_t100_h128x2", "recurrent", lambda: recurrent("lstm", 64, 128, num_layers=2),
    [window(100, 64)], "l", batches=(1, 2, 7))
put("lstm_all", "recurrent", lambda: recurrent("lstm", 10, 20, last=False), [window(24, 10)])
put("lstm_time", "recurrent", lambda: recurrent("lstm", 10, 20), [Feed("x", ["n", "t", 10])])
put("lstm_proj", "recurrent", lambda: Fn(lambda s, x: s.rnn(x)[0][:, -1], rnn=nn.LSTM(
    8, 16, num_layers=3, batch_first=True)), [window(15, 8)], "l", (14, None))
put("lstm_states", "recurrent", lambda: state_read("lstm"), [window(20, 12)])
put("gru_t64_h128", "recurrent", lambda: recurrent("gru", 32, 128), [window(64, 32)])
put("gru_stacked", "recurrent", lambda: recurrent("gru", 12, 24, num_layers=2), [window(30, 12)])
put("gru_states", "recurrent", lambda: state_read("gru"), [window(20, 12)])
put("rnn_tanh", "recurrent", lambda: recurrent("rnn", 12, 24), [window(30, 12)])
put("rnn_relu", "recurrent", lambda: recurrent("rnn", 12, 24, nonlinearity="relu"),
    [window(30, 12)])
put("lstm_cells", "recurrent", lambda: cells("lstm"), [window(12, 8)])
put("gru_cells", "recurrent", lambda: cells("gru"), [window(12, 8)])
for form, name in enumerate(("cell", "joined", "gates")):
    put(f"script_{name}", "recurrent", lambda f=form: Scripted(f), [window(12, 8)], "l", (17, None))
put("scan_lstm", "recurrent", lambda: scanned("lstm"), [Feed("x", [3, 12, 8])], "d")
put("scan_gru", "recurrent", lambda: scanned("gru"), [Feed("x", [3, 12, 8])], "d")
put("lstm_attention", "recurrent", attention_pool, [window(30, 10)])
put("lstm_symbols", "recurrent", lstm_symbols,
    [window(16, 8), Feed("symbol", ["n"], "int64", "int", high=50)])
put("lstm_stateful", "recurrent", stateful, [window(1, 6), Feed("h", [2, "n", 12]),
                                             Feed("c", [2, "n", 12])])
put("conv_lstm", "recurrent", conv_lstm, [window(24, 8)])
put("bilstm", "bidirectional", lambda: recurrent("lstm", 16, 32, bidirectional=True),
    [window(40, 16)])
put("bilstm_all_x2", "bidirectional", lambda: recurrent(
    "lstm", 8, 16, last=False, bidirectional=True, num_layers=2), [window(20, 8)])
put("bigru", "bidirectional", lambda: recurrent("gru", 16, 32, bidirectional=True),
    [window(40, 16)])
put("five_lstm", "five-LSTM", five_frames,
    [window(t, 10, f"x{k}") for k, t in enumerate((12, 16, 20, 24, 32))])

put("tcn_last", "TCN/CNN", tcn, [window(64, 8)])
put("tcn_all", "TCN/CNN", lambda: tcn(last=False), [window(40, 8)])
put("tcn_plain", "TCN/CNN", lambda: tcn(norm=False, width=64), [window(128, 8)], "l")
put("wavenet", "TCN/CNN", wavenet, [window(48, 6)])
put("cnn1d", "TCN/CNN", cnn1d, [window(48, 8)])
put("cnn2d", "TCN/CNN", cnn2d, [Feed("x", ["n", 3, 24, 24])])
put("squeeze_excite", "TCN/CNN", squeeze_excite, [window(32, 8)])
put("group_norms", "TCN/CNN", group_norms, [window(32, 6)])
put("autoencoder", "TCN/CNN", autoencoder, [window(32, 6)])
put("two_scales", "TCN/CNN", half_widths, [window(24, 6)])

put("encoder", "transformer", Encoder, [window(24, 8)])
put("encoder_gelu_first", "transformer",
    lambda: Encoder(activation="gelu", norm_first=True, read="mean"), [window(24, 8)])
put("encoder_causal", "transformer", lambda: Encoder(causal=True), [window(24, 8)])
put("encoder_t64_d64", "transformer", lambda: Encoder(f=16, d=64, t=64), [window(64, 16)], "l",
    batches=(1, 2, 7))
put("attention", "transformer", lambda: plain_attention(False), [window(20, 10)])
put("attention_causal", "transformer", lambda: plain_attention(True), [window(20, 10)])
put("attention_cross", "transformer", cross_attention,
    [window(12, 6), window(9, 5, "y")])
put("attention_opset24", "transformer", lambda: plain_attention(True), [window(20, 10)], "d",
    (None, 24))
put("rms_swiglu", "transformer", rms_swiglu, [window(16, 8)])
put("rms_opset24", "transformer", rms_swiglu, [window(16, 8)], "d", (None, 24))
put("patches", "transformer", patches, [window(32, 6)])
put("reversible", "transformer", reversible, [window(24, 5)])
