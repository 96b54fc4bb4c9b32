# SPDX-License-Identifier: Apache-2.0
# External libraries. Required: HDF5 (serial, C), libyaml, zlib, and xxhash's header. Each comes in
# two forms: `hayate_deps` for the shared library, `hayate_deps_static` for the command and tests
# (docs/decisions/0001-linking.md: 1 ms against 7 ms before main).
find_package(Threads REQUIRED)
add_library(hayate_deps INTERFACE)
add_library(hayate_deps_static INTERFACE)

function(hayate_need variable what package)
  if(NOT ${variable})
    message(FATAL_ERROR "${what} is missing: run `tools/deps build` (Debian package ${package})")
  endif()
endfunction()

set(multiarch "${CMAKE_LIBRARY_ARCHITECTURE}")
find_path(HDF5_INCLUDE hdf5.h PATH_SUFFIXES hdf5/serial)
find_library(HDF5_SHARED NAMES hdf5_serial hdf5 PATH_SUFFIXES hdf5/serial)
find_path(YAML_INCLUDE yaml.h)
find_library(YAML_SHARED NAMES yaml)
find_path(ZLIB_INCLUDE zlib.h)
find_library(ZLIB_SHARED NAMES z)
find_path(XXHASH_INCLUDE xxhash.h)
hayate_need(HDF5_INCLUDE "HDF5 (hdf5.h)" libhdf5-dev)
hayate_need(HDF5_SHARED "HDF5" libhdf5-dev)
hayate_need(YAML_INCLUDE "libyaml (yaml.h)" libyaml-dev)
hayate_need(YAML_SHARED "libyaml" libyaml-dev)
hayate_need(ZLIB_INCLUDE "zlib (zlib.h)" zlib1g-dev)
hayate_need(ZLIB_SHARED "zlib" zlib1g-dev)
hayate_need(XXHASH_INCLUDE "xxhash (xxhash.h)" libxxhash-dev)

foreach(t hayate_deps hayate_deps_static)
  target_include_directories(${t} SYSTEM INTERFACE ${HDF5_INCLUDE})
endforeach()
target_link_libraries(hayate_deps INTERFACE
  ${HDF5_SHARED} ${YAML_SHARED} ${ZLIB_SHARED} Threads::Threads m)

# Debian's libhdf5.so needs libcurl, OpenSSL, GnuTLS, Kerberos and thirty more, all for one driver
# (S3) that hayate never names. The archive pulls in only what is called.
find_library(HDF5_STATIC NAMES libhdf5_serial.a libhdf5.a PATH_SUFFIXES hdf5/serial)
find_library(SZ_STATIC NAMES libsz.a)
find_library(AEC_STATIC NAMES libaec.a)
find_library(YAML_STATIC NAMES libyaml.a)
find_library(ZLIB_STATIC NAMES libz.a)
if(HAYATE_STATIC_DEPS AND HDF5_STATIC AND SZ_STATIC AND AEC_STATIC AND YAML_STATIC AND ZLIB_STATIC)
  set(hayate_linking "static")
  target_link_libraries(hayate_deps_static INTERFACE ${HDF5_STATIC} ${SZ_STATIC} ${AEC_STATIC}
    ${YAML_STATIC} ${ZLIB_STATIC} Threads::Threads ${CMAKE_DL_LIBS} m)
else()
  set(hayate_linking "shared")
  target_link_libraries(hayate_deps_static INTERFACE
    ${HDF5_SHARED} ${YAML_SHARED} ${ZLIB_SHARED} Threads::Threads m)
endif()
