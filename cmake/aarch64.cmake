# SPDX-License-Identifier: Apache-2.0
# Cross-building for AArch64 on Debian, its programs run by qemu-user: the proof of the NEON kernels
# where no such machine is at hand. tools/aarch64 fetches the libraries into HAYATE_AARCH64_ROOT.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(root $ENV{HAYATE_AARCH64_ROOT})
set(CMAKE_PREFIX_PATH ${root}/usr)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${root})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
