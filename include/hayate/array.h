/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors as views, and named arrays in .npy and .npz files. */
#ifndef HAYATE_ARRAY_H
#define HAYATE_ARRAY_H

#include <hayate/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element types, numbered as ONNX's TensorProto.DataType. */
typedef enum hy_dtype {
  HY_DTYPE_NONE = 0,
  HY_F32 = 1,
  HY_U8 = 2,
  HY_I8 = 3,
  HY_U16 = 4,
  HY_I16 = 5,
  HY_I32 = 6,
  HY_I64 = 7,
  HY_STRING = 8, /* elements are hy_string */
  HY_BOOL = 9,
  HY_F16 = 10,
  HY_F64 = 11,
  HY_U32 = 12,
  HY_U64 = 13,
  HY_BF16 = 16,
  /* 8 bits and less: one element per byte in memory, in the low bits (as ml_dtypes has them; the
   * bits above are ignored on reading and written as zeros). ONNX files pack those of 4 and 2. */
  HY_F8E4M3FN = 17,
  HY_F8E4M3FNUZ = 18,
  HY_F8E5M2 = 19,
  HY_F8E5M2FNUZ = 20,
  HY_U4 = 21,
  HY_I4 = 22,
  HY_F4E2M1 = 23,
  HY_F8E8M0 = 24,
  HY_U2 = 25,
  HY_I2 = 26
} hy_dtype;

enum { HY_MAX_RANK = 8 };

typedef struct hy_string {
  const char *data; /* not terminated */
  size_t len_bytes;
} hy_string;

/* A view of elements that someone else owns. strides_bytes all zero means dense C order. */
typedef struct hy_tensor {
  void *data;
  hy_dtype dtype;
  int32_t rank;
  int64_t dims[HY_MAX_RANK];
  int64_t strides_bytes[HY_MAX_RANK];
} hy_tensor;

/* In memory; 0 for NONE, sizeof(hy_string) for STRING. */
HY_API size_t hy_dtype_bytes(hy_dtype dtype);
HY_API const char *hy_dtype_name(hy_dtype dtype); /* "f32", "i64", "bool", "str" ... */

/* Named arrays, as an .npz holds them (an .npy holds one, named ""). Immutable once read. */
typedef struct hy_arrays hy_arrays;

/* Reads .npy or .npz (stored or deflated), C or Fortran order (converted). Errors: IO, BAD_FORMAT,
 * LIMIT. */
HY_API HY_CHECKED hy_status hy_arrays_read(hy_runtime *runtime, const char *path, hy_arrays **out,
                                           hy_error *err);
HY_API void hy_arrays_destroy(hy_arrays *arrays);
HY_API size_t hy_arrays_n(const hy_arrays *arrays);
HY_API const char *hy_arrays_name(const hy_arrays *arrays, size_t index);
/* A dense view, valid while `arrays` lives. */
HY_API const hy_tensor *hy_arrays_at(const hy_arrays *arrays, size_t index);
/* NULL if there is none of that name. */
HY_API const hy_tensor *hy_arrays_find(const hy_arrays *arrays, const char *name);
/* Writes n named tensors to path (.npz, or .npy for n = 1) by a temporary name and a rename;
 * stored, not deflated; the same arrays give the same bytes. */
HY_API HY_CHECKED hy_status hy_arrays_write(hy_runtime *runtime, const char *path,
                                            const char *const *names, const hy_tensor *tensors,
                                            size_t n, hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
