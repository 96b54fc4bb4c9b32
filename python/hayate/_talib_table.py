# SPDX-License-Identifier: Apache-2.0
"""TA-Lib's functions as hayate's definitions: the one place that says which name is which spec.

A row: NAME | inputs | parameters with TA-Lib's defaults | outputs | spec | note. The spec holds an
item for each output, in order, with the parameters in braces; `@name` asks a function below, where
a text does not do. Notes:
  zero     what the definition leaves missing behind its look-back is 0 (TA-Lib's rule)
  integer  int32, 0 where nothing is known (candles); integer(NAME): of that output
  index    int32, the bar's number in place of its position in a window of `timeperiod`
  numpy    not a definition: NumPy's function of that name"""
import re

GROUPS = {
    "Cycle Indicators": """
HT_DCPERIOD | real | | real | ht.dcperiod(real)
HT_DCPHASE | real | | real | ht.dcphase(real)
HT_PHASOR | real | | inphase quadrature | ht.phasor(real).inphase; ht.phasor(real).quadrature
HT_SINE | real | | sine leadsine | ht.sine(real).sine; ht.sine(real).lead
HT_TRENDMODE | real | | integer | ht.trendmode(real) | integer
""",
    "Math Operators": """
ADD | real0 real1 | | real | add | numpy
CUMSUM | real | | real | cumsum | numpy
DIV | real0 real1 | | real | divide | numpy
MAX | real | timeperiod=30 | real | highest(real,{timeperiod})
MAXINDEX | real | timeperiod=30 | integer | argmax(real,{timeperiod}) | index
MIN | real | timeperiod=30 | real | lowest(real,{timeperiod})
MININDEX | real | timeperiod=30 | integer | argmin(real,{timeperiod}) | index
MINMAX | real | timeperiod=30 | min max | lowest(real,{timeperiod}); highest(real,{timeperiod})
MINMAXINDEX | real | timeperiod=30 | minidx maxidx \
    | argmin(real,{timeperiod}); argmax(real,{timeperiod}) | index
MULT | real0 real1 | | real | multiply | numpy
SUB | real0 real1 | | real | subtract | numpy
SUM | real | timeperiod=30 | real | sum(real,{timeperiod})
""",
    "Math Transform": """
ACOS | real | | real | arccos | numpy
ASIN | real | | real | arcsin | numpy
ATAN | real | | real | arctan | numpy
CEIL | real | | real | ceil | numpy
COS | real | | real | cos | numpy
COSH | real | | real | cosh | numpy
EXP | real | | real | exp | numpy
FLOOR | real | | real | floor | numpy
LN | real | | real | log | numpy
LOG10 | real | | real | log10 | numpy
SIN | real | | real | sin | numpy
SINH | real | | real | sinh | numpy
SQRT | real | | real | sqrt | numpy
TAN | real | | real | tan | numpy
TANH | real | | real | tanh | numpy
""",
    "Momentum Indicators": """
AC | high low | fastperiod=5 slowperiod=34 signalperiod=5 | real \
    | ac({fastperiod},{slowperiod},{signalperiod})
ADX | high low close | timeperiod=14 | real | adx({timeperiod})
ADXR | high low close | timeperiod=14 | real | adxr({timeperiod})
AO | high low | fastperiod=5 slowperiod=34 | real | ao({fastperiod},{slowperiod})
APO | real | fastperiod=12 slowperiod=26 matype=1 | real | @apo
AROON | high low | timeperiod=14 | aroondown aroonup \
    | aroon({timeperiod}).down; aroon({timeperiod}).up
AROONOSC | high low | timeperiod=14 | real | aroon.osc({timeperiod})
BOP | open high low close | | real | bop()
CCI | high low close | timeperiod=14 | real | cci({timeperiod})
CMO | real | timeperiod=14 | real | cmo(real,{timeperiod})
CMOU | real | timeperiod=14 | real | cmou(real,{timeperiod})
COPPOCK | real | wmaperiod=10 roc1period=11 roc2period=14 | real \
    | coppock(real,{wmaperiod},{roc1period},{roc2period})
DPO | real | timeperiod=20 | real | dpo.causal(real,{timeperiod})
DX | high low close | timeperiod=14 | real | dx({timeperiod})
ER | real | timeperiod=10 | real | er(real,{timeperiod})
ERI | high low close | timeperiod=13 | bullpower bearpower \
    | eri({timeperiod}).bull; eri({timeperiod}).bear
FOSC | real | timeperiod=5 | real | fosc(real,{timeperiod})
FRACTAL | high low | leftbars=2 rightbars=2 | swinghigh swinglow \
    | fractal({leftbars},{rightbars}).high; fractal({leftbars},{rightbars}).low | integer
IMI | open close | timeperiod=14 | real | imi({timeperiod})
KDJ | high low close | fastk_period=9 slowk_period=3 slowk_matype=13 slowd_period=3 \
    slowd_matype=13 | k d j | @kdj
MACD | real | fastperiod=12 slowperiod=26 signalperiod=9 | macd macdsignal macdhist | @macd
MACDEXT | real \
    | fastperiod=12 fastmatype=0 slowperiod=26 slowmatype=0 signalperiod=9 signalmatype=0 \
    | macd macdsignal macdhist | @macdext
MACDFIX | real | signalperiod=9 | macd macdsignal macdhist \
    | macdfix(real,{signalperiod}).macd; macdfix(real,{signalperiod}).signal; \
macdfix(real,{signalperiod}).hist
MFI | high low close volume | timeperiod=14 | real | mfi({timeperiod})
MINUS_DI | high low close | timeperiod=14 | real | @minus_di
MINUS_DM | high low | timeperiod=14 | real | minus_dm({timeperiod},close=high)
MOM | real | timeperiod=10 | real | mom(real,{timeperiod})
PLUS_DI | high low close | timeperiod=14 | real | @plus_di
PLUS_DM | high low | timeperiod=14 | real | plus_dm({timeperiod},close=high)
PPO | real | fastperiod=12 slowperiod=26 matype=1 | real | @ppo | zero
QSTICK | open close | timeperiod=10 | real | qstick({timeperiod})
ROC | real | timeperiod=10 | real | roc(real,{timeperiod})
ROCP | real | timeperiod=10 | real | rocp(real,{timeperiod})
ROCR | real | timeperiod=10 | real | rocr(real,{timeperiod})
ROCR100 | real | timeperiod=10 | real | rocr100(real,{timeperiod})
RSI | real | timeperiod=14 | real | rsi.talib(real,{timeperiod})
SMI | high low close | timeperiod=13 fastperiod=2 slowperiod=25 signalperiod=9 \
    | smi smisignal | @smi
STOCH | high low close \
    | fastk_period=5 slowk_period=3 slowk_matype=0 slowd_period=3 slowd_matype=0 \
    | slowk slowd | @stoch
STOCHF | high low close | fastk_period=5 fastd_period=3 fastd_matype=0 | fastk fastd | @stochf
STOCHRSI | real | timeperiod=14 fastk_period=5 fastd_period=3 fastd_matype=0 | fastk fastd \
    | @stochrsi
TRIX | real | timeperiod=30 | real | trix(real,{timeperiod})
TSI | real | firstperiod=25 secondperiod=13 | real | tsi(real,{firstperiod},{secondperiod})
ULTOSC | high low close | timeperiod1=7 timeperiod2=14 timeperiod3=28 | real \
    | ultosc({timeperiod1},{timeperiod2},{timeperiod3})
VHF | real | timeperiod=28 | real | vhf(real,{timeperiod})
VORTEX | high low close | timeperiod=14 | plusvi minusvi \
    | vortex({timeperiod}).plus; vortex({timeperiod}).minus
WAD | high low close | | real | wad()
WILLR | high low close | timeperiod=14 | real | willr({timeperiod})
""",
    "Overlap Studies": """
ACCBANDS | high low close | timeperiod=20 | upperband middleband lowerband \
    | accbands({timeperiod}).upper; accbands({timeperiod}).middle; accbands({timeperiod}).lower
BBANDS | real | timeperiod=20 nbdevup=2.0 nbdevdn=2.0 matype=0 | upperband middleband lowerband \
    | @bbands
DEMA | real | timeperiod=30 | real | dema(real,{timeperiod})
DONCHIAN | high low | timeperiod=20 | upperband middleband lowerband \
    | donchian({timeperiod}).upper; donchian({timeperiod}).middle; donchian({timeperiod}).lower
EMA | real | timeperiod=30 | real | ema.talib(real,{timeperiod})
HMA | real | timeperiod=20 | real | hma(real,{timeperiod})
HT_TRENDLINE | real | | real | ht.trendline(real)
KAMA | real | timeperiod=30 | real | @kama
KC | high low close | timeperiod=20 atrperiod=10 nbdev=2.0 | upperband middleband lowerband \
    | @kc
MA | real | timeperiod=30 matype=0 | real | @ma
MAMA | real | fastlimit=0.5 slowlimit=0.05 | mama fama \
    | mama(real,{fastlimit},{slowlimit}).mama; mama(real,{fastlimit},{slowlimit}).fama
MAVP | real periods | minperiod=2 maxperiod=30 matype=0 | real | @mavp
MIDPOINT | real | timeperiod=14 | real | midpoint(real,{timeperiod})
MIDPRICE | high low | timeperiod=14 | real | midprice({timeperiod})
RMA | real | timeperiod=30 | real | rma(real,{timeperiod})
SAR | high low | acceleration=0.02 maximum=0.2 | real | sar({acceleration},{maximum})
SAREXT | high low | startvalue=0.0 offsetonreverse=0.0 accelerationinitlong=0.02 \
    accelerationlong=0.02 accelerationmaxlong=0.2 accelerationinitshort=0.02 \
    accelerationshort=0.02 accelerationmaxshort=0.2 | real \
    | sarext({startvalue},{offsetonreverse},{accelerationinitlong},{accelerationlong},\
{accelerationmaxlong},{accelerationinitshort},{accelerationshort},{accelerationmaxshort})
SMA | real | timeperiod=30 | real | sma(real,{timeperiod})
SUPERTREND | high low close | timeperiod=10 multiplier=3.0 | supertrend trend \
    | supertrend({timeperiod},{multiplier}).band; supertrend({timeperiod},{multiplier}).trend \
    | integer(trend)
T3 | real | timeperiod=5 vfactor=0.7 | real | t3(real,{timeperiod},{vfactor})
TEMA | real | timeperiod=30 | real | tema(real,{timeperiod})
TRIMA | real | timeperiod=30 | real | trima(real,{timeperiod})
VWMA | real volume | timeperiod=30 | real | vwma({timeperiod},close=real)
WMA | real | timeperiod=30 | real | wma(real,{timeperiod})
ZLEMA | real | timeperiod=30 | real | zlema(real,{timeperiod})
""",
    "Pattern Recognition": """
CDL2CROWS | open high low close | | integer | cdl.2crows() | integer
CDL3BLACKCROWS | open high low close | | integer | cdl.3crows() | integer
CDL3INSIDE | open high low close | | integer | cdl.inside() | integer
CDL3LINESTRIKE | open high low close | | integer | cdl.3linestrike() | integer
CDL3OUTSIDE | open high low close | | integer | cdl.outside() | integer
CDL3STARSINSOUTH | open high low close | | integer | cdl.3starsinsouth() | integer
CDL3WHITESOLDIERS | open high low close | | integer | cdl.3soldiers() | integer
CDLABANDONEDBABY | open high low close | penetration=0.3 | integer \
    | cdl.abandonedbaby({penetration}) | integer
CDLADVANCEBLOCK | open high low close | | integer | cdl.advanceblock() | integer
CDLBELTHOLD | open high low close | | integer | cdl.belthold() | integer
CDLBREAKAWAY | open high low close | | integer | cdl.breakaway() | integer
CDLCLOSINGMARUBOZU | open high low close | | integer | cdl.closingmarubozu() | integer
CDLCONCEALBABYSWALL | open high low close | | integer | cdl.concealbabyswall() | integer
CDLCOUNTERATTACK | open high low close | | integer | cdl.counterattack() | integer
CDLDARKCLOUDCOVER | open high low close | penetration=0.5 | integer \
    | cdl.darkcloud({penetration}) | integer
CDLDOJI | open high low close | | integer | cdl.doji() | integer
CDLDOJISTAR | open high low close | | integer | cdl.dojistar() | integer
CDLDRAGONFLYDOJI | open high low close | | integer | cdl.dragonflydoji() | integer
CDLENGULFING | open high low close | | integer | cdl.engulfing() | integer
CDLEVENINGDOJISTAR | open high low close | penetration=0.3 | integer \
    | cdl.eveningdojistar({penetration}) | integer
CDLEVENINGSTAR | open high low close | penetration=0.3 | integer | cdl.evening({penetration}) \
    | integer
CDLGAPSIDESIDEWHITE | open high low close | | integer | cdl.gapsidesidewhite() | integer
CDLGRAVESTONEDOJI | open high low close | | integer | cdl.gravestonedoji() | integer
CDLHAMMER | open high low close | | integer | cdl.hammer() | integer
CDLHANGINGMAN | open high low close | | integer | cdl.hanging() | integer
CDLHARAMI | open high low close | | integer | cdl.harami() | integer
CDLHARAMICROSS | open high low close | | integer | cdl.haramicross() | integer
CDLHIGHWAVE | open high low close | | integer | cdl.highwave() | integer
CDLHIKKAKE | open high low close | | integer | cdl.hikkake() | integer
CDLHIKKAKEMOD | open high low close | | integer | cdl.hikkakemod() | integer
CDLHOMINGPIGEON | open high low close | | integer | cdl.homingpigeon() | integer
CDLIDENTICAL3CROWS | open high low close | | integer | cdl.identical3crows() | integer
CDLINNECK | open high low close | | integer | cdl.inneck() | integer
CDLINVERTEDHAMMER | open high low close | | integer | cdl.inv_hammer() | integer
CDLKICKING | open high low close | | integer | cdl.kicking() | integer
CDLKICKINGBYLENGTH | open high low close | | integer | cdl.kickingbylength() | integer
CDLLADDERBOTTOM | open high low close | | integer | cdl.ladderbottom() | integer
CDLLONGLEGGEDDOJI | open high low close | | integer | cdl.longleggeddoji() | integer
CDLLONGLINE | open high low close | | integer | cdl.longline() | integer
CDLMARUBOZU | open high low close | | integer | cdl.marubozu() | integer
CDLMATCHINGLOW | open high low close | | integer | cdl.matchinglow() | integer
CDLMATHOLD | open high low close | penetration=0.5 | integer | cdl.mathold({penetration}) | integer
CDLMORNINGDOJISTAR | open high low close | penetration=0.3 | integer \
    | cdl.morningdojistar({penetration}) | integer
CDLMORNINGSTAR | open high low close | penetration=0.3 | integer | cdl.morning({penetration}) \
    | integer
CDLONNECK | open high low close | | integer | cdl.onneck() | integer
CDLPIERCING | open high low close | | integer | cdl.piercing() | integer
CDLRICKSHAWMAN | open high low close | | integer | cdl.rickshawman() | integer
CDLRISEFALL3METHODS | open high low close | | integer | cdl.risefall3methods() | integer
CDLSEPARATINGLINES | open high low close | | integer | cdl.separatinglines() | integer
CDLSHOOTINGSTAR | open high low close | | integer | cdl.shooting() | integer
CDLSHORTLINE | open high low close | | integer | cdl.shortline() | integer
CDLSPINNINGTOP | open high low close | | integer | cdl.spinning() | integer
CDLSTALLEDPATTERN | open high low close | | integer | cdl.stalledpattern() | integer
CDLSTICKSANDWICH | open high low close | | integer | cdl.sticksandwich() | integer
CDLTAKURI | open high low close | | integer | cdl.takuri() | integer
CDLTASUKIGAP | open high low close | | integer | cdl.tasukigap() | integer
CDLTHRUSTING | open high low close | | integer | cdl.thrusting() | integer
CDLTRISTAR | open high low close | | integer | cdl.tristar() | integer
CDLUNIQUE3RIVER | open high low close | | integer | cdl.unique3river() | integer
CDLUPSIDEGAP2CROWS | open high low close | | integer | cdl.upsidegap2crows() | integer
CDLXSIDEGAP3METHODS | open high low close | | integer | cdl.xsidegap3methods() | integer
""",
    "Price Transform": """
AVGDEV | real | timeperiod=14 | real | mad.mean(real,{timeperiod})
AVGPRICE | open high low close | | real | avgprice()
HA | open high low close | | haopen hahigh halow haclose \
    | ha().open; ha().high; ha().low; ha().close
MEDPRICE | high low | | real | medprice()
TYPPRICE | high low close | | real | typprice()
WCLPRICE | high low close | | real | wclprice()
""",
    "Statistic Functions": """
BETA | real0 real1 | timeperiod=5 | real | beta.ret(real0,real1,{timeperiod}) | zero
CORREL | real0 real1 | timeperiod=30 | real | corr(real0,real1,{timeperiod}) | zero
LINEARREG | real | timeperiod=14 | real | linreg(real,{timeperiod})
LINEARREG_ANGLE | real | timeperiod=14 | real | angle(real,{timeperiod})
LINEARREG_INTERCEPT | real | timeperiod=14 | real | intercept(real,{timeperiod})
LINEARREG_SLOPE | real | timeperiod=14 | real | slope(real,{timeperiod})
PERCENTILE | real | timeperiod=30 percentile=50.0 | real \
    | percentile.talib(real,{timeperiod},{percentile})
PERCENTRANK | real | timeperiod=100 | real | percentrank.talib(real,{timeperiod})
STDDEV | real | timeperiod=5 nbdev=1.0 | real | std.pop(real,{timeperiod})*{nbdev}
TSF | real | timeperiod=14 | real | tsf(real,{timeperiod})
VAR | real | timeperiod=5 nbdev=1.0 | real | var.pop(real,{timeperiod})
""",
    "Volatility Indicators": """
ADR | high low | timeperiod=14 | real | adr({timeperiod})
ATR | high low close | timeperiod=14 | real | atr.talib({timeperiod})
CVI | high low | timeperiod=10 rocperiod=10 | real | cvi({timeperiod},{rocperiod})
MASSI | high low | fastperiod=9 slowperiod=25 | real | massi({fastperiod},{slowperiod})
NATR | high low close | timeperiod=14 | real | @natr
RVI | real | timeperiod=14 stddevperiod=10 | real | rvi(real,{timeperiod},{stddevperiod})
TRANGE | high low close | | real | tr()
""",
    "Volume Indicators": """
AD | high low close volume | | real | ad()
ADOSC | high low close volume | fastperiod=3 slowperiod=10 | real | adosc({fastperiod},{slowperiod})
CMF | high low close volume | timeperiod=20 | real | cmf({timeperiod})
EFI | close volume | timeperiod=13 | real | efi({timeperiod})
MARKETFI | high low volume | | real | marketfi()
NVI | close volume | | real | nvi()
OBV | real volume | | real | obv(close=real)
PVI | close volume | | real | pvi()
PVO | volume | fastperiod=12 slowperiod=26 matype=1 | real | @pvo | zero
PVT | close volume | | real | pvt()
RVOL | volume | timeperiod=20 | real | rvol(volume,{timeperiod})
VWAP | high low close volume | | real | vwap.cum()
""",
}

