# SPDX-License-Identifier: Apache-2.0
"""The rules themselves: each is shown a small tree with one fault, and must name it."""
import pytest
import test_headers
import test_layers
import test_sizes
import test_tables
import test_words
import tree

HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n/* A file that serves as an example. */\n"
BASE = {
    "src/LAYERS": "base     :\ncodec    : base\nengine   : base codec\ncli      :\n",
    "src/base/base.h": HEAD,
    "src/codec/codec.h": HEAD,
    "src/codec/inner.h": HEAD,
    "tests/tidy/allow.txt": "",
}
LONG = HEAD + "static int long_one(int a) {\n" + "  a++;\n" * 80 + "  return a;\n}\n"
WIDE = HEAD + "int wide(int a, int b, int c, int d, int e, int f, int g) {\n  return a;\n}\n"

FAULTS = [
    # rule, path, text, what the message names
    (test_layers.test_includes_follow_the_layers, "src/codec/a.c",
     HEAD + '#include "engine/engine.h"\n', "engine/engine.h"),
    (test_layers.test_includes_follow_the_layers, "src/engine/a.c",
     HEAD + '#include "codec/inner.h"\n', "private to codec"),
    (test_layers.test_includes_follow_the_layers, "src/base/a.c",
     HEAD + '#include "codec/codec.h"\n', "does not let base see codec"),
    (test_layers.test_includes_follow_the_layers, "src/engine/a.c",
     HEAD + '#include "../codec/codec.h"\n', "written from src/"),
    (test_layers.test_includes_follow_the_layers, "src/engine/a.c",
     HEAD + "#include <zlib.h>\n", "enters at src/codec/npz.c"),
    (test_layers.test_includes_follow_the_layers, "src/engine/a.c",
     HEAD + "#include <curl/curl.h>\n", "no library we use"),
    (test_layers.test_includes_follow_the_layers, "src/cli/a.c",
     HEAD + '#include "base/base.h"\n', "does not let cli see base"),
    (test_layers.test_rooms_are_listed, "src/cellar/a.c", HEAD, "cellar"),
    (test_layers.test_layers_have_no_cycle, "src/LAYERS", "base : codec\ncodec : base\n",
     "base : codec"),
    (test_layers.test_headers_have_no_cycle, "src/base/base.h",
     HEAD + '#include "base/base.h"\n', "include cycle"),
    (test_layers.test_external_libraries_enter_once, "src/base/hash.c",
     HEAD + "#include <hdf5.h>\n", "hdf5.h"),
    (test_layers.test_public_headers_include_public_headers_alone, "include/hayate/a.h",
     HEAD + "#include <stdio.h>\n", "stdio.h"),
    (test_layers.test_examples_use_the_public_headers, "examples/c/a.c",
     HEAD + '#include "base/base.h"\n', "base/base.h"),
    (test_words.test_banned_functions, "src/base/a.c",
     HEAD + "int f(void) {\n  return atoi(x);\n}\n",
     "a.c:4: atoi"),
    (test_words.test_memory_comes_from_the_runtime, "src/codec/a.c",
     HEAD + "void *p = malloc(3);\n",
     "malloc"),
    (test_words.test_each_file_says_its_licence_and_purpose, "src/base/a.c", "int x;\n", "SPDX"),
    (test_words.test_each_file_says_its_licence_and_purpose, "src/base/a.c",
     "/* SPDX-License-Identifier: Apache-2.0 */\n#include <stdio.h>\n", "purpose"),
    (test_words.test_no_machine_in_the_tree, "docs/a.md", "see /wo" "rk/x\n", "a.md:1"),
    (test_words.test_no_machine_in_the_tree, "src/base/a.c", HEAD + "/* TO" "DO */\n", "a.c:3"),
    (test_words.test_no_grab_bags, "src/base/utils.c", HEAD, "utils.c"),
    (test_words.test_fallible_functions_are_checked, "include/hayate/a.h",
     HEAD + "HY_API hy_status hy_a_open(int a);\n", "hy_a_open"),
    (test_sizes.test_files, "src/base/a.c", HEAD + "\n" * 800, "802 lines"),
    (test_sizes.test_functions, "src/base/a.c", LONG, "long_one has 83 lines"),
    (test_sizes.test_functions, "src/base/a.c", WIDE, "wide has 7 parameters"),
    (test_sizes.test_columns, "src/base/a.c", HEAD + "x" * 101 + "\n", "101 columns"),
    (test_sizes.test_allowances_are_used, "tests/tidy/allow.txt", "src/base/gone.c:f  why\n",
     "gone.c"),
    (test_tables.test_commands, "src/cli/command.inc", 'CLI_COMMAND(go, "go", "goes")\n',
     "cmd_go.c"),
    (test_tables.test_commands, "src/cli/cmd_gone.c", HEAD, "no row"),
    (test_tables.test_indicators, "src/feature/indicator.inc",
     'HY_IND("x.y", 1, x_y, W, 1, "x", "n", "", "doc")\n', "x.y.npz is missing"),
    (test_tables.test_operators, "src/op/op.inc",
     'HY_OP("", "Add", 7, 0, 1, 1, 1, 1, T, add, true)\n', "no model of tests/golden"),
    (test_tables.test_operators, "src/op/odd.c", HEAD + "int hy__op_odd_lower(void);\n", "no row"),
    (test_tables.test_kernels, "src/kernel/kernel.inc",
     'HY_KERNEL(gemm, avx2, M, true, 2, "a reason")\n', "the last row is not scalar"),
    (test_tables.test_kernels, "src/kernel/gemm/gemm_avx2.c", HEAD, "no row"),
    (test_tables.test_passes, "src/pass/pass.inc", 'HY_PASS(fold, "folds")\n', "fold.c is missing"),
    (test_tables.test_cross_sections, "src/feature/cross.inc",
     'HY_CROSS("cs.x", 1, x, 1, "x", "", "doc")\n', "no hy__cross_x"),
    (test_tables.test_goldens_have_an_origin, "tests/golden/a.npz", "", "a.npz"),
    (test_tables.test_readers_have_a_fuzz_target, "fuzz/a/fuzz_a.c", HEAD, "no corpus"),
    (test_tables.test_every_source_is_reached_by_a_test, "src/base/a.c",
     HEAD + "int hy__a_do(void) {\n  return 1;\n}\n", "src/base/a.c"),
    (test_tables.test_rooms_have_a_page, "src/base/a.c", HEAD, "src/base/README.md"),
]


