# SPDX-License-Identifier: Apache-2.0
# One object library per room that has sources. Rooms and their order are those of src/LAYERS.
#   src/<room>/*.c, src/<room>/*/*.c, ...   compiled once, baseline x86-64 or AArch64
#   src/kernel/**/NAME_<isa>.c              compiled once with that ISA's flags
#   NAME_x86.c, NAME_arm.c                  for that family of processors alone
#   src/feature/indicator/*.c, *_isa.c      compiled once per level of HAYATE_LANE_ISAS, with
#                                           HY_ISA=scalar|avx2|avx512 and HY_ISA_LEVEL=1|2|3;
#                                           indicators also with HY_ISA=one, HY_ISA_LEVEL=0
file(STRINGS ${PROJECT_SOURCE_DIR}/src/LAYERS layers REGEX "^[a-z_]+ *:")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/LAYERS)
set(hayate_rooms "")
foreach(line IN LISTS layers)
  string(REGEX REPLACE " *:.*" "" room "${line}")
  if(NOT room STREQUAL "cli")
    list(APPEND hayate_rooms ${room})
  endif()
endforeach()
set(infer_rooms base codec kernel model op pass engine)
set(codec_outer yaml.c npz.c)  # the files of codec that enter an external library

# The fuzzers look for faults of readers; kernels see no bytes of a file, and clang takes many
# minutes to instrument one that is unrolled over 32 registers.
set(kernel_quiet "")
if(HAYATE_FUZZ)
  set(kernel_quiet -fno-sanitize=all -O2 -Wno-pass-failed)
endif()

# Loops that run once a model or once a tensor: -O3 makes these rooms a fifth larger and no faster.
# The scalar kernels are the reference and what a machine without AVX2 runs.
set(hayate_small_rooms model op pass engine)
set(hayate_small -O2 -ftree-vectorize)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND hayate_small -fvect-cost-model=dynamic)
else() # clang warns where -O2 leaves a loop rolled that we ask to unroll
  list(APPEND hayate_small -Wno-pass-failed)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(hayate_small "")
endif()

function(hayate_objects name)
  add_library(${name} OBJECT ${ARGN})
  target_link_libraries(${name} PRIVATE hayate_flags)
  target_include_directories(${name} SYSTEM PRIVATE ${HDF5_INCLUDE})
  target_compile_definitions(${name} PRIVATE HY_BUILD=1)
endfunction()

set(hayate_objects_infer "")
set(hayate_objects_all "")
foreach(room IN LISTS hayate_rooms)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/*.c)
  list(FILTER sources EXCLUDE REGEX "\\.tmpl\\.c$|/cuda/")
  list(FILTER sources EXCLUDE REGEX "${hayate_foreign}")
  set(plain "")
  set(lanes "")
  set(outer "")
  foreach(source IN LISTS sources)
    get_filename_component(file ${source} NAME)
    if(source MATCHES "/src/feature/indicator/|_isa\\.c$")
      list(APPEND lanes ${source})
    elseif(room STREQUAL "codec" AND file IN_LIST codec_outer)
      list(APPEND outer ${source})
    else()
      list(APPEND plain ${source})
      if(room STREQUAL "kernel" AND file MATCHES "_([a-z0-9]+)\\.c$" AND
         CMAKE_MATCH_1 IN_LIST HAYATE_KERNEL_ISAS)
        set(level ${hayate_isa_${CMAKE_MATCH_1}})
        if(CMAKE_MATCH_1 STREQUAL "scalar")
          list(PREPEND level ${hayate_small})
        endif()
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${level};${kernel_quiet}")
      endif()
    endif()
  endforeach()
  set(made "")
  if(plain)
    hayate_objects(hy_${room} ${plain})
    if(room IN_LIST hayate_small_rooms)
      target_compile_options(hy_${room} PRIVATE ${hayate_small})
      if(room STREQUAL "pass" AND hayate_small)
        target_compile_options(hy_pass PRIVATE -Os) # runs over graphs, never over tensors
      endif()
    endif()
    list(APPEND made hy_${room})
  endif()
  if(lanes)
    set_source_files_properties(${lanes} PROPERTIES COMPILE_OPTIONS "${kernel_quiet}")
    foreach(source IN LISTS lanes)
      if(source MATCHES "/binary_isa\\.c$")
        # A hundred plain loops: -O3 makes them three times as large and no faster.
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
          "-O2;-ftree-vectorize;${kernel_quiet}")
      endif()
    endforeach()
    set(isas ${HAYATE_LANE_ISAS})
    if(room STREQUAL "feature")
      list(APPEND isas one)
    endif()
    foreach(isa IN LISTS isas)
      set(own ${lanes})
      if(isa STREQUAL "one")
        list(FILTER own INCLUDE REGEX "/indicator/")
      endif()
      hayate_objects(hy_${room}_${isa} ${own})
      target_compile_options(hy_${room}_${isa} PRIVATE ${hayate_lane_${isa}})
      target_compile_definitions(hy_${room}_${isa} PRIVATE
        HY_ISA=${isa} HY_ISA_LEVEL=${hayate_lane_level_${isa}})
      list(APPEND made hy_${room}_${isa})
    endforeach()
  endif()
  list(APPEND hayate_objects_all ${made})
  if(room IN_LIST infer_rooms)
    list(APPEND hayate_objects_infer ${made})
  endif()
  if(outer)
    hayate_objects(hy_${room}_outer ${outer})
    list(APPEND hayate_objects_all hy_${room}_outer)
  endif()
endforeach()
