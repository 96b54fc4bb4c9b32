# SPDX-License-Identifier: Apache-2.0
"""The main job: a universe through a pipeline."""
import ctypes as c
import json

from ._library import LIB, ScoreOptions, call, runtime_or_shared, text, written

_HISTORY = {"full": 0, "stable": 1}


def score(pipeline, data, at=None, from_=None, to=None, history="full", evaluate=False, out=None,
          npz=False, runtime=None, actions=None):
    """Scores the universe file `data` through the pipeline (its file, or one that `hayate pack` made
    of it) and returns what `hayate score --json` prints. `out` names a folder for the files of the
    command's --out, `actions` a file with a table of corporate actions."""
    runtime = runtime_or_shared(runtime)
    if history not in _HISTORY:
        raise ValueError(f"history is '{history}', full or stable is expected")
    options = ScoreOptions(history=_HISTORY[history], evaluate=evaluate)
    for name, value in (("at", at), ("from_", from_), ("to", to)):
        if value is not None:
            setattr(options, name, text(value))
    if actions is not None:
        options.actions = text(actions)
    opened = runtime.make(LIB.hy_pipeline_open, LIB.hy_pipeline_destroy, text(pipeline))
    result = type(opened)(LIB.hy_score_result_destroy, opened)
    with runtime._lock:
        call(LIB.hy_score_run, opened.pointer, text(data), c.byref(options),
             c.byref(result.pointer))
        if out is not None:
            call(LIB.hy_score_write_folder, result.pointer, text(out), c.c_bool(npz))
        return json.loads(written(LIB.hy_score_write_json, result.pointer))