MA_NAMES = {
    "SMA": "Simple Moving Average", "EMA": "Exponential Moving Average",
    "WMA": "Weighted Moving Average", "DEMA": "Double Exponential Moving Average",
    "TEMA": "Triple Exponential Moving Average", "TRIMA": "Triangular Moving Average",
    "KAMA": "Kaufman Adaptive Moving Average", "MAMA": "MESA Adaptive Moving Average",
    "T3": "Triple Generalized Double Exponential Moving Average", "HMA": "Hull Moving Average",
    "DISABLED": "No Moving Average (identity)",
    "DEFAULT": "The Function's Own Default Moving Average",
    "ZLEMA": "Zero-Lag Exponential Moving Average", "RMA": "Wilder's Smoothed Moving Average"}
_MA_CODES = list(MA_NAMES)
_MA_SPECS = {"SMA": "sma({x},{n})", "EMA": "ema.talib({x},{n})", "WMA": "wma({x},{n})",
             "DEMA": "dema({x},{n})", "TEMA": "tema({x},{n})", "TRIMA": "trima({x},{n})",
             "KAMA": "kama({x},{n})", "MAMA": "mama({x},0.5,0.05)",
             "T3": "t3({x},{n},0.7)", "HMA": "hma({x},{n})",
             "ZLEMA": "zlema({x},{n})",
             "RMA": "rma({x},{n})", "DISABLED": "({x})"}
