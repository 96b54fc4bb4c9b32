# SPDX-License-Identifier: Apache-2.0
# Compiler flags: one interface target that every other target links, and the flags of each ISA.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O3 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")

add_library(hayate_flags INTERFACE)
target_compile_definitions(hayate_flags INTERFACE _GNU_SOURCE
  $<$<CONFIG:Debug>:HY_ASSERTIONS>)
target_include_directories(hayate_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/gen)
target_compile_options(hayate_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wconversion
  -Wno-sign-conversion $<$<BOOL:${HAYATE_WERROR}>:-Werror>
  # The numbers are the contract: no contraction into FMA, no reassociation. What stays allowed
  # (no errno, no floating-point traps) changes no value.
  -ffp-contract=off -fno-math-errno -fno-trapping-math -ffunction-sections -fdata-sections)
target_link_options(hayate_flags INTERFACE -Wl,--gc-sections -Wl,--as-needed)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # gcc 12.2 counts wrongly there. With -O3 -fno-tree-loop-vectorize,
  #   unsigned passed(const int *keys, int x) {
  #     unsigned n = 0;
  #     for (int k = 0; k < 16; ++k) n += keys[k] < x;
  #     return n;
  #   }
  # gives -3 for 3: the vectoriser of straight lines (here, of the unrolled loop) adds up cmgt's
  # masks, which are 0 and -1, as if they were 0 and 1. `cmgt; add; addv` without a negation stands
  # in the assembly, so no emulator is at fault; x86 and clang count rightly.
  target_compile_options(hayate_flags INTERFACE -fno-tree-slp-vectorize)
endif()

if(HAYATE_SANITIZE)
  target_compile_options(hayate_flags INTERFACE
    -fsanitize=${HAYATE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(hayate_flags INTERFACE -fsanitize=${HAYATE_SANITIZE})
  target_compile_definitions(hayate_flags INTERFACE HY_SANITIZE=1)
endif()
if(HAYATE_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "HAYATE_FUZZ needs clang (libFuzzer); the preset `fuzz` chooses it")
  endif()
  target_compile_options(hayate_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(HAYATE_COVERAGE)
  target_compile_options(hayate_flags INTERFACE --coverage)
  target_link_options(hayate_flags INTERFACE --coverage)
endif()

# The ISA levels. A kernel file names its own (NAME_avx2.c); a lane file (every
# src/feature/indicator/*.c, and any *_isa.c) is compiled once per level of HAYATE_LANE_ISAS; an
# indicator also for one series alone.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(HAYATE_KERNEL_ISAS scalar neon)
  set(HAYATE_LANE_ISAS scalar)
  set(hayate_foreign "_(x86|avx2|avxvnni|avx512|vbmi|vnni|amx)\\.c$")
else()
  set(HAYATE_KERNEL_ISAS scalar avx2 avxvnni avx512 vbmi vnni amx)
  set(HAYATE_LANE_ISAS scalar avx2 avx512)
  set(hayate_foreign "_(arm|neon)\\.c$")
endif()
set(hayate_isa_scalar "")
set(hayate_isa_neon "")
set(hayate_isa_avx2 -mavx2 -mfma -mf16c -mbmi -mbmi2 -mlzcnt -mpopcnt)
set(hayate_isa_avxvnni ${hayate_isa_avx2} -mavxvnni)
set(hayate_isa_avx512 ${hayate_isa_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl
    -mprefer-vector-width=512)
set(hayate_isa_vbmi ${hayate_isa_avx512} -mavx512vbmi)
set(hayate_isa_vnni ${hayate_isa_avx512} -mavx512vnni)
set(hayate_isa_amx ${hayate_isa_avx512} -mamx-tile -mamx-int8 -mamx-bf16 -mavx512vnni)

# Feature values are the same bits at every level, so the lane files get no FMA: with contraction
# off the compiler would not fuse, and without the flag an intrinsic cannot either.
set(hayate_lane_scalar "")
set(hayate_lane_one "") # one series: a row is a double
set(hayate_lane_avx2 -mavx2 -mno-fma -mbmi -mbmi2 -mlzcnt -mpopcnt)
set(hayate_lane_avx512 ${hayate_lane_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl
    -mprefer-vector-width=512)
# the values of hy_isa
set(hayate_lane_level_one 0)
set(hayate_lane_level_scalar 1)
set(hayate_lane_level_avx2 2)
set(hayate_lane_level_avx512 3)
