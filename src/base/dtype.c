/* SPDX-License-Identifier: Apache-2.0
 * Sizes and names of the element types: shared by array files, models and the engine. */
#include <hayate/array.h>

size_t hy_dtype_bytes(hy_dtype dtype) {
  switch (dtype) {
  case HY_U8:
  case HY_I8:
  case HY_BOOL:
  case HY_F8E4M3FN:
  case HY_F8E4M3FNUZ:
  case HY_F8E5M2:
  case HY_F8E5M2FNUZ:
  case HY_U4:
  case HY_I4:
  case HY_F4E2M1:
  case HY_F8E8M0:
  case HY_U2:
  case HY_I2: return 1;
  case HY_U16:
  case HY_I16:
  case HY_F16:
  case HY_BF16: return 2;
  case HY_F32:
  case HY_I32:
  case HY_U32: return 4;
  case HY_I64:
  case HY_F64:
  case HY_U64: return 8;
  case HY_STRING: return sizeof(hy_string);
  case HY_DTYPE_NONE: break;
  }
  return 0;
}

const char *hy_dtype_name(hy_dtype dtype) {
  switch (dtype) {
  case HY_F32: return "f32";
  case HY_U8: return "u8";
  case HY_I8: return "i8";
  case HY_U16: return "u16";
  case HY_I16: return "i16";
  case HY_I32: return "i32";
  case HY_I64: return "i64";
  case HY_STRING: return "str";
  case HY_BOOL: return "bool";
  case HY_F16: return "f16";
  case HY_F64: return "f64";
  case HY_U32: return "u32";
  case HY_U64: return "u64";
  case HY_BF16: return "bf16";
  case HY_F8E4M3FN: return "f8e4m3fn";
  case HY_F8E4M3FNUZ: return "f8e4m3fnuz";
  case HY_F8E5M2: return "f8e5m2";
  case HY_F8E5M2FNUZ: return "f8e5m2fnuz";
  case HY_U4: return "u4";
  case HY_I4: return "i4";
  case HY_F4E2M1: return "f4e2m1";
  case HY_F8E8M0: return "f8e8m0";
  case HY_U2: return "u2";
  case HY_I2: return "i2";
  case HY_DTYPE_NONE: break;
  }
  return "none";
}
