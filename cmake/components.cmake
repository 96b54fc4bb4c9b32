# SPDX-License-Identifier: Apache-2.0
# The optional components, on or off with the reason: printed here, and by `hayate --version`.
set(hayate_components "")
function(hayate_component name state reason)
  message(STATUS "component ${name}: ${state} (${reason})")
  set(hayate_components
      "${hayate_components}    {\"${name}\", \"${state}\", \"${reason}\"}, \\\n" PARENT_SCOPE)
endfunction()

hayate_component(hdf5 on "required, ${hayate_linking}")
hayate_component(yaml on "required, ${hayate_linking}")
hayate_component(zlib on "required, ${hayate_linking}")
foreach(pair server:src/serve cuda:src/kernel/cuda mpi:src/train/mpi brokers:src/stream/broker
             onnxruntime:src/engine/backend_ort.c)
  string(REPLACE ":" ";" pair "${pair}")
  list(GET pair 0 name)
  list(GET pair 1 path)
  if(NOT EXISTS ${PROJECT_SOURCE_DIR}/${path})
    hayate_component(${name} off "this version has no ${path}")
  elseif(name STREQUAL "cuda" AND NOT HAYATE_CUDA)
    hayate_component(cuda off "configure with -DHAYATE_CUDA=ON")
  else()
    hayate_component(${name} on "found")
  endif()
endforeach()
if(HAYATE_CUDA AND NOT EXISTS ${PROJECT_SOURCE_DIR}/src/kernel/cuda)
  message(FATAL_ERROR "HAYATE_CUDA is on, but this version has no src/kernel/cuda")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/components.h.in
  ${PROJECT_BINARY_DIR}/gen/components.h @ONLY)
