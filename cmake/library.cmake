# SPDX-License-Identifier: Apache-2.0
# Two shared libraries and one archive from the same objects. The archive is what the command and
# the tests link: internal names are visible there, and start-up resolves nothing.
function(hayate_collect out)
  set(list "")
  foreach(o IN LISTS ARGN)
    list(APPEND list $<TARGET_OBJECTS:${o}>)
  endforeach()
  set(${out} "${list}" PARENT_SCOPE)
endfunction()

# While a library's rooms are all empty it still links.
file(WRITE ${PROJECT_BINARY_DIR}/gen/empty.c "typedef int hy__empty;\n")
hayate_collect(objects_all ${hayate_objects_all})
hayate_collect(objects_infer ${hayate_objects_infer})

foreach(list objects_all objects_infer)
  if(NOT ${list})
    set(${list} ${PROJECT_BINARY_DIR}/gen/empty.c)
  endif()
endforeach()

add_library(hayate_static STATIC ${objects_all})
set_target_properties(hayate_static PROPERTIES OUTPUT_NAME hayate
  ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR} LINKER_LANGUAGE C)
target_link_libraries(hayate_static PUBLIC hayate_deps_static)

add_library(hayate_shared SHARED ${objects_all})
set_target_properties(hayate_shared PROPERTIES OUTPUT_NAME hayate)
target_link_libraries(hayate_shared PRIVATE hayate_deps)

add_library(hayate_infer SHARED ${objects_infer})
set_target_properties(hayate_infer PROPERTIES OUTPUT_NAME hayate-infer)
target_link_libraries(hayate_infer PRIVATE Threads::Threads m)

foreach(t hayate_shared hayate_infer)
  set_target_properties(${t} PROPERTIES LINKER_LANGUAGE C
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  target_link_libraries(${t} PRIVATE hayate_flags)
  target_link_options(${t} PRIVATE -Wl,-z,relro -Wl,-z,now)
  if(NOT HAYATE_SANITIZE AND NOT HAYATE_FUZZ)
    # A room that calls above its layer fails here, not at a user's first run.
    target_link_options(${t} PRIVATE -Wl,--no-undefined)
  endif()
endforeach()
