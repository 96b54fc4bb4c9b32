# SPDX-License-Identifier: Apache-2.0
"""What a script written for onnxruntime sets before it runs a model.

Settings that choose among ways to the same numbers are taken and change nothing (passes always run,
memory is always planned); settings that ask for what hayate does not do are refused by name when a
session is made of them."""
import enum

from ._library import Unsupported


class GraphOptimizationLevel(enum.IntEnum):
    """Taken, without effect: the rewrites of docs/onnx.md run always."""
    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    """Taken, without effect: nodes run one after the other, threads work inside them."""
    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class ExecutionOrder(enum.IntEnum):
    """Taken, without effect."""
    DEFAULT = 0
    PRIORITY_BASED = 1
    MEMORY_EFFICIENT = 2


class SessionOptions:
    """intra_op_num_threads is the number of threads that work on one run: 0, the default, is all
    usable CPUs, where a step is long enough to be divided; the bits do not depend on it. The other
    fields are as onnxruntime has them."""
    __slots__ = ("enable_cpu_mem_arena", "enable_mem_pattern", "enable_mem_reuse",
                 "enable_profiling", "execution_mode", "execution_order",
                 "graph_optimization_level", "inter_op_num_threads", "intra_op_num_threads",
                 "log_severity_level", "log_verbosity_level", "logid", "optimized_model_filepath",
                 "profile_file_prefix", "use_deterministic_compute", "use_per_session_threads",
                 "_entries", "_provided")

    def __init__(self):
        self.enable_cpu_mem_arena = self.enable_mem_pattern = self.enable_mem_reuse = True
        self.enable_profiling = self.use_deterministic_compute = False
        self.use_per_session_threads = True
        self.execution_mode = ExecutionMode.ORT_SEQUENTIAL
        self.execution_order = ExecutionOrder.DEFAULT
        self.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL
        self.inter_op_num_threads = self.intra_op_num_threads = 0
        self.log_severity_level, self.log_verbosity_level = -1, 0
        self.logid, self.optimized_model_filepath = "", ""
        self.profile_file_prefix = "onnxruntime_profile_"
        self._entries, self._provided = {}, False

    def __setattr__(self, name, value):
        if name.endswith("_num_threads"):
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise TypeError(f"{name} is a number, not {type(value).__name__}")
            if value < 0:
                raise ValueError(f"{name} is {value}, 0 or more is expected")
        object.__setattr__(self, name, value)

    def add_session_config_entry(self, key, value):
        """Kept; "hayate.precision" says how a session holds matrices of weights: "float32", or
        "bfloat16" (half the bytes for a single row to read, arithmetic in float32)."""
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError("a configuration entry is a text under a text")
        self._entries[key] = value

    def get_session_config_entry(self, key):
        if key not in self._entries:
            raise RuntimeError(f"SessionOptions does not have configuration with key: {key}")
        return self._entries[key]

    def add_provider(self, name, options=None):
        """Providers may be named here or where a session is made; there is one."""
        if name != "CPUExecutionProvider":
            raise Unsupported(f"add_provider('{name}'): CPUExecutionProvider is the only provider",
                              "UNSUPPORTED")
        self._provided = True

    def has_providers(self):
        return self._provided

    def add_free_dimension_override_by_name(self, name, dim):
        """Taken, without effect: a model is planned for the shapes that it is fed."""

    def add_free_dimension_override_by_denotation(self, denotation, dim):
        """Taken, without effect."""

    def register_custom_ops_library(self, path):
        raise Unsupported(f"register_custom_ops_library('{path}'): custom operators of onnxruntime "
                          "cannot be loaded", "UNSUPPORTED")

    def add_initializer(self, name, value):
        raise Unsupported(f"add_initializer('{name}'): weights come from the model's file",
                          "UNSUPPORTED")

    def add_external_initializers(self, names, values):
        raise Unsupported("add_external_initializers: weights come from the model's file and the "
                          "files that it names", "UNSUPPORTED")

    def check(self):
        """Refuses by name what a session cannot do."""
        for name in ("enable_profiling", "optimized_model_filepath"):
            if getattr(self, name):
                raise Unsupported(f"SessionOptions.{name} is not supported; `hayate bench` times a "
                                  "model and `hayate inspect` shows its graph", "UNSUPPORTED")


class RunOptions:
    """Taken; only_execute_path_to_fetches is how hayate always works."""
    __slots__ = ("log_severity_level", "log_verbosity_level", "logid",
                 "only_execute_path_to_fetches", "terminate", "training_mode", "_entries")

    def __init__(self):
        self.log_severity_level, self.log_verbosity_level, self.logid = -1, 0, ""
        self.only_execute_path_to_fetches = self.terminate = self.training_mode = False
        self._entries = {}

    def add_run_config_entry(self, key, value):
        self._entries[key] = value

    def get_run_config_entry(self, key):
        if key not in self._entries:
            raise RuntimeError(f"RunOptions does not have configuration with key: {key}")
        return self._entries[key]
