# SPDX-License-Identifier: Apache-2.0
# The command, linked with the archive; its help pages are made of docs/cli/*.md.
find_program(HAYATE_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(HAYATE_PYTHON NAMES python3 REQUIRED)

file(GLOB cli_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/cli/*.md)
set(page_table ${PROJECT_SOURCE_DIR}/src/cli/command.inc)
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/gen/pages.c
  COMMAND ${HAYATE_PYTHON} -B ${PROJECT_SOURCE_DIR}/tools/pages c ${page_table}
          ${PROJECT_SOURCE_DIR}/docs/cli ${PROJECT_BINARY_DIR}/gen/pages.c
  DEPENDS ${cli_pages} ${page_table} ${PROJECT_SOURCE_DIR}/tools/pages
  COMMENT "Pages of docs/cli into C" VERBATIM)

file(GLOB_RECURSE cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/*.c)
list(REMOVE_ITEM cli_sources ${PROJECT_SOURCE_DIR}/src/cli/main.c)
add_library(hy_cli OBJECT ${cli_sources} ${PROJECT_BINARY_DIR}/gen/pages.c)
target_link_libraries(hy_cli PRIVATE hayate_flags)

add_executable(hayate src/cli/main.c $<TARGET_OBJECTS:hy_cli>)
target_link_libraries(hayate PRIVATE hayate_flags hayate_static)
set_target_properties(hayate PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
