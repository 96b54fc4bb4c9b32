# SPDX-License-Identifier: Apache-2.0
# `make install`: command, libraries, headers, pkg-config and CMake package files, manual pages and
# completions. CMake writes install_manifest.txt, which is what `make uninstall` reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
install(TARGETS hayate RUNTIME)
install(TARGETS hayate_shared hayate_infer LIBRARY)
install(TARGETS hayate_static ARCHIVE)
install(DIRECTORY include/hayate TYPE INCLUDE FILES_MATCHING PATTERN "*.h" PATTERN "*.inc")
install(FILES LICENSE NOTICE TYPE DOC)

# Debian's Python looks here under /usr/local; with another prefix PYTHONPATH names it.
execute_process(COMMAND ${HAYATE_PYTHON} -c
  "import sys; print('python%d.%d/dist-packages' % sys.version_info[:2])"
  OUTPUT_VARIABLE python_folder OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
install(DIRECTORY python/hayate DESTINATION lib/${python_folder} FILES_MATCHING PATTERN "*.py")

# Paths relative to the .pc file keep the tree movable.
string(REGEX REPLACE "[^/]+" ".." pc_up "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
foreach(name hayate hayate-infer)
  configure_file(cmake/package/${name}.pc.in ${PROJECT_BINARY_DIR}/gen/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/gen/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
configure_package_config_file(cmake/package/hayateConfig.cmake.in
  ${PROJECT_BINARY_DIR}/gen/hayateConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/hayate
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gen/hayateConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gen/hayateConfig.cmake
              ${PROJECT_BINARY_DIR}/gen/hayateConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/hayate)

# Made when installing: pages from docs/cli, completions by the command itself.
install(CODE "
  set(gen \"${PROJECT_BINARY_DIR}/gen\")
  file(REMOVE_RECURSE \"\${gen}/man\")
  execute_process(COMMAND ${HAYATE_PYTHON} -B ${PROJECT_SOURCE_DIR}/tools/pages man
    ${PROJECT_SOURCE_DIR}/src/cli/command.inc ${PROJECT_SOURCE_DIR}/docs/cli
    \"\${gen}/man\" ${PROJECT_VERSION} COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB pages \"\${gen}/man/*.1\")
  file(INSTALL \${pages} DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/man1\")
  foreach(pair bash:bash-completion/completions:hayate zsh:zsh/site-functions:_hayate
               fish:fish/vendor_completions.d:hayate.fish)
    string(REPLACE \":\" \";\" pair \"\${pair}\")
    list(GET pair 0 shell)
    list(GET pair 1 folder)
    list(GET pair 2 name)
    file(MAKE_DIRECTORY \"\${gen}/\${shell}\")
    execute_process(COMMAND \"$<TARGET_FILE:hayate>\" --completion \${shell}
      OUTPUT_FILE \"\${gen}/\${shell}/\${name}\" COMMAND_ERROR_IS_FATAL ANY)
    file(INSTALL \"\${gen}/\${shell}/\${name}\"
      DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/\${folder}\")
  endforeach()
")
