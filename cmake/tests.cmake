# SPDX-License-Identifier: Apache-2.0
# tests/<room>/test_*.c  one cmocka program each, linked with the archive (internals are visible)
# tests/<place>/test_*.py  pytest over the built command and library
# fuzz/<target>/  the corpus replayed, or a libFuzzer binary with HAYATE_FUZZ
# Every test runs in the repository's root, so that files are named tests/golden/...
find_library(CMOCKA NAMES cmocka)
find_path(CMOCKA_INCLUDE cmocka.h)
if(NOT CMOCKA OR NOT CMOCKA_INCLUDE)
  # Looked for again whenever this is configured, which `make test` does.
  message(STATUS "tests: off (cmocka is missing: tools/deps test)")
  add_custom_target(tests COMMAND ${CMAKE_COMMAND} -E echo "cmocka is missing: run tools/deps test"
                    COMMAND ${CMAKE_COMMAND} -E false)
  return()
endif()

add_custom_target(tests)
add_custom_target(unit_tests) # those that need no Python
add_custom_target(fuzz_replays)
add_dependencies(tests hayate hayate_shared hayate_infer)

set(hayate_test_env
  "HAYATE=$<TARGET_FILE:hayate>;HAYATE_BUILD=${PROJECT_BINARY_DIR}"
  "HAYATE_CMAKE=${CMAKE_COMMAND};CC=${CMAKE_C_COMPILER};PYTHONDONTWRITEBYTECODE=1"
  "ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1;UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=halt_on_error=1;HAYATE_SANITIZE=${HAYATE_SANITIZE}")

function(hayate_test_properties name labels seconds)
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${seconds}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} ENVIRONMENT "${hayate_test_env}")
endfunction()

set(unit_seconds 120)
set(replay_seconds 300)
set(python_seconds 300)
if(HAYATE_SANITIZE) # ten times slower; a busy machine adds to it
  set(unit_seconds 1200)
  set(python_seconds 1800)
endif()
set(unit_options "")
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(unit_seconds 1200) # an emulator takes its time
  set(replay_seconds 1200)
  # gcc 12's vectoriser stops with an internal error at reductions by fmax of widened floats.
  set(unit_options -fno-tree-loop-vectorize)
endif()
file(GLOB unit_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*/test_*.c)
foreach(source IN LISTS unit_tests)
  get_filename_component(file ${source} NAME_WE)
  get_filename_component(room ${source} DIRECTORY)
  get_filename_component(room ${room} NAME)
  string(REPLACE "test_" "" file ${file})
  set(name ${room}_${file})
  add_executable(test_${name} EXCLUDE_FROM_ALL ${source})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE hayate_flags hayate_static ${CMOCKA})
  if(room STREQUAL "cli")
    target_sources(test_${name} PRIVATE $<TARGET_OBJECTS:hy_cli>)
  endif()
  target_compile_options(test_${name} PRIVATE ${unit_options})
  set_target_properties(test_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_dependencies(unit_tests test_${name})
  add_test(NAME ${name} COMMAND test_${name})
  hayate_test_properties(${name} "fast;unit;${room}" ${unit_seconds})
endforeach()

add_dependencies(tests unit_tests)

file(GLOB python_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*/test_*.py)
foreach(source IN LISTS python_tests)
  get_filename_component(file ${source} NAME_WE)
  get_filename_component(place ${source} DIRECTORY)
  get_filename_component(place ${place} NAME)
  string(REPLACE "test_" "" file ${file})
  set(name ${place}_${file})
  add_test(NAME ${name} COMMAND ${HAYATE_PYTHON} -B -m pytest -q -p no:cacheprovider -rs ${source})
  hayate_test_properties(${name} "fast;${place}" ${python_seconds})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 5) # pytest: the module skips itself
endforeach()

file(GLOB fuzz_targets CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/*/fuzz_*.c)
foreach(source IN LISTS fuzz_targets)
  get_filename_component(name ${source} NAME_WE)
  get_filename_component(folder ${source} DIRECTORY)
  if(HAYATE_FUZZ)
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} EXCLUDE_FROM_ALL ${source} ${PROJECT_SOURCE_DIR}/fuzz/replay.c)
  endif()
  target_link_libraries(${name} PRIVATE hayate_flags hayate_static)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  add_dependencies(fuzz_replays ${name})
  if(HAYATE_FUZZ)
    add_test(NAME ${name} COMMAND ${name} -runs=0 ${folder}/corpus)
  else()
    add_test(NAME ${name} COMMAND ${name} ${folder}/corpus)
  endif()
  hayate_test_properties(${name} "fast;fuzz" ${replay_seconds})
endforeach()
add_dependencies(tests fuzz_replays)