@pytest.fixture
def small_tree(tmp_path, monkeypatch):
    def make(changes):
        for path, text in {**BASE, **changes}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        monkeypatch.setattr(tree, "ROOT", str(tmp_path))
        for cached in (tree.files, tree.read, tree.code):
            cached.cache_clear()
    yield make
    monkeypatch.undo()
    for cached in (tree.files, tree.read, tree.code):
        cached.cache_clear()


@pytest.mark.parametrize("rule,path,text,named", FAULTS)
def test_a_fault_is_named(rule, path, text, named, small_tree):
    small_tree({path: text, "src/codec/other.c": HEAD + "#include <hdf5.h>\n"})
    with pytest.raises(AssertionError, match=named.replace("(", r"\(")):
        rule()


RULES = sorted({fault[0] for fault in FAULTS}, key=lambda f: f.__name__)


@pytest.mark.parametrize("rule", RULES)
def test_a_sound_tree_passes(rule, small_tree):
    small_tree({"src/base/README.md": "# base\n", "src/codec/README.md": "# codec\n",
                "src/base/a.c": HEAD + '#include "base/base.h"\nint f(void) {\n  return 1;\n}\n',
                "tests/base/test_a.c": HEAD,
                "src/codec/b.c": HEAD + '#include "base/base.h"\n#include "codec/inner.h"\n',
                "tests/codec/test_b.c": HEAD})
    rule()


def test_public_headers_rule(small_tree, tmp_path):
    small_tree({"include/hayate/a.h": HEAD + "size_t n;\n"})
    with pytest.raises(AssertionError, match="hayate/a.h"):
        test_headers.test_public_headers_compile_alone("c", "c11", tmp_path)


def test_folders_rule(small_tree):
    one, other = "src/engine/one/a.h", "src/engine/other/b.h"
    small_tree({one: HEAD, other: HEAD + '#include "engine/one/a.h"\n'})
    test_layers.test_folders_of_a_room_have_no_cycle()
    small_tree({other: HEAD + '#include "engine/one/a.h"\n', "src/engine/other/c.h": HEAD,
                one: HEAD + '#include "engine/other/c.h"\n'})
    with pytest.raises(AssertionError, match="include cycle: engine/o"):
        test_layers.test_folders_of_a_room_have_no_cycle()
