# SPDX-License-Identifier: Apache-2.0
# `make install`: command, libraries, headers. The manifest that CMake writes is what `make uninstall` reads.
include(GNUInstallDirs)
install(TARGETS hayate RUNTIME)
install(TARGETS hayate_shared hayate_infer LIBRARY)
install(DIRECTORY include/hayate TYPE INCLUDE FILES_MATCHING PATTERN "*.h" PATTERN "*.inc")