SUPPORTED_MA = list(_MA_SPECS)


def _ma_name(matype):
    if not 0 <= matype < len(_MA_CODES):
        raise ValueError(f"matype={matype} is none of TA-Lib's averages")
    name = _MA_CODES[matype]
    if name not in _MA_SPECS:
        raise ValueError(f"matype={matype} ({name}) is not supported; "
                         f"{', '.join(_MA_SPECS)} are")
    return name


def average(matype, x, n):
    """TA-Lib's MA: one of its averages of x; over one bar it is x."""
    name = _ma_name(matype)
    return f"({x})" if n == 1 else _MA_SPECS[name].format(x=x, n=n)


def _lookback(matype, n):
    """Bars missing at the front of such an average."""
    per_bar = {"DEMA": 2, "TEMA": 3, "T3": 6}
    name = _ma_name(matype)
    if n == 1 or name == "DISABLED":
        return 0
    if name in ("KAMA", "MAMA"):
        return n if name == "KAMA" else 32
    more = {"HMA": int(n ** 0.5) - 1, "ZLEMA": (n - 1) // 2}
    return per_bar.get(name, 1) * (n - 1) + more.get(name, 0)


def kama(timeperiod):
    return average(_MA_CODES.index("KAMA"), "real", timeperiod)


def natr(timeperiod):
    """Over one bar it is the true range, not a share of the close."""
    return "atr.talib(1)" if timeperiod == 1 else f"natr({timeperiod})"


def plus_di(timeperiod):
    """Over one bar it is a share, not a percentage."""
    return "plus_di(1)/100" if timeperiod == 1 else f"plus_di({timeperiod})"


def minus_di(timeperiod):
    return "minus_di(1)/100" if timeperiod == 1 else f"minus_di({timeperiod})"


def _late(x, bars):
    """x, its first bars missing: an average of it is seeded that much later."""
    return f"({x}+0*ref({x},{bars}))" if bars > 0 else x


def _ordered(fastperiod, slowperiod):
    return (fastperiod, slowperiod) if fastperiod <= slowperiod else (slowperiod, fastperiod)


def apo(fastperiod, slowperiod, matype):
    fast, slow = _ordered(fastperiod, slowperiod)
    return f"{average(matype, 'real', fast)}-{average(matype, 'real', slow)}"


def ppo(fastperiod, slowperiod, matype, x="real"):
    fast, slow = _ordered(fastperiod, slowperiod)
    slow = average(matype, x, slow)
    return f"100*(({average(matype, x, fast)}-{slow})/{slow})"


def pvo(fastperiod, slowperiod, matype):
    return ppo(fastperiod, slowperiod, matype, "volume")


def macd(fastperiod, slowperiod, signalperiod):
    fast, slow = _ordered(fastperiod, slowperiod)
    call = f"macd(real,{fast},{slow},{signalperiod})"
    return f"{call}.macd; {call}.signal; {call}.hist"


def macdext(fastperiod, fastmatype, slowperiod, slowmatype, signalperiod, signalmatype):
    fast, slow = (fastmatype, fastperiod), (slowmatype, slowperiod)
    if slowperiod < fastperiod:
        fast, slow = slow, fast
    back = max(_lookback(*fast), _lookback(*slow))
    lines = [average(kind, _late("real", back - _lookback(kind, n)), n) for kind, n in (fast, slow)]
    line = f"({lines[0]}-{lines[1]})"
    signal = average(signalmatype, line, signalperiod)
    return f"{line}+0*{signal}; {signal}; {line}-{signal}"


def ma(timeperiod, matype):
    return average(matype, "real", timeperiod)


def bbands(timeperiod, nbdevup, nbdevdn, matype):
    if matype == 0 and nbdevup == nbdevdn and nbdevup >= 0:
        call = f"bbands(real,{timeperiod},{nbdevup})"
        return f"{call}.upper; {call}.middle; {call}.lower"
    middle, width = average(matype, "real", timeperiod), f"std.pop(real,{timeperiod})"
    return (f"{middle}+{nbdevup}*{width}; {middle}+0*{width}; {middle}-({nbdevdn})*{width}")


def kc(timeperiod, atrperiod, nbdev):
    call = f"keltner({timeperiod},{atrperiod},{abs(nbdev)})"
    ends = ("upper", "lower") if nbdev >= 0 else ("lower", "upper")
    return f"{call}.{ends[0]}; {call}.middle; {call}.{ends[1]}"


def _slow(k, d):
    """A line and its average, which begin together."""
    return f"{k}+0*{d}; {d}"


def stoch(fastk_period, slowk_period, slowk_matype, slowd_period, slowd_matype):
    if slowk_matype == slowd_matype == 0:
        call = f"stoch({fastk_period},{slowk_period},{slowd_period})"
        return f"{call}.k; {call}.d"
    k = average(slowk_matype, f"stochf({fastk_period},1).k", slowk_period)
    return _slow(k, average(slowd_matype, k, slowd_period))


def kdj(fastk_period, slowk_period, slowk_matype, slowd_period, slowd_matype):
    if slowk_matype == slowd_matype == 13:
        call = f"kdj.talib({fastk_period},{slowk_period},{slowd_period})"
        return f"{call}.k; {call}.d; {call}.j"
    k = average(slowk_matype, f"stochf({fastk_period},1).k", slowk_period)
    d = average(slowd_matype, k, slowd_period)
    return f"{_slow(k, d)}; 3*{k}-2*{d}"


def smi(timeperiod, fastperiod, slowperiod, signalperiod):
    call = f"smi({timeperiod},{fastperiod},{slowperiod},{signalperiod})"
    return f"{call}.smi; {call}.signal"


def mavp(minperiod, maxperiod, matype):
    if matype:
        raise ValueError(f"matype={matype} is not supported, 0 (SMA) is")
    return f"mavp(real,floor(periods),{minperiod},{maxperiod})"


def stochf(fastk_period, fastd_period, fastd_matype):
    if fastd_matype == 0:
        return f"stochf({fastk_period},{fastd_period}).k; stochf({fastk_period},{fastd_period}).d"
    k = f"stochf({fastk_period},1).k"
    return _slow(k, average(fastd_matype, k, fastd_period))


def stochrsi(timeperiod, fastk_period, fastd_period, fastd_matype):
    if fastd_matype == 0:
        call = f"stochrsi(real,{timeperiod},{fastk_period},{fastd_period})"
        return f"{call}.k; {call}.d"
    k = f"stochrsi(real,{timeperiod},{fastk_period},1).k"
    return _slow(k, average(fastd_matype, k, fastd_period))


class Row:
    """One function: `inputs`, `defaults` (parameter -> TA-Lib's default), `outputs`, `note`."""

    def __init__(self, group, line):
        parts = [part.strip() for part in line.split("|")] + [""]
        self.group, self.name, self.note = group, parts[0], parts[5]
        self.inputs, self.outputs = parts[1].split(), parts[3].split()
        pairs = [pair.split("=") for pair in parts[2].split()]
        self.defaults = {key: float(v) if "." in v else int(v) for key, v in pairs}
        self._spec = parts[4]

    @property
    def function(self):
        """The NumPy function of a row without a definition."""
        return self._spec

    def spec(self, values):
        """The spec for parameters, as numbers in the order of `defaults`."""
        given = dict(zip(self.defaults, values))
        if self._spec.startswith("@"):
            return globals()[self._spec[1:]](**given)
        return re.sub(r"\{(\w+)\}", lambda m: f"({given[m[1]]!r})" if given[m[1]] < 0 else
                      repr(given[m[1]]), self._spec)


ROWS = {row.name: row for group, text in GROUPS.items()
        for row in (Row(group, line) for line in text.strip().split("\n"))}
