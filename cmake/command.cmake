# SPDX-License-Identifier: Apache-2.0
# The command, linked with the archive.
file(GLOB_RECURSE cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/*.c)
add_executable(hayate ${cli_sources})
target_link_libraries(hayate PRIVATE hayate_flags hayate_static)
set_target_properties(hayate PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
